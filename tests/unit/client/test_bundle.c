// Bundles and answers (client/bundle/bundle.h): one form per value, and answers that are to this bundle. The
// end-to-end tests make them through the commands.
#include "../cmocka_setup.h"

#include "client/bundle/bundle.h"
#include "client/manifest/member_signature.h"
#include "codec/describe.h"
#include "protocol/manifest.h"

#define DOCUMENT BYTES_LIT("not a document")

static struct member_key *member_key(void)
{
    struct p256_pair *pair = NULL;
    uint8_t seed[P256_SEED_SIZE] = {7};
    assert_ok(p256_pair_from_seed(BYTES_OF(seed), &pair));
    struct member_key *key = NULL;
    assert_ok(member_key_from_pair(&pair, &key));
    return key;
}

// A manifest of version 2 whose one member has this key.
static struct manifest manifest_of(struct member *me)
{
    return (struct manifest){
        .version = MANIFEST_V2,
        .version_text = BYTES_LIT("v2"),
        .namespace = {.name = BYTES_LIT("n/a"), .nonce = 3, .quorum_key = me->pub_key},
        .pivot = {.hash = {1}, .restart = {RESTART_NEVER}},
        .manifest_set = {.threshold = 1, .members = {me, 1}},
        .share_set = {.threshold = 2, .members = {me, 1}},
        .enclave = {.pcr0 = BYTES_LIT("0"),
                    .pcr1 = BYTES_LIT("1"),
                    .pcr2 = BYTES_LIT("2"),
                    .pcr3 = BYTES_LIT("3"),
                    .root_certificate = BYTES_LIT("root"),
                    .qos_commit = BYTES_LIT("")},
    };
}

static struct bundle bundle_of(const struct manifest *m)
{
    struct bundle b = {.format = BYTES_LIT(BUNDLE_FORMAT),
                       .alias = BYTES_LIT("me"),
                       .made_s = 1700000000,
                       .role = BYTES_LIT("role"),
                       .task = {.tag = BUNDLE_APPROVE_MANIFEST, .manifest = *m}};
    assert_ok(manifest_hash(m, b.manifest_hash));
    return b;
}

static void descriptions_fit_their_types(void **state)
{
    (void)state;
    assert_ok(type_check(&type_bundle));
    assert_ok(type_check(&type_bundle_answer));
}

static void a_bundle_is_read_as_it_was_written(void **state)
{
    (void)state;
    MEMBER_KEY_AUTO *key = member_key();
    struct member me = member_of("me", key);
    const struct manifest m = manifest_of(&me);
    const struct bundle b = bundle_of(&m);
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    struct bundle read;
    assert_ok(bundle_write(&b, &file));
    assert_ok(bundle_read(buf_bytes(&file), "b", &a, &read));
    assert_bytes(read.alias, b.alias);
    assert_bytes(read.role, b.role);
    assert_int_equal(read.made_s, b.made_s);
    assert_int_equal(read.task.tag, BUNDLE_APPROVE_MANIFEST);
    assert_int_equal(bundle_manifest(&read)->namespace.nonce, 3);
    assert_memory_equal(read.manifest_hash, b.manifest_hash, SHA256_SIZE);
}

static void a_share_bundle_has_envelope_and_document(void **state)
{
    (void)state;
    MEMBER_KEY_AUTO *key = member_key();
    struct member me = member_of("me", key);
    const struct manifest m = manifest_of(&me);
    struct bundle b = bundle_of(&m), read;
    b.task = (struct bundle_task){.tag = BUNDLE_RE_ENCRYPT_SHARE,
                                  .enclave = {.envelope = {.manifest = m}, .document = DOCUMENT}};
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    assert_ok(bundle_write(&b, &file));
    assert_ok(bundle_read(buf_bytes(&file), "b", &a, &read));
    assert_bytes(read.task.enclave.document, DOCUMENT);
    assert_ptr_equal(bundle_manifest(&read), &read.task.enclave.envelope.manifest);
}

