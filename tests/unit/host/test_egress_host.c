// The host's proxy and its lookups when something fails or never comes: every connection ends, and nothing is
// left of it.
#include "../cmocka_setup.h"

#include "../failing/failing_calls.h"
#include "../net/loop_until.h"
#include "codec/borsh.h"
#include "host/egress_host.h"
#include "host/lookup.h"
#include "net/frame_io.h"
#include "net/listener.h"
#include "protocol/proxy.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#define SHORT_MS 30
#define WAYS 6

struct scene {
    struct loop *loop;
    struct egress_host *proxy;
    struct address address;
    struct egress_host_options options;
    struct listener *target;
    struct address target_address;
    int enclave, accepted;
    struct buf request, got;
    size_t want;
    bool closed;
    char folder[40], path[64];
};

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    if (s == NULL)
        return -1;
    memcpy(s->folder, "/tmp/quorate-host-XXXXXX", sizeof "/tmp/quorate-host-XXXXXX");
    if (mkdtemp(s->folder) == NULL)
        return -1;
    (void)snprintf(s->path, sizeof s->path, "%s/s", s->folder);
    s->address = (struct address){.kind = ADDRESS_UNIX, .path = s->path};
    s->options = egress_host_defaults();
    s->options.addresses = &s->address;
    s->options.addresses_n = 1;
    s->enclave = s->accepted = -1;
    *state = s;
    return 0;
}

static bool target_accepts(void *context, int fd)
{
    struct scene *s = context;
    if (s->accepted >= 0)
        (void)close(s->accepted);
    s->accepted = fd;
    return true;
}

