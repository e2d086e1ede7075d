// Every check of a document with its result (client/attestation/attestation_checks.h), over documents of a
// simulated enclave; and that these checks and those that release secrets agree.
#include "quorum.h"

#include "base/clock.h"
#include "client/attestation/attestation_checks.h"
#include "client/attestation/evidence.h"
#include "protocol/genesis.h"

#define ROLE "arn:aws:iam::1:role/test"

struct bench {
    struct quorum *q;
    struct trust trust;
    struct buf document;
    struct claims claims; // of the document, when it was made
    int64_t now_s;
    struct manifest_envelope envelope;
    struct approval approvals[2];
    uint8_t signatures[2][P256_SIGNATURE_SIZE];
};

static void free_bench(struct bench *b)
{
    trust_free(&b->trust);
    buf_free(&b->document);
}
#define BENCH_AUTO __attribute__((cleanup(free_bench))) struct bench

// The manifest of an enclave that is measured like this one, approved by two.
static void fill_envelope(struct bench *b)
{
    uint8_t hash[SHA256_SIZE];
    struct nitro_config *n = &b->envelope.manifest.enclave;
    b->envelope.manifest = quorum_manifest(b->q, 1);
    n->root_certificate = buf_bytes(&b->trust.root);
    struct bytes *const pcrs[] = {&n->pcr0, &n->pcr1, &n->pcr2, &n->pcr3};
    for (size_t i = 0; i < MEASUREMENT_COUNT; i++)
        assert_ok(arena_copy(&b->q->arena,
                             bytes_of(b->claims.registers[i].value, b->claims.registers[i].n),
                             pcrs[i]));
    assert_ok(manifest_hash(&b->envelope.manifest, hash));
    for (size_t i = 0; i < 2; i++) {
        assert_ok(p256_sign(b->q->pairs[i], BYTES_OF(hash), b->signatures[i]));
        b->approvals[i] =
            (struct approval){.signature = BYTES_OF(b->signatures[i]), .member = b->q->members[i]};
    }
    b->envelope.manifest_set_approvals.items = b->approvals;
    b->envelope.manifest_set_approvals.n = 2;
}

static void open_tee(const struct bench *b, struct tee **tee)
{
    const struct tee_options options = {
        .provider = "sim", .sim_dir = b->q->folder->path, .role = ROLE, .clock = &clock_wall};
    assert_ok(tee_open(&options, tee));
}

static void attest(struct bench *b, struct tee *tee, struct bytes user_data, struct bytes nonce,
                   struct bytes key)
{
    buf_clear(&b->document);
    assert_ok(tee_attest(tee, user_data, nonce, key, &b->document));
    assert_ok(attestation_read(buf_bytes(&b->document), &b->q->arena, &b->claims));
    b->now_s = b->claims.timestamp_ms / 1000;
}

static void start_bench(struct bench *b)
{
    TEE_AUTO *tee = NULL;
    open_tee(b, &tee);
    assert_ok(trust_from_der(tee_root(tee), "root", false, &b->trust));
    attest(b, tee, BYTES_NONE, BYTES_NONE, BYTES_NONE);
    fill_envelope(b);
}

// A document of an enclave that booted the manifest, over its setup or live key.
static void boot(struct bench *b, enum commitment which)
{
    TEE_AUTO *tee = NULL;
    bool begun;
    uint8_t hash[SHA256_SIZE], setup[SHA384_SIZE], live[SHA384_SIZE];
    struct bytes setup_key = p256_public_bytes(p256_pair_public(b->q->pairs[0]));
    struct bytes live_key = p256_public_bytes(p256_pair_public(b->q->pairs[1]));
    open_tee(b, &tee);
    assert_ok(manifest_hash(&b->envelope.manifest, hash));
    assert_ok(commitment_make(COMMITMENT_SETUP, hash, setup_key, setup));
    assert_ok(commitment_make(COMMITMENT_LIVE, hash, live_key, live));
    assert_ok(tee_commit(tee, setup, live, &begun));
    attest(b, tee, BYTES_OF(hash), BYTES_NONE, which == COMMITMENT_SETUP ? setup_key : live_key);
}

static void make(struct bench *b, const struct attestation_wish *wish, int64_t at_s,
                 struct check_list *out)
{
    struct claims claims;
    assert_ok(attestation_checks_make(buf_bytes(&b->document), &b->trust, at_s, wish, &b->q->arena,
                                      &claims, out));
    assert_int_equal(checks_verdict(out) == Q_OK, checks_hold(out));
}

static const struct check *named(const struct check_list *checks, const char *name)
{
    for (size_t i = 0; i < checks->n; i++) {
        if (strcmp(checks->items[i].name, name) == 0)
            return &checks->items[i];
    }
    fail_msg("no check %s", name);
    return NULL;
}

