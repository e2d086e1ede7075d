// Addresses: options, text, listening and connecting; vsock where the machine has one.
#include "../cmocka_setup.h"

#include "net/address.h"

#include <errno.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct option table[] = {
    {.name = "cid", .kind = OPTION_VALUE},
    {.name = "port", .kind = OPTION_VALUE},
    {.name = "usock", .kind = OPTION_VALUE},
    {.name = "vsock-to-host", .kind = OPTION_VALUE, .fallback = "false"},
};

// line: the words, one space apart. Must not go away before the address.
static char words_text[128];

static enum q_err from(const char *line, struct address *a)
{
    char *words[16];
    int n = 0;
    (void)snprintf(words_text, sizeof words_text, "%s", line);
    for (char *rest = words_text, *word; (word = strsep(&rest, " ")) != NULL && n < 16;)
        words[n++] = word;
    struct options o;
    TRY(options_parse(table, sizeof table / sizeof *table, n, words, &o));
    return address_from_options(&o, a);
}

static void assert_shown(const struct address *a, const char *text)
{
    BUF_AUTO b = {0};
    assert_ok(address_display(a, &b));
    assert_string_equal(buf_text(&b), text);
}

static void options_give_a_path_or_a_cid_and_port(void **state)
{
    (void)state;
    struct address a;
    assert_ok(from("--usock /run/q.sock", &a));
    assert_int_equal(a.kind, ADDRESS_UNIX);
    assert_shown(&a, "unix socket /run/q.sock");
    assert_ok(from("--port 3 --cid 16", &a));
    assert_shown(&a, "vsock cid 16 port 3");
    assert_false(a.to_host);
    assert_ok(from("--port 3 --cid 16 --vsock-to-host true", &a));
    assert_true(a.to_host);
}

static void mixed_or_missing_socket_options_are_refused(void **state)
{
    (void)state;
    struct address a;
    assert_refused(from("--vsock-to-host false", &a), Q_BAD_INPUT, "Invalid socket opts");
    assert_refused(from("--cid 3", &a), Q_BAD_INPUT, "Invalid socket opts");
    assert_refused(from("--port 3", &a), Q_BAD_INPUT, "Invalid socket opts");
    assert_refused(from("--usock x --port 3", &a), Q_BAD_INPUT, "Invalid socket opts");
    assert_refused(from("--usock x --port 3 --cid 2", &a), Q_BAD_INPUT, "both");
    assert_refused(from("--cid x --port 3", &a), Q_BAD_INPUT, "--cid");
    assert_refused(from("--cid 2 --port 3 --vsock-to-host yes", &a), Q_BAD_INPUT,
                   "--vsock-to-host: expected true or false, found yes");
}

static void ipv4_literals_only(void **state)
{
    (void)state;
    uint32_t ip;
    assert_ok(address_ipv4("127.0.0.1", &ip));
    assert_int_equal(ip, 0x7f000001);
    assert_refused(address_ipv4("localhost", &ip), Q_BAD_INPUT, "found localhost");
    assert_refused(address_ipv4("::1", &ip), Q_BAD_INPUT, "found ::1");
    struct address a = {.kind = ADDRESS_TCP, .ip = 0x0a000203, .port = 80};
    assert_shown(&a, "10.0.2.3:80");
}

static void a_path_too_long_for_a_socket_is_named(void **state)
{
    (void)state;
    char path[200];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    int fd;
    struct address a = {.kind = ADDRESS_UNIX, .path = path};
    assert_refused(address_listen(&a, 1, &fd), Q_BAD_INPUT, "1 to 107 bytes, found 199");
    assert_refused(address_connect(&a, &fd), Q_BAD_INPUT, "found 199");
    a.path = "/nonexistent/q.sock";
    assert_refused(address_connect(&a, &fd), Q_IO, "/nonexistent/q.sock: No such file");
}

