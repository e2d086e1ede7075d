// Fuzz target: the small files that members leave in the folder of a resharing. The first byte chooses; what is read
// is never taken for the word of a member who did not sign it.
#include "client/reshare/reshare_folder.h"
#include "client/reshare/share_destroyed.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_statement(struct bytes in)
{
    ARENA_AUTO a = {0};
    struct share_destroyed s;
    if (share_destroyed_read(in, &a, &s) != Q_OK)
        return;
    const struct member m = {.alias = s.alias, .pub_key = s.quorum_key};
    const struct reshare_plan p = {.epoch = s.epoch + 1, .quorum_key = s.quorum_key};
    (void)share_destroyed_check(&s, &m, &p, s.plan);
    s.epoch++;
    must(share_destroyed_check(&s, &m, &p, s.plan) == Q_REFUSED);
}

static void check_wrapped(struct bytes in)
{
    ARENA_AUTO a = {0};
    BUF_AUTO again = {0};
    struct bound_provision_request r;
    if (reshare_share_read(in, &a, &r) == Q_OK)
        must(reshare_share_write(&r, &again) == Q_OK && bytes_equal(buf_bytes(&again), in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bytes in = bytes_of(data + 1, size - 1);
    if (data[0] == 's')
        check_statement(in);
    else
        check_wrapped(in);
    return 0;
}
