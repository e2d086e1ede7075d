// Provision: the key comes together from k shares of distinct members and from nothing else; what is refused
// leaves everything as it was, and honest members get through garbage (qos-behaviour 2.7; design).
#include "ceremony.h"

#include <sys/stat.h>

static int booted_setup(void **state)
{
    (void)ceremony_setup(state);
    ceremony_boot(*state);
    return 0;
}

static void assert_live_document(struct ceremony *c, enum commitment which, uint32_t key)
{
    struct message m = {.tag = MSG_LIVE_ATTESTATION_DOC_REQUEST};
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(reply.tag, MSG_LIVE_ATTESTATION_DOC_RESPONSE);
    assert_non_null(reply.live_attestation.manifest_envelope);
    assert_document(c, reply.live_attestation.nsm_response.attestation.data, which, key);
}

static void assert_stored_approvals(struct ceremony *c, size_t n)
{
    struct manifest_envelope stored;
    assert_ok(envelope_read(ceremony_read(c, PUBLISHED_MANIFEST), &c->arena, &stored));
    assert_int_equal(stored.share_set_approvals.n, n);
    assert_int_equal(stored.manifest_set_approvals.n, 2);
    assert_int_equal(c->enclave->booted->envelope.share_set_approvals.n, n);
}

static void assert_provisioned(struct ceremony *c)
{
    assert_phase(c, PHASE_QUORUM_KEY_PROVISIONED);
    assert_bytes(ceremony_read(c, PUBLISHED_QUORUM), ceremony_seed_text(c, c->quorum));
    struct stat s;
    assert_int_equal(stat(c->files[PUBLISHED_QUORUM], &s), 0);
    assert_int_equal(s.st_mode & 07777, 0400);
    assert_int_equal(stat(c->files[PUBLISHED_EPHEMERAL], &s), 0);
    assert_int_equal(s.st_mode & 07777, 0400);
    assert_int_equal(c->enclave->shares.n, 0);
}

static void provision_rest(struct ceremony *c)
{
    struct message reply = ceremony_post(c, 0, ceremony_share(c, 0));
    assert_reconstructed(&reply, false);
    reply = ceremony_post(c, 1, ceremony_share(c, 1));
    assert_reconstructed(&reply, true);
    assert_provisioned(c);
}

static void two_of_three_members_complete_the_key(void **state)
{
    struct ceremony *c = *state;
    assert_live_document(c, COMMITMENT_SETUP, KEY_SETUP);
    struct bytes setup = ceremony_read(c, PUBLISHED_EPHEMERAL);
    struct message reply = ceremony_post(c, 2, ceremony_share(c, 2));
    assert_reconstructed(&reply, false);
    assert_phase(c, PHASE_WAITING_FOR_QUORUM_SHARDS);
    assert_false(ceremony_file_exists(c, PUBLISHED_QUORUM));
    assert_stored_approvals(c, 1);
    reply = ceremony_post(c, 0, ceremony_share(c, 0));
    assert_reconstructed(&reply, true);
    assert_provisioned(c);
    assert_stored_approvals(c, 2);
    assert_live_document(c, COMMITMENT_LIVE, KEY_LIVE);
    struct bytes live = ceremony_read(c, PUBLISHED_EPHEMERAL);
    assert_int_equal(live.n, 64);
    assert_false(bytes_equal(live, setup));
    reply = ceremony_post(c, 1, ceremony_share(c, 1));
    assert_error(&reply, PE_NO_MATCHING_ROUTE);
}

static void secrets_that_had_their_last_use_are_gone(void **state)
{
    struct ceremony *c = *state;
    provision_rest(c);
    SECRET_AUTO out = {0};
    const struct keyring *k = c->enclave->keyring;
    assert_int_equal(custody_use(k, KEY_SETUP, USE_RELEASE, BYTES_NONE, &out), Q_MISSING);
    assert_int_equal(custody_use(k, KEY_LIVE, USE_RELEASE, BYTES_NONE, &out), Q_MISSING);
    assert_int_equal(custody_use(k, KEY_QUORUM, USE_OPEN, BYTES_NONE, &out), Q_REFUSED);
    assert_int_equal(custody_use(k, KEY_QUORUM, USE_DERIVE, BYTES_NONE, &out), Q_REFUSED);
}