static void the_hash_in_a_bundle_is_the_manifests(void **state)
{
    (void)state;
    MEMBER_KEY_AUTO *key = member_key();
    struct member me = member_of("me", key);
    const struct manifest m = manifest_of(&me);
    struct bundle b = bundle_of(&m), read;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    b.manifest_hash[31] ^= 1;
    assert_ok(bundle_write(&b, &file));
    assert_refused(bundle_read(buf_bytes(&file), "the file", &a, &read), Q_REFUSED,
                   "the file: the manifest has another hash");
}

static void a_document_beyond_the_limit_is_not_read(void **state)
{
    (void)state;
    static uint8_t large[((size_t)32 << 10) + 1];
    MEMBER_KEY_AUTO *key = member_key();
    struct member me = member_of("me", key);
    const struct manifest m = manifest_of(&me);
    struct bundle b = bundle_of(&m), read;
    b.task =
        (struct bundle_task){.tag = BUNDLE_RE_ENCRYPT_SHARE,
                             .enclave = {.envelope = {.manifest = m}, .document = BYTES_OF(large)}};
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    assert_ok(bundle_write(&b, &file));
    assert_refused(bundle_read(buf_bytes(&file), "b", &a, &read), Q_LIMIT, "attestationDoc");
}

static void an_answer_must_be_to_this_bundle_and_by_its_member(void **state)
{
    (void)state;
    MEMBER_KEY_AUTO *key = member_key();
    struct member me = member_of("me", key);
    const struct manifest m = manifest_of(&me);
    const struct bundle b = bundle_of(&m);
    uint8_t signature[P256_SIGNATURE_SIZE];
    struct bundle_answer good = {.format = BYTES_LIT(ANSWER_FORMAT), .bundle_hash = {9}}, read;
    const uint8_t hash[SHA256_SIZE] = {9}, other[SHA256_SIZE] = {8};
    assert_ok(approval_sign(key, "me", b.manifest_hash, signature, &good.approval));
    assert_ok(answer_check(&good, &b, hash));
    assert_refused(answer_check(&good, &b, other), Q_REFUSED, "one to this bundle");

    struct bundle_answer bad = good;
    bad.result.tag = BUNDLE_RE_ENCRYPT_SHARE;
    assert_refused(answer_check(&bad, &b, hash), Q_REFUSED, "one to this bundle");
    bad = good;
    bad.approval.member.alias = BYTES_LIT("you");
    assert_refused(answer_check(&bad, &b, hash), Q_REFUSED, "expected one of me, found one of you");
    signature[5] ^= 1;
    assert_refused(answer_check(&good, &b, hash), Q_CRYPTO, "approval of me");
    signature[5] ^= 1;

    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    assert_ok(answer_write(&good, &file));
    assert_ok(answer_read(buf_bytes(&file), "a", &a, &read));
    assert_ok(answer_check(&read, &b, hash));
}

static void a_share_answer_needs_a_document_with_a_key(void **state)
{
    (void)state;
    MEMBER_KEY_AUTO *key = member_key();
    struct member me = member_of("me", key);
    const struct manifest m = manifest_of(&me);
    struct bundle b = bundle_of(&m);
    uint8_t signature[P256_SIGNATURE_SIZE];
    const uint8_t hash[SHA256_SIZE] = {9};
    struct bundle_answer answer = {.bundle_hash = {9}, .result = {.tag = BUNDLE_RE_ENCRYPT_SHARE}};
    b.task = (struct bundle_task){.tag = BUNDLE_RE_ENCRYPT_SHARE,
                                  .enclave = {.envelope = {.manifest = m}, .document = DOCUMENT}};
    answer.result.sealed.share = BYTES_LIT("share");
    assert_ok(approval_sign(key, "me", b.manifest_hash, signature, &answer.approval));
    assert_int_not_equal(answer_check(&answer, &b, hash), Q_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptions_fit_their_types),
        cmocka_unit_test(a_bundle_is_read_as_it_was_written),
        cmocka_unit_test(a_share_bundle_has_envelope_and_document),
        cmocka_unit_test(the_hash_in_a_bundle_is_the_manifests),
        cmocka_unit_test(a_document_beyond_the_limit_is_not_read),
        cmocka_unit_test(an_answer_must_be_to_this_bundle_and_by_its_member),
        cmocka_unit_test(a_share_answer_needs_a_document_with_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
