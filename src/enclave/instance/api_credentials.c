// Reads Authorization headers (see api_credentials.h).
#include "enclave/instance/api_credentials.h"

#include "base/hex.h"
#include "base/text.h"
#include "crypto/hash.h"

#include <string.h>

static bool starts_with(struct bytes *in, const char *word)
{
    struct bytes start = bytes_str(word);
    if (!bytes_begin_with(*in, start))
        return false;
    in->p += start.n;
    in->n -= start.n;
    return true;
}

// Up to the comma, or all.
static struct bytes take_value(struct bytes *in)
{
    const uint8_t *comma = in->n > 0 ? memchr(in->p, ',', in->n) : NULL;
    size_t n = comma != NULL ? (size_t)(comma - in->p) : in->n;
    struct bytes value = bytes_of(in->p, n);
    in->p += n;
    in->n -= n;
    return value;
}

static bool is_hex(struct bytes text, bool upper_too)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        bool good =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (upper_too && c >= 'A' && c <= 'F');
        if (!good)
            return false;
    }
    return true;
}

static enum q_err read_key(struct bytes text, bool upper_too, struct p256_public *out)
{
    BUF_AUTO raw = {0};
    size_t size = text.n / 2;
    if (text.n % 2 != 0 || (size != P256_POINT_SIZE && size != P256_PUBLIC_SIZE) ||
        !is_hex(text, upper_too))
        return fail(Q_BAD_INPUT, "expected a public key of %d or %d%s hex characters",
                    2 * P256_POINT_SIZE, 2 * P256_PUBLIC_SIZE, upper_too ? "" : " lower-case");
    TRY(hex_decode(text, &raw));
    if (p256_public_parse_short(buf_bytes(&raw), out) != Q_OK)
        return fail(Q_BAD_INPUT, "expected a public key of points on P-256");
    return Q_OK;
}

enum q_err api_key_read(struct bytes hex, struct p256_public *out)
{
    return read_key(hex, true, out);
}

// One text for one number: no sign, no zero in front.
static enum q_err read_nonce(struct bytes text, uint64_t *out)
{
    bool one_form = text.n > 0 && text.p[0] != '+' && (text.n == 1 || text.p[0] != '0');
    if (!one_form || text_u64(text, out) != Q_OK)
        return fail(Q_BAD_INPUT, "expected a decimal number below 2^64");
    return Q_OK;
}

static enum q_err read_signature(struct bytes text, uint8_t out[static P256_SIGNATURE_SIZE])
{
    BUF_AUTO raw = {0};
    if (text.n != (size_t)2 * P256_SIGNATURE_SIZE || !is_hex(text, false))
        return fail(Q_BAD_INPUT, "expected %d lower-case hex characters", 2 * P256_SIGNATURE_SIZE);
    TRY(hex_decode(text, &raw));
    memcpy(out, raw.p, P256_SIGNATURE_SIZE);
    return Q_OK;
}

static enum q_err read_signed(struct bytes in, struct api_credentials *c)
{
    c->scheme = API_SCHEME_SIGNED;
    if (!starts_with(&in, "key="))
        return fail(Q_BAD_INPUT, "authorization: expected \"key=\" first");
    TRY(err_context(read_key(take_value(&in), false, &c->key), "authorization: key"));
    if (!starts_with(&in, ", nonce="))
        return fail(Q_BAD_INPUT, "authorization: expected \", nonce=\" after the key");
    c->nonce_text = take_value(&in);
    TRY(err_context(read_nonce(c->nonce_text, &c->nonce), "authorization: nonce"));
    if (starts_with(&in, ", reply-key=")) {
        c->reply_key_text = take_value(&in);
        TRY(err_context(read_key(c->reply_key_text, false, &c->reply_key),
                        "authorization: reply-key"));
    }
    if (!starts_with(&in, ", signature="))
        return fail(Q_BAD_INPUT, "authorization: expected \", signature=\" at its end");
    return err_context(read_signature(in, c->signature), "authorization: signature");
}

bool api_token_can_be_sent(struct bytes token)
{
    bool good = token.n > 0 && token.n <= API_TOKEN_MAX;
    for (size_t i = 0; good && i < token.n; i++)
        good = token.p[i] > ' ' && token.p[i] < 0x7f && token.p[i] != '"' && token.p[i] != ',';
    return good;
}

static enum q_err read_bearer(struct bytes in, struct api_credentials *c)
{
    if (!api_token_can_be_sent(in))
        return fail(Q_BAD_INPUT,
                    "authorization: expected a token of 1 to %d characters after \"Bearer \"",
                    API_TOKEN_MAX);
    c->scheme = API_SCHEME_BEARER;
    c->token = in;
    return Q_OK;
}

enum q_err api_credentials_read(struct bytes header, struct api_credentials *out)
{
    *out = (struct api_credentials){.reply_key_text = BYTES_LIT("")};
    if (header.n > API_AUTHORIZATION_MAX)
        return fail(Q_BAD_INPUT, "authorization: expected at most %d characters, found %zu",
                    API_AUTHORIZATION_MAX, header.n);
    if (starts_with(&header, "Quorate "))
        return read_signed(header, out);
    if (starts_with(&header, "Bearer "))
        return read_bearer(header, out);
    return fail(Q_BAD_INPUT, "authorization: expected \"Quorate \" or \"Bearer \" first");
}
