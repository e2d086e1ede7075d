// A text parted into words, and phrases found at its front. Private to app/wallet.
#ifndef QUORATE_APP_WALLET_PHRASE_WORDS_H
#define QUORATE_APP_WALLET_PHRASE_WORDS_H

#include "app/wallet/mnemonic.h"

struct phrase_word {
    uint64_t letters, shift; // as words.h has them; shift: bits taken so far
    uint64_t index, found;   // found: all ones when the list has the word
    uint64_t end;            // where it ends in the text
};

// In locked memory. Only count is public.
struct phrase_words {
    struct phrase_word word[MNEMONIC_WORDS_MAX];
    uint8_t bits[MNEMONIC_ENTROPY_MAX + 4]; // entropy and checksum of the candidate
    uint8_t hash[32];
    size_t count; // of all words, also beyond the 24
};

// text with each white space character as ASCII spaces, as many as it had bytes. At least one byte; Q_LIMIT over
// PHRASE_TEXT_MAX, Q_BAD_INPUT when it is not UTF-8.
enum q_err phrase_blank(struct bytes text, struct secret *out);
// How many words a text made by phrase_blank has.
size_t phrase_count(struct bytes blanked);
// Parts a text made by phrase_blank; out: a zeroed struct in locked memory. Looks its first 24 words up.
void phrase_part(struct bytes blanked, struct phrase_words *out);
// Whether the first n words (12, 15, 18, 21 or 24, at most w->count) are a phrase; its entropy is then in w->bits.
enum q_err phrase_holds(struct phrase_words *w, size_t n, bool *holds);
// The place (from 1) of the first of n words that is not in the list; 0 when all are.
size_t phrase_stranger(const struct phrase_words *w, size_t n);

#endif
