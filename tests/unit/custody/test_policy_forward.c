// The policy of a forward over claims and manifests made by hand: what it lets pass, every refusal, and that the first
// of several wrongs is the one that is named (qos-behaviour 2.8).
#include "../cmocka_setup.h"

#include "custody/policy_forward.h"

#include <stdlib.h>

#define MEMBERS 3

static struct scene {
    struct p256_pair *pairs[MEMBERS + 1], *setup;
    struct member members[MEMBERS + 1];
    uint8_t pcrs[MEASUREMENT_COUNT][SHA384_SIZE], zero[SHA384_SIZE], hash[SHA256_SIZE];
    uint8_t signatures[MEMBERS][P256_SIGNATURE_SIZE];
    struct approval approvals[MEMBERS];
    struct manifest ours;
    struct manifest_envelope theirs;
    struct transfer_sides sides;
    struct arena arena;
    struct protocol_error why;
} s;

static void measure(unsigned i, struct bytes value)
{
    struct register_value *r = &s.sides.peer.registers[i];
    *r = (struct register_value){.present = true, .n = SHA384_SIZE};
    memcpy(r->value, value.p, value.n);
}

// Approved by two, and attested by an enclave that has booted it.
static void settle(void)
{
    struct manifest *m = &s.theirs.manifest;
    struct claims *c = &s.sides.peer;
    uint8_t committed[SHA384_SIZE];
    assert_ok(manifest_hash(m, s.hash));
    for (size_t i = 0; i < 2; i++) {
        assert_ok(p256_sign(s.pairs[i], BYTES_OF(s.hash), s.signatures[i]));
        s.approvals[i] =
            (struct approval){.signature = BYTES_OF(s.signatures[i]), .member = s.members[i]};
    }
    s.theirs.manifest_set_approvals.items = s.approvals;
    s.theirs.manifest_set_approvals.n = 2;
    *c = (struct claims){.provider = "nitro", .verified = true, .register_count = 32};
    for (unsigned i = 0; i < 32; i++)
        measure(i, BYTES_OF(s.zero));
    measure(0, m->enclave.pcr0);
    measure(1, m->enclave.pcr1);
    measure(2, m->enclave.pcr2);
    measure(3, m->enclave.pcr3);
    c->debug = bytes_is_zero(m->enclave.pcr0);
    c->user_data = BYTES_OF(s.hash);
    c->public_key = p256_public_bytes(p256_pair_public(s.setup));
    assert_ok(commitment_register(COMMITMENT_SETUP, s.hash, c->public_key, committed));
    measure(16, BYTES_OF(committed));
}

static int set_up(void **state)
{
    static const char *const names[] = {"alice", "bob", "carol", "mallory"};
    (void)state;
    s = (struct scene){.ours = {.version = MANIFEST_V1}};
    assert_ok(p256_pair_generate(&s.setup));
    for (size_t i = 0; i <= MEMBERS; i++) {
        assert_ok(p256_pair_generate(&s.pairs[i]));
        s.members[i] = (struct member){.alias = bytes_str(names[i]),
                                       .pub_key = p256_public_bytes(p256_pair_public(s.pairs[i]))};
    }
    struct manifest *m = &s.ours;
    m->namespace = (struct namespace){
        .name = BYTES_LIT("space"), .nonce = 4, .quorum_key = s.members[3].pub_key};
    m->manifest_set.threshold = m->share_set.threshold = 2;
    m->manifest_set.members.items = m->share_set.members.items = s.members;
    m->manifest_set.members.n = m->share_set.members.n = MEMBERS;
    for (unsigned i = 0; i < MEASUREMENT_COUNT; i++)
        memset(s.pcrs[i], (int)i + 1, SHA384_SIZE);
    m->enclave = (struct nitro_config){.pcr0 = BYTES_OF(s.pcrs[0]),
                                       .pcr1 = BYTES_OF(s.pcrs[1]),
                                       .pcr2 = BYTES_OF(s.pcrs[2]),
                                       .pcr3 = BYTES_OF(s.pcrs[3]),
                                       .root_certificate = BYTES_LIT("root"),
                                       .qos_commit = BYTES_LIT("")};
    s.theirs.manifest = s.ours;
    settle();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i <= MEMBERS; i++)
        p256_pair_free(&s.pairs[i]);
    p256_pair_free(&s.setup);
    arena_free(&s.arena);
    return 0;
}

static enum q_err ask(void)
{
    const struct forward_terms terms = {.ours = &s.ours, .theirs = &s.theirs};
    const struct transfer_policy policy = forward_policy(&terms);
    s.why = (struct protocol_error){.tag = PE_COUNT};
    return policy.ask(policy.terms, &s.sides, &s.arena, &s.why);
}

