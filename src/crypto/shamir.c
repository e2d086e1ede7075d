// Shamir secret sharing over GF(2^8) (see shamir.h). The names in errors are the original's
// library's.
#include "crypto/shamir.h"
#include "crypto/gf256.h"

#include "base/random.h"

#include <sodium.h>
#include <string.h>

// Far above any secret (keys of 32 bytes), far below where sizes of 255 shares could overflow.
#define SHAMIR_SECRET_MAX ((size_t)64 << 10)

static enum q_err check_split(struct bytes secret, unsigned n, unsigned k)
{
    if (k < 2)
        return fail(
            Q_CRYPTO,
            "QosCrypto(Vsss(SharingMinThreshold)): threshold: expected at least 2, found %u", k);
    if (n < k)
        return fail(Q_CRYPTO,
                    "QosCrypto(Vsss(SharingLimitLessThanThreshold)): shares: expected at least "
                    "the threshold of %u, found %u",
                    k, n);
    if (n > SHAMIR_MAX_SHARES)
        return fail(Q_CRYPTO,
                    "QosCrypto(Vsss(SharingMaxRequest)): shares: expected at most %d, found %u",
                    SHAMIR_MAX_SHARES, n);
    if (secret.n == 0 || secret.n > SHAMIR_SECRET_MAX)
        return fail(
            Q_CRYPTO,
            "QosCrypto(Vsss(InvalidSecret)): secret: expected from 1 to %zu bytes, found %zu",
            SHAMIR_SECRET_MAX, secret.n);
    return Q_OK;
}

// Up to eight bytes of the payload: payload[j] = f_j(x) by Horner's rule. rows: the coefficients of x^1,
// x^2, ..., one row of stride bytes each, from the first of these bytes on.
static void evaluate_word(const uint8_t *secret, const uint8_t *rows, size_t count, size_t stride,
                          uint8_t x, size_t n, uint8_t *payload)
{
    uint64_t sum = 0, word = 0;
    for (size_t i = count; i > 0; i--) {
        memcpy(&word, rows + (i - 1) * stride, n);
        sum = gf256_mul8(sum ^ word, x);
    }
    memcpy(&word, secret, n);
    sum ^= word;
    memcpy(payload, &sum, n);
    sodium_memzero(&sum, sizeof sum);
    sodium_memzero(&word, sizeof word);
}

static void evaluate(struct bytes secret, struct bytes rows, uint8_t x, uint8_t *payload)
{
    const size_t word = sizeof(uint64_t);
    for (size_t j = 0; j < secret.n; j += word) {
        size_t n = secret.n - j < word ? secret.n - j : word;
        evaluate_word(secret.p + j, rows.p + j, rows.n / secret.n, secret.n, x, n, payload + j);
    }
}

enum q_err shamir_split(struct bytes secret, unsigned n, unsigned k, struct secret *out)
{
    *out = (struct secret){0};
    TRY(check_split(secret, n, k));
    SECRET_AUTO rows = {0};
    TRY(secret_new(&rows, (k - 1) * secret.n));
    TRY(random_bytes(rows.p, rows.n));
    TRY(secret_new(out, n * (secret.n + 1)));
    for (unsigned i = 0; i < n; i++) {
        uint8_t *share = out->p + i * (secret.n + 1);
        share[0] = (uint8_t)(i + 1);
        evaluate(secret, secret_bytes(&rows), share[0], share + 1);
    }
    return Q_OK;
}

static enum q_err check_share(const struct bytes *shares, size_t i, bool seen[static 256])
{
    struct bytes share = shares[i];
    if (share.n < 2 || share.n > SHAMIR_SECRET_MAX + 1)
        return fail(
            Q_CRYPTO,
            "QosCrypto(Vsss(InvalidShare)): share %zu: expected from 2 to %zu bytes, found %zu",
            i + 1, SHAMIR_SECRET_MAX + 1, share.n);
    if (share.n != shares[0].n)
        return fail(Q_CRYPTO,
                    "QosCrypto(Vsss(InvalidShare)): share %zu: expected %zu bytes like the first, "
                    "found %zu",
                    i + 1, shares[0].n, share.n);
    if (share.p[0] == 0)
        return fail(Q_CRYPTO,
                    "QosCrypto(Vsss(SharingInvalidIdentifier)): share %zu: expected an identifier "
                    "from 1 to 255, found 0",
                    i + 1);
    if (seen[share.p[0]])
        return fail(Q_CRYPTO,
                    "QosCrypto(Vsss(SharingDuplicateIdentifier)): share %zu: expected an "
                    "identifier of its own, found %u again",
                    i + 1, share.p[0]);
    seen[share.p[0]] = true;
    return Q_OK;
}

static enum q_err check_shares(const struct bytes *shares, size_t count)
{
    bool seen[256] = {false};
    if (count < 2)
        return fail(Q_CRYPTO,
                    "QosCrypto(Vsss(SharingMinThreshold)): shares: expected at least 2, found %zu",
                    count);
    for (size_t i = 0; i < count; i++) // ends at the latest with the 256th, a duplicate
        TRY(check_share(shares, i, seen));
    return Q_OK;
}

// Lagrange's coefficient of share i at 0: the product of x_j / (x_j - x_i) over all others.
// Differences are sums in this field, and not 0 as the identifiers differ.
static uint8_t weight(const struct bytes *shares, size_t count, size_t i)
{
    uint8_t above = 1, below = 1, own = shares[i].p[0];
    for (size_t j = 0; j < count; j++) {
        if (j == i)
            continue;
        above = gf256_mul(above, shares[j].p[0]);
        below = gf256_mul(below, shares[j].p[0] ^ own);
    }
    return gf256_mul(above, gf256_inverse(below));
}

enum q_err shamir_combine(const struct bytes *shares, size_t count, struct secret *out)
{
    *out = (struct secret){0};
    TRY(check_shares(shares, count));
    size_t size = shares[0].n - 1;
    TRY(secret_new(out, size));
    for (size_t i = 0; i < count; i++) {
        uint8_t by = weight(shares, count, i);
        for (size_t j = 0; j < size; j++)
            out->p[j] ^= gf256_mul(shares[i].p[1 + j], by);
    }
    return Q_OK;
}
