// Documents and roots for the tests of tee/: our own under tests/vectors/tee, and those of
// ../shared.
#ifndef QUORATE_TESTS_TEE_VECTORS_H
#define QUORATE_TESTS_TEE_VECTORS_H

#include "../vector_file.h"

#include "base/file.h"
#include "tee/attestation.h"

// The time at which our own documents are good.
#define OWN_AT ((int64_t)1767226200)

VECTOR_HELPER void own_file(const char *name, const char *suffix, struct buf *out)
{
    char path[1024];
    int n = snprintf(path, sizeof path, "%s/tests/vectors/tee/%s%s", SOURCE_ROOT, name, suffix);
    assert_true(n > 0 && (size_t)n < sizeof path);
    assert_ok(file_read(path, (size_t)1 << 20, out));
}

// Any root of tests/vectors/tee, whether it is marked as simulated or not.
VECTOR_HELPER void own_trust(const char *name, struct trust *out)
{
    BUF_AUTO der = {0};
    own_file(name, "", &der);
    assert_ok(trust_from_der(buf_bytes(&der), name, true, out));
}

VECTOR_HELPER void own_claims(const char *name, struct arena *a, struct claims *out)
{
    TRUST_AUTO trust = {0};
    BUF_AUTO document = {0};
    own_trust("root.der", &trust);
    own_file(name, ".cose", &document);
    assert_ok(attestation_verify(buf_bytes(&document), &trust, OWN_AT, a, out));
}

#endif
