// The manifest as applications read it: every getter, every version, and what is refused.
#include "app_fixture.h"

#include "base/hex.h"

#include <jansson.h>

static void every_getter_tells_what_the_manifest_says(void **state)
{
    struct enclave *e = *state;
    struct app_manifest *m = NULL;
    assert_app_ok(app_manifest_read(e->manifest_path, &m));
    assert_string_equal(app_manifest_namespace(m), "production-v1");
    assert_int_equal(app_manifest_nonce(m), 7);
    assert_memory_equal(app_manifest_hash(m), e->hash, APP_HASH_SIZE);
    assert_memory_equal(app_manifest_quorum_key(m), p256_pair_public(e->quorum)->bytes,
                        APP_PUBLIC_KEY_SIZE);
    assert_memory_equal(app_manifest_pivot_hash(m), e->envelope.manifest.pivot.hash, APP_HASH_SIZE);
    assert_int_equal(app_manifest_arg_count(m), 2);
    assert_string_equal(app_manifest_arg(m, 0), "--port");
    assert_string_equal(app_manifest_arg(m, 1), "3000");
    assert_null(app_manifest_arg(m, 2));
    assert_int_equal(app_manifest_env_count(m), 2);
    assert_string_equal(app_manifest_env_name(m, 0), "EMPTY");
    assert_string_equal(app_manifest_env_name(m, 1), "GREETING");
    assert_null(app_manifest_env_name(m, 2));
    assert_string_equal(app_manifest_env(m, "GREETING"), "hello");
    assert_string_equal(app_manifest_env(m, "EMPTY"), "");
    assert_null(app_manifest_env(m, "HOME"));
    assert_null(app_manifest_env(m, NULL));
    assert_app_ok(app_manifest_check_approvals(m));
    app_manifest_free(m);
}

static void assert_set(const json_t *sets, const char *name, const struct member_set *expected)
{
    const json_t *set = json_object_get(sets, name);
    const json_t *members = json_object_get(set, "members");
    assert_int_equal(json_integer_value(json_object_get(set, "threshold")), expected->threshold);
    assert_int_equal(json_array_size(members), expected->members.n);
    for (size_t i = 0; i < expected->members.n; i++) {
        const json_t *member = json_array_get(members, i);
        BUF_AUTO key = {0};
        assert_ok(
            hex_decode(bytes_str(json_string_value(json_object_get(member, "pubKey"))), &key));
        assert_bytes(buf_bytes(&key), expected->members.items[i].pub_key);
        assert_bytes(bytes_str(json_string_value(json_object_get(member, "alias"))),
                     expected->members.items[i].alias);
    }
}

static void member_lists_are_json(void **state)
{
    struct enclave *e = *state;
    struct app_manifest *m = parse_manifest(e);
    json_t *sets = json_loads(app_manifest_members_json(m), JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_object_size(sets), 2);
    assert_set(sets, "manifestSet", &e->envelope.manifest.manifest_set);
    assert_set(sets, "shareSet", &e->envelope.manifest.share_set);
    json_decref(sets);
    json_t *whole = json_loads(app_manifest_json(m), JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_array_size(json_object_get(whole, "manifestSetApprovals")), 2);
    json_decref(whole);
    app_manifest_free(m);
}

static void older_versions_have_no_environment(void **state)
{
    struct enclave *e = *state;
    static const enum manifest_version versions[] = {MANIFEST_V0, MANIFEST_V1};
    for (size_t i = 0; i < 2; i++) {
        e->envelope.manifest.version = versions[i];
        enclave_approve(e);
        enclave_store(e);
        struct app_manifest *m = parse_manifest(e);
        assert_int_equal(app_manifest_env_count(m), 0);
        assert_null(app_manifest_env(m, "GREETING"));
        assert_int_equal(app_manifest_arg_count(m), 2);
        assert_memory_equal(app_manifest_hash(m), e->hash, APP_HASH_SIZE);
        assert_app_ok(app_manifest_check_approvals(m));
        app_manifest_free(m);
    }
}

static void too_few_and_forged_approvals_are_refused(void **state)
{
    struct enclave *e = *state;
    e->envelope.manifest_set_approvals.n = 1;
    enclave_store(e);
    struct app_manifest *m = parse_manifest(e);
    assert_status(app_manifest_check_approvals(m), APP_REFUSED, "NotEnoughApprovals");
    app_manifest_free(m);

    enclave_approve(e);
    e->envelope.manifest_set_approvals.items[1] = e->envelope.manifest_set_approvals.items[0];
    enclave_store(e);
    m = parse_manifest(e);
    assert_status(app_manifest_check_approvals(m), APP_REFUSED, "DuplicateApproval");
    app_manifest_free(m);

    enclave_approve(e);
    e->envelope.manifest.namespace.nonce++; // approved was another
    enclave_store(e);
    m = parse_manifest(e);
    assert_status(app_manifest_check_approvals(m), APP_REFUSED, "InvalidManifestApproval");
    app_manifest_free(m);
    assert_int_equal(app_manifest_check_approvals(NULL), APP_BAD_INPUT);
}

