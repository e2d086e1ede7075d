// Signing a request to an instance, so that its enclave knows whose it is (docs/instances.md, "Signed requests").
#ifndef QUORATE_CLIENT_REQUEST_SIGNATURE_H
#define QUORATE_CLIENT_REQUEST_SIGNATURE_H

#include "crypto/p256.h"

struct request_to_sign {
    const char *method; // "POST"
    const char *path;   // with its query: "/enclave/get-data?key=a"
    struct bytes body;
};

struct request_signer {
    const struct p256_pair *pair;
    const char *enclave_id;              // of the process that is to answer
    uint64_t nonce;                      // never used before with this key
    const struct p256_public *reply_key; // what the answer is to be sealed to; NULL: nothing
};

// The bytes that are signed: quorate-api-v1, enclave id, method, path, hex of SHA-256(body), nonce, hex of the reply
// key or nothing, one a line, without a newline at the end.
enum q_err request_signed_text(const struct request_to_sign *r, const struct request_signer *s,
                               struct buf *out);
// The value of the header "Authorization".
enum q_err request_authorization(const struct request_to_sign *r, const struct request_signer *s,
                                 struct buf *out);

#endif
