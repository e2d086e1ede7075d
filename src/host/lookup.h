// Host names to addresses, by c-ares on the event loop (qos-behaviour 4.3): one question at a time, one attempt
// of a second at each resolver.
#ifndef QUORATE_HOST_LOOKUP_H
#define QUORATE_HOST_LOOKUP_H

#include "net/loop.h"
#include "protocol/ip.h"

#define LOOKUP_RESOLVERS_MAX 8
#define LOOKUP_FOUND_MAX 8 // addresses; further ones are left out
#define LOOKUP_TIMEOUT_MS 1000

struct lookup_question {
    struct bytes name;
    const struct ip *resolvers; // at most LOOKUP_RESOLVERS_MAX
    size_t resolvers_n;         // 0: those of this machine, and its file of hosts
    uint16_t port;              // of the resolvers
};

// IPv4 addresses first. result is Q_OK with at least one, else err_text() says why there is none.
typedef void (*lookup_done)(void *context, enum q_err result, const struct ip *found, size_t n);

struct lookup;
// done is called exactly once, never before lookup_start returns, unless it is cancelled first. The lookup is
// no more then.
enum q_err lookup_start(struct loop *l, const struct lookup_question *q, lookup_done done,
                        void *context, struct lookup **out);
void lookup_cancel(struct lookup **l); // safe on NULL

#endif
