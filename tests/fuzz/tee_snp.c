// Fuzz target: SEV-SNP evidence (container, report, certificate table), read and verified against
// the root of our own vectors. What verifies was readable and says what the signed report says;
// nothing here is AMD's own, so against a pinned root nothing verifies.
#include "base/file.h"
#include "tee/snp_evidence.h"

#include <stdio.h>
#include <stdlib.h>

#define AT_S ((int64_t)1767226200)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void start(struct trust *own, struct trust *pinned)
{
    BUF_AUTO der = {0};
    if (file_read(SOURCE_ROOT "/tests/vectors/snp/ark_milan.der", (size_t)1 << 16, &der) != Q_OK ||
        trust_from_der(buf_bytes(&der), "root", true, own) != Q_OK ||
        trust_amd("Milan", pinned) != Q_OK) {
        fprintf(stderr, "%s\n", err_text());
        abort();
    }
}

// The table alone, as the kernel hands it over.
static void read_table(struct bytes in)
{
    struct snp_certificates certificates;
    size_t used = 0;
    bool sized = snp_certificates_size(in, &used) == Q_OK;
    if (sized && used > in.n)
        abort();
    if (sized && snp_certificates_read(bytes_of(in.p, used), &certificates) == Q_OK &&
        certificates.vcek.n > in.n)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct trust own, pinned;
    if (own.store == NULL)
        start(&own, &pinned);
    struct bytes in = bytes_of(data, size);
    ARENA_AUTO a = {.budget = (size_t)1 << 20};
    struct claims read, verified;
    read_table(in);
    bool readable = attestation_read(in, &a, &read) == Q_OK;
    bool genuine = attestation_verify(in, &own, AT_S, &a, &verified) == Q_OK;
    if (genuine != verified.verified || (genuine && !readable) || read.verified)
        abort();
    if (genuine && (verified.debug || verified.registers[0].n != SHA384_SIZE ||
                    !bytes_equal(verified.root, buf_bytes(&own.root))))
        abort();
    if (attestation_verify(in, &pinned, AT_S, &a, &verified) == Q_OK)
        abort();
    return 0;
}
