// A resharing through the enclave's door: which message in which phase, in what order shares are checked, and
// that a refusal changes nothing.
#include "ceremony.h"

#include "../reshare_scene.h"

#include "enclave/handlers.h"
#include "protocol/share.h"

static struct {
    struct ceremony ceremony; // the enclave and its folder
    struct reshare_scene scene;
} test;

static int open_both(void **state)
{
    (void)state;
    memset(&test, 0, sizeof test);
    ceremony_open(&test.ceremony);
    scene_open(&test.scene);
    return 0;
}

static int close_both(void **state)
{
    (void)state;
    scene_close(&test.scene);
    ceremony_close(&test.ceremony);
    return 0;
}

static struct message boot(size_t approvals)
{
    struct message m = {.tag = MSG_QUORATE_RESHARE_BOOT_REQUEST,
                        .reshare_boot = {.plan = test.scene.plan}};
    m.reshare_boot.approvals.items = test.scene.approvals[RESHARE_ROLE_MANIFEST];
    m.reshare_boot.approvals.n = approvals;
    return ceremony_send(&test.ceremony, &m, ENCODING_JSON);
}

static void booted(void)
{
    struct message reply = boot(2);
    assert_int_equal(reply.tag, MSG_QUORATE_RESHARE_BOOT_RESPONSE);
    assert_phase(&test.ceremony, PHASE_WAITING_FOR_QUORUM_SHARDS);
    assert_int_equal(test.ceremony.enclave->birth, BIRTH_RESHARE);
}

static struct bytes kept(struct bytes in)
{
    struct bytes out;
    assert_ok(arena_copy(&test.ceremony.arena, in, &out));
    return out;
}

// As a member's client posts it; each part can be changed before it is sent.
static struct message share_of(size_t member, struct bytes plaintext)
{
    BUF_AUTO message = {0};
    uint8_t binding[P256_SIGNATURE_SIZE];
    struct message m = {.tag = MSG_QUORATE_RESHARE_SHARE_REQUEST};
    m.reshare_share.share = ceremony_seal(&test.ceremony, plaintext);
    m.reshare_share.approval = test.scene.approvals[RESHARE_ROLE_SHARE][member];
    assert_ok(share_binding_message(
        test.scene.hash,
        p256_public_bytes(keyring_public(test.ceremony.enclave->keyring, KEY_SETUP)),
        m.reshare_share.share, &message));
    assert_ok(p256_sign(test.scene.pairs[member], buf_bytes(&message), binding));
    m.reshare_share.binding = kept(BYTES_OF(binding));
    return m;
}

static void is_refused(const struct message *m, enum protocol_error_kind kind)
{
    size_t held = test.ceremony.enclave->shares.n;
    struct message reply = ceremony_send(&test.ceremony, m, ENCODING_JSON);
    assert_error(&reply, kind);
    assert_int_equal(test.ceremony.enclave->shares.n, held);
    assert_phase(&test.ceremony, PHASE_WAITING_FOR_QUORUM_SHARDS);
}

static void posts(size_t member, bool complete)
{
    struct message m = share_of(member, scene_share(&test.scene, member));
    struct message reply = ceremony_send(&test.ceremony, &m, ENCODING_JSON);
    assert_int_equal(reply.tag, MSG_QUORATE_RESHARE_SHARE_RESPONSE);
    assert_int_equal(reply.reshare_share_reply.complete, complete);
}

static void a_resharing_has_its_own_routes(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind;
        enum phase phase; // PHASE_COUNT: all
    } taken[] = {
        {MSG_STATUS_REQUEST, PHASE_COUNT},
        {MSG_VERSION_REQUEST, PHASE_COUNT},
        {MSG_QUORATE_STATE_REQUEST, PHASE_COUNT},
        {MSG_MANIFEST_ENVELOPE_REQUEST, PHASE_COUNT},
        {MSG_QUORATE_API_REQUEST, PHASE_COUNT},
        {MSG_QUORATE_RESHARE_ATTESTATION_REQUEST, PHASE_WAITING_FOR_QUORUM_SHARDS},
        {MSG_QUORATE_RESHARE_SHARE_REQUEST, PHASE_WAITING_FOR_QUORUM_SHARDS},
        {MSG_QUORATE_RESHARE_OUTPUT_REQUEST, PHASE_GENESIS_BOOTED},
    };
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (uint32_t kind = 0; kind < 256; kind++) {
            bool expected = false;
            for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
                expected |= taken[i].kind == kind &&
                            (taken[i].phase == PHASE_COUNT || taken[i].phase == (enum phase)phase);
            if ((route_find((enum phase)phase, BIRTH_RESHARE, kind) != NULL) != expected)
                fail_msg("phase %s, message %u", phase_name((enum phase)phase), kind);
        }
}

