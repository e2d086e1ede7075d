// Nonces for deterministic ECDSA (RFC 6979, section 3.2), for curves whose order has as many bits
// as the digest: P-256 with SHA-256, P-384 with SHA-384. Private to crypto/.
#ifndef QUORATE_CRYPTO_RFC6979_H
#define QUORATE_CRYPTO_RFC6979_H

#include "base/bytes.h"

#include <openssl/evp.h>

struct rfc6979_state;
struct rfc6979 {
    EVP_MAC_CTX *hmac;
    struct rfc6979_state *state; // in OpenSSL's secure heap: a tenth of the cost of a locked page
    size_t size;                 // bytes of the digest, of the scalar and of a nonce
    bool drawn;
};

#define RFC6979_AUTO __attribute__((cleanup(rfc6979_end))) struct rfc6979
// digest: "SHA256" or "SHA384". scalar: int2octets(x), size bytes. hash: bits2octets(H(m)), that is
// H(m) reduced mod n, size bytes. Give r zeroed; rfc6979_end() releases it also after a failure.
enum q_err rfc6979_start(struct rfc6979 *r, const char *digest, size_t size, const uint8_t *scalar,
                         const uint8_t *hash);
// The next candidate, size bytes, secret; the caller takes the first one in [1, n-1] that gives r,
// s != 0.
enum q_err rfc6979_next(struct rfc6979 *r, uint8_t *nonce);
void rfc6979_end(struct rfc6979 *r);

#endif