static void tcp_listens_on_a_port_of_its_own_and_connects(void **state)
{
    (void)state;
    struct address a = {.kind = ADDRESS_TCP, .ip = 0x7f000001, .port = 0};
    int listener, fd, again;
    assert_ok(address_listen(&a, 4, &listener));
    assert_ok(address_local_port(listener, &a.port));
    assert_true(a.port > 0);
    assert_refused(address_listen(&a, 4, &again), Q_IO, "in use");
    assert_ok(address_connect(&a, &fd));
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    assert_int_equal(poll(&p, 1, 5000), 1);
    assert_ok(address_connected(&a, fd));
    (void)close(fd);
    (void)close(listener);
    assert_ok(address_connect(&a, &fd));
    p = (struct pollfd){.fd = fd, .events = POLLOUT};
    assert_int_equal(poll(&p, 1, 5000), 1);
    assert_refused(address_connected(&a, fd), Q_IO, "refused");
    (void)close(fd);
}

// A socket whose own port is the one it connects to: the kernel gives out such a port now and then where it lies
// in the range of those that it chooses, and nobody listens there.
static int connected_to_itself(struct address *a)
{
    union any_address sa;
    socklen_t size;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_ok(address_to_sockaddr(a, false, &sa, &size));
    assert_int_equal(bind(fd, &sa.sa, size), 0);
    assert_ok(address_local_port(fd, &a->port));
    assert_ok(address_to_sockaddr(a, true, &sa, &size));
    assert_int_equal(connect(fd, &sa.sa, size), 0);
    return fd;
}

static void a_connection_that_reached_itself_is_none(void **state)
{
    (void)state;
    struct address a = {.kind = ADDRESS_TCP, .ip = 0x7f000001};
    int fd = connected_to_itself(&a), listener;
    assert_refused(address_connected(&a, fd), Q_IO, "nobody listens there");
    (void)close(fd);
    assert_ok(address_listen(&a, 1, &listener)); // its port is free at once
    (void)close(listener);
}

static void a_full_backlog_is_told_apart(void **state)
{
    (void)state;
    char folder[] = "/tmp/quorate-net-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    (void)snprintf(path, sizeof path, "%s/s", folder);
    struct address a = {.kind = ADDRESS_UNIX, .path = path};
    int listener, fds[8], n = 0;
    assert_ok(address_listen(&a, 1, &listener));
    enum q_err result = Q_OK;
    while (n < 8 && (result = address_connect(&a, &fds[n])) == Q_OK)
        n++;
    assert_refused(result, Q_LIMIT, "queue of connections is full");
    for (int i = 0; i < n; i++)
        (void)close(fds[i]);
    (void)close(listener);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void vsock_addresses_say_to_the_host_only_when_they_connect(void **state)
{
    (void)state;
    union any_address sa;
    socklen_t size;
    struct address a = {.kind = ADDRESS_VSOCK, .cid = VMADDR_CID_ANY, .port = 3};
    assert_ok(address_to_sockaddr(&a, true, &sa, &size));
    assert_int_equal(size, sizeof(struct sockaddr_vm));
    assert_int_equal(sa.vm.svm_family, AF_VSOCK);
    assert_int_equal(sa.vm.svm_cid, VMADDR_CID_ANY);
    assert_int_equal(sa.vm.svm_port, 3);
    assert_int_equal(sa.vm.svm_flags, 0);
    a.to_host = true;
    assert_ok(address_to_sockaddr(&a, false, &sa, &size));
    assert_int_equal(sa.vm.svm_flags, 0);
    assert_ok(address_to_sockaddr(&a, true, &sa, &size));
    assert_int_equal(sa.vm.svm_flags, VMADDR_FLAG_TO_HOST);
}

static void a_bridge_lies_beside_its_enclave(void **state)
{
    (void)state;
    char path[ADDRESS_PATH_SIZE];
    struct address bridge;
    struct address a = {.kind = ADDRESS_VSOCK, .cid = 16, .port = 3, .to_host = true};
    assert_ok(address_of_bridge(&a, 65535, path, &bridge));
    assert_shown(&bridge, "vsock cid 16 port 65535");
    assert_true(bridge.to_host);
    a = (struct address){.kind = ADDRESS_UNIX, .path = "/run/q.sock"};
    assert_ok(address_of_bridge(&a, 3000, path, &bridge));
    assert_shown(&bridge, "unix socket /run/q.sock.3000.appsock");
}

static void a_bridge_without_room_for_its_path_is_refused(void **state)
{
    (void)state;
    char enclave[ADDRESS_PATH_SIZE], path[ADDRESS_PATH_SIZE];
    struct address bridge, a = {.kind = ADDRESS_UNIX, .path = enclave};
    memset(enclave, 'x', sizeof enclave);
    enclave[ADDRESS_PATH_SIZE - 1 - strlen(".1.appsock")] = '\0';
    assert_ok(address_of_bridge(&a, 1, path, &bridge));
    assert_int_equal(strlen(path), ADDRESS_PATH_SIZE - 1);
    assert_refused(address_of_bridge(&a, 10, path, &bridge), Q_BAD_INPUT, "at most 107 bytes");
}

static void only_the_socket_file_that_was_made_is_removed(void **state)
{
    (void)state;
    char folder[] = "/tmp/quorate-net-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/s", folder);
    struct address a = {.kind = ADDRESS_UNIX, .path = path};
    int first, second;
    assert_ok(address_listen(&a, 1, &first));
    struct socket_file old = socket_file_of(&a);
    (void)close(first);
    assert_ok(address_listen(&a, 1, &second)); // in its place
    struct socket_file made = socket_file_of(&a);
    if (made.inode != old.inode) {
        socket_file_remove(&old);
        assert_int_equal(access(path, F_OK), 0);
    }
    socket_file_remove(&made);
    assert_int_not_equal(access(path, F_OK), 0);
    socket_file_remove(&made); // again: nothing there
    struct address tcp = {.kind = ADDRESS_TCP};
    assert_null(socket_file_of(&tcp).path);
    (void)close(second);
    (void)rmdir(folder);
}

