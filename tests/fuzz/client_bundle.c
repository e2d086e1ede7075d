// Fuzz target: bundles and answers, as the two sides read them from each other. The first byte chooses; what
// is read is the only form of itself, and checking it against anything else ends.
#include "client/bundle/bundle.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_bundle(struct bytes in)
{
    ARENA_AUTO a = {0};
    BUF_AUTO again = {0};
    struct bundle b;
    if (bundle_read(in, "bundle", &a, &b) != Q_OK)
        return;
    must(bundle_write(&b, &again) == Q_OK && bytes_equal(buf_bytes(&again), in));
    const struct bundle_answer none = {.result = {.tag = b.task.tag},
                                       .approval = {.member = {.alias = b.alias}}};
    must(answer_check(&none, &b, none.bundle_hash) != Q_OK);
}

static void check_answer(struct bytes in)
{
    ARENA_AUTO a = {0};
    BUF_AUTO again = {0};
    struct bundle_answer answer;
    if (answer_read(in, "answer", &a, &answer) != Q_OK)
        return;
    must(answer_write(&answer, &again) == Q_OK && bytes_equal(buf_bytes(&again), in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bytes in = bytes_of(data + 1, size - 1);
    if (data[0] == 'b')
        check_bundle(in);
    else
        check_answer(in);
    return 0;
}
