// Where an application may connect to: the client entries of its manifest as a pure rule. The enclave's proxy
// and the host's both ask it.
#ifndef QUORATE_PROTOCOL_EGRESS_H
#define QUORATE_PROTOCOL_EGRESS_H

#include "protocol/ip.h"
#include "protocol/types.h"

#define EGRESS_NAME_MAX 253 // bytes of a host name (RFC 1035 2.3.4, as text without the last dot)

struct egress_target {
    uint16_t port;
    bool named;
    struct bytes name; // when named: as it was given, a view
    struct ip ip;      // else
};

// host as an application or a manifest says it: an address in its usual form becomes an address, anything else
// must be a name: labels of 1 to 63 letters, digits, '-' and '_' between single dots, the last one no number.
// Q_BAD_INPUT for what is neither, which includes a last dot, bytes beyond ASCII and forms of addresses that
// only some readers take ("127.1", "0x7f000001"); and for port 0. Internationalised names are their "xn--"
// form; nothing is converted.
enum q_err egress_target_of(struct bytes host, uint16_t port, struct egress_target *out);
enum q_err egress_target_display(const struct egress_target *t, struct buf *out);

// Views into a manifest, which must outlive them.
struct egress_rules {
    const struct bridge *bridges;
    size_t bridges_n;
    const struct bytes *resolvers; // addresses as text
    size_t resolvers_n;
};
struct egress_rules egress_rules_of(const struct manifest *m);
bool egress_wanted(const struct egress_rules *r); // whether there is a client entry

enum egress_verdict {
    EGRESS_REFUSED,
    EGRESS_IF_PUBLIC, // a name that no entry says: only where it leads to an address of the public internet
    EGRESS_ALLOWED,
};
// Allowed: an entry with this port and exactly this host, names without regard to ASCII case, addresses by
// value; an entry's name does not allow the address it leads to, nor the other way round. An entry without a
// host stands for every host of the public internet (ip_is_public), never for the machines and services
// around the enclave: they have to be named.
enum egress_verdict egress_judge(const struct egress_rules *r, const struct egress_target *t);
// Whether names may be asked of this resolver: one of the manifest's.
bool egress_may_ask(const struct egress_rules *r, const struct ip *resolver);

#endif
