// The bodies of the REST API, described once (renclave 1.3; see instance.h).
#include "protocol/instance.h"

// Most names and texts of a request. What is longer is not one.
#define NAME_MAX_BYTES 1024

static const struct type type_name = {
    .name = "text", .shape = SHAPE_TEXT, .size = sizeof(struct bytes), .limit = NAME_MAX_BYTES};
static const struct type type_text_list = {LIST("list of texts", &type_text), .limit = 1024};

static const struct field member_fields[] = {
    FIELD_MAYBE(struct api_member, alias, "alias", &type_name),
    FIELD_MAYBE(struct api_member, member_alias, "member_alias", &type_name),
    FIELD(struct api_member, pub_key, "pub_key", &type_byte_array),
};
static const struct type type_api_member = {STRUCT(struct api_member, "member", member_fields)};

static const struct type type_api_member_list = {LIST("members", &type_api_member), .limit = 1024};

static const struct field member_set_fields[] = {
    FIELD(struct api_member_set, threshold, "threshold", &type_u32),
    FIELD(struct api_member_set, members, "members", &type_api_member_list),
};
static const struct type type_api_member_set = {
    STRUCT(struct api_member_set, "member set", member_set_fields)};

static const struct field namespace_fields[] = {
    FIELD(struct api_namespace, nonce, "nonce", &type_u64),
    FIELD(struct api_namespace, name, "name", &type_name),
    FIELD(struct api_namespace, quorum_key, "quorum_key", &type_byte_array),
};
static const struct type type_api_namespace = {
    STRUCT(struct api_namespace, "namespace", namespace_fields)};

static const struct field nitro_config_fields[] = {
    FIELD(struct api_nitro_config, pcr0, "pcr0", &type_byte_array),
    FIELD(struct api_nitro_config, pcr1, "pcr1", &type_byte_array),
    FIELD(struct api_nitro_config, pcr2, "pcr2", &type_byte_array),
    FIELD(struct api_nitro_config, pcr3, "pcr3", &type_byte_array),
    FIELD(struct api_nitro_config, aws_root_certificate, "aws_root_certificate", &type_byte_array),
    FIELD(struct api_nitro_config, qos_commit, "qos_commit", &type_name),
};
static const struct type type_api_nitro_config = {
    STRUCT(struct api_nitro_config, "enclave", nitro_config_fields)};

static const struct field pivot_fields[] = {
    FIELD(struct api_pivot, hash, "hash", &type_byte_array),
    FIELD(struct api_pivot, restart, "restart", &type_name),
    FIELD(struct api_pivot, args, "args", &type_text_list),
};
static const struct type type_api_pivot = {STRUCT(struct api_pivot, "pivot", pivot_fields)};

static const struct field manifest_fields[] = {
    FIELD(struct api_manifest, namespace, "namespace", &type_api_namespace),
    FIELD(struct api_manifest, enclave, "enclave", &type_api_nitro_config),
    FIELD(struct api_manifest, pivot, "pivot", &type_api_pivot),
    FIELD(struct api_manifest, manifest_set, "manifest_set", &type_api_member_set),
    FIELD(struct api_manifest, share_set, "share_set", &type_api_member_set),
};
static const struct type type_api_manifest = {
    STRUCT(struct api_manifest, "manifest", manifest_fields)};

static const struct field approval_fields[] = {
    FIELD(struct api_approval, signature, "signature", &type_byte_array),
    FIELD(struct api_approval, member, "member", &type_api_member),
};
static const struct type type_api_approval = {
    STRUCT(struct api_approval, "approval", approval_fields)};

static const struct type type_api_approval_list = {LIST("approvals", &type_api_approval),
                                                   .limit = 1024};

static const struct field manifest_envelope_fields[] = {
    FIELD(struct api_manifest_envelope, manifest, "manifest", &type_api_manifest),
    FIELD(struct api_manifest_envelope, manifest_set_approvals, "manifest_set_approvals",
          &type_api_approval_list),
    FIELD(struct api_manifest_envelope, share_set_approvals, "share_set_approvals",
          &type_api_approval_list),
    FIELD_MAYBE(struct api_manifest_envelope, quorum_key_signature, "quorum_key_signature",
                &type_byte_array),
};
const struct type type_api_manifest_envelope = {
    STRUCT(struct api_manifest_envelope, "manifest envelope", manifest_envelope_fields)};

