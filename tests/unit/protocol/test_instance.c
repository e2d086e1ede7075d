// Manifest envelopes of the REST API and of the core: one manifest, one hash, both ways, and what has no words on one
// side is refused rather than changed (renclave 8.2 C3 to C7, C21; finding 17).
#include "../vector_file.h"

#include "codec/json.h"
#include "crypto/p256.h"
#include "protocol/instance.h"
#include "protocol/manifest.h"

static struct p256_pair *raw, *derived;

static int open_keys(void **state)
{
    (void)state;
    assert_ok(p256_pair_generate_suite(P256_SUITE_RENCLAVE, &raw));
    assert_ok(p256_pair_generate(&derived));
    return 0;
}

static int close_keys(void **state)
{
    (void)state;
    p256_pair_free(&raw);
    p256_pair_free(&derived);
    return 0;
}

static uint8_t pcr[SHA384_SIZE] = {7};
static struct bytes args[2];
static struct api_member people[2];

static struct api_manifest_envelope sample(void)
{
    static const uint8_t hash[SHA256_SIZE] = {1, 2, 3};
    args[0] = BYTES_LIT("arg1");
    args[1] = BYTES_LIT("arg2");
    people[0] = (struct api_member){.alias = BYTES_LIT("short"),
                                    .pub_key = p256_public_short(p256_pair_public(raw))};
    people[1] = (struct api_member){.alias = BYTES_LIT("long"),
                                    .pub_key = p256_public_short(p256_pair_public(derived))};
    return (struct api_manifest_envelope){
        .manifest = {.namespace = {.nonce = 12345,
                                   .name = BYTES_LIT("space"),
                                   .quorum_key = p256_public_short(p256_pair_public(raw))},
                     .enclave = {.pcr0 = BYTES_OF(pcr),
                                 .pcr1 = BYTES_OF(pcr),
                                 .pcr2 = BYTES_OF(pcr),
                                 .pcr3 = BYTES_OF(pcr),
                                 .aws_root_certificate = BYTES_LIT("root"),
                                 .qos_commit = BYTES_LIT("commit")},
                     .pivot = {.hash = BYTES_OF(hash),
                               .restart = BYTES_LIT("Never"),
                               .args = {args, 2}},
                     .manifest_set = {.threshold = 1, .members = {people, 2}},
                     .share_set = {.threshold = 2, .members = {people, 2}}},
    };
}

static struct bytes said(struct arena *a, const struct api_manifest_envelope *e)
{
    BUF_AUTO out = {0};
    struct bytes kept;
    assert_ok(json_encode(&type_api_manifest_envelope, e, JSON_PLAIN, &out));
    assert_ok(arena_copy(a, buf_bytes(&out), &kept));
    return kept;
}

static void hash_of(struct arena *a, const struct api_manifest_envelope *e,
                    uint8_t out[static SHA256_SIZE])
{
    struct manifest_envelope core;
    assert_ok(api_manifest_to_core(e, a, &core));
    assert_ok(manifest_hash(&core.manifest, out));
}

static void there_and_back_is_the_same(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct manifest_envelope core;
    struct api_manifest_envelope back;
    struct api_approval approval = {.signature = BYTES_LIT("signature")};
    struct api_manifest_envelope e = sample();
    approval.member = people[0];
    e.manifest_set_approvals.items = &approval;
    e.manifest_set_approvals.n = 1;
    assert_ok(api_manifest_to_core(&e, &a, &core));
    assert_int_equal(core.manifest.version, MANIFEST_V1);
    assert_int_equal(core.manifest.share_set.members.items[0].pub_key.n, P256_PUBLIC_SIZE);
    assert_ok(api_manifest_from_core(&core, &a, &back));
    assert_bytes(said(&a, &back), said(&a, &e));
}

static void always_too_is_a_restart_policy_but_not_on_failure(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct manifest_envelope core;
    struct api_manifest_envelope e = sample(), back;
    e.manifest.pivot.restart = BYTES_LIT("Always");
    assert_ok(api_manifest_to_core(&e, &a, &core));
    assert_int_equal(core.manifest.pivot.restart.tag, RESTART_ALWAYS);
    assert_ok(api_manifest_from_core(&core, &a, &back));
    assert_bytes(back.manifest.pivot.restart, BYTES_LIT("Always"));
    static const char *const bad[] = {"OnFailure", "never", "", "Nev"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        e.manifest.pivot.restart = bytes_str(bad[i]);
        assert_refused(api_manifest_to_core(&e, &a, &core), Q_BAD_INPUT, "pivot.restart");
    }
}

static void finding_17_what_the_original_runs_together_has_hashes_of_its_own(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct bytes joined = BYTES_LIT("arg1arg2");
    uint8_t hashes[3][SHA256_SIZE];
    struct api_manifest_envelope e = sample();
    hash_of(&a, &e, hashes[0]);
    e.manifest.pivot.args.items = &joined;
    e.manifest.pivot.args.n = 1;
    hash_of(&a, &e, hashes[1]);
    e = sample();
    e.manifest.namespace.name = BYTES_LIT("spac");
    hash_of(&a, &e, hashes[2]);
    assert_memory_not_equal(hashes[0], hashes[1], SHA256_SIZE);
    assert_memory_not_equal(hashes[0], hashes[2], SHA256_SIZE);
}

