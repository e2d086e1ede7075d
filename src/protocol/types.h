// The types of QuorumOS that cross a wire or go to a file (qos-wire 4.2 to 4.4), as C structs, and
// their descriptions for the codecs. Versions of the manifest are separate descriptions over one
// struct.
#ifndef QUORATE_PROTOCOL_TYPES_H
#define QUORATE_PROTOCOL_TYPES_H

#include "codec/describe.h"
#include "crypto/hash.h"

struct namespace
{
    struct bytes name;
    uint32_t nonce;
    struct bytes quorum_key; // P256_PUBLIC_SIZE bytes in practice
};

enum restart_policy { RESTART_NEVER, RESTART_ALWAYS };

struct restart {
    uint32_t tag; // enum restart_policy
};

enum bridge_kind { BRIDGE_SERVER, BRIDGE_CLIENT };

struct bridge_server {
    uint16_t port;
    struct bytes host;
};
struct bridge_client {
    uint16_t port;
    struct bytes host; // optional
};
struct bridge {
    uint32_t tag; // enum bridge_kind
    union {
        struct bridge_server server;
        struct bridge_client client;
    };
};

struct env_var {
    struct bytes name, value;
};

#define ENV_MAX_VARS 512
#define ENV_MAX_NAME 1024
#define ENV_MAX_VALUE 65536

struct pivot_config {
    uint8_t hash[SHA256_SIZE];
    struct restart restart;
    LIST_OF(struct bridge) bridges; // v1, v2
    bool debug_mode;                // v1, v2
    LIST_OF(struct bytes) args;
    LIST_OF(struct env_var) env; // v2; sorted by name
};

struct member {
    struct bytes alias;
    struct bytes pub_key; // P256_PUBLIC_SIZE bytes in practice
};

struct member_set { // manifest set and share set
    uint32_t threshold;
    LIST_OF(struct member) members;
};

struct member_key {
    struct bytes pub_key;
};
struct patch_set {
    uint32_t threshold;
    LIST_OF(struct member_key) members;
};

struct nitro_config {
    struct bytes pcr0, pcr1, pcr2, pcr3;
    struct bytes
        root_certificate; // "awsRootCertificate": DER of the root that attestation must chain to
    struct bytes qos_commit;
};

struct dns_config {
    LIST_OF(struct bytes) resolvers; // as text, normalised (RFC 5952 style)
};

enum manifest_version { MANIFEST_V0, MANIFEST_V1, MANIFEST_V2 };

struct manifest {
    enum manifest_version version;
    struct bytes version_text; // v2: "v2"
    struct namespace namespace;
    struct pivot_config pivot;
    struct member_set manifest_set;
    struct member_set share_set;
    struct nitro_config enclave;
    struct patch_set patch_set; // v0, v1
    struct dns_config *dns;     // v2, optional
};

struct approval {
    struct bytes signature;
    struct member member;
};

struct manifest_envelope {
    struct manifest manifest;
    LIST_OF(struct approval) manifest_set_approvals;
    LIST_OF(struct approval) share_set_approvals;
};

struct genesis_set {
    LIST_OF(struct member) members;
    uint32_t threshold;
};

struct genesis_member_output {
    struct member share_set_member;
    struct bytes encrypted_share;
    uint8_t share_hash[SHA512_SIZE]; // of the plaintext share
};

struct member_shard {
    struct member member;
    struct bytes shard;
};
typedef LIST_OF(struct member_shard) recovered_permutation;

struct genesis_output {
    struct genesis_set set;
    struct bytes dr_key; // optional
    struct bytes quorum_key;
    LIST_OF(struct genesis_member_output) member_outputs;
    LIST_OF(recovered_permutation) recovery_permutations;
    struct bytes dr_key_wrapped_quorum_key; // optional
    uint8_t quorum_key_hash[SHA512_SIZE];
    struct bytes test_message_ciphertext, test_message_signature, test_message;
};

