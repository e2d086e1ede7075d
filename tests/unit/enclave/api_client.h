// A client of the REST API in one process with the enclave: requests as frames through dispatch, signed or not, and
// what the answers say.
#ifndef QUORATE_TESTS_API_CLIENT_H
#define QUORATE_TESTS_API_CLIENT_H

#include "ceremony.h"

struct api_reply {
    unsigned status;
    struct bytes body;
};

struct api_reply api_send(struct ceremony *c, const struct api_request *r);
// Without authorization.
struct api_reply api_ask(struct ceremony *c, const char *method, const char *path,
                         const char *body);

// The header for this request, which everything in r but the authorization is part of; reply_key: BYTES_NONE, or a
// public key. Lives in the ceremony's arena.
struct bytes api_sign(struct ceremony *c, const struct api_request *r, const struct p256_pair *by,
                      uint64_t nonce, struct bytes reply_key);
// api_send of r with that header.
struct api_reply api_send_signed(struct ceremony *c, struct api_request r,
                                 const struct p256_pair *by, uint64_t nonce);

// Hex of a pair's public key, as it is shown: 65 or 130 bytes.
struct bytes api_key_text(struct ceremony *c, const struct p256_pair *pair);
// A key file in the ceremony's folder.
const char *api_key_file(struct ceremony *c, const char *name, struct bytes contents);
bool api_says(const struct api_reply *r, const char *text);

#define assert_status(reply, expected)                                                             \
    do {                                                                                           \
        struct api_reply r_ = (reply);                                                             \
        if (r_.status != (expected))                                                               \
            fail_msg("expected status %u, got %u: %.*s", (unsigned)(expected), r_.status,          \
                     (int)r_.body.n, (const char *)r_.body.p);                                     \
    } while (0)

#endif
