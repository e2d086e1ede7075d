// What the TEE-to-TEE routes of the REST API share (renclave 3.2).
#ifndef QUORATE_ENCLAVE_API_FORWARD_H
#define QUORATE_ENCLAVE_API_FORWARD_H

#include "enclave/instance/api.h"

// The manifest envelope of a request in the core's form; in == NULL: the request has none (400).
enum q_err api_read_envelope(struct api_call *c, const struct api_manifest_envelope *in,
                             struct manifest_envelope *out);
// Our TEE's document over the booted manifest's hash and the key that attested_key names. nonce: p == NULL for none.
enum q_err attest_booted(struct enclave *e, struct bytes nonce, struct buf *document);
// Whether an instance may boot a manifest that was not made here and now: its word (custody/policy_manifest.h), the
// keys in its pivot's arguments, our platform. signature: the quorum key's over its hash, absent for none.
enum q_err instance_check_manifest(const struct enclave *e,
                                   const struct manifest_envelope *envelope, struct bytes signature,
                                   struct protocol_error *why);
// The file of --pinned-quorum-key, if there is one: a public key of 130 or 260 hex characters.
enum q_err instance_pin_read(struct enclave *e);

enum q_err api_share_manifest(struct enclave *e, struct api_call *c);
enum q_err api_boot_key_forward(struct enclave *e, struct api_call *c);
enum q_err api_manifest_state(struct enclave *e, struct api_call *c);
enum q_err api_generate_attestation(struct enclave *e, struct api_call *c);
enum q_err api_attestation_state(struct enclave *e, struct api_call *c);
enum q_err api_export_key(struct enclave *e, struct api_call *c);
enum q_err api_inject_key(struct enclave *e, struct api_call *c);

#endif
