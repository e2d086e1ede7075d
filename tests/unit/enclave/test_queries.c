// Encodings, queries and genesis: replies follow the request's encoding, what cannot be decoded is answered in
// JSON, and a reply that cannot be said changes nothing (qos-behaviour 2.3, 2.4, 2.5).
#include "ceremony.h"

#include "protocol/genesis.h"

static void each_encoding_is_answered_in_its_own(void **state)
{
    struct ceremony *c = *state;
    struct message m = {.tag = MSG_STATUS_REQUEST};
    struct message reply = ceremony_send(c, &m, ENCODING_BORSH);
    assert_int_equal(reply.tag, MSG_STATUS_RESPONSE);
    assert_int_equal(reply.status.tag, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.status.tag, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
}

static void the_status_reply_is_the_originals_to_the_byte(void **state)
{
    struct ceremony *c = *state;
    BUF_AUTO reply = {0};
    assert_ok(dispatch(c->enclave, BYTES_LIT("\"statusRequest\""), &reply));
    assert_bytes(buf_bytes(&reply),
                 BYTES_LIT("{\"statusResponse\":\"WaitingForBootInstruction\"}"));
    assert_ok(dispatch(c->enclave, BYTES_LIT("\x01"), &reply));
    assert_bytes(buf_bytes(&reply), BYTES_LIT("\x02\x01"));
}

static void what_cannot_be_decoded_is_refused_in_json(void **state)
{
    struct ceremony *c = *state;
    const struct bytes frames[] = {
        BYTES_LIT(""),
        BYTES_LIT("{"),
        BYTES_LIT("\xff"),
        BYTES_LIT("\x01\x00"),
        BYTES_LIT("\"nothing\""),
        BYTES_LIT("\x07\xff\xff\xff\xff"),
        BYTES_LIT("{\"provisionRequest\":{}}"),
    };
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        enum encoding as;
        struct message reply = ceremony_send_bytes(c, frames[i], &as);
        assert_error(&reply, PE_PROTOCOL_MSG_DESERIALIZATION);
        assert_int_equal(as, ENCODING_JSON);
    }
    assert_phase(c, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
}

static void version_is_the_originals_with_our_commit(void **state)
{
    struct message m = {.tag = MSG_VERSION_REQUEST};
    struct message reply = ceremony_send(*state, &m, ENCODING_BORSH);
    assert_int_equal(reply.tag, MSG_VERSION_RESPONSE);
    assert_bytes(reply.version.version, BYTES_LIT("0.13.0"));
    assert_true(reply.version.commit.n > 10);
    assert_memory_equal(reply.version.commit.p, "quorate-", 8);
}

static void before_boot_there_is_no_envelope_and_no_attestation(void **state)
{
    struct ceremony *c = *state;
    struct message m = {.tag = MSG_MANIFEST_ENVELOPE_REQUEST};
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.tag, MSG_MANIFEST_ENVELOPE_RESPONSE);
    assert_null(reply.envelope.manifest_envelope);
    c->enclave->phase = PHASE_UNRECOVERABLE_ERROR;
    m.tag = MSG_LIVE_ATTESTATION_DOC_REQUEST;
    reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_error(&reply, PE_FAILED_TO_GET_EPHEMERAL_KEY);
}

static void the_state_message_tells_tee_shares_and_application(void **state)
{
    struct ceremony *c = *state;
    struct message m = {.tag = MSG_QUORATE_STATE_REQUEST};
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.tag, MSG_QUORATE_STATE_RESPONSE);
    assert_bytes(reply.state.tee, BYTES_LIT("sim"));
    assert_int_equal(reply.state.shares_needed, 0);
    assert_false(reply.state.pivot_running);
    ceremony_boot(c);
    (void)ceremony_post(c, 0, ceremony_share(c, 0));
    reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.state.phase.tag, PHASE_WAITING_FOR_QUORUM_SHARDS);
    assert_int_equal(reply.state.shares_needed, 2);
    assert_int_equal(reply.state.shares_held, 1);
}