static void vsock_connects_over_the_loopback(void **state)
{
    (void)state;
    struct address a = {.kind = ADDRESS_VSOCK, .cid = VMADDR_CID_LOCAL, .port = VMADDR_PORT_ANY};
    int listener, fd;
    if (address_listen(&a, 4, &listener) != Q_OK) {
        print_message("skipped: this machine has no usable vsock loopback (%s)\n", err_text());
        skip();
    }
    assert_ok(address_local_port(listener, &a.port));
    if (address_connect(&a, &fd) != Q_OK) {
        print_message("skipped: this machine has no usable vsock loopback (%s)\n", err_text());
        (void)close(listener);
        skip();
    }
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    assert_int_equal(poll(&p, 1, 5000), 1);
    if (address_connected(&a, fd) != Q_OK) {
        print_message("skipped: this machine has no usable vsock loopback (%s)\n", err_text());
        (void)close(fd);
        (void)close(listener);
        skip();
    }
    int peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    assert_true(peer >= 0);
    (void)close(peer);
    (void)close(fd);
    (void)close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_give_a_path_or_a_cid_and_port),
        cmocka_unit_test(mixed_or_missing_socket_options_are_refused),
        cmocka_unit_test(ipv4_literals_only),
        cmocka_unit_test(a_path_too_long_for_a_socket_is_named),
        cmocka_unit_test(tcp_listens_on_a_port_of_its_own_and_connects),
        cmocka_unit_test(a_connection_that_reached_itself_is_none),
        cmocka_unit_test(a_full_backlog_is_told_apart),
        cmocka_unit_test(vsock_addresses_say_to_the_host_only_when_they_connect),
        cmocka_unit_test(a_bridge_lies_beside_its_enclave),
        cmocka_unit_test(a_bridge_without_room_for_its_path_is_refused),
        cmocka_unit_test(only_the_socket_file_that_was_made_is_removed),
        cmocka_unit_test(vsock_connects_over_the_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
