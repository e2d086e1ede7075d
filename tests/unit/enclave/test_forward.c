// Key forwarding between enclaves in one process: chains, every refusal of boot, export and inject with phase and files
// as before, and their order when several things are wrong at once (qos-behaviour 2.6, 2.8, 2.9).
#include "ceremony.h"

#include <stdlib.h>
#include <unistd.h>

// One enclave with the key, one that is to get it.
struct pair {
    struct ceremony old, new;
};

static int set_up(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    assert_non_null(p);
    ceremony_open(&p->old);
    ceremony_open_second(&p->old, false, &p->new);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *p = *state;
    ceremony_close(&p->new);
    ceremony_close(&p->old);
    free(p);
    return 0;
}

// Boots for a forwarded key; gives the document.
static struct bytes boot_forward(struct ceremony *c)
{
    struct message m = ceremony_boot_request(c, MSG_BOOT_KEY_FORWARD_REQUEST);
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.tag, MSG_BOOT_KEY_FORWARD_RESPONSE);
    assert_phase(c, PHASE_WAITING_FOR_FORWARDED_KEY);
    return reply.nsm.nsm_response.attestation.data;
}

static struct message export_request(const struct manifest_envelope *envelope,
                                     struct bytes document)
{
    return (struct message){
        .tag = MSG_EXPORT_KEY_REQUEST,
        .export_key = {.manifest_envelope = *envelope, .cose_sign1_attestation_doc = document}};
}

static struct message export(struct ceremony *from, const struct manifest_envelope *envelope,
                             struct bytes document)
{
    struct message m = export_request(envelope, document);
    struct message reply = ceremony_send(from, &m, ENCODING_JSON);
    if (reply.tag == MSG_PROTOCOL_ERROR_RESPONSE)
        fail_msg("export: %s", err_text());
    assert_int_equal(reply.tag, MSG_EXPORT_KEY_RESPONSE);
    reply.tag = MSG_INJECT_KEY_REQUEST; // the same payload
    return reply;
}

static void inject(struct ceremony *to, const struct message *m)
{
    struct message reply = ceremony_send(to, m, ENCODING_JSON);
    if (reply.tag == MSG_PROTOCOL_ERROR_RESPONSE)
        fail_msg("inject: %s", err_text());
    assert_int_equal(reply.tag, MSG_INJECT_KEY_RESPONSE);
    assert_phase(to, PHASE_QUORUM_KEY_PROVISIONED);
}

static void assert_has_the_key(struct ceremony *c, const struct ceremony *first)
{
    assert_bytes(ceremony_read(c, PUBLISHED_QUORUM), ceremony_seed_text(c, first->quorum));
    struct message m = {.tag = MSG_LIVE_ATTESTATION_DOC_REQUEST};
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.tag, MSG_LIVE_ATTESTATION_DOC_RESPONSE);
    assert_document(c, reply.live_attestation.nsm_response.attestation.data, COMMITMENT_LIVE,
                    KEY_LIVE);
    SECRET_AUTO gone = {0};
    assert_int_equal(custody_use(c->enclave->keyring, KEY_SETUP, USE_OPEN, BYTES_LIT("x"), &gone),
                     Q_MISSING);
}

static void forward(struct ceremony *from, struct ceremony *to, const struct ceremony *first)
{
    struct bytes document = boot_forward(to);
    assert_document(to, document, COMMITMENT_SETUP, KEY_SETUP);
    struct bytes setup = ceremony_read(to, PUBLISHED_EPHEMERAL);
    struct message key = export(from, &to->envelope, document);
    inject(to, &key);
    assert_has_the_key(to, first);
    struct bytes live = ceremony_read(to, PUBLISHED_EPHEMERAL);
    assert_int_equal(live.n, 64);
    assert_false(bytes_equal(live, setup));
}

static void set_version(struct pair *p, enum manifest_version version)
{
    struct manifest_envelope *both[] = {&p->old.envelope, &p->new.envelope};
    for (size_t i = 0; i < 2; i++) {
        both[i]->manifest.version = version;
        if (version == MANIFEST_V2)
            both[i]->manifest.version_text = BYTES_LIT("v2");
    }
    ceremony_approve(&p->old, 2);
    ceremony_approve(&p->new, 2);
}

static void forwards_with_the_same_manifest_of_every_version(void **state)
{
    for (int version = MANIFEST_V0; version <= MANIFEST_V2; version++) {
        struct pair *p = *state;
        set_version(p, (enum manifest_version)version);
        ceremony_provision(&p->old);
        forward(&p->old, &p->new, &p->old);
        if (version == MANIFEST_V2)
            break;
        (void)tear_down(state);
        (void)set_up(state);
    }
}

