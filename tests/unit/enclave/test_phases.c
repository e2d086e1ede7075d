// The phase table: every message in every phase, against qos-behaviour 2.4 as a table of our own.
#include "ceremony.h"

#include "enclave/handlers.h"

#define W IN(PHASE_WAITING_FOR_BOOT_INSTRUCTION)
#define G IN(PHASE_GENESIS_BOOTED)
#define S IN(PHASE_WAITING_FOR_QUORUM_SHARDS)
#define P IN(PHASE_QUORUM_KEY_PROVISIONED)
#define F IN(PHASE_WAITING_FOR_FORWARDED_KEY)
#define U IN(PHASE_UNRECOVERABLE_ERROR)
#define IN(phase) (1u << (phase))

// Messages that are not named here are taken in no phase.
static const struct {
    uint32_t kind;
    unsigned phases;
} taken[] = {
    {MSG_STATUS_REQUEST, W | G | S | P | F | U},
    {MSG_VERSION_REQUEST, W | G | S | P | F | U},
    {MSG_QUORATE_STATE_REQUEST, W | G | S | P | F | U},
    {MSG_MANIFEST_ENVELOPE_REQUEST, W | S | P | F | U},
    {MSG_LIVE_ATTESTATION_DOC_REQUEST, S | P | F | U},
    {MSG_BOOT_GENESIS_REQUEST, W},
    {MSG_BOOT_STANDARD_REQUEST, W},
    {MSG_BOOT_STANDARD_JSON_ENVELOPE_REQUEST, W},
    {MSG_PROVISION_REQUEST, S},
    {MSG_QUORATE_BOUND_PROVISION_REQUEST, S},
    {MSG_BOOT_KEY_FORWARD_REQUEST, W},
    {MSG_EXPORT_KEY_REQUEST, P},
    {MSG_INJECT_KEY_REQUEST, F},
    {MSG_QUORATE_RESHARE_BOOT_REQUEST, W},
    {MSG_QUORATE_API_REQUEST, W | G | S | P | F | U},
};

static bool is_taken(enum phase phase, uint32_t kind)
{
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (taken[i].kind == kind)
            return (taken[i].phases & IN(phase)) != 0;
    return false;
}

static void every_message_in_every_phase_has_the_route_of_the_table(void **state)
{
    (void)state;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (uint32_t kind = 0; kind < 256; kind++)
            if ((route_find((enum phase)phase, BIRTH_KEY_DROPPED, kind) != NULL) !=
                is_taken((enum phase)phase, kind))
                fail_msg("phase %s, message %u", phase_name((enum phase)phase), kind);
}

// A request of each kind that needs no state to be made.
static struct message request_of(struct ceremony *c, uint32_t kind)
{
    struct message m = {.tag = kind};
    if (kind == MSG_BOOT_STANDARD_REQUEST || kind == MSG_BOOT_KEY_FORWARD_REQUEST)
        m = ceremony_boot_request(c, (enum message_kind)kind);
    if (kind == MSG_BOOT_GENESIS_REQUEST) {
        m.genesis.set.threshold = 2;
        m.genesis.set.members.items = c->members;
        m.genesis.set.members.n = 3;
    }
    if (kind == MSG_PROVISION_REQUEST)
        m.provision = (struct provision_request){.share = BYTES_LIT("x"),
                                                 .approval = ceremony_approval(c, 0)};
    if (kind == MSG_QUORATE_BOUND_PROVISION_REQUEST)
        m.bound_provision = (struct bound_provision_request){.share = BYTES_LIT("x"),
                                                             .approval = ceremony_approval(c, 0),
                                                             .binding = BYTES_LIT("x")};
    if (kind == MSG_EXPORT_KEY_REQUEST)
        m.export_key = (struct export_key_request){.manifest_envelope = c->envelope,
                                                   .cose_sign1_attestation_doc = BYTES_LIT("x")};
    if (kind == MSG_INJECT_KEY_REQUEST)
        m.encrypted_key = (struct encrypted_quorum_key){BYTES_LIT("x"), BYTES_LIT("x")};
    if (kind == MSG_PROXY_REQUEST)
        m.proxy.data = BYTES_LIT("x");
    return m;
}

static void what_has_no_route_is_answered_with_the_phase_and_changes_nothing(void **state)
{
    struct ceremony *c = *state;
    static const uint32_t requests[] = {
        MSG_STATUS_REQUEST,
        MSG_BOOT_STANDARD_REQUEST,
        MSG_BOOT_GENESIS_REQUEST,
        MSG_PROVISION_REQUEST,
        MSG_PROXY_REQUEST,
        MSG_LIVE_ATTESTATION_DOC_REQUEST,
        MSG_BOOT_KEY_FORWARD_REQUEST,
        MSG_EXPORT_KEY_REQUEST,
        MSG_INJECT_KEY_REQUEST,
        MSG_MANIFEST_ENVELOPE_REQUEST,
        MSG_VERSION_REQUEST,
        MSG_QUORATE_BOUND_PROVISION_REQUEST,
        MSG_QUORATE_STATE_REQUEST,
        MSG_STATUS_RESPONSE,
        MSG_INJECT_KEY_RESPONSE,
        MSG_PROVISION_RESPONSE,
    };
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        c->enclave->phase = (enum phase)phase;
        for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
            if (is_taken((enum phase)phase, requests[i]))
                continue;
            struct message m = request_of(c, requests[i]);
            struct message reply = ceremony_send(c, &m, ENCODING_JSON);
            assert_error(&reply, PE_NO_MATCHING_ROUTE);
            assert_int_equal(reply.error.phase.tag, phase);
            assert_int_equal(c->enclave->phase, phase);
        }
    }
}

static void an_enclave_starts_waiting_for_boot(void **state)
{
    assert_phase(*state, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
}

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_in_every_phase_has_the_route_of_the_table),
        cmocka_unit_test_setup_teardown(
            what_has_no_route_is_answered_with_the_phase_and_changes_nothing, ceremony_setup,
            ceremony_teardown),
        cmocka_unit_test_setup_teardown(an_enclave_starts_waiting_for_boot, ceremony_setup,
                                        ceremony_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
