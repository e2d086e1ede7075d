// The act of passing a key on, with policies and sinks made for the test: evidence first, then the policy, then the
// sink, and nothing after the first that says no.
#include "../folder.h"

#include "base/clock.h"
#include "custody/transfer.h"
#include "tee/provider.h"

#include <stdlib.h>

static struct scene {
    struct tee *tee;
    struct keyring *ring;
    struct p256_pair *receiver;
    struct p256_public quorum;
    struct buf document;
    struct arena arena;
    struct protocol_error why;
    unsigned asked, taken;
    enum q_err policy_says;
    struct transfer_sides seen;
} s;

static enum q_err note_and_say(const void *terms, const struct transfer_sides *sides,
                               struct arena *a, struct protocol_error *why)
{
    (void)a;
    assert_ptr_equal(terms, &s);
    s.asked++;
    s.seen = *sides;
    if (s.policy_says == Q_REFUSED)
        return refuse(why, PE_DIFFERENT_NAMESPACE_NAME, "policy: says no");
    return s.policy_says;
}

static enum q_err count(void *context, const struct transfer_sides *sides,
                        const struct transfer_payload *payload, struct protocol_error *why)
{
    (void)sides;
    (void)why;
    assert_ptr_equal(context, &s);
    assert_int_equal(s.asked, 1);
    assert_int_equal(keyring_describe(payload->keyring, payload->key)->generation, 3);
    s.taken++;
    return Q_OK;
}

static void open_tee(const struct folder *f, struct tee **out)
{
    const struct tee_options options = {
        .provider = "sim", .sim_dir = f->path, .mock = true, .clock = &clock_wall};
    assert_ok(tee_open(&options, out));
}

static void attest(struct tee *tee, struct bytes key)
{
    buf_clear(&s.document);
    assert_ok(tee_attest(tee, BYTES_LIT("data"), BYTES_NONE, key, &s.document));
}

static struct bytes receiver_key(void)
{
    return p256_public_bytes(p256_pair_public(s.receiver));
}

static int set_up(void **state)
{
    P256_PAIR_AUTO *pair = NULL;
    const struct key_description what = {
        .id = KEY_QUORUM, .suite = SUITE_QOS_P256, .generation = 3, .uses = USE_SIGN | USE_EXPORT};
    (void)folder_make(state);
    s = (struct scene){.policy_says = Q_OK};
    open_tee(*state, &s.tee);
    assert_ok(p256_pair_generate(&s.receiver));
    assert_ok(p256_pair_generate(&pair));
    s.quorum = *p256_pair_public(pair);
    assert_ok(keyring_new(&s.ring));
    assert_ok(keyring_put(s.ring, &what, &pair));
    attest(s.tee, receiver_key());
    return 0;
}

static int tear_down(void **state)
{
    tee_close(&s.tee);
    keyring_free(&s.ring);
    p256_pair_free(&s.receiver);
    buf_free(&s.document);
    arena_free(&s.arena);
    return folder_remove(state);
}

static enum q_err act(struct transfer_sink sink)
{
    const struct transfer t = {
        .tee = s.tee,
        .evidence = buf_bytes(&s.document),
        .policy = {.ask = note_and_say, .terms = &s},
        .payload = {.keyring = s.ring, .key = KEY_QUORUM},
        .sink = sink,
    };
    s.asked = s.taken = 0;
    s.why = (struct protocol_error){.tag = PE_COUNT};
    return transfer(&t, &s.arena, &s.why);
}

static enum q_err act_counted(void)
{
    return act((struct transfer_sink){.take = count, .context = &s});
}

static void a_yes_hands_the_labelled_key_to_the_sink(void **state)
{
    (void)state;
    assert_ok(act_counted());
    assert_int_equal(s.taken, 1);
    assert_true(s.seen.peer.verified);
    assert_bytes(s.seen.peer.public_key, receiver_key());
    assert_true(s.seen.self.timestamp_ms >= s.seen.peer.timestamp_ms);
    assert_null(s.seen.self.public_key.p);
}

static void a_no_keeps_the_key_in(void **state)
{
    (void)state;
    s.policy_says = Q_REFUSED;
    assert_int_equal(act_counted(), Q_REFUSED);
    assert_int_equal(s.why.tag, PE_DIFFERENT_NAMESPACE_NAME);
    assert_int_equal(s.asked, 1);
    assert_int_equal(s.taken, 0);
    s.policy_says = Q_NOMEM;
    assert_int_equal(act_counted(), Q_NOMEM);
    assert_int_equal(s.taken, 0);
}

static void false_evidence_is_not_even_shown_to_the_policy(void **state)
{
    (void)state;
    for (size_t i = 0; i < s.document.n; i += 97) {
        s.document.p[i] ^= 1;
        assert_int_equal(act_counted(), Q_ATTESTATION);
        assert_int_equal(s.asked + s.taken, 0);
        s.document.p[i] ^= 1;
    }
    for (size_t n = 0; n < s.document.n; n += 501) {
        size_t whole = s.document.n;
        s.document.n = n;
        assert_int_equal(act_counted(), Q_ATTESTATION);
        s.document.n = whole;
    }
    assert_ok(act_counted());
}

