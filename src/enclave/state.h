// The enclave's state, and the table of what it answers in which phase (qos-behaviour 2.4). Nothing but the
// handlers changes it; nothing but the table (phase_table.c) says which handler may.
#ifndef QUORATE_ENCLAVE_STATE_H
#define QUORATE_ENCLAVE_STATE_H

#include "base/clock.h"
#include "base/uuid.h"
#include "custody/genesis_held.h"
#include "custody/keyring.h"
#include "custody/shares.h"
#include "enclave/instance/api_auth.h"
#include "enclave/bridges.h"
#include "enclave/egress.h"
#include "enclave/published.h"
#include "enclave/supervisor.h"
#include "protocol/instance.h"
#include "protocol/message.h"
#include "tee/tee.h"

// How the enclave came to what it is: which rows of the table below count.
enum birth {
    BIRTH_KEY_DROPPED = 1, // QuorumOS: a genesis leaves no key, a boot waits for shares or a key
    BIRTH_RESHARE = 2, // shares come in, other shares go out: no key stays, no application starts
    BIRTH_GENESIS_HELD = 4, // TEE instance: its genesis installed a manifest and goes on to shares
    BIRTH_INSTANCE_FORWARDED = 8, // TEE instance: its manifest and key come from another one
};
#define BIRTH_INSTANCE ((unsigned)BIRTH_GENESIS_HELD | (unsigned)BIRTH_INSTANCE_FORWARDED)
#define BIRTH_ANY 15u

// What exists from a successful boot on, all in one arena.
struct booted {
    struct arena memory;
    struct manifest_envelope envelope; // share approvals: those of the shares that are held
    uint8_t manifest_hash[SHA256_SIZE];
    struct application application;
    // Of a TEE instance (renclave 3.1, 3.2): what the genesis said of the shares, one hash a member of the share set
    // (NULL: no genesis of ours), and the quorum key's signature over the manifest's hash (absent: none came with it).
    uint8_t (*share_hashes)[SHA512_SIZE];
    struct bytes quorum_key_signature;
    const struct api_genesis_reply
        *genesis;                         // of this process, to be said again; NULL: there was none
    uint8_t genesis_request[SHA256_SIZE]; // what it answered
    // Which members have contributed a share, and the SHA-256 of it as it was sent.
    struct contribution {
        bool given;
        uint8_t sent[SHA256_SIZE];
    } contributions[SHAMIR_MAX_SHARES];
    struct approval approvals[SHAMIR_MAX_SHARES]; // what envelope.share_set_approvals points to
    uint8_t signatures[SHAMIR_MAX_SHARES][P256_SIGNATURE_SIZE];
    uint8_t
        injected[SHA256_SIZE]; // of inject-key: hash of the one that brought the key; zero: none
};
#define BOOTED_AUTO __attribute__((cleanup(booted_free))) struct booted
enum q_err booted_new(struct booted **out);
void booted_free(struct booted **b); // safe on NULL

// A resharing from its boot on, all in one arena.
struct reshare {
    struct arena memory;
    struct reshare_boot_request boot; // plan and approvals of the manifest set
    uint8_t plan_hash[SHA256_SIZE];
    struct reshare_output output; // in GenesisBooted
    uint8_t output_hash[SHA256_SIZE];
};
#define RESHARE_AUTO __attribute__((cleanup(reshare_free))) struct reshare
enum q_err reshare_new(struct reshare **out);
void reshare_free(struct reshare **r); // safe on NULL

// What the command line says of TEE instances.
struct instance_policy {
    const char *state_dir; // where manifest and stored data survive a restart; NULL: nowhere
    const char
        *pinned_quorum_key; // file with the one quorum key (hex) that may come here; NULL: any
    bool require_member_decryption; // a share that was never opened by its member is not taken
    bool unsafe_plaintext_shares;   // a share in clear is taken although the host sees it
    struct api_auth_files keys;     // who may use the API
};

struct enclave {
    enum phase phase;
    enum birth birth;
    int64_t phase_since_s; // Unix time; 0: since the start
    uint64_t operations;   // POST requests of the REST API that succeeded, but resets
    uint64_t data_count;   // of the data that it stored
    // Of this life of this process: what is signed for it counts nowhere else.
    char id_text[UUID_TEXT_SIZE + 1];
    struct bytes id;
    const struct clock *clock;      // not owned; wall
    const struct clock *boot_clock; // not owned; one that no host turns back
    struct instance_policy policy;  // its texts are not owned
    struct api_auth *auth;
    struct tee *tee;               // not owned
    struct supervisor *supervisor; // not owned; NULL: no application is ever started
    const struct bridges *bridges; // not owned; NULL: none can be opened
    const struct egress *egress;   // not owned; NULL: no outgoing connections
    struct published published;
    const char *resolvers; // where the manifest's go (resolvers.h); NULL: nowhere
    bool has_pinned_quorum_key;
    struct p256_public pinned_quorum_key; // of policy.pinned_quorum_key
    struct keyring *keyring;              // KEY_QUORUM, KEY_SETUP, KEY_LIVE
    struct booted *booted;                // NULL before boot
    struct booted
        *outlived; // of before a reset, which an application that is being ended may look at
    struct reshare *reshare; // not NULL after BIRTH_RESHARE
    struct share_list shares;
    struct genesis_held *held;  // not NULL while form A of a share may be used (renclave 3.1)
    struct stored_data *stored; // NULL before store-data's first use
};

struct enclave_options {
    struct tee *tee;
    struct supervisor *supervisor;
    const struct bridges *bridges;
    const struct egress *egress;
    struct published published;
    const char *resolvers;     // path of resolv.conf; NULL: nowhere
    const struct clock *clock; // wall; NULL: clock_wall
    struct instance_policy policy;
    const struct clock *boot_clock; // NULL: the kernel's
};

// In WaitingForBootInstruction, with the leftovers of a dead run wiped.
enum q_err enclave_open(const struct enclave_options *options, struct enclave **out);
// Everything of this life of the enclave that is in memory or published goes: keys, shares, manifest, application's
// files, keys' replay windows. Then it waits for a boot under another id, as new, or, where only the machine's owner can
// start it anew, an application of the manifest had the key or there is no other id to be had, stands in
// UnrecoverableError (false). It needs neither memory nor a disk. What it stored for its next life stays.
bool enclave_reset(struct enclave *e);
// Wipes the published files and every secret; safe on NULL.
void enclave_close(struct enclave **e);

// The one way to another phase. One that no row of the table of transitions allows is a defect of ours, which ends in
// UnrecoverableError.
void enclave_enter(struct enclave *e, enum phase to);
bool enclave_may_enter(enum phase from, enum birth birth, enum phase to);

// Records approvals as the envelope's share approvals (copies; at most one per member of the share set).
void booted_record(struct booted *b, const struct approval *approvals, size_t n);

struct exchange;
typedef enum q_err (*handler)(struct enclave *e, struct exchange *x);
// NULL: NoMatchingRoute.
handler route_find(enum phase phase, enum birth birth, uint32_t message_kind);

// The same table for the REST API (renclave 2.2 "Ours"). NULL: not in this phase.
struct api_call;
typedef enum q_err (*api_handler)(struct enclave *e, struct api_call *c);
api_handler api_route_find(enum phase phase, enum birth birth, enum api_operation operation);

#endif
