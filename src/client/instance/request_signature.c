// The text and the header of a signed request (see request_signature.h).
#include "client/instance/request_signature.h"

#include "base/hex.h"
#include "crypto/hash.h"

#include <inttypes.h>

static enum q_err append_key(const struct p256_public *key, struct buf *out)
{
    return key == NULL ? Q_OK : hex_encode(p256_public_short(key), out);
}

enum q_err request_signed_text(const struct request_to_sign *r, const struct request_signer *s,
                               struct buf *out)
{
    uint8_t hash[SHA256_SIZE];
    TRY(sha256(r->body, hash));
    TRY(buf_printf(out, "quorate-api-v1\n%s\n%s\n%s\n", s->enclave_id, r->method, r->path));
    TRY(hex_encode(BYTES_OF(hash), out));
    TRY(buf_printf(out, "\n%" PRIu64 "\n", s->nonce));
    return append_key(s->reply_key, out);
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
