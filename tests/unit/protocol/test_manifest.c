// Manifests and envelopes as files and on the wire: three versions, their hashes, what is refused.
#include "protocol_vectors.h"

#include "base/hex.h"

static struct vector_file own;

static int load(void **state)
{
    (void)state;
    vector_file_own(&own, "protocol/manifests.json");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    vector_file_close(&own);
    return 0;
}

// Storage, plain and Borsh forms of what was read.
static void envelope_has_forms(const struct manifest_envelope *e, const json_t *forms)
{
    BUF_AUTO stored = {0};
    BUF_AUTO plain = {0};
    BUF_AUTO borsh = {0};
    assert_ok(envelope_store(e, &stored));
    assert_bytes(buf_bytes(&stored), text_field(forms, "storage"));
    assert_ok(envelope_plain(e, &plain));
    assert_bytes(buf_bytes(&plain), text_field(forms, "plain"));
    if (e->manifest.version == MANIFEST_V2)
        assert_refused(borsh_encode(&type_manifest_envelope, e, &borsh), Q_UNSUPPORTED,
                       "ManifestV2NotConvertibleToBorsh");
    else {
        assert_ok(borsh_encode(&type_manifest_envelope, e, &borsh));
        assert_bytes(buf_bytes(&borsh), vector_hex(&own, forms, "borsh"));
    }
}

static void manifest_has_forms(const struct manifest *m, const json_t *forms, struct bytes hash)
{
    BUF_AUTO stored = {0};
    uint8_t actual[SHA256_SIZE];
    assert_ok(manifest_store(m, &stored));
    assert_bytes(buf_bytes(&stored), text_field(forms, "storage"));
    assert_ok(manifest_hash(m, actual));
    assert_bytes(BYTES_OF(actual), hash);
}

static void every_form_of_every_version_is_read_as_the_same_value(void **state)
{
    (void)state;
    static const char *const names[] = {"storage", "plain", "canonical"};
    for (unsigned version = 0; version < 3; version++) {
        const json_t *row = manifest_row(&own, version);
        const json_t *manifest = vector_field(row, "manifest");
        const json_t *envelope = vector_field(row, "envelope");
        struct bytes hash = vector_hex(&own, row, "hash");
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            ARENA_AUTO a = {0};
            struct manifest m;
            struct manifest_envelope e;
            assert_ok(manifest_read(text_field(manifest, names[i]), &a, &m));
            assert_int_equal(m.version, version);
            manifest_has_forms(&m, manifest, hash);
            assert_ok(envelope_read(text_field(envelope, names[i]), &a, &e));
            assert_int_equal(e.manifest.version, version);
            envelope_has_forms(&e, envelope);
        }
    }
}

static void borsh_files_are_read_as_the_version_they_are(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 2; version++) {
        ARENA_AUTO a = {0};
        const json_t *row = manifest_row(&own, version);
        const json_t *manifest = vector_field(row, "manifest");
        const json_t *envelope = vector_field(row, "envelope");
        struct manifest m;
        struct manifest_envelope e;
        assert_ok(manifest_read(vector_hex(&own, manifest, "borsh"), &a, &m));
        assert_int_equal(m.version, version);
        manifest_has_forms(&m, manifest, vector_hex(&own, row, "hash"));
        assert_ok(envelope_read(vector_hex(&own, envelope, "borsh"), &a, &e));
        assert_int_equal(e.manifest.version, version);
        envelope_has_forms(&e, envelope);
    }
}

static void borsh_with_a_byte_more_or_less_is_refused(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 2; version++) {
        ARENA_AUTO a = {0};
        BUF_AUTO longer = {0};
        struct manifest m;
        struct bytes borsh =
            vector_hex(&own, vector_field(manifest_row(&own, version), "manifest"), "borsh");
        assert_ok(buf_append(&longer, borsh));
        assert_ok(buf_u8(&longer, 0));
        assert_int_not_equal(manifest_read(buf_bytes(&longer), &a, &m), Q_OK);
        for (size_t n = 0; n < borsh.n; n++)
            assert_int_not_equal(manifest_read(bytes_of(borsh.p, n), &a, &m), Q_OK);
    }
}

static void borsh_that_two_versions_accept_is_refused(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct manifest m;
    struct manifest_envelope e;
    const json_t *both = vector_field(own.root, "ambiguous");
    struct bytes manifest = vector_hex(&own, both, "manifest");
    assert_ok(borsh_decode(&type_manifest_v0, manifest, &a, &m));
    assert_ok(borsh_decode(&type_manifest_v1, manifest, &a, &m));
    assert_refused(manifest_read(manifest, &a, &m), Q_BAD_INPUT, "ambiguous borsh encoding");
    assert_refused(envelope_read(vector_hex(&own, both, "envelope"), &a, &e), Q_BAD_INPUT,
                   "ambiguous borsh encoding");
}