// Resharing (protocol/reshare.h): a new share set for a quorum key, or a new key after a compromise.
struct share_hash { // SHA-512 of a plaintext share, as the genesis output publishes it
    uint8_t bytes[SHA512_SIZE];
};
struct reshare_plan {
    struct bytes format; // RESHARE_PLAN_FORMAT
    struct bytes namespace;
    uint64_t epoch;                // of the new shares: 1 after the genesis
    uint8_t previous[SHA256_SIZE]; // hash of the genesis output, or of the reshare output before
    struct bytes quorum_key;       // whose shares the old share set holds
    struct member_set old_share_set;
    LIST_OF(struct share_hash) old_share_hashes; // one per member of the old share set
    struct member_set new_share_set, manifest_set;
    struct nitro_config enclave;
    bool new_key;        // the new shares are of a new quorum key
    struct bytes dr_key; // optional
};
struct reshare_handover { // signatures over reshare_handover_message()
    struct bytes by_old, by_new;
};
struct reshare_output {
    struct bytes format; // RESHARE_OUTPUT_FORMAT
    struct reshare_plan plan;
    LIST_OF(struct approval) manifest_approvals;
    LIST_OF(struct approval) share_approvals;
    struct genesis_output shares;      // as a genesis gives them to the new share set
    struct reshare_handover *handover; // exactly when there is a new key
};

struct encrypted_quorum_key {
    struct bytes encrypted_quorum_key, signature;
};

enum nsm_digest { NSM_SHA256, NSM_SHA384, NSM_SHA512 };
enum nsm_error {
    NSM_SUCCESS,
    NSM_INVALID_ARGUMENT,
    NSM_INVALID_INDEX,
    NSM_INVALID_RESPONSE,
    NSM_READ_ONLY_INDEX,
    NSM_INVALID_OPERATION,
    NSM_BUFFER_TOO_SMALL,
    NSM_INPUT_TOO_LARGE,
    NSM_INTERNAL_ERROR,
};
struct unit { // a value with variants that carry nothing
    uint32_t tag;
};

enum nsm_response_kind {
    NSM_DESCRIBE_PCR,
    NSM_EXTEND_PCR,
    NSM_LOCK_PCR,
    NSM_LOCK_PCRS,
    NSM_DESCRIBE_NSM,
    NSM_ATTESTATION,
    NSM_GET_RANDOM,
    NSM_ERROR,
};
struct nsm_describe_pcr {
    bool lock;
    struct bytes data;
};
struct nsm_data {
    struct bytes data;
};
struct nsm_describe {
    uint16_t version_major, version_minor, version_patch;
    struct bytes module_id;
    uint16_t max_pcrs;
    LIST_OF(uint16_t) locked_pcrs;
    struct unit digest; // enum nsm_digest
};
struct nsm_response {
    uint32_t tag; // enum nsm_response_kind
    union {
        struct nsm_describe_pcr describe_pcr;
        struct nsm_data extend_pcr;
        struct nsm_describe describe_nsm;
        struct nsm_data attestation; // field "document"
        struct nsm_data get_random;  // field "random"
        struct unit error;           // enum nsm_error
    };
};

enum phase {
    PHASE_UNRECOVERABLE_ERROR,
    PHASE_WAITING_FOR_BOOT_INSTRUCTION,
    PHASE_GENESIS_BOOTED,
    PHASE_WAITING_FOR_QUORUM_SHARDS,
    PHASE_QUORUM_KEY_PROVISIONED,
    PHASE_WAITING_FOR_FORWARDED_KEY,
    // Of TEE instances alone; to QuorumOS's clients it is QuorumKeyProvisioned (renclave 8.2 C11).
    PHASE_APPLICATION_READY,
};
#define PHASE_COUNT 6 // of QuorumOS
#define PHASE_COUNT_ALL 7

