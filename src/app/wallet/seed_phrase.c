// The two forms in which a phrase is kept: ours and the original's text (see mnemonic.h; renclave 2.7).
#include "app/wallet/mnemonic.h"
#include "app/wallet/nfkd.h"
#include "app/wallet/phrase_words.h"

#include <string.h>

static const struct bytes label = {(const uint8_t *)"\x0f\0\0\0quorate-seed-v1", 19};

void seed_phrase_free(struct seed_phrase *phrase)
{
    secret_free(&phrase->entropy);
    secret_free(&phrase->passphrase);
}

static uint8_t *put(uint8_t *at, struct bytes in)
{
    if (in.n > 0)
        memcpy(at, in.p, in.n);
    return at + in.n;
}

static uint8_t *put_counted(uint8_t *at, struct bytes in)
{
    for (size_t i = 0; i < 4; i++)
        *at++ = (uint8_t)(in.n >> 8 * i);
    return put(at, in);
}

enum q_err seed_phrase_store(struct bytes entropy, struct bytes passphrase, struct secret *stored)
{
    *stored = (struct secret){0};
    if (mnemonic_words_of(entropy.n) == 0)
        return fail(Q_BAD_INPUT, "entropy: expected 16, 20, 24, 28 or 32 bytes, found %zu",
                    entropy.n);
    if (passphrase.n > PASSPHRASE_BYTES_MAX)
        return fail(Q_LIMIT, "passphrase: expected at most %d bytes, found %zu",
                    PASSPHRASE_BYTES_MAX, passphrase.n);
    TRY(nfkd_check_assigned(passphrase));
    TRY(secret_new(stored, label.n + 4 + entropy.n + 4 + passphrase.n));
    (void)put_counted(put_counted(put(stored->p, label), entropy), passphrase);
    return Q_OK;
}

static enum q_err take_counted(struct reader *r, struct bytes *out)
{
    uint32_t n = 0;
    TRY(reader_u32le(r, &n));
    return reader_take(r, n, out);
}

// An empty value takes no memory.
static enum q_err keep(struct bytes in, struct secret *out)
{
    return in.n == 0 ? Q_OK : secret_copy(out, in);
}

static enum q_err read_stored(struct bytes in, struct seed_phrase *out)
{
    struct reader r = reader_of(bytes_of(in.p + label.n, in.n - label.n), "stored seed");
    struct bytes entropy, passphrase;
    TRY(take_counted(&r, &entropy));
    TRY(take_counted(&r, &passphrase));
    TRY(reader_end(&r));
    if (mnemonic_words_of(entropy.n) == 0)
        return fail(Q_BAD_INPUT,
                    "stored seed: expected 16, 20, 24, 28 or 32 bytes of entropy, found %zu",
                    entropy.n);
    if (passphrase.n > PASSPHRASE_BYTES_MAX)
        return fail(Q_LIMIT, "stored seed: expected a passphrase of at most %d bytes, found %zu",
                    PASSPHRASE_BYTES_MAX, passphrase.n);
    TRY(err_context(nfkd_check_utf8(passphrase), "stored seed"));
    TRY(secret_copy(&out->entropy, entropy));
    return keep(passphrase, &out->passphrase);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// The words of rest, a text made by phrase_blank, with single spaces between them.
static enum q_err read_passphrase(struct bytes rest, struct secret *out)
{
    if (phrase_count(rest) == 0)
        return Q_OK;
    SECRET_AUTO made = {0};
    TRY(secret_new(&made, rest.n));
    size_t n = 0;
    for (size_t i = 0; i < rest.n; i++) {
        if (is_blank(rest.p[i]))
            continue;
        if (n > 0 && is_blank(rest.p[i - 1]))
            made.p[n++] = ' ';
        made.p[n++] = rest.p[i];
    }
    *out = (struct secret){made.p, n};
    made = (struct secret){0};
    return Q_OK;
}

// The number of words of the longest phrase that the text begins with; 0: none.
static enum q_err longest_phrase(struct phrase_words *w, size_t *words)
{
    *words = 0;
    for (size_t n = MNEMONIC_WORDS_MAX; n >= 12 && *words == 0; n -= 3) {
        bool holds = false;
        if (n <= w->count)
            TRY(phrase_holds(w, n, &holds));
        if (holds)
            *words = n;
    }
    return Q_OK;
}

static enum q_err no_phrase(const struct phrase_words *w)
{
    if (w->count < 12)
        return fail(Q_BAD_INPUT, "seed phrase: expected 12, 15, 18, 21 or 24 words, found %zu",
                    w->count);
    size_t stranger = phrase_stranger(w, 12);
    if (stranger != 0)
        return fail(
            Q_BAD_INPUT,
            "seed phrase: expected words of BIP39's English list, found another as word %zu",
            stranger);
    return fail(Q_BAD_INPUT,
                "seed phrase: expected 12, 15, 18, 21 or 24 words whose checksum holds, "
                "found none at the start of the text");
}

// Into a zeroed out, which is left half full on a failure.
static enum q_err read_text(struct bytes text, struct seed_phrase *out)
{
    SECRET_AUTO blanked = {0};
    SECRET_AUTO memory = {0};
    TRY(phrase_blank(text, &blanked));
    TRY(secret_new(&memory, sizeof(struct phrase_words)));
    struct phrase_words *w = (struct phrase_words *)(void *)memory.p;
    phrase_part(secret_bytes(&blanked), w);
    size_t words = 0;
    TRY(longest_phrase(w, &words));
    if (words == 0)
        return no_phrase(w);
    TRY(secret_copy(&out->entropy, bytes_of(w->bits, words * 4 / 3)));
    size_t end = (size_t)w->word[words - 1].end;
    if (w->count == words)
        return Q_OK;
    return read_passphrase(bytes_of(blanked.p + end, blanked.n - end), &out->passphrase);
}

static enum q_err whole_or_nothing(enum q_err err, struct seed_phrase *out)
{
    if (err != Q_OK)
        seed_phrase_free(out);
    return err;
}

enum q_err seed_phrase_read_text(struct bytes text, struct seed_phrase *out)
{
    *out = (struct seed_phrase){0};
    return whole_or_nothing(read_text(text, out), out);
}

enum q_err seed_phrase_read(struct bytes in, struct seed_phrase *out)
{
    *out = (struct seed_phrase){0};
    bool stored = bytes_begin_with(in, label);
    return whole_or_nothing(stored ? read_stored(in, out) : read_text(in, out), out);
}
