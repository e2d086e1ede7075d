// A wall clock that jumps, stands before 1970 or fails: phases and keys do not depend on it; documents carry
// what it said, and are refused while it says nothing that can be true.
#include "ceremony.h"

#include <stdio.h>

struct jumping {
    struct clock clock;
    int64_t ms;
    bool fails;
};

static struct jumping jumping;

static enum q_err jump(void *context, struct clock_reading *out)
{
    const struct jumping *j = context;
    if (j->fails)
        return fail(Q_IO, "clock: cannot be read");
    *out = (struct clock_reading){.ms = j->ms, .source = CLOCK_SOURCE_GIVEN};
    return Q_OK;
}

#define YEAR_MS (INT64_C(31556952) * 1000)

static void set_year(int year)
{
    jumping.ms = (year - 1970) * YEAR_MS + 1000;
}

static int setup(void **state)
{
    if (ceremony_setup(state) != 0)
        return -1;
    struct ceremony *c = *state;
    char sim[96];
    (void)snprintf(sim, sizeof sim, "%s/sim", c->folder);
    jumping = (struct jumping){.clock = {jump, &jumping}};
    set_year(2026);
    struct tee_options options = {
        .provider = "sim", .sim_dir = sim, .mock = true, .clock = &jumping.clock};
    enclave_close(&c->enclave);
    tee_close(&c->tee);
    assert_ok(tee_open(&options, &c->tee));
    ceremony_open_enclave(c);
    return 0;
}

static struct message ask_genesis(struct ceremony *c)
{
    struct message m = {.tag = MSG_BOOT_GENESIS_REQUEST,
                        .genesis = {.set = {.members = {c->members, 3}, .threshold = 2}}};
    return ceremony_send(c, &m, ENCODING_JSON);
}

static struct message ask_document(struct ceremony *c)
{
    struct message m = {.tag = MSG_LIVE_ATTESTATION_DOC_REQUEST};
    return ceremony_send(c, &m, ENCODING_JSON);
}

static int64_t time_of(struct ceremony *c, const struct nsm_response *nsm)
{
    struct claims claims = {0};
    assert_ok(attestation_read(nsm->attestation.data, &c->arena, &claims));
    return claims.timestamp_ms;
}

static void a_ceremony_goes_on_while_the_clock_jumps(void **state)
{
    struct ceremony *c = *state;
    ceremony_boot(c);
    static const int years[] = {2100, 1971, 9000, 2026};
    for (size_t i = 0; i < sizeof years / sizeof *years; i++) {
        set_year(years[i]);
        struct message reply = ask_document(c);
        assert_int_equal(reply.tag, MSG_LIVE_ATTESTATION_DOC_RESPONSE);
        assert_int_equal(time_of(c, &reply.live_attestation.nsm_response), jumping.ms);
    }
    set_year(1971);
    struct message reply = ceremony_post(c, 0, ceremony_share(c, 0));
    assert_reconstructed(&reply, false);
    set_year(9000);
    reply = ceremony_post(c, 1, ceremony_share(c, 1));
    assert_reconstructed(&reply, true);
    assert_phase(c, PHASE_QUORUM_KEY_PROVISIONED);
}

static void genesis_is_refused_while_the_clock_says_nothing_true_and_succeeds_then(void **state)
{
    struct ceremony *c = *state;
    jumping.ms = -1;
    struct message reply = ask_genesis(c);
    assert_error(&reply, PE_QOS_ATTEST_ERROR);
    jumping.ms = 0;
    reply = ask_genesis(c);
    assert_error(&reply, PE_QOS_ATTEST_ERROR);
    jumping.fails = true;
    reply = ask_genesis(c);
    assert_error(&reply, PE_QOS_ATTEST_ERROR);
    assert_phase(c, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    jumping.fails = false;
    set_year(2026);
    reply = ask_genesis(c);
    assert_int_equal(reply.tag, MSG_BOOT_GENESIS_RESPONSE);
    assert_phase(c, PHASE_GENESIS_BOOTED);
}

static void a_document_is_refused_while_the_clock_fails_and_nothing_else_is(void **state)
{
    struct ceremony *c = *state;
    ceremony_boot(c);
    jumping.fails = true;
    struct message reply = ask_document(c);
    assert_error(&reply, PE_QOS_ATTEST_ERROR);
    assert_phase(c, PHASE_WAITING_FOR_QUORUM_SHARDS);
    for (size_t i = 0; i < 2; i++) {
        reply = ceremony_post(c, i, ceremony_share(c, i));
        assert_reconstructed(&reply, i == 1);
    }
    jumping.fails = false;
    reply = ask_document(c);
    assert_int_equal(reply.tag, MSG_LIVE_ATTESTATION_DOC_RESPONSE);
}

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_ceremony_goes_on_while_the_clock_jumps, setup,
                                        ceremony_teardown),
        cmocka_unit_test_setup_teardown(
            genesis_is_refused_while_the_clock_says_nothing_true_and_succeeds_then, setup,
            ceremony_teardown),
        cmocka_unit_test_setup_teardown(
            a_document_is_refused_while_the_clock_fails_and_nothing_else_is, setup,
            ceremony_teardown),
    };
    return cmocka_run_group_tests_name("enclave/clocks", tests, NULL, NULL);
}