// P256Error on the wire; the numbers are enum p256_error (crypto/p256.h). QosHex and IOError carry
// text.
struct p256_error_value {
    uint32_t tag;
    struct bytes text;
};

// ProtocolError (qos-wire 4.4). The numbers are the Borsh indices.
enum protocol_error_kind {
    PE_INVALID_SHARE,
    PE_RECONSTRUCTION_EMPTY_SECRET,
    PE_RECONSTRUCTION_INCORRECT_PUB_KEY,
    PE_IO_ERROR,
    PE_INVALID_MANIFEST_APPROVAL,
    PE_NOT_ENOUGH_APPROVALS,
    PE_NO_MATCHING_ROUTE,
    PE_INVALID_PIVOT_HASH,
    PE_OVERSIZE_MSG,
    PE_INVALID_MSG,
    PE_ENCLAVE_CLIENT,
    PE_DECRYPTION_FAILED,
    PE_INVALID_PRIVATE_KEY,
    PE_FAILED_TO_PARSE_FROM_STRING,
    PE_BAD_EPHEMERAL_KEY_PATH,
    PE_CANNOT_MODIFY_POST_PIVOT_STATIC,
    PE_FAILED_TO_GET_EPHEMERAL_KEY,
    PE_FAILED_TO_PUT_EPHEMERAL_KEY,
    PE_CANNOT_ROTATE_NON_EXISTENT_EPHEMERAL_KEY,
    PE_CANNOT_DELETE_EPHEMERAL_KEY,
    PE_FAILED_TO_GET_QUORUM_KEY,
    PE_FAILED_TO_PUT_QUORUM_KEY,
    PE_FAILED_TO_GET_MANIFEST_ENVELOPE,
    PE_FAILED_TO_PUT_MANIFEST_ENVELOPE,
    PE_FAILED_TO_PUT_PIVOT,
    PE_APP_CLIENT_RECV_TIMEOUT,
    PE_APP_CLIENT_RECV_INTERRUPTED,
    PE_APP_CLIENT_RECV_CONNECTION_CLOSED,
    PE_APP_CLIENT_CONNECT_ERROR,
    PE_APP_CLIENT_SEND_ERROR,
    PE_APP_CLIENT_ERROR,
    PE_OVERSIZED_PAYLOAD,
    PE_PROTOCOL_MSG_DESERIALIZATION,
    PE_BAD_SHARE_SET_APPROVALS,
    PE_COULD_NOT_VERIFY_APPROVAL,
    PE_NOT_SHARE_SET_MEMBER,
    PE_NOT_MANIFEST_SET_MEMBER,
    PE_P256_ERROR,
    PE_INVALID_P256_DR_KEY,
    PE_INCORRECT_SECRET_LEN,
    PE_QOS_ATTEST_ERROR,
    PE_DIFFERENT_QUORUM_KEY,
    PE_DIFFERENT_MANIFEST_SET,
    PE_DIFFERENT_NAMESPACE_NAME,
    PE_LOW_NONCE,
    PE_DIFFERENT_PCR3,
    PE_MISSING_EPHEMERAL_KEY,
    PE_INVALID_EPHEMERAL_KEY,
    PE_INVALID_ENCRYPTED_QUORUM_KEY_SIGNATURE,
    PE_ENCRYPTED_QUORUM_KEY_INVALID_LEN,
    PE_INVALID_QUORUM_SECRET,
    PE_WRONG_QUORUM_KEY,
    PE_INVALID_STATE_TRANSITION,
    PE_DUPLICATE_APPROVAL,
    PE_DIFFERENT_MANIFEST,
    PE_QOS_CRYPTO,
    PE_POOL_EXPAND_ERROR,
    PE_INVALID_PIVOT_ENV,
    PE_MISSING_LIVE_EPHEMERAL_KEY,
    PE_DUPLICATE_QUORUM_MEMBER,
    PE_LEGACY_GENESIS_NOT_SUPPORTED,
};
#define PE_COUNT 61

