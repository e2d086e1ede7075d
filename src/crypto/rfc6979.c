// Nonces for deterministic ECDSA (see rfc6979.h; K, V and the letters of the steps are the RFC's).
#include "crypto/rfc6979.h"
#include "crypto/ec_key.h"
#include "crypto/openssl_scope.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

struct rfc6979_state {
    uint8_t k[EC_MAX_SIZE], v[EC_MAX_SIZE];
};

static enum q_err open_hmac(struct rfc6979 *r, const char *digest)
{
    char name[16];
    (void)snprintf(name, sizeof name, "%s", digest);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    r->hmac = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    if (r->hmac == NULL || EVP_MAC_CTX_set_params(r->hmac, params) != 1)
        return openssl_failed("HMAC");
    return Q_OK;
}

// out = HMAC_K(V || tail); out may be K or V itself.
static enum q_err hmac(struct rfc6979 *r, const struct bytes *tail, size_t tail_count, uint8_t *out)
{
    size_t written = 0;
    int ok = EVP_MAC_init(r->hmac, r->state->k, r->size, NULL) == 1 &&
             EVP_MAC_update(r->hmac, r->state->v, r->size) == 1;
    for (size_t i = 0; ok && i < tail_count; i++)
        ok = EVP_MAC_update(r->hmac, tail[i].p, tail[i].n) == 1;
    if (!ok || EVP_MAC_final(r->hmac, out, &written, r->size) != 1 || written != r->size)
        return openssl_failed("HMAC");
    return Q_OK;
}

enum q_err rfc6979_start(struct rfc6979 *r, const char *digest, size_t size, const uint8_t *scalar,
                         const uint8_t *hash)
{
    r->size = size;
    r->state = OPENSSL_secure_zalloc(sizeof *r->state);
    if (r->state == NULL)
        return openssl_failed("nonce");
    memset(r->state->v, 0x01, sizeof r->state->v); // steps b and c
    TRY(open_hmac(r, digest));
    struct bytes tail[] = {BYTES_NONE, bytes_of(scalar, size), bytes_of(hash, size)};
    for (uint8_t step = 0x00; step <= 0x01; step++) { // steps d, e and f, g
        tail[0] = bytes_of(&step, 1);
        TRY(hmac(r, tail, 3, r->state->k));
        TRY(hmac(r, NULL, 0, r->state->v));
    }
    return Q_OK;
}

enum q_err rfc6979_next(struct rfc6979 *r, uint8_t *nonce)
{
    static const uint8_t zero = 0x00;
    const struct bytes again = {&zero, 1};
    if (r->drawn) { // step h.3: the candidate before this one was not used
        TRY(hmac(r, &again, 1, r->state->k));
        TRY(hmac(r, NULL, 0, r->state->v));
    }
    TRY(hmac(r, NULL, 0, r->state->v)); // step h.2: one block, as the digest is as long as n
    memcpy(nonce, r->state->v, r->size);
    r->drawn = true;
    return Q_OK;
}

void rfc6979_end(struct rfc6979 *r)
{
    EVP_MAC_CTX_free(r->hmac);
    OPENSSL_secure_clear_free(r->state, sizeof *r->state);
    *r = (struct rfc6979){0};
}