static void a_boot_that_is_not_approved_changes_nothing(void **state)
{
    (void)state;
    struct message reply = boot(1);
    assert_error(&reply, PE_NOT_ENOUGH_APPROVALS);
    test.scene.plan.epoch = 2; // another plan than the one approved
    reply = boot(2);
    assert_error(&reply, PE_COULD_NOT_VERIFY_APPROVAL);
    test.scene.plan.epoch = 1;
    test.scene.plan.new_share_set.threshold = 1;
    reply = boot(2);
    assert_error(&reply, PE_QOS_CRYPTO);
    test.scene.plan.new_share_set.threshold = 3;
    assert_phase(&test.ceremony, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    assert_null(test.ceremony.enclave->reshare);
    booted();
}

static void a_share_is_checked_in_the_order_of_a_provision(void **state)
{
    (void)state;
    struct reshare_scene *s = &test.scene;
    const struct bytes right = scene_share(s, 0);
    booted();
    // Everything is wrong at first; each step puts right what was refused.
    struct message m = share_of(0, BYTES_LIT("short")), other = share_of(1, right);
    m.reshare_share.binding = other.reshare_share.binding;
    m.reshare_share.approval = s->approvals[RESHARE_ROLE_MANIFEST][0];
    struct bytes sealed = m.reshare_share.share;
    m.reshare_share.share = BYTES_LIT("no envelope");
    is_refused(&m, PE_COULD_NOT_VERIFY_APPROVAL);
    m.reshare_share.approval = s->approvals[RESHARE_ROLE_SHARE][0];
    m.reshare_share.approval.member.alias = BYTES_LIT("bob");
    is_refused(&m, PE_NOT_SHARE_SET_MEMBER);
    m.reshare_share.approval = s->approvals[RESHARE_ROLE_SHARE][0];
    is_refused(&m, PE_DECRYPTION_FAILED);
    m.reshare_share.share = sealed;
    is_refused(&m, PE_COULD_NOT_VERIFY_APPROVAL);
    m = share_of(0, BYTES_LIT("short"));
    is_refused(&m, PE_INVALID_SHARE);
    m = share_of(0, scene_share(s, 1));
    is_refused(&m, PE_INVALID_SHARE);
    posts(0, false);
    posts(0, false); // a member counts once
    assert_int_equal(test.ceremony.enclave->shares.n, 1);
    posts(2, true);
}

static void the_output_is_given_out_as_often_as_it_is_asked_for(void **state)
{
    (void)state;
    const struct message ask = {.tag = MSG_QUORATE_RESHARE_OUTPUT_REQUEST};
    uint8_t first[SHA256_SIZE], hash[SHA256_SIZE];
    booted();
    struct message reply = ceremony_send(&test.ceremony, &ask, ENCODING_JSON);
    assert_error(&reply, PE_NO_MATCHING_ROUTE);
    posts(1, false);
    posts(2, true);
    assert_phase(&test.ceremony, PHASE_GENESIS_BOOTED);
    for (int i = 0; i < 3; i++) {
        struct claims claims;
        reply = ceremony_send(&test.ceremony, &ask, ENCODING_JSON);
        assert_int_equal(reply.tag, MSG_QUORATE_RESHARE_OUTPUT_RESPONSE);
        assert_ok(reshare_output_check(&reply.reshare_output.output));
        assert_ok(reshare_output_hash(&reply.reshare_output.output, hash));
        if (i == 0)
            memcpy(first, hash, sizeof first);
        assert_memory_equal(hash, first, sizeof hash);
        ceremony_claims(&test.ceremony, reply.reshare_output.nsm_response.attestation.data,
                        &claims);
        assert_bytes(claims.user_data, BYTES_OF(hash));
    }
    assert_int_equal(test.ceremony.enclave->shares.n, 0);
    assert_null(test.ceremony.enclave->booted);
    for (size_t i = 0; i < PUBLISHED_COUNT; i++)
        assert_false(ceremony_file_exists(&test.ceremony, (enum published_file)i));
    SECRET_AUTO none = {0}; // what opened the shares is gone
    assert_int_equal(
        custody_use(test.ceremony.enclave->keyring, KEY_SETUP, USE_OPEN, BYTES_NONE, &none),
        Q_MISSING);
}

static void the_document_commits_to_plan_and_setup_key(void **state)
{
    (void)state;
    const struct message ask = {.tag = MSG_QUORATE_RESHARE_ATTESTATION_REQUEST};
    struct claims claims;
    uint8_t expected[SHA384_SIZE];
    booted();
    struct message reply = ceremony_send(&test.ceremony, &ask, ENCODING_JSON);
    assert_int_equal(reply.tag, MSG_QUORATE_RESHARE_ATTESTATION_RESPONSE);
    ceremony_claims(&test.ceremony, reply.nsm.nsm_response.attestation.data, &claims);
    assert_bytes(claims.user_data, BYTES_OF(test.scene.hash));
    assert_ok(commitment_register(COMMITMENT_SETUP, test.scene.hash, claims.public_key, expected));
    assert_memory_equal(claims.registers[16].value, expected, sizeof expected);
}

static void the_state_counts_shares_and_a_plan_that_cannot_hold_stays_refused(void **state)
{
    (void)state;
    const struct message ask = {.tag = MSG_QUORATE_STATE_REQUEST};
    test.scene.plan.quorum_key = test.scene.people[0].pub_key; // not the key of these shares
    scene_approve(&test.scene);
    booted();
    posts(0, false);
    struct message reply = ceremony_send(&test.ceremony, &ask, ENCODING_JSON);
    assert_int_equal(reply.state.shares_held, 1);
    assert_int_equal(reply.state.shares_needed, 2);
    struct message last = share_of(1, scene_share(&test.scene, 1));
    is_refused(&last, PE_RECONSTRUCTION_INCORRECT_PUB_KEY);
    is_refused(&last, PE_RECONSTRUCTION_INCORRECT_PUB_KEY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_both, close_both)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resharing_has_its_own_routes),
        TEST(a_boot_that_is_not_approved_changes_nothing),
        TEST(a_share_is_checked_in_the_order_of_a_provision),
        TEST(the_output_is_given_out_as_often_as_it_is_asked_for),
        TEST(the_document_commits_to_plan_and_setup_key),
        TEST(the_state_counts_shares_and_a_plan_that_cannot_hold_stays_refused),
    };
    return cmocka_run_group_tests_name("enclave/reshare", tests, NULL, NULL);
}
