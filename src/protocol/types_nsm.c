// Descriptions of the answers of a Nitro secure module, as QuorumOS passes them on (qos-wire 4.2).
#include "protocol/types_internal.h"

static const struct variant digest_variants[] = {
    {"SHA256", NSM_SHA256, NULL},
    {"SHA384", NSM_SHA384, NULL},
    {"SHA512", NSM_SHA512, NULL},
};
static const struct type type_digest = {UNITS(struct unit, "digest", digest_variants)};

static const struct variant nsm_error_variants[] = {
    {"Success", NSM_SUCCESS, NULL},
    {"InvalidArgument", NSM_INVALID_ARGUMENT, NULL},
    {"InvalidIndex", NSM_INVALID_INDEX, NULL},
    {"InvalidResponse", NSM_INVALID_RESPONSE, NULL},
    {"ReadOnlyIndex", NSM_READ_ONLY_INDEX, NULL},
    {"InvalidOperation", NSM_INVALID_OPERATION, NULL},
    {"BufferTooSmall", NSM_BUFFER_TOO_SMALL, NULL},
    {"InputTooLarge", NSM_INPUT_TOO_LARGE, NULL},
    {"InternalError", NSM_INTERNAL_ERROR, NULL},
};
static const struct type type_nsm_error = {UNITS(struct unit, "NSM error", nsm_error_variants)};

static const struct field describe_pcr_fields[] = {
    FIELD(struct nsm_describe_pcr, lock, "lock", &type_bool),
    FIELD(struct nsm_describe_pcr, data, "data", &type_bytes),
};
static const struct type type_describe_pcr = {
    STRUCT(struct nsm_describe_pcr, "describePCR", describe_pcr_fields)};

static const struct field extend_pcr_fields[] = {
    FIELD(struct nsm_data, data, "data", &type_bytes),
};
static const struct type type_extend_pcr = {
    STRUCT(struct nsm_data, "extendPCR", extend_pcr_fields)};

static const struct type type_u16_list = {LIST("list of numbers", &type_u16)};
static const struct field describe_nsm_fields[] = {
    FIELD(struct nsm_describe, version_major, "version_major", &type_u16),
    FIELD(struct nsm_describe, version_minor, "version_minor", &type_u16),
    FIELD(struct nsm_describe, version_patch, "version_patch", &type_u16),
    FIELD(struct nsm_describe, module_id, "module_id", &type_text),
    FIELD(struct nsm_describe, max_pcrs, "max_pcrs", &type_u16),
    FIELD(struct nsm_describe, locked_pcrs, "locked_pcrs", &type_u16_list),
    FIELD(struct nsm_describe, digest, "digest", &type_digest),
};
static const struct type type_describe_nsm = {
    STRUCT(struct nsm_describe, "describeNSM", describe_nsm_fields)};

static const struct field attestation_fields[] = {
    FIELD(struct nsm_data, data, "document", &type_bytes),
};
static const struct type type_attestation = {
    STRUCT(struct nsm_data, "attestation", attestation_fields)};

static const struct field random_fields[] = {
    FIELD(struct nsm_data, data, "random", &type_bytes),
};
static const struct type type_random = {STRUCT(struct nsm_data, "getRandom", random_fields)};

static const struct variant nsm_response_variants[] = {
    {"describePCR", NSM_DESCRIBE_PCR, &type_describe_pcr},
    {"extendPCR", NSM_EXTEND_PCR, &type_extend_pcr},
    {"lockPCR", NSM_LOCK_PCR, NULL},
    {"lockPCRs", NSM_LOCK_PCRS, NULL},
    {"describeNSM", NSM_DESCRIBE_NSM, &type_describe_nsm},
    {"attestation", NSM_ATTESTATION, &type_attestation},
    {"getRandom", NSM_GET_RANDOM, &type_random},
    {"error", NSM_ERROR, &type_nsm_error},
};
const struct type type_nsm_response = {
    VARIANTS(struct nsm_response, describe_pcr, "NSM response", nsm_response_variants)};
