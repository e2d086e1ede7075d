// IP addresses as text: read and printed as Rust's IpAddr does (qos-wire 4.2, DnsConfig; RFC 5952).
// JSON only.
#include "protocol/types_internal.h"

#include "codec/json.h"
#include "protocol/ip.h"

#include <arpa/inet.h>
#include <string.h>

#define GROUPS 8

struct run {
    size_t start, n;
};

// The longest run of at least two zero groups, the first of several; n == 0 when there is none.
static struct run longest_zeros(const uint16_t group[static GROUPS])
{
    struct run best = {0}, now = {0};
    for (size_t i = 0; i < GROUPS; i++) {
        if (group[i] != 0) {
            now.n = 0;
            continue;
        }
        if (now.n++ == 0)
            now.start = i;
        if (now.n > best.n)
            best = now;
    }
    return best.n > 1 ? best : (struct run){0};
}

static enum q_err print_groups(const uint16_t *group, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        TRY(buf_printf(out, i == 0 ? "%x" : ":%x", group[i]));
    return Q_OK;
}

static enum q_err print_v6(const uint8_t octet[static 16], struct buf *out)
{
    struct ip ip;
    memcpy(ip.octet, octet, sizeof ip.octet);
    if (ip_is_v4(&ip))
        return buf_printf(out, "::ffff:%u.%u.%u.%u", octet[12], octet[13], octet[14], octet[15]);
    uint16_t group[GROUPS];
    for (size_t i = 0; i < GROUPS; i++)
        group[i] = (uint16_t)(octet[2 * i] << 8 | octet[2 * i + 1]);
    struct run zeros = longest_zeros(group);
    if (zeros.n == 0)
        return print_groups(group, GROUPS, out);
    size_t after = zeros.start + zeros.n;
    TRY(print_groups(group, zeros.start, out));
    TRY(buf_append_str(out, "::"));
    return print_groups(group + after, GROUPS - after, out);
}

static enum q_err ip_normalise(struct bytes text, struct buf *out)
{
    char copy[INET6_ADDRSTRLEN];
    uint8_t octet[16];
    bool fits = text.n > 0 && text.n < sizeof copy && memchr(text.p, 0, text.n) == NULL;
    if (fits) {
        memcpy(copy, text.p, text.n);
        copy[text.n] = '\0';
    }
    if (fits && inet_pton(AF_INET, copy, octet) == 1)
        return buf_printf(out, "%u.%u.%u.%u", octet[0], octet[1], octet[2], octet[3]);
    if (fits && inet_pton(AF_INET6, copy, octet) == 1)
        return print_v6(octet, out);
    return fail(Q_BAD_INPUT,
                "resolver: expected an IPv4 or IPv6 address, got another text of %zu bytes",
                text.n);
}

static enum q_err ip_json_encode(const void *value, struct json_writer *w)
{
    const struct bytes *text = value;
    return json_write_text(w, *text);
}

static enum q_err ip_json_decode(const struct json_t *in, struct arena *a, void *value)
{
    struct bytes text;
    BUF_AUTO normal = {0};
    TRY(json_read(&type_text, in, a, &text));
    TRY(ip_normalise(text, &normal));
    return arena_copy(a, buf_bytes(&normal), value);
}

const struct type type_ip = {
    .name = "address",
    .shape = SHAPE_CUSTOM,
    .size = sizeof(struct bytes),
    .hooks = {.json_encode = ip_json_encode, .json_decode = ip_json_decode},
};
