// Two TCP connections over loopback, or two unix socket pairs, with a relay between them: the far ends are
// in the test's hands. What the tests of relays share.
#ifndef QUORATE_TESTS_STREAM_PAIR_H
#define QUORATE_TESTS_STREAM_PAIR_H

#include "net/relay.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct relayed {
    struct loop *loop;
    struct relay *relay;
    int far[2];  // what the test holds
    int near[2]; // what the relay gets
    unsigned ended;
    enum q_err result;
    uint64_t passed[2];
};

static inline bool unix_pair(int pair[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0;
}

static inline bool tcp_pair(int pair[2])
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof in;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bool good = listener >= 0 && bind(listener, (struct sockaddr *)&in, sizeof in) == 0 &&
                listen(listener, 1) == 0 &&
                getsockname(listener, (struct sockaddr *)&in, &size) == 0;
    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    good = good && pair[0] >= 0 && connect(pair[0], (struct sockaddr *)&in, sizeof in) == 0;
    pair[1] = good ? accept(listener, NULL, NULL) : -1;
    (void)close(listener);
    return good && pair[1] >= 0 && fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(pair[1], F_SETFL, O_NONBLOCK) == 0;
}

static inline void relayed_ended(void *context, enum q_err result, const uint64_t passed[static 2])
{
    struct relayed *r = context;
    r->ended++;
    r->result = result;
    memcpy(r->passed, passed, sizeof r->passed);
    r->relay = NULL;
}

static inline bool relayed_over(void *context)
{
    return ((struct relayed *)context)->ended > 0;
}

static inline struct relay_options relayed_options(struct relayed *r)
{
    return (struct relay_options){
        .fd = {r->near[0], r->near[1]}, .ended = relayed_ended, .context = r};
}

static inline void relayed_close(struct relayed *r)
{
    relay_stop(&r->relay);
    for (size_t i = 0; i < 2; i++) {
        if (r->far[i] >= 0)
            (void)close(r->far[i]);
    }
    loop_free(&r->loop);
}

#endif
