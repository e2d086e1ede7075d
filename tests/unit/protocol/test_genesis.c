// Genesis output: its bytes and hash, the older layout refused by name, what a member checks in it.
#include "protocol_vectors.h"

#include "protocol/genesis.h"

static struct vector_file own;

static int load(void **state)
{
    (void)state;
    vector_file_own(&own, "protocol/genesis.json");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    vector_file_close(&own);
    return 0;
}

static const json_t *row_of(size_t i)
{
    return json_array_get(vector_field(own.root, "rows"), i);
}

static void read_row(size_t i, struct genesis_output *out)
{
    assert_ok(genesis_output_read(vector_hex(&own, row_of(i), "borsh"), &own.arena, out));
}

static void output_has_these_bytes_in_both_encodings_and_this_hash(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        BUF_AUTO borsh = {0};
        BUF_AUTO json = {0};
        struct genesis_output g, again;
        uint8_t hash[SHA256_SIZE];
        read_row(i, &g);
        assert_ok(genesis_output_write(&g, &borsh));
        assert_bytes(buf_bytes(&borsh), vector_hex(&own, row_of(i), "borsh"));
        assert_ok(json_encode(&type_genesis_output, &g, JSON_CANONICAL, &json));
        assert_bytes(buf_bytes(&json), text_field(row_of(i), "canonical"));
        assert_ok(json_decode(&type_genesis_output, buf_bytes(&json), &own.arena, &again));
        assert_ok(genesis_output_hash(&again, hash));
        assert_bytes(BYTES_OF(hash), vector_hex(&own, row_of(i), "hash"));
        assert_int_equal(g.dr_key.p != NULL, i == 0);
        assert_int_equal(g.recovery_permutations.n, 2);
    }
}

static void a_cut_or_longer_file_is_refused(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO longer = {0};
    struct genesis_output g;
    struct bytes file = vector_hex(&own, row_of(0), "borsh");
    for (size_t n = 0; n < file.n; n++)
        assert_int_equal(genesis_output_read(bytes_of(file.p, n), &a, &g), Q_BAD_INPUT);
    assert_ok(buf_append(&longer, file));
    assert_ok(buf_u8(&longer, 0));
    assert_refused(genesis_output_read(buf_bytes(&longer), &a, &g), Q_BAD_INPUT,
                   "genesis output: ");
}

static void a_file_of_release_0_13_0_is_refused_by_name(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct genesis_output g;
    for (size_t i = 0; i < 2; i++)
        assert_refused(genesis_output_read(vector_hex(&own, row_of(i), "legacy_borsh"), &a, &g),
                       Q_UNSUPPORTED, "written by release 0.13.0 or older");
}

static void a_reply_of_release_0_13_0_is_refused_by_name(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct message m;
    struct protocol_error why = {0};
    enum encoding was;
    for (size_t i = 0; i < 2; i++) {
        assert_refused(message_decode(text_field(row_of(i), "legacy_reply"), &a, &m, &was, &why),
                       Q_REFUSED, "release 0.13.0 or older");
        assert_int_equal(why.tag, PE_LEGACY_GENESIS_NOT_SUPPORTED);
    }
}

static void the_output_must_echo_the_request(void **state)
{
    (void)state;
    struct genesis_output g, with_dr;
    read_row(0, &with_dr);
    read_row(1, &g);
    assert_ok(genesis_output_matches(&g, &g.set, BYTES_NONE));
    assert_ok(genesis_output_matches(&with_dr, &g.set, with_dr.dr_key));
    assert_refused(genesis_output_matches(&with_dr, &g.set, BYTES_NONE), Q_REFUSED,
                   "GenesisOutputDoesNotMatchRequest: dr_key");
    assert_refused(genesis_output_matches(&g, &g.set, with_dr.dr_key), Q_REFUSED, "dr_key");
    assert_refused(genesis_output_matches(&with_dr, &g.set, g.quorum_key), Q_REFUSED, "dr_key");
    struct genesis_set asked = g.set;
    asked.threshold = 3;
    assert_refused(genesis_output_matches(&g, &asked, BYTES_NONE), Q_REFUSED,
                   "threshold: expected 3, got 2");
    asked = g.set;
    asked.members.n = 2;
    assert_refused(genesis_output_matches(&g, &asked, BYTES_NONE), Q_REFUSED, "set: ");
    struct member swapped[3] = {g.set.members.items[1], g.set.members.items[0],
                                g.set.members.items[2]};
    asked = g.set;
    asked.members.items = swapped;
    assert_refused(genesis_output_matches(&g, &asked, BYTES_NONE), Q_REFUSED, "set: ");
}

