// Texts parted into words in constant time, checksums of phrases (see phrase_words.h).
#include "app/wallet/phrase_words.h"
#include "app/wallet/mask.h"
#include "app/wallet/nfkd.h"
#include "app/wallet/words.h"

#include "crypto/hash.h"

#include <string.h>
#include <utf8proc.h>

#define WORD_BITS 11

// Unicode's White_Space beyond ASCII.
static bool is_wide_space(int32_t c)
{
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static enum q_err blank_wide_spaces(struct secret *text)
{
    for (size_t at = 0; at < text->n;) {
        utf8proc_int32_t c = 0;
        utf8proc_ssize_t n = utf8proc_iterate(text->p + at, (utf8proc_ssize_t)(text->n - at), &c);
        if (n <= 0)
            return fail(Q_BAD_INPUT, "seed phrase: expected UTF-8, found other bytes");
        if (is_wide_space(c))
            memset(text->p + at, ' ', (size_t)n);
        at += (size_t)n;
    }
    return Q_OK;
}

enum q_err phrase_blank(struct bytes text, struct secret *out)
{
    if (text.n == 0)
        return fail(Q_BAD_INPUT, "seed phrase: expected words, found none");
    if (text.n > PHRASE_TEXT_MAX)
        return fail(Q_LIMIT, "seed phrase: expected at most %u bytes, found %zu", PHRASE_TEXT_MAX,
                    text.n);
    SECRET_AUTO copy = {0};
    TRY(secret_copy(&copy, text));
    if (!nfkd_is_ascii(text)) // what a list word never shows
        TRY(blank_wide_spaces(&copy));
    *out = copy;
    copy = (struct secret){0};
    return Q_OK;
}

static uint64_t mask_blank(uint8_t c)
{
    return mask_equal(c, ' ') | mask_below((uint8_t)(c - '\t'), 5); // \t \n \v \f \r
}

size_t phrase_count(struct bytes blanked)
{
    uint64_t count = 0, before = ~UINT64_C(0);
    for (size_t i = 0; i < blanked.n; i++) {
        uint64_t blank = mask_blank(blanked.p[i]);
        count += ~blank & before & 1;
        before = blank;
    }
    return (size_t)count;
}

// A word of nine letters or more becomes a number that no word has.
static void add_letter(struct phrase_word *word, uint64_t letter, uint64_t mine)
{
    uint64_t full = mask_equal(word->shift, 64);
    word->letters |= (letter << (word->shift & 63)) & mine & ~full;
    word->letters |= mine & full;
    word->shift += 8 & mine & ~full;
}

void phrase_part(struct bytes blanked, struct phrase_words *out)
{
    uint64_t count = 0, before = ~UINT64_C(0);
    for (size_t i = 0; i < blanked.n; i++) {
        uint64_t blank = mask_blank(blanked.p[i]);
        count += ~blank & before & 1;
        before = blank;
        for (size_t k = 0; k < MNEMONIC_WORDS_MAX; k++) {
            uint64_t mine = ~blank & mask_equal(count, k + 1);
            add_letter(&out->word[k], blanked.p[i], mine);
            out->word[k].end = mask_select(mine, i + 1, out->word[k].end);
        }
    }
    out->count = (size_t)count;
    for (size_t k = 0; k < MNEMONIC_WORDS_MAX; k++)
        out->word[k].index = words_find(out->word[k].letters, &out->word[k].found);
}

size_t phrase_stranger(const struct phrase_words *w, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        if (w->word[k].found == 0)
            return k + 1;
    }
    return 0;
}

static void pack(struct phrase_words *w, size_t n)
{
    memset(w->bits, 0, sizeof w->bits);
    for (size_t k = 0; k < n; k++) {
        size_t at = k * WORD_BITS;
        uint64_t window = w->word[k].index << (24 - WORD_BITS - at % 8);
        w->bits[at / 8] |= (uint8_t)(window >> 16);
        w->bits[at / 8 + 1] |= (uint8_t)(window >> 8);
        w->bits[at / 8 + 2] |= (uint8_t)window;
    }
}

enum q_err phrase_holds(struct phrase_words *w, size_t n, bool *holds)
{
    size_t size = n * 4 / 3; // bytes of entropy; one bit of checksum for each four of them
    uint64_t all = ~UINT64_C(0);
    for (size_t k = 0; k < n; k++)
        all &= w->word[k].found;
    pack(w, n);
    TRY(sha256(bytes_of(w->bits, size), w->hash));
    uint8_t wrong = (uint8_t)((w->bits[size] ^ w->hash[0]) >> (8 - size / 4));
    *holds = (all & mask_equal(wrong, 0)) != 0;
    return Q_OK;
}
