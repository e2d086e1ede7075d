// What the doctor finds, and does not find (client/survey/doctor.h).
#include "quorum.h"

#include "base/clock.h"
#include "client/command.h"
#include "client/survey/doctor.h"

struct ward {
    struct quorum *q;
    struct options options;
    struct survey survey;
    struct findings found;
    struct patient patient;
};

static int admit(void **state)
{
    void *quorum;
    assert_int_equal(quorum_make(&quorum), 0);
    struct ward *w = calloc(1, sizeof *w);
    assert_non_null(w);
    const struct command *c = command_find("doctor");
    assert_non_null(c);
    w->q = quorum;
    assert_ok(options_parse(c->options, c->count, 0, NULL, &w->options));
    w->found.arena = &w->q->arena;
    w->patient = (struct patient){
        .o = &w->options, .survey = &w->survey, .arena = &w->q->arena, .out = &w->found};
    *state = w;
    return 0;
}

static int discharge(void **state)
{
    struct ward *w = *state;
    void *quorum = w->q;
    free(w);
    return quorum_remove(&quorum);
}

static void forget(struct ward *w)
{
    w->found = (struct findings){.arena = &w->q->arena};
}

static void assert_only(const struct ward *w, const char *id, enum finding_level level)
{
    if (w->found.n != 1)
        fail_msg("expected %s alone, found %zu findings, the first %s", id, w->found.n,
                 w->found.n > 0 ? w->found.items[0].id : "-");
    assert_string_equal(w->found.items[0].id, id);
    assert_int_equal(w->found.items[0].level, level);
    assert_true(w->found.items[0].where.n > 0 && w->found.items[0].what.n > 0);
}

static void secrets_that_others_read_are_errors(void **state)
{
    struct ward *w = *state;
    assert_ok(doctor_mode(&w->found, "a/me.secret", 0100600, 64));
    assert_ok(doctor_mode(&w->found, "a/me.secret", 0100400, 64));
    assert_ok(doctor_mode(&w->found, "a/me.pub", 0100644, 260));
    assert_ok(doctor_mode(&w->found, ".secret", 0100644, 64)); // no name before it
    assert_ok(doctor_mode(&w->found, "me.eph_wrapped.share", 0100644, 130));
    assert_int_equal(w->found.n, 0);
    assert_ok(doctor_mode(&w->found, "a b/me.secret", 0100640, 64));
    assert_only(w, "secret-readable", FINDING_ERROR);
    assert_bytes(w->found.items[0].remedy, BYTES_LIT("chmod 600 'a b/me.secret'"));
    forget(w);
    assert_ok(doctor_mode(&w->found, "me.secret", 0100604, 64));
    assert_only(w, "secret-readable", FINDING_ERROR);
    forget(w);
    assert_ok(doctor_mode(&w->found, "me.share", 0100644, 130));
    assert_only(w, "share-readable", FINDING_WARNING);
    forget(w);
    assert_ok(doctor_mode(&w->found, "1.share", 0100644, 33)); // not encrypted
    assert_only(w, "share-readable", FINDING_ERROR);
}

static void clocks_are_compared_with_patience(void **state)
{
    struct ward *w = *state;
    assert_ok(doctor_clock(&w->found, "the host", 1000, 1000));
    assert_ok(doctor_clock(&w->found, "the host", 1030, 1000));
    assert_ok(doctor_clock(&w->found, "the host", 970, 1000));
    assert_int_equal(w->found.n, 0);
    assert_ok(doctor_clock(&w->found, "the host", 1031, 1000));
    assert_only(w, "clock-off", FINDING_WARNING);
    forget(w);
    assert_ok(doctor_clock(&w->found, "the host", 1000, 1301));
    assert_only(w, "clock-off", FINDING_ERROR);
    assert_non_null(memmem(w->found.items[0].what.p, w->found.items[0].what.n, "5 min behind", 12));
}

static void a_clock_that_nothing_can_be_compared_with_is_unknown(void **state)
{
    struct ward *w = *state;
    assert_ok(doctor_documents(&w->patient));
    assert_only(w, "clock-unknown", FINDING_NOTE);
    forget(w);
    w->survey.enclave_asked = true;
    w->survey.enclave.date_known = true;
    w->survey.enclave.date_s = w->survey.enclave.date_asked_s = 1000;
    assert_ok(doctor_documents(&w->patient));
    assert_int_equal(w->found.n, 0);
}