static void there_is_one_output_for_each_member_in_order(void **state)
{
    (void)state;
    struct genesis_output g;
    read_row(1, &g);
    g.member_outputs.n = 2;
    assert_refused(genesis_output_matches(&g, &g.set, BYTES_NONE), Q_REFUSED,
                   "member_outputs: expected 3, got 2");
    read_row(1, &g);
    g.member_outputs.items[2] = g.member_outputs.items[0];
    assert_refused(genesis_output_matches(&g, &g.set, BYTES_NONE), Q_REFUSED, "member_outputs");
}

static void a_member_is_found_by_alias_and_key(void **state)
{
    (void)state;
    struct genesis_output g;
    const struct genesis_member_output *found = NULL;
    read_row(0, &g);
    struct member wanted = g.set.members.items[1];
    assert_ok(genesis_output_find(&g, &wanted, &found));
    assert_ptr_equal(found, &g.member_outputs.items[1]);
    wanted.pub_key = g.set.members.items[0].pub_key;
    assert_refused(genesis_output_find(&g, &wanted, &found), Q_MISSING, "member bo");
}

// --- ../shared -----------------------------------------------------------------------------------

static void shared_output_survives(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    BUF_AUTO out = {0};
    struct genesis_output g;
    shared_bytes("protocol/compat_genesis_output.borsh", &file);
    assert_ok(genesis_output_read(buf_bytes(&file), &a, &g));
    assert_ok(genesis_output_write(&g, &out));
    assert_bytes(buf_bytes(&out), buf_bytes(&file));
}

static void shared_legacy_output_is_refused_by_name(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    struct genesis_output g;
    shared_bytes("protocol/legacy_genesis_output_MUST_FAIL.borsh", &file);
    assert_refused(genesis_output_read(buf_bytes(&file), &a, &g), Q_UNSUPPORTED, "0.13.0 or older");
}

static void shared_canonical_output_survives_and_holds_its_artifacts(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    BUF_AUTO artifacts = {0};
    BUF_AUTO out = {0};
    BUF_AUTO borsh = {0};
    struct genesis_output g;
    shared_bytes("derived/genesis_output.canonical.json", &file);
    shared_bytes("derived/genesis_dr_artifacts", &artifacts);
    assert_ok(json_decode(&type_genesis_output, buf_bytes(&file), &a, &g));
    assert_ok(json_encode(&type_genesis_output, &g, JSON_CANONICAL, &out));
    assert_bytes(buf_bytes(&out), buf_bytes(&file));
    assert_ok(genesis_output_write(&g, &borsh));
    assert_int_equal(borsh.n, 2140);
    assert_ok(genesis_output_matches(&g, &g.set, g.dr_key));
    assert_bytes(g.test_message, BYTES_LIT(GENESIS_TEST_MESSAGE));
    char line[160] = "quorum_key_hash ";
    for (size_t i = 0; i < SHA512_SIZE; i++)
        (void)snprintf(line + strlen(line), 3, "%02x", g.quorum_key_hash[i]);
    assert_non_null(strstr(buf_text(&artifacts), line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_has_these_bytes_in_both_encodings_and_this_hash),
        cmocka_unit_test(a_cut_or_longer_file_is_refused),
        cmocka_unit_test(a_file_of_release_0_13_0_is_refused_by_name),
        cmocka_unit_test(a_reply_of_release_0_13_0_is_refused_by_name),
        cmocka_unit_test(the_output_must_echo_the_request),
        cmocka_unit_test(there_is_one_output_for_each_member_in_order),
        cmocka_unit_test(a_member_is_found_by_alias_and_key),
        cmocka_unit_test(shared_output_survives),
        cmocka_unit_test(shared_legacy_output_is_refused_by_name),
        cmocka_unit_test(shared_canonical_output_survives_and_holds_its_artifacts),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