static void approvals_do_not_change_the_hash(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    uint8_t with[SHA256_SIZE], without[SHA256_SIZE];
    struct api_manifest_envelope e = sample();
    struct api_approval approval = {.signature = BYTES_LIT("s"), .member = people[1]};
    hash_of(&a, &e, without);
    e.share_set_approvals.items = &approval;
    e.share_set_approvals.n = 1;
    hash_of(&a, &e, with);
    assert_memory_equal(with, without, SHA256_SIZE);
}

static void refuses_what_the_core_cannot_hold(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct manifest_envelope core;
    struct api_manifest_envelope e = sample();
    e.manifest.namespace.nonce = UINT64_C(1) << 32;
    assert_refused(api_manifest_to_core(&e, &a, &core), Q_BAD_INPUT, "nonce");
    e.manifest.namespace.nonce = UINT32_MAX;
    assert_ok(api_manifest_to_core(&e, &a, &core));
    e.manifest.pivot.hash.n = SHA256_SIZE - 1;
    assert_refused(api_manifest_to_core(&e, &a, &core), Q_BAD_INPUT, "pivot hash");
    e = sample();
    e.manifest.namespace.quorum_key.n--;
    assert_refused(api_manifest_to_core(&e, &a, &core), Q_CRYPTO, "quorum_key");
    e = sample();
    people[1].pub_key = p256_public_bytes(p256_pair_public(raw)); // one point twice: a second form
    assert_refused(api_manifest_to_core(&e, &a, &core), Q_CRYPTO, "members[1]");
    e = sample();
    people[0].alias = BYTES_NONE;
    assert_refused(api_manifest_to_core(&e, &a, &core), Q_BAD_INPUT, "alias");
    people[0].member_alias = BYTES_LIT("other word");
    assert_ok(api_manifest_to_core(&e, &a, &core));
    assert_bytes(core.manifest.share_set.members.items[0].alias, BYTES_LIT("other word"));
}

static void refuses_what_the_api_has_no_words_for(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct manifest_envelope core;
    struct api_manifest_envelope e = sample(), out;
    struct bridge bridge = {.tag = BRIDGE_SERVER};
    struct dns_config dns = {0};
    assert_ok(api_manifest_to_core(&e, &a, &core));
    for (int which = 0; which < 6; which++) {
        struct manifest_envelope other = core;
        struct manifest *m = &other.manifest;
        if (which == 0)
            m->version = MANIFEST_V2;
        if (which == 1)
            m->version = MANIFEST_V0;
        if (which == 2) {
            m->pivot.bridges.items = &bridge;
            m->pivot.bridges.n = 1;
        }
        if (which == 3)
            m->pivot.debug_mode = true;
        if (which == 4)
            m->patch_set.threshold = 1;
        if (which == 5)
            m->dns = &dns;
        assert_refused(api_manifest_from_core(&other, &a, &out), Q_UNSUPPORTED, "no words");
    }
    assert_ok(api_manifest_from_core(&core, &a, &out));
}

// The vectors' hash is over 65-byte keys as they are; ours is over their long form, and no other thing differs.
static void the_shared_manifest_has_the_vectors_hash_but_for_its_keys(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    ARENA_AUTO a = {0};
    BUF_AUTO text = {0};
    struct api_manifest_envelope e;
    struct manifest_envelope core;
    uint8_t hash[SHA256_SIZE];
    vector_file_shared(&f, "vectors/renclave/manifest_vectors.json");
    const json_t *manifest = vector_field(vector_field(f.root, "with_pcrs"), "manifest_json");
    assert_ok(buf_append_str(&text, "{\"manifest\":"));
    assert_ok(json_write_tree(manifest, JSON_COMPACT, &text));
    assert_ok(buf_append_str(&text, ",\"manifest_set_approvals\":[],\"share_set_approvals\":[]}"));
    assert_ok(
        json_decode_up_to(&type_api_manifest_envelope, buf_bytes(&text), API_MAX_VALUES, &a, &e));
    assert_ok(api_manifest_to_core(&e, &a, &core));
    core.manifest.namespace.quorum_key.n = P256_POINT_SIZE;
    struct member_set *const sets[] = {&core.manifest.manifest_set, &core.manifest.share_set};
    for (size_t s = 0; s < 2; s++)
        for (size_t i = 0; i < sets[s]->members.n; i++)
            sets[s]->members.items[i].pub_key.n = P256_POINT_SIZE;
    assert_ok(manifest_hash(&core.manifest, hash));
    assert_bytes(BYTES_OF(hash), vector_hex(&f, vector_field(f.root, "qos_mapping_of_with_pcrs"),
                                            "v1_borsh_sha256_hex"));
}

int main(void)
{
    if (secret_init(true) != Q_OK || json_start() != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back_is_the_same),
        cmocka_unit_test(always_too_is_a_restart_policy_but_not_on_failure),
        cmocka_unit_test(finding_17_what_the_original_runs_together_has_hashes_of_its_own),
        cmocka_unit_test(approvals_do_not_change_the_hash),
        cmocka_unit_test(refuses_what_the_core_cannot_hold),
        cmocka_unit_test(refuses_what_the_api_has_no_words_for),
        cmocka_unit_test(the_shared_manifest_has_the_vectors_hash_but_for_its_keys),
    };
    return cmocka_run_group_tests(tests, open_keys, close_keys);
}