static const struct field parameters_pivot_fields[] = {
    FIELD(struct api_parameters_pivot, hash, "hash", &type_byte_array),
    FIELD_OR_EMPTY(struct api_parameters_pivot, args, "args", &type_text_list),
};
static const struct type type_api_parameters_pivot = {
    STRUCT(struct api_parameters_pivot, "pivot", parameters_pivot_fields)};

static const struct field genesis_parameters_fields[] = {
    FIELD_MAYBE(struct api_genesis_parameters, namespace_name, "namespace_name", &type_name),
    FIELD_MAYBE(struct api_genesis_parameters, namespace_nonce, "namespace_nonce", &type_u64),
    FIELD_MAYBE(struct api_genesis_parameters, pivot, "pivot", &type_api_parameters_pivot),
    FIELD_OR_EMPTY(struct api_genesis_parameters, manifest_members, "manifest_members",
                   &type_api_member_list),
    FIELD_OR_EMPTY(struct api_genesis_parameters, share_members, "share_members",
                   &type_api_member_list),
    FIELD_MAYBE(struct api_genesis_parameters, threshold, "threshold", &type_u32),
    FIELD_MAYBE(struct api_genesis_parameters, manifest_threshold, "manifest_threshold", &type_u32),
    FIELD_MAYBE(struct api_genesis_parameters, share_threshold, "share_threshold", &type_u32),
    FIELD_MAYBE(struct api_genesis_parameters, dr_key, "dr_key", &type_byte_array),
};
static const struct type type_api_genesis_parameters = {
    STRUCT(struct api_genesis_parameters, "parameters", genesis_parameters_fields)};

static const struct field genesis_request_fields[] = {
    FIELD_MAYBE(struct api_genesis_request, namespace_name, "namespace_name", &type_name),
    FIELD_MAYBE(struct api_genesis_request, namespace_nonce, "namespace_nonce", &type_u64),
    FIELD_OR_EMPTY(struct api_genesis_request, manifest_members, "manifest_members",
                   &type_api_member_list),
    FIELD_MAYBE(struct api_genesis_request, manifest_threshold, "manifest_threshold", &type_u32),
    FIELD_OR_EMPTY(struct api_genesis_request, share_members, "share_members",
                   &type_api_member_list),
    FIELD_MAYBE(struct api_genesis_request, share_threshold, "share_threshold", &type_u32),
    FIELD_MAYBE(struct api_genesis_request, pivot_hash, "pivot_hash", &type_byte_array),
    FIELD_OR_EMPTY(struct api_genesis_request, pivot_args, "pivot_args", &type_text_list),
    FIELD_MAYBE(struct api_genesis_request, dr_key, "dr_key", &type_byte_array),
    FIELD_MAYBE(struct api_genesis_request, parameters, "parameters", &type_api_genesis_parameters),
};
const struct type type_api_genesis_request = {
    STRUCT(struct api_genesis_request, "genesis request", genesis_request_fields)};

static const struct field encrypted_share_fields[] = {
    FIELD(struct api_encrypted_share, share_set_member, "share_set_member", &type_api_member),
    FIELD(struct api_encrypted_share, encrypted_quorum_key_share, "encrypted_quorum_key_share",
          &type_byte_array),
    FIELD(struct api_encrypted_share, share_hash, "share_hash", &type_byte_array),
};
static const struct type type_api_encrypted_share = {
    STRUCT(struct api_encrypted_share, "encrypted share", encrypted_share_fields)};

static const struct type type_api_encrypted_share_list = {
    LIST("encrypted shares", &type_api_encrypted_share), .limit = 1024};

