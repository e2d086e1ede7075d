// Fuzz target: answers of the security module, by each of their readers. An answer is of one
// operation only, and whatever a reader takes keeps the bounds that its callers rely on.
#include "tee/nsm.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(struct bytes part, struct bytes whole, size_t most)
{
    return part.n > 0 && part.n <= most && part.p >= whole.p &&
           part.p + part.n <= whole.p + whole.n;
}

static bool whole_register(const struct register_value *r)
{
    return r->present && (r->n == 32 || r->n == 48 || r->n == 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes answer = bytes_of(data, size), random, document;
    struct tee_description description;
    struct register_state state;
    struct register_value value;
    int taken = 0;
    if (nsm_read_description(answer, &description) == Q_OK) {
        taken++;
        if (description.register_count > 64 ||
            (description.register_count < 64 &&
             description.locked >> description.register_count != 0))
            abort();
    }
    if (nsm_read_register(answer, &state) == Q_OK && (++taken, !whole_register(&state.value)))
        abort();
    if (nsm_read_extended(answer, &value) == Q_OK && (++taken, !whole_register(&value)))
        abort();
    if (nsm_read_random(answer, &random) == Q_OK &&
        (++taken, !inside(random, answer, NSM_RANDOM_SIZE)))
        abort();
    if (nsm_read_document(answer, &document) == Q_OK &&
        (++taken, !inside(document, answer, NSM_RESPONSE_MAX)))
        abort();
    taken += nsm_read_done(answer, "LockPCR") == Q_OK;
    taken += nsm_read_done(answer, "LockPCRs") == Q_OK;
    if (taken > 1)
        abort();
    return 0;
}
