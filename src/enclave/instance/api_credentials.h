// The Authorization header of a request of the REST API, read strictly: one form each, no white space but what is
// shown, hex in lower case.
//
//   Quorate key=<hex>, nonce=<decimal>[, reply-key=<hex>], signature=<128 hex>
//   Bearer <token>
#ifndef QUORATE_ENCLAVE_API_CREDENTIALS_H
#define QUORATE_ENCLAVE_API_CREDENTIALS_H

#include "crypto/p256.h"
#include "protocol/types.h"

#define API_AUTHORIZATION_MAX 2048
#define API_TOKEN_MAX 512

enum api_scheme { API_SCHEME_BEARER, API_SCHEME_SIGNED };

struct api_credentials {
    enum api_scheme scheme;
    struct bytes token; // of a bearer; a view of the header, as the texts below
    struct p256_public key;
    uint64_t nonce;
    struct bytes nonce_text, reply_key_text; // as they are signed; empty: no reply key
    struct p256_public reply_key;
    uint8_t signature[P256_SIGNATURE_SIZE];
};

// Q_BAD_INPUT names the part that is wrong, and never says what stood there.
enum q_err api_credentials_read(struct bytes header, struct api_credentials *out);

// Printable ASCII without spaces, quotes and commas, which RFC 6750 has none of either.
bool api_token_can_be_sent(struct bytes token);

// 130 or 260 hex characters of either case, as key files and manifests have them.
enum q_err api_key_read(struct bytes hex, struct p256_public *out);

#endif
