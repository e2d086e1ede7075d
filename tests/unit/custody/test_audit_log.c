// The file of the audit log (custody/audit_log.h): whatever is done to it is noticed and named, and
// whatever fails leaves it as it was.
#include "../folder.h"

#include "custody/audit_log.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *log_path(struct folder *f)
{
    return folder_path(f, "audit.log");
}

static enum q_err add(struct audit_log *log)
{
    const struct audit_event event = {.who = BYTES_LIT("member1"),
                                      .event = BYTES_LIT("post-share"),
                                      .details = BYTES_LIT("done")};
    return audit_log_append(log, &clock_wall, &event);
}

static enum q_err append(const char *path, int times)
{
    AUDIT_LOG_AUTO log;
    TRY(audit_log_open(path, &log));
    for (int i = 0; i < times; i++)
        TRY(add(&log));
    return Q_OK;
}

static void read_whole(const char *path, struct buf *out)
{
    assert_ok(file_read(path, (size_t)16 << 20, out));
}

static void put(const char *path, struct bytes contents)
{
    assert_ok(file_write(path, contents, 0600, FILE_REPLACE));
}

// The bytes of line number n (from 1), its end included.
static struct bytes line_of(const struct buf *file, unsigned n)
{
    size_t start = 0;
    for (size_t i = 0; i < file->n; i++) {
        if (file->p[i] != '\n')
            continue;
        if (--n == 0)
            return bytes_of(file->p + start, i + 1 - start);
        start = i + 1;
    }
    fail_msg("no such line");
    return BYTES_NONE;
}

static void a_log_is_made_private_and_grows_over_openings(void **state)
{
    const char *path = log_path(*state);
    struct audit_chain chain;
    struct stat s;
    assert_ok(append(path, 2));
    assert_ok(append(path, 0));
    assert_ok(append(path, 3));
    assert_ok(audit_log_verify(path, &chain));
    assert_int_equal(chain.count, 5);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 07777, 0600);
    assert_int_equal(chain.size, s.st_size);
}

// A log with a changed copy of itself in its place: refused by verification and by whoever would append.
static void assert_broken(const char *path, struct bytes changed, const char *text)
{
    struct audit_chain chain;
    BUF_AUTO after = {0};
    put(path, changed);
    assert_refused(audit_log_verify(path, &chain), Q_REFUSED, text);
    assert_refused(append(path, 1), Q_REFUSED, text);
    assert_non_null(strstr(err_text(), path));
    read_whole(path, &after);
    assert_bytes(buf_bytes(&after), changed);
}

