// The folder of the simulated TEE: made once, whole, never overwritten, whoever comes first.
#include "sim_fixture.h"

#include "base/arena.h"
#include "tee/sim_dir.h"

#include <fcntl.h>

static void first_use_makes_everything_with_tight_modes(void **state)
{
    const struct fixture *f = *state;
    char path[160];
    TEE_AUTO *t = NULL;
    BUF_AUTO role = {0};
    assert_ok(tee_open(&f->options, &t));
    static const char *const certificates[] = {"root.der", "intermediate.der", "leaf.der"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(mode_of(f, certificates[i]), 0644);
    static const char *const secrets[] = {"leaf_p384_secret.hex", "root_p384_secret.hex",
                                          "intermediate_p384_secret.hex"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(mode_of(f, secrets[i]), 0600);
    assert_int_equal(mode_of(f, ""), 0700);
    assert_ok(file_read(inside(f, "role.txt", path), 4096, &role));
    assert_bytes(buf_bytes(&role), BYTES_LIT("arn:aws:iam::000000000000:role/quorate-simulated\n"));
}

static void second_use_takes_what_is_there(void **state)
{
    const struct fixture *f = *state;
    TEE_AUTO *one = NULL, *two = NULL;
    uint8_t a[SHA384_SIZE], b[SHA384_SIZE];
    assert_ok(tee_open(&f->options, &one));
    assert_ok(tee_open(&f->options, &two));
    assert_bytes(tee_root(one), tee_root(two));
    put(f, "role.txt", "  arn:aws:iam::1:role/mine \r\nsecond line\n");
    TEE_AUTO *three = NULL;
    assert_ok(tee_open(&f->options, &three));
    measurement(three, 3, a);
    assert_ok(role_measurement(BYTES_LIT("arn:aws:iam::1:role/mine"), b));
    assert_memory_equal(a, b, sizeof a);
}

static void folder_that_already_has_a_role_is_filled(void **state)
{
    const struct fixture *f = *state;
    TEE_AUTO *t = NULL;
    uint8_t a[SHA384_SIZE], b[SHA384_SIZE];
    put(f, "role.txt", "mine");
    assert_ok(tee_open(&f->options, &t));
    measurement(t, 3, a);
    assert_ok(role_measurement(BYTES_LIT("mine"), b));
    assert_memory_equal(a, b, sizeof a);
}

static void empty_role_is_refused(void **state)
{
    const struct fixture *f = *state;
    TEE_AUTO *t = NULL;
    put(f, "role.txt", "\narn\n");
    assert_refused(tee_open(&f->options, &t), Q_BAD_INPUT, "role.txt");
}

// Children that open the same new folder at once, each after the same pipe closes.
static void processes_that_start_at_once_share_one_root(void **state)
{
    const struct fixture *f = *state;
    enum { CHILDREN = 6 };
    int gate[2], answers[2];
    assert_int_equal(pipe(gate), 0);
    assert_int_equal(pipe(answers), 0);
    for (int i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child > 0)
            continue;
        char c;
        uint8_t hash[SHA256_SIZE];
        struct tee *t = NULL;
        (void)close(gate[1]);
        bool ready = read(gate[0], &c, 1) == 0;
        bool ok = ready && tee_open(&f->options, &t) == Q_OK && sha256(tee_root(t), hash) == Q_OK &&
                  write(answers[1], hash, sizeof hash) == (ssize_t)sizeof hash;
        tee_close(&t);
        _exit(ok ? 0 : 1);
    }
    (void)close(gate[1]);
    (void)close(answers[1]);
    for (int i = 0; i < CHILDREN; i++) {
        int status = 1;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    uint8_t first[SHA256_SIZE], next[SHA256_SIZE];
    assert_int_equal(read(answers[0], first, sizeof first), sizeof first);
    for (int i = 1; i < CHILDREN; i++) {
        assert_int_equal(read(answers[0], next, sizeof next), sizeof next);
        assert_memory_equal(first, next, sizeof next);
    }
    (void)close(gate[0]);
    (void)close(answers[0]);
}

static void part_of_a_pki_is_refused_and_left_alone(void **state)
{
    const struct fixture *f = *state;
    static const char *const needed[] = {"root.der", "intermediate.der", "leaf.der",
                                         "leaf_p384_secret.hex"};
    TEE_AUTO *t = NULL;
    assert_ok(tee_open(&f->options, &t));
    for (size_t i = 0; i < 4; i++) {
        char from[160], away[160];
        (void)inside(f, needed[i], from);
        (void)inside(f, "away", away);
        assert_int_equal(rename(from, away), 0);
        TEE_AUTO *again = NULL;
        assert_refused(tee_open(&f->options, &again), Q_MISSING, needed[i]);
        assert_false(file_exists(from));
        assert_int_equal(rename(away, from), 0);
    }
    TEE_AUTO *again = NULL;
    assert_ok(tee_open(&f->options, &again));
}

static void pki_made_elsewhere_needs_no_other_keys(void **state)
{
    const struct fixture *f = *state;
    char path[160];
    TEE_AUTO *t = NULL, *again = NULL;
    assert_ok(tee_open(&f->options, &t));
    assert_ok(file_remove(inside(f, "root_p384_secret.hex", path)));
    assert_ok(file_remove(inside(f, "intermediate_p384_secret.hex", path)));
    assert_ok(tee_open(&f->options, &again));
    assert_false(file_exists(inside(f, "root_p384_secret.hex", path)));
    assert_bytes(tee_root(t), tee_root(again));
}

static void key_of_another_leaf_is_refused(void **state)
{
    const struct fixture *f = *state;
    char path[160];
    TEE_AUTO *t = NULL;
    BUF_AUTO other = {0};
    assert_ok(tee_open(&f->options, &t));
    assert_ok(file_read(inside(f, "root_p384_secret.hex", path), 256, &other));
    put(f, "leaf_p384_secret.hex", buf_text(&other));
    TEE_AUTO *again = NULL;
    assert_refused(tee_open(&f->options, &again), Q_BAD_INPUT, "leaf_p384_secret.hex");
    put(f, "leaf_p384_secret.hex", "00");
    assert_int_not_equal(tee_open(&f->options, &again), Q_OK);
}

static void default_folder_is_under_the_state_directory(void **state)
{
    struct fixture *f = *state;
    char expected[160];
    TEE_AUTO *t = NULL;
    f->options.sim_dir = NULL;
    assert_int_equal(setenv("XDG_STATE_HOME", f->folder, 1), 0);
    assert_ok(tee_open(&f->options, &t));
    (void)snprintf(expected, sizeof expected, "%s/quorate/sim/root.der", f->folder);
    assert_true(file_exists(expected));

    TEE_AUTO *home = NULL;
    assert_int_equal(unsetenv("XDG_STATE_HOME"), 0);
    assert_int_equal(setenv("HOME", f->folder, 1), 0);
    assert_ok(tee_open(&f->options, &home));
    (void)snprintf(expected, sizeof expected, "%s/.local/state/quorate/sim/root.der", f->folder);
    assert_true(file_exists(expected));

    TEE_AUTO *none = NULL;
    assert_int_equal(unsetenv("HOME"), 0);
    assert_refused(tee_open(&f->options, &none), Q_MISSING, "--sim-dir");
}

static void move(const struct fixture *f, const char *from, const char *to)
{
    char a[160], b[160];
    assert_int_equal(rename(inside(f, from, a), inside(f, to, b)), 0);
}

static size_t leftovers(const struct fixture *f)
{
    ARENA_AUTO a = {0};
    struct file_list list;
    size_t n = 0;
    assert_ok(file_list(f->dir, &a, &list));
    for (size_t i = 0; i < list.n; i++)
        n += list.names[i][0] == '.';
    return n;
}

static void a_publication_that_was_killed_is_finished(void **state)
{
    const struct fixture *f = *state;
    TEE_AUTO *before = NULL, *after = NULL;
    assert_ok(tee_open(&f->options, &before));
    move(f, "leaf_p384_secret.hex", ".leaf_p384_secret.hex.0123456789ab.tmp");
    move(f, "root_p384_secret.hex", ".root_p384_secret.hex.0123456789ab.tmp");
    assert_ok(tee_open(&f->options, &after));
    assert_bytes(tee_root(after), tee_root(before));
    assert_int_equal(mode_of(f, "leaf_p384_secret.hex"), 0600);
    assert_int_equal(mode_of(f, "root_p384_secret.hex"), 0600);
    assert_int_equal(leftovers(f), 0);
}

static void a_publication_that_never_began_is_forgotten(void **state)
{
    const struct fixture *f = *state;
    TEE_AUTO *t = NULL;
    put(f, ".root.der.0123456789ab.tmp", "half");
    put(f, ".leaf_p384_secret.hex.0123456789ab.tmp", "00");
    put(f, ".role.txt.0123456789ab.tmp", "arn");
    assert_ok(tee_open(&f->options, &t));
    assert_true(tee_root(t).n > 100);
    assert_int_equal(leftovers(f), 0);
}

static void a_leftover_beside_a_whole_pki_replaces_nothing(void **state)
{
    const struct fixture *f = *state;
    TEE_AUTO *before = NULL, *after = NULL;
    assert_ok(tee_open(&f->options, &before));
    put(f, ".root.der.0123456789ab.tmp", "half");
    assert_ok(tee_open(&f->options, &after));
    assert_bytes(tee_root(after), tee_root(before));
    assert_int_equal(leftovers(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIM_TEST(first_use_makes_everything_with_tight_modes),
        SIM_TEST(second_use_takes_what_is_there),
        SIM_TEST(folder_that_already_has_a_role_is_filled),
        SIM_TEST(empty_role_is_refused),
        SIM_TEST(processes_that_start_at_once_share_one_root),
        SIM_TEST(part_of_a_pki_is_refused_and_left_alone),
        SIM_TEST(a_publication_that_was_killed_is_finished),
        SIM_TEST(a_publication_that_never_began_is_forgotten),
        SIM_TEST(a_leftover_beside_a_whole_pki_replaces_nothing),
        SIM_TEST(pki_made_elsewhere_needs_no_other_keys),
        SIM_TEST(key_of_another_leaf_is_refused),
        SIM_TEST(default_folder_is_under_the_state_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
