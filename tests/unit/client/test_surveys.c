// What is seen in folders with faults in them (client/survey/set_survey.h, manifest_survey.h).
#include "quorum.h"

#include "client/survey/manifest_survey.h"
#include "client/survey/set_survey.h"

static void a_set_folder_is_seen_with_its_faults(void **state)
{
    struct quorum *q = *state;
    struct set_survey s;
    struct member_set members;
    quorum_put_key(q, "bob.pub", q->pairs[1]);
    quorum_put_key(q, "ann.pub", q->pairs[0]);
    quorum_put_key(q, "quorum_key.pub", q->stranger);
    folder_file(q->folder, "cyd.pub", "04");
    folder_file(q->folder, "note.txt", "nothing");
    assert_ok(set_survey_read(q->folder->path, &q->arena, &s));
    assert_true(s.quorum_key_here);
    assert_non_null(s.threshold_problem.p);
    assert_int_equal(s.entries.n, 3);
    assert_true(bytes_is(s.entries.items[0].member.alias, "ann"));
    assert_null(s.entries.items[0].problem.p);
    assert_non_null(s.entries.items[2].problem.p);
    assert_ok(set_survey_members(&s, &q->arena, &members));
    assert_int_equal(members.members.n, 2);
    folder_file(q->folder, "quorum_threshold", "2\n");
    assert_ok(set_survey_read(q->folder->path, &q->arena, &s));
    assert_null(s.threshold_problem.p);
    assert_int_equal(s.threshold, 2);
    assert_int_not_equal(set_survey_read("/nonexistent", &q->arena, &s), Q_OK);
}

static void survey(struct quorum *q, struct manifest_survey *s)
{
    assert_ok(manifest_survey_read(q->folder->path, NULL, &q->arena, s));
}

static const struct found_approval *named(const struct quorum *q, const struct manifest_survey *s,
                                          const char *name)
{
    struct folder where = *q->folder;
    const char *path = folder_path(&where, name);
    for (size_t i = 0; i < s->approvals.n; i++) {
        if (strcmp(s->approvals.items[i].path, path) == 0)
            return &s->approvals.items[i];
    }
    fail_msg("no approval %s", name);
    return NULL;
}

static void approvals_are_told_apart(void **state)
{
    struct quorum *q = *state;
    struct manifest_survey s;
    quorum_put_manifest(q, "manifest", 1);
    quorum_put_manifest(q, "manifest-v2", 2);
    quorum_put_approval(q, "ann-2.approval", q->keys[0], "ann", 2);
    quorum_put_approval(q, "ann-again.approval", q->keys[0], "ann", 2);
    quorum_put_approval(q, "bob-1.approval", q->keys[1], "bob", 1);
    quorum_put_approval(q, "bob-9.approval", q->keys[1], "bob", 9);
    quorum_put_approval(q, "mallory.approval", q->stranger_key, "mallory", 2);
    quorum_put_approval(q, "as-cyd.approval", q->stranger_key, "cyd", 2);
    folder_file(q->folder, "garbage.approval", "{}");
    folder_file(q->folder, "notes.txt", "no manifest");
    survey(q, &s);
    assert_int_equal(s.manifests.n, 2);
    assert_non_null(s.newest);
    assert_int_equal(s.newest->manifest.namespace.nonce, 2);
    assert_false(s.rivals);
    assert_int_equal(s.unreadable.n, 0);
    assert_int_equal(named(q, &s, "ann-2.approval")->state, APPROVAL_VALID);
    assert_int_equal(named(q, &s, "ann-again.approval")->state, APPROVAL_REPEATED);
    assert_int_equal(named(q, &s, "bob-1.approval")->state, APPROVAL_STALE);
    assert_int_equal(named(q, &s, "bob-1.approval")->signs->manifest.namespace.nonce, 1);
    assert_int_equal(named(q, &s, "bob-9.approval")->state, APPROVAL_STALE);
    assert_null(named(q, &s, "bob-9.approval")->signs);
    assert_int_equal(named(q, &s, "mallory.approval")->state, APPROVAL_FOREIGN);
    assert_int_equal(named(q, &s, "as-cyd.approval")->state, APPROVAL_FOREIGN); // by key, too
    assert_int_equal(named(q, &s, "garbage.approval")->state, APPROVAL_UNREADABLE);
    assert_int_equal(s.valid, 1);
    assert_false(manifest_survey_reached(&s));
    assert_int_equal(manifest_survey_of(&s, &q->members[0])->state, APPROVAL_VALID);
    assert_null(manifest_survey_of(&s, &q->members[2]));
}

