// BIP39's English list. Which word is asked for is a secret: both functions read the whole list, in order, and
// take no branch from what they are asked (a binary search would show eleven bits of each word in the addresses
// it touches). Private to app/wallet.
#ifndef QUORATE_APP_WALLET_WORDS_H
#define QUORATE_APP_WALLET_WORDS_H

#include <stddef.h>
#include <stdint.h>

#define WORDS_COUNT 2048
#define WORD_LETTERS_MAX 8

// A word as one number: its first letter in the lowest byte, zeros behind its last. index < WORDS_COUNT.
uint64_t words_letters(uint64_t index);
// The index of a word; *found: all ones when it is in the list, else 0 (and the result is 0).
uint64_t words_find(uint64_t letters, uint64_t *found);

#endif
