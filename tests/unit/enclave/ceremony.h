// A ceremony in one process, for the enclave's tests: members, a quorum key with its shares, a manifest, an
// enclave over the mock TEE in a temporary folder, and the messages that the parties send to it.
#ifndef QUORATE_TESTS_CEREMONY_H
#define QUORATE_TESTS_CEREMONY_H

#include "../cmocka_setup.h"

#include "enclave/dispatch.h"
#include "tee/attestation.h"

#define PEOPLE 4 // alice, bob and carol are members; mallory is nobody

struct ceremony {
    char folder[64];
    char files[PUBLISHED_COUNT][96];
    struct arena arena;
    struct tee *tee;
    struct supervisor *supervisor; // set before ceremony_open_enclave, NULL: none
    struct instance_policy policy; // set before ceremony_open_enclave
    struct enclave *enclave;
    struct p256_pair *pairs[PEOPLE];
    struct member members[PEOPLE];
    struct p256_pair *quorum;
    struct secret shares; // three, of threshold two
    struct manifest_envelope envelope;
    struct bytes pivot;
    bool second; // the people, their keys and the quorum key are another ceremony's
};

// Everything up to an enclave that waits for boot, and an envelope that it would accept.
void ceremony_open(struct ceremony *c);
void ceremony_close(struct ceremony *c);
void ceremony_open_enclave(struct ceremony *c);
// The enclave anew, with the policy as it is now.
void ceremony_reopen(struct ceremony *c);
// A second enclave of the same people, with the same quorum key and manifest; own_root: under a PKI of its own, else
// under the first one's. To be closed before the first.
void ceremony_open_second(const struct ceremony *first, bool own_root, struct ceremony *out);
// Setup and teardown of a test; *state is the ceremony.
int ceremony_setup(void **state);
int ceremony_teardown(void **state);

// Signs the manifest as it is now, by the first n people; puts the approvals into the envelope.
void ceremony_approve(struct ceremony *c, size_t n);
struct approval ceremony_approval(struct ceremony *c, size_t person);

// Sends a message and decodes the reply, which must be in the encoding expected.
struct message ceremony_send(struct ceremony *c, const struct message *m, enum encoding as);
struct message ceremony_send_bytes(struct ceremony *c, struct bytes frame, enum encoding *as);
struct message ceremony_boot_request(const struct ceremony *c, enum message_kind kind);
void ceremony_boot(struct ceremony *c);
void ceremony_provision(struct ceremony *c); // boots, and gives it two shares

// A share as a member's client posts it: plaintext sealed to the setup key, with an approval.
struct bytes ceremony_seal(struct ceremony *c, struct bytes plaintext);
struct bytes ceremony_share(const struct ceremony *c, size_t index);
struct message ceremony_post(struct ceremony *c, size_t person, struct bytes plaintext);
struct message ceremony_post_bound(struct ceremony *c, size_t person, struct bytes plaintext);

// The document is genuine, of this enclave's TEE and manifest, and commits to the public key of this entry.
void assert_document(struct ceremony *c, struct bytes document, enum commitment which,
                     uint32_t key);
// Verified against the TEE's own root at its own time.
void ceremony_claims(struct ceremony *c, struct bytes document, struct claims *out);

void assert_phase(struct ceremony *c, enum phase expected);
void assert_error(const struct message *reply, enum protocol_error_kind expected);
void assert_reconstructed(const struct message *reply, bool expected);

// Names, modes and contents of everything in the folder but the TEE's own.
void ceremony_snapshot(struct ceremony *c, struct buf *out);
bool ceremony_file_exists(const struct ceremony *c, enum published_file which);
struct bytes ceremony_read(struct ceremony *c, enum published_file which);
// The hex text of a pair's seed.
struct bytes ceremony_seed_text(struct ceremony *c, const struct p256_pair *pair);

#endif