// These fail, comma separated, and no other.
static void assert_failed(const struct check_list *checks, const char *names)
{
    BUF_AUTO failed = {0};
    for (size_t i = 0; i < checks->n; i++) {
        if (checks->items[i].result == CHECK_FAILED)
            assert_ok(buf_printf(&failed, "%s%s", failed.n == 0 ? "" : ",", checks->items[i].name));
    }
    assert_string_equal(buf_text(&failed), names);
}

static void a_true_document_holds_alone_and_against_everything(void **state)
{
    BENCH_AUTO b = {.q = *state};
    struct check_list checks;
    struct attestation_wish wish = {.allow_debug = false};
    start_bench(&b);
    make(&b, &wish, b.now_s, &checks);
    assert_failed(&checks, "");
    assert_true(checks_hold(&checks));
    assert_int_equal(checks.n, 9); // seven steps, debug mode and nonce
    boot(&b, COMMITMENT_SETUP);
    wish.envelope = &b.envelope;
    wish.role = BYTES_LIT(ROLE);
    make(&b, &wish, b.now_s, &checks);
    assert_failed(&checks, "");
    wish.commitment = COMMITMENT_LIVE; // the setup key is not the live key
    make(&b, &wish, b.now_s, &checks);
    assert_failed(&checks, "pcr17.commitment");
}

static void the_live_key_is_committed_to_in_its_own_register(void **state)
{
    BENCH_AUTO b = {.q = *state};
    struct check_list checks;
    start_bench(&b);
    boot(&b, COMMITMENT_LIVE);
    struct attestation_wish wish = {.envelope = &b.envelope, .commitment = COMMITMENT_LIVE};
    make(&b, &wish, b.now_s, &checks);
    assert_failed(&checks, "");
    wish.commitment = COMMITMENT_SETUP;
    make(&b, &wish, b.now_s, &checks);
    assert_failed(&checks, "pcr16.commitment");
}

static void each_fault_fails_its_own_check(void **state)
{
    BENCH_AUTO b = {.q = *state};
    TRUST_AUTO aws = {0};
    struct check_list checks;
    struct claims claims;
    const struct attestation_wish none = {.allow_debug = false};
    start_bench(&b);
    make(&b, &none, b.now_s + 400 * INT64_C(86400) * 30, &checks);
    assert_failed(&checks, "validity");
    make(&b, &none, 1, &checks);
    assert_failed(&checks, "validity");
    b.document.p[b.document.n - 1] ^= 1;
    make(&b, &none, b.now_s, &checks);
    assert_failed(&checks, "signature");
    b.document.p[b.document.n - 1] ^= 1;
    assert_ok(trust_aws(&aws));
    assert_ok(attestation_checks_make(buf_bytes(&b.document), &aws, b.now_s, &none, &b.q->arena,
                                      &claims, &checks));
    assert_int_equal(named(&checks, "root")->result, CHECK_FAILED);
    assert_int_equal(named(&checks, "chain")->result, CHECK_FAILED);
    assert_int_equal(named(&checks, "signature")->result, CHECK_OK); // by its own key, indeed
    assert_false(claims.verified);
    b.document.n--;
    make(&b, &none, b.now_s, &checks);
    assert_int_equal(named(&checks, "parse")->result, CHECK_FAILED);
    assert_int_equal(named(&checks, "signature")->result, CHECK_NOT_MADE);
    assert_int_equal(named(&checks, "contents")->result, CHECK_NOT_MADE);
    b.document.n = 0;
    make(&b, &none, b.now_s, &checks);
    assert_false(checks_hold(&checks));
}

static void too_large_a_document_fails_before_it_is_read(void **state)
{
    BENCH_AUTO b = {.q = *state};
    struct check_list checks;
    const struct attestation_wish none = {.allow_debug = false};
    start_bench(&b);
    assert_ok(buf_reserve(&b.document, ATTESTATION_MAX_SIZE));
    b.document.n = ATTESTATION_MAX_SIZE + 1;
    make(&b, &none, b.now_s, &checks);
    assert_int_equal(named(&checks, "limits")->result, CHECK_FAILED);
    assert_int_equal(named(&checks, "parse")->result, CHECK_NOT_MADE);
}