static void a_chain_of_three_carries_the_key_on_with_growing_nonces(void **state)
{
    struct pair *p = *state;
    struct ceremony third;
    ceremony_open_second(&p->old, false, &third);
    p->new.envelope.manifest.namespace.nonce = 2;
    ceremony_approve(&p->new, 3);
    third.envelope.manifest.namespace.nonce = 9;
    ceremony_approve(&third, 2);
    ceremony_provision(&p->old);
    forward(&p->old, &p->new, &p->old);
    forward(&p->new, &third, &p->old);
    ceremony_close(&third);
}

static void an_export_changes_nothing_and_can_be_repeated(void **state)
{
    struct pair *p = *state;
    BUF_AUTO before = {0};
    BUF_AUTO after = {0};
    ceremony_provision(&p->old);
    ceremony_snapshot(&p->old, &before);
    struct bytes document = boot_forward(&p->new);
    struct message one = export(&p->old, &p->new.envelope, document);
    struct message two = export(&p->old, &p->new.envelope, document);
    assert_phase(&p->old, PHASE_QUORUM_KEY_PROVISIONED);
    ceremony_snapshot(&p->old, &after);
    assert_bytes(buf_bytes(&after), buf_bytes(&before));
    assert_false(bytes_equal(one.encrypted_key.encrypted_quorum_key,
                             two.encrypted_key.encrypted_quorum_key)); // sealed anew
    inject(&p->new, &two);
    struct message reply = ceremony_send(&p->new, &one, ENCODING_JSON);
    assert_error(&reply, PE_NO_MATCHING_ROUTE);
    assert_phase(&p->new, PHASE_QUORUM_KEY_PROVISIONED);
}

static void the_key_alone_cannot_be_read_by_who_carries_it(void **state)
{
    struct pair *p = *state;
    ceremony_provision(&p->old);
    struct message key = export(&p->old, &p->new.envelope, boot_forward(&p->new));
    struct bytes sealed = key.encrypted_key.encrypted_quorum_key;
    assert_int_equal(sealed.n, P256_SEED_SIZE + P256_ENVELOPE_OVERHEAD);
    assert_null(memmem(sealed.p, sealed.n, p256_pair_seed(p->old.quorum).p, P256_SEED_SIZE));
    assert_ok(p256_verify(p256_pair_public(p->old.quorum), sealed, key.encrypted_key.signature));
    SECRET_AUTO opened = {0};
    for (size_t i = 0; i < PEOPLE; i++)
        assert_int_not_equal(p256_open(p->old.pairs[i], sealed, &opened), Q_OK);
}

static void messages_13_and_15_in_borsh_are_not_understood(void **state)
{
    struct pair *p = *state;
    BUF_AUTO boot = {0};
    BUF_AUTO key = {0};
    enum encoding as;
    struct message m = ceremony_boot_request(&p->new, MSG_BOOT_KEY_FORWARD_REQUEST);
    assert_ok(message_encode(&m, ENCODING_BORSH, &boot, NULL));
    struct message reply = ceremony_send_bytes(&p->new, buf_bytes(&boot), &as);
    assert_error(&reply, PE_PROTOCOL_MSG_DESERIALIZATION);
    ceremony_provision(&p->old);
    m = export_request(&p->new.envelope, boot_forward(&p->new));
    assert_ok(message_encode(&m, ENCODING_BORSH, &key, NULL));
    reply = ceremony_send_bytes(&p->old, buf_bytes(&key), &as);
    assert_error(&reply, PE_PROTOCOL_MSG_DESERIALIZATION);
    assert_int_equal(as, ENCODING_JSON);
}

static void an_injection_in_borsh_is_answered_in_borsh(void **state)
{
    struct pair *p = *state;
    ceremony_provision(&p->old);
    struct message key = export(&p->old, &p->new.envelope, boot_forward(&p->new));
    struct message reply = ceremony_send(&p->new, &key, ENCODING_BORSH);
    assert_int_equal(reply.tag, MSG_INJECT_KEY_RESPONSE);
    assert_has_the_key(&p->new, &p->old);
}

