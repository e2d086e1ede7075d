// SEV-SNP evidence for the tests of tee/: our own under tests/vectors/snp, made by make_snp.py.
#ifndef QUORATE_TESTS_SNP_VECTORS_H
#define QUORATE_TESTS_SNP_VECTORS_H

#include "../vector_file.h"

#include "base/file.h"
#include "tee/attestation.h"

VECTOR_HELPER void snp_file(const char *name, const char *suffix, struct buf *out)
{
    char path[1024];
    int n = snprintf(path, sizeof path, "%s/tests/vectors/snp/%s%s", SOURCE_ROOT, name, suffix);
    assert_true(n > 0 && (size_t)n < sizeof path);
    assert_ok(file_read(path, (size_t)1 << 20, out));
}

VECTOR_HELPER void snp_trust(const char *root, struct trust *out)
{
    BUF_AUTO der = {0};
    snp_file(root, ".der", &der);
    assert_ok(trust_from_der(buf_bytes(&der), root, true, out));
}

#define SNP_AT ((int64_t)1767226200)

#endif
