// IP addresses (see ip.h).
#include "protocol/ip.h"

#include <arpa/inet.h>
#include <string.h>

#define V4_AT 12 // where the IPv4 address lies in a mapped one

static const uint8_t mapped[V4_AT] = {[10] = 0xff, [11] = 0xff};

struct ip ip_from_v4(const uint8_t octet[static 4])
{
    struct ip out = {{0}};
    memcpy(out.octet, mapped, V4_AT);
    memcpy(out.octet + V4_AT, octet, 4);
    return out;
}

bool ip_parse(struct bytes text, struct ip *out)
{
    char copy[INET6_ADDRSTRLEN];
    uint8_t v4[4];
    if (text.n == 0 || text.n >= sizeof copy || memchr(text.p, 0, text.n) != NULL)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (inet_pton(AF_INET, copy, v4) != 1)
        return inet_pton(AF_INET6, copy, out->octet) == 1;
    *out = ip_from_v4(v4);
    return true;
}

bool ip_is_v4(const struct ip *ip)
{
    return bytes_equal(bytes_of(ip->octet, V4_AT), BYTES_OF(mapped));
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
    return bytes_equal(BYTES_OF(a->octet), BYTES_OF(b->octet));
}

enum q_err ip_display(const struct ip *ip, struct buf *out)
{
    char text[INET6_ADDRSTRLEN];
    const char *made = ip_is_v4(ip) ? inet_ntop(AF_INET, ip->octet + V4_AT, text, sizeof text)
                                    : inet_ntop(AF_INET6, ip->octet, text, sizeof text);
    return made != NULL ? buf_append_str(out, made) : fail(Q_INTERNAL, "address: no text form");
}

// Networks that are not of the public internet (IANA's special-purpose registries, June 2024). All IPv6 but
// 2000::/3 goes without saying.
static const struct network {
    uint8_t octet[16];
    uint8_t bits;
} special_v4[] =
    {
        {{0}, 8},
        {{10}, 8},
        {{100, 64}, 10},
        {{127}, 8},
        {{169, 254}, 16},
        {{172, 16}, 12},
        {{192, 0, 0}, 24},
        {{192, 0, 2}, 24},
        {{192, 88, 99}, 24},
        {{192, 168}, 16},
        {{198, 18}, 15},
        {{198, 51, 100}, 24},
        {{203, 0, 113}, 24},
        {{224}, 3}, // multicast, reserved, broadcast
},
  special_v6[] =
      {
          {{0x20, 0x01}, 23}, // protocols of the IETF, Teredo among them
          {{0x20, 0x01, 0x0d, 0xb8}, 32},
          {{0x20, 0x02}, 16}, // 6to4
          {{0x3f, 0xff}, 20},
},
  global_v6 = {{0x20}, 3};

static bool within(const uint8_t *octet, const struct network *n)
{
    size_t whole = n->bits / 8;
    unsigned rest = n->bits % 8;
    uint8_t mask = (uint8_t)(0xff00u >> rest);
    return bytes_equal(bytes_of(octet, whole), bytes_of(n->octet, whole)) &&
           (rest == 0 || (octet[whole] & mask) == n->octet[whole]);
}

static bool within_any(const uint8_t *octet, const struct network *n, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (within(octet, &n[i]))
            return true;
    return false;
}

bool ip_is_public(const struct ip *ip)
{
    if (ip_is_v4(ip))
        return !within_any(ip->octet + V4_AT, special_v4, sizeof special_v4 / sizeof *special_v4);
    return within(ip->octet, &global_v6) &&
           !within_any(ip->octet, special_v6, sizeof special_v6 / sizeof *special_v6);
}