static const struct field genesis_reply_fields[] = {
    FIELD(struct api_genesis_reply, quorum_public_key, "quorum_public_key", &type_byte_array),
    FIELD(struct api_genesis_reply, ephemeral_key, "ephemeral_key", &type_byte_array),
    FIELD(struct api_genesis_reply, manifest_envelope, "manifest_envelope",
          &type_api_manifest_envelope),
    FIELD(struct api_genesis_reply, waiting_state, "waiting_state", &type_text),
    FIELD(struct api_genesis_reply, encrypted_shares, "encrypted_shares",
          &type_api_encrypted_share_list),
    FIELD_MAYBE(struct api_genesis_reply, manifest_hash, "manifest_hash", &type_text),
    FIELD_MAYBE(struct api_genesis_reply, attestation_doc, "attestation_doc", &type_byte_array),
    FIELD_MAYBE(struct api_genesis_reply, genesis_attestation_doc, "genesis_attestation_doc",
                &type_byte_array),
    FIELD_MAYBE(struct api_genesis_reply, dr_key_wrapped_quorum_key, "dr_key_wrapped_quorum_key",
                &type_byte_array),
    FIELD_MAYBE(struct api_genesis_reply, quorum_key_hash, "quorum_key_hash", &type_byte_array),
    FIELD_MAYBE(struct api_genesis_reply, test_message, "test_message", &type_byte_array),
    FIELD_MAYBE(struct api_genesis_reply, test_message_signature, "test_message_signature",
                &type_byte_array),
    FIELD_MAYBE(struct api_genesis_reply, test_message_ciphertext, "test_message_ciphertext",
                &type_byte_array),
    FIELD_MAYBE(struct api_genesis_reply, share_mode, "share_mode", &type_text),
};
const struct type type_api_genesis_reply = {
    STRUCT(struct api_genesis_reply, "genesis reply", genesis_reply_fields)};

static const struct field share_fields[] = {
    FIELD(struct api_share, member_alias, "member_alias", &type_name),
    FIELD(struct api_share, decrypted_share, "decrypted_share", &type_byte_array),
    FIELD_MAYBE(struct api_share, approval, "approval", &type_api_approval),
};
static const struct type type_api_share = {STRUCT(struct api_share, "share", share_fields)};

static const struct type type_api_share_list = {LIST("shares", &type_api_share), .limit = 1024};

static const struct field inject_request_fields[] = {
    FIELD(struct api_inject_request, namespace_name, "namespace_name", &type_name),
    FIELD(struct api_inject_request, namespace_nonce, "namespace_nonce", &type_u64),
    FIELD(struct api_inject_request, shares, "shares", &type_api_share_list),
};
const struct type type_api_inject_request = {
    STRUCT(struct api_inject_request, "inject request", inject_request_fields)};

static const struct field inject_reply_fields[] = {
    FIELD(struct api_inject_reply, reconstructed_quorum_key, "reconstructed_quorum_key",
          &type_byte_array),
    FIELD(struct api_inject_reply, success, "success", &type_bool),
    FIELD(struct api_inject_reply, shares_received, "shares_received", &type_u32),
    FIELD(struct api_inject_reply, threshold, "threshold", &type_u32),
    FIELD_MAYBE(struct api_inject_reply, share_mode, "share_mode", &type_text),
};
const struct type type_api_inject_reply = {
    STRUCT(struct api_inject_reply, "inject reply", inject_reply_fields)};

static const struct field share_manifest_request_fields[] = {
    FIELD_MAYBE(struct api_share_manifest_request, manifest_envelope, "manifest_envelope",
                &type_api_manifest_envelope),
};
const struct type type_api_share_manifest_request = {STRUCT(
    struct api_share_manifest_request, "share-manifest request", share_manifest_request_fields)};

static const struct field boot_key_forward_request_fields[] = {
    FIELD_MAYBE(struct api_boot_key_forward_request, manifest_envelope, "manifest_envelope",
                &type_api_manifest_envelope),
    FIELD_MAYBE(struct api_boot_key_forward_request, pivot, "pivot", &type_byte_array),
};
const struct type type_api_boot_key_forward_request = {STRUCT(struct api_boot_key_forward_request,
                                                              "boot-key-forward request",
                                                              boot_key_forward_request_fields)};

