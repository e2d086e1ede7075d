// What a booted manifest puts into the registers, and what a role measures to (qos-wire 7.2, nitro
// 1.2).
#include "tee/tee.h"

#include "codec/json.h"

static const uint8_t zero_register[SHA384_SIZE];

static const char *const domains[COMMITMENT_COUNT] = {
    [COMMITMENT_SETUP] = "qos-setup-manifest-pcr-commitment-v1",
    [COMMITMENT_LIVE] = "qos-live-manifest-pcr-commitment-v1",
};

struct preimage {
    struct bytes domain, ephemeral_public;
    struct bytes manifest_hash;
};

static const struct field preimage_fields[] = {
    {"domain", &type_text, offsetof(struct preimage, domain), FIELD_REQUIRED},
    {"ephemeralPublicKey", &type_bytes, offsetof(struct preimage, ephemeral_public),
     FIELD_REQUIRED},
    {"manifestHash", &type_bytes, offsetof(struct preimage, manifest_hash), FIELD_REQUIRED},
};

static const struct type type_preimage = {
    .name = "PCR commitment",
    .shape = SHAPE_STRUCT,
    .size = sizeof(struct preimage),
    .fields = preimage_fields,
    .count = sizeof preimage_fields / sizeof preimage_fields[0],
};

enum q_err commitment_make(enum commitment which, const uint8_t manifest_hash[static SHA256_SIZE],
                           struct bytes ephemeral_public, uint8_t out[static SHA384_SIZE])
{
    const struct preimage preimage = {
        .domain = bytes_str(domains[which]),
        .ephemeral_public = ephemeral_public,
        .manifest_hash = bytes_of(manifest_hash, SHA256_SIZE),
    };
    BUF_AUTO json = {0};
    TRY(json_encode(&type_preimage, &preimage, JSON_CANONICAL, &json));
    return sha384(buf_bytes(&json), out);
}

enum q_err commitment_register(enum commitment which,
                               const uint8_t manifest_hash[static SHA256_SIZE],
                               struct bytes ephemeral_public, uint8_t out[static SHA384_SIZE])
{
    uint8_t commitment[SHA384_SIZE];
    TRY(commitment_make(which, manifest_hash, ephemeral_public, commitment));
    return sha384_pair(BYTES_OF(zero_register), BYTES_OF(commitment), out);
}

enum q_err role_measurement(struct bytes role, uint8_t out[static SHA384_SIZE])
{
    return sha384_pair(BYTES_OF(zero_register), role, out);
}
