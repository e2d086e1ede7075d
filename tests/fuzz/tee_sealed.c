// Fuzz target: sealed bytes, opened by a TEE whose key nobody who writes inputs has.
#include "tee/provider.h"
#include "tee/seal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum q_err identity(struct tee *t, struct seal_identity *out)
{
    (void)t;
    *out = (struct seal_identity){.firmware = 1};
    return Q_OK;
}

static enum q_err key(struct tee *t, uint64_t firmware, struct secret *out)
{
    (void)t;
    (void)firmware;
    TRY(secret_new(out, SEAL_KEY_SIZE));
    memset(out->p, 0x5a, SEAL_KEY_SIZE);
    return Q_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    if (!started && secret_init(true) != Q_OK)
        abort();
    started = true;
    static const struct tee_ops ops = {.seal_identity = identity, .seal_key = key};
    struct tee t = {.ops = &ops, .name = "snp"};
    SECRET_AUTO opened = {0};
    if (tee_unseal(&t, "key", bytes_of(data, size), &opened) == Q_OK)
        abort();
    if (opened.p != NULL)
        abort();
    return 0;
}
