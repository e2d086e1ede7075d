// Fuzz target: an audit log as it lies on a disk, line by line. What is followed is a chain: it goes on with
// a new event, and a second reading of its last line is refused.
#include "custody/audit.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void goes_on(struct audit_chain *chain, struct bytes last)
{
    BUF_AUTO line = {0};
    const struct audit_event e = {.who = last, .event = last, .details = last};
    must(audit_follow(chain, last) != Q_OK);
    must(audit_extend(chain, &e, 0, &line) == Q_OK && line.n <= AUDIT_LINE_MAX);
    must(audit_follow(chain, bytes_of(line.p, line.n - 1)) == Q_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct audit_chain chain = {0};
    struct bytes rest = bytes_of(data, size), last = BYTES_LIT("");
    while (rest.n > 0) {
        const uint8_t *end = memchr(rest.p, '\n', rest.n);
        struct bytes line = bytes_of(rest.p, end == NULL ? rest.n : (size_t)(end - rest.p));
        uint64_t before = chain.count;
        enum q_err err = audit_follow(&chain, line);
        must(chain.count == before + (err == Q_OK ? 1 : 0));
        if (err != Q_OK)
            break;
        last = line;
        rest = end == NULL ? BYTES_LIT("") : bytes_of(end + 1, rest.n - line.n - 1);
    }
    goes_on(&chain, last);
    return 0;
}
