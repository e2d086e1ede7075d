// The REST API of TEE instances (renclave 1): its operations, and the bodies of its requests and answers as C
// structs, described once for whoever serves and whoever calls it. Bytes are JSON arrays of integers; names are
// the original's; members that only we have are marked "ours".
#ifndef QUORATE_PROTOCOL_INSTANCE_H
#define QUORATE_PROTOCOL_INSTANCE_H

#include "crypto/p256.h"
#include "protocol/types.h"

// What an envelope to the quorum key was made for, bound into it: opened for something else it does not open
// (renclave 8.2 C2, 9 finding 11).
#define API_PURPOSE_SEED "quorate-seed-v1"
#define API_PURPOSE_ENTROPY "quorate-entropy-v1"
#define API_PURPOSE_PRIVATE_KEY "quorate-private-key-v1"
#define API_PURPOSE_DATA "quorate-data-v1"
#define API_PURPOSE_STORED_DATA "quorate-stored-data-v1" // files of store-data

// What the quorum key signs for a client: one of these, a zero byte, the client's bytes. The key also signs what the
// protocol says (hashes of manifests, envelopes of forwarded keys, an instance's state, files of stored data); none of
// that begins so, and none of this can be shown as that: an envelope has 04 where these have a letter (its 13th byte), a
// hash is shorter or a fixed point.
#define API_DOMAIN_MESSAGE "quorate-message-v1"
#define API_DOMAIN_TRANSACTION "quorate-transaction-v1"
#define API_DOMAIN_ANSWER "quorate-answer-v1" // the first line of what it signs of an answer

// What the enclave answers (renclave 1.2). /health, /info, /network/... are the host's own.
enum api_operation {
    API_ENCLAVE_INFO,
    API_GENERATE_SEED,
    API_VALIDATE_SEED,
    API_DERIVE_KEY,
    API_DERIVE_ADDRESS,
    API_GENESIS_BOOT,
    API_INJECT_SHARES,
    API_ENCRYPT_DATA,
    API_DECRYPT_DATA,
    API_SIGN_TRANSACTION,
    API_SIGN_MESSAGE,
    API_APPLICATION_STATUS,
    API_STORE_DATA,
    API_GET_DATA,
    API_RESET,
    API_BOOT_KEY_FORWARD,
    API_EXPORT_KEY,
    API_INJECT_KEY,
    API_GENERATE_ATTESTATION,
    API_SHARE_MANIFEST,
    API_ATTESTATION_STATE, // GET /enclave/generate-attestation (renclave 3.4)
    API_MANIFEST_STATE,    // GET /enclave/share-manifest
};
#define API_OPERATION_COUNT 22

// Arrays of numbers make many values: a genesis of 255 members of 130 bytes in both sets, and room.
#define API_MAX_VALUES ((size_t)262144)
#define API_BODY_MAX ((size_t)2 << 20)

struct api_member {
    struct bytes alias;
    struct bytes member_alias; // read in place of alias
    struct bytes pub_key;      // P256_POINT_SIZE or P256_PUBLIC_SIZE bytes
};
typedef LIST_OF(struct api_member) api_member_list;
struct api_member_set {
    uint32_t threshold;
    api_member_list members;
};

struct api_namespace {
    uint64_t nonce; // the original's is 64 bits wide; more than 32 are refused (8.2 C3)
    struct bytes name, quorum_key;
};
struct api_nitro_config {
    struct bytes pcr0, pcr1, pcr2, pcr3, aws_root_certificate, qos_commit;
};
struct api_pivot {
    struct bytes hash, restart; // "Always", "Never", "OnFailure"
    LIST_OF(struct bytes) args;
};
struct api_manifest {
    struct api_namespace namespace;
    struct api_nitro_config enclave;
    struct api_pivot pivot;
    struct api_member_set manifest_set, share_set;
};
struct api_approval {
    struct bytes signature;
    struct api_member member;
};
typedef LIST_OF(struct api_approval) api_approval_list;
struct api_manifest_envelope {
    struct api_manifest manifest;
    api_approval_list manifest_set_approvals, share_set_approvals;
    struct bytes quorum_key_signature; // ours, optional: over the manifest's hash (3.2)
};