static void borsh_requests_provision_too(void **state)
{
    struct ceremony *c = *state;
    for (size_t i = 0; i < 2; i++) {
        struct message m = {.tag = MSG_PROVISION_REQUEST,
                            .provision = {.share = ceremony_seal(c, ceremony_share(c, i)),
                                          .approval = ceremony_approval(c, i)}};
        struct message reply = ceremony_send(c, &m, ENCODING_BORSH);
        assert_reconstructed(&reply, i == 1);
    }
    assert_provisioned(c);
}

static void bound_shares_provision(void **state)
{
    struct ceremony *c = *state;
    struct message reply = ceremony_post_bound(c, 1, ceremony_share(c, 1));
    assert_reconstructed(&reply, false);
    reply = ceremony_post_bound(c, 2, ceremony_share(c, 2));
    assert_reconstructed(&reply, true);
    assert_provisioned(c);
    assert_stored_approvals(c, 2);
}

static void the_same_share_twice_is_one_share(void **state)
{
    struct ceremony *c = *state;
    for (int i = 0; i < 3; i++) {
        struct message reply = ceremony_post(c, 0, ceremony_share(c, 0));
        assert_reconstructed(&reply, false);
        assert_int_equal(c->enclave->shares.n, 1);
        assert_stored_approvals(c, 1);
    }
    provision_rest(c);
}

// What a refusal must leave alone, as text.
static void everything(struct ceremony *c, struct buf *out)
{
    ceremony_snapshot(c, out);
    assert_ok(
        buf_printf(out, "phase %d, %zu shares\n", (int)c->enclave->phase, c->enclave->shares.n));
    assert_ok(envelope_store(&c->enclave->booted->envelope, out));
}

static void refused(struct ceremony *c, struct message m, enum protocol_error_kind expected)
{
    BUF_AUTO before = {0};
    BUF_AUTO after = {0};
    everything(c, &before);
    struct message reply = ceremony_send(c, &m, ENCODING_JSON);
    assert_error(&reply, expected);
    everything(c, &after);
    assert_bytes(buf_bytes(&after), buf_bytes(&before));
}

static struct message posting(struct ceremony *c, size_t person, struct bytes plaintext)
{
    return (struct message){.tag = MSG_PROVISION_REQUEST,
                            .provision = {.share = ceremony_seal(c, plaintext),
                                          .approval = ceremony_approval(c, person)}};
}

static void an_outsider_is_refused(void **state)
{
    struct ceremony *c = *state;
    refused(c, posting(c, 3, ceremony_share(c, 0)), PE_NOT_SHARE_SET_MEMBER);
    struct message m = posting(c, 0, ceremony_share(c, 0));
    m.provision.approval.member.alias = BYTES_LIT("alicia");
    refused(c, m, PE_NOT_SHARE_SET_MEMBER);
    provision_rest(c);
}

static void a_bad_approval_is_refused_before_membership(void **state)
{
    struct ceremony *c = *state;
    struct message m = posting(c, 3, ceremony_share(c, 0));
    m.provision.approval.signature = ceremony_approval(c, 0).signature;
    refused(c, m, PE_COULD_NOT_VERIFY_APPROVAL);
    m = posting(c, 0, ceremony_share(c, 0));
    m.provision.approval.signature.n--;
    refused(c, m, PE_COULD_NOT_VERIFY_APPROVAL);
    m.provision.approval.signature = BYTES_LIT("");
    refused(c, m, PE_COULD_NOT_VERIFY_APPROVAL);
    m.provision.approval.member.pub_key.n--;
    refused(c, m, PE_P256_ERROR);
    provision_rest(c);
}

static void an_approval_of_another_manifest_is_refused(void **state)
{
    struct ceremony *c = *state;
    struct manifest_envelope booted = c->envelope;
    c->envelope.manifest.namespace.name = BYTES_LIT("other/namespace");
    struct approval other = ceremony_approval(c, 0);
    c->envelope = booted;
    struct message m = posting(c, 0, ceremony_share(c, 0));
    m.provision.approval = other;
    refused(c, m, PE_COULD_NOT_VERIFY_APPROVAL);
    provision_rest(c);
}

