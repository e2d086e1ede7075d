// TEE instances where end-to-end tests cannot look: which forms of a share hardware takes, how long a simulated
// genesis holds, a TEE that fails in the middle, a self test that does (renclave 2.2, 3.1).
#include "ceremony.h"

#include "base/file.h"
#include "base/hex.h"
#include "codec/json.h"
#include "enclave/instance/api.h"
#include "enclave/completion.h"
#include "tee/provider.h"

#include <stdlib.h>

static struct {
    int64_t ms;
} hand;

static enum q_err read_hand(void *context, struct clock_reading *out)
{
    (void)context;
    *out = (struct clock_reading){.ms = hand.ms, .source = CLOCK_SOURCE_GIVEN};
    return Q_OK;
}

static const struct clock by_hand = {.read = read_hand};

static int setup(void **state)
{
    if (ceremony_setup(state) != 0)
        return -1;
    struct ceremony *c = *state;
    hand.ms = 5000;
    c->enclave->boot_clock = &by_hand;
    return 0;
}

// Sends a body and gives the status; the answer is decoded where it is a success.
static unsigned ask(struct ceremony *c, const char *path, const struct type *asked,
                    const void *body, const struct type *answered, void *answer)
{
    BUF_AUTO text = {0};
    assert_ok(json_encode(asked, body, JSON_PLAIN, &text));
    const struct message m = {.tag = MSG_QUORATE_API_REQUEST,
                              .api_request = {.method = BYTES_LIT("POST"),
                                              .path = bytes_str(path),
                                              .query = BYTES_LIT(""),
                                              .authorization = BYTES_LIT(""),
                                              .request_id = BYTES_LIT("test"),
                                              .body = buf_bytes(&text)}};
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.tag, MSG_QUORATE_API_RESPONSE);
    if (reply.api_response.status == 200)
        assert_ok(json_decode_up_to(answered, reply.api_response.body, API_MAX_VALUES, &c->arena,
                                    answer));
    return reply.api_response.status;
}

static unsigned genesis(struct ceremony *c, struct api_genesis_reply *reply)
{
    static struct api_member members[3];
    static const uint8_t hash[SHA256_SIZE] = {1};
    uint64_t nonce = 7;
    uint32_t threshold = 2;
    for (size_t i = 0; i < 3; i++)
        members[i] =
            (struct api_member){.alias = c->members[i].alias, .pub_key = c->members[i].pub_key};
    const struct api_genesis_request request = {
        .namespace_name = BYTES_LIT("space"),
        .namespace_nonce = &nonce,
        .manifest_members = {members, 3},
        .share_members = {members, 3},
        .manifest_threshold = &threshold,
        .share_threshold = &threshold,
        .pivot_hash = BYTES_OF(hash),
    };
    return ask(c, "/enclave/genesis-boot", &type_api_genesis_request, &request,
               &type_api_genesis_reply, reply);
}

// The share of person i in the form that is asked for: 'P', 'E' or 'A'.
static struct bytes form_of(struct ceremony *c, const struct api_genesis_reply *g, size_t i,
                            char form)
{
    struct bytes issued = g->encrypted_shares.items[i].encrypted_quorum_key_share, kept;
    SECRET_AUTO share = {0};
    if (form == 'A')
        return issued;
    assert_ok(p256_open(c->pairs[i], issued, &share));
    if (form == 'E')
        return ceremony_seal(c, secret_bytes(&share));
    assert_ok(arena_copy(&c->arena, secret_bytes(&share), &kept));
    return kept;
}

static unsigned inject(struct ceremony *c, const struct api_genesis_reply *g, const char *forms,
                       struct api_inject_reply *reply)
{
    struct api_share shares[3] = {0};
    struct api_inject_request request = {
        .namespace_name = BYTES_LIT("space"), .namespace_nonce = 7, .shares = {shares, 0}};
    for (size_t i = 0; forms[i] != '\0'; i++) {
        shares[i].member_alias = c->members[i].alias;
        shares[i].decrypted_share = form_of(c, g, i, forms[i]);
        request.shares.n++;
    }
    return ask(c, "/enclave/inject-shares", &type_api_inject_request, &request,
               &type_api_inject_reply, reply);
}

