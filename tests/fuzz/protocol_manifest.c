// Fuzz target: any bytes as a manifest file and as an envelope file. What is read must be stored,
// and what is stored must be read as the same version with the same hash; the rules must survive
// it.
#include "protocol/manifest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_manifest(struct bytes in)
{
    ARENA_AUTO a = {0};
    BUF_AUTO stored = {0};
    struct manifest m, again;
    uint8_t hash[SHA256_SIZE], hash_again[SHA256_SIZE];
    if (manifest_read(in, &a, &m) != Q_OK)
        return;
    if (manifest_store(&m, &stored) != Q_OK || manifest_hash(&m, hash) != Q_OK)
        abort();
    if (manifest_read(buf_bytes(&stored), &a, &again) != Q_OK || again.version != m.version)
        abort();
    if (manifest_hash(&again, hash_again) != Q_OK || memcmp(hash, hash_again, sizeof hash) != 0)
        abort();
    (void)manifest_check_thresholds(&m, NULL);
}

static void check_envelope(struct bytes in)
{
    ARENA_AUTO a = {0};
    BUF_AUTO stored = {0};
    BUF_AUTO stored_again = {0};
    struct manifest_envelope e, again;
    if (envelope_read(in, &a, &e) != Q_OK)
        return;
    if (envelope_store(&e, &stored) != Q_OK ||
        envelope_read(buf_bytes(&stored), &a, &again) != Q_OK)
        abort();
    if (envelope_store(&again, &stored_again) != Q_OK ||
        !bytes_equal(buf_bytes(&stored), buf_bytes(&stored_again)))
        abort();
    (void)envelope_check_approvals(&e, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_manifest(bytes_of(data, size));
    check_envelope(bytes_of(data, size));
    return 0;
}