static void the_state_message_tells_no_shares_of_a_forwarded_key(void **state)
{
    struct pair *p = *state;
    struct message ask = {.tag = MSG_QUORATE_STATE_REQUEST};
    ceremony_provision(&p->old);
    struct bytes document = boot_forward(&p->new);
    assert_int_equal(ceremony_send(&p->new, &ask, ENCODING_JSON).state.shares_needed, 0);
    struct message key = export(&p->old, &p->new.envelope, document);
    inject(&p->new, &key);
    struct message reply = ceremony_send(&p->new, &ask, ENCODING_JSON);
    assert_int_equal(reply.state.shares_needed, 0);
    assert_int_equal(reply.state.shares_held, 0);
    assert_int_equal(ceremony_send(&p->old, &ask, ENCODING_JSON).state.shares_needed, 2);
}

// ---- refusals

static void refused(struct ceremony *c, const struct message *m, enum protocol_error_kind expected)
{
    BUF_AUTO before = {0};
    BUF_AUTO after = {0};
    enum phase phase = c->enclave->phase;
    ceremony_snapshot(c, &before);
    struct message reply = ceremony_send(c, m, ENCODING_JSON);
    assert_error(&reply, expected);
    assert_phase(c, phase);
    ceremony_snapshot(c, &after);
    assert_bytes(buf_bytes(&after), buf_bytes(&before));
}

static void a_boot_for_a_forwarded_key_checks_what_every_boot_checks(void **state)
{
    struct pair *p = *state;
    struct ceremony *c = &p->new;
    struct approval copied = ceremony_approval(c, 0);
    struct message m = ceremony_boot_request(c, MSG_BOOT_KEY_FORWARD_REQUEST);
    m.boot.pivot = BYTES_LIT("another application");
    refused(c, &m, PE_INVALID_PIVOT_HASH);
    m.boot.manifest_envelope.share_set_approvals.items = &copied;
    m.boot.manifest_envelope.share_set_approvals.n = 1;
    refused(c, &m, PE_BAD_SHARE_SET_APPROVALS);
    m.boot.manifest_envelope.manifest_set_approvals.n = 1;
    refused(c, &m, PE_NOT_ENOUGH_APPROVALS);
    ceremony_provision(&p->old);
    forward(&p->old, c, &p->old);
}

// What may be wrong with an export, in the order it must be found out.
enum wrong {
    WRONG_EVIDENCE,
    WRONG_APPROVALS,
    WRONG_SHARE_APPROVALS,
    WRONG_QUORUM_KEY,
    WRONG_MANIFEST_SET,
    WRONG_NAMESPACE,
    WRONG_NONCE,
    WRONG_CLAIMS,
    WRONG_ROLE,
    WRONG_COUNT,
};

static const enum protocol_error_kind errors[WRONG_COUNT] = {
    [WRONG_EVIDENCE] = PE_QOS_ATTEST_ERROR,
    [WRONG_APPROVALS] = PE_NOT_ENOUGH_APPROVALS,
    [WRONG_SHARE_APPROVALS] = PE_BAD_SHARE_SET_APPROVALS,
    [WRONG_QUORUM_KEY] = PE_DIFFERENT_QUORUM_KEY,
    [WRONG_MANIFEST_SET] = PE_DIFFERENT_MANIFEST_SET,
    [WRONG_NAMESPACE] = PE_DIFFERENT_NAMESPACE_NAME,
    [WRONG_NONCE] = PE_LOW_NONCE,
    [WRONG_CLAIMS] = PE_QOS_ATTEST_ERROR,
    [WRONG_ROLE] = PE_DIFFERENT_PCR3,
};

// The new manifest wrong in all these ways, approved; the document of an enclave that has booted it.
static void spoil(struct pair *p, unsigned wrongs)
{
    static const uint8_t other_role[SHA384_SIZE] = {1};
    struct manifest *m = &p->new.envelope.manifest;
    if ((wrongs & 1u << WRONG_QUORUM_KEY) != 0)
        m->namespace.quorum_key = p->old.members[3].pub_key;
    if ((wrongs & 1u << WRONG_MANIFEST_SET) != 0)
        m->manifest_set.members.n = 2;
    if ((wrongs & 1u << WRONG_NAMESPACE) != 0)
        m->namespace.name = BYTES_LIT("another/namespace");
    m->namespace.nonce = (wrongs & 1u << WRONG_NONCE) != 0 ? 0 : 2;
    if ((wrongs & 1u << WRONG_ROLE) != 0)
        m->enclave.pcr3 = BYTES_OF(other_role);
    ceremony_approve(&p->new, 2);
}

