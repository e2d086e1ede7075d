// How long a genesis for the largest set takes: 255 members, 128 of whom bring the key back.
#include "base/secret.h"
#include "crypto/p256.h"
#include "custody/genesis.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MEMBERS 255
#define THRESHOLD 128
#define ROUNDS 11

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

static enum q_err make_member(struct arena *a, unsigned number, struct member *out)
{
    P256_PAIR_AUTO *pair = NULL;
    TRY(p256_pair_generate(&pair));
    TRY(arena_printf(a, &out->alias, "member%03u", number));
    return arena_copy(a, p256_public_bytes(p256_pair_public(pair)), &out->pub_key);
}

static enum q_err measure(const struct genesis_set *set, double *out)
{
    ARENA_AUTO a = {0};
    struct genesis_output made;
    struct protocol_error why = {0};
    double start = now_ms();
    TRY(genesis_make(set, BYTES_NONE, &a, &made, &why));
    *out = now_ms() - start;
    return Q_OK;
}

static enum q_err run(void)
{
    ARENA_AUTO a = {0};
    void *members;
    double ms[ROUNDS];
    TRY(secret_init(true));
    TRY(arena_array(&a, MEMBERS, sizeof(struct member), &members));
    struct genesis_set set = {.members = {members, MEMBERS}, .threshold = THRESHOLD};
    for (unsigned i = 0; i < MEMBERS; i++)
        TRY(make_member(&a, i, &set.members.items[i]));
    for (int i = 0; i < ROUNDS; i++)
        TRY(measure(&set, &ms[i]));
    qsort(ms, ROUNDS, sizeof ms[0], by_value);
    printf("genesis_255 %.1f ms\n", ms[ROUNDS / 2]);
    return Q_OK;
}

int main(void)
{
    if (run() == Q_OK)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "genesis_bench: %s\n", err_text());
    return EXIT_FAILURE;
}