// A document of a simulated enclave, as the survey has it, and the root that it chains to.
static void attest(struct ward *w, struct trust *trust, struct buf *document, struct claims *claims)
{
    TEE_AUTO *tee = NULL;
    const struct tee_options options = {
        .provider = "sim", .sim_dir = w->q->folder->path, .role = "role", .clock = &clock_wall};
    assert_ok(tee_open(&options, &tee));
    assert_ok(tee_attest(tee, BYTES_LIT("data"), BYTES_NONE, BYTES_NONE, document));
    assert_ok(trust_from_der(tee_root(tee), "root", false, trust));
    assert_ok(attestation_read(buf_bytes(document), &w->q->arena, claims));
    w->patient.trust = trust;
    w->survey.now_s = claims->timestamp_ms / 1000;
}

#define YEARS_12 (INT64_C(12) * 366 * 86400)

static void a_fetched_document_that_has_expired_is_an_error(void **state)
{
    struct ward *w = *state;
    TRUST_AUTO trust = {0};
    BUF_AUTO file = {0};
    struct document_survey *d = &w->survey.document;
    char name[] = "--attestation-doc-path", path[] = "doc";
    char *words[] = {name, path};
    const struct command *c = command_find("doctor");
    assert_ok(options_parse(c->options, c->count, 2, words, &w->options));
    attest(w, &trust, &file, &d->claims);
    d->seen = SEEN;
    d->there = true;
    d->document = buf_bytes(&file);
    assert_ok(doctor_documents(&w->patient));
    assert_only(w, "clock-unknown", FINDING_NOTE);
    forget(w);
    w->survey.now_s += YEARS_12;
    assert_ok(doctor_documents(&w->patient));
    assert_int_equal(w->found.n, 2);
    assert_true(finding_is_there(&w->found, "expired-document"));
    assert_int_equal(w->found.counts[FINDING_ERROR], 1);
    forget(w);
    w->survey.now_s -= 2 * YEARS_12; // and from the future it is a matter of the clock, too
    assert_ok(doctor_documents(&w->patient));
    assert_true(finding_is_there(&w->found, "clock-off"));
}

static void the_genesis_document_may_be_old_but_not_of_another_genesis(void **state)
{
    struct ward *w = *state;
    TRUST_AUTO trust = {0};
    BUF_AUTO file = {0};
    struct genesis_survey *g = &w->survey.genesis;
    attest(w, &trust, &file, &g->claims);
    g->seen = UNSEEN; // the document alone
    g->output_path = g->document_path = "genesis";
    g->document = buf_bytes(&file);
    w->survey.now_s += YEARS_12;
    assert_ok(doctor_genesis(&w->patient));
    assert_int_equal(w->found.counts[FINDING_ERROR], 0);
    assert_true(finding_is_there(&w->found, "expired-document"));
    const struct finding *last = &w->found.items[w->found.n - 1];
    assert_non_null(memmem(last->remedy.p, last->remedy.n, "--validation-time-override 1", 28));
    forget(w);
    quorum_put_key(w->q, "quorum_key.pub", w->q->stranger);
    g->quorum_key_path = folder_path(w->q->folder, "quorum_key.pub");
    g->seen = SEEN;
    g->there = true;
    g->output = w->q->genesis;
    assert_ok(doctor_genesis(&w->patient));
    assert_true(finding_is_there(&w->found, "genesis-document"));
}

static void memory_that_cannot_be_locked_is_an_error(void **state)
{
    struct ward *w = *state;
    assert_ok(doctor_memory(&w->found, true, 0));
    assert_int_equal(w->found.n, 0);
    assert_ok(doctor_memory(&w->found, false, 65536));
    assert_only(w, "memory-lock", FINDING_ERROR);
    assert_refused(findings_verdict(&w->found), Q_REFUSED, "found 1");
}

static void examine_set(struct ward *w, enum set_kind kind)
{
    struct set_survey set;
    forget(w);
    assert_ok(set_survey_read(w->q->folder->path, &w->q->arena, &set));
    assert_ok(doctor_set(&w->patient, kind, &set));
}

