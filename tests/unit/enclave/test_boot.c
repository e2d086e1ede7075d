// Boot standard: what is accepted, each refusal with phase and files as before, and the one thing that is
// unrecoverable: a TEE that fails after its first extend (qos-behaviour 2.6).
#include "ceremony.h"

#include "base/hex.h"
#include "tee/provider.h"

#include <sys/stat.h>
#include <unistd.h>

static mode_t mode_of(const struct ceremony *c, enum published_file which)
{
    struct stat s;
    assert_int_equal(stat(c->files[which], &s), 0);
    return s.st_mode & 07777;
}

static void assert_booted(struct ceremony *c, const struct message *reply)
{
    assert_int_equal(reply->tag, MSG_BOOT_STANDARD_RESPONSE);
    assert_document(c, reply->nsm.nsm_response.attestation.data, COMMITMENT_SETUP, KEY_SETUP);
    assert_phase(c, PHASE_WAITING_FOR_QUORUM_SHARDS);
    assert_bytes(ceremony_read(c, PUBLISHED_PIVOT), c->pivot);
    assert_int_equal(ceremony_read(c, PUBLISHED_EPHEMERAL).n, 64);
    assert_false(ceremony_file_exists(c, PUBLISHED_QUORUM));
    BUF_AUTO stored = {0};
    assert_ok(envelope_store(&c->envelope, &stored));
    assert_bytes(ceremony_read(c, PUBLISHED_MANIFEST), buf_bytes(&stored));
    assert_int_equal(mode_of(c, PUBLISHED_EPHEMERAL), 0400);
    assert_int_equal(mode_of(c, PUBLISHED_PIVOT), 0500);
    assert_int_equal(mode_of(c, PUBLISHED_MANIFEST), 0444);
}

static void boots_in_json(void **state)
{
    struct ceremony *c = *state;
    struct message m = ceremony_boot_request(c, MSG_BOOT_STANDARD_REQUEST);
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_booted(c, &reply);
}

static void boots_with_message_23(void **state)
{
    struct ceremony *c = *state;
    struct message m = ceremony_boot_request(c, MSG_BOOT_STANDARD_JSON_ENVELOPE_REQUEST);
    struct message reply = ceremony_send(c, &m, ENCODING_BORSH);
    assert_booted(c, &reply);
}

static void boots_manifests_of_version_2(void **state)
{
    struct ceremony *c = *state;
    c->envelope.manifest.version = MANIFEST_V2;
    c->envelope.manifest.version_text = BYTES_LIT("v2");
    ceremony_approve(c, 3);
    struct message m = ceremony_boot_request(c, MSG_BOOT_STANDARD_JSON_ENVELOPE_REQUEST);
    struct message reply = ceremony_send(c, &m, ENCODING_BORSH);
    assert_booted(c, &reply);
}

static void boots_manifests_of_version_0(void **state)
{
    struct ceremony *c = *state;
    c->envelope.manifest.version = MANIFEST_V0;
    ceremony_approve(c, 2);
    struct message m = ceremony_boot_request(c, MSG_BOOT_STANDARD_REQUEST);
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_booted(c, &reply);
}

static void the_ephemeral_file_holds_the_attested_setup_key(void **state)
{
    struct ceremony *c = *state;
    ceremony_boot(c);
    uint8_t seed[P256_SEED_SIZE];
    assert_ok(hex_decode_fixed(ceremony_read(c, PUBLISHED_EPHEMERAL), seed, sizeof seed));
    P256_PAIR_AUTO *pair = NULL;
    assert_ok(p256_pair_from_seed(BYTES_OF(seed), &pair));
    assert_bytes(p256_public_bytes(p256_pair_public(pair)),
                 p256_public_bytes(keyring_public(c->enclave->keyring, KEY_SETUP)));
}

