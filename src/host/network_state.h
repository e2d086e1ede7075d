// What the kernel says of this host's network, for /network/status (renclave 1.3): read without privileges,
// nothing is sent and nothing is changed.
#ifndef QUORATE_HOST_NETWORK_STATE_H
#define QUORATE_HOST_NETWORK_STATE_H

#include "net/loop.h"
#include "protocol/ip.h"

#include <net/if.h>

#define NETWORK_RESOLVERS_MAX 8
#define NETWORK_AGE_MS 5000

struct network_state {
    bool loopback;               // its interface is up
    bool interfaces;             // another one is up
    bool gateway, external;      // an IPv4 default route over a gateway; one of any kind
    char interface[IF_NAMESIZE]; // of the best IPv4 default route, "": none
    struct ip address, via;      // when interface is not ""; of the interface, and of the gateway
    struct ip resolvers[NETWORK_RESOLVERS_MAX];
    size_t resolvers_n;
};

// Where it is read; tests have files of their own.
struct network_files {
    const char *routes, *routes6, *resolvers;
};
extern const struct network_files network_files_linux;

// What cannot be read is not there.
void network_state_read(const struct network_files *files, struct network_state *out);
const char *
network_status_name(const struct network_state *s); // "connected", "limited", "disconnected"

// The state, read again when it is older than NETWORK_AGE_MS.
struct network_watch {
    struct loop *loop;
    bool known;
    int64_t read_ms;
    struct network_state state;
};
const struct network_state *network_now(struct network_watch *w);

#endif
