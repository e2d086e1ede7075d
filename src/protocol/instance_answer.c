// What a caller signs of a request, what the quorum key signs of its answer, and its place in the answer (docs/instance-auth.md,
// "Checking an answer"; renclave 9, finding 13).
#include "protocol/instance.h"

#include "base/hex.h"

#define BEFORE_SIGNATURE ",\"answer_signature\":\""
#define AFTER_SIGNATURE "\"}"
#define SIGNATURE_HEX ((size_t)2 * P256_SIGNATURE_SIZE)

enum q_err api_signed_text(const struct api_request *r, struct bytes enclave_id, struct bytes nonce,
                           struct bytes reply_key, struct buf *out)
{
    uint8_t digest[SHA256_SIZE];
    TRY(sha256(r->body, digest));
    TRY(buf_append_str(out, "quorate-api-v1\n"));
    TRY(buf_append(out, enclave_id));
    TRY(buf_u8(out, '\n'));
    TRY(buf_append(out, r->method));
    TRY(buf_u8(out, '\n'));
    TRY(buf_append(out, r->path));
    if (r->query.n > 0)
        TRY(buf_u8(out, '?'));
    TRY(buf_append(out, r->query));
    TRY(buf_u8(out, '\n'));
    TRY(hex_encode(BYTES_OF(digest), out));
    TRY(buf_u8(out, '\n'));
    TRY(buf_append(out, nonce));
    TRY(buf_u8(out, '\n'));
    return buf_append(out, reply_key);
}

enum q_err api_answer_message(const uint8_t request_hash[static SHA256_SIZE], unsigned status,
                              struct bytes answer, struct buf *out)
{
    uint8_t body[SHA256_SIZE];
    TRY(sha256(answer, body));
    TRY(buf_append_str(out, API_DOMAIN_ANSWER "\n"));
    TRY(hex_encode(bytes_of(request_hash, SHA256_SIZE), out));
    TRY(buf_printf(out, "\n%u\n", status));
    return hex_encode(BYTES_OF(body), out);
}

enum q_err api_answer_attach(struct bytes signature, struct buf *answer)
{
    answer->n--; // the brace
    TRY(buf_append_str(answer, BEFORE_SIGNATURE));
    TRY(hex_encode(signature, answer));
    return buf_append_str(answer, AFTER_SIGNATURE);
}

static bool take_end(struct bytes *text, struct bytes end)
{
    if (text->n < end.n || !bytes_equal(bytes_of(text->p + text->n - end.n, end.n), end))
        return false;
    text->n -= end.n;
    return true;
}

// One text for one signature: what api_answer_attach writes and nothing else.
static enum q_err detach(struct bytes answer, struct buf *body,
                         uint8_t signature[static P256_SIGNATURE_SIZE])
{
    BUF_AUTO again = {0};
    struct bytes rest = answer, hex = BYTES_NONE;
    bool found = take_end(&rest, BYTES_LIT(AFTER_SIGNATURE)) && rest.n >= SIGNATURE_HEX;
    if (found) {
        rest.n -= SIGNATURE_HEX;
        hex = bytes_of(rest.p + rest.n, SIGNATURE_HEX);
    }
    if (!found || !take_end(&rest, BYTES_LIT(BEFORE_SIGNATURE)))
        return fail(Q_CRYPTO, "expected an answer_signature at its end, found none");
    TRY(err_context(hex_decode_fixed(hex, signature, P256_SIGNATURE_SIZE), "answer_signature"));
    TRY(hex_encode(bytes_of(signature, P256_SIGNATURE_SIZE), &again));
    if (!bytes_equal(buf_bytes(&again), hex))
        return fail(Q_CRYPTO, "answer_signature: expected lower-case hex");
    TRY(buf_append(body, rest));
    return buf_u8(body, '}');
}

enum q_err api_answer_verify(const struct p256_public *quorum_key, struct bytes signed_text,
                             unsigned status, struct bytes answer)
{
    BUF_AUTO body = {0}, message = {0};
    uint8_t signature[P256_SIGNATURE_SIZE], request[SHA256_SIZE];
    TRY(detach(answer, &body, signature));
    TRY(sha256(signed_text, request));
    TRY(api_answer_message(request, status, buf_bytes(&body), &message));
    return err_context(p256_verify(quorum_key, buf_bytes(&message), BYTES_OF(signature)),
                       "answer_signature: expected the quorum key's over this answer to this "
                       "request");
}