// genesis-boot
struct api_parameters_pivot {
    struct bytes hash;
    LIST_OF(struct bytes) args;
};
struct api_genesis_parameters { // the documented form (1.4), read when the flat one is not there
    struct bytes namespace_name;
    uint64_t *namespace_nonce;
    struct api_parameters_pivot *pivot;
    api_member_list manifest_members, share_members;
    uint32_t *threshold, *manifest_threshold, *share_threshold;
    struct bytes dr_key;
};
struct api_genesis_request {
    struct bytes namespace_name;
    uint64_t *namespace_nonce;
    api_member_list manifest_members, share_members;
    uint32_t *manifest_threshold, *share_threshold;
    struct bytes pivot_hash;
    LIST_OF(struct bytes) pivot_args;
    struct bytes dr_key; // optional
    struct api_genesis_parameters *parameters;
};
struct api_encrypted_share {
    struct api_member share_set_member;
    struct bytes encrypted_quorum_key_share, share_hash;
};
struct api_genesis_reply {
    struct bytes quorum_public_key, ephemeral_key; // the setup key (3.5)
    struct api_manifest_envelope manifest_envelope;
    struct bytes waiting_state; // "GenesisBooted"
    LIST_OF(struct api_encrypted_share) encrypted_shares;
    // Ours.
    struct bytes manifest_hash; // hex
    struct bytes attestation_doc, genesis_attestation_doc;
    struct bytes dr_key_wrapped_quorum_key; // optional
    struct bytes quorum_key_hash;
    struct bytes test_message, test_message_signature, test_message_ciphertext;
    struct bytes share_mode; // see api_share_mode
};

// inject-shares
struct api_share {
    struct bytes member_alias, decrypted_share;
    struct api_approval *approval; // ours, optional, with form E
};
struct api_inject_request {
    struct bytes namespace_name;
    uint64_t namespace_nonce;
    LIST_OF(struct api_share) shares;
};
struct api_inject_reply {
    struct bytes reconstructed_quorum_key;
    bool success;
    // Ours.
    uint32_t shares_received, threshold;
    struct bytes share_mode;
};

// TEE to TEE
struct api_share_manifest_request {
    struct api_manifest_envelope *manifest_envelope;
};
struct api_boot_key_forward_request {
    struct api_manifest_envelope *manifest_envelope;
    struct bytes pivot;
};
struct api_attestation_request {
    struct bytes manifest_hash, pcr0, pcr1, pcr2, pcr3;
    struct bytes nonce; // ours
};
struct api_export_request {
    struct api_manifest_envelope *manifest_envelope;
    struct bytes attestation_doc;
};
struct api_inject_key_request {
    struct bytes encrypted_quorum_key, signature;
};
// Their answers: {"id", "result": {"<variant>": one of these}}; what only succeeds is struct api_success_reply.
struct api_attestation_reply { // GenerateAttestationResponse
    struct bytes attestation_doc;
};
struct api_document {
    struct bytes document;
};
struct api_nsm_response {
    struct api_document attestation; // "Attestation"
};
struct api_boot_key_forward_reply { // BootKeyForwardResponse
    struct api_nsm_response nsm_response;
};
struct api_export_reply { // ExportKeyResponse; also what inject-key takes
    struct bytes encrypted_quorum_key, signature;
};
struct api_no_attestation_reply {         // GET generate-attestation without a manifest
    struct api_attestation_reply *result; // null
    struct bytes phase;
};
struct api_manifest_state_reply { // GET share-manifest
    bool manifest_shared;
    struct bytes manifest_hash; // hex, null
    struct bytes phase;
};

// Seeds and what is built on them
struct api_generate_seed_request {
    uint32_t *strength;
    struct bytes passphrase;
};
struct api_generate_seed_reply {
    struct bytes seed_phrase, entropy; // hex of envelopes
    uint32_t strength, word_count;
};
struct api_validate_seed_request {
    struct bytes seed_phrase, encrypted_entropy;
};
struct api_validate_seed_reply {
    bool valid;
    uint64_t word_count;
    bool *entropy_match;          // null
    struct bytes derived_entropy; // null
};
struct api_derive_request {
    struct bytes encrypted_seed_phrase, path, curve;
};
struct api_derive_key_reply {
    struct bytes private_key, public_key, address, path, curve;
    struct bytes effective_path; // ours
};
struct api_derive_address_reply {
    struct bytes address, path, curve;
    struct bytes effective_path; // ours
};
struct api_encrypt_request {
    struct bytes data, recipient_public; // empty: the quorum key
};
struct api_encrypt_reply {
    bool success;
    struct bytes encrypted_data;
};
struct api_decrypt_request {
    struct bytes encrypted_data;
};
struct api_decrypt_reply {
    bool success;
    struct bytes decrypted_data;
};
// Ours, all optional: with a seed the derived key signs, else the quorum key.
struct api_signer {
    struct bytes encrypted_seed_phrase, path, curve;
};
struct api_sign_transaction_request {
    struct bytes transaction_data;
    struct api_signer *signer;
};
struct api_sign_message_request {
    struct bytes message;
    struct api_signer *signer;
};
struct api_sign_transaction_reply {
    bool success;
    struct bytes signature; // DER (Ed25519: 64 bytes)
    uint32_t recovery_id;
    struct bytes public_key, algorithm; // ours
};
struct api_sign_message_reply {
    bool success;
    struct bytes signature;
    struct bytes public_key, algorithm; // ours
};
struct api_metadata {
    struct bytes name, version;
    uint64_t last_updated, operation_count;
};
struct api_status_reply {
    bool success;
    struct bytes phase;
    bool has_quorum_key;
    uint64_t data_count;
    struct api_metadata metadata;
    // Ours.
    struct bytes tee;
    bool simulated;
    struct bytes share_mode;
    struct bytes namespace_name;
    uint64_t *namespace_nonce;
    struct bytes manifest_hash; // hex; these four absent without a manifest
    uint32_t threshold, manifest_threshold;
    LIST_OF(struct bytes) members, manifest_members, shares_received, manifest_approved_by;
    LIST_OF(struct bytes) warnings;
    struct api_measurements {
        struct bytes pcr0, pcr1, pcr2, pcr3; // hex
    } measurements;
};
struct api_store_request {
    struct bytes key, data;
};
struct api_store_reply {
    bool success;
};
struct api_get_data_reply {
    bool success;
    struct bytes data; // null
};
struct api_info_reply { // /enclave/info
    bool healthy;
    struct bytes version, enclave_id;
    LIST_OF(struct bytes) capabilities;
    // Ours.
    struct bytes phase, tee;
    bool simulated;
};
struct
    api_sealed_reply { // in place of an answer with plaintext: an envelope to the request's reply key
    struct bytes sealed;
};
struct api_success_reply {
    bool success;
    struct bytes message; // optional
};
struct api_error {
    struct bytes error;
    uint32_t code;
    struct bytes request_id; // null
};