// Reads a changed document as a file and, without the guard, as on the wire.
static enum q_err as_file(const json_t *json)
{
    ARENA_AUTO a = {0};
    struct manifest m;
    return manifest_read(dumped(&own, json), &a, &m);
}

static enum q_err on_wire(const json_t *json, enum manifest_version expected)
{
    ARENA_AUTO a = {0};
    struct manifest m;
    enum q_err err = json_decode(&type_manifest, dumped(&own, json), &a, &m);
    if (err == Q_OK)
        assert_int_equal(m.version, expected);
    return err;
}

static void a_stray_version_key_is_refused_in_files_only(void **state)
{
    (void)state;
    json_t *json = stored_json(&own, 1, "manifest");
    json_object_set_new(json, "version", json_null());
    assert_refused(as_file(json), Q_BAD_INPUT, "version");
    assert_ok(on_wire(json, MANIFEST_V1));
    json_object_set_new(json, "version", json_string("v2"));
    assert_refused(as_file(json), Q_BAD_INPUT, "patchSet");
    assert_ok(on_wire(json, MANIFEST_V1));
    json_decref(json);
}

static void a_stray_version_key_in_an_envelope_counts_inside_its_manifest(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct manifest_envelope e;
    json_t *json = stored_json(&own, 1, "envelope");
    json_object_set_new(json, "version", json_integer(1));
    assert_ok(envelope_read(dumped(&own, json), &a, &e));
    json_object_set_new(json_object_get(json, "manifest"), "version", json_integer(1));
    assert_int_not_equal(envelope_read(dumped(&own, json), &a, &e), Q_OK);
    assert_ok(json_decode(&type_manifest_envelope, dumped(&own, json), &a, &e));
    assert_int_equal(e.manifest.version, MANIFEST_V1);
    json_decref(json);
}

static void other_versions_than_v2_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"v1", "v3", "V2", "2", ""};
    json_t *json = stored_json(&own, 2, "manifest");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        json_object_set_new(json, "version", json_string(wrong[i]));
        assert_refused(as_file(json), Q_BAD_INPUT, "version: expected v2");
        assert_refused(on_wire(json, MANIFEST_V2), Q_BAD_INPUT, "version: expected v2");
    }
    json_object_set_new(json, "version", json_integer(2));
    assert_int_not_equal(as_file(json), Q_OK);
    json_object_del(json, "version");
    assert_int_not_equal(as_file(json), Q_OK);
    json_decref(json);
}

static void unknown_fields_are_refused_where_version_2_is_closed(void **state)
{
    (void)state;
    static const char *const closed[] = {"pivot", "dns"};
    static const char *const open[] = {"namespace", "manifestSet", "shareSet", "enclave"};
    for (size_t i = 0; i < 2; i++) {
        json_t *json = stored_json(&own, 2, "manifest");
        json_object_set_new(json_object_get(json, closed[i]), "more", json_null());
        assert_refused(as_file(json), Q_BAD_INPUT, "more");
        json_decref(json);
    }
    for (size_t i = 0; i < 4; i++) {
        json_t *json = stored_json(&own, 2, "manifest");
        json_object_set_new(json_object_get(json, open[i]), "more", json_integer(1));
        assert_ok(as_file(json));
        json_decref(json);
    }
    json_t *json = stored_json(&own, 2, "manifest");
    json_object_set_new(json, "more", json_null());
    assert_refused(as_file(json), Q_BAD_INPUT, "more");
    json_decref(json);
}

static void unknown_fields_around_a_version_2_manifest_are_refused(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct manifest_envelope e;
    json_t *json = stored_json(&own, 2, "envelope");
    json_object_set_new(json, "more", json_true());
    assert_refused(envelope_read(dumped(&own, json), &a, &e), Q_BAD_INPUT, "more");
    json_decref(json);
}

static void unknown_fields_are_ignored_in_versions_0_and_1(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 2; version++) {
        json_t *json = stored_json(&own, version, "manifest");
        json_object_set_new(json, "more", json_array());
        json_object_set_new(json_object_get(json, "pivot"), "env", json_integer(1));
        assert_ok(as_file(json));
        assert_ok(on_wire(json, (enum manifest_version)version));
        json_decref(json);
    }
}

