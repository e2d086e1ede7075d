// What the status of a ceremony says: rows, what is waited for, what to type next
// (client/survey/ceremony.h).
#include "quorum.h"

#include "client/survey/ceremony.h"
#include "client/command.h"
#include "protocol/genesis.h"

struct scene {
    struct quorum *q;
    struct survey s;
    struct ceremony c;
    struct manifest_envelope envelope;
    struct approval posted[QUORUM_MEMBERS];
};

static void options_of(int count, char *const *words, struct options *out)
{
    const struct command *c = command_find("ceremony status");
    assert_non_null(c);
    assert_ok(options_parse(c->options, c->count, count, words, out));
}

// Folders are those of the guide, but for the share set.
static void make(struct scene *scene)
{
    char name[] = "--host-ip", ip[] = "10.0.0.1", port[] = "--host-port", number[] = "3001",
         root[] = "--attestation-root-path", der[] = "my root.der";
    char *words[] = {name, ip, port, number, root, der};
    struct options *o = calloc(1, sizeof *o);
    assert_non_null(o);
    options_of(6, words, o);
    assert_ok(ceremony_make(o, &scene->s, &scene->q->arena, &scene->c));
    assert_ok(ceremony_notes(&scene->q->arena, &scene->c));
    free(o);
}

static bool steps_say(const struct ceremony *c, size_t i, const char *text)
{
    return i < c->steps_count && c->steps[i].command.p != NULL &&
           memmem(c->steps[i].command.p, c->steps[i].command.n, text, strlen(text)) != NULL;
}

static void assert_step(const struct ceremony *c, size_t i, const char *text)
{
    if (steps_say(c, i, text))
        return;
    fail_msg("step %zu of %zu: expected \"%s\", found \"%.*s\"", i, c->steps_count, text,
             i < c->steps_count ? (int)c->steps[i].command.n : 0,
             i < c->steps_count ? (const char *)c->steps[i].command.p : "");
}

static void see_genesis(struct scene *scene)
{
    scene->s.genesis = (struct genesis_survey){
        .seen = SEEN, .there = true, .output = scene->q->genesis, .output_path = "genesis_output"};
    assert_ok(genesis_output_hash(&scene->q->genesis, scene->s.genesis.hash));
}

static void see_phase(struct scene *scene, enum phase phase)
{
    scene->s.enclave_asked = true;
    scene->s.enclave.host_answers = scene->s.enclave.enclave_answers = true;
    scene->s.enclave.phase = phase;
    scene->s.enclave.state_known = true;
}

static void see_manifest(struct scene *scene)
{
    assert_ok(
        manifest_survey_read(scene->q->folder->path, NULL, &scene->q->arena, &scene->s.manifests));
    scene->s.manifests_seen = SEEN;
}

// The enclave holds the manifest with this nonce, and the first members' shares.
static void see_held(struct scene *scene, uint32_t nonce, size_t shares)
{
    for (size_t i = 0; i < shares; i++)
        scene->posted[i] = (struct approval){.member = scene->q->members[i]};
    scene->envelope =
        (struct manifest_envelope){.manifest = quorum_manifest(scene->q, nonce),
                                   .share_set_approvals = {.items = scene->posted, .n = shares}};
    scene->s.enclave.envelope = &scene->envelope;
    assert_ok(manifest_hash(&scene->envelope.manifest, scene->s.enclave.manifest_hash));
}

static void without_a_genesis_keys_come_first_then_the_genesis(void **state)
{
    struct scene scene = {.q = *state};
    struct quorum *q = scene.q;
    scene.s.genesis.seen = UNSEEN;
    quorum_put_key(q, "member1.pub", q->pairs[0]);
    scene.s.share_set_dir = q->folder->path;
    scene.s.share_set_seen = SEEN;
    assert_ok(set_survey_read(q->folder->path, &q->arena, &scene.s.share_set));
    make(&scene);
    assert_string_equal(scene.c.waits_for, "keys of members");
    assert_step(&scene.c, 0, "qos_client generate-file-key");
    assert_step(&scene.c, 0, "/member2.pub");
    quorum_put_key(q, "member2.pub", q->pairs[1]);
    assert_ok(set_survey_read(q->folder->path, &q->arena, &scene.s.share_set));
    make(&scene);
    assert_step(&scene.c, 0, "echo 2 > /tmp/");
    folder_file(q->folder, "quorum_threshold", "3");
    assert_ok(set_survey_read(q->folder->path, &q->arena, &scene.s.share_set));
    make(&scene);
    assert_step(&scene.c, 0, "generate-file-key"); // two of three
    folder_file(q->folder, "quorum_threshold", "2");
    assert_ok(set_survey_read(q->folder->path, &q->arena, &scene.s.share_set));
    make(&scene);
    assert_string_equal(scene.c.waits_for, "the genesis");
    assert_step(&scene.c, 0, "boot-genesis");
    assert_step(&scene.c, 0, "--host-ip 10.0.0.1 --host-port 3001");
    assert_step(&scene.c, 0, "--attestation-root-path 'my root.der'");
    assert_int_equal(scene.c.rows.n, 2);
    assert_int_equal(scene.c.rows.items[0].key, YES);
    assert_int_equal(scene.c.rows.items[0].share, UNKNOWN);
}

