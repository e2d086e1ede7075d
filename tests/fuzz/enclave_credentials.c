// Fuzz target: Authorization headers of the REST API (enclave/api_credentials.h). What is read is what stood there: a
// header written from it is the same to the byte.
#include "enclave/instance/api_credentials.h"

#include "base/hex.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

// The length of a key's hex says which of its forms stood there.
static void write_key(struct buf *out, const char *name, const struct p256_public *key)
{
    must(buf_append_str(out, name) == Q_OK);
    must(hex_encode(p256_public_short(key), out) == Q_OK);
}

static void write_again(const struct api_credentials *c, struct buf *out)
{
    if (c->scheme == API_SCHEME_BEARER) {
        must(buf_append_str(out, "Bearer ") == Q_OK);
        must(buf_append(out, c->token) == Q_OK);
        return;
    }
    write_key(out, "Quorate key=", &c->key);
    must(buf_printf(out, ", nonce=%llu", (unsigned long long)c->nonce) == Q_OK);
    if (c->reply_key_text.n > 0)
        write_key(out, ", reply-key=", &c->reply_key);
    must(buf_append_str(out, ", signature=") == Q_OK);
    must(hex_encode(BYTES_OF(c->signature), out) == Q_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BUF_AUTO again = {0};
    struct api_credentials c;
    struct p256_public key;
    struct bytes header = bytes_of(data, size);
    enum q_err err = api_credentials_read(header, &c);
    must(err == Q_OK || err == Q_BAD_INPUT);
    if (err == Q_OK) {
        write_again(&c, &again);
        must(bytes_equal(buf_bytes(&again), header));
    }
    err = api_key_read(header, &key);
    must(err == Q_OK || err == Q_BAD_INPUT);
    return 0;
}