static void thresholds_out_of_range_are_errors(void **state)
{
    struct ward *w = *state;
    struct quorum *q = w->q;
    static const struct {
        const char *threshold;
        bool share, manifest;
    } cases[] = {{"0", false, false}, {"1", false, true},  {"2", true, true},
                 {"3", true, true},   {"4", false, false}, {"two", false, false}};
    quorum_put_key(q, "ann.pub", q->pairs[0]);
    quorum_put_key(q, "bob.pub", q->pairs[1]);
    quorum_put_key(q, "cyd.pub", q->pairs[2]);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        folder_file(q->folder, "quorum_threshold", cases[i].threshold);
        examine_set(w, SHARE_SET);
        assert_int_equal(w->found.n, cases[i].share ? 0 : 1);
        assert_int_equal(finding_is_there(&w->found, "threshold"), !cases[i].share);
        examine_set(w, MANIFEST_SET);
        assert_int_equal(finding_is_there(&w->found, "threshold"), !cases[i].manifest);
    }
}

static void what_does_not_belong_into_a_set_is_found(void **state)
{
    struct ward *w = *state;
    struct quorum *q = w->q;
    quorum_put_key(q, "ann.pub", q->pairs[0]);
    quorum_put_key(q, "bob.pub", q->pairs[1]);
    folder_file(q->folder, "quorum_threshold", "2");
    examine_set(w, SHARE_SET);
    assert_int_equal(w->found.n, 0);
    quorum_put_key(q, "anna.pub", q->pairs[0]);
    examine_set(w, SHARE_SET);
    assert_only(w, "duplicate-key", FINDING_ERROR);
    folder_file(q->folder, "anna.pub", "00");
    examine_set(w, SHARE_SET);
    assert_only(w, "bad-key", FINDING_ERROR);
    quorum_put_key(q, "anna.pub", q->pairs[2]);
    quorum_put_key(q, "quorum_key.pub", q->stranger);
    examine_set(w, SHARE_SET);
    assert_only(w, "quorum-key-in-set", FINDING_ERROR);
}

static void examine_release(struct ward *w, const char *file, bool readable)
{
    char name[] = "--qos-release-dir";
    char *words[] = {name, w->q->folder->path};
    const struct command *c = command_find("doctor");
    struct release release;
    bool read;
    forget(w);
    folder_file(w->q->folder, "aws-x86_64.pcrs", file);
    assert_ok(options_parse(c->options, c->count, 2, words, &w->options));
    assert_ok(doctor_release(&w->options, &release, &read, &w->found));
    assert_int_equal(read, readable);
}

static void placeholders_and_zeros_are_no_measurements(void **state)
{
    struct ward *w = *state;
    char file[512], pcr[97], zero[97];
    memset(pcr, 'a', 96);
    memset(zero, '0', 96);
    pcr[96] = zero[96] = '\0';
    (void)snprintf(file, sizeof file, "%s PCR0\n%s PCR1\n%s PCR2\n", pcr, pcr, pcr);
    examine_release(w, file, true);
    assert_int_equal(w->found.n, 0);
    (void)snprintf(file, sizeof file, "%s PCR0\n%s PCR1\n%s PCR2\n", pcr, zero, pcr);
    examine_release(w, file, true);
    assert_only(w, "zero-pcrs", FINDING_ERROR);
    examine_release(w, "<PCR0_VALUE> PCR0\n<PCR1_VALUE> PCR1\n<PCR2_VALUE> PCR2\n", false);
    assert_only(w, "placeholder-pcrs", FINDING_ERROR);
    examine_release(w, "nonsense\n", false);
    assert_only(w, "bad-release", FINDING_ERROR);
}

static void a_good_manifest_has_no_findings_and_each_fault_has_one(void **state)
{
    struct ward *w = *state;
    TRUST_AUTO aws = {0};
    static const uint8_t zero[SHA384_SIZE];
    struct manifest m = quorum_manifest(w->q, 1);
    assert_ok(trust_aws(&aws));
    w->patient.trust = &aws;
    w->survey.genesis = (struct genesis_survey){.seen = SEEN, .output = w->q->genesis};
    assert_ok(doctor_manifest(&w->patient, &m, "manifest"));
    assert_int_equal(w->found.n, 0);
    m.enclave.pcr2 = BYTES_OF(zero);
    assert_ok(doctor_manifest(&w->patient, &m, "manifest"));
    assert_only(w, "zero-pcrs", FINDING_ERROR);
    forget(w);
    m = quorum_manifest(w->q, 1);
    m.share_set.threshold = 1;
    assert_ok(doctor_manifest(&w->patient, &m, "manifest"));
    assert_only(w, "threshold", FINDING_ERROR);
    forget(w);
    m = quorum_manifest(w->q, 1);
    m.namespace.quorum_key = p256_public_bytes(p256_pair_public(w->q->stranger));
    assert_ok(doctor_manifest(&w->patient, &m, "manifest"));
    assert_only(w, "other-quorum-key", FINDING_ERROR);
    forget(w);
    m = quorum_manifest(w->q, 1);
    w->patient.role = BYTES_LIT("some role");
    assert_ok(doctor_manifest(&w->patient, &m, "manifest"));
    assert_only(w, "other-role", FINDING_ERROR);
    forget(w);
    w->patient.role = BYTES_NONE;
    m.enclave.root_certificate = BYTES_LIT("another root");
    assert_ok(doctor_manifest(&w->patient, &m, "manifest"));
    assert_only(w, "other-root", FINDING_ERROR);
}

