// An IP address as bytes. IPv4 is kept as IPv4-mapped IPv6 (RFC 4291 2.5.5.2), so that an address has one
// form, however it was written.
#ifndef QUORATE_PROTOCOL_IP_H
#define QUORATE_PROTOCOL_IP_H

#include "base/bytes.h"

struct ip {
    uint8_t octet[16];
};

// False for anything but "192.0.2.1" (no leading zeros) or "2001:db8::1" (no brackets, no scope).
bool ip_parse(struct bytes text, struct ip *out);
struct ip ip_from_v4(const uint8_t octet[static 4]);
bool ip_is_v4(const struct ip *ip);
bool ip_equal(const struct ip *a, const struct ip *b);
enum q_err ip_display(const struct ip *ip, struct buf *out);
// An address of the public internet: not private, shared, loopback, link-local, multicast, reserved, for
// documentation or for a translation that hides an IPv4 address (RFC 6890 and its registries).
bool ip_is_public(const struct ip *ip);

#endif
