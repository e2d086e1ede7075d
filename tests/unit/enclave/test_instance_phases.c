// The REST API's half of the phase table (renclave 2.2, "Ours"): every operation in every phase after every birth,
// against a table of our own; and the ways from phase to phase, those of the guide's diagram and no others.
#include "ceremony.h"

#include "enclave/instance/api.h"

#define IN(phase) (1u << (phase))
#define W IN(PHASE_WAITING_FOR_BOOT_INSTRUCTION)
#define G IN(PHASE_GENESIS_BOOTED)
#define S IN(PHASE_WAITING_FOR_QUORUM_SHARDS)
#define P IN(PHASE_QUORUM_KEY_PROVISIONED)
#define F IN(PHASE_WAITING_FOR_FORWARDED_KEY)
#define A IN(PHASE_APPLICATION_READY)
#define U IN(PHASE_UNRECOVERABLE_ERROR)
#define ALL (W | G | S | P | F | A | U)

static const enum birth births[] = {BIRTH_KEY_DROPPED, BIRTH_RESHARE, BIRTH_GENESIS_HELD,
                                    BIRTH_INSTANCE_FORWARDED};
enum { DROPPED, RESHARE, HELD, FORWARDED, BIRTHS };

// Phases by birth: QuorumOS (which is what an enclave without a history is), reshare, genesis, forwarded.
static const unsigned taken[API_OPERATION_COUNT][BIRTHS] = {
    [API_ENCLAVE_INFO] = {ALL, ALL, ALL, ALL},
    [API_APPLICATION_STATUS] = {ALL, ALL, ALL, ALL},
    [API_RESET] = {ALL, ALL, ALL, ALL},
    [API_MANIFEST_STATE] = {ALL & ~U, ALL & ~U, ALL & ~U, ALL & ~U},
    [API_ATTESTATION_STATE] = {ALL & ~U, ALL & ~U, ALL & ~U, ALL & ~U},
    // On a phrase in clear: whatever needs the key is refused by the handler.
    [API_VALIDATE_SEED] = {ALL & ~U, ALL & ~U, ALL & ~U, ALL & ~U},
    [API_DERIVE_ADDRESS] = {ALL & ~U, ALL & ~U, ALL & ~U, ALL & ~U},
    // What succeeded may be said again.
    [API_GENESIS_BOOT] = {[DROPPED] = W, [HELD] = G | S},
    [API_INJECT_SHARES] = {[HELD] = G | S | A},
    [API_SHARE_MANIFEST] = {[DROPPED] = W, [FORWARDED] = F},
    [API_BOOT_KEY_FORWARD] = {[DROPPED] = W, [FORWARDED] = F},
    [API_INJECT_KEY] = {[FORWARDED] = F | A},
    [API_GENERATE_ATTESTATION] = {[DROPPED] = G | S | F | P | A,
                                  [HELD] = G | S | F | P | A,
                                  [FORWARDED] = G | S | F | P | A},
    [API_EXPORT_KEY] = {[HELD] = A, [FORWARDED] = A},
    [API_GENERATE_SEED] = {[HELD] = A, [FORWARDED] = A},
    [API_DERIVE_KEY] = {[HELD] = A, [FORWARDED] = A},
    [API_ENCRYPT_DATA] = {[HELD] = A, [FORWARDED] = A},
    [API_DECRYPT_DATA] = {[HELD] = A, [FORWARDED] = A},
    [API_SIGN_TRANSACTION] = {[HELD] = A, [FORWARDED] = A},
    [API_SIGN_MESSAGE] = {[HELD] = A, [FORWARDED] = A},
    [API_STORE_DATA] = {[HELD] = A, [FORWARDED] = A},
    [API_GET_DATA] = {[HELD] = A, [FORWARDED] = A},
};

static void finding_20_every_operation_is_taken_in_its_phases_and_no_other(void **state)
{
    (void)state;
    for (int op = 0; op < API_OPERATION_COUNT; op++)
        for (int b = 0; b < BIRTHS; b++)
            for (int phase = 0; phase < PHASE_COUNT_ALL; phase++) {
                bool found =
                    api_route_find((enum phase)phase, births[b], (enum api_operation)op) != NULL;
                if (found != ((taken[op][b] & IN(phase)) != 0))
                    fail_msg("operation %d, birth %d, phase %s: %s", op, b,
                             phase_name((enum phase)phase), found ? "taken" : "not taken");
            }
}

static const struct {
    unsigned from;
    enum phase to;
    bool may[BIRTHS];
} ways[] = {
    {W, PHASE_GENESIS_BOOTED, {[DROPPED] = true, [HELD] = true}},
    {W, PHASE_WAITING_FOR_QUORUM_SHARDS, {[DROPPED] = true, [RESHARE] = true}},
    {W, PHASE_WAITING_FOR_FORWARDED_KEY, {[DROPPED] = true, [FORWARDED] = true}},
    {G, PHASE_WAITING_FOR_QUORUM_SHARDS, {[HELD] = true}},
    {S, PHASE_GENESIS_BOOTED, {[RESHARE] = true}},
    {S, PHASE_QUORUM_KEY_PROVISIONED, {[DROPPED] = true, [HELD] = true}},
    {F, PHASE_QUORUM_KEY_PROVISIONED, {[DROPPED] = true, [FORWARDED] = true}},
    {P, PHASE_APPLICATION_READY, {[HELD] = true, [FORWARDED] = true}},
    {ALL, PHASE_UNRECOVERABLE_ERROR, {true, true, true, true}},
};

static bool is_way(int from, int birth, int to)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if ((ways[i].from & IN(from)) != 0 && ways[i].to == (enum phase)to && ways[i].may[birth])
            return true;
    return false;
}

static void every_other_way_from_phase_to_phase_ends_in_unrecoverable_error(void **state)
{
    struct ceremony *c = *state;
    for (int b = 0; b < BIRTHS; b++)
        for (int from = 0; from < PHASE_COUNT_ALL; from++)
            for (int to = 0; to < PHASE_COUNT_ALL; to++) {
                c->enclave->phase = (enum phase)from;
                c->enclave->birth = births[b];
                enclave_enter(c->enclave, (enum phase)to);
                enum phase expected =
                    is_way(from, b, to) ? (enum phase)to : PHASE_UNRECOVERABLE_ERROR;
                if (c->enclave->phase != expected)
                    fail_msg("birth %d: from %s to %s", b, phase_name((enum phase)from),
                             phase_name((enum phase)to));
            }
}

static void a_new_phase_has_its_time(void **state)
{
    struct ceremony *c = *state;
    int64_t before, after;
    assert_int_equal(c->enclave->phase_since_s, 0);
    assert_ok(clock_ms(&clock_wall, &before));
    enclave_enter(c->enclave, PHASE_GENESIS_BOOTED);
    assert_ok(clock_ms(&clock_wall, &after));
    assert_in_range(c->enclave->phase_since_s, before / 1000, after / 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ceremony_setup, ceremony_teardown)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding_20_every_operation_is_taken_in_its_phases_and_no_other),
        TEST(every_other_way_from_phase_to_phase_ends_in_unrecoverable_error),
        TEST(a_new_phase_has_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
