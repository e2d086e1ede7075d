// PID 1's steps, each with paths and calls of this test, by a process that is nobody's init.
#include "../folder.h"

#include "base/log.h"
#include "enclave/heartbeat.h"
#include "enclave/init.h"
#include "enclave/resolvers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <regex.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void only_the_kernels_first_program_named_init_is_init(void **state)
{
    (void)state;
    assert_true(init_is_wanted(1, "/init"));
    assert_true(init_is_wanted(1, "init"));
    assert_true(init_is_wanted(1, "/sbin/init"));
    assert_false(init_is_wanted(2, "/init"));
    assert_false(init_is_wanted(1, "qos_core")); // a container's first process
    assert_false(init_is_wanted(1, "/init/qos_core"));
    assert_false(init_is_wanted(1, "/initx"));
    assert_false(init_is_wanted(1, ""));
    assert_false(init_is_wanted(1, NULL));
}

// What qos-behaviour 5 lists, in its order.
static const struct {
    const char *source, *target, *type;
    unsigned long flags;
    const char *options;
} expected_mounts[] = {
    {"devtmpfs", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755"},
    {"devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, NULL},
    {"shm", "/dev/shm", "tmpfs", MS_NODEV | MS_NOSUID | MS_NOEXEC, "mode=0755"},
    {"proc", "/proc", "proc", MS_NODEV | MS_NOSUID | MS_NOEXEC, "hidepid=2"},
    {"tmpfs", "/run", "tmpfs", MS_NODEV | MS_NOSUID | MS_NOEXEC, "mode=0755"},
    {"tmpfs", "/tmp", "tmpfs", MS_NODEV | MS_NOSUID | MS_NOEXEC, NULL},
    {"sysfs", "/sys", "sysfs", MS_NODEV | MS_NOSUID | MS_NOEXEC, NULL},
    {"cgroup_root", "/sys/fs/cgroup", "tmpfs", MS_NODEV | MS_NOSUID | MS_NOEXEC, "mode=0755"},
};
#define MOUNTS (sizeof expected_mounts / sizeof *expected_mounts)

static size_t mounts_seen;
static const char *mounts_root;

static int failing_mount(const char *source, const char *target, const char *type,
                         unsigned long flags, const void *options)
{
    assert_true(mounts_seen < MOUNTS);
    char path[256];
    (void)snprintf(path, sizeof path, "%s%s", mounts_root, expected_mounts[mounts_seen].target);
    assert_string_equal(source, expected_mounts[mounts_seen].source);
    assert_string_equal(target, path);
    assert_string_equal(type, expected_mounts[mounts_seen].type);
    assert_int_equal(flags, expected_mounts[mounts_seen].flags);
    const char *wanted = expected_mounts[mounts_seen].options;
    assert_int_equal(options == NULL, wanted == NULL);
    if (wanted != NULL)
        assert_string_equal(options, wanted);
    mounts_seen++;
    errno = EPERM;
    return -1;
}

static void all_is_mounted_as_listed_although_every_mount_fails(void **state)
{
    (void)state;
    char root[] = "/tmp/quorate-test-XXXXXX";
    assert_non_null(mkdtemp(root));
    mounts_seen = 0;
    mounts_root = root;
    init_mount_all(root, failing_mount);
    assert_int_equal(mounts_seen, MOUNTS);
    static const char *const made[] = {"/dev/pts", "/dev/shm", "/dev", "/proc",
                                       "/run",     "/tmp",     "/sys"};
    char path[256];
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        (void)snprintf(path, sizeof path, "%s%s", root, made[i]);
        assert_int_equal(rmdir(path), 0);
    }
    assert_int_equal(rmdir(root), 0);
}

// Runs act in a child; its exit status.
static int in_child(int (*act)(const char *argument), const char *argument)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(act(argument));
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int speak_on_console(const char *console)
{
    for (int fd = 0; fd <= 2; fd++)
        (void)close(fd);
    init_console(console);
    log_as_console();
    log_warn("said\nonce");
    if (fcntl(0, F_GETFD) != 0 || fcntl(1, F_GETFD) != 0 || fcntl(2, F_GETFD) != 0)
        return 1; // a closed stream, or one that the application would not get
    return fcntl(3, F_GETFD) == FD_CLOEXEC ? 2 : 0;
}

static void streams_become_the_console_and_lines_the_kernels_form(void **state)
{
    struct folder *f = *state;
    BUF_AUTO text = {0};
    folder_file(f, "console", "");
    assert_int_equal(in_child(speak_on_console, folder_path(f, "console")), 0);
    assert_ok(file_read(folder_path(f, "console"), 4096, &text));
    regex_t form;
    assert_int_equal(regcomp(&form, "^\\[ [ 0-9]{3}[0-9]+\\.[0-9]{1,6}\\] warning: said\\?once\n$",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    const char *line = buf_text(&text);
    if (line == NULL || regexec(&form, line, 0, NULL, 0) != 0)
        fail_msg("found: %s", line);
    regfree(&form);
}

static void streams_are_open_even_without_a_console(void **state)
{
    (void)state;
    assert_int_equal(in_child(speak_on_console, "/nowhere/console"), 0);
}

static void the_generator_must_be_the_security_module(void **state)
{
    struct folder *f = *state;
    folder_file(f, "rng", "nsm-hwrng\n");
    assert_ok(init_check_generator(folder_path(f, "rng")));
    static const char *const others[] = {"none\n", "", "virtio_rng.0\n", "nsm-hwrng-2\n",
                                         "nsm-hwrng\nother\n"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        folder_file(f, "rng", others[i]);
        assert_refused(init_check_generator(folder_path(f, "rng")), Q_TEE, "expected nsm-hwrng");
    }
    assert_refused(init_check_generator("/nowhere/rng"), Q_IO, "hardware random generator");
}

static void a_missing_vsock_device_is_an_error(void **state)
{
    (void)state;
    uint32_t cid = 0;
    assert_refused(init_own_cid("/nowhere/vsock", &cid), Q_IO, "/nowhere/vsock");
    assert_refused(init_own_cid("/dev/null", &cid), Q_IO, "our own context id");
    assert_int_equal(cid, 0);
}

static void what_is_no_module_is_not_loaded_and_does_no_harm(void **state)
{
    struct folder *f = *state;
    init_load_module("/nowhere/nsm.ko");
    folder_file(f, "nsm.ko", "not a module");
    init_load_module(folder_path(f, "nsm.ko"));
}

static int raise_and_use_loopback(const char *unused)
{
    (void)unused;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return 77;
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof sa;
    int listening = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    sa.sin_port = htons(1);
    if (connect(fd, (const struct sockaddr *)&sa, size) == 0 || errno != ENETUNREACH)
        return 1; // it was up before
    init_loopback();
    sa.sin_port = 0;
    if (bind(listening, (const struct sockaddr *)&sa, size) != 0 || listen(listening, 1) != 0 ||
        getsockname(listening, (struct sockaddr *)&sa, &size) != 0)
        return 2;
    return connect(fd, (const struct sockaddr *)&sa, size) == 0 ? 0 : 3;
}

static void loopback_comes_up(void **state)
{
    (void)state;
    int got = in_child(raise_and_use_loopback, NULL);
    if (got == 77) {
        print_message("skipped: this machine allows no network namespace\n");
        skip();
    }
    assert_int_equal(got, 0);
}

// The host's end: reads one byte, answers with what the test says.
struct host {
    int listening;
    const char *answer; // NULL: closes at once; "": stays silent
    uint8_t heard;
};

static void *answer_once(void *context)
{
    struct host *h = context;
    int fd = accept(h->listening, NULL, NULL);
    uint8_t ignored;
    if (fd < 0 || recv(fd, &h->heard, 1, 0) != 1)
        return NULL;
    if (h->answer != NULL && h->answer[0] != '\0')
        (void)send(fd, h->answer, 1, MSG_NOSIGNAL);
    if (h->answer != NULL)
        (void)recv(fd, &ignored, 1, 0); // until the enclave has closed
    (void)close(fd);
    return NULL;
}

static enum q_err beat(struct folder *f, const char *answer, int within_ms, uint8_t *heard)
{
    struct address a = {.kind = ADDRESS_UNIX, .path = folder_path(f, "host")};
    struct host h = {.answer = answer};
    pthread_t thread;
    assert_ok(address_listen(&a, 1, &h.listening));
    assert_int_equal(fcntl(h.listening, F_SETFL, 0), 0);
    assert_int_equal(pthread_create(&thread, NULL, answer_once, &h), 0);
    enum q_err err = heartbeat(&a, within_ms);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(h.listening);
    (void)unlink(a.path);
    *heard = h.heard;
    return err;
}

static void the_heartbeat_is_one_byte_and_the_same_back(void **state)
{
    uint8_t heard = 0;
    assert_ok(beat(*state, "\xb7", 20000, &heard));
    assert_int_equal(heard, 0xb7);
}

static void a_host_that_does_not_answer_the_heartbeat_is_named(void **state)
{
    uint8_t heard = 0;
    assert_refused(beat(*state, "\xb8", 20000, &heard), Q_BAD_INPUT, "byte b7, found b8");
    assert_refused(beat(*state, NULL, 20000, &heard), Q_CLOSED, "closed the connection");
    assert_refused(beat(*state, "", 20, &heard), Q_TIMEOUT, "heartbeat: answer: expected within");
    const struct address nobody = {.kind = ADDRESS_UNIX, .path = "/nowhere/host"};
    assert_refused(heartbeat(&nobody, 1000), Q_IO,
                   "heartbeat: connecting to unix socket /nowhere/host");
}

static void resolvers_are_the_manifests(void **state)
{
    struct folder *f = *state;
    BUF_AUTO text = {0};
    struct bytes items[] = {BYTES_LIT("1.1.1.1"), BYTES_LIT("2606:4700::1111")};
    struct dns_config dns = {.resolvers = {.items = items, .n = 2}};
    folder_file(f, "resolv.conf", "nameserver 9.9.9.9\n");
    assert_ok(resolvers_publish(&dns, folder_path(f, "resolv.conf")));
    assert_ok(file_read(folder_path(f, "resolv.conf"), 4096, &text));
    assert_string_equal(buf_text(&text), "nameserver 1.1.1.1\nnameserver 2606:4700::1111\n");
    dns.resolvers.n = 0; // none: the file says so too
    assert_ok(resolvers_publish(&dns, folder_path(f, "resolv.conf")));
    buf_clear(&text);
    assert_ok(file_read(folder_path(f, "resolv.conf"), 4096, &text));
    assert_int_equal(text.n, 0);
    assert_refused(resolvers_publish(&dns, "/proc/nowhere/resolv.conf"), Q_IO, "/proc/nowhere");
}

static void without_dns_in_the_manifest_no_file_is_touched(void **state)
{
    struct folder *f = *state;
    const struct dns_config dns = {0};
    assert_ok(resolvers_publish(NULL, folder_path(f, "resolv.conf")));
    assert_false(file_exists(folder_path(f, "resolv.conf")));
    assert_ok(resolvers_publish(&dns, NULL));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)
    const struct CMUnitTest tests[] = {
        TEST(only_the_kernels_first_program_named_init_is_init),
        TEST(all_is_mounted_as_listed_although_every_mount_fails),
        TEST(streams_become_the_console_and_lines_the_kernels_form),
        TEST(streams_are_open_even_without_a_console),
        TEST(the_generator_must_be_the_security_module),
        TEST(a_missing_vsock_device_is_an_error),
        TEST(what_is_no_module_is_not_loaded_and_does_no_harm),
        TEST(loopback_comes_up),
        TEST(the_heartbeat_is_one_byte_and_the_same_back),
        TEST(a_host_that_does_not_answer_the_heartbeat_is_named),
        TEST(resolvers_are_the_manifests),
        TEST(without_dns_in_the_manifest_no_file_is_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