static void approvals_that_do_not_count_are_named_with_the_remedy(void **state)
{
    struct ward *w = *state;
    struct quorum *q = w->q;
    quorum_put_manifest(q, "manifest", 2);
    quorum_put_approval(q, "ok.approval", q->keys[0], "ann", 2);
    quorum_put_approval(q, "old.approval", q->keys[1], "bob", 1);
    quorum_put_approval(q, "who.approval", q->stranger_key, "eve", 2);
    folder_file(q->folder, "bad.approval", "{");
    w->survey.manifests_seen = SEEN;
    assert_ok(manifest_survey_read(q->folder->path, NULL, &q->arena, &w->survey.manifests));
    assert_ok(doctor_manifests(&w->patient));
    assert_int_equal(w->found.n, 3);
    assert_true(finding_is_there(&w->found, "stale-approval"));
    assert_true(finding_is_there(&w->found, "foreign-approval"));
    assert_true(finding_is_there(&w->found, "bad-approval"));
    assert_int_equal(w->found.counts[FINDING_ERROR], 1);
    assert_int_equal(memcmp(w->found.items[0].remedy.p, "rm /tmp/", 8), 0);
}

static void a_recovery_key_is_announced(void **state)
{
    struct ward *w = *state;
    struct genesis_survey *g = &w->survey.genesis;
    quorum_put_key(w->q, "quorum_key.pub", w->q->stranger);
    *g = (struct genesis_survey){.seen = SEEN, .there = true, .output = w->q->genesis};
    g->output_path = "genesis_output";
    g->quorum_key_path = folder_path(w->q->folder, "quorum_key.pub");
    assert_ok(doctor_genesis(&w->patient));
    assert_only(w, "quorum-key-file", FINDING_ERROR); // it is another key
    forget(w);
    BUF_AUTO hex = {0};
    assert_ok(hex_encode(g->output.quorum_key, &hex));
    folder_file(w->q->folder, "quorum_key.pub", buf_text(&hex));
    g->output.dr_key = p256_public_bytes(p256_pair_public(w->q->stranger));
    assert_ok(doctor_genesis(&w->patient));
    assert_only(w, "dr-key", FINDING_WARNING);
    assert_ok(findings_verdict(&w->found)); // a warning is no error
}

static void too_many_findings_are_counted_not_kept(void **state)
{
    struct ward *w = *state;
    for (size_t i = 0; i < FINDINGS_MAX + 5; i++)
        assert_ok(finding_add(&w->found, FINDING_ERROR, "x", "here", "", "%zu", i));
    assert_int_equal(w->found.n, FINDINGS_MAX);
    assert_int_equal(w->found.counts[FINDING_ERROR], FINDINGS_MAX + 5);
}

#define WARD_TEST(f) cmocka_unit_test_setup_teardown(f, admit, discharge)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WARD_TEST(secrets_that_others_read_are_errors),
        WARD_TEST(clocks_are_compared_with_patience),
        WARD_TEST(a_clock_that_nothing_can_be_compared_with_is_unknown),
        WARD_TEST(a_fetched_document_that_has_expired_is_an_error),
        WARD_TEST(the_genesis_document_may_be_old_but_not_of_another_genesis),
        WARD_TEST(memory_that_cannot_be_locked_is_an_error),
        WARD_TEST(thresholds_out_of_range_are_errors),
        WARD_TEST(what_does_not_belong_into_a_set_is_found),
        WARD_TEST(placeholders_and_zeros_are_no_measurements),
        WARD_TEST(a_good_manifest_has_no_findings_and_each_fault_has_one),
        WARD_TEST(approvals_that_do_not_count_are_named_with_the_remedy),
        WARD_TEST(a_recovery_key_is_announced),
        WARD_TEST(too_many_findings_are_counted_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
