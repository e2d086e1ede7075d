// Descriptions of the protocol's errors and phases (qos-wire 4.2, 4.4). JSON names are PascalCase;
// the position of a row is its Borsh index.
#include "protocol/types_internal.h"

#include "crypto/p256.h"

static const struct variant phase_variants[] = {
    {"UnrecoverableError", PHASE_UNRECOVERABLE_ERROR, NULL},
    {"WaitingForBootInstruction", PHASE_WAITING_FOR_BOOT_INSTRUCTION, NULL},
    {"GenesisBooted", PHASE_GENESIS_BOOTED, NULL},
    {"WaitingForQuorumShards", PHASE_WAITING_FOR_QUORUM_SHARDS, NULL},
    {"QuorumKeyProvisioned", PHASE_QUORUM_KEY_PROVISIONED, NULL},
    {"WaitingForForwardedKey", PHASE_WAITING_FOR_FORWARDED_KEY, NULL},
};
const struct type type_phase = {UNITS(struct unit, "phase", phase_variants), .camel_too = true};
_Static_assert(sizeof phase_variants / sizeof phase_variants[0] == PHASE_COUNT, "one row a phase");

static const struct variant p256_variants[] = {
    {"QosHex", P256_QOS_HEX, &type_text},
    {"IOError", P256_IO_ERROR, &type_text},
    {"FailedToSerializeEnvelope", P256_SERIALIZE_ENVELOPE, NULL},
    {"FailedToDeserializeEnvelope", P256_DESERIALIZE_ENVELOPE, NULL},
    {"AesGcm256DecryptError", P256_AES_DECRYPT, NULL},
    {"AesGcm256EncryptError", P256_AES_ENCRYPT, NULL},
    {"FailedToCreateAes256GcmCipher", P256_CREATE_CIPHER, NULL},
    {"FailedToDeserializePublicKey", P256_DESERIALIZE_PUBLIC_KEY, NULL},
    {"FailedToCoercePublicKeyToIntendedLength", P256_COERCE_PUBLIC_KEY, NULL},
    {"FailedToCoerceNonceToIntendedLength", P256_COERCE_NONCE, NULL},
    {"FailedToDeserializeSignature", P256_DESERIALIZE_SIGNATURE, NULL},
    {"FailedSignatureVerification", P256_SIGNATURE_VERIFICATION, NULL},
    {"FailedToReadSecret", P256_READ_SECRET, NULL},
    {"FailedToReadPublicKey", P256_READ_PUBLIC_KEY, NULL},
    {"EncodedPublicKeyTooLong", P256_PUBLIC_KEY_TOO_LONG, NULL},
    {"EncodedPublicKeyTooShort", P256_PUBLIC_KEY_TOO_SHORT, NULL},
    {"HkdfExpansionFailed", P256_HKDF, NULL},
    {"MasterSeedInvalidUtf8", P256_SEED_INVALID_UTF8, NULL},
    {"MasterSeedInvalidLength", P256_SEED_INVALID_LENGTH, NULL},
    {"InvalidMasterSeed", P256_INVALID_MASTER_SEED, NULL},
    {"CannotCoerceLenToU8", P256_COERCE_LENGTH, NULL},
};
const struct type type_p256_error = {
    VARIANTS(struct p256_error_value, text, "P256 error", p256_variants)};
_Static_assert(sizeof p256_variants / sizeof p256_variants[0] == P256_ERROR_COUNT, "all errors");

static const struct field difference_fields[] = {
    FIELD(struct difference, expected, "expected", &type_text),
    FIELD(struct difference, actual, "actual", &type_text),
};
const struct type type_difference = {STRUCT(struct difference, "difference", difference_fields)};

static const struct field low_nonce_fields[] = {
    FIELD(struct low_nonce, expected, "expected", &type_u32),
    FIELD(struct low_nonce, actual, "actual", &type_u32),
};
const struct type type_low_nonce = {STRUCT(struct low_nonce, "low nonce", low_nonce_fields)};

static const struct field phase_pair_fields[] = {
    FIELD(struct phase_pair, from, "from", &type_phase),
    FIELD(struct phase_pair, to, "to", &type_phase),
};
const struct type type_phase_pair = {STRUCT(struct phase_pair, "phase pair", phase_pair_fields),
                                     .tuple = true};

