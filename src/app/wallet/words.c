// BIP39's English list, looked up in constant time (see words.h).
#include "app/wallet/words.h"
#include "app/wallet/mask.h"

#include <endian.h>
#include <string.h>

// Every word has three to eight letters; those of eight take no terminator along.
static const char english[WORDS_COUNT][WORD_LETTERS_MAX] = {
#include "english.inc"
};

static inline uint64_t letters_of(const char word[static WORD_LETTERS_MAX])
{
    uint64_t letters;
    memcpy(&letters, word, sizeof letters);
    return le64toh(letters);
}

uint64_t words_letters(uint64_t index)
{
    uint64_t letters = 0;
    for (uint64_t i = 0; i < WORDS_COUNT; i++)
        letters |= letters_of(english[i]) & mask_equal(i, index);
    return letters;
}

uint64_t words_find(uint64_t letters, uint64_t *found)
{
    uint64_t index = 0, any = 0;
    for (uint64_t i = 0; i < WORDS_COUNT; i++) {
        uint64_t same = mask_equal(letters_of(english[i]), letters);
        index |= i & same;
        any |= same;
    }
    *found = any;
    return index;
}