static const struct field attestation_request_fields[] = {
    FIELD_MAYBE(struct api_attestation_request, manifest_hash, "manifest_hash", &type_byte_array),
    FIELD_MAYBE(struct api_attestation_request, pcr0, "pcr0", &type_byte_array),
    FIELD_MAYBE(struct api_attestation_request, pcr1, "pcr1", &type_byte_array),
    FIELD_MAYBE(struct api_attestation_request, pcr2, "pcr2", &type_byte_array),
    FIELD_MAYBE(struct api_attestation_request, pcr3, "pcr3", &type_byte_array),
    FIELD_MAYBE(struct api_attestation_request, nonce, "nonce", &type_byte_array),
};
const struct type type_api_attestation_request = {
    STRUCT(struct api_attestation_request, "attestation request", attestation_request_fields)};

static const struct field export_request_fields[] = {
    FIELD_MAYBE(struct api_export_request, manifest_envelope, "manifest_envelope",
                &type_api_manifest_envelope),
    FIELD_MAYBE(struct api_export_request, attestation_doc, "attestation_doc", &type_byte_array),
};
const struct type type_api_export_request = {
    STRUCT(struct api_export_request, "export request", export_request_fields)};

static const struct field inject_key_request_fields[] = {
    FIELD_MAYBE(struct api_inject_key_request, encrypted_quorum_key, "encrypted_quorum_key",
                &type_byte_array),
    FIELD_MAYBE(struct api_inject_key_request, signature, "signature", &type_byte_array),
};
const struct type type_api_inject_key_request = {
    STRUCT(struct api_inject_key_request, "inject-key request", inject_key_request_fields)};

static const struct field attestation_reply_fields[] = {
    FIELD(struct api_attestation_reply, attestation_doc, "attestation_doc", &type_byte_array),
};
const struct type type_api_attestation_reply = {
    STRUCT(struct api_attestation_reply, "attestation reply", attestation_reply_fields)};

static const struct field document_fields[] = {
    FIELD(struct api_document, document, "document", &type_byte_array),
};
static const struct type type_api_document = {
    STRUCT(struct api_document, "document", document_fields)};

static const struct field nsm_response_fields[] = {
    FIELD(struct api_nsm_response, attestation, "Attestation", &type_api_document),
};
static const struct type type_api_nsm_response = {
    STRUCT(struct api_nsm_response, "nsm response", nsm_response_fields)};

static const struct field boot_key_forward_reply_fields[] = {
    FIELD(struct api_boot_key_forward_reply, nsm_response, "nsm_response", &type_api_nsm_response),
};
const struct type type_api_boot_key_forward_reply = {STRUCT(
    struct api_boot_key_forward_reply, "boot-key-forward reply", boot_key_forward_reply_fields)};

static const struct field export_reply_fields[] = {
    FIELD(struct api_export_reply, encrypted_quorum_key, "encrypted_quorum_key", &type_byte_array),
    FIELD(struct api_export_reply, signature, "signature", &type_byte_array),
};
const struct type type_api_export_reply = {
    STRUCT(struct api_export_reply, "export reply", export_reply_fields)};

static const struct field no_attestation_reply_fields[] = {
    FIELD_OR_NULL(struct api_no_attestation_reply, result, "result", &type_api_attestation_reply),
    FIELD(struct api_no_attestation_reply, phase, "phase", &type_text),
};
const struct type type_api_no_attestation_reply = {
    STRUCT(struct api_no_attestation_reply, "attestation state", no_attestation_reply_fields)};

static const struct field manifest_state_reply_fields[] = {
    FIELD(struct api_manifest_state_reply, manifest_shared, "manifest_shared", &type_bool),
    FIELD_OR_NULL(struct api_manifest_state_reply, manifest_hash, "manifest_hash", &type_text),
    FIELD(struct api_manifest_state_reply, phase, "phase", &type_text),
};
const struct type type_api_manifest_state_reply = {
    STRUCT(struct api_manifest_state_reply, "manifest state", manifest_state_reply_fields)};

static const struct field generate_seed_request_fields[] = {
    FIELD_MAYBE(struct api_generate_seed_request, strength, "strength", &type_u32),
    FIELD_MAYBE(struct api_generate_seed_request, passphrase, "passphrase", &type_text),
};
const struct type type_api_generate_seed_request = {STRUCT(
    struct api_generate_seed_request, "generate-seed request", generate_seed_request_fields)};