static void what_is_not_sealed_to_the_setup_key_is_refused(void **state)
{
    struct ceremony *c = *state;
    BUF_AUTO envelope = {0};
    assert_ok(p256_seal(p256_pair_public(c->quorum), ceremony_share(c, 0), &envelope));
    struct message m = posting(c, 0, ceremony_share(c, 0));
    m.provision.share = buf_bytes(&envelope);
    refused(c, m, PE_DECRYPTION_FAILED);
    m.provision.share = BYTES_LIT("");
    refused(c, m, PE_DECRYPTION_FAILED);
    provision_rest(c);
}

static void shares_of_another_length_or_x_of_zero_are_refused(void **state)
{
    struct ceremony *c = *state;
    uint8_t zero[SHARE_SIZE + 1] = {0};
    refused(c, posting(c, 0, BYTES_LIT("")), PE_INVALID_SHARE);
    refused(c, posting(c, 0, BYTES_LIT("\x01")), PE_INVALID_SHARE);
    refused(c, posting(c, 0, bytes_of(ceremony_share(c, 0).p, SHARE_SIZE - 1)), PE_INVALID_SHARE);
    refused(c, posting(c, 0, bytes_of(zero, SHARE_SIZE)), PE_INVALID_SHARE);
    zero[0] = 1;
    refused(c, posting(c, 0, BYTES_OF(zero)), PE_INVALID_SHARE);
    provision_rest(c);
}

static void a_share_that_another_member_posted_is_refused(void **state)
{
    struct ceremony *c = *state;
    struct message reply = ceremony_post(c, 0, ceremony_share(c, 0));
    assert_reconstructed(&reply, false);
    refused(c, posting(c, 1, ceremony_share(c, 0)), PE_QOS_CRYPTO);
    reply = ceremony_post(c, 1, ceremony_share(c, 1));
    assert_reconstructed(&reply, true);
}

static void a_binding_that_does_not_hold_is_refused(void **state)
{
    struct ceremony *c = *state;
    struct message plain = posting(c, 0, ceremony_share(c, 0));
    struct message m = {.tag = MSG_QUORATE_BOUND_PROVISION_REQUEST,
                        .bound_provision = {.share = plain.provision.share,
                                            .approval = plain.provision.approval,
                                            .binding = plain.provision.approval.signature}};
    refused(c, m, PE_COULD_NOT_VERIFY_APPROVAL);
    m.bound_provision.binding = BYTES_LIT("");
    refused(c, m, PE_COULD_NOT_VERIFY_APPROVAL);
    // What was bound for another boot names what is wrong: it is sealed to a key that is not there.
    BUF_AUTO elsewhere = {0};
    assert_ok(p256_seal(p256_pair_public(c->quorum), ceremony_share(c, 0), &elsewhere));
    m.bound_provision.share = buf_bytes(&elsewhere);
    refused(c, m, PE_DECRYPTION_FAILED);
    provision_rest(c);
}

static struct bytes garbage(uint8_t x)
{
    static uint8_t share[SHARE_SIZE];
    memset(share, 0x5a, sizeof share);
    share[0] = x;
    return BYTES_OF(share);
}

static void a_wrong_key_is_refused_and_the_unbound_shares_are_forgotten(void **state)
{
    struct ceremony *c = *state;
    struct message reply = ceremony_post(c, 0, ceremony_share(c, 0));
    assert_reconstructed(&reply, false);
    reply = ceremony_post(c, 1, garbage(2));
    assert_error(&reply, PE_RECONSTRUCTION_INCORRECT_PUB_KEY);
    assert_phase(c, PHASE_WAITING_FOR_QUORUM_SHARDS);
    assert_int_equal(c->enclave->shares.n, 0);
    assert_stored_approvals(c, 0);
    assert_false(ceremony_file_exists(c, PUBLISHED_QUORUM));
    assert_null(keyring_public(c->enclave->keyring, KEY_QUORUM));
    provision_rest(c);
    assert_stored_approvals(c, 2);
}