static void another_root_is_not_ours(void **state)
{
    (void)state;
    void *elsewhere;
    TEE_AUTO *stranger = NULL;
    (void)folder_make(&elsewhere);
    open_tee(elsewhere, &stranger);
    attest(stranger, receiver_key());
    assert_int_equal(act_counted(), Q_ATTESTATION);
    assert_int_equal(s.asked, 0);
    (void)folder_remove(&elsewhere);
}

static void a_simulated_tee_does_not_act_on_a_real_root(void **state)
{
    (void)state;
    struct buf root = s.tee->root;
    s.tee->root = (struct buf){0};
    assert_ok(buf_append(&s.tee->root, attestation_aws_root));
    assert_refused(act_counted(), Q_TEE, "expected one of a SIMULATED TEE");
    buf_free(&s.tee->root);
    s.tee->root = root;
    s.tee->simulated = false;
    assert_refused(act_counted(), Q_TEE, "expected one of a real TEE");
    s.tee->simulated = true;
    assert_ok(act_counted());
}

static enum q_err no_document(struct tee *t, struct bytes user_data, struct bytes nonce,
                              struct bytes public_key, struct buf *document)
{
    (void)t;
    (void)user_data;
    (void)nonce;
    (void)public_key;
    return buf_append(document, BYTES_LIT("no document"));
}

static void without_a_time_of_its_own_an_enclave_does_not_act(void **state)
{
    (void)state;
    const struct tee_ops *right = s.tee->ops;
    struct tee_ops wrong = *right;
    wrong.attest = no_document;
    s.tee->ops = &wrong;
    assert_refused(act_counted(), Q_TEE, "own evidence");
    assert_int_equal(s.asked, 0);
    s.tee->ops = right;
    assert_ok(act_counted());
}

static void the_envelope_opens_for_the_receiver_alone_and_is_signed(void **state)
{
    (void)state;
    TRANSFER_ENVELOPE_AUTO made = {.sealed = {0}};
    SECRET_AUTO seed = {0};
    P256_PAIR_AUTO *again = NULL;
    assert_ok(act(transfer_to_envelope(&made)));
    assert_ok(p256_verify(&s.quorum, secret_bytes(&made.sealed), BYTES_OF(made.signature)));
    assert_ok(p256_open(s.receiver, secret_bytes(&made.sealed), &seed));
    assert_ok(p256_pair_from_seed(secret_bytes(&seed), &again));
    assert_bytes(p256_public_bytes(p256_pair_public(again)), p256_public_bytes(&s.quorum));
}

static void evidence_without_a_usable_key_gets_no_envelope(void **state)
{
    (void)state;
    TRANSFER_ENVELOPE_AUTO made = {.sealed = {0}};
    uint8_t off_curve[P256_PUBLIC_SIZE];
    attest(s.tee, BYTES_NONE);
    assert_int_equal(act(transfer_to_envelope(&made)), Q_REFUSED);
    assert_int_equal(s.why.tag, PE_MISSING_EPHEMERAL_KEY);
    memcpy(off_curve, receiver_key().p, sizeof off_curve);
    off_curve[40] ^= 1;
    attest(s.tee, BYTES_OF(off_curve));
    assert_int_equal(act(transfer_to_envelope(&made)), Q_REFUSED);
    assert_int_equal(s.why.tag, PE_INVALID_EPHEMERAL_KEY);
    attest(s.tee, BYTES_LIT("short"));
    assert_int_equal(act(transfer_to_envelope(&made)), Q_REFUSED);
    assert_int_equal(s.why.tag, PE_INVALID_EPHEMERAL_KEY);
    assert_null(made.sealed.p);
}

static void a_key_that_may_not_be_exported_stays(void **state)
{
    (void)state;
    TRANSFER_ENVELOPE_AUTO made = {.sealed = {0}};
    P256_PAIR_AUTO *pair = NULL;
    const struct key_description what = {.id = KEY_QUORUM,
                                         .suite = SUITE_QOS_P256,
                                         .uses = USE_SIGN | USE_OPEN | USE_RELEASE | USE_SEAL |
                                                 USE_DERIVE};
    assert_ok(p256_pair_generate(&pair));
    keyring_remove(s.ring, KEY_QUORUM);
    assert_refused(act(transfer_to_envelope(&made)), Q_MISSING, "there is no key");
    assert_ok(keyring_put(s.ring, &what, &pair));
    assert_refused(act(transfer_to_envelope(&made)), Q_REFUSED, "may not be used to export");
    assert_null(made.sealed.p);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(a_yes_hands_the_labelled_key_to_the_sink),
        TEST(a_no_keeps_the_key_in),
        TEST(false_evidence_is_not_even_shown_to_the_policy),
        TEST(another_root_is_not_ours),
        TEST(a_simulated_tee_does_not_act_on_a_real_root),
        TEST(without_a_time_of_its_own_an_enclave_does_not_act),
        TEST(the_envelope_opens_for_the_receiver_alone_and_is_signed),
        TEST(evidence_without_a_usable_key_gets_no_envelope),
        TEST(a_key_that_may_not_be_exported_stays),
    };
    return cmocka_run_group_tests_name("custody/transfer", tests, NULL, NULL);
}