static const struct field generate_seed_reply_fields[] = {
    FIELD(struct api_generate_seed_reply, seed_phrase, "seed_phrase", &type_text),
    FIELD(struct api_generate_seed_reply, entropy, "entropy", &type_text),
    FIELD(struct api_generate_seed_reply, strength, "strength", &type_u32),
    FIELD(struct api_generate_seed_reply, word_count, "word_count", &type_u32),
};
const struct type type_api_generate_seed_reply = {
    STRUCT(struct api_generate_seed_reply, "generate-seed reply", generate_seed_reply_fields)};

static const struct field validate_seed_request_fields[] = {
    FIELD(struct api_validate_seed_request, seed_phrase, "seed_phrase", &type_text),
    FIELD_MAYBE(struct api_validate_seed_request, encrypted_entropy, "encrypted_entropy",
                &type_text),
};
const struct type type_api_validate_seed_request = {STRUCT(
    struct api_validate_seed_request, "validate-seed request", validate_seed_request_fields)};

static const struct field validate_seed_reply_fields[] = {
    FIELD(struct api_validate_seed_reply, valid, "valid", &type_bool),
    FIELD(struct api_validate_seed_reply, word_count, "word_count", &type_u64),
    FIELD_OR_NULL(struct api_validate_seed_reply, entropy_match, "entropy_match", &type_bool),
    FIELD_OR_NULL(struct api_validate_seed_reply, derived_entropy, "derived_entropy", &type_text),
};
const struct type type_api_validate_seed_reply = {
    STRUCT(struct api_validate_seed_reply, "validate-seed reply", validate_seed_reply_fields)};

static const struct field derive_request_fields[] = {
    FIELD(struct api_derive_request, encrypted_seed_phrase, "encrypted_seed_phrase", &type_text),
    FIELD(struct api_derive_request, path, "path", &type_name),
    FIELD(struct api_derive_request, curve, "curve", &type_name),
};
const struct type type_api_derive_request = {
    STRUCT(struct api_derive_request, "derive request", derive_request_fields)};

static const struct field derive_key_reply_fields[] = {
    FIELD(struct api_derive_key_reply, private_key, "private_key", &type_text),
    FIELD(struct api_derive_key_reply, public_key, "public_key", &type_text),
    FIELD(struct api_derive_key_reply, address, "address", &type_text),
    FIELD(struct api_derive_key_reply, path, "path", &type_text),
    FIELD(struct api_derive_key_reply, curve, "curve", &type_text),
    FIELD_MAYBE(struct api_derive_key_reply, effective_path, "effective_path", &type_text),
};
const struct type type_api_derive_key_reply = {
    STRUCT(struct api_derive_key_reply, "derive-key reply", derive_key_reply_fields)};

static const struct field derive_address_reply_fields[] = {
    FIELD(struct api_derive_address_reply, address, "address", &type_text),
    FIELD(struct api_derive_address_reply, path, "path", &type_text),
    FIELD(struct api_derive_address_reply, curve, "curve", &type_text),
    FIELD_MAYBE(struct api_derive_address_reply, effective_path, "effective_path", &type_text),
};
const struct type type_api_derive_address_reply = {
    STRUCT(struct api_derive_address_reply, "derive-address reply", derive_address_reply_fields)};

static const struct field encrypt_request_fields[] = {
    FIELD(struct api_encrypt_request, data, "data", &type_byte_array),
    FIELD(struct api_encrypt_request, recipient_public, "recipient_public", &type_byte_array),
};
const struct type type_api_encrypt_request = {
    STRUCT(struct api_encrypt_request, "encrypt-data request", encrypt_request_fields)};

static const struct field encrypt_reply_fields[] = {
    FIELD(struct api_encrypt_reply, success, "success", &type_bool),
    FIELD(struct api_encrypt_reply, encrypted_data, "encrypted_data", &type_byte_array),
};
const struct type type_api_encrypt_reply = {
    STRUCT(struct api_encrypt_reply, "encrypt-data reply", encrypt_reply_fields)};

static const struct field decrypt_request_fields[] = {
    FIELD(struct api_decrypt_request, encrypted_data, "encrypted_data", &type_byte_array),
};
const struct type type_api_decrypt_request = {
    STRUCT(struct api_decrypt_request, "decrypt-data request", decrypt_request_fields)};