static void an_envelope_without_borsh_form_is_invalid_msg_in_json(void **state)
{
    struct ceremony *c = *state;
    c->envelope.manifest.version = MANIFEST_V2;
    c->envelope.manifest.version_text = BYTES_LIT("v2");
    ceremony_approve(c, 2);
    ceremony_boot(c);
    enum encoding as;
    struct message reply = ceremony_send_bytes(c, BYTES_LIT("\x13"), &as);
    assert_int_equal(as, ENCODING_JSON);
    assert_error(&reply, PE_INVALID_MSG);
    struct message m = {.tag = MSG_MANIFEST_ENVELOPE_REQUEST};
    reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.envelope.manifest_envelope->manifest.version, MANIFEST_V2);
}

static struct message genesis_request(struct ceremony *c)
{
    struct message m = {.tag = MSG_BOOT_GENESIS_REQUEST};
    m.genesis.set.threshold = 2;
    m.genesis.set.members.items = c->members;
    m.genesis.set.members.n = 3;
    return m;
}

static void genesis_is_attested_and_ends_in_genesis_booted(void **state)
{
    struct ceremony *c = *state;
    struct message m = genesis_request(c);
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.tag, MSG_BOOT_GENESIS_RESPONSE);
    const struct genesis_output *g = &reply.genesis_reply.genesis_output;
    assert_ok(genesis_output_matches(g, &m.genesis.set, BYTES_NONE));
    uint8_t hash[SHA256_SIZE];
    struct claims claims;
    assert_ok(genesis_output_hash(g, hash));
    ceremony_claims(c, reply.genesis_reply.nsm_response.attestation.data, &claims);
    assert_bytes(claims.user_data, BYTES_OF(hash));
    assert_null(claims.public_key.p);
    assert_null(claims.nonce.p);
    assert_phase(c, PHASE_GENESIS_BOOTED);
    for (int which = 0; which < PUBLISHED_COUNT; which++)
        assert_false(ceremony_file_exists(c, (enum published_file)which));
    reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_error(&reply, PE_NO_MATCHING_ROUTE);
}

static void a_refused_genesis_can_be_put_right(void **state)
{
    struct ceremony *c = *state;
    struct message m = genesis_request(c);
    m.genesis.set.threshold = 1;
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_error(&reply, PE_QOS_CRYPTO);
    m = genesis_request(c);
    m.genesis.dr_key = BYTES_LIT("not a key");
    reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_error(&reply, PE_INVALID_P256_DR_KEY);
    struct member twice[] = {c->members[0], c->members[1], c->members[0]};
    m = genesis_request(c);
    m.genesis.set.members.items = twice;
    reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_error(&reply, PE_DUPLICATE_QUORUM_MEMBER);
    assert_phase(c, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    m = genesis_request(c);
    reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.tag, MSG_BOOT_GENESIS_RESPONSE);
}

static void large_frames_are_taken_only_where_a_manifest_may_come(void **state)
{
    struct ceremony *c = *state;
    assert_int_equal(dispatch_frame_limit(c->enclave), MESSAGE_MAX_SIZE);
    ceremony_boot(c);
    assert_int_equal(dispatch_frame_limit(c->enclave), DISPATCH_SMALL_FRAME);
    c->enclave->phase = PHASE_QUORUM_KEY_PROVISIONED;
    assert_int_equal(dispatch_frame_limit(c->enclave), DISPATCH_EXPORT_FRAME);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ceremony_setup, ceremony_teardown)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(each_encoding_is_answered_in_its_own),
        TEST(the_status_reply_is_the_originals_to_the_byte),
        TEST(what_cannot_be_decoded_is_refused_in_json),
        TEST(version_is_the_originals_with_our_commit),
        TEST(before_boot_there_is_no_envelope_and_no_attestation),
        TEST(the_state_message_tells_tee_shares_and_application),
        TEST(an_envelope_without_borsh_form_is_invalid_msg_in_json),
        TEST(genesis_is_attested_and_ends_in_genesis_booted),
        TEST(a_refused_genesis_can_be_put_right),
        TEST(large_frames_are_taken_only_where_a_manifest_may_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
