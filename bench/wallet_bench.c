// How long the operations of app/wallet take: one line each, "name value unit", the median of several rounds.
// wallet_generate is what a generated seed costs before it is sealed: entropy, and its stored form.
#include "app/wallet/address.h"
#include "app/wallet/hd_key.h"
#include "app/wallet/mnemonic.h"
#include "app/wallet/transaction.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 21

struct bench {
    uint8_t entropy[MNEMONIC_ENTROPY_MAX];
    struct secret words, seed;
    enum wallet_curve curve;
    struct hd_key key;
};

static enum q_err bench_generate(struct bench *b)
{
    SECRET_AUTO entropy = {0};
    SECRET_AUTO stored = {0};
    (void)b;
    TRY(secret_new(&entropy, MNEMONIC_ENTROPY_MAX));
    TRY(random_bytes(entropy.p, entropy.n));
    return seed_phrase_store(secret_bytes(&entropy), BYTES_NONE, &stored);
}

static enum q_err bench_words(struct bench *b)
{
    SECRET_AUTO words = {0};
    return mnemonic_text(BYTES_OF(b->entropy), &words);
}

static enum q_err bench_parse(struct bench *b)
{
    SECRET_AUTO entropy = {0};
    return mnemonic_parse(secret_bytes(&b->words), &entropy);
}

static enum q_err bench_seed(struct bench *b)
{
    SECRET_AUTO seed = {0};
    return mnemonic_seed(BYTES_OF(b->entropy), BYTES_LIT("passphrase"), &seed);
}

static enum q_err bench_derive(struct bench *b)
{
    hd_key_free(&b->key);
    return hd_derive(b->curve, secret_bytes(&b->seed), BYTES_LIT("m/44'/60'/0'/0/0"), &b->key);
}

static enum q_err bench_address(struct bench *b)
{
    char address[ADDRESS_TEXT_SIZE];
    return address_of(b->curve, bytes_of(b->key.public_key, b->key.public_size), address);
}

static enum q_err bench_sign(struct bench *b)
{
    struct wallet_signature made;
    return wallet_sign(b->curve, secret_bytes(&b->key.private_key), SIGNED_AS_TRANSACTION,
                       BYTES_LIT("transaction"), &made);
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

static enum q_err measure(const char *name, const char *curve, int repeat,
                          enum q_err (*run)(struct bench *), struct bench *b)
{
    double rounds[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        double start = seconds();
        for (int j = 0; j < repeat; j++)
            TRY(err_context(run(b), "%s", name));
        rounds[i] = (seconds() - start) / repeat;
    }
    qsort(rounds, ROUNDS, sizeof *rounds, by_value);
    printf("%s%s%s %.1f us\n", name, curve[0] == '\0' ? "" : "_", curve, rounds[ROUNDS / 2] * 1e6);
    return Q_OK;
}

static enum q_err run_all(struct bench *b)
{
    static const enum wallet_curve curves[] = {CURVE_SECP256K1, CURVE_ED25519, CURVE_P256};
    static const char *const names[] = {"secp256k1", "ed25519", "p256"};
    memset(b->entropy, 0x42, sizeof b->entropy);
    TRY(mnemonic_text(BYTES_OF(b->entropy), &b->words));
    TRY(mnemonic_seed(BYTES_OF(b->entropy), BYTES_NONE, &b->seed));
    TRY(measure("wallet_generate", "", 100, bench_generate, b));
    TRY(measure("wallet_words", "", 50, bench_words, b));
    TRY(measure("wallet_parse", "", 50, bench_parse, b));
    TRY(measure("wallet_seed", "", 3, bench_seed, b));
    for (size_t i = 0; i < 3; i++) {
        b->curve = curves[i];
        TRY(measure("wallet_derive", names[i], 10, bench_derive, b));
        TRY(measure("wallet_address", names[i], 50, bench_address, b));
        TRY(measure("wallet_sign", names[i], 20, bench_sign, b));
    }
    return Q_OK;
}

int main(void)
{
    struct bench b = {0};
    enum q_err err = secret_init(true);
    if (err == Q_OK)
        err = run_all(&b);
    secret_free(&b.words);
    secret_free(&b.seed);
    hd_key_free(&b.key);
    if (err == Q_OK)
        return 0;
    (void)fprintf(stderr, "wallet_bench: %s\n", err_text());
    return 1;
}
