// Signing a request to an instance, so that its enclave knows whose it is (docs/instances.md, "Signed requests").
#ifndef QUORATE_CLIENT_REQUEST_SIGNATURE_H
#define QUORATE_CLIENT_REQUEST_SIGNATURE_H

#include "crypto/p256.h"

struct api_request {
    const char *method; // "POST"
    const char *path;   // with its query: "/enclave/get-data?key=a"
    struct bytes body;
};

struct api_signer {
    const struct p256_pair *pair;
    const char *enclave_id;              // of the process that is to answer
    uint64_t nonce;                      // never used before with this key
    const struct p256_public *reply_key; // what the answer is to be sealed to; NULL: nothing
};

// The bytes that are signed: quorate-api-v1, enclave id, method, path, hex of SHA-256(body), nonce, hex of the reply
// key or nothing, one a line, without a newline at the end.
enum q_err api_signed_text(const struct api_request *r, const struct api_signer *s,
                           struct buf *out);
// The value of the header "Authorization".
enum q_err api_authorization(const struct api_request *r, const struct api_signer *s,
                             struct buf *out);

#endif