static void find_out(struct pair *p, unsigned wrongs, enum protocol_error_kind expected)
{
    spoil(p, wrongs);
    struct approval copied = ceremony_approval(&p->new, 0);
    struct message m = export_request(&p->new.envelope, boot_forward(&p->new));
    struct bytes document = m.export_key.cose_sign1_attestation_doc;
    if ((wrongs & 1u << WRONG_CLAIMS) != 0) // of another enclave: its own, with its live key
        document =
            ceremony_send(&p->old, &(struct message){.tag = MSG_LIVE_ATTESTATION_DOC_REQUEST},
                          ENCODING_JSON)
                .live_attestation.nsm_response.attestation.data;
    if ((wrongs & 1u << WRONG_EVIDENCE) != 0)
        document.n--;
    if ((wrongs & 1u << WRONG_APPROVALS) != 0)
        m.export_key.manifest_envelope.manifest_set_approvals.n = 1;
    if ((wrongs & 1u << WRONG_SHARE_APPROVALS) != 0) {
        m.export_key.manifest_envelope.share_set_approvals.items = &copied;
        m.export_key.manifest_envelope.share_set_approvals.n = 1;
    }
    m.export_key.cose_sign1_attestation_doc = document;
    refused(&p->old, &m, expected);
}

// A peer whose role is measured as its manifest says, other than ours: mock registers cannot tell, so its document
// is refused for that before the manifests' roles are compared.
static enum protocol_error_kind expected_of(unsigned wrongs)
{
    for (unsigned w = 0; w < WRONG_COUNT; w++)
        if ((wrongs & 1u << w) != 0)
            return w == WRONG_ROLE ? PE_QOS_ATTEST_ERROR : errors[w];
    return PE_COUNT;
}

static void each_wrong_export_is_refused_by_name(void **state)
{
    for (unsigned w = 0; w < WRONG_COUNT; w++) {
        struct pair *p = *state;
        ceremony_provision(&p->old);
        find_out(p, 1u << w, expected_of(1u << w));
        (void)tear_down(state);
        (void)set_up(state);
    }
}

static void the_first_of_several_wrongs_is_named(void **state)
{
    for (unsigned first = 0; first < WRONG_COUNT; first++) {
        struct pair *p = *state;
        unsigned wrongs = ((1u << WRONG_COUNT) - 1) & ~((1u << first) - 1);
        ceremony_provision(&p->old);
        find_out(p, wrongs, expected_of(wrongs));
        (void)tear_down(state);
        (void)set_up(state);
    }
}

static void after_refusals_the_right_export_works(void **state)
{
    struct pair *p = *state;
    ceremony_provision(&p->old);
    struct bytes document = boot_forward(&p->new);
    struct message m = export_request(&p->new.envelope, BYTES_LIT("no document"));
    refused(&p->old, &m, PE_QOS_ATTEST_ERROR);
    m.export_key.cose_sign1_attestation_doc = document;
    m.export_key.manifest_envelope.manifest_set_approvals.n = 0;
    refused(&p->old, &m, PE_NOT_ENOUGH_APPROVALS);
    struct message key = export(&p->old, &p->new.envelope, document);
    inject(&p->new, &key);
}

static void the_same_nonce_with_another_manifest_is_refused(void **state)
{
    struct pair *p = *state;
    p->new.envelope.manifest.share_set.threshold = 3;
    ceremony_approve(&p->new, 2);
    ceremony_provision(&p->old);
    struct message m = export_request(&p->new.envelope, boot_forward(&p->new));
    refused(&p->old, &m, PE_DIFFERENT_MANIFEST);
}

static void a_low_nonce_is_told_with_both_numbers(void **state)
{
    struct pair *p = *state;
    p->old.envelope.manifest.namespace.nonce = 5;
    ceremony_approve(&p->old, 2);
    ceremony_provision(&p->old);
    struct message m = export_request(&p->new.envelope, boot_forward(&p->new));
    struct message reply = ceremony_send(&p->old, &m, ENCODING_JSON);
    assert_error(&reply, PE_LOW_NONCE);
    assert_int_equal(reply.error.low_nonce.expected, 5);
    assert_int_equal(reply.error.low_nonce.actual, 1);
}

static void members_in_another_order_are_the_same_set(void **state)
{
    struct pair *p = *state;
    struct member turned[] = {p->old.members[2], p->old.members[0], p->old.members[1]};
    p->new.envelope.manifest.manifest_set.members.items = turned;
    p->new.envelope.manifest.namespace.nonce = 2;
    ceremony_approve(&p->new, 2);
    ceremony_provision(&p->old);
    forward(&p->old, &p->new, &p->old);
}

