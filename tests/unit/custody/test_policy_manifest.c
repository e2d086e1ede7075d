// Whose word makes an instance boot another one's manifest: every combination of TEE, pinned key, signature and
// approvals, and what no word helps (renclave 3.2).
#include "../cmocka_setup.h"

#include "custody/policy_manifest.h"

#include <stdlib.h>

#define MEMBERS 3
#define NEEDED 2

enum pin { PIN_NONE, PIN_RIGHT, PIN_OTHER, PIN_COUNT };
enum word { WORD_NONE, WORD_RIGHT, WORD_WRONG, WORD_COUNT };

static struct scene {
    struct p256_pair *pairs[MEMBERS], *quorum, *other;
    struct member members[MEMBERS];
    uint8_t right[P256_SIGNATURE_SIZE], wrong[P256_SIGNATURE_SIZE];
    uint8_t signatures[MEMBERS][P256_SIGNATURE_SIZE];
    struct approval approvals[MEMBERS];
    struct manifest_envelope envelope;
    struct protocol_error why;
} s;

static void sign_everything(void)
{
    uint8_t hash[SHA256_SIZE];
    assert_ok(manifest_hash(&s.envelope.manifest, hash));
    assert_ok(p256_sign(s.quorum, BYTES_OF(hash), s.right));
    assert_ok(p256_sign(s.other, BYTES_OF(hash), s.wrong));
    for (size_t i = 0; i < MEMBERS; i++) {
        assert_ok(p256_sign(s.pairs[i], BYTES_OF(hash), s.signatures[i]));
        s.approvals[i] =
            (struct approval){.signature = BYTES_OF(s.signatures[i]), .member = s.members[i]};
    }
}

static int set_up(void **state)
{
    static const char *const names[MEMBERS] = {"alice", "bob", "carol"};
    (void)state;
    s = (struct scene){.envelope = {.manifest = {.version = MANIFEST_V1}}};
    struct manifest *m = &s.envelope.manifest;
    assert_ok(p256_pair_generate(&s.quorum));
    assert_ok(p256_pair_generate(&s.other));
    for (size_t i = 0; i < MEMBERS; i++) {
        assert_ok(p256_pair_generate(&s.pairs[i]));
        s.members[i] = (struct member){.alias = bytes_str(names[i]),
                                       .pub_key = p256_public_bytes(p256_pair_public(s.pairs[i]))};
    }
    m->namespace = (struct namespace){.name = BYTES_LIT("space"),
                                      .quorum_key = p256_public_bytes(p256_pair_public(s.quorum))};
    m->enclave = (struct nitro_config){.pcr0 = BYTES_LIT("0"),
                                       .pcr1 = BYTES_LIT("1"),
                                       .pcr2 = BYTES_LIT("2"),
                                       .pcr3 = BYTES_LIT("3"),
                                       .root_certificate = BYTES_LIT("root"),
                                       .qos_commit = BYTES_LIT("")};
    m->manifest_set.threshold = m->share_set.threshold = NEEDED;
    m->manifest_set.members.items = m->share_set.members.items = s.members;
    m->manifest_set.members.n = m->share_set.members.n = MEMBERS;
    s.envelope.manifest_set_approvals.items = s.approvals;
    sign_everything();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < MEMBERS; i++)
        p256_pair_free(&s.pairs[i]);
    p256_pair_free(&s.quorum);
    p256_pair_free(&s.other);
    return 0;
}

static enum q_err ask(bool simulated, enum pin pin, enum word word, size_t approvals)
{
    const struct p256_public *const pins[PIN_COUNT] = {
        [PIN_RIGHT] = p256_pair_public(s.quorum), [PIN_OTHER] = p256_pair_public(s.other)};
    const struct bytes words[WORD_COUNT] = {
        [WORD_RIGHT] = BYTES_OF(s.right), [WORD_WRONG] = BYTES_OF(s.wrong)};
    const struct manifest_offer offer = {.envelope = &s.envelope,
                                         .quorum_key_signature = words[word]};
    const struct manifest_receiver receiver = {.relaxed = simulated, .pinned = pins[pin]};
    s.envelope.manifest_set_approvals.n = approvals;
    s.why = (struct protocol_error){.tag = PE_COUNT};
    return manifest_offer_check(&offer, &receiver, &s.why);
}

// As the page on instances says it, in other words than the code's.
static bool should_pass(bool simulated, enum pin pin, enum word word, size_t approvals)
{
    bool all_right =
        word != WORD_WRONG && pin != PIN_OTHER && (approvals == 0 || approvals >= NEEDED);
    bool key_counts = simulated || pin == PIN_RIGHT;
    return all_right && (approvals >= NEEDED || (word == WORD_RIGHT && key_counts));
}

static void finding_25_every_combination_is_decided_as_documented(void **state)
{
    unsigned passed = 0;
    (void)state;
    for (unsigned i = 0; i < 2 * PIN_COUNT * WORD_COUNT * (MEMBERS + 1); i++) {
        bool simulated = i % 2 != 0;
        enum pin pin = (enum pin)(i / 2 % PIN_COUNT);
        enum word word = (enum word)(i / 2 / PIN_COUNT % WORD_COUNT);
        size_t approvals = i / 2 / PIN_COUNT / WORD_COUNT;
        bool expected = should_pass(simulated, pin, word, approvals);
        enum q_err err = ask(simulated, pin, word, approvals);
        if ((err == Q_OK) != expected)
            fail_msg("simulated %d, pin %d, word %d, approvals %zu: %s", simulated, (int)pin,
                     (int)word, approvals, err == Q_OK ? "passed" : err_text());
        passed += expected;
    }
    assert_int_equal(passed,
                     2 * 2 * 2 * 2 + 3); // approved ones, and the key's own word where it counts
}

static void what_no_word_helps(void **state)
{
    struct manifest *m = &s.envelope.manifest;
    for (int i = 0; i < 7; i++) {
        if (i == 0)
            m->share_set.threshold = 1;
        else if (i == 1)
            m->share_set.threshold = MEMBERS + 1;
        else if (i == 2)
            m->share_set.members.n = 1; // a development boot's share set
        else if (i == 3)
            m->manifest_set.members.n = 1;
        else if (i == 4)
            s.members[1].alias = s.members[0].alias;
        else if (i == 5)
            s.members[1].pub_key = s.members[0].pub_key;
        else
            m->namespace.quorum_key = BYTES_LIT("no key");
        sign_everything();
        assert_int_equal(ask(true, PIN_NONE, WORD_RIGHT, 0), Q_REFUSED);
        assert_int_equal(ask(true, PIN_NONE, WORD_RIGHT, MEMBERS), Q_REFUSED);
        (void)tear_down(state);
        (void)set_up(state);
    }
    s.envelope.share_set_approvals.items = s.approvals;
    s.envelope.share_set_approvals.n = 1;
    assert_int_equal(ask(true, PIN_NONE, WORD_RIGHT, 0), Q_REFUSED);
    assert_int_equal(s.why.tag, PE_BAD_SHARE_SET_APPROVALS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(finding_25_every_combination_is_decided_as_documented),
        TEST(what_no_word_helps),
    };
    return cmocka_run_group_tests_name("custody/policy_manifest", tests, NULL, NULL);
}