static const struct field decrypt_reply_fields[] = {
    FIELD(struct api_decrypt_reply, success, "success", &type_bool),
    FIELD(struct api_decrypt_reply, decrypted_data, "decrypted_data", &type_byte_array),
};
const struct type type_api_decrypt_reply = {
    STRUCT(struct api_decrypt_reply, "decrypt-data reply", decrypt_reply_fields)};

static const struct field signer_fields[] = {
    FIELD(struct api_signer, encrypted_seed_phrase, "encrypted_seed_phrase", &type_text),
    FIELD(struct api_signer, path, "path", &type_name),
    FIELD(struct api_signer, curve, "curve", &type_name),
};
static const struct type type_api_signer = {STRUCT(struct api_signer, "signer", signer_fields)};

static const struct field sign_transaction_request_fields[] = {
    FIELD(struct api_sign_transaction_request, transaction_data, "transaction_data",
          &type_byte_array),
    FIELD_MAYBE(struct api_sign_transaction_request, signer, "signer", &type_api_signer),
};
const struct type type_api_sign_transaction_request = {STRUCT(struct api_sign_transaction_request,
                                                              "sign-transaction request",
                                                              sign_transaction_request_fields)};

static const struct field sign_message_request_fields[] = {
    FIELD(struct api_sign_message_request, message, "message", &type_byte_array),
    FIELD_MAYBE(struct api_sign_message_request, signer, "signer", &type_api_signer),
};
const struct type type_api_sign_message_request = {
    STRUCT(struct api_sign_message_request, "sign-message request", sign_message_request_fields)};

static const struct field sign_transaction_reply_fields[] = {
    FIELD(struct api_sign_transaction_reply, success, "success", &type_bool),
    FIELD(struct api_sign_transaction_reply, signature, "signature", &type_byte_array),
    FIELD(struct api_sign_transaction_reply, recovery_id, "recovery_id", &type_u32),
    FIELD_MAYBE(struct api_sign_transaction_reply, public_key, "public_key", &type_byte_array),
    FIELD_MAYBE(struct api_sign_transaction_reply, algorithm, "algorithm", &type_text),
};
const struct type type_api_sign_transaction_reply = {STRUCT(
    struct api_sign_transaction_reply, "sign-transaction reply", sign_transaction_reply_fields)};

static const struct field sign_message_reply_fields[] = {
    FIELD(struct api_sign_message_reply, success, "success", &type_bool),
    FIELD(struct api_sign_message_reply, signature, "signature", &type_byte_array),
    FIELD_MAYBE(struct api_sign_message_reply, public_key, "public_key", &type_byte_array),
    FIELD_MAYBE(struct api_sign_message_reply, algorithm, "algorithm", &type_text),
};
const struct type type_api_sign_message_reply = {
    STRUCT(struct api_sign_message_reply, "sign-message reply", sign_message_reply_fields)};

static const struct field metadata_fields[] = {
    FIELD(struct api_metadata, name, "name", &type_text),
    FIELD(struct api_metadata, version, "version", &type_text),
    FIELD(struct api_metadata, last_updated, "last_updated", &type_u64),
    FIELD(struct api_metadata, operation_count, "operation_count", &type_u64),
};
static const struct type type_api_metadata = {
    STRUCT(struct api_metadata, "metadata", metadata_fields)};

static const struct field measurements_fields[] = {
    FIELD_MAYBE(struct api_measurements, pcr0, "pcr0", &type_text),
    FIELD_MAYBE(struct api_measurements, pcr1, "pcr1", &type_text),
    FIELD_MAYBE(struct api_measurements, pcr2, "pcr2", &type_text),
    FIELD_MAYBE(struct api_measurements, pcr3, "pcr3", &type_text),
};
static const struct type type_api_measurements = {
    STRUCT(struct api_measurements, "measurements", measurements_fields)};