static void duplicate_keys_are_refused_anywhere(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO text = {0};
    struct manifest m;
    struct bytes stored = text_field(vector_field(manifest_row(&own, 1), "manifest"), "storage");
    assert_ok(buf_append_str(&text, "{\"patchSet\":{\"threshold\":0,\"members\":[]},"));
    assert_ok(buf_append(&text, bytes_of(stored.p + 1, stored.n - 1)));
    assert_int_not_equal(manifest_read(buf_bytes(&text), &a, &m), Q_OK);
}

static void an_envelope_of_version_0_has_snake_case_keys(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct manifest_envelope e;
    json_t *json = stored_json(&own, 0, "envelope");
    assert_non_null(json_object_get(json, "manifest_set_approvals"));
    json_object_set(json, "manifestSetApprovals", json_object_get(json, "manifest_set_approvals"));
    json_object_del(json, "manifest_set_approvals");
    assert_refused(envelope_read(dumped(&own, json), &a, &e), Q_BAD_INPUT,
                   "manifest_set_approvals");
    json_decref(json);
}

static void dns_is_kept_when_empty_and_left_out_when_absent(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO stored = {0};
    struct manifest m;
    json_t *json = stored_json(&own, 2, "manifest");
    json_object_set_new(json_object_get(json, "dns"), "resolvers", json_array());
    assert_ok(manifest_read(dumped(&own, json), &a, &m));
    assert_non_null(m.dns);
    assert_ok(manifest_store(&m, &stored));
    assert_non_null(strstr(buf_text(&stored), "\"dns\":{\"resolvers\":[]}"));
    json_object_del(json, "dns");
    assert_ok(manifest_read(dumped(&own, json), &a, &m));
    assert_null(m.dns);
    buf_clear(&stored);
    assert_ok(manifest_store(&m, &stored));
    assert_null(strstr(buf_text(&stored), "dns"));
    json_decref(json);
}

static void version_0_becomes_version_1_without_bridges_or_debug(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO manifest = {0};
    BUF_AUTO envelope = {0};
    struct manifest_envelope e, v1;
    struct manifest m;
    const json_t *row = vector_field(manifest_row(&own, 0), "envelope");
    assert_ok(envelope_read(text_field(row, "storage"), &a, &e));
    assert_ok(manifest_to_v1(&e.manifest, &m));
    assert_ok(borsh_encode(&type_manifest, &m, &manifest));
    assert_bytes(buf_bytes(&manifest), vector_hex(&own, own.root, "v0_as_v1_borsh"));
    assert_ok(envelope_to_v1(&e, &v1));
    assert_ok(borsh_encode(&type_manifest_envelope, &v1, &envelope));
    assert_bytes(buf_bytes(&envelope), vector_hex(&own, own.root, "v0_envelope_as_v1_borsh"));
}

static void version_1_stays_and_version_2_cannot_become_version_1(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct manifest m, v1;
    const json_t *row = manifest_row(&own, 1);
    assert_ok(manifest_read(text_field(vector_field(row, "manifest"), "storage"), &a, &m));
    assert_ok(manifest_to_v1(&m, &v1));
    manifest_has_forms(&v1, vector_field(row, "manifest"), vector_hex(&own, row, "hash"));
    row = vector_field(manifest_row(&own, 2), "manifest");
    assert_ok(manifest_read(text_field(row, "storage"), &a, &m));
    assert_refused(manifest_to_v1(&m, &v1), Q_UNSUPPORTED, "ManifestV2NotConvertibleToBorsh");
}

static void the_sentence_is_about_the_version_the_file_looks_like(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 3; version++) {
        json_t *json = stored_json(&own, version, "manifest");
        json_object_set_new(json_object_get(json, "namespace"), "quorumKey", json_string("0"));
        char expected[64];
        (void)snprintf(expected, sizeof expected, "manifest of version %u", version);
        assert_refused(as_file(json), Q_BAD_INPUT, expected);
        assert_refused(as_file(json), Q_BAD_INPUT, "LengthOne");
        assert_refused(on_wire(json, MANIFEST_V2), Q_BAD_INPUT, expected);
        json_decref(json);
    }
}

static void what_is_no_manifest_is_refused(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct manifest m;
    assert_int_not_equal(manifest_read(BYTES_NONE, &a, &m), Q_OK);
    assert_int_not_equal(manifest_read(BYTES_LIT("{}"), &a, &m), Q_OK);
    assert_int_not_equal(manifest_read(BYTES_LIT("[]"), &a, &m), Q_OK);
    assert_int_not_equal(manifest_read(BYTES_LIT("\"version\""), &a, &m), Q_OK);
    assert_int_not_equal(manifest_read(BYTES_LIT("{\"manifest\":{}"), &a, &m), Q_OK);
    assert_int_not_equal(manifest_read(BYTES_LIT("\xff\xff\xff\xff"), &a, &m), Q_OK);
}

