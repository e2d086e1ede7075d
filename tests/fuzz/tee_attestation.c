// Fuzz target: attestation documents, read and verified against the AWS root at a fixed time.
// Nothing that is not one of AWS's own can verify; what does must also have been readable.
#include "tee/attestation.h"

#include <stdlib.h>

#define AT_S ((int64_t)1731627989) // inside the validity of a public document of 2024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct trust trust;
    if (trust.store == NULL && trust_aws(&trust) != Q_OK)
        abort();
    ARENA_AUTO a = {.budget = (size_t)1 << 20};
    struct claims read, verified;
    bool readable = attestation_read(bytes_of(data, size), &a, &read) == Q_OK;
    bool genuine = attestation_verify(bytes_of(data, size), &trust, AT_S, &a, &verified) == Q_OK;
    if (genuine != verified.verified || (genuine && !readable) || read.verified)
        abort();
    const struct expectation nothing = {0};
    if (claims_check(&read, &nothing) == Q_OK)
        abort();
    return 0;
}