static void assert_not_taken(struct ceremony *c, const struct api_genesis_reply *g,
                             const char *forms, enum phase phase)
{
    struct api_inject_reply reply;
    assert_int_equal(inject(c, g, forms, &reply), 400);
    assert_int_equal(c->enclave->phase, phase);
}

static void assert_complete(struct ceremony *c, const struct api_genesis_reply *g,
                            const char *forms)
{
    struct api_inject_reply reply;
    assert_int_equal(inject(c, g, forms, &reply), 200);
    assert_true(reply.success);
    assert_bytes(reply.reconstructed_quorum_key, g->quorum_public_key);
    assert_int_equal(c->enclave->phase, PHASE_APPLICATION_READY);
    assert_null(c->enclave->held);
    assert_int_equal(c->enclave->shares.n, 0);
}

static void finding_01_hardware_keeps_nothing_of_the_genesis_and_takes_envelopes_alone(void **state)
{
    struct ceremony *c = *state;
    struct api_genesis_reply g;
    c->enclave->tee->simulated = false;
    assert_int_equal(genesis(c, &g), 200);
    assert_null(c->enclave->held);
    assert_bytes(g.share_mode, BYTES_LIT("envelope"));
    assert_not_taken(c, &g, "AA", PHASE_GENESIS_BOOTED);
    assert_non_null(strstr(err_text(), "on hardware the genesis keeps nothing"));
    assert_not_taken(c, &g, "PE", PHASE_GENESIS_BOOTED);
    assert_non_null(strstr(err_text(), "setup key (ephemeral_key)"));
    assert_complete(c, &g, "EE");
}

static void hardware_takes_shares_in_clear_only_when_told_to(void **state)
{
    struct ceremony *c = *state;
    struct api_genesis_reply g;
    c->enclave->tee->simulated = false;
    c->enclave->policy.unsafe_plaintext_shares = true;
    assert_int_equal(genesis(c, &g), 200);
    assert_bytes(g.share_mode, BYTES_LIT("plaintext or envelope"));
    assert_not_taken(c, &g, "PA", PHASE_GENESIS_BOOTED);
    assert_complete(c, &g, "PP");
}

static void acknowledgements_end_after_ten_minutes(void **state)
{
    struct ceremony *c = *state;
    struct api_genesis_reply g;
    struct api_inject_reply reply;
    assert_int_equal(genesis(c, &g), 200);
    assert_non_null(c->enclave->held);
    assert_bytes(g.share_mode, BYTES_LIT(SHARE_MODE_ACKNOWLEDGED));
    hand.ms += GENESIS_HELD_MS - 1;
    api_expire_shares(c->enclave);
    assert_int_equal(inject(c, &g, "A", &reply), 200);
    assert_int_equal(reply.shares_received, 1);
    assert_bytes(reply.share_mode, BYTES_LIT(SHARE_MODE_ACKNOWLEDGED));
    hand.ms++;
    assert_string_equal(api_share_mode(c->enclave), "plaintext or envelope");
    assert_not_taken(c, &g, "AA", PHASE_WAITING_FOR_QUORUM_SHARDS);
    assert_null(c->enclave->held);
    assert_int_equal(c->enclave->shares.n, 1); // what was taken in time stays
    assert_complete(c, &g, "EE");
}

static void a_timer_ends_what_is_held_without_a_request(void **state)
{
    struct ceremony *c = *state;
    struct api_genesis_reply g;
    assert_int_equal(genesis(c, &g), 200);
    hand.ms += GENESIS_HELD_MS;
    assert_non_null(c->enclave->held);
    api_expire_shares(c->enclave);
    assert_null(c->enclave->held);
    assert_complete(c, &g, "PP");
}

static void an_instance_publishes_no_file(void **state)
{
    struct ceremony *c = *state;
    struct api_genesis_reply g;
    BUF_AUTO before = {0}, after = {0};
    ceremony_snapshot(c, &before);
    assert_int_equal(genesis(c, &g), 200);
    assert_complete(c, &g, "AA");
    ceremony_snapshot(c, &after);
    assert_bytes(buf_bytes(&after), buf_bytes(&before));
}

