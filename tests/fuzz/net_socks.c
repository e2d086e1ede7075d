// Fuzz target: SOCKS5 handshakes (net/socks.h). The first byte says how the rest is cut; whatever the cuts, the
// outcome is that of one piece, nothing beyond the messages is taken, and a request points into what came.
#include "net/socks.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static bool reading(const struct socks *s)
{
    return s->step == SOCKS_GREETING || s->step == SOCKS_ASKING;
}

// As much as one piece has; the number of bytes taken.
static size_t feed(struct socks *s, struct bytes piece)
{
    size_t had = piece.n;
    while (piece.n > 0 && reading(s)) {
        size_t wanted = socks_wants(s), before = piece.n;
        must(wanted > 0 && wanted <= SOCKS_MESSAGE_MAX);
        enum socks_step from = s->step, to = socks_take(s, &piece);
        must(to == s->step && piece.n < before);
        must(s->n <= SOCKS_MESSAGE_MAX);
        must(from == SOCKS_ASKING || to != SOCKS_ASKING);
        if (to == SOCKS_CHOOSE)
            socks_chosen(s);
    }
    return had - piece.n;
}

static void check(const struct socks *s)
{
    must(reading(s) == (socks_wants(s) > 0));
    if (s->step != SOCKS_ASKED)
        return;
    struct bytes a = s->request.address;
    must(a.p >= s->in && a.p + a.n + 2 == s->in + s->n);
    must(s->request.type != SOCKS_IPV4 || a.n == 4);
    must(s->request.type != SOCKS_IPV6 || a.n == 16);
    must(s->request.type != SOCKS_NAME || (a.n >= 1 && a.n <= 255));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t piece = (size_t)data[0] % 16 + 1, taken = 0;
    struct bytes all = bytes_of(data + 1, size - 1);
    struct socks whole = {0}, cut = {0};
    size_t all_taken = feed(&whole, all);
    for (size_t at = 0; at < all.n && reading(&cut); at += piece)
        taken += feed(&cut, bytes_of(all.p + at, piece < all.n - at ? piece : all.n - at));
    must(whole.step == cut.step);
    // How far it read into what it cannot understand depends on the cuts.
    must(whole.step == SOCKS_NOT_SOCKS5 || (all_taken == taken && whole.n == cut.n));
    check(&whole);
    check(&cut);
    must(whole.step != SOCKS_ASKED || (whole.request.port == cut.request.port &&
                                       bytes_equal(whole.request.address, cut.request.address)));
    return 0;
}
