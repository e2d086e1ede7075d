// Fuzz target: parameters of a query (enclave/query.h). What is found is UTF-8 and no longer than what it came from, and
// the same bytes written in the longest way are found again.
#include "enclave/instance/query.h"

#include "base/hex.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void again(struct bytes value, struct arena *a)
{
    BUF_AUTO query = {0};
    struct bytes found;
    must(buf_append_str(&query, "other&k%65y=") == Q_OK);
    for (size_t i = 0; i < value.n; i++)
        must(buf_printf(&query, "%%%02X", value.p[i]) == Q_OK);
    must(query_parameter(buf_bytes(&query), "key", a, &found) == Q_OK);
    must(found.p != NULL && bytes_equal(found, value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_AUTO a = {0};
    struct bytes found;
    if (query_parameter(bytes_of(data, size), "key", &a, &found) != Q_OK || found.p == NULL)
        return 0;
    must(found.n + 3 <= size && bytes_is_utf8(found));
    again(found, &a);
    return 0;
}