static void another_share_set_may_be_approved(void **state)
{
    struct pair *p = *state;
    ceremony_provision(&p->old);
    p->new.envelope.manifest.namespace.nonce = 2;
    p->new.envelope.manifest.share_set.members.items = p->old.members + 1;
    ceremony_approve(&p->new, 2);
    struct message m = export_request(&p->new.envelope, boot_forward(&p->new));
    assert_int_equal(ceremony_send(&p->old, &m, ENCODING_JSON).tag, MSG_EXPORT_KEY_RESPONSE);
}

static void a_tee_under_another_root_gets_nothing(void **state)
{
    struct pair *p = *state;
    struct ceremony stranger;
    ceremony_open_second(&p->old, true, &stranger);
    ceremony_provision(&p->old);
    struct message m = export_request(&stranger.envelope, boot_forward(&stranger));
    refused(&p->old, &m, PE_QOS_ATTEST_ERROR);
    ceremony_close(&stranger);
}

static void documents_of_other_moments_get_nothing(void **state)
{
    struct pair *p = *state;
    ceremony_provision(&p->old);
    struct bytes document = boot_forward(&p->new);
    struct message key = export(&p->old, &p->new.envelope, document);
    inject(&p->new, &key);
    struct message ask = {.tag = MSG_LIVE_ATTESTATION_DOC_REQUEST};
    struct message live = ceremony_send(&p->new, &ask, ENCODING_JSON);
    struct message m =
        export_request(&p->new.envelope, live.live_attestation.nsm_response.attestation.data);
    refused(&p->old, &m, PE_QOS_ATTEST_ERROR); // PCR16 is of the setup key
    struct message waiting = ceremony_boot_request(&p->new, MSG_BOOT_KEY_FORWARD_REQUEST);
    refused(&p->new, &waiting, PE_NO_MATCHING_ROUTE);
}

static void a_debug_enclave_gets_no_key_of_one_approved_for_real(void **state)
{
    struct pair *p = *state;
    static const uint8_t measured[SHA384_SIZE] = {7};
    p->old.envelope.manifest.enclave.pcr0 = BYTES_OF(measured);
    ceremony_approve(&p->old, 2);
    p->new.envelope.manifest.namespace.nonce = 2;
    ceremony_approve(&p->new, 2);
    ceremony_provision(&p->old);
    struct message m = export_request(&p->new.envelope, boot_forward(&p->new));
    struct message reply = ceremony_send(&p->old, &m, ENCODING_JSON);
    assert_error(&reply, PE_QOS_ATTEST_ERROR);
    assert_non_null(memmem(reply.error.text.p, reply.error.text.n, "debug mode", 10));
}

// ---- injection

// As an exporter makes it, over this plaintext, signed by this pair.
static struct message sealed_key(struct ceremony *to, const struct p256_pair *signer,
                                 struct bytes plaintext)
{
    uint8_t signature[P256_SIGNATURE_SIZE];
    struct bytes kept, sealed = ceremony_seal(to, plaintext);
    assert_ok(p256_sign(signer, sealed, signature));
    assert_ok(arena_copy(&to->arena, BYTES_OF(signature), &kept));
    return (struct message){.tag = MSG_INJECT_KEY_REQUEST,
                            .encrypted_key = {.encrypted_quorum_key = sealed, .signature = kept}};
}

static struct message signed_bytes(struct ceremony *to, struct bytes ciphertext)
{
    uint8_t signature[P256_SIGNATURE_SIZE];
    struct bytes kept;
    assert_ok(p256_sign(to->quorum, ciphertext, signature));
    assert_ok(arena_copy(&to->arena, BYTES_OF(signature), &kept));
    return (struct message){
        .tag = MSG_INJECT_KEY_REQUEST,
        .encrypted_key = {.encrypted_quorum_key = ciphertext, .signature = kept}};
}

