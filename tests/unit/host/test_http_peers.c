// HTTP peers: who is dropped when there are too many, and who takes too long.
#include "../cmocka_setup.h"

#include "../net/loop_until.h"
#include "host/http_peers.h"

#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 3, PEERS = 5 };

struct crowd {
    struct loop *loop;
    struct peers *peers;
    int ours[PEERS], theirs[PEERS];
    struct peer *peer[PEERS];
};

static unsigned dropped;

static void count_dropped(struct http_request *request)
{
    (void)request;
    dropped++;
}

static void crowd_new(struct crowd *c, int64_t idle_ms, int64_t slow_ms)
{
    *c = (struct crowd){0};
    dropped = 0;
    const struct peers_options options = {MOST, idle_ms, slow_ms, count_dropped};
    assert_ok(loop_new(&c->loop));
    assert_ok(peers_new(c->loop, &options, &c->peers));
    for (int i = 0; i < PEERS; i++) {
        int fd[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
        c->ours[i] = fd[0];
        c->theirs[i] = fd[1];
    }
}

static void come(struct crowd *c, int i)
{
    c->peer[i] = peer_new(c->peers, c->ours[i]);
    assert_non_null(c->peer[i]);
}

static void crowd_free(struct crowd *c)
{
    for (int i = 0; i < PEERS; i++) {
        if (c->peer[i] != NULL)
            peer_end(c->peer[i]);
        (void)close(c->ours[i]);
        (void)close(c->theirs[i]);
    }
    assert_int_equal(peers_count(c->peers), 0);
    peers_free(&c->peers);
    loop_free(&c->loop);
}

static bool cut(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

// A request is only passed back, never looked into.
static struct http_request *some_request(struct crowd *c)
{
    return (struct http_request *)(void *)c;
}

static void the_oldest_idle_peer_goes_first_then_the_slowest_never_a_working_one(void **state)
{
    (void)state;
    struct crowd c;
    crowd_new(&c, 60000, 60000);
    for (int i = 0; i < MOST; i++)
        come(&c, i);
    peer_move(c.peer[0], PEER_WORKING, some_request(&c));
    peer_move(c.peer[1], PEER_RECEIVING, some_request(&c));
    come(&c, 3);
    assert_true(cut(c.theirs[2]));
    assert_int_equal(dropped, 0);
    peer_move(c.peer[3], PEER_WORKING, some_request(&c));
    come(&c, 4);
    assert_true(cut(c.theirs[1]));
    assert_int_equal(dropped, 1);
    assert_false(cut(c.theirs[0]));
    assert_false(cut(c.theirs[3]));
    assert_false(cut(c.theirs[4]));
    crowd_free(&c);
}

static void the_slowest_upload_but_ones_own_can_be_dropped(void **state)
{
    (void)state;
    struct crowd c;
    crowd_new(&c, 60000, 60000);
    for (int i = 0; i < MOST; i++) {
        come(&c, i);
        peer_move(c.peer[i], PEER_RECEIVING, some_request(&c));
    }
    assert_true(peers_drop_receiving(c.peers, c.peer[0]));
    assert_true(cut(c.theirs[1]));
    assert_true(peers_drop_receiving(c.peers, c.peer[2]));
    assert_true(cut(c.theirs[0]));
    assert_false(peers_drop_receiving(c.peers, c.peer[2]));
    assert_int_equal(dropped, 2);
    crowd_free(&c);
}

static bool three_are_cut(void *context)
{
    struct crowd *c = context;
    return cut(c->theirs[0]) && cut(c->theirs[1]) && cut(c->theirs[2]);
}

static void who_takes_too_long_is_dropped_whatever_trickles(void **state)
{
    (void)state;
    struct crowd c;
    crowd_new(&c, 20, 20);
    for (int i = 0; i < MOST; i++)
        come(&c, i);
    peer_move(c.peer[1], PEER_RECEIVING, some_request(&c));
    peer_move(c.peer[2], PEER_SENDING, some_request(&c));
    assert_true(loop_until(c.loop, three_are_cut, &c));
    assert_int_equal(dropped, 2);
    crowd_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_idle_peer_goes_first_then_the_slowest_never_a_working_one),
        cmocka_unit_test(the_slowest_upload_but_ones_own_can_be_dropped),
        cmocka_unit_test(who_takes_too_long_is_dropped_whatever_trickles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