static void after_the_genesis_every_member_takes_the_own_share(void **state)
{
    struct scene scene = {.q = *state};
    see_genesis(&scene);
    see_phase(&scene, PHASE_GENESIS_BOOTED);
    make(&scene);
    assert_int_equal(scene.c.steps_count, QUORUM_MEMBERS + 1);
    assert_step(&scene.c, 0, "after-genesis --secret-path ann-dir/ann.secret");
    assert_step(&scene.c, 2, "--alias cyd");
    assert_null(scene.c.steps[3].command.p);
    assert_string_equal(scene.c.steps[3].what, "restart qos_core and qos_host");
    for (size_t i = 0; i < QUORUM_MEMBERS; i++) {
        assert_int_equal(scene.c.rows.items[i].share, YES);
        assert_int_equal(scene.c.rows.items[i].key, UNKNOWN);
        assert_int_equal(scene.c.rows.items[i].posted, UNKNOWN);
    }
}

static void a_manifest_is_made_approved_joined_and_booted(void **state)
{
    struct scene scene = {.q = *state};
    struct quorum *q = scene.q;
    see_genesis(&scene);
    see_phase(&scene, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    see_manifest(&scene);
    make(&scene);
    assert_step(&scene.c, 0, "generate-manifest --nonce 1");
    quorum_put_manifest(q, "manifest", 1);
    quorum_put_approval(q, "b.approval", q->keys[1], "bob", 1);
    see_manifest(&scene);
    make(&scene);
    assert_int_equal(scene.c.steps_count, 1); // one of two is missing: the first who has not
    assert_step(&scene.c, 0, "approve-manifest --secret-path ann-dir/ann.secret --alias ann");
    quorum_put_approval(q, "a.approval", q->keys[0], "ann", 1);
    see_manifest(&scene);
    make(&scene);
    assert_step(&scene.c, 0, "generate-manifest-envelope");
    const struct found_envelope ready = {.path = "some/envelope"};
    scene.s.manifests.ready = &ready;
    make(&scene);
    assert_step(&scene.c, 0, "boot-standard --manifest-envelope-path some/envelope");
}

static void a_booted_enclave_waits_for_the_shares_that_are_missing(void **state)
{
    struct scene scene = {.q = *state};
    see_genesis(&scene);
    see_phase(&scene, PHASE_WAITING_FOR_QUORUM_SHARDS);
    see_held(&scene, 1, 1);
    make(&scene);
    assert_int_equal(scene.c.steps_count, 3);
    assert_step(&scene.c, 0, "get-attestation-doc");
    assert_step(&scene.c, 1, "proxy-re-encrypt-share --share-path bob-dir/bob.share");
    assert_step(&scene.c, 2, "post-share");
    assert_int_equal(scene.c.rows.items[0].posted, YES);
    assert_int_equal(scene.c.rows.items[1].posted, NO);
}

static void with_a_fresh_document_it_is_not_fetched_again(void **state)
{
    struct scene scene = {.q = *state};
    see_phase(&scene, PHASE_WAITING_FOR_QUORUM_SHARDS);
    see_held(&scene, 1, 0);
    scene.s.enclave.document = BYTES_LIT("document");
    scene.s.enclave.claims.public_key = BYTES_LIT("key");
    scene.s.document.seen = SEEN;
    scene.s.document.claims.public_key = BYTES_LIT("other");
    make(&scene);
    assert_int_equal(ceremony_document_fits(&scene.s), NO);
    assert_step(&scene.c, 0, "get-attestation-doc");
    scene.s.document.claims.public_key = BYTES_LIT("key");
    make(&scene);
    assert_step(&scene.c, 0, "proxy-re-encrypt-share");
    assert_int_equal(scene.c.steps_count, 4);
}

static void an_enclave_with_its_key_waits_for_nothing_until_there_is_a_newer_manifest(void **state)
{
    struct scene scene = {.q = *state};
    struct quorum *q = scene.q;
    const struct found_envelope ready = {.path = "e"};
    quorum_put_manifest(q, "manifest", 1);
    see_phase(&scene, PHASE_QUORUM_KEY_PROVISIONED);
    see_held(&scene, 1, 2);
    see_manifest(&scene);
    scene.s.enclave.state.pivot_running = true;
    make(&scene);
    assert_int_equal(ceremony_same_manifest(&scene.s), YES);
    assert_int_equal(scene.c.steps_count, 0);
    assert_string_equal(scene.c.waits_for, "nothing: the application runs");
    quorum_put_manifest(q, "manifest-v2", 2);
    see_manifest(&scene);
    make(&scene);
    assert_int_equal(ceremony_same_manifest(&scene.s), NO);
    assert_step(&scene.c, 0, "approve-manifest");
    scene.s.manifests.ready = &ready;
    make(&scene);
    assert_null(scene.c.steps[0].command.p); // restart
    assert_step(&scene.c, 1, "boot-standard");
}

static void an_older_manifest_in_the_folder_is_no_reason_to_do_anything(void **state)
{
    struct scene scene = {.q = *state};
    quorum_put_manifest(scene.q, "manifest", 1);
    see_phase(&scene, PHASE_QUORUM_KEY_PROVISIONED);
    see_held(&scene, 2, 2);
    see_manifest(&scene);
    scene.s.enclave.state.pivot_running = true;
    make(&scene);
    assert_int_equal(scene.c.steps_count, 0);
    assert_int_equal(scene.c.notes_count, 1); // it says that the two differ
}

static void an_application_that_has_ended_is_booted_again(void **state)
{
    struct scene scene = {.q = *state};
    see_phase(&scene, PHASE_QUORUM_KEY_PROVISIONED);
    see_held(&scene, 1, 2);
    make(&scene);
    assert_int_equal(scene.c.steps_count, 2);
    assert_step(&scene.c, 1, "boot-standard");
    see_phase(&scene, PHASE_UNRECOVERABLE_ERROR);
    make(&scene);
    assert_int_equal(scene.c.steps_count, 2);
    assert_step(&scene.c, 1, "boot-standard");
}

static void who_does_not_answer_is_waited_for_without_a_command(void **state)
{
    struct scene scene = {.q = *state};
    scene.s.enclave_asked = true;
    make(&scene);
    assert_int_equal(scene.c.steps_count, 0);
    assert_string_equal(scene.c.waits_for, "unknown: the host does not answer");
    scene.s.enclave.host_answers = true;
    make(&scene);
    assert_string_equal(scene.c.waits_for, "unknown: the enclave does not answer its host");
}

static void hostile_aliases_get_no_command(void **state)
{
    struct scene scene = {.q = *state};
    struct genesis_member_output outputs[QUORUM_MEMBERS];
    static const char *const names[QUORUM_MEMBERS] = {"../x", "a\nreboot", "$(reboot)"};
    see_genesis(&scene);
    for (size_t i = 0; i < QUORUM_MEMBERS; i++) {
        outputs[i] = scene.q->genesis.member_outputs.items[i];
        outputs[i].share_set_member.alias = bytes_str(names[i]);
    }
    scene.s.genesis.output.member_outputs.items = outputs;
    see_phase(&scene, PHASE_GENESIS_BOOTED);
    make(&scene);
    assert_int_equal(scene.c.steps_count, 2); // the third, quoted, and the restart
    assert_step(&scene.c, 0, "--alias '$(reboot)'");
}

static void a_file_name_that_no_command_can_have_takes_only_the_commands_away(void **state)
{
    struct scene scene = {.q = *state};
    quorum_put_manifest(scene.q, "manifest\nreboot", 1);
    see_phase(&scene, PHASE_WAITING_FOR_BOOT_INSTRUCTION);
    see_manifest(&scene);
    make(&scene);
    assert_string_equal(scene.c.waits_for, "approvals of the newest manifest");
    assert_int_equal(scene.c.steps_count, 0);
    assert_int_equal(scene.c.notes_count, 1);
}

static void one_alias_with_two_keys_has_two_rows(void **state)
{
    struct scene scene = {.q = *state};
    struct quorum *q = scene.q;
    see_genesis(&scene);
    quorum_put_key(q, "ann.pub", q->stranger);
    folder_file(q->folder, "quorum_threshold", "2");
    scene.s.share_set_dir = q->folder->path;
    scene.s.share_set_seen = SEEN;
    assert_ok(set_survey_read(q->folder->path, &q->arena, &scene.s.share_set));
    make(&scene);
    assert_int_equal(scene.c.rows.n, QUORUM_MEMBERS + 1);
    assert_int_equal(scene.c.rows.items[0].key, YES);
    assert_int_equal(scene.c.rows.items[0].share, NO);
    assert_int_equal(scene.c.rows.items[1].key, NO);
    assert_int_equal(scene.c.rows.items[1].share, YES);
}

#define QUORUM_TEST(f) cmocka_unit_test_setup_teardown(f, quorum_make, quorum_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUORUM_TEST(without_a_genesis_keys_come_first_then_the_genesis),
        QUORUM_TEST(after_the_genesis_every_member_takes_the_own_share),
        QUORUM_TEST(a_manifest_is_made_approved_joined_and_booted),
        QUORUM_TEST(a_booted_enclave_waits_for_the_shares_that_are_missing),
        QUORUM_TEST(with_a_fresh_document_it_is_not_fetched_again),
        QUORUM_TEST(an_enclave_with_its_key_waits_for_nothing_until_there_is_a_newer_manifest),
        QUORUM_TEST(an_older_manifest_in_the_folder_is_no_reason_to_do_anything),
        QUORUM_TEST(an_application_that_has_ended_is_booted_again),
        QUORUM_TEST(who_does_not_answer_is_waited_for_without_a_command),
        QUORUM_TEST(hostile_aliases_get_no_command),
        QUORUM_TEST(a_file_name_that_no_command_can_have_takes_only_the_commands_away),
        QUORUM_TEST(one_alias_with_two_keys_has_two_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