static const struct variant error_variants[] = {
    {"InvalidShare", PE_INVALID_SHARE, NULL},
    {"ReconstructionErrorEmptySecret", PE_RECONSTRUCTION_EMPTY_SECRET, NULL},
    {"ReconstructionErrorIncorrectPubKey", PE_RECONSTRUCTION_INCORRECT_PUB_KEY, NULL},
    {"IOError", PE_IO_ERROR, NULL},
    {"InvalidManifestApproval", PE_INVALID_MANIFEST_APPROVAL, &type_approval},
    {"NotEnoughApprovals", PE_NOT_ENOUGH_APPROVALS, NULL},
    {"NoMatchingRoute", PE_NO_MATCHING_ROUTE, &type_phase},
    {"InvalidPivotHash", PE_INVALID_PIVOT_HASH, &type_difference},
    {"OversizeMsg", PE_OVERSIZE_MSG, NULL},
    {"InvalidMsg", PE_INVALID_MSG, NULL},
    {"EnclaveClient", PE_ENCLAVE_CLIENT, NULL},
    {"DecryptionFailed", PE_DECRYPTION_FAILED, NULL},
    {"InvalidPrivateKey", PE_INVALID_PRIVATE_KEY, NULL},
    {"FailedToParseFromString", PE_FAILED_TO_PARSE_FROM_STRING, NULL},
    {"BadEphemeralKeyPath", PE_BAD_EPHEMERAL_KEY_PATH, NULL},
    {"CannotModifyPostPivotStatic", PE_CANNOT_MODIFY_POST_PIVOT_STATIC, NULL},
    {"FailedToGetEphemeralKey", PE_FAILED_TO_GET_EPHEMERAL_KEY, &type_p256_error},
    {"FailedToPutEphemeralKey", PE_FAILED_TO_PUT_EPHEMERAL_KEY, NULL},
    {"CannotRotateNonExistentEphemeralKey", PE_CANNOT_ROTATE_NON_EXISTENT_EPHEMERAL_KEY, NULL},
    {"CannotDeleteEphemeralKey", PE_CANNOT_DELETE_EPHEMERAL_KEY, &type_text},
    {"FailedToGetQuorumKey", PE_FAILED_TO_GET_QUORUM_KEY, &type_p256_error},
    {"FailedToPutQuorumKey", PE_FAILED_TO_PUT_QUORUM_KEY, NULL},
    {"FailedToGetManifestEnvelope", PE_FAILED_TO_GET_MANIFEST_ENVELOPE, NULL},
    {"FailedToPutManifestEnvelope", PE_FAILED_TO_PUT_MANIFEST_ENVELOPE, NULL},
    {"FailedToPutPivot", PE_FAILED_TO_PUT_PIVOT, NULL},
    {"AppClientRecvTimeout", PE_APP_CLIENT_RECV_TIMEOUT, NULL},
    {"AppClientRecvInterrupted", PE_APP_CLIENT_RECV_INTERRUPTED, NULL},
    {"AppClientRecvConnectionClosed", PE_APP_CLIENT_RECV_CONNECTION_CLOSED, NULL},
    {"AppClientConnectError", PE_APP_CLIENT_CONNECT_ERROR, &type_text},
    {"AppClientSendError", PE_APP_CLIENT_SEND_ERROR, &type_text},
    {"AppClientError", PE_APP_CLIENT_ERROR, &type_text},
    {"OversizedPayload", PE_OVERSIZED_PAYLOAD, NULL},
    {"ProtocolMsgDeserialization", PE_PROTOCOL_MSG_DESERIALIZATION, NULL},
    {"BadShareSetApprovals", PE_BAD_SHARE_SET_APPROVALS, NULL},
    {"CouldNotVerifyApproval", PE_COULD_NOT_VERIFY_APPROVAL, NULL},
    {"NotShareSetMember", PE_NOT_SHARE_SET_MEMBER, NULL},
    {"NotManifestSetMember", PE_NOT_MANIFEST_SET_MEMBER, NULL},
    {"P256Error", PE_P256_ERROR, &type_p256_error},
    {"InvalidP256DRKey", PE_INVALID_P256_DR_KEY, &type_p256_error},
    {"IncorrectSecretLen", PE_INCORRECT_SECRET_LEN, NULL},
    {"QosAttestError", PE_QOS_ATTEST_ERROR, &type_text},
    {"DifferentQuorumKey", PE_DIFFERENT_QUORUM_KEY, &type_difference},
    {"DifferentManifestSet", PE_DIFFERENT_MANIFEST_SET, &type_difference},
    {"DifferentNamespaceName", PE_DIFFERENT_NAMESPACE_NAME, &type_difference},
    {"LowNonce", PE_LOW_NONCE, &type_low_nonce},
    {"DifferentPcr3", PE_DIFFERENT_PCR3, &type_difference},
    {"MissingEphemeralKey", PE_MISSING_EPHEMERAL_KEY, NULL},
    {"InvalidEphemeralKey", PE_INVALID_EPHEMERAL_KEY, NULL},
    {"InvalidEncryptedQuorumKeySignature", PE_INVALID_ENCRYPTED_QUORUM_KEY_SIGNATURE, NULL},
    {"EncryptedQuorumKeyInvalidLen", PE_ENCRYPTED_QUORUM_KEY_INVALID_LEN, NULL},
    {"InvalidQuorumSecret", PE_INVALID_QUORUM_SECRET, NULL},
    {"WrongQuorumKey", PE_WRONG_QUORUM_KEY, NULL},
    {"InvalidStateTransition", PE_INVALID_STATE_TRANSITION, &type_phase_pair},
    {"DuplicateApproval", PE_DUPLICATE_APPROVAL, NULL},
    {"DifferentManifest", PE_DIFFERENT_MANIFEST, &type_difference},
    {"QosCrypto", PE_QOS_CRYPTO, &type_text},
    {"PoolExpandError", PE_POOL_EXPAND_ERROR, NULL},
    {"InvalidPivotEnv", PE_INVALID_PIVOT_ENV, &type_text},
    {"MissingLiveEphemeralKey", PE_MISSING_LIVE_EPHEMERAL_KEY, NULL},
    {"DuplicateQuorumMember", PE_DUPLICATE_QUORUM_MEMBER, NULL},
    {"LegacyGenesisNotSupported", PE_LEGACY_GENESIS_NOT_SUPPORTED, NULL},
};
const struct type type_protocol_error = {
    VARIANTS(struct protocol_error, approval, "protocol error", error_variants)};
_Static_assert(sizeof error_variants / sizeof error_variants[0] == PE_COUNT, "one row an error");

const char *phase_name(enum phase p)
{
    if (p == PHASE_APPLICATION_READY)
        return "ApplicationReady";
    return (unsigned)p < PHASE_COUNT ? phase_variants[p].name : "unknown phase";
}

enum phase phase_on_wire(enum phase p)
{
    return p == PHASE_APPLICATION_READY ? PHASE_QUORUM_KEY_PROVISIONED : p;
}

const char *protocol_error_name(enum protocol_error_kind k)
{
    return (unsigned)k < PE_COUNT ? error_variants[k].name : "unknown error";
}