static void each_wrong_injection_is_refused_and_can_be_put_right(void **state)
{
    struct pair *p = *state;
    struct ceremony *c = &p->new;
    static const uint8_t long_seed[P256_SEED_SIZE + 1];
    (void)boot_forward(c);
    const struct p256_pair *quorum = p->old.quorum;
    struct bytes seed = p256_pair_seed(quorum);
    struct message m = sealed_key(c, p->old.pairs[0], seed);
    refused(c, &m, PE_INVALID_ENCRYPTED_QUORUM_KEY_SIGNATURE);
    m = sealed_key(c, quorum, seed);
    m.encrypted_key.signature.n--;
    refused(c, &m, PE_INVALID_ENCRYPTED_QUORUM_KEY_SIGNATURE);
    m = signed_bytes(c, BYTES_LIT("no envelope"));
    refused(c, &m, PE_P256_ERROR);
    m = signed_bytes(c, BYTES_NONE.p == NULL ? BYTES_LIT("") : BYTES_NONE);
    refused(c, &m, PE_P256_ERROR);
    m = sealed_key(c, quorum, BYTES_LIT(""));
    refused(c, &m, PE_ENCRYPTED_QUORUM_KEY_INVALID_LEN);
    m = sealed_key(c, quorum, BYTES_OF(long_seed));
    refused(c, &m, PE_ENCRYPTED_QUORUM_KEY_INVALID_LEN);
    m = sealed_key(c, quorum, p256_pair_seed(p->old.pairs[0]));
    refused(c, &m, PE_WRONG_QUORUM_KEY);
    m = sealed_key(c, quorum, seed);
    inject(c, &m);
    assert_has_the_key(c, &p->old);
}

static void an_injection_sealed_to_another_enclave_is_refused(void **state)
{
    struct pair *p = *state;
    struct ceremony third;
    ceremony_open_second(&p->old, false, &third);
    ceremony_provision(&p->old);
    struct bytes document = boot_forward(&p->new);
    (void)boot_forward(&third);
    struct message key = export(&p->old, &p->new.envelope, document);
    refused(&third, &key, PE_P256_ERROR);
    inject(&p->new, &key);
    ceremony_close(&third);
}

static void the_signature_is_looked_at_before_anything_is_opened(void **state)
{
    struct pair *p = *state;
    (void)boot_forward(&p->new);
    struct message m = sealed_key(&p->new, p->old.pairs[1], BYTES_LIT("short"));
    refused(&p->new, &m, PE_INVALID_ENCRYPTED_QUORUM_KEY_SIGNATURE);
    m = signed_bytes(&p->new, BYTES_LIT("no envelope"));
    m.encrypted_key.encrypted_quorum_key = BYTES_LIT("another");
    refused(&p->new, &m, PE_INVALID_ENCRYPTED_QUORUM_KEY_SIGNATURE);
}

static void a_key_that_cannot_be_published_is_not_there_and_can_be_injected_again(void **state)
{
    struct pair *p = *state;
    ceremony_provision(&p->old);
    struct message key = export(&p->old, &p->new.envelope, boot_forward(&p->new));
    FILE *in_the_way = fopen(p->new.files[PUBLISHED_QUORUM], "w");
    assert_non_null(in_the_way);
    assert_int_equal(fclose(in_the_way), 0);
    refused(&p->new, &key, PE_CANNOT_MODIFY_POST_PIVOT_STATIC);
    assert_null(keyring_public(p->new.enclave->keyring, KEY_QUORUM));
    assert_int_equal(unlink(p->new.files[PUBLISHED_QUORUM]), 0);
    inject(&p->new, &key);
    assert_has_the_key(&p->new, &p->old);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(forwards_with_the_same_manifest_of_every_version),
        TEST(a_chain_of_three_carries_the_key_on_with_growing_nonces),
        TEST(an_export_changes_nothing_and_can_be_repeated),
        TEST(the_key_alone_cannot_be_read_by_who_carries_it),
        TEST(messages_13_and_15_in_borsh_are_not_understood),
        TEST(an_injection_in_borsh_is_answered_in_borsh),
        TEST(the_state_message_tells_no_shares_of_a_forwarded_key),
        TEST(a_boot_for_a_forwarded_key_checks_what_every_boot_checks),
        TEST(each_wrong_export_is_refused_by_name),
        TEST(the_first_of_several_wrongs_is_named),
        TEST(after_refusals_the_right_export_works),
        TEST(the_same_nonce_with_another_manifest_is_refused),
        TEST(a_low_nonce_is_told_with_both_numbers),
        TEST(members_in_another_order_are_the_same_set),
        TEST(another_share_set_may_be_approved),
        TEST(a_tee_under_another_root_gets_nothing),
        TEST(documents_of_other_moments_get_nothing),
        TEST(a_debug_enclave_gets_no_key_of_one_approved_for_real),
        TEST(each_wrong_injection_is_refused_and_can_be_put_right),
        TEST(an_injection_sealed_to_another_enclave_is_refused),
        TEST(the_signature_is_looked_at_before_anything_is_opened),
        TEST(a_key_that_cannot_be_published_is_not_there_and_can_be_injected_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