// The attack of the design: approvals are public, so a network peer seals garbage to the setup key and posts
// it under the members' own approvals.
static void garbage_under_copied_approvals_cannot_push_out_bound_shares(void **state)
{
    struct ceremony *c = *state;
    for (size_t i = 0; i < 3; i++)
        (void)ceremony_post(c, i, garbage((uint8_t)(i + 1)));
    assert_phase(c, PHASE_WAITING_FOR_QUORUM_SHARDS);
    struct message reply = ceremony_post_bound(c, 0, ceremony_share(c, 0));
    for (size_t i = 0; i < 3; i++) {
        reply = ceremony_post(c, i, garbage((uint8_t)(i + 1)));
        assert_int_equal(reply.tag, MSG_PROTOCOL_ERROR_RESPONSE);
        reply = ceremony_post(c, i, garbage((uint8_t)(i + 101)));
        assert_int_equal(reply.tag, MSG_PROTOCOL_ERROR_RESPONSE);
    }
    assert_int_equal(c->enclave->shares.n, 1);
    assert_true(c->enclave->shares.items[0]->bound);
    assert_stored_approvals(c, 1);
    reply = ceremony_post_bound(c, 2, ceremony_share(c, 2));
    assert_reconstructed(&reply, true);
    assert_provisioned(c);
}

// Whoever signed a share did nothing wrong when others posted garbage: no error, and the share is held.
static void a_bound_share_that_meets_garbage_is_held_and_answered_without_error(void **state)
{
    struct ceremony *c = *state;
    struct message reply = ceremony_post(c, 2, garbage(77));
    assert_reconstructed(&reply, false);
    reply = ceremony_post_bound(c, 0, ceremony_share(c, 0));
    assert_reconstructed(&reply, false);
    assert_phase(c, PHASE_WAITING_FOR_QUORUM_SHARDS);
    assert_int_equal(c->enclave->shares.n, 1);
    assert_int_equal(c->enclave->shares.items[0]->member, 0);
    assert_stored_approvals(c, 1);
    assert_false(ceremony_file_exists(c, PUBLISHED_QUORUM));
    reply = ceremony_post_bound(c, 1, ceremony_share(c, 1));
    assert_reconstructed(&reply, true);
    assert_provisioned(c);
}

static void a_bound_share_that_meets_garbage_can_be_posted_again_when_the_disk_fails(void **state)
{
    struct ceremony *c = *state;
    char folder[96], aside[96];
    (void)snprintf(folder, sizeof folder, "%s/published", c->folder);
    (void)snprintf(aside, sizeof aside, "%s/aside", c->folder);
    struct message reply = ceremony_post(c, 2, garbage(77));
    assert_reconstructed(&reply, false);
    assert_int_equal(rename(folder, aside), 0);
    reply = ceremony_post_bound(c, 0, ceremony_share(c, 0));
    assert_error(&reply, PE_IO_ERROR);
    assert_int_equal(c->enclave->shares.n, 1);
    assert_int_equal(c->enclave->shares.items[0]->member, 2);
    assert_int_equal(rename(aside, folder), 0);
    reply = ceremony_post_bound(c, 0, ceremony_share(c, 0));
    assert_reconstructed(&reply, false);
    reply = ceremony_post_bound(c, 1, ceremony_share(c, 1));
    assert_reconstructed(&reply, true);
    assert_provisioned(c);
}

static void garbage_on_a_members_x_gives_way_to_the_bound_share(void **state)
{
    struct ceremony *c = *state;
    struct message reply = ceremony_post(c, 0, garbage(2)); // bob's x under alice's name
    assert_reconstructed(&reply, false);
    reply = ceremony_post_bound(c, 1, ceremony_share(c, 1));
    assert_reconstructed(&reply, false);
    assert_int_equal(c->enclave->shares.n, 1);
    reply = ceremony_post_bound(c, 0, ceremony_share(c, 0));
    assert_reconstructed(&reply, true);
    assert_provisioned(c);
}

static void bound_shares_of_another_key_are_all_forgotten(void **state)
{
    struct ceremony *c = *state;
    struct message reply = ceremony_post_bound(c, 0, ceremony_share(c, 0));
    assert_reconstructed(&reply, false);
    reply = ceremony_post_bound(c, 1, garbage(2));
    assert_error(&reply, PE_RECONSTRUCTION_INCORRECT_PUB_KEY);
    assert_int_equal(c->enclave->shares.n, 0);
    assert_stored_approvals(c, 0);
    provision_rest(c);
}