struct difference { // {expected, actual} of text
    struct bytes expected, actual;
};
struct low_nonce {
    uint32_t expected, actual;
};
struct phase_pair {
    struct unit from, to; // enum phase
};
struct protocol_error {
    uint32_t tag; // enum protocol_error_kind
    union {
        struct approval approval;     // InvalidManifestApproval
        struct unit phase;            // NoMatchingRoute
        struct difference difference; // InvalidPivotHash, Different...
        struct p256_error_value p256; // P256Error, InvalidP256DRKey, FailedToGet...Key
        struct bytes text; // QosAttestError, QosCrypto, AppClient..., InvalidPivotEnv, ...
        struct low_nonce low_nonce;
        struct phase_pair transition;
    };
};

// ProtocolMsg (qos-wire 4.3). The numbers are the Borsh indices.
enum message_kind {
    MSG_PROTOCOL_ERROR_RESPONSE,
    MSG_STATUS_REQUEST,
    MSG_STATUS_RESPONSE,
    MSG_BOOT_STANDARD_REQUEST,
    MSG_BOOT_STANDARD_RESPONSE,
    MSG_BOOT_GENESIS_REQUEST,
    MSG_BOOT_GENESIS_RESPONSE,
    MSG_PROVISION_REQUEST,
    MSG_PROVISION_RESPONSE,
    MSG_PROXY_REQUEST,
    MSG_PROXY_RESPONSE,
    MSG_LIVE_ATTESTATION_DOC_REQUEST,
    MSG_LIVE_ATTESTATION_DOC_RESPONSE,
    MSG_BOOT_KEY_FORWARD_REQUEST,
    MSG_BOOT_KEY_FORWARD_RESPONSE,
    MSG_EXPORT_KEY_REQUEST,
    MSG_EXPORT_KEY_RESPONSE,
    MSG_INJECT_KEY_REQUEST,
    MSG_INJECT_KEY_RESPONSE,
    MSG_MANIFEST_ENVELOPE_REQUEST,
    MSG_MANIFEST_ENVELOPE_RESPONSE,
    MSG_VERSION_REQUEST,
    MSG_VERSION_RESPONSE,
    MSG_BOOT_STANDARD_JSON_ENVELOPE_REQUEST,
    // Ours: JSON only, indices from 128 (design: "Our own messages").
    MSG_QUORATE_BOUND_PROVISION_REQUEST = 128,
    MSG_QUORATE_STATE_REQUEST,
    MSG_QUORATE_STATE_RESPONSE,
    MSG_QUORATE_RESHARE_BOOT_REQUEST = 140,
    MSG_QUORATE_RESHARE_BOOT_RESPONSE,
    MSG_QUORATE_RESHARE_ATTESTATION_REQUEST,
    MSG_QUORATE_RESHARE_ATTESTATION_RESPONSE,
    MSG_QUORATE_RESHARE_SHARE_REQUEST,
    MSG_QUORATE_RESHARE_SHARE_RESPONSE,
    MSG_QUORATE_RESHARE_OUTPUT_REQUEST,
    MSG_QUORATE_RESHARE_OUTPUT_RESPONSE,
    MSG_QUORATE_API_REQUEST = 150,
    MSG_QUORATE_API_RESPONSE,
};