static void the_quorum_key_of_an_instance_is_never_released(void **state)
{
    struct ceremony *c = *state;
    struct api_genesis_reply g;
    SECRET_AUTO out = {0};
    assert_int_equal(genesis(c, &g), 200);
    assert_complete(c, &g, "AA");
    const struct key_description *key = keyring_describe(c->enclave->keyring, KEY_QUORUM);
    assert_int_equal(key->uses, USE_SIGN | USE_OPEN | USE_SEAL | USE_EXPORT);
    assert_int_equal(key->suite, SUITE_QOS_P256);
    assert_refused(custody_use(c->enclave->keyring, KEY_QUORUM, USE_RELEASE, BYTES_NONE, &out),
                   Q_REFUSED, "release");
    for (uint32_t id = KEY_SETUP; id <= KEY_LIVE; id++)
        for (unsigned use = USE_SIGN; use <= USE_EXPORT; use <<= 1)
            assert_int_not_equal(
                custody_use(c->enclave->keyring, id, (enum key_use)use, BYTES_LIT("x"), &out),
                Q_OK);
}

// Nobody else can bring another pair here; should it happen, nothing of it stays.
static void a_key_that_fails_its_self_test_is_unrecoverable_and_gone(void **state)
{
    struct ceremony *c = *state;
    struct api_genesis_reply g;
    P256_PAIR_AUTO *other = NULL;
    assert_int_equal(genesis(c, &g), 200);
    enclave_enter(c->enclave, PHASE_WAITING_FOR_QUORUM_SHARDS);
    assert_ok(p256_pair_generate(&other));
    assert_refused(instance_key_complete(c->enclave, &other, "test"), Q_CRYPTO, "self test");
    assert_int_equal(c->enclave->phase, PHASE_UNRECOVERABLE_ERROR);
    assert_null(keyring_describe(c->enclave->keyring, KEY_QUORUM));
    struct api_inject_reply reply;
    assert_int_equal(inject(c, &g, "AA", &reply), 409);
}

// A machine that starts anew, with the policy as it is now.
static void start_anew(struct ceremony *c, bool simulated)
{
    enclave_close(&c->enclave);
    c->tee->simulated = true; // only then can it be started anew from here
    assert_ok(tee_restart(c->tee));
    c->tee->simulated = simulated;
    ceremony_open_enclave(c);
}

static void pin(struct ceremony *c, char path[static 96], struct bytes key)
{
    BUF_AUTO hex = {0};
    (void)snprintf(path, 96, "%s/pin", c->folder);
    assert_ok(hex_encode(key, &hex));
    assert_ok(file_write(path, buf_bytes(&hex), 0600, FILE_REPLACE));
    c->policy.pinned_quorum_key = path;
}

