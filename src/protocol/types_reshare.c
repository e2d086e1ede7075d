// Descriptions of a resharing's plan and output (docs/resharing.md): canonical JSON, closed, no Borsh
// file.
#include "protocol/types_internal.h"

static const struct type type_share_hash_list = {LIST("list of share hashes", &type_hash64)};

static const struct field plan_fields[] = {
    FIELD(struct reshare_plan, format, "format", &type_text),
    FIELD(struct reshare_plan, namespace, "namespace", &type_text),
    FIELD(struct reshare_plan, epoch, "epoch", &type_u64),
    FIELD(struct reshare_plan, previous, "previous", &type_hash32),
    FIELD(struct reshare_plan, quorum_key, "quorumKey", &type_bytes),
    FIELD(struct reshare_plan, old_share_set, "oldShareSet", &type_member_set),
    FIELD(struct reshare_plan, old_share_hashes, "oldShareHashes", &type_share_hash_list),
    FIELD(struct reshare_plan, new_share_set, "newShareSet", &type_member_set),
    FIELD(struct reshare_plan, manifest_set, "manifestSet", &type_member_set),
    FIELD(struct reshare_plan, enclave, "enclave", &type_nitro_config),
    FIELD(struct reshare_plan, new_key, "newKey", &type_bool),
    FIELD_MAYBE(struct reshare_plan, dr_key, "drKey", &type_bytes),
};
const struct type type_reshare_plan = {STRUCT(struct reshare_plan, "reshare plan", plan_fields),
                                       .closed = true};

static const struct field handover_fields[] = {
    FIELD(struct reshare_handover, by_old, "byOldKey", &type_bytes),
    FIELD(struct reshare_handover, by_new, "byNewKey", &type_bytes),
};
static const struct type type_handover = {
    STRUCT(struct reshare_handover, "hand-over", handover_fields), .closed = true};

static const struct field output_fields[] = {
    FIELD(struct reshare_output, format, "format", &type_text),
    FIELD(struct reshare_output, plan, "plan", &type_reshare_plan),
    FIELD(struct reshare_output, manifest_approvals, "manifestApprovals", &type_approval_list),
    FIELD(struct reshare_output, share_approvals, "shareApprovals", &type_approval_list),
    FIELD(struct reshare_output, shares, "shares", &type_genesis_output),
    FIELD_MAYBE(struct reshare_output, handover, "handover", &type_handover),
};
const struct type type_reshare_output = {
    STRUCT(struct reshare_output, "reshare output", output_fields), .closed = true};