static void a_changed_signature_is_stale_and_not_counted(void **state)
{
    struct quorum *q = *state;
    struct manifest_survey s;
    BUF_AUTO file = {0};
    quorum_put_manifest(q, "manifest", 1);
    quorum_put_approval(q, "ann.approval", q->keys[0], "ann", 1);
    assert_ok(file_read(folder_path(q->folder, "ann.approval"), 4096, &file));
    char *at = strstr((char *)(uintptr_t)buf_text(&file), "\"signature\":\"");
    assert_non_null(at);
    at[20] = at[20] == '0' ? '1' : '0';
    folder_file(q->folder, "ann.approval", buf_text(&file));
    survey(q, &s);
    assert_int_equal(s.valid, 0);
    assert_int_equal(named(q, &s, "ann.approval")->state, APPROVAL_STALE);
}

static void put_envelope(struct quorum *q, const char *name, uint32_t nonce, size_t approvals)
{
    BUF_AUTO json = {0};
    uint8_t hash[SHA256_SIZE], signatures[QUORUM_MEMBERS][P256_SIGNATURE_SIZE];
    struct approval all[QUORUM_MEMBERS];
    struct manifest_envelope e = {.manifest = quorum_manifest(q, nonce),
                                  .manifest_set_approvals = {.items = all, .n = approvals}};
    assert_ok(manifest_hash(&e.manifest, hash));
    for (size_t i = 0; i < approvals; i++) {
        assert_ok(p256_sign(q->pairs[i], BYTES_OF(hash), signatures[i]));
        all[i] = (struct approval){.signature = BYTES_OF(signatures[i]), .member = q->members[i]};
    }
    assert_ok(envelope_store(&e, &json));
    folder_file(q->folder, name, buf_text(&json));
}

static void
an_envelope_is_ready_when_it_is_of_the_newest_manifest_with_enough_approvals(void **state)
{
    struct quorum *q = *state;
    struct manifest_survey s;
    quorum_put_manifest(q, "manifest", 2);
    put_envelope(q, "manifest_envelope", 1, 2);
    survey(q, &s);
    assert_int_equal(s.envelopes.n, 1);
    assert_null(s.ready);
    put_envelope(q, "manifest_envelope", 2, 1);
    survey(q, &s);
    assert_non_null(s.envelopes.items[0].problem.p);
    assert_null(s.ready);
    put_envelope(q, "manifest_envelope", 2, 2);
    survey(q, &s);
    assert_non_null(s.ready);
}

static void two_manifests_of_one_nonce_are_rivals(void **state)
{
    struct quorum *q = *state;
    struct manifest_survey s;
    quorum_put_manifest(q, "manifest-a", 3);
    q->pcr[0] ^= 1;
    quorum_put_manifest(q, "manifest-b", 3);
    survey(q, &s);
    assert_true(s.rivals);
    quorum_put_manifest(q, "manifest-c", 4);
    survey(q, &s);
    assert_false(s.rivals);
}

static void files_named_like_manifests_that_are_none_are_told(void **state)
{
    struct quorum *q = *state;
    struct manifest_survey s;
    folder_file(q->folder, "manifest", "{\"namespace\":");
    folder_file(q->folder, "other.json", "{\"namespace\":");
    assert_int_equal(mkdir(folder_path(q->folder, "manifest-set"), 0700), 0);
    survey(q, &s);
    assert_int_equal(s.unreadable.n, 1);
    assert_null(s.newest);
    assert_false(manifest_survey_reached(&s));
    quorum_put_approval(q, "ann.approval", q->keys[0], "ann", 1);
    survey(q, &s);
    assert_int_equal(named(q, &s, "ann.approval")->state, APPROVAL_UNKNOWN);
}

#define QUORUM_TEST(f) cmocka_unit_test_setup_teardown(f, quorum_make, quorum_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUORUM_TEST(a_set_folder_is_seen_with_its_faults),
        QUORUM_TEST(approvals_are_told_apart),
        QUORUM_TEST(a_changed_signature_is_stale_and_not_counted),
        QUORUM_TEST(an_envelope_is_ready_when_it_is_of_the_newest_manifest_with_enough_approvals),
        QUORUM_TEST(two_manifests_of_one_nonce_are_rivals),
        QUORUM_TEST(files_named_like_manifests_that_are_none_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