static void shares_of_another_quorum_make_no_key(void **state)
{
    struct ceremony *c = *state;
    P256_PAIR_AUTO *other = NULL;
    SECRET_AUTO shares = {0};
    assert_ok(p256_pair_generate(&other));
    assert_ok(shamir_split(p256_pair_seed(other), 3, 2, &shares));
    struct message reply = ceremony_post(c, 0, bytes_of(shares.p, SHARE_SIZE));
    assert_reconstructed(&reply, false);
    reply = ceremony_post(c, 1, bytes_of(shares.p + SHARE_SIZE, SHARE_SIZE));
    assert_error(&reply, PE_RECONSTRUCTION_INCORRECT_PUB_KEY);
    provision_rest(c);
}

static void a_disk_that_fails_refuses_and_the_share_can_be_posted_again(void **state)
{
    struct ceremony *c = *state;
    char folder[96], aside[96];
    (void)snprintf(folder, sizeof folder, "%s/published", c->folder);
    (void)snprintf(aside, sizeof aside, "%s/aside", c->folder);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(rename(folder, aside), 0);
        struct message reply = ceremony_post(c, i, ceremony_share(c, i));
        assert_error(&reply, PE_IO_ERROR);
        assert_int_equal(c->enclave->shares.n, i);
        assert_null(keyring_public(c->enclave->keyring, KEY_QUORUM));
        assert_int_equal(rename(aside, folder), 0);
        reply = ceremony_post(c, i, ceremony_share(c, i));
        assert_reconstructed(&reply, i == 1);
    }
    assert_provisioned(c);
}

static void a_development_share_set_is_one_member_with_two_shares(void **state)
{
    struct ceremony *c = *state;
    c->envelope.manifest.share_set.members.n = 1;
    ceremony_approve(c, 2);
    ceremony_boot(c);
    struct message reply = ceremony_post(c, 0, ceremony_share(c, 0));
    assert_reconstructed(&reply, false);
    reply = ceremony_post(c, 0, ceremony_share(c, 0));
    assert_reconstructed(&reply, false);
    reply = ceremony_post(c, 0, ceremony_share(c, 1));
    assert_reconstructed(&reply, true);
    assert_provisioned(c);
    assert_stored_approvals(c, 1);
}

static void closing_the_enclave_wipes_every_file(void **state)
{
    struct ceremony *c = *state;
    provision_rest(c);
    enclave_close(&c->enclave);
    BUF_AUTO left = {0};
    ceremony_snapshot(c, &left);
    assert_int_equal(left.n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, booted_setup, ceremony_teardown)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(two_of_three_members_complete_the_key),
        TEST(secrets_that_had_their_last_use_are_gone),
        TEST(borsh_requests_provision_too),
        TEST(bound_shares_provision),
        TEST(the_same_share_twice_is_one_share),
        TEST(an_outsider_is_refused),
        TEST(a_bad_approval_is_refused_before_membership),
        TEST(an_approval_of_another_manifest_is_refused),
        TEST(what_is_not_sealed_to_the_setup_key_is_refused),
        TEST(shares_of_another_length_or_x_of_zero_are_refused),
        TEST(a_share_that_another_member_posted_is_refused),
        TEST(a_binding_that_does_not_hold_is_refused),
        TEST(a_wrong_key_is_refused_and_the_unbound_shares_are_forgotten),
        TEST(garbage_under_copied_approvals_cannot_push_out_bound_shares),
        TEST(a_bound_share_that_meets_garbage_is_held_and_answered_without_error),
        TEST(a_bound_share_that_meets_garbage_can_be_posted_again_when_the_disk_fails),
        TEST(garbage_on_a_members_x_gives_way_to_the_bound_share),
        TEST(bound_shares_of_another_key_are_all_forgotten),
        TEST(shares_of_another_quorum_make_no_key),
        TEST(a_disk_that_fails_refuses_and_the_share_can_be_posted_again),
        cmocka_unit_test_setup_teardown(a_development_share_set_is_one_member_with_two_shares,
                                        ceremony_setup, ceremony_teardown),
        TEST(closing_the_enclave_wipes_every_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