// Sends the envelope as it is, which must be refused without a trace; then the right one must boot.
static void refused(struct ceremony *c, const struct ceremony *bad,
                    enum protocol_error_kind expected)
{
    BUF_AUTO before = {0};
    BUF_AUTO after = {0};
    struct message m = ceremony_boot_request(bad, MSG_BOOT_STANDARD_REQUEST);
    ceremony_snapshot(c, &before);
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_error(&reply, expected);
    assert_phase(c, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    ceremony_snapshot(c, &after);
    assert_bytes(buf_bytes(&after), buf_bytes(&before));
    assert_null(c->enclave->booted);
    assert_null(keyring_public(c->enclave->keyring, KEY_SETUP));
}

static void refuses_approvals_that_are_too_few_repeated_wrong_or_an_outsiders(void **state)
{
    struct ceremony *c = *state;
    struct ceremony bad = *c;
    struct approval approvals[3] = {ceremony_approval(c, 0)};
    bad.envelope.manifest_set_approvals.items = approvals;
    bad.envelope.manifest_set_approvals.n = 0;
    refused(c, &bad, PE_NOT_ENOUGH_APPROVALS);
    bad.envelope.manifest_set_approvals.n = 1;
    refused(c, &bad, PE_NOT_ENOUGH_APPROVALS);
    bad.envelope.manifest_set_approvals.n = 2;
    approvals[1] = approvals[0];
    refused(c, &bad, PE_DUPLICATE_APPROVAL);
    approvals[1] = ceremony_approval(c, 3);
    refused(c, &bad, PE_NOT_MANIFEST_SET_MEMBER);
    approvals[1] = ceremony_approval(c, 1);
    approvals[1].member.alias = BYTES_LIT("robert");
    refused(c, &bad, PE_NOT_MANIFEST_SET_MEMBER);
    approvals[1] = ceremony_approval(c, 1);
    approvals[1].signature = approvals[0].signature;
    refused(c, &bad, PE_INVALID_MANIFEST_APPROVAL);
    // A bad one too many is refused although the threshold is met without it.
    approvals[1] = ceremony_approval(c, 1);
    approvals[2] = ceremony_approval(c, 3);
    bad.envelope.manifest_set_approvals.n = 3;
    refused(c, &bad, PE_NOT_MANIFEST_SET_MEMBER);
    ceremony_boot(c);
}

static void refuses_a_manifest_other_than_the_approved_one(void **state)
{
    struct ceremony *c = *state;
    struct ceremony bad = *c;
    bad.envelope.manifest.namespace.name = BYTES_LIT("other/namespace");
    refused(c, &bad, PE_INVALID_MANIFEST_APPROVAL);
    bad = *c;
    bad.envelope.manifest.namespace.nonce = 2;
    refused(c, &bad, PE_INVALID_MANIFEST_APPROVAL);
    bad = *c;
    bad.envelope.manifest.pivot.hash[0] ^= 1;
    refused(c, &bad, PE_INVALID_MANIFEST_APPROVAL);
    ceremony_boot(c);
}

static void refuses_share_approvals_in_the_envelope(void **state)
{
    struct ceremony *c = *state;
    struct ceremony bad = *c;
    struct approval approval = ceremony_approval(c, 0);
    bad.envelope.share_set_approvals.items = &approval;
    bad.envelope.share_set_approvals.n = 1;
    refused(c, &bad, PE_BAD_SHARE_SET_APPROVALS);
    ceremony_boot(c);
}

static void refuses_another_application(void **state)
{
    struct ceremony *c = *state;
    struct ceremony bad = *c;
    bad.pivot = BYTES_LIT("#!/bin/sh\nexit 1\n");
    struct message m = ceremony_boot_request(&bad, MSG_BOOT_STANDARD_REQUEST);
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_error(&reply, PE_INVALID_PIVOT_HASH);
    assert_int_equal(reply.error.difference.expected.n, 64);
    assert_int_equal(reply.error.difference.actual.n, 64);
    refused(c, &bad, PE_INVALID_PIVOT_HASH);
    ceremony_boot(c);
}

static void refuses_a_quorum_key_that_is_none(void **state)
{
    struct ceremony *c = *state;
    struct ceremony right = *c;
    uint8_t off_curve[P256_PUBLIC_SIZE] = {4};
    c->envelope.manifest.namespace.quorum_key = BYTES_OF(off_curve);
    ceremony_approve(c, 2);
    struct ceremony bad = *c;
    refused(c, &bad, PE_P256_ERROR);
    c->envelope = right.envelope;
    ceremony_boot(c);
}

static void refuse_sets(struct ceremony *c, uint32_t manifest_k, uint32_t share_k, size_t share_n,
                        enum protocol_error_kind expected)
{
    struct manifest *m = &c->envelope.manifest;
    m->manifest_set.threshold = manifest_k;
    m->share_set.threshold = share_k;
    m->share_set.members.n = share_n;
    ceremony_approve(c, 3);
    struct ceremony bad = *c;
    refused(c, &bad, expected);
}

static void refuses_a_quorum_key_of_the_rest_api(void **state)
{
    struct ceremony *c = *state;
    P256_PAIR_AUTO *pair = NULL;
    assert_ok(p256_pair_generate_suite(P256_SUITE_RENCLAVE, &pair));
    c->envelope.manifest.namespace.quorum_key = p256_public_bytes(p256_pair_public(pair));
    ceremony_approve(c, 2);
    struct ceremony bad = *c;
    refused(c, &bad, PE_INVALID_MSG);
    assert_non_null(strstr(err_text(), "one point twice"));
}

static void refuses_thresholds_that_protect_nothing_or_cannot_be_met(void **state)
{
    struct ceremony *c = *state;
    refuse_sets(c, 0, 2, 3, PE_NOT_ENOUGH_APPROVALS);
    refuse_sets(c, 4, 2, 3, PE_NOT_ENOUGH_APPROVALS);
    refuse_sets(c, 2, 0, 3, PE_QOS_CRYPTO);
    refuse_sets(c, 2, 1, 3, PE_QOS_CRYPTO);
    refuse_sets(c, 2, 4, 3, PE_QOS_CRYPTO);
    refuse_sets(c, 2, 1, 1, PE_QOS_CRYPTO);
    refuse_sets(c, 2, 2, 0, PE_QOS_CRYPTO);
    struct member twice[] = {c->members[0], c->members[1], c->members[0]};
    c->envelope.manifest.share_set.members.items = twice;
    refuse_sets(c, 2, 2, 3, PE_DUPLICATE_QUORUM_MEMBER);
    c->envelope.manifest.share_set.members.items = c->members;
    ceremony_approve(c, 2);
    ceremony_boot(c);
}

// Wrong by our own rules alone, then by more and more of the original's, which are looked at first.
static void what_the_original_refuses_is_found_before_what_only_we_refuse(void **state)
{
    struct ceremony *c = *state;
    struct bridge none = {.tag = BRIDGE_SERVER};
    struct approval approval = ceremony_approval(c, 0);
    c->envelope.manifest.share_set.threshold = 4;
    c->envelope.manifest.pivot.bridges.items = &none;
    c->envelope.manifest.pivot.bridges.n = 1;
    ceremony_approve(c, 2);
    struct ceremony bad = *c;
    refused(c, &bad, PE_QOS_CRYPTO);
    bad.pivot = BYTES_LIT("another");
    refused(c, &bad, PE_INVALID_PIVOT_HASH);
    bad.envelope.share_set_approvals.items = &approval;
    bad.envelope.share_set_approvals.n = 1;
    refused(c, &bad, PE_BAD_SHARE_SET_APPROVALS);
    bad.envelope.manifest_set_approvals.n = 1;
    refused(c, &bad, PE_NOT_ENOUGH_APPROVALS);
}

static void refuses_an_argument_that_cannot_be_passed_on(void **state)
{
    struct ceremony *c = *state;
    struct ceremony right = *c;
    struct bytes argument = BYTES_LIT("a\0b");
    c->envelope.manifest.pivot.args.items = &argument;
    c->envelope.manifest.pivot.args.n = 1;
    ceremony_approve(c, 2);
    struct ceremony bad = *c;
    refused(c, &bad, PE_FAILED_TO_PARSE_FROM_STRING);
    c->envelope = right.envelope;
    ceremony_boot(c);
}

static void a_file_that_appeared_meanwhile_is_not_replaced(void **state)
{
    struct ceremony *c = *state;
    assert_ok(file_write(c->files[PUBLISHED_PIVOT], BYTES_LIT("mine"), 0600, FILE_NEW));
    struct ceremony same = *c;
    refused(c, &same, PE_CANNOT_MODIFY_POST_PIVOT_STATIC);
    assert_ok(file_remove(c->files[PUBLISHED_PIVOT]));
    ceremony_boot(c);
}

static void a_missing_folder_refuses_and_the_boot_can_be_repeated(void **state)
{
    struct ceremony *c = *state;
    char folder[96];
    (void)snprintf(folder, sizeof folder, "%s/published", c->folder);
    assert_int_equal(rmdir(folder), 0);
    struct message m = ceremony_boot_request(c, MSG_BOOT_STANDARD_REQUEST);
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_error(&reply, PE_IO_ERROR);
    assert_phase(c, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    assert_int_equal(mkdir(folder, 0700), 0);
    ceremony_boot(c);
}

static void a_second_boot_has_no_route(void **state)
{
    struct ceremony *c = *state;
    ceremony_boot(c);
    struct message m = ceremony_boot_request(c, MSG_BOOT_STANDARD_REQUEST);
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_error(&reply, PE_NO_MATCHING_ROUTE);
    assert_phase(c, PHASE_WAITING_FOR_QUORUM_SHARDS);
}

// A TEE that passes everything on to the mock, but lies or fails in one operation.
enum lie { FAIL_EXTEND_17, FAIL_LOCK, FAIL_ATTEST, LOCKED_BEFORE };
struct lying_tee {
    struct tee base;
    struct tee *real;
    enum lie lie;
};

static struct lying_tee *lying(struct tee *t)
{
    return (struct lying_tee *)t;
}

static enum q_err lying_describe(struct tee *t, struct tee_description *out)
{
    TRY(lying(t)->real->ops->describe(lying(t)->real, out));
    if (lying(t)->lie == LOCKED_BEFORE)
        out->locked |= (uint64_t)1 << 17;
    return Q_OK;
}

static enum q_err lying_read(struct tee *t, unsigned index, struct register_state *out)
{
    return lying(t)->real->ops->read(lying(t)->real, index, out);
}

static enum q_err lying_extend(struct tee *t, unsigned index, struct bytes data,
                               struct register_value *after)
{
    if (lying(t)->lie == FAIL_EXTEND_17 && index == 17)
        return fail(Q_TEE, "InternalError");
    return lying(t)->real->ops->extend(lying(t)->real, index, data, after);
}

static enum q_err lying_lock(struct tee *t, unsigned end)
{
    return lying(t)->lie == FAIL_LOCK ? Q_OK : lying(t)->real->ops->lock(lying(t)->real, end);
}

static enum q_err lying_attest(struct tee *t, struct bytes user_data, struct bytes nonce,
                               struct bytes public_key, struct buf *document)
{
    if (lying(t)->lie == FAIL_ATTEST)
        return fail(Q_TEE, "InternalError");
    return lying(t)->real->ops->attest(lying(t)->real, user_data, nonce, public_key, document);
}

static const struct tee_ops lying_ops = {
    .describe = lying_describe,
    .read = lying_read,
    .extend = lying_extend,
    .lock = lying_lock,
    .attest = lying_attest,
};

static struct message boot_with(struct ceremony *c, struct lying_tee *t, enum lie lie)
{
    *t = (struct lying_tee){.base = {.ops = &lying_ops, .name = "sim"}, .real = c->tee, .lie = lie};
    c->enclave->tee = &t->base;
    struct message m = ceremony_boot_request(c, MSG_BOOT_STANDARD_REQUEST);
    return ceremony_send(c, &m, ENCODING_JSON);
}

static void a_tee_that_refuses_before_the_first_extend_can_be_asked_again(void **state)
{
    struct ceremony *c = *state;
    struct lying_tee t;
    struct message reply = boot_with(c, &t, LOCKED_BEFORE);
    assert_error(&reply, PE_QOS_ATTEST_ERROR);
    assert_phase(c, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    c->enclave->tee = c->tee;
    ceremony_boot(c);
}

static void a_tee_that_fails_after_the_first_extend_is_unrecoverable(void **state)
{
    static const enum lie lies[] = {FAIL_EXTEND_17, FAIL_LOCK, FAIL_ATTEST};
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct ceremony c = {0};
        struct lying_tee t;
        ceremony_open(&c);
        struct message reply = boot_with(&c, &t, lies[i]);
        assert_error(&reply, PE_QOS_ATTEST_ERROR);
        assert_phase(&c, PHASE_UNRECOVERABLE_ERROR);
        for (int which = 0; which < PUBLISHED_COUNT; which++)
            assert_false(ceremony_file_exists(&c, (enum published_file)which));
        BUF_AUTO left = {0};
        ceremony_snapshot(&c, &left);
        assert_int_equal(left.n, 0); // no temporary file either
        ceremony_close(&c);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ceremony_setup, ceremony_teardown)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(boots_in_json),
        TEST(boots_with_message_23),
        TEST(boots_manifests_of_version_2),
        TEST(boots_manifests_of_version_0),
        TEST(the_ephemeral_file_holds_the_attested_setup_key),
        TEST(refuses_approvals_that_are_too_few_repeated_wrong_or_an_outsiders),
        TEST(refuses_a_manifest_other_than_the_approved_one),
        TEST(refuses_share_approvals_in_the_envelope),
        TEST(refuses_another_application),
        TEST(refuses_a_quorum_key_that_is_none),
        TEST(refuses_a_quorum_key_of_the_rest_api),
        TEST(refuses_thresholds_that_protect_nothing_or_cannot_be_met),
        TEST(what_the_original_refuses_is_found_before_what_only_we_refuse),
        TEST(refuses_an_argument_that_cannot_be_passed_on),
        TEST(a_file_that_appeared_meanwhile_is_not_replaced),
        TEST(a_missing_folder_refuses_and_the_boot_can_be_repeated),
        TEST(a_second_boot_has_no_route),
        TEST(a_tee_that_refuses_before_the_first_extend_can_be_asked_again),
        cmocka_unit_test(a_tee_that_fails_after_the_first_extend_is_unrecoverable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