static void what_the_manifest_says_is_compared_piece_by_piece(void **state)
{
    BENCH_AUTO b = {.q = *state};
    struct check_list checks;
    start_bench(&b);
    boot(&b, COMMITMENT_SETUP);
    const struct attestation_wish wish = {.envelope = &b.envelope};
    struct bytes pcr1 = b.envelope.manifest.enclave.pcr1;
    b.envelope.manifest.enclave.pcr1 = BYTES_OF(b.q->pcr);
    make(&b, &wish, b.now_s, &checks); // another hash: nobody approved it, nothing commits to it
    assert_failed(&checks, "approvals,manifest-hash,pcr1.manifest,pcr16.commitment");
    b.envelope.manifest.enclave.pcr1 = pcr1;
    b.envelope.manifest.enclave.root_certificate = attestation_aws_root;
    make(&b, &wish, b.now_s, &checks);
    assert_failed(&checks, "approvals,root.manifest,manifest-hash,pcr16.commitment");
    b.envelope.manifest.enclave.root_certificate = buf_bytes(&b.trust.root);
    b.envelope.manifest_set_approvals.n = 1;
    make(&b, &wish, b.now_s, &checks);
    assert_failed(&checks, "approvals");
}

static void a_document_before_boot_has_no_key_to_commit_to(void **state)
{
    BENCH_AUTO b = {.q = *state};
    struct check_list checks;
    start_bench(&b);
    const struct attestation_wish wish = {.envelope = &b.envelope};
    make(&b, &wish, b.now_s, &checks);
    assert_failed(&checks, "manifest-hash,public-key");
    assert_int_equal(named(&checks, "pcr16.commitment")->result, CHECK_NOT_MADE);
}

static void nonce_genesis_release_and_role_are_compared(void **state)
{
    BENCH_AUTO b = {.q = *state};
    TEE_AUTO *tee = NULL;
    struct check_list checks;
    struct release release = {.placeholders = false};
    uint8_t hash[SHA256_SIZE];
    start_bench(&b);
    open_tee(&b, &tee);
    assert_ok(genesis_output_hash(&b.q->genesis, hash));
    attest(&b, tee, BYTES_OF(hash), BYTES_LIT("nonce"), BYTES_NONE);
    struct attestation_wish wish = {.genesis = &b.q->genesis, .nonce = BYTES_LIT("nonce")};
    make(&b, &wish, b.now_s, &checks);
    assert_failed(&checks, "");
    wish.nonce = BYTES_LIT("other");
    make(&b, &wish, b.now_s, &checks);
    assert_failed(&checks, "nonce");
    wish.nonce = BYTES_NONE;
    make(&b, &wish, b.now_s, &checks);
    assert_failed(&checks, "nonce");
    wish = (struct attestation_wish){.nonce = BYTES_LIT("nonce"),
                                     .release = &release,
                                     .role = BYTES_LIT("arn:aws:iam::1:role/other")};
    for (size_t i = 0; i < 2; i++)
        memcpy(release.pcrs[i], b.claims.registers[i].value, SHA384_SIZE);
    make(&b, &wish, b.now_s, &checks);
    assert_failed(&checks, "pcr2.release,pcr3.role");
}

// What these checks accept as an enclave for a share, the command that releases shares accepts
// too, and the other way round.
static void these_checks_and_those_that_release_shares_agree(void **state)
{
    BENCH_AUTO b = {.q = *state};
    start_bench(&b);
    boot(&b, COMMITMENT_SETUP);
    const struct attestation_wish wish = {.envelope = &b.envelope};
    const struct verification v = {.trust = b.trust};
    for (size_t i = 0; i < b.document.n; i += 37) {
        struct check_list checks;
        struct claims claims;
        bool accepted = attestation_verify(buf_bytes(&b.document), &b.trust, b.now_s, &b.q->arena,
                                           &claims) == Q_OK &&
                        evidence_manifest_ready(&v, &b.envelope.manifest) == Q_OK &&
                        evidence_check_setup(&v, &claims, &b.envelope.manifest) == Q_OK;
        make(&b, &wish, b.now_s, &checks);
        assert_int_equal(accepted, checks_hold(&checks));
        assert_int_equal(accepted, i == 0);
        if (i > 0)
            b.document.p[i] ^= 0x5a; // undo
        if (i + 37 < b.document.n)
            b.document.p[i + 37] ^= 0x5a;
    }
}

#define QUORUM_TEST(f) cmocka_unit_test_setup_teardown(f, quorum_make, quorum_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUORUM_TEST(a_true_document_holds_alone_and_against_everything),
        QUORUM_TEST(the_live_key_is_committed_to_in_its_own_register),
        QUORUM_TEST(each_fault_fails_its_own_check),
        QUORUM_TEST(too_large_a_document_fails_before_it_is_read),
        QUORUM_TEST(what_the_manifest_says_is_compared_piece_by_piece),
        QUORUM_TEST(a_document_before_boot_has_no_key_to_commit_to),
        QUORUM_TEST(nonce_genesis_release_and_role_are_compared),
        QUORUM_TEST(these_checks_and_those_that_release_shares_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
