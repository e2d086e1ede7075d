// The descriptions themselves: sound, complete, and named as the specification names them.
#include "protocol_vectors.h"

#include "crypto/p256.h"
#include "protocol/instance.h"

static void every_description_is_sound(void **state)
{
    (void)state;
    static const struct type *const all[] = {
        &type_namespace,
        &type_restart,
        &type_bridge,
        &type_pivot_config_v0,
        &type_pivot_config_v1,
        &type_pivot_config_v2,
        &type_member,
        &type_member_set,
        &type_patch_set,
        &type_nitro_config,
        &type_dns_config,
        &type_manifest_v0,
        &type_manifest_v1,
        &type_manifest_v2,
        &type_manifest,
        &type_env,
        &type_approval,
        &type_envelope_v0,
        &type_envelope_v1,
        &type_envelope_v2,
        &type_manifest_envelope,
        &type_genesis_set,
        &type_genesis_member_output,
        &type_genesis_output,
        &type_encrypted_quorum_key,
        &type_nsm_response,
        &type_phase,
        &type_p256_error,
        &type_protocol_error,
        &type_message,
        &type_reshare_plan,
        &type_reshare_output,
        &type_reshare_boot_request,
        &type_bound_provision_request,
        &type_api_manifest_envelope,
        &type_api_genesis_request,
        &type_api_genesis_reply,
        &type_api_inject_request,
        &type_api_inject_reply,
        &type_api_share_manifest_request,
        &type_api_boot_key_forward_request,
        &type_api_attestation_request,
        &type_api_export_request,
        &type_api_inject_key_request,
        &type_api_attestation_reply,
        &type_api_boot_key_forward_reply,
        &type_api_export_reply,
        &type_api_no_attestation_reply,
        &type_api_manifest_state_reply,
        &type_api_generate_seed_request,
        &type_api_generate_seed_reply,
        &type_api_validate_seed_request,
        &type_api_validate_seed_reply,
        &type_api_derive_request,
        &type_api_derive_key_reply,
        &type_api_derive_address_reply,
        &type_api_encrypt_request,
        &type_api_encrypt_reply,
        &type_api_decrypt_request,
        &type_api_decrypt_reply,
        &type_api_sign_transaction_request,
        &type_api_sign_message_request,
        &type_api_sign_transaction_reply,
        &type_api_sign_message_reply,
        &type_api_status_reply,
        &type_api_store_request,
        &type_api_store_reply,
        &type_api_get_data_reply,
        &type_api_info_reply,
        &type_api_sealed_reply,
        &type_api_success_reply,
        &type_api_error,
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        assert_ok(type_check(all[i]));
}

// The position of a row is its Borsh index, which is what the names and the display rely on.
static void rows_of_errors_and_phases_stand_at_their_index(void **state)
{
    (void)state;
    static const struct type *const ordered[] = {&type_phase, &type_p256_error,
                                                 &type_protocol_error};
    for (size_t t = 0; t < sizeof ordered / sizeof ordered[0]; t++)
        for (size_t i = 0; i < ordered[t]->count; i++)
            assert_int_equal(ordered[t]->variants[i].index, i);
    assert_int_equal(type_protocol_error.count, PE_COUNT);
    assert_int_equal(type_phase.count, PHASE_COUNT);
}

static void p256_errors_have_the_names_that_crypto_gives_them(void **state)
{
    (void)state;
    for (unsigned i = 0; i < P256_ERROR_COUNT; i++)
        assert_string_equal(type_p256_error.variants[i].name, p256_error_name((enum p256_error)i));
}

static void names_are_the_originals(void **state)
{
    (void)state;
    assert_string_equal(phase_name(PHASE_UNRECOVERABLE_ERROR), "UnrecoverableError");
    assert_string_equal(phase_name(PHASE_WAITING_FOR_FORWARDED_KEY), "WaitingForForwardedKey");
    assert_string_equal(protocol_error_name(PE_INVALID_SHARE), "InvalidShare");
    assert_string_equal(protocol_error_name(PE_PROTOCOL_MSG_DESERIALIZATION),
                        "ProtocolMsgDeserialization");
    assert_string_equal(protocol_error_name(PE_LEGACY_GENESIS_NOT_SUPPORTED),
                        "LegacyGenesisNotSupported");
    assert_string_equal(protocol_error_name((enum protocol_error_kind)PE_COUNT), "unknown error");
    assert_string_equal(phase_name((enum phase)PHASE_COUNT_ALL), "unknown phase");
}

static void phases_and_only_phases_are_read_in_camel_case_too(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct unit value;
    assert_ok(json_decode(&type_phase, BYTES_LIT("\"genesisBooted\""), &a, &value));
    assert_int_equal(value.tag, PHASE_GENESIS_BOOTED);
    assert_int_not_equal(json_decode(&type_phase, BYTES_LIT("\"genesisbooted\""), &a, &value),
                         Q_OK);
    assert_int_not_equal(json_decode(&type_restart, BYTES_LIT("\"never\""), &a, &value), Q_OK);
}

// Reads one document of a type and says whether that was possible.
static bool reads(const struct type *t, const char *text)
{
    ARENA_AUTO a = {0};
    void *value;
    assert_ok(arena_alloc(&a, t->size, &value));
    return json_decode(t, bytes_str(text), &a, value) == Q_OK;
}

static void bridges_are_tagged_inside(void **state)
{
    (void)state;
    assert_true(reads(&type_bridge, "{\"type\":\"server\",\"port\":3000,\"host\":\"0.0.0.0\"}"));
    assert_true(reads(&type_bridge, "{\"port\":\"3000\",\"host\":\"h\",\"type\":\"server\"}"));
    assert_true(reads(&type_bridge, "{\"type\":\"client\",\"port\":443}"));
    assert_true(reads(&type_bridge, "{\"type\":\"client\",\"port\":443,\"host\":null}"));
    assert_false(reads(&type_bridge, "{\"type\":\"server\",\"port\":3000}"));
    assert_false(reads(&type_bridge, "{\"type\":\"client\",\"port\":65536}"));
    assert_false(reads(&type_bridge, "{\"type\":\"Client\",\"port\":1}"));
    assert_false(reads(&type_bridge, "{\"port\":1}"));
    assert_false(reads(&type_bridge, "{\"client\":{\"port\":1}}"));
}

static void fields_that_are_missing_twice_or_of_the_wrong_kind_are_refused(void **state)
{
    (void)state;
    assert_true(reads(&type_member, "{\"alias\":\"a\",\"pubKey\":\"00\",\"more\":[1]}"));
    assert_false(reads(&type_member, "{\"alias\":\"a\"}"));
    assert_false(reads(&type_member, "{\"alias\":\"a\",\"pubKey\":null}"));
    assert_false(reads(&type_member, "{\"alias\":\"a\",\"pubKey\":\"00\",\"pubKey\":\"00\"}"));
    assert_false(reads(&type_member, "{\"alias\":\"a\",\"pubKey\":\"0\"}"));
    assert_false(reads(&type_member, "{\"alias\":\"a\",\"pubKey\":\"zz\"}"));
    assert_false(reads(&type_member, "{\"alias\":1,\"pubKey\":\"00\"}"));
    assert_false(reads(&type_member_set, "{\"threshold\":4294967296,\"members\":[]}"));
    assert_false(reads(&type_member_set, "{\"threshold\":-1,\"members\":[]}"));
    assert_false(reads(&type_member_set, "{\"threshold\":1.0,\"members\":[]}"));
    assert_false(reads(&type_member_set, "{\"threshold\":1,\"members\":{}}"));
}

static void text_numbers_are_read_as_the_original_does(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct member_set set;
    BUF_AUTO out = {0};
    assert_ok(json_decode(&type_member_set, BYTES_LIT("{\"threshold\":\"+005\",\"members\":[]}"),
                          &a, &set));
    assert_int_equal(set.threshold, 5);
    assert_ok(json_encode(&type_member_set, &set, JSON_CANONICAL, &out));
    assert_bytes(buf_bytes(&out), BYTES_LIT("{\"members\":[],\"threshold\":\"5\"}"));
}

static void genesis_sets_have_members_first(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct genesis_set set;
    static const uint8_t borsh[] = {1, 0, 0, 0, 1, 0, 0, 0, 'a', 1, 0, 0, 0, 9, 2, 0, 0, 0};
    assert_ok(borsh_decode(&type_genesis_set, BYTES_OF(borsh), &a, &set));
    assert_int_equal(set.members.n, 1);
    assert_int_equal(set.threshold, 2);
    assert_bytes(set.members.items[0].alias, BYTES_LIT("a"));
    assert_bytes(set.members.items[0].pub_key, BYTES_LIT("\x09"));
}

// A file of ../shared in Borsh and in JSON: each decodes, and encodes to itself and to the other.
static void check_pivot(const struct type *t, const char *borsh_name, const char *json_name)
{
    ARENA_AUTO a = {0};
    BUF_AUTO borsh = {0};
    BUF_AUTO json = {0};
    BUF_AUTO out = {0};
    struct pivot_config pivot = {0};
    shared_bytes(borsh_name, &borsh);
    shared_bytes(json_name, &json);
    assert_ok(borsh_decode(t, buf_bytes(&borsh), &a, &pivot));
    assert_ok(json_encode(t, &pivot, JSON_PLAIN, &out));
    assert_bytes(buf_bytes(&out), buf_bytes(&json));
    buf_clear(&out);
    memset(&pivot, 0, sizeof pivot);
    assert_ok(json_decode(t, buf_bytes(&json), &a, &pivot));
    assert_ok(borsh_encode(t, &pivot, &out));
    assert_bytes(buf_bytes(&out), buf_bytes(&borsh));
}

static void shared_pivot_configs_have_these_bytes(void **state)
{
    (void)state;
    check_pivot(&type_pivot_config_v0, "stable/pivot_config_v0.borsh",
                "stable/pivot_config_v0.json");
    check_pivot(&type_pivot_config_v1, "stable/pivot_config_v1.borsh",
                "stable/pivot_config_v1.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_description_is_sound),
        cmocka_unit_test(rows_of_errors_and_phases_stand_at_their_index),
        cmocka_unit_test(p256_errors_have_the_names_that_crypto_gives_them),
        cmocka_unit_test(names_are_the_originals),
        cmocka_unit_test(phases_and_only_phases_are_read_in_camel_case_too),
        cmocka_unit_test(bridges_are_tagged_inside),
        cmocka_unit_test(fields_that_are_missing_twice_or_of_the_wrong_kind_are_refused),
        cmocka_unit_test(text_numbers_are_read_as_the_original_does),
        cmocka_unit_test(genesis_sets_have_members_first),
        cmocka_unit_test(shared_pivot_configs_have_these_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
