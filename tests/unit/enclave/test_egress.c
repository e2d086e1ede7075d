// The application's proxy for outgoing connections: its deadlines, its limits, its options; and that whatever
// fails inside of it ends one connection, with an answer where one can be given.
#include "../cmocka_setup.h"

#include "../failing/failing_calls.h"
#include "../net/loop_until.h"
#include "codec/borsh.h"
#include "enclave/egress.h"
#include "net/frame.h"
#include "net/listener.h"
#include "protocol/proxy.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#define SHORT_MS 30
#define WAYS 6

static const struct bridge entry = {
    .tag = BRIDGE_CLIENT,
    .client = {.port = 80, .host = {(const uint8_t *)"a.test", sizeof "a.test" - 1}}};
static const struct egress_rules one_entry = {.bridges = &entry, .bridges_n = 1};

// The proxy, a host that answers every frame with answer, and an application's socket.
struct scene {
    struct loop *loop;
    struct egress *egress;
    struct egress_options options;
    struct frame_server *host;
    struct buf answer;
    unsigned asked;
    int app;
    struct buf got;
    bool closed;
    size_t want;
    char folder[40], path[64];
};

static enum q_err host_answers(void *context, struct bytes frame, struct buf *reply)
{
    struct scene *s = context;
    (void)frame;
    s->asked++;
    return buf_append(reply, buf_bytes(&s->answer));
}

static size_t host_limit(void *context)
{
    (void)context;
    return FRAME_MAX;
}

static bool open_host(struct scene *s)
{
    const struct frame_server_options o = {.address = s->options.host,
                                           .connections_max = 8,
                                           .idle_ms = 60000,
                                           .frame_ms = 60000,
                                           .frame_limit = host_limit,
                                           .handle = host_answers,
                                           .context = s};
    return frame_server_start(s->loop, &o, &s->host) == Q_OK;
}

static uint16_t free_port(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof any;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&any, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &n), 0);
    (void)close(fd);
    return ntohs(any.sin_port);
}

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    if (s == NULL)
        return -1;
    memcpy(s->folder, "/tmp/quorate-enclave-XXXXXX", sizeof "/tmp/quorate-enclave-XXXXXX");
    if (mkdtemp(s->folder) == NULL)
        return -1;
    (void)snprintf(s->path, sizeof s->path, "%s/s", s->folder);
    s->options = egress_defaults();
    s->options.host = (struct address){.kind = ADDRESS_UNIX, .path = s->path};
    s->options.listen =
        (struct address){.kind = ADDRESS_TCP, .ip = EGRESS_LISTEN_IP, .port = free_port()};
    s->app = -1;
    const struct proxy_message connected = {.tag = PROXY_CONNECT_RESPONSE,
                                            .connected = {.remote_ip = BYTES_LIT("192.0.2.1")}};
    *state = s;
    return borsh_encode(&type_proxy_message, &connected, &s->answer) == Q_OK ? 0 : -1;
}

static void tidy_up(struct scene *s)
{
    if (s->app >= 0)
        (void)close(s->app);
    s->app = -1;
    egress_free(&s->egress);
    frame_server_stop(&s->host);
    loop_free(&s->loop);
    buf_free(&s->got);
    s->closed = false;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    tidy_up(s);
    buf_free(&s->answer);
    (void)unlink(s->path);
    (void)rmdir(s->folder);
    free(s);
    return 0;
}

static bool ready(struct scene *s)
{
    if (loop_new(&s->loop) != Q_OK || !open_host(s) ||
        egress_new(s->loop, &s->options, &s->egress) != Q_OK)
        return false;
    egress_serve(s->egress, &one_entry);
    return true;
}

static void open_all(struct scene *s)
{
    assert_true(ready(s));
    assert_ok(address_connect(&s->options.listen, &s->app));
}

static void say(const struct scene *s, struct bytes text)
{
    assert_int_equal(send(s->app, text.p, text.n, MSG_NOSIGNAL), (ssize_t)text.n);
}

static bool heard(void *context)
{
    struct scene *s = context;
    uint8_t some[256];
    ssize_t n;
    while ((n = recv(s->app, some, sizeof some, MSG_DONTWAIT)) > 0)
        if (buf_append(&s->got, bytes_of(some, (size_t)n)) != Q_OK)
            return true;
    s->closed = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    return s->closed || s->got.n >= s->want;
}

// All that comes until the end.
static void hear_all(struct scene *s)
{
    s->want = SIZE_MAX;
    assert_true(loop_until(s->loop, heard, s));
    assert_true(s->closed);
}

static const struct bytes ask = {(const uint8_t *)"\5\1\0\5\1\0\3\6a.test\0\x50", 3 + 13};

#define GRANTED BYTES_LIT("\5\0\5\0\0\1\0\0\0\0\0\0")
#define FAILED BYTES_LIT("\5\0\5\1\0\1\0\0\0\0\0\0")

static void an_application_that_says_nothing_is_hung_up_on(void **state)
{
    struct scene *s = *state;
    s->options.handshake_ms = SHORT_MS;
    open_all(s);
    hear_all(s);
    assert_int_equal(s->got.n, 0);
    assert_int_equal(egress_connections(s->egress), 0);
}

static void one_that_stops_in_its_handshake_too(void **state)
{
    struct scene *s = *state;
    s->options.handshake_ms = SHORT_MS;
    open_all(s);
    say(s, bytes_of(ask.p, ask.n - 1));
    hear_all(s);
    assert_bytes(buf_bytes(&s->got), BYTES_LIT("\5\0"));
    assert_int_equal(s->asked, 0);
}