static void assert_no(enum protocol_error_kind expected)
{
    assert_int_equal(ask(), Q_REFUSED);
    assert_string_equal(protocol_error_name((enum protocol_error_kind)s.why.tag),
                        protocol_error_name(expected));
    assert_non_null(strstr(err_text(), protocol_error_name(expected)));
}

static void the_same_manifest_passes(void **state)
{
    (void)state;
    assert_ok(ask());
}

static void a_higher_nonce_passes_with_another_application_and_share_set(void **state)
{
    (void)state;
    struct manifest *m = &s.theirs.manifest;
    m->namespace.nonce = 5;
    m->pivot.hash[0] ^= 1;
    m->pivot.debug_mode = true;
    m->share_set.members.items = s.members + 1;
    settle();
    assert_ok(ask());
}

static void another_image_passes_when_the_new_manifest_names_it(void **state)
{
    (void)state;
    uint8_t other[SHA384_SIZE] = {9};
    s.theirs.manifest.namespace.nonce = 5;
    s.theirs.manifest.enclave.pcr0 = BYTES_OF(other);
    settle();
    assert_ok(ask());
}

// ---- each wrong thing, in the order it must be found out; a later one does not touch an earlier one

static void bad_approval(void)
{
    s.theirs.manifest_set_approvals.n = 1;
}

static void share_approval(void)
{
    s.theirs.share_set_approvals.items = s.approvals;
    s.theirs.share_set_approvals.n = 1;
}

static void other_quorum_key(void)
{
    s.ours.namespace.quorum_key = s.members[0].pub_key;
}

static void other_manifest_set(void)
{
    s.ours.manifest_set.threshold = 1;
}

static void other_namespace(void)
{
    s.ours.namespace.name = BYTES_LIT("other");
}

static void low_nonce(void)
{
    s.ours.namespace.nonce = 5;
}

static void other_manifest(void)
{
    if (s.ours.namespace.nonce == 4)
        s.ours.pivot.hash[5] ^= 1;
}

static void other_claims(void)
{
    s.sides.peer.registers[16].value[7] ^= 1;
}

static void other_role(void)
{
    static const uint8_t other[SHA384_SIZE] = {3};
    s.ours.enclave.pcr3 = BYTES_OF(other);
}

static void bad_threshold(void)
{
    s.theirs.manifest.share_set.threshold = 4;
}

static const struct {
    void (*spoil)(void);
    enum protocol_error_kind error;
    bool settles; // what it changes is in their manifest, which is approved and attested as it is
} wrongs[] = {
    {bad_approval, PE_NOT_ENOUGH_APPROVALS, false},
    {share_approval, PE_BAD_SHARE_SET_APPROVALS, false},
    {other_quorum_key, PE_DIFFERENT_QUORUM_KEY, false},
    {other_manifest_set, PE_DIFFERENT_MANIFEST_SET, false},
    {other_namespace, PE_DIFFERENT_NAMESPACE_NAME, false},
    {low_nonce, PE_LOW_NONCE, false},
    {other_manifest, PE_DIFFERENT_MANIFEST, false},
    {other_claims, PE_QOS_ATTEST_ERROR, false},
    {other_role, PE_DIFFERENT_PCR3, false},
    {bad_threshold, PE_QOS_CRYPTO, true},
};
#define WRONGS (sizeof wrongs / sizeof *wrongs)

// Another role or threshold makes another manifest, which needs a higher nonce to be let pass as such.
static void make_room(size_t first)
{
    if (wrongs[first].spoil == other_claims || wrongs[first].spoil == other_role ||
        wrongs[first].spoil == bad_threshold) {
        s.theirs.manifest.namespace.nonce = 6;
        settle();
    }
}

static void each_wrong_is_refused_by_name(void **state)
{
    for (size_t i = 0; i < WRONGS; i++) {
        make_room(i);
        wrongs[i].spoil();
        if (wrongs[i].settles)
            settle();
        assert_no(wrongs[i].error);
        (void)tear_down(state);
        (void)set_up(state);
    }
}

// A Genoa machine of this firmware, then and now.
static struct platform genoa(uint8_t snp, uint8_t snp_at_start)
{
    return (struct platform){.product = "Genoa",
                             .tcb = {.bootloader = 9, .snp = snp, .microcode = 70},
                             .launch = {.bootloader = 9, .snp = snp_at_start, .microcode = 70}};
}

static void firmware_weaker_than_our_own_is_refused(void **state)
{
    (void)state;
    s.sides.self.platform = genoa(22, 22);
    s.sides.peer.platform = genoa(22, 22);
    assert_ok(ask());
    s.sides.peer.platform = genoa(23, 22);
    assert_ok(ask());
    s.sides.peer.platform = genoa(21, 22);
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.peer.platform = genoa(22, 21);
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.self.platform = genoa(22, 21); // the key was under that one, too
    assert_ok(ask());
    s.sides.peer.platform = genoa(22, 22);
    s.sides.peer.platform.vmpl = 1;
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.peer.platform = genoa(22, 22);
    s.sides.peer.platform.product = "Milan";
    assert_no(PE_QOS_ATTEST_ERROR);
}

