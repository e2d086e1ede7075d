// Descriptions of what a genesis asks for and gives (qos-wire 4.2), the layout of release 0.13.0
// and older among them, and of a forwarded quorum key.
#include "protocol/types_internal.h"

#include "codec/borsh.h"

const struct type type_hash64 = {FIXED("hash", SHA512_SIZE)};

// Members come before the threshold, the other way round than in a manifest.
static const struct field genesis_set_fields[] = {
    FIELD(struct genesis_set, members, "members", &type_member_list),
    FIELD(struct genesis_set, threshold, "threshold", &type_u32),
};
const struct type type_genesis_set = {
    STRUCT(struct genesis_set, "genesis set", genesis_set_fields)};

static const struct field member_output_fields[] = {
    FIELD(struct genesis_member_output, share_set_member, "shareSetMember", &type_member),
    FIELD(struct genesis_member_output, encrypted_share, "encryptedQuorumKeyShare", &type_bytes),
    FIELD(struct genesis_member_output, share_hash, "shareHash", &type_hash64),
};
const struct type type_genesis_member_output = {
    STRUCT(struct genesis_member_output, "genesis member output", member_output_fields)};
static const struct type type_member_output_list = {
    LIST("list of member outputs", &type_genesis_member_output)};

static const struct field member_shard_fields[] = {
    FIELD(struct member_shard, member, "member", &type_member),
    FIELD(struct member_shard, shard, "shard", &type_bytes),
};
static const struct type type_member_shard = {
    STRUCT(struct member_shard, "member shard", member_shard_fields)};
static const struct type type_permutation = {LIST("recovered permutation", &type_member_shard)};
static const struct type type_permutation_list = {
    LIST("list of recovered permutations", &type_permutation)};

static const struct field genesis_output_fields[] = {
    FIELD(struct genesis_output, set, "set", &type_genesis_set),
    FIELD_MAYBE(struct genesis_output, dr_key, "dr_key", &type_bytes),
    FIELD(struct genesis_output, quorum_key, "quorum_key", &type_bytes),
    FIELD(struct genesis_output, member_outputs, "member_outputs", &type_member_output_list),
    FIELD(struct genesis_output, recovery_permutations, "recovery_permutations",
          &type_permutation_list),
    FIELD_MAYBE(struct genesis_output, dr_key_wrapped_quorum_key, "dr_key_wrapped_quorum_key",
                &type_bytes),
    FIELD(struct genesis_output, quorum_key_hash, "quorum_key_hash", &type_hash64),
    FIELD(struct genesis_output, test_message_ciphertext, "test_message_ciphertext", &type_bytes),
    FIELD(struct genesis_output, test_message_signature, "test_message_signature", &type_bytes),
    FIELD(struct genesis_output, test_message, "test_message", &type_bytes),
};
const struct type type_genesis_output = {
    STRUCT(struct genesis_output, "genesis output", genesis_output_fields)};

// Release 0.13.0 and older: no set, no dr_key; the threshold alone, behind the permutations.
static const struct field legacy_fields[] = {
    FIELD(struct genesis_output, quorum_key, "quorum_key", &type_bytes),
    FIELD(struct genesis_output, member_outputs, "member_outputs", &type_member_output_list),
    FIELD(struct genesis_output, recovery_permutations, "recovery_permutations",
          &type_permutation_list),
    FIELD(struct genesis_output, set.threshold, "threshold", &type_u32),
    FIELD_MAYBE(struct genesis_output, dr_key_wrapped_quorum_key, "dr_key_wrapped_quorum_key",
                &type_bytes),
    FIELD(struct genesis_output, quorum_key_hash, "quorum_key_hash", &type_hash64),
    FIELD(struct genesis_output, test_message_ciphertext, "test_message_ciphertext", &type_bytes),
    FIELD(struct genesis_output, test_message_signature, "test_message_signature", &type_bytes),
    FIELD(struct genesis_output, test_message, "test_message", &type_bytes),
};
static const struct type type_legacy = {
    STRUCT(struct genesis_output, "legacy genesis output", legacy_fields)};

bool genesis_output_is_legacy(struct bytes file)
{
    ARENA_AUTO scratch = {0};
    struct genesis_output ignored = {0};
    return borsh_decode(&type_legacy, file, &scratch, &ignored) == Q_OK;
}

static const struct field encrypted_key_fields[] = {
    FIELD(struct encrypted_quorum_key, encrypted_quorum_key, "encrypted_quorum_key", &type_bytes),
    FIELD(struct encrypted_quorum_key, signature, "signature", &type_bytes),
};
const struct type type_encrypted_quorum_key = {
    STRUCT(struct encrypted_quorum_key, "encrypted quorum key", encrypted_key_fields)};