static void assert_unreadable(struct enclave *e, const char *text)
{
    struct app_manifest *m = (struct app_manifest *)e;
    enclave_store(e);
    assert_status(app_manifest_read(e->manifest_path, &m), APP_BAD_INPUT, text);
    assert_null(m);
}

static void texts_with_nul_are_refused(void **state)
{
    struct enclave *e = *state;
    struct manifest *m = &e->envelope.manifest;
    const struct manifest good = *m;
    struct bytes args[] = {{(const uint8_t *)"a\0b", 3}};
    struct env_var value[] = {{{(const uint8_t *)"A", 1}, {(const uint8_t *)"\0", 1}}};
    m->namespace.name = bytes_of("prod\0uction", 11);
    assert_unreadable(e, "namespace: expected text without NUL");
    *m = good;
    m->pivot.args.items = args;
    m->pivot.args.n = 1;
    assert_unreadable(e, "argument: expected text without NUL");
    *m = good;
    m->pivot.env.items = value;
    m->pivot.env.n = 1;
    // The codec may refuse it before.
    struct app_manifest *read = NULL;
    BUF_AUTO stored = {0};
    if (envelope_store(&e->envelope, &stored) == Q_OK)
        assert_int_equal(app_manifest_parse(stored.p, stored.n, &read), APP_BAD_INPUT);
    assert_null(read);
}

static void a_quorum_key_that_is_none_is_refused(void **state)
{
    struct enclave *e = *state;
    struct bytes *key = &e->envelope.manifest.namespace.quorum_key;
    const struct bytes good = *key;
    uint8_t off_curve[APP_PUBLIC_KEY_SIZE] = {4};
    *key = bytes_of(good.p, good.n - 1);
    assert_unreadable(e, "EncodedPublicKeyTooShort");
    *key = BYTES_OF(off_curve);
    assert_unreadable(e, "FailedToReadPublicKey");
    *key = BYTES_LIT("");
    assert_unreadable(e, "quorum key");
}

static void what_is_no_envelope_is_refused(void **state)
{
    struct enclave *e = *state;
    struct app_manifest *m = (struct app_manifest *)e;
    for (size_t n = 0; n < e->stored.n; n += 1 + n / 8) {
        assert_int_equal(app_manifest_parse(e->stored.p, n, &m), APP_BAD_INPUT);
        assert_null(m);
    }
    assert_int_equal(app_manifest_parse("{}", 2, &m), APP_BAD_INPUT);
    assert_int_equal(app_manifest_parse("\xff\xff\xff\xff", 4, &m), APP_BAD_INPUT);
    BUF_AUTO bare = {0}; // a manifest without its envelope
    assert_ok(manifest_store(&e->envelope.manifest, &bare));
    assert_int_equal(app_manifest_parse(bare.p, bare.n, &m), APP_BAD_INPUT);
    assert_int_equal(app_manifest_parse(NULL, 1, &m), APP_BAD_INPUT);
    assert_int_equal(app_manifest_parse(e->stored.p, e->stored.n, NULL), APP_BAD_INPUT);
    assert_int_equal(app_manifest_parse(e->stored.p, SIZE_MAX, &m), APP_TOO_LARGE);
    assert_int_equal(app_manifest_read(e->manifest_path, NULL), APP_BAD_INPUT);
    assert_status(app_manifest_read("/nonexistent/manifest", &m), APP_IO, "/nonexistent/manifest");
    assert_null(m);
}

static void no_manifest_says_nothing(void **state)
{
    (void)state;
    assert_null(app_manifest_hash(NULL));
    assert_null(app_manifest_namespace(NULL));
    assert_int_equal(app_manifest_nonce(NULL), 0);
    assert_null(app_manifest_quorum_key(NULL));
    assert_null(app_manifest_pivot_hash(NULL));
    assert_int_equal(app_manifest_arg_count(NULL), 0);
    assert_null(app_manifest_arg(NULL, 0));
    assert_int_equal(app_manifest_env_count(NULL), 0);
    assert_null(app_manifest_env_name(NULL, 0));
    assert_null(app_manifest_env(NULL, "A"));
    assert_null(app_manifest_members_json(NULL));
    assert_null(app_manifest_json(NULL));
}

static int start(void **state)
{
    (void)state;
    return app_start(true, NULL) == APP_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENCLAVE_TEST(every_getter_tells_what_the_manifest_says),
        ENCLAVE_TEST(member_lists_are_json),
        ENCLAVE_TEST(older_versions_have_no_environment),
        ENCLAVE_TEST(too_few_and_forged_approvals_are_refused),
        ENCLAVE_TEST(texts_with_nul_are_refused),
        ENCLAVE_TEST(a_quorum_key_that_is_none_is_refused),
        ENCLAVE_TEST(what_is_no_envelope_is_refused),
        cmocka_unit_test(no_manifest_says_nothing),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
