// One request being answered, and the handlers. A handler stages (pure over state and message), answers (the
// reply is encoded: what cannot be said must not happen), commits, publishes; when it fails before it
// commits, nothing has changed (design "State changes in one place").
#ifndef QUORATE_ENCLAVE_HANDLERS_H
#define QUORATE_ENCLAVE_HANDLERS_H

#include "enclave/state.h"
#include "protocol/refuse.h"

struct exchange {
    const struct message *request;
    enum encoding encoding;    // of the request, and so of the reply
    struct arena *arena;       // of this message
    struct buf *reply;         // encoded by answer()
    struct protocol_error why; // set by whoever refuses (Q_REFUSED)
    bool reply_in_json;        // the reply had no form in the request's encoding
};

// Encodes the reply. Q_REFUSED InvalidMsg, to be sent in JSON, when it has no form in this encoding.
enum q_err answer(struct exchange *x, const struct message *reply);

// Refusals with text for a payload: QosAttestError and the like, from the sentence recorded last.
enum q_err refuse_with_cause(struct exchange *x, enum protocol_error_kind kind);
enum q_err refuse_recorded(struct arena *a, struct protocol_error *why,
                           enum protocol_error_kind kind);

// The pair is the quorum key of our own manifest, from another enclave: signed by itself, sealed to our setup key. Both
// API families take a key so.
enum q_err open_forwarded_key(const struct enclave *e, const struct encrypted_quorum_key *in,
                              struct protocol_error *why, struct p256_pair **out);
// Which key a live attestation is about: the setup key until the quorum key is there, then the live key. NULL: none yet.
const struct p256_public *attested_key(const struct enclave *e);

enum q_err handle_status(struct enclave *e, struct exchange *x);
enum q_err handle_version(struct enclave *e, struct exchange *x);
enum q_err handle_manifest_envelope(struct enclave *e, struct exchange *x);
enum q_err handle_live_attestation(struct enclave *e, struct exchange *x);
enum q_err handle_state(struct enclave *e, struct exchange *x);
enum q_err handle_genesis(struct enclave *e, struct exchange *x);
enum q_err handle_boot_standard(struct enclave *e, struct exchange *x);
enum q_err handle_provision(struct enclave *e, struct exchange *x);
enum q_err handle_bound_provision(struct enclave *e, struct exchange *x);
enum q_err handle_boot_key_forward(struct enclave *e, struct exchange *x);
enum q_err handle_export_key(struct enclave *e, struct exchange *x);
enum q_err handle_inject_key(struct enclave *e, struct exchange *x);
enum q_err handle_reshare_boot(struct enclave *e, struct exchange *x);
enum q_err handle_reshare_attestation(struct enclave *e, struct exchange *x);
enum q_err handle_reshare_share(struct enclave *e, struct exchange *x);
enum q_err handle_reshare_output(struct enclave *e, struct exchange *x);
enum q_err handle_api(struct enclave *e, struct exchange *x);

#endif