static bool ready(struct scene *s)
{
    s->target_address = (struct address){.kind = ADDRESS_TCP, .ip = INADDR_LOOPBACK};
    const struct listener_options target = {
        .address = s->target_address, .accepted = target_accepts, .context = s};
    return loop_new(&s->loop) == Q_OK && listener_start(s->loop, &target, &s->target) == Q_OK &&
           listener_port(s->target, &s->target_address.port) == Q_OK &&
           egress_host_open(s->loop, &s->options, &s->proxy) == Q_OK;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void tidy_up(struct scene *s)
{
    close_one(&s->enclave);
    egress_host_close(&s->proxy);
    listener_stop(&s->target);
    loop_free(&s->loop);
    close_one(&s->accepted);
    buf_free(&s->request);
    buf_free(&s->got);
    s->closed = false;
}

static int teardown(void **state)
{
    struct scene *s = *state;
    tidy_up(s);
    (void)unlink(s->path);
    (void)rmdir(s->folder);
    free(s);
    return 0;
}

static bool heard(void *context)
{
    struct scene *s = context;
    uint8_t some[256];
    ssize_t n;
    while ((n = recv(s->enclave, some, sizeof some, MSG_DONTWAIT)) > 0)
        if (buf_append(&s->got, bytes_of(some, (size_t)n)) != Q_OK)
            return true;
    s->closed = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    return s->closed || s->got.n >= s->want;
}

static bool send_request(struct scene *s, const struct proxy_message *m)
{
    struct bytes frame;
    BUF_AUTO body = {0};
    if (borsh_encode(&type_proxy_message, m, &body) != Q_OK ||
        buf_u64le(&s->request, body.n) != Q_OK || buf_append(&s->request, buf_bytes(&body)) != Q_OK)
        return false;
    frame = buf_bytes(&s->request);
    return address_connect(&s->address, &s->enclave) == Q_OK &&
           send(s->enclave, frame.p, frame.n, MSG_NOSIGNAL) == (ssize_t)frame.n;
}

static struct proxy_message to_target(const struct scene *s)
{
    return (struct proxy_message){
        .tag = PROXY_CONNECT_BY_IP_REQUEST,
        .by_ip = {.ip = BYTES_LIT("127.0.0.1"), .port = (uint16_t)s->target_address.port}};
}

// A ConnectResponse of 127.0.0.1.
#define CONNECTED_SIZE ((size_t)8 + 1 + 4 + 9)

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

static bool exchange(void *context)
{
    struct scene *s = context;
    s->options.request_ms = SHORT_MS;
    bool connected = false;
    struct proxy_message m = {0};
    if (ready(s)) {
        m = to_target(s);
        s->want = CONNECTED_SIZE;
        if (send_request(s, &m))
            (void)loop_until(s->loop, heard, s);
        connected = s->got.n == CONNECTED_SIZE && s->got.p[8] == PROXY_CONNECT_RESPONSE;
    }
    tidy_up(s);
    return connected;
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

static void an_enclave_that_says_nothing_is_hung_up_on(void **state)
{
    struct scene *s = *state;
    s->options.request_ms = SHORT_MS;
    assert_true(ready(s));
    assert_ok(address_connect(&s->address, &s->enclave));
    s->want = 1;
    assert_true(loop_until(s->loop, heard, s));
    assert_true(s->closed);
    assert_int_equal(egress_host_connections(s->proxy), 0);
}

static void a_relay_without_a_byte_ends(void **state)
{
    struct scene *s = *state;
    s->options.idle_ms = SHORT_MS;
    assert_true(ready(s));
    struct proxy_message m = to_target(s);
    assert_true(send_request(s, &m));
    s->want = SIZE_MAX;
    assert_true(loop_until(s->loop, heard, s));
    assert_int_equal(s->got.n, CONNECTED_SIZE);
    assert_int_equal(egress_host_connections(s->proxy), 0);
}

static bool is_asked(void *context)
{
    uint8_t question[512];
    return recv(*(const int *)context, question, sizeof question, MSG_DONTWAIT) > 0;
}

// A UDP socket of ours that nobody reads, and the request that asks it.
static int silent_resolver(struct scene *s)
{
    static struct bytes resolver;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof in;
    int silent = socket(AF_INET, SOCK_DGRAM, 0);
    resolver = BYTES_LIT("127.0.0.1");
    assert_int_equal(bind(silent, (const struct sockaddr *)&in, n), 0);
    assert_int_equal(getsockname(silent, (struct sockaddr *)&in, &n), 0);
    struct proxy_message m = {
        .tag = PROXY_CONNECT_BY_NAME_REQUEST,
        .by_name = {.hostname = BYTES_LIT("slow.test"), .port = 1, .dns_port = ntohs(in.sin_port)}};
    m.by_name.dns_resolvers.items = &resolver;
    m.by_name.dns_resolvers.n = 1;
    assert_true(ready(s));
    assert_true(send_request(s, &m));
    return silent;
}

static void closing_breaks_off_what_is_under_way(void **state)
{
    struct scene *s = *state;
    unsigned before = descriptors();
    int silent = silent_resolver(s);
    assert_true(loop_until(s->loop, is_asked, &silent));
    assert_int_equal(egress_host_connections(s->proxy), 1);
    tidy_up(s);
    (void)close(silent);
    assert_int_equal(descriptors(), before);
}

// The error's kind and text in the one frame that came.
static void assert_error(struct scene *s, enum net_error_kind kind, const char *words)
{
    s->want = SIZE_MAX;
    assert_true(loop_until(s->loop, heard, s));
    assert_true(s->got.n > 9 && s->got.p[8] == PROXY_ERROR);
    assert_int_equal(s->got.p[9], kind);
    assert_non_null(memmem(s->got.p, s->got.n, words, strlen(words)));
    assert_int_equal(egress_host_connections(s->proxy), 0);
}

static void a_name_that_takes_too_long_is_given_up(void **state)
{
    struct scene *s = *state;
    s->options.lookup_ms = SHORT_MS;
    int silent = silent_resolver(s);
    assert_error(s, NET_ERROR_DNS_RESOLUTION, "timed out");
    (void)close(silent);
}

// A listener whose queue is full lets further connections wait.
static void an_address_that_does_not_answer_is_given_up(void **state)
{
    struct scene *s = *state;
    struct address full = {.kind = ADDRESS_TCP, .ip = INADDR_LOOPBACK};
    int listener, waiting[2];
    s->options.connect_ms = SHORT_MS;
    assert_ok(address_listen(&full, 0, &listener));
    assert_ok(address_local_port(listener, &full.port));
    for (int i = 0; i < 2; i++)
        assert_ok(address_connect(&full, &waiting[i]));
    assert_true(ready(s));
    struct proxy_message m = {.tag = PROXY_CONNECT_BY_IP_REQUEST,
                              .by_ip = {.ip = BYTES_LIT("127.0.0.1"), .port = (uint16_t)full.port}};
    assert_true(send_request(s, &m));
    assert_error(s, NET_ERROR_IO, "timed out");
    (void)close(waiting[0]);
    (void)close(waiting[1]);
    (void)close(listener);
}

struct answer {
    unsigned times;
    enum q_err result;
    size_t n;
};

static void looked_up(void *context, enum q_err result, const struct ip *found, size_t n)
{
    struct answer *a = context;
    (void)found;
    a->times++;
    a->result = result;
    a->n = n;
}

static bool is_answered(void *context)
{
    return ((struct answer *)context)->times > 0;
}

static bool looks_up(void *context)
{
    (void)context;
    struct loop *l = NULL;
    struct lookup *lookup = NULL;
    struct answer a = {0};
    const struct lookup_question q = {.name = BYTES_LIT("localhost")};
    if (loop_new(&l) == Q_OK && lookup_start(l, &q, looked_up, &a, &lookup) == Q_OK) {
        assert_int_equal(a.times, 0);
        if (!loop_until(l, is_answered, &a))
            lookup_cancel(&lookup);
        assert_true(a.times <= 1);
    }
    loop_free(&l);
    return a.times == 1 && a.result == Q_OK && a.n > 0;
}

static void a_lookup_answers_once_or_fails(void **state)
{
    (void)state;
    assert_true(looks_up(NULL));
    assert_true(failing_each(FAILING_MEMORY, looks_up, NULL) >= 3);
}

static void questions_that_cannot_be_asked_are_refused_at_once(void **state)
{
    (void)state;
    struct loop *l;
    struct lookup *lookup = NULL;
    struct answer a = {0};
    uint8_t name[256];
    struct ip resolvers[LOOKUP_RESOLVERS_MAX + 1];
    memset(name, 'x', sizeof name);
    memset(resolvers, 1, sizeof resolvers);
    struct lookup_question q = {.name = BYTES_OF(name)};
    assert_ok(loop_new(&l));
    assert_refused(lookup_start(l, &q, looked_up, &a, &lookup), Q_BAD_INPUT, "256 bytes");
    q.name = BYTES_LIT("a\0b");
    assert_refused(lookup_start(l, &q, looked_up, &a, &lookup), Q_BAD_INPUT, "without NUL");
    q = (struct lookup_question){.name = BYTES_LIT("a.test"),
                                 .resolvers = resolvers,
                                 .resolvers_n = LOOKUP_RESOLVERS_MAX + 1};
    assert_refused(lookup_start(l, &q, looked_up, &a, &lookup), Q_LIMIT, "at most 8 resolvers");
    assert_null(lookup);
    lookup_cancel(&lookup);
    assert_int_equal(a.times, 0);
    loop_free(&l);
}

static void more_addresses_than_there_is_room_for_are_refused(void **state)
{
    struct scene *s = *state;
    s->options.addresses_n = EGRESS_LISTENERS_MAX + 1;
    assert_ok(loop_new(&s->loop));
    assert_refused(egress_host_open(s->loop, &s->options, &s->proxy), Q_LIMIT, "at most 64");
    assert_null(s->proxy);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(whatever_fails_ends_one_connection),
        SCENE(an_enclave_that_says_nothing_is_hung_up_on),
        SCENE(a_relay_without_a_byte_ends),
        SCENE(closing_breaks_off_what_is_under_way),
        SCENE(a_name_that_takes_too_long_is_given_up),
        SCENE(an_address_that_does_not_answer_is_given_up),
        cmocka_unit_test(a_lookup_answers_once_or_fails),
        cmocka_unit_test(questions_that_cannot_be_asked_are_refused_at_once),
        SCENE(more_addresses_than_there_is_room_for_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