// The host can write the file, with a key of its own making, which signs it: only a pin says that it is ours.
static void a_state_file_does_not_speak_for_itself_on_hardware(void **state)
{
    struct ceremony *c = *state;
    struct api_genesis_reply g;
    char folder[96], path[96];
    (void)snprintf(folder, sizeof folder, "%s/state", c->folder);
    c->policy.state_dir = folder;
    start_anew(c, false);
    assert_int_equal(genesis(c, &g), 200);
    start_anew(c, false);
    assert_int_equal(c->enclave->phase, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    assert_null(c->enclave->booted);
    pin(c, path, p256_public_bytes(p256_pair_public(c->quorum)));
    start_anew(c, false);
    assert_int_equal(c->enclave->phase, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    start_anew(c, true);
    assert_int_equal(c->enclave->phase, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    pin(c, path, g.quorum_public_key);
    start_anew(c, false);
    assert_int_equal(c->enclave->phase, PHASE_GENESIS_BOOTED);
    assert_complete(c, &g, "EE");
}

static void where_a_key_is_pinned_no_other_is_made_or_booted(void **state)
{
    struct ceremony *c = *state;
    struct api_genesis_reply g;
    char path[96];
    pin(c, path, p256_public_bytes(p256_pair_public(c->pairs[0])));
    start_anew(c, true);
    assert_int_equal(genesis(c, &g), 409);
    assert_non_null(strstr(err_text(), "--pinned-quorum-key"));
    for (int forward = 0; forward < 2; forward++) {
        struct message m = ceremony_boot_request(c, forward ? MSG_BOOT_KEY_FORWARD_REQUEST
                                                            : MSG_BOOT_STANDARD_REQUEST);
        struct message reply = ceremony_send(c, &m, ENCODING_JSON);
        assert_error(&reply, PE_DIFFERENT_QUORUM_KEY);
        assert_int_equal(c->enclave->phase, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    }
    pin(c, path, p256_public_bytes(p256_pair_public(c->quorum)));
    start_anew(c, true);
    ceremony_provision(c);
    assert_phase(c, PHASE_QUORUM_KEY_PROVISIONED);
}

// Passes everything on, and fails from the n-th call of one operation on.
struct failing_tee {
    struct tee base;
    struct tee *real;
    int extends_left, attests_left;
};

static enum q_err pass_describe(struct tee *t, struct tee_description *out)
{
    struct tee *real = ((struct failing_tee *)t)->real;
    return real->ops->describe(real, out);
}

static enum q_err pass_read(struct tee *t, unsigned index, struct register_state *out)
{
    struct tee *real = ((struct failing_tee *)t)->real;
    return real->ops->read(real, index, out);
}

static enum q_err fail_extend(struct tee *t, unsigned index, struct bytes data,
                              struct register_value *after)
{
    struct failing_tee *f = (struct failing_tee *)t;
    return f->extends_left-- > 0 ? f->real->ops->extend(f->real, index, data, after)
                                 : fail(Q_TEE, "InternalError");
}

static enum q_err pass_lock(struct tee *t, unsigned end)
{
    struct tee *real = ((struct failing_tee *)t)->real;
    return real->ops->lock(real, end);
}

static enum q_err fail_attest(struct tee *t, struct bytes user_data, struct bytes nonce,
                              struct bytes public_key, struct buf *document)
{
    struct failing_tee *f = (struct failing_tee *)t;
    return f->attests_left-- > 0
               ? f->real->ops->attest(f->real, user_data, nonce, public_key, document)
               : fail(Q_TEE, "InternalError");
}

static const struct tee_ops failing_ops = {.describe = pass_describe,
                                           .read = pass_read,
                                           .extend = fail_extend,
                                           .lock = pass_lock,
                                           .attest = fail_attest};

static void a_tee_that_fails_before_its_registers_are_spent_can_be_asked_again(void **state)
{
    struct ceremony *c = *state;
    struct api_genesis_reply g;
    struct failing_tee t = {
        .base = {.ops = &failing_ops, .name = "sim", .simulated = true, .root = c->tee->root},
        .real = c->tee,
        .extends_left = 9,
        .attests_left = 0};
    c->enclave->tee = &t.base;
    assert_int_equal(genesis(c, &g), 500);
    assert_int_equal(c->enclave->phase, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    assert_null(c->enclave->held);
    assert_null(c->enclave->booted);
    c->enclave->tee = c->tee;
    assert_int_equal(genesis(c, &g), 200);
}

static void a_tee_that_fails_after_its_first_register_is_unrecoverable(void **state)
{
    (void)state;
    // The first attestation is of the genesis, the second of what was booted.
    for (int extends = 1; extends <= 3; extends++) {
        struct ceremony c = {0};
        struct api_genesis_reply g;
        ceremony_open(&c);
        struct failing_tee t = {
            .base = {.ops = &failing_ops, .name = "sim", .simulated = true, .root = c.tee->root},
            .real = c.tee,
            .extends_left = extends,
            .attests_left = 1};
        c.enclave->tee = &t.base;
        assert_int_equal(genesis(&c, &g), 500);
        assert_int_equal(c.enclave->phase, PHASE_UNRECOVERABLE_ERROR);
        assert_null(c.enclave->held);
        assert_int_equal(genesis(&c, &g), 409);
        ceremony_close(&c);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, ceremony_teardown)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(finding_01_hardware_keeps_nothing_of_the_genesis_and_takes_envelopes_alone),
        TEST(hardware_takes_shares_in_clear_only_when_told_to),
        TEST(acknowledgements_end_after_ten_minutes),
        TEST(a_timer_ends_what_is_held_without_a_request),
        TEST(an_instance_publishes_no_file),
        TEST(the_quorum_key_of_an_instance_is_never_released),
        TEST(a_key_that_fails_its_self_test_is_unrecoverable_and_gone),
        TEST(a_state_file_does_not_speak_for_itself_on_hardware),
        TEST(where_a_key_is_pinned_no_other_is_made_or_booted),
        TEST(a_tee_that_fails_before_its_registers_are_spent_can_be_asked_again),
        cmocka_unit_test(a_tee_that_fails_after_its_first_register_is_unrecoverable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