static void lines_taken_out_repeated_or_moved_are_noticed(void **state)
{
    const char *path = log_path(*state);
    BUF_AUTO good = {0};
    assert_ok(append(path, 4));
    read_whole(path, &good);
    static const struct {
        unsigned order[5];
        const char *text;
    } cases[] = {
        {{2, 3, 4}, "line 1: expected number 1, found 2"},
        {{1, 3, 4}, "line 2: expected number 2, found 3"},
        {{1, 2, 2, 3, 4}, "line 3: expected number 3, found 2"},
        {{1, 3, 2, 4}, "line 2: expected number 2, found 3"},
        {{4, 3, 2, 1}, "line 1: expected number 1, found 4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        BUF_AUTO changed = {0};
        for (size_t k = 0; k < 5 && cases[i].order[k] != 0; k++)
            assert_ok(buf_append(&changed, line_of(&good, cases[i].order[k])));
        assert_broken(path, buf_bytes(&changed), cases[i].text);
    }
}

static void an_edited_line_is_noticed_at_the_next_one(void **state)
{
    const char *path = log_path(*state);
    BUF_AUTO good = {0};
    assert_ok(append(path, 3));
    read_whole(path, &good);
    // Every byte of the first two lines in turn; some changes break the form, the others the chain.
    size_t until = line_of(&good, 1).n + line_of(&good, 2).n;
    for (size_t i = 0; i < until; i += 7) {
        BUF_AUTO changed = {0};
        struct audit_chain chain;
        assert_ok(buf_append(&changed, buf_bytes(&good)));
        changed.p[i] ^= 1;
        put(path, buf_bytes(&changed));
        assert_int_not_equal(audit_log_verify(path, &chain), Q_OK);
        assert_int_not_equal(append(path, 1), Q_OK);
    }
}

static void a_changed_last_line_has_another_head(void **state)
{
    const char *path = log_path(*state);
    BUF_AUTO file = {0};
    struct audit_chain before, after;
    assert_ok(append(path, 2));
    assert_ok(audit_log_verify(path, &before));
    read_whole(path, &file);
    uint8_t *done = memmem(file.p + line_of(&file, 1).n, line_of(&file, 2).n, "done", 4);
    assert_non_null(done);
    done[0] = 'g';
    put(path, buf_bytes(&file));
    assert_ok(audit_log_verify(path, &after)); // a chain, but not the one whose head was noted
    assert_memory_not_equal(before.head, after.head, sizeof before.head);
    put(path, line_of(&file, 1));
    assert_ok(audit_log_verify(path, &after));
    assert_int_equal(after.count, 1);
    assert_memory_not_equal(before.head, after.head, sizeof before.head);
}

static void a_last_line_that_is_cut_is_named_with_the_remedy(void **state)
{
    const char *path = log_path(*state);
    BUF_AUTO good = {0};
    assert_ok(append(path, 3));
    read_whole(path, &good);
    size_t two = line_of(&good, 1).n + line_of(&good, 2).n;
    for (size_t n = two + 1; n < good.n; n += 11) {
        char remedy[128];
        (void)snprintf(remedy, sizeof remedy,
                       "line, 3, is cut: a write was interrupted; to go on, "
                       "take it off: truncate -s %zu ",
                       two);
        assert_broken(path, bytes_of(good.p, n), remedy);
    }
    assert_broken(path, bytes_of(good.p, good.n - 1), "is cut");
    assert_int_equal(truncate(path, (off_t)two), 0);
    assert_ok(append(path, 1));
}

static void what_is_no_log_is_left_alone(void **state)
{
    struct folder *f = *state;
    struct audit_chain chain;
    char long_line[(size_t)70 << 10];
    memset(long_line, 'x', sizeof long_line);
    assert_broken(log_path(f), BYTES_OF(long_line), "line 1 is no record: it has no end");
    put(log_path(f), BYTES_LIT("hello\n"));
    assert_refused(append(log_path(f), 1), Q_BAD_INPUT, "line 1 is no record");
    assert_refused(audit_log_verify(folder_path(f, "none"), &chain), Q_IO, "cannot be opened");
    assert_int_equal(mkfifo(folder_path(f, "fifo"), 0600), 0);
    assert_refused(append(folder_path(f, "fifo"), 1), Q_BAD_INPUT, "regular file");
    assert_int_equal(symlink("audit.log", folder_path(f, "link")), 0);
    assert_int_equal(append(folder_path(f, "link"), 1), Q_IO);
    assert_int_equal(audit_log_verify(f->path, &chain), Q_BAD_INPUT);
}

static void lines_taken_off_while_the_log_is_open_are_noticed(void **state)
{
    const char *path = log_path(*state);
    AUDIT_LOG_AUTO log;
    assert_ok(append(path, 2));
    assert_ok(audit_log_open(path, &log));
    assert_int_equal(truncate(path, 10), 0);
    assert_refused(add(&log), Q_REFUSED, "shorter than it was");
}

static void what_others_append_meanwhile_is_followed(void **state)
{
    const char *path = log_path(*state);
    struct audit_chain chain;
    AUDIT_LOG_AUTO log;
    assert_ok(audit_log_open(path, &log));
    assert_ok(append(path, 2));
    assert_ok(add(&log));
    assert_ok(append(path, 1));
    assert_ok(add(&log));
    assert_ok(audit_log_verify(path, &chain));
    assert_int_equal(chain.count, 5);
}

static int ended(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}

static void two_processes_append_at_once_and_lose_nothing(void **state)
{
    const char *path = log_path(*state);
    struct audit_chain chain;
    pid_t children[2];
    for (size_t i = 0; i < 2; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            _exit(append(path, 100) == Q_OK ? 0 : 1);
    }
    assert_int_equal(ended(children[0]), 0);
    assert_int_equal(ended(children[1]), 0);
    assert_ok(audit_log_verify(path, &chain));
    assert_int_equal(chain.count, 200);
}

// In a child whose files may not grow beyond that many bytes.
static int append_within(const char *path, rlim_t limit)
{
    const struct rlimit most = {limit, limit};
    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &most) != 0)
        return 2;
    if (append(path, 1) == Q_OK)
        return 0;
    return strstr(err_text(), "disk is full") != NULL || strstr(err_text(), "cannot be written")
               ? 1
               : 3;
}

static void a_full_disk_leaves_the_log_as_it_was(void **state)
{
    const char *path = log_path(*state);
    BUF_AUTO good = {0};
    assert_ok(append(path, 2));
    read_whole(path, &good);
    const size_t rooms[] = {0, 1, 100, line_of(&good, 1).n - 1};
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        BUF_AUTO after = {0};
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(append_within(path, (rlim_t)(good.n + rooms[i])));
        assert_int_equal(ended(child), 1);
        read_whole(path, &after);
        assert_bytes(buf_bytes(&after), buf_bytes(&good));
    }
    assert_ok(append(path, 1)); // and it goes on when there is room again
}

static enum q_err no_time(void *context, struct clock_reading *out)
{
    (void)context;
    (void)out;
    return fail(Q_IO, "clock: stopped");
}

static void a_clock_that_fails_writes_nothing(void **state)
{
    const char *path = log_path(*state);
    const struct clock stopped = {no_time, NULL};
    const struct audit_event event = {.who = BYTES_LIT("w")};
    struct audit_chain chain;
    AUDIT_LOG_AUTO log;
    assert_ok(audit_log_open(path, &log));
    assert_refused(audit_log_append(&log, &stopped, &event), Q_IO, "clock: stopped");
    assert_ok(audit_log_verify(path, &chain));
    assert_int_equal(chain.count, 0);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_log_is_made_private_and_grows_over_openings),
        WITH_FOLDER(lines_taken_out_repeated_or_moved_are_noticed),
        WITH_FOLDER(an_edited_line_is_noticed_at_the_next_one),
        WITH_FOLDER(a_changed_last_line_has_another_head),
        WITH_FOLDER(a_last_line_that_is_cut_is_named_with_the_remedy),
        WITH_FOLDER(what_is_no_log_is_left_alone),
        WITH_FOLDER(lines_taken_off_while_the_log_is_open_are_noticed),
        WITH_FOLDER(what_others_append_meanwhile_is_followed),
        WITH_FOLDER(two_processes_append_at_once_and_lose_nothing),
        WITH_FOLDER(a_full_disk_leaves_the_log_as_it_was),
        WITH_FOLDER(a_clock_that_fails_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