static bool never(void *context, int fd)
{
    (void)context;
    (void)fd; // stays open, unanswered, until the process ends
    return true;
}

static void a_host_that_never_answers_is_an_answer_after_a_while(void **state)
{
    struct scene *s = *state;
    struct listener *silent;
    s->options.answer_ms = SHORT_MS;
    open_all(s);
    frame_server_stop(&s->host);
    const struct listener_options o = {.address = s->options.host, .accepted = never};
    assert_ok(listener_start(s->loop, &o, &silent));
    say(s, ask);
    hear_all(s);
    assert_bytes(buf_bytes(&s->got), FAILED);
    listener_stop(&silent);
}

static void a_relay_without_a_byte_ends(void **state)
{
    struct scene *s = *state;
    s->options.idle_ms = SHORT_MS;
    open_all(s);
    say(s, ask);
    hear_all(s);
    assert_bytes(buf_bytes(&s->got), GRANTED);
    assert_int_equal(egress_connections(s->egress), 0);
}

static void new_rules_end_what_the_old_ones_allowed(void **state)
{
    struct scene *s = *state;
    const struct egress_rules none = {0};
    open_all(s);
    say(s, ask);
    s->want = GRANTED.n;
    assert_true(loop_until(s->loop, heard, s));
    assert_int_equal(egress_connections(s->egress), 1);
    egress_serve(s->egress, &none);
    assert_int_equal(egress_connections(s->egress), 0);
    hear_all(s);
    int fd;
    if (address_connect(&s->options.listen, &fd) == Q_OK) {
        assert_int_not_equal(address_connected(&s->options.listen, fd), Q_OK);
        (void)close(fd);
    }
}

static bool is_open(void *context)
{
    const struct scene *s = context;
    int fd;
    bool open = address_connect(&s->options.listen, &fd) == Q_OK &&
                address_connected(&s->options.listen, fd) == Q_OK;
    (void)close(fd);
    return open;
}

static void an_address_that_is_taken_is_tried_again(void **state)
{
    struct scene *s = *state;
    int taken;
    assert_ok(address_listen(&s->options.listen, 1, &taken));
    assert_true(ready(s));
    (void)close(taken);
    assert_true(loop_until(s->loop, is_open, s));
}

static unsigned descriptors(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    (void)closedir(d);
    return n;
}

// The application is answered or hung up on; nobody waits for ever, nothing is left behind.
static bool exchange(void *context)
{
    struct scene *s = context;
    s->options.answer_ms = SHORT_MS;
    s->options.handshake_ms = SHORT_MS;
    bool granted = false;
    if (ready(s) && address_connect(&s->options.listen, &s->app) == Q_OK &&
        send(s->app, ask.p, ask.n, MSG_NOSIGNAL) == (ssize_t)ask.n) {
        s->want = GRANTED.n;
        (void)loop_until(s->loop, heard, s);
        granted = bytes_equal(buf_bytes(&s->got), GRANTED);
    }
    tidy_up(s);
    return granted;
}

static void whatever_fails_ends_one_connection(void **state)
{
    struct scene *s = *state;
    unsigned before = descriptors();
    assert_true(exchange(s));
    assert_true(failing_each(FAILING_MEMORY, exchange, s) > 10);
    for (unsigned way = 0; way < WAYS; way++) {
        failing_sockets_way(way);
        assert_true(failing_each(FAILING_SOCKETS, exchange, s) > 10);
    }
    assert_true(exchange(s));
    assert_int_equal(descriptors(), before);
}

static void only_the_loopback_can_be_listened_on(void **state)
{
    (void)state;
    struct address a;
    assert_ok(egress_listen_parse("127.0.0.1:1080", &a));
    assert_int_equal(a.ip, 0x7f000001);
    assert_int_equal(a.port, 1080);
    assert_ok(egress_listen_parse("127.255.255.255:65535", &a));
    static const char *const bad[] = {
        "",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        ":1080",
        "0.0.0.0:1080",
        "192.168.0.1:80",
        "128.0.0.1:1080",
        "localhost:1080",
        "[::1]:80",
        "127.0.0.1:x",
        "127.0.0.1:80:90",
        "127.0.0.1 :1080",
        "127.1:1080",
        "1080",
        "127.000.000.0001:1080",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(egress_listen_parse(bad[i], &a), Q_BAD_INPUT, "loopback");
}

static void a_host_without_an_address_is_refused_at_boot_only_when_it_is_needed(void **state)
{
    struct scene *s = *state;
    struct bridge client = entry;
    struct manifest with = {.pivot = {.bridges = {.items = &client, .n = 1}}}, without = {0};
    struct protocol_error why = {0};
    s->options.host.path = NULL;
    assert_ok(loop_new(&s->loop));
    assert_ok(egress_new(s->loop, &s->options, &s->egress));
    assert_ok(egress_check(s->egress, &without, &why));
    assert_refused(egress_check(s->egress, &with, &why), Q_REFUSED, "shorter path");
    assert_int_equal(why.tag, PE_INVALID_MSG);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(an_application_that_says_nothing_is_hung_up_on),
        SCENE(one_that_stops_in_its_handshake_too),
        SCENE(a_host_that_never_answers_is_an_answer_after_a_while),
        SCENE(a_relay_without_a_byte_ends),
        SCENE(new_rules_end_what_the_old_ones_allowed),
        SCENE(an_address_that_is_taken_is_tried_again),
        SCENE(whatever_fails_ends_one_connection),
        cmocka_unit_test(only_the_loopback_can_be_listened_on),
        SCENE(a_host_without_an_address_is_refused_at_boot_only_when_it_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