static void approvals_are_read_as_json_only(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct approval approval;
    assert_ok(approval_read(BYTES_LIT("{\"signature\":\"0a\",\"member\":{\"alias\":\"x\","
                                      "\"pubKey\":\"0B\"}}\n"),
                            &a, &approval));
    assert_bytes(approval.signature, BYTES_LIT("\x0a"));
    assert_bytes(approval.member.alias, BYTES_LIT("x"));
    assert_bytes(approval.member.pub_key, BYTES_LIT("\x0b"));
    assert_refused(approval_read(BYTES_LIT("{\"signature\":\"0a\"}"), &a, &approval), Q_BAD_INPUT,
                   "approval.member: ");
}

// --- ../shared -----------------------------------------------------------------------------------

static void shared_manifest(const char *json_name, const char *borsh_name,
                            enum manifest_version version)
{
    ARENA_AUTO a = {0};
    BUF_AUTO json = {0};
    BUF_AUTO borsh = {0};
    BUF_AUTO out = {0};
    struct manifest m;
    shared_bytes(json_name, &json);
    shared_bytes(borsh_name, &borsh);
    assert_ok(manifest_read(buf_bytes(&borsh), &a, &m));
    assert_int_equal(m.version, version);
    assert_ok(manifest_store(&m, &out));
    assert_bytes(buf_bytes(&out), buf_bytes(&json));
    buf_clear(&out);
    assert_ok(manifest_read(buf_bytes(&json), &a, &m));
    assert_int_equal(m.version, version);
    assert_ok(borsh_encode(&type_manifest, &m, &out));
    assert_bytes(buf_bytes(&out), buf_bytes(&borsh));
}

static void shared_envelope(const char *json_name, const char *borsh_name,
                            enum manifest_version version)
{
    ARENA_AUTO a = {0};
    BUF_AUTO json = {0};
    BUF_AUTO borsh = {0};
    BUF_AUTO out = {0};
    struct manifest_envelope e;
    shared_bytes(json_name, &json);
    shared_bytes(borsh_name, &borsh);
    assert_ok(envelope_read(buf_bytes(&borsh), &a, &e));
    assert_int_equal(e.manifest.version, version);
    assert_ok(envelope_store(&e, &out));
    assert_bytes(buf_bytes(&out), buf_bytes(&json));
    buf_clear(&out);
    assert_ok(envelope_read(buf_bytes(&json), &a, &e));
    assert_int_equal(e.manifest.version, version);
    assert_ok(borsh_encode(&type_manifest_envelope, &e, &out));
    assert_bytes(buf_bytes(&out), buf_bytes(&borsh));
}

static void shared_stable_files_have_these_bytes(void **state)
{
    (void)state;
    shared_manifest("stable/manifest_v0.json", "stable/manifest_v0.borsh", MANIFEST_V0);
    shared_manifest("stable/manifest_v1.json", "stable/manifest_v1.borsh", MANIFEST_V1);
    shared_envelope("stable/manifest_envelope_v0.json", "stable/manifest_envelope_v0.borsh",
                    MANIFEST_V0);
    shared_envelope("stable/manifest_envelope_v1.json", "stable/manifest_envelope_v1.borsh",
                    MANIFEST_V1);
}

static void shared_ambiguous_files_are_refused(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    struct manifest m;
    struct manifest_envelope e;
    shared_bytes("stable/ambiguous_manifest_v0.borsh", &file);
    assert_refused(manifest_read(buf_bytes(&file), &a, &m), Q_BAD_INPUT, "ambiguous");
    buf_clear(&file);
    shared_bytes("stable/ambiguous_envelope_v0.borsh", &file);
    assert_refused(envelope_read(buf_bytes(&file), &a, &e), Q_BAD_INPUT, "ambiguous");
}

static void shared_old_manifest_is_version_0(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    BUF_AUTO borsh = {0};
    struct manifest m;
    shared_bytes("stable/old_manifest.decoded.json", &file);
    assert_ok(manifest_read(buf_bytes(&file), &a, &m));
    assert_int_equal(m.version, MANIFEST_V0);
    assert_bytes(m.namespace.name, BYTES_LIT("quit-coding-to-vape"));
    assert_ok(borsh_encode(&type_manifest, &m, &borsh));
    assert_int_equal(borsh.n, 2254);
    assert_ok(manifest_read(buf_bytes(&borsh), &a, &m));
    assert_int_equal(m.version, MANIFEST_V0);
}

