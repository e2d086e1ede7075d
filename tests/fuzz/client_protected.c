// Fuzz target: the line of a protected file and the file a passphrase comes from. What is accepted stays
// inside the bounds and inside the input; nothing is spent on a key.
#include "client/passphrase.h"
#include "client/protected_file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static bool inside(struct bytes part, struct bytes whole)
{
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

static void check_protected(struct bytes in)
{
    struct protected_file f;
    if (protected_parse(in, "file", &f) != Q_OK)
        return;
    must(protected_is(bytes_trim(in)));
    must(f.cost.memory_kib >= PROTECTED_MEMORY_LEAST_KIB &&
         f.cost.memory_kib <= PROTECTED_MEMORY_MOST_KIB);
    must(f.cost.passes >= PROTECTED_PASSES_LEAST && f.cost.passes <= PROTECTED_PASSES_MOST);
    must(inside(f.header, in) && inside(f.box, in));
    must(f.box.p > f.header.p + f.header.n && f.box.n / 2 <= PROTECTED_CONTENTS_MAX + 16);
}

static void check_passphrase(struct bytes in)
{
    SECRET_AUTO line = {0};
    if (in.n > PASSPHRASE_MAX || passphrase_line(in, "file", &line) != Q_OK)
        return;
    must(line.n > 0 && line.n <= in.n && in.n - line.n <= 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    check_protected(in);
    check_passphrase(in);
    return 0;
}
