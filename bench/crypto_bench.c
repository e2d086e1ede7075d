// How long the operations of crypto/ take: one line each, "name value unit", the median of several
// rounds. p384_verify_x5 is the yardstick for a whole attestation document.
#include "crypto/ec_key.h"
#include "crypto/p256.h"
#include "crypto/p384.h"
#include "crypto/shamir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 21

struct bench {
    struct p256_pair *pair;
    struct buf envelope;
    uint8_t signature[P256_SIGNATURE_SIZE];
    uint8_t scalar[P384_SCALAR_SIZE], point[P384_POINT_SIZE], es384[P384_SIGNATURE_SIZE];
    uint8_t secret[P256_SEED_SIZE];
    struct secret shares;
};

static const struct bytes message = {(const uint8_t *)"qos-test-message", 16};

static enum q_err bench_p256_pair(struct bench *b)
{
    P256_PAIR_AUTO *pair = NULL;
    return p256_pair_from_seed(p256_pair_seed(b->pair), &pair);
}

static enum q_err bench_p256_sign(struct bench *b)
{
    return p256_sign(b->pair, message, b->signature);
}

static enum q_err bench_p256_verify(struct bench *b)
{
    return p256_verify(p256_pair_public(b->pair), message, BYTES_OF(b->signature));
}

static enum q_err bench_p256_seal(struct bench *b)
{
    buf_clear(&b->envelope);
    return p256_seal(p256_pair_public(b->pair), BYTES_OF(b->secret), &b->envelope);
}

static enum q_err bench_p256_open(struct bench *b)
{
    SECRET_AUTO plain = {0};
    return p256_open(b->pair, buf_bytes(&b->envelope), &plain);
}

static enum q_err bench_p384_verify(struct bench *b)
{
    return p384_verify(BYTES_OF(b->point), message, BYTES_OF(b->es384));
}

static enum q_err bench_p384_verify_x5(struct bench *b)
{
    for (int i = 0; i < 5; i++)
        TRY(bench_p384_verify(b));
    return Q_OK;
}

static enum q_err bench_shamir_split(struct bench *b)
{
    secret_free(&b->shares);
    return shamir_split(BYTES_OF(b->secret), SHAMIR_MAX_SHARES, 128, &b->shares);
}

static enum q_err bench_shamir_combine(struct bench *b)
{
    const size_t size = sizeof b->secret + 1;
    struct bytes quorum[128];
    SECRET_AUTO rebuilt = {0};
    for (size_t i = 0; i < 128; i++)
        quorum[i] = bytes_of(b->shares.p + i * size, size);
    TRY(shamir_combine(quorum, 128, &rebuilt));
    if (!secret_equal(secret_bytes(&rebuilt), BYTES_OF(b->secret)))
        return fail(Q_INTERNAL, "combined secret: expected the one that was split, found another");
    return Q_OK;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static enum q_err measure(const char *name, int repeat, enum q_err (*run)(struct bench *),
                          struct bench *b)
{
    double rounds[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        double start = seconds();
        for (int j = 0; j < repeat; j++)
            TRY(err_context(run(b), "%s", name));
        rounds[i] = (seconds() - start) / repeat;
    }
    qsort(rounds, ROUNDS, sizeof *rounds, by_value);
    double median = rounds[ROUNDS / 2];
    if (median < 1e-3)
        printf("%s %.1f us\n", name, median * 1e6);
    else
        printf("%s %.2f ms\n", name, median * 1e3);
    return Q_OK;
}

static enum q_err prepare(struct bench *b)
{
    EC_KEY_AUTO *p384 = NULL;
    memset(b->scalar, 0x42, sizeof b->scalar);
    memset(b->secret, 0x17, sizeof b->secret);
    TRY(ec_key_from_scalar(&ec_p384, BYTES_OF(b->scalar), &p384));
    TRY(ec_key_point(&ec_p384, p384, b->point));
    TRY(p384_sign(BYTES_OF(b->scalar), message, b->es384));
    return p256_pair_generate(&b->pair);
}

// Later lines use what earlier ones made: a signature, an envelope, shares.
static enum q_err run_all(struct bench *b)
{
    TRY(prepare(b));
    TRY(measure("p256_pair_from_seed", 100, bench_p256_pair, b));
    TRY(measure("p256_sign", 100, bench_p256_sign, b));
    TRY(measure("p256_verify", 100, bench_p256_verify, b));
    TRY(measure("p256_seal", 100, bench_p256_seal, b));
    TRY(measure("p256_open", 100, bench_p256_open, b));
    TRY(measure("p384_verify", 10, bench_p384_verify, b));
    TRY(measure("p384_verify_x5", 2, bench_p384_verify_x5, b));
    TRY(measure("shamir_split_128_of_255", 1, bench_shamir_split, b));
    return measure("shamir_combine_128", 10, bench_shamir_combine, b);
}

int main(void)
{
    struct bench b = {0};
    enum q_err err = secret_init(true);
    if (err == Q_OK)
        err = run_all(&b);
    p256_pair_free(&b.pair);
    buf_free(&b.envelope);
    secret_free(&b.shares);
    if (err == Q_OK)
        return 0;
    (void)fprintf(stderr, "crypto_bench: %s\n", err_text());
    return 1;
}