extern const struct type type_api_manifest_envelope, type_api_genesis_request,
    type_api_genesis_reply, type_api_inject_request, type_api_inject_reply,
    type_api_share_manifest_request, type_api_boot_key_forward_request,
    type_api_attestation_request, type_api_export_request, type_api_inject_key_request,
    type_api_attestation_reply, type_api_boot_key_forward_reply, type_api_export_reply,
    type_api_no_attestation_reply, type_api_manifest_state_reply, type_api_generate_seed_request,
    type_api_generate_seed_reply, type_api_validate_seed_request, type_api_validate_seed_reply,
    type_api_derive_request, type_api_derive_key_reply, type_api_derive_address_reply,
    type_api_encrypt_request, type_api_encrypt_reply, type_api_decrypt_request,
    type_api_decrypt_reply, type_api_sign_transaction_request, type_api_sign_message_request,
    type_api_sign_transaction_reply, type_api_sign_message_reply, type_api_status_reply,
    type_api_store_request, type_api_store_reply, type_api_get_data_reply, type_api_info_reply,
    type_api_sealed_reply, type_api_success_reply, type_api_error;

// The manifest of an envelope as both API families hash it: version 1, keys in their long form (8.2 C4). Refuses
// a nonce beyond 32 bits, a restart policy of another name, a hash of another length, keys that are none. Views
// stay those of the envelope; keys live in the arena.
enum q_err api_manifest_to_core(const struct api_manifest_envelope *in, struct arena *a,
                                struct manifest_envelope *out);
// The way back; Q_UNSUPPORTED for what this API has no words for (bridges, environment, debug mode, resolvers,
// patch set), because the hash would not survive it.
enum q_err api_manifest_from_core(const struct manifest_envelope *in, struct arena *a,
                                  struct api_manifest_envelope *out);

// The pieces of it, for the requests that bring no whole manifest.
enum q_err api_member_to_core(const struct api_member *in, struct arena *a, struct member *out);
// what names the list in errors; the threshold is the caller's.
enum q_err api_members_to_core(const char *what, const api_member_list *in, struct arena *a,
                               struct member_set *out);
enum q_err api_nonce_to_core(uint64_t nonce, uint32_t *out);
enum q_err api_hash_to_core(struct bytes hash, uint8_t out[static SHA256_SIZE]);
enum q_err api_member_from_core(const struct member *in, struct arena *a, struct api_member *out);
enum q_err api_key_from_core(struct bytes key, struct arena *a, struct bytes *out);

// Who answers: what the quorum key signs of an answer to a signed request. Four lines without an end of line behind the
// last: API_DOMAIN_ANSWER, hex of the SHA-256 of what the request signed, the status, hex of the SHA-256 of the answer
// as it is without its signature.
enum q_err api_answer_message(const uint8_t request_hash[static SHA256_SIZE], unsigned status,
                              struct bytes answer, struct buf *out);
// Makes the signature the last member, "answer_signature", of an answer that is an object with members.
enum q_err api_answer_attach(struct bytes signature, struct buf *answer);
// What a caller signs of a request (docs/instance-auth.md): seven lines. nonce and reply_key are as the header has them;
// reply_key empty: none.
enum q_err api_signed_text(const struct api_request *r, struct bytes enclave_id, struct bytes nonce,
                           struct bytes reply_key, struct buf *out);

// The answer as it came, to a request that signed signed_text: Q_CRYPTO when its signature is missing or wrong.
enum q_err api_answer_verify(const struct p256_public *quorum_key, struct bytes signed_text,
                             unsigned status, struct bytes answer);

#endif
