// What verifying one attestation document costs, beside five bare P-384 verifications with a key
// that is ready: a chain of five certificates as AWS's, four of whose signatures are checked, and
// the document's own. And what one report of an SEV-SNP machine costs: two RSA signatures of its
// chain and P-384 over the report.
#include "base/file.h"
#include "crypto/hash.h"
#include "tee/attestation.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 101
#define AT_S ((int64_t)1767226200)
#define VECTORS SOURCE_ROOT "/tests/vectors/tee/"
#define SNP_VECTORS SOURCE_ROOT "/tests/vectors/snp/"

struct bare {
    EVP_PKEY *key;
    EVP_PKEY_CTX *context;
    uint8_t digest[SHA384_SIZE], signature[160];
    size_t signature_size;
};

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static enum q_err prepare(struct bare *b)
{
    b->key = EVP_EC_gen("P-384");
    b->context = b->key == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, b->key, NULL);
    b->signature_size = sizeof b->signature;
    TRY(sha384(BYTES_LIT("bench"), b->digest));
    if (b->context == NULL || EVP_PKEY_sign_init(b->context) != 1 ||
        EVP_PKEY_sign(b->context, b->signature, &b->signature_size, b->digest, SHA384_SIZE) != 1 ||
        EVP_PKEY_verify_init(b->context) != 1)
        return fail(Q_INTERNAL, "bench: expected OpenSSL to make a signature");
    return Q_OK;
}

static enum q_err verify_five(const struct bare *b)
{
    for (int i = 0; i < 5; i++) {
        if (EVP_PKEY_verify(b->context, b->signature, b->signature_size, b->digest, SHA384_SIZE) !=
            1)
            return fail(Q_INTERNAL, "bench: expected the signature to verify");
    }
    return Q_OK;
}

static enum q_err verify_document(const struct buf *document, const struct trust *trust)
{
    ARENA_AUTO a = {0};
    struct claims claims;
    return attestation_verify(buf_bytes(document), trust, AT_S, &a, &claims);
}

// Both in turn, so that what else the machine does meets both.
static enum q_err measure(const struct buf *document, const struct trust *trust,
                          const struct bare *b, double ours[ROUNDS], double bare[ROUNDS])
{
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_ms();
        TRY(verify_document(document, trust));
        double middle = now_ms();
        TRY(verify_five(b));
        ours[i] = middle - start;
        bare[i] = now_ms() - middle;
    }
    qsort(ours, ROUNDS, sizeof ours[0], by_value);
    qsort(bare, ROUNDS, sizeof bare[0], by_value);
    return Q_OK;
}

static enum q_err measure_snp(void)
{
    TRUST_AUTO trust = {0};
    BUF_AUTO evidence = {0};
    double took[ROUNDS];
    TRY(trust_load(SNP_VECTORS "ark_milan.der", true, &trust));
    TRY(file_read(SNP_VECTORS "good_milan_v3.bin", ATTESTATION_MAX_SIZE, &evidence));
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_ms();
        TRY(verify_document(&evidence, &trust));
        took[i] = now_ms() - start;
    }
    qsort(took, ROUNDS, sizeof took[0], by_value);
    printf("snp_verify %.2f ms\n", took[ROUNDS / 2]);
    return Q_OK;
}

static enum q_err run(struct bare *b)
{
    TRUST_AUTO trust = {0};
    BUF_AUTO document = {0};
    double ours[ROUNDS], bare[ROUNDS];
    TRY(trust_load(VECTORS "root.der", false, &trust));
    TRY(file_read(VECTORS "good.cose", ATTESTATION_MAX_SIZE, &document));
    TRY(prepare(b));
    TRY(measure(&document, &trust, b, ours, bare));
    printf("attestation_verify %.2f ms\n", ours[ROUNDS / 2]);
    printf("p384_verify_x5 %.2f ms\n", bare[ROUNDS / 2]);
    return measure_snp();
}

int main(void)
{
    struct bare b = {0};
    enum q_err err = run(&b);
    EVP_PKEY_CTX_free(b.context);
    EVP_PKEY_free(b.key);
    if (err == Q_OK)
        return 0;
    (void)fprintf(stderr, "attestation_bench: %s\n", err_text());
    return 1;
}
