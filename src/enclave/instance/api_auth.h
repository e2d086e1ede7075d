// Who may use the REST API (renclave 9, finding 13): requests signed with keys that are fixed at start or stand in the
// manifest, each once, for this life of this enclave alone; bearer tokens on the simulated TEE.
#ifndef QUORATE_ENCLAVE_API_AUTH_H
#define QUORATE_ENCLAVE_API_AUTH_H

#include "crypto/hash.h"
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
    struct p256_public key;           // of a client or admin: what he signed with
    uint8_t signed_hash[SHA256_SIZE]; // SHA-256 of what he signed
    bool has_reply_key;
    struct p256_public reply_key; // what answers with plaintext are sealed to
};

// What a key is good for; it may be both.
enum api_role { API_ROLE_CLIENT = 1, API_ROLE_ADMIN = 2 };
#define API_ROLE_KEYS_MAX 64 // in each key file, and in a manifest

struct api_auth_files { // NULL: none
    const char *client_keys, *admin_keys, *bearer_token;
};

// The keys, the token, and which requests were seen.
struct api_auth;
// Refuses files that hold no key, too many or malformed ones, and a bearer token unless simulated.
enum q_err api_auth_open(const struct api_auth_files *files, bool simulated, struct api_auth **out);
void api_auth_free(struct api_auth **a); // safe on NULL
// For another life of the enclave, with another id: what was seen, and what the manifest said.
void api_auth_forget(struct api_auth *a);

// Arguments of the pivot that name keys: "client-key=<hex>", "admin-key=<hex>" (130 or 260 characters). Refuses a
// manifest in which one of them is malformed, or too many; Q_BAD_INPUT names the argument by its place.
enum q_err api_auth_check_pivot(const struct pivot_config *pivot);

#endif
