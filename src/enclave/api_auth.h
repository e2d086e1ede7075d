// Who may use the REST API (renclave 9, finding 13): requests signed with keys that are fixed at start or stand in the
// manifest, each once, for this life of this enclave alone; bearer tokens on the simulated TEE.
#ifndef QUORATE_ENCLAVE_API_AUTH_H
#define QUORATE_ENCLAVE_API_AUTH_H

#include "crypto/p256.h"
#include "protocol/types.h"

enum api_caller_kind {
    API_CALLER_NONE, // nobody has asked who
    API_CALLER_BEARER,
    API_CALLER_CLIENT,
    API_CALLER_ADMIN,
};

struct api_caller {
    enum api_caller_kind kind;
    bool has_reply_key;
    struct p256_public reply_key; // what answers with plaintext are sealed to
};

// Arguments of the pivot that name keys: "client-key=<hex>", "admin-key=<hex>" (130 or 260 characters). Refuses a
// manifest in which one of them is malformed, or too many; Q_BAD_INPUT names the argument by its place.
enum q_err api_auth_check_pivot(const struct pivot_config *pivot);

#endif