static void the_first_of_several_wrongs_is_named(void **state)
{
    for (size_t first = 0; first < WRONGS; first++) {
        make_room(first);
        bad_threshold(); // the only one of their manifest
        settle();
        for (size_t i = WRONGS; i-- > first;)
            if (wrongs[i].spoil != bad_threshold)
                wrongs[i].spoil();
        assert_no(wrongs[first].error);
        (void)tear_down(state);
        (void)set_up(state);
    }
}

static void refusals_tell_both_values(void **state)
{
    (void)state;
    other_namespace();
    assert_no(PE_DIFFERENT_NAMESPACE_NAME);
    assert_bytes(s.why.difference.expected, BYTES_LIT("other"));
    assert_bytes(s.why.difference.actual, BYTES_LIT("space"));
    s.ours.namespace.name = BYTES_LIT("space");
    low_nonce();
    assert_no(PE_LOW_NONCE);
    assert_int_equal(s.why.low_nonce.expected, 5);
    assert_int_equal(s.why.low_nonce.actual, 4);
    s.ours.namespace.nonce = 4;
    other_quorum_key();
    assert_no(PE_DIFFERENT_QUORUM_KEY);
    assert_int_equal(s.why.difference.expected.n, (size_t)2 * P256_PUBLIC_SIZE);
    assert_false(bytes_equal(s.why.difference.expected, s.why.difference.actual));
}

static void a_manifest_set_is_one_in_any_order_but_not_with_another_name(void **state)
{
    (void)state;
    struct member turned[] = {s.members[1], s.members[2], s.members[0]};
    s.ours.manifest_set.members.items = turned;
    s.theirs.manifest.namespace.nonce = 5;
    settle();
    assert_ok(ask());
    turned[1].alias = BYTES_LIT("carola");
    assert_no(PE_DIFFERENT_MANIFEST_SET);
    turned[1] = s.members[3];
    assert_no(PE_DIFFERENT_MANIFEST_SET);
}

static void every_claim_is_looked_at(void **state)
{
    (void)state;
    struct claims good = s.sides.peer;
    static const uint8_t nonce[] = {1};
    for (unsigned i = 0; i < 32; i++) {
        s.sides.peer.registers[i].present = false;
        assert_no(PE_QOS_ATTEST_ERROR);
        s.sides.peer = good;
    }
    for (unsigned i = 0; i < MEASUREMENT_COUNT; i++) {
        s.sides.peer.registers[i].value[0] ^= 1;
        assert_no(PE_QOS_ATTEST_ERROR);
        s.sides.peer = good;
    }
    s.sides.peer.user_data = BYTES_NONE;
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.peer = good;
    s.sides.peer.nonce = BYTES_OF(nonce);
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.peer = good;
    s.sides.peer.public_key = BYTES_NONE;
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.peer = good;
    s.sides.peer.verified = false;
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.peer = good;
    assert_ok(ask());
}

static void zero(struct nitro_config *e)
{
    e->pcr0 = e->pcr1 = e->pcr2 = BYTES_OF(s.zero);
}

static void
a_debug_enclave_gets_a_key_only_from_one_that_is_debug_by_manifest_and_evidence(void **state)
{
    (void)state;
    s.theirs.manifest.namespace.nonce = 5;
    zero(&s.theirs.manifest.enclave);
    settle();
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.self.debug = true;
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.self.debug = false;
    zero(&s.ours.enclave);
    assert_no(PE_QOS_ATTEST_ERROR);
    assert_non_null(strstr(err_text(), "debug mode"));
    s.sides.self.debug = true;
    assert_ok(ask());
}

static void a_debug_enclave_may_give_its_key_to_a_measured_one(void **state)
{
    (void)state;
    zero(&s.ours.enclave);
    s.sides.self.debug = true;
    s.theirs.manifest.namespace.nonce = 5;
    settle();
    assert_ok(ask());
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(the_same_manifest_passes),
        TEST(a_higher_nonce_passes_with_another_application_and_share_set),
        TEST(another_image_passes_when_the_new_manifest_names_it),
        TEST(each_wrong_is_refused_by_name),
        TEST(firmware_weaker_than_our_own_is_refused),
        TEST(the_first_of_several_wrongs_is_named),
        TEST(refusals_tell_both_values),
        TEST(a_manifest_set_is_one_in_any_order_but_not_with_another_name),
        TEST(every_claim_is_looked_at),
        TEST(a_debug_enclave_gets_a_key_only_from_one_that_is_debug_by_manifest_and_evidence),
        TEST(a_debug_enclave_may_give_its_key_to_a_measured_one),
    };
    return cmocka_run_group_tests_name("custody/policy_forward", tests, NULL, NULL);
}
