// The policy of sharing a key between instances over claims and manifests made by hand: the same manifest without
// approvals, another one by the rules of a forward, and no evidence of another hour (renclave 3.2).
#include "../cmocka_setup.h"

#include "custody/policy_instance.h"

#include <stdlib.h>

#define MEMBERS 3
#define NOW_MS INT64_C(1758873600000)
#define WINDOW_MS INT64_C(300000) // as the specification says it

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
    *c = (struct claims){.provider = "nitro",
                         .verified = true,
                         .register_count = 32,
                         .timestamp_ms = s.sides.self.timestamp_ms};
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
    s.sides.self.timestamp_ms = NOW_MS;
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
    const struct transfer_policy policy = instance_policy(&terms);
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

static void no_approvals(void)
{
    s.theirs.manifest_set_approvals.n = 0;
}

static void the_same_manifest_passes_without_approvals(void **state)
{
    (void)state;
    no_approvals();
    assert_ok(ask());
}

static void another_manifest_needs_the_rules_of_a_forward(void **state)
{
    (void)state;
    s.theirs.manifest.namespace.nonce = 5;
    settle();
    assert_ok(ask());
    no_approvals();
    assert_no(PE_NOT_ENOUGH_APPROVALS);
    s.theirs.manifest.namespace.nonce = 3;
    settle();
    assert_no(PE_LOW_NONCE);
    s.theirs.manifest.namespace.nonce = 4;
    s.theirs.manifest.pivot.hash[0] ^= 1;
    settle();
    assert_no(PE_DIFFERENT_MANIFEST);
}

// Each of these alone makes another manifest, which no one has approved.
static void finding_08_nothing_in_the_given_manifest_is_taken_on_trust(void **state)
{
    static const uint8_t other[SHA384_SIZE] = {5};
    struct manifest *m = &s.theirs.manifest;
    for (int i = 0; i < 9; i++) {
        if (i == 0)
            m->namespace.quorum_key = s.members[0].pub_key;
        else if (i == 1)
            m->namespace.name = BYTES_LIT("other");
        else if (i == 2)
            m->namespace.nonce++;
        else if (i == 3)
            m->enclave.pcr0 = BYTES_OF(other);
        else if (i == 4)
            m->enclave.pcr3 = BYTES_OF(other);
        else if (i == 5)
            m->pivot.hash[31] ^= 1;
        else if (i == 6)
            m->manifest_set.threshold--;
        else if (i == 7)
            m->share_set.members.n--;
        else
            m->enclave.root_certificate = BYTES_LIT("other root");
        settle();
        no_approvals();
        assert_no(PE_NOT_ENOUGH_APPROVALS);
        (void)tear_down(state);
        (void)set_up(state);
    }
}

static void finding_15_the_same_manifest_still_needs_every_claim(void **state)
{
    (void)state;
    struct claims good = s.sides.peer;
    no_approvals();
    for (unsigned i = 0; i < MEASUREMENT_COUNT; i++) {
        s.sides.peer.registers[i].value[0] ^= 1;
        assert_no(PE_QOS_ATTEST_ERROR);
        s.sides.peer = good;
    }
    for (unsigned i = 0; i < 32; i++) {
        s.sides.peer.registers[i].present = false;
        assert_no(PE_QOS_ATTEST_ERROR);
        s.sides.peer = good;
    }
    s.sides.peer.registers[16].value[3] ^= 1;
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.peer = good;
    s.sides.peer.user_data = BYTES_NONE;
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.peer = good;
    s.sides.peer.public_key = BYTES_NONE;
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.peer = good;
    s.sides.peer.nonce = BYTES_LIT("1");
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.peer = good;
    s.sides.peer.verified = false;
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.peer = good;
    assert_ok(ask());
}

static void finding_16_the_window_has_two_sides(void **state)
{
    static const struct {
        int64_t from_now;
        bool passes;
    } moments[] = {
        {0, true},
        {-WINDOW_MS, true},
        {WINDOW_MS, true},
        {-WINDOW_MS - 1, false},
        {WINDOW_MS + 1, false},
        {1 - NOW_MS, false},
        {INT64_C(4102444800000) - NOW_MS, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        s.sides.peer.timestamp_ms = NOW_MS + moments[i].from_now;
        if (moments[i].passes)
            assert_ok(ask());
        else
            assert_no(PE_QOS_ATTEST_ERROR);
    }
    s.sides.peer.timestamp_ms = NOW_MS - 2 * WINDOW_MS;
    assert_no(PE_QOS_ATTEST_ERROR);
    assert_non_null(strstr(err_text(), "600 seconds before"));
    s.sides.peer.timestamp_ms = NOW_MS + 2 * WINDOW_MS;
    assert_no(PE_QOS_ATTEST_ERROR);
    assert_non_null(strstr(err_text(), "600 seconds after"));
}

static void finding_16_the_window_holds_for_an_approved_manifest_too(void **state)
{
    (void)state;
    s.theirs.manifest.namespace.nonce = 5;
    settle();
    s.sides.peer.timestamp_ms = NOW_MS - WINDOW_MS - 1;
    assert_no(PE_QOS_ATTEST_ERROR);
}

static void evidence_without_a_time_is_refused(void **state)
{
    (void)state;
    s.sides.peer.timestamp_ms = 0;
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.self.timestamp_ms = 0;
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.peer.timestamp_ms = NOW_MS;
    assert_no(PE_QOS_ATTEST_ERROR);
}

static void a_debug_enclave_gets_nothing_from_one_that_is_not(void **state)
{
    struct nitro_config *both[] = {&s.ours.enclave, &s.theirs.manifest.enclave};
    (void)state;
    for (size_t i = 0; i < 2; i++)
        both[i]->pcr0 = both[i]->pcr1 = both[i]->pcr2 = BYTES_OF(s.zero);
    settle();
    assert_no(PE_QOS_ATTEST_ERROR);
    s.sides.self.debug = true;
    assert_ok(ask());
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(the_same_manifest_passes_without_approvals),
        TEST(another_manifest_needs_the_rules_of_a_forward),
        TEST(finding_08_nothing_in_the_given_manifest_is_taken_on_trust),
        TEST(finding_15_the_same_manifest_still_needs_every_claim),
        TEST(finding_16_the_window_has_two_sides),
        TEST(finding_16_the_window_holds_for_an_approved_manifest_too),
        TEST(evidence_without_a_time_is_refused),
        TEST(a_debug_enclave_gets_nothing_from_one_that_is_not),
    };
    return cmocka_run_group_tests_name("custody/policy_instance", tests, NULL, NULL);
}
