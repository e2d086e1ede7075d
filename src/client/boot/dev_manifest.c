// Making the manifest of a development boot (see dev_manifest.h).
#include "client/boot/dev_manifest.h"

#include "tee/attestation.h"

static enum q_err only_member(const struct p256_public *key, struct arena *a, struct member **out)
{
    void *room;
    TRY(arena_alloc(a, sizeof **out, &room));
    *out = room;
    **out = (struct member){
        .alias = BYTES_LIT("DANGEROUS_DEV_BOOT_MEMBER"),
        .pub_key = p256_public_bytes(key),
    };
    return Q_OK;
}

enum q_err dev_manifest_make(const struct p256_public *quorum, const struct p256_public *member,
                             struct bytes pivot, struct arena *a, struct manifest *out)
{
    static const uint8_t zeros[SHA384_SIZE];
    struct member *only;
    TRY(only_member(member, a, &only));
    out->version = MANIFEST_V1;
    out->namespace = (struct namespace){
        .name = BYTES_LIT("DANGEROUS_DEV_BOOT_MEMBER_NAMESPACE"),
        .nonce = UINT32_MAX,
        .quorum_key = p256_public_bytes(quorum),
    };
    out->manifest_set = (struct member_set){.threshold = 1, .members = {only, 1}};
    out->share_set = (struct member_set){.threshold = DEV_SHARES, .members = {only, 1}};
    out->enclave = (struct nitro_config){
        .pcr0 = BYTES_OF(zeros),
        .pcr1 = BYTES_OF(zeros),
        .pcr2 = BYTES_OF(zeros),
        .pcr3 = BYTES_OF(zeros),
        .root_certificate = attestation_aws_root,
        .qos_commit = BYTES_LIT("mock-qos-commit-ref"),
    };
    return sha256(pivot, out->pivot.hash);
}