static void shared_compat_samples_survive(void **state)
{
    (void)state;
    static const char *const names[] = {
        "protocol/compat_manifest_v0.borsh", "protocol/compat_manifest_v1.borsh",
        "protocol/compat_envelope_v0.borsh", "protocol/compat_envelope_v1.borsh"};
    for (unsigned i = 0; i < 4; i++) {
        ARENA_AUTO a = {0};
        BUF_AUTO file = {0};
        BUF_AUTO out = {0};
        struct manifest_envelope e;
        shared_bytes(names[i], &file);
        const struct type *t = i < 2 ? &type_manifest : &type_manifest_envelope;
        assert_ok(borsh_decode(t, buf_bytes(&file), &a, &e));
        assert_int_equal(e.manifest.version, i % 2);
        assert_ok(borsh_encode(t, &e, &out));
        assert_bytes(buf_bytes(&out), buf_bytes(&file));
    }
}

static void shared_golden_version_2_has_this_hash_and_these_bytes(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    BUF_AUTO hash = {0};
    BUF_AUTO out = {0};
    struct manifest m;
    uint8_t actual[SHA256_SIZE], expected[SHA256_SIZE];
    shared_bytes("derived/golden_manifest_v2.canonical.json", &file);
    shared_bytes("derived/golden_manifest_v2.sha256", &hash);
    assert_ok(manifest_read(buf_bytes(&file), &a, &m));
    assert_int_equal(m.version, MANIFEST_V2);
    assert_ok(manifest_store(&m, &out));
    assert_bytes(buf_bytes(&out), buf_bytes(&file));
    assert_ok(manifest_hash(&m, actual));
    assert_ok(hex_decode_fixed(bytes_trim(buf_bytes(&hash)), expected, sizeof expected));
    assert_memory_equal(actual, expected, sizeof expected);
}

static void shared_enclave_info_shows_the_envelope_in_plain_json(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    BUF_AUTO plain = {0};
    struct manifest_envelope e;
    shared_bytes("derived/enclave_info_booted_v1.json", &file);
    static const char key[] = "\"manifestEnvelope\":", next[] = ",\"ephemeralKey\"";
    const char *text = buf_text(&file);
    const char *start = strstr(text, key) + strlen(key), *end = strstr(text, next);
    struct bytes shown = bytes_of(start, (size_t)(end - start));
    assert_ok(json_decode(&type_manifest_envelope, shown, &a, &e));
    assert_int_equal(e.manifest.version, MANIFEST_V1);
    assert_ok(envelope_plain(&e, &plain));
    assert_bytes(buf_bytes(&plain), shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_every_version_is_read_as_the_same_value),
        cmocka_unit_test(borsh_files_are_read_as_the_version_they_are),
        cmocka_unit_test(borsh_with_a_byte_more_or_less_is_refused),
        cmocka_unit_test(borsh_that_two_versions_accept_is_refused),
        cmocka_unit_test(a_stray_version_key_is_refused_in_files_only),
        cmocka_unit_test(a_stray_version_key_in_an_envelope_counts_inside_its_manifest),
        cmocka_unit_test(other_versions_than_v2_are_refused),
        cmocka_unit_test(unknown_fields_are_refused_where_version_2_is_closed),
        cmocka_unit_test(unknown_fields_around_a_version_2_manifest_are_refused),
        cmocka_unit_test(unknown_fields_are_ignored_in_versions_0_and_1),
        cmocka_unit_test(duplicate_keys_are_refused_anywhere),
        cmocka_unit_test(an_envelope_of_version_0_has_snake_case_keys),
        cmocka_unit_test(dns_is_kept_when_empty_and_left_out_when_absent),
        cmocka_unit_test(version_0_becomes_version_1_without_bridges_or_debug),
        cmocka_unit_test(version_1_stays_and_version_2_cannot_become_version_1),
        cmocka_unit_test(the_sentence_is_about_the_version_the_file_looks_like),
        cmocka_unit_test(what_is_no_manifest_is_refused),
        cmocka_unit_test(approvals_are_read_as_json_only),
        cmocka_unit_test(shared_stable_files_have_these_bytes),
        cmocka_unit_test(shared_ambiguous_files_are_refused),
        cmocka_unit_test(shared_old_manifest_is_version_0),
        cmocka_unit_test(shared_compat_samples_survive),
        cmocka_unit_test(shared_golden_version_2_has_this_hash_and_these_bytes),
        cmocka_unit_test(shared_enclave_info_shows_the_envelope_in_plain_json),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
