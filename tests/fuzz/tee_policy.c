// Fuzz target: policy files. One that is read can be asked, and admits no claims that are not verified.
#include "codec/json.h"
#include "tee/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    if (!started && json_start() != Q_OK)
        abort();
    started = true;
    ARENA_AUTO a = {.budget = (size_t)16 << 20};
    struct tee_policy policy;
    if (policy_read(bytes_of(data, size), &a, &policy) != Q_OK)
        return 0;
    struct claims c = {.provider = "snp", .platform = {.product = "Milan"}};
    if (policy_check(&policy, &c) == Q_OK)
        abort();
    c.verified = true;
    if (policy_check(&policy, &c) == Q_OK && policy.measurements.n > 0)
        abort(); // there is no measurement in these claims
    return 0;
}
