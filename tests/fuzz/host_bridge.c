// Fuzz target: an answer to enclave-info as qos_bridge reads it (host/bridge_plan.h). Whatever a host answers,
// the plan holds only addresses that can be listened on together, and the notes are lines of plain text.
#include "host/bridge_plan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_entries(const struct bridge_plan *p, uint16_t override)
{
    must(p->n <= BRIDGES_MAX);
    must(p->booted || p->n == 0);
    for (size_t i = 0; i < p->n; i++) {
        const struct bridge_entry *e = &p->entries[i];
        must(e->port != 0 && e->listen_port == (override != 0 ? override : e->port));
        for (size_t k = 0; k < i; k++)
            must(e->port != p->entries[k].port &&
                 (e->ip != p->entries[k].ip || e->listen_port != p->entries[k].listen_port));
    }
}

static void check_notes(struct bytes notes)
{
    for (size_t i = 0; i < notes.n; i++)
        must(notes.p[i] == '\n' || notes.p[i] >= ' ');
    must(bytes_is_utf8(notes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    // The first byte chooses whether the port is overridden.
    uint16_t override = size > 0 && data[0] == '!' ? 4000 : 0;
    struct bytes body = override != 0 ? bytes_of(data + 1, size - 1) : bytes_of(data, size);
    BRIDGE_PLAN_AUTO p = {0};
    BRIDGE_PLAN_AUTO again = {0};
    if (bridge_plan_read(body, override, &p) != Q_OK)
        return 0;
    check_entries(&p, override);
    check_notes(buf_bytes(&p.notes));
    must(bridge_plan_read(body, override, &again) == Q_OK && bridge_plan_equal(&p, &again));
    return 0;
}