struct boot_request { // boot standard (3 and 23), boot key forward
    struct manifest_envelope manifest_envelope;
    struct bytes pivot;
};
struct nsm_reply {
    struct nsm_response nsm_response;
};
struct genesis_request {
    struct genesis_set set;
    struct bytes dr_key; // optional
};
struct genesis_reply {
    struct nsm_response nsm_response;
    struct genesis_output genesis_output;
};
struct provision_request {
    struct bytes share; // asymmetric envelope to the setup key
    struct approval approval;
};
struct provision_reply {
    bool reconstructed;
};
// quorateBoundProvisionRequest: a provision request whose sender also signs the ciphertext.
struct bound_provision_request {
    struct bytes share;
    struct approval approval;
    struct bytes binding; // signature over share_binding_message(), see protocol/share.h
};
struct proxy_data {
    struct bytes data;
};
struct live_attestation_reply {
    struct nsm_response nsm_response;
    struct manifest_envelope *manifest_envelope; // optional
};
struct export_key_request {
    struct manifest_envelope manifest_envelope;
    struct bytes cose_sign1_attestation_doc;
};
struct manifest_envelope_reply {
    struct manifest_envelope *manifest_envelope; // optional
};
struct version_reply {
    struct bytes version, commit;
};
// quorateStateResponse: what the host adds to enclave-info.
struct state_reply {
    struct unit phase;
    bool pivot_running;
    struct bytes tee;       // "nitro", "snp", "sim"
    uint32_t shares_held;   // distinct shares posted so far
    uint32_t shares_needed; // threshold of the share set; 0 before boot and for a forwarded key
};

struct reshare_boot_request {
    struct reshare_plan plan;
    LIST_OF(struct approval) approvals; // of the manifest set
};
struct reshare_share_reply {
    bool complete; // the new shares are made: the output can be fetched
};
struct reshare_output_reply {
    struct nsm_response nsm_response;
    struct reshare_output output;
};

// A request of the REST API as the host got it, which decides nothing about it (protocol/instance.h).
struct api_request {
    struct bytes method, path;  // "POST", "/enclave/genesis-boot"
    struct bytes query;         // without '?'; empty: none
    struct bytes authorization; // the header's value; empty: none
    struct bytes request_id;
    struct bytes body;
};
struct api_response {
    uint32_t status;   // of HTTP
    struct bytes body; // JSON
};

struct message {
    uint32_t tag; // enum message_kind
    union {
        struct protocol_error error;
        struct unit status; // enum phase
        struct boot_request boot;
        struct nsm_reply nsm;
        struct genesis_request genesis;
        struct genesis_reply genesis_reply;
        struct provision_request provision;
        struct provision_reply provision_reply;
        struct bound_provision_request bound_provision;
        struct proxy_data proxy;
        struct live_attestation_reply live_attestation;
        struct export_key_request export_key;
        struct encrypted_quorum_key encrypted_key;
        struct manifest_envelope_reply envelope;
        struct version_reply version;
        struct state_reply state;
        struct reshare_boot_request reshare_boot;
        struct bound_provision_request reshare_share; // the approval is one of the share set's role
        struct reshare_share_reply reshare_share_reply;
        struct reshare_output_reply reshare_output;
        struct api_request api_request;
        struct api_response api_response;
    };
};

// Descriptions. The version-dispatching ones (type_manifest, type_manifest_envelope) carry hooks.
extern const struct type type_namespace, type_restart, type_bridge, type_pivot_config_v0,
    type_pivot_config_v1, type_pivot_config_v2, type_member, type_member_set, type_patch_set,
    type_nitro_config, type_dns_config, type_manifest_v0, type_manifest_v1, type_manifest_v2,
    type_manifest, type_env, type_approval, type_envelope_v0, type_envelope_v1, type_envelope_v2,
    type_manifest_envelope, type_genesis_set, type_genesis_member_output, type_genesis_output,
    type_encrypted_quorum_key, type_nsm_response, type_phase, type_p256_error, type_protocol_error,
    type_message;
extern const struct type type_reshare_plan, type_reshare_output, type_reshare_boot_request,
    type_bound_provision_request;

enum phase phase_on_wire(enum phase p);                      // as QuorumOS's messages have it
const char *phase_name(enum phase p);                        // "WaitingForBootInstruction"
const char *protocol_error_name(enum protocol_error_kind k); // "NotEnoughApprovals"

#endif
