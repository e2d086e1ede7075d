// Shares that wait for their envelopes to be shown (see genesis_held.h).
#include "custody/genesis_held.h"

#include <stdlib.h>

struct genesis_held {
    struct secret shares;
    size_t n;
    const struct clock *clock;
    int64_t end_ms;
};

static enum q_err hold(struct secret *shares, size_t n, const struct clock *clock,
                       struct genesis_held **out)
{
    int64_t now;
    if (n == 0 || shares->n % n != 0)
        return fail(Q_INTERNAL, "genesis: expected %zu shares of one size, got %zu bytes", n,
                    shares->n);
    TRY(clock_ms(clock, &now));
    struct genesis_held *h = calloc(1, sizeof *h);
    if (h == NULL)
        return fail(Q_NOMEM, "genesis: no memory");
    *h = (struct genesis_held){
        .shares = *shares, .n = n, .clock = clock, .end_ms = now + GENESIS_HELD_MS};
    *shares = (struct secret){NULL, 0};
    *out = h;
    return Q_OK;
}

enum q_err genesis_held_new(struct secret *shares, size_t n, const struct clock *clock,
                            struct genesis_held **out)
{
    enum q_err err = hold(shares, n, clock, out);
    secret_free(shares); // nothing, where they are held
    return err;
}

void genesis_held_free(struct genesis_held **h)
{
    if (*h == NULL)
        return;
    secret_free(&(*h)->shares);
    free(*h);
    *h = NULL;
}

bool genesis_held_lasts(const struct genesis_held *h)
{
    int64_t now;
    return h != NULL && clock_ms(h->clock, &now) == Q_OK && now < h->end_ms;
}

struct bytes genesis_held_share(const struct genesis_held *h, size_t member)
{
    if (h == NULL || member >= h->n)
        return BYTES_NONE;
    size_t size = h->shares.n / h->n;
    return bytes_of(h->shares.p + member * size, size);
}