static const struct field status_reply_fields[] = {
    FIELD(struct api_status_reply, success, "success", &type_bool),
    FIELD(struct api_status_reply, phase, "phase", &type_text),
    FIELD(struct api_status_reply, has_quorum_key, "has_quorum_key", &type_bool),
    FIELD(struct api_status_reply, data_count, "data_count", &type_u64),
    FIELD(struct api_status_reply, metadata, "metadata", &type_api_metadata),
    FIELD_MAYBE(struct api_status_reply, tee, "tee", &type_text),
    FIELD(struct api_status_reply, simulated, "simulated", &type_bool),
    FIELD_MAYBE(struct api_status_reply, share_mode, "share_mode", &type_text),
    FIELD_MAYBE(struct api_status_reply, namespace_name, "namespace_name", &type_text),
    FIELD_MAYBE(struct api_status_reply, namespace_nonce, "namespace_nonce", &type_u64),
    FIELD_MAYBE(struct api_status_reply, manifest_hash, "manifest_hash", &type_text),
    FIELD(struct api_status_reply, threshold, "threshold", &type_u32),
    FIELD(struct api_status_reply, manifest_threshold, "manifest_threshold", &type_u32),
    FIELD(struct api_status_reply, members, "members", &type_text_list),
    FIELD(struct api_status_reply, manifest_members, "manifest_members", &type_text_list),
    FIELD(struct api_status_reply, shares_received, "shares_received", &type_text_list),
    FIELD(struct api_status_reply, manifest_approved_by, "manifest_approved_by", &type_text_list),
    FIELD(struct api_status_reply, warnings, "warnings", &type_text_list),
    FIELD(struct api_status_reply, measurements, "measurements", &type_api_measurements),
};
const struct type type_api_status_reply = {
    STRUCT(struct api_status_reply, "status reply", status_reply_fields)};

static const struct field store_request_fields[] = {
    FIELD(struct api_store_request, key, "key", &type_name),
    FIELD(struct api_store_request, data, "data", &type_byte_array),
};
const struct type type_api_store_request = {
    STRUCT(struct api_store_request, "store-data request", store_request_fields)};

static const struct field store_reply_fields[] = {
    FIELD(struct api_store_reply, success, "success", &type_bool),
};
const struct type type_api_store_reply = {
    STRUCT(struct api_store_reply, "store-data reply", store_reply_fields)};

static const struct field get_data_reply_fields[] = {
    FIELD(struct api_get_data_reply, success, "success", &type_bool),
    FIELD_OR_NULL(struct api_get_data_reply, data, "data", &type_byte_array),
};
const struct type type_api_get_data_reply = {
    STRUCT(struct api_get_data_reply, "get-data reply", get_data_reply_fields)};

static const struct field info_reply_fields[] = {
    FIELD(struct api_info_reply, healthy, "healthy", &type_bool),
    FIELD(struct api_info_reply, version, "version", &type_text),
    FIELD(struct api_info_reply, enclave_id, "enclave_id", &type_text),
    FIELD(struct api_info_reply, capabilities, "capabilities", &type_text_list),
    FIELD_MAYBE(struct api_info_reply, phase, "phase", &type_text),
    FIELD_MAYBE(struct api_info_reply, tee, "tee", &type_text),
    FIELD(struct api_info_reply, simulated, "simulated", &type_bool),
};
const struct type type_api_info_reply = {
    STRUCT(struct api_info_reply, "enclave info", info_reply_fields)};

static const struct field sealed_reply_fields[] = {
    FIELD(struct api_sealed_reply, sealed, "sealed", &type_byte_array),
};
const struct type type_api_sealed_reply = {
    STRUCT(struct api_sealed_reply, "sealed reply", sealed_reply_fields)};

static const struct field success_reply_fields[] = {
    FIELD(struct api_success_reply, success, "success", &type_bool),
    FIELD_MAYBE(struct api_success_reply, message, "message", &type_text),
};
const struct type type_api_success_reply = {
    STRUCT(struct api_success_reply, "success", success_reply_fields)};

static const struct field error_fields[] = {
    FIELD(struct api_error, error, "error", &type_text),
    FIELD(struct api_error, code, "code", &type_u32),
    FIELD_OR_NULL(struct api_error, request_id, "request_id", &type_text),
};
const struct type type_api_error = {STRUCT(struct api_error, "error", error_fields)};
