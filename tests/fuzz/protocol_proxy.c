// Fuzz target: the proxy's messages (protocol/proxy.h) and the hosts in them (protocol/egress.h). What is read is
// written as the same bytes; a host is one thing only, and a name that is one contains nothing but its labels.
#include "codec/borsh.h"
#include "protocol/egress.h"
#include "protocol/proxy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_bytes(struct bytes name)
{
    must(name.n > 0 && name.n <= EGRESS_NAME_MAX && name.p[name.n - 1] != '.');
    for (size_t i = 0; i < name.n; i++)
        must(name.p[i] > ' ' && name.p[i] < 0x7f);
}

static void check_host(struct bytes host, uint16_t port)
{
    static const struct bridge any = {.tag = BRIDGE_CLIENT, .client = {.port = 443}};
    const struct bridge exact = {.tag = BRIDGE_CLIENT, .client = {.port = port, .host = host}};
    const struct egress_rules by_any = {.bridges = &any, .bridges_n = 1};
    const struct egress_rules by_exact = {.bridges = &exact, .bridges_n = 1};
    struct egress_target t, again;
    BUF_AUTO text = {0};
    if (egress_target_of(host, port, &t) != Q_OK)
        return;
    must(egress_judge(&by_exact, &t) == EGRESS_ALLOWED);
    enum egress_verdict v = egress_judge(&by_any, &t);
    must(port == 443 || v == EGRESS_REFUSED);
    if (t.named) {
        check_bytes(t.name);
        must(port != 443 || v == EGRESS_IF_PUBLIC);
        return;
    }
    must(port != 443 || (v == EGRESS_ALLOWED) == ip_is_public(&t.ip));
    must(ip_display(&t.ip, &text) == Q_OK);
    must(egress_target_of(buf_bytes(&text), port, &again) == Q_OK);
    must(!again.named && ip_equal(&again.ip, &t.ip));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_AUTO a = {.budget = (size_t)1 << 20};
    BUF_AUTO again = {0};
    struct proxy_message m;
    struct bytes in = bytes_of(data, size);
    check_host(in, 443);
    if (borsh_decode(&type_proxy_message, in, &a, &m) != Q_OK)
        return 0;
    must(borsh_encode(&type_proxy_message, &m, &again) == Q_OK);
    must(bytes_equal(buf_bytes(&again), in));
    if (m.tag == PROXY_CONNECT_BY_NAME_REQUEST)
        check_host(m.by_name.hostname, m.by_name.port);
    if (m.tag == PROXY_CONNECT_BY_IP_REQUEST)
        check_host(m.by_ip.ip, m.by_ip.port);
    return 0;
}
