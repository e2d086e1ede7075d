// The text and the header of a signed request (see request_signature.h).
#include "client/instance/request_signature.h"

#include "base/hex.h"
#include "protocol/instance.h"

#include <inttypes.h>

static enum q_err append_key(const struct p256_public *key, struct buf *out)
{
    return key == NULL ? Q_OK : hex_encode(p256_public_short(key), out);
}

enum q_err request_signed_text(const struct request_to_sign *r, const struct request_signer *s,
                               struct buf *out)
{
    // The path has its query: the two stand in one line.
    const struct api_request request = {
        .method = bytes_str(r->method), .path = bytes_str(r->path), .body = r->body};
    BUF_AUTO nonce = {0}, reply_key = {0};
    TRY(buf_printf(&nonce, "%" PRIu64, s->nonce));
    TRY(append_key(s->reply_key, &reply_key));
    return api_signed_text(&request, bytes_str(s->enclave_id), buf_bytes(&nonce),
                           buf_bytes(&reply_key), out);
}

enum q_err request_authorization(const struct request_to_sign *r, const struct request_signer *s,
                                 struct buf *out)
{
    BUF_AUTO text = {0};
    uint8_t signature[P256_SIGNATURE_SIZE];
    TRY(request_signed_text(r, s, &text));
    TRY(p256_sign(s->pair, buf_bytes(&text), signature));
    TRY(buf_append_str(out, "Quorate key="));
    TRY(append_key(p256_pair_public(s->pair), out));
    TRY(buf_printf(out, ", nonce=%" PRIu64, s->nonce));
    if (s->reply_key != NULL)
        TRY(buf_append_str(out, ", reply-key="));
    TRY(append_key(s->reply_key, out));
    TRY(buf_append_str(out, ", signature="));
    return hex_encode(BYTES_OF(signature), out);
}
