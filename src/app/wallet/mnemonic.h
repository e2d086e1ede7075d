// Seed phrases (BIP39, English): made of entropy, read from text, turned into a seed; and the two forms in which
// a phrase with its passphrase is kept (renclave 2.7, finding 32). docs/seeds.md says it for users.
//
// What touches entropy, words or passphrase takes no branch and no address from them, with these exceptions: how
// long a text is, how many words it has, whether it is valid; and of a passphrase, where it begins in a text form,
// where its white space is and what its characters beyond ASCII are.
#ifndef QUORATE_APP_WALLET_MNEMONIC_H
#define QUORATE_APP_WALLET_MNEMONIC_H

#include "base/bytes.h"
#include "base/secret.h"

#define MNEMONIC_ENTROPY_MAX 32 // bytes: 16, 20, 24, 28 or 32
#define MNEMONIC_WORDS_MAX 24
#define MNEMONIC_TEXT_MAX 215 // 24 words of 8 letters, 23 spaces
#define MNEMONIC_SEED_SIZE 64
#define PASSPHRASE_BYTES_MAX 1024    // of UTF-8, in what we make
#define PHRASE_TEXT_MAX (16u << 10u) // bytes of a text that is read

// 12, 15, 18, 21 or 24 for that many bytes of entropy; 0 for any other number.
size_t mnemonic_words_of(size_t entropy_size);
// The phrase of entropy (from the operating system's randomness): words with single spaces between them.
enum q_err mnemonic_text(struct bytes entropy, struct secret *text);
// The entropy of a phrase of 12, 15, 18, 21 or 24 words whose checksum holds. White space (Unicode's White_Space)
// may stand around words in any amount; words are lower case. Q_BAD_INPUT says what is wrong, never a word.
enum q_err mnemonic_parse(struct bytes text, struct secret *entropy);
// How many words, of any kind, white space parts the text into. Q_BAD_INPUT when it is not UTF-8.
enum q_err mnemonic_count_words(struct bytes text, size_t *count);
// PBKDF2-HMAC-SHA512 of the phrase, 2048 rounds, salt "mnemonic" and the passphrase in NFKD: MNEMONIC_SEED_SIZE
// bytes. An empty passphrase and none are the same.
enum q_err mnemonic_seed(struct bytes entropy, struct bytes passphrase, struct secret *seed);

// A phrase and its passphrase (n == 0: none).
struct seed_phrase {
    struct secret entropy, passphrase;
};
#define SEED_PHRASE_AUTO __attribute__((cleanup(seed_phrase_free))) struct seed_phrase
void seed_phrase_free(struct seed_phrase *phrase);

// Our stored form, which has one reading and keeps the passphrase byte for byte:
//   u32le 15 || "quorate-seed-v1" || u32le length || entropy || u32le length || passphrase
// It has the same length for all phrases of one strength. Refuses a passphrase of more than PASSPHRASE_BYTES_MAX
// bytes, one that is not UTF-8, and one with characters that Unicode has not assigned (their NFKD, and with it the
// seed, could become another one).
enum q_err seed_phrase_store(struct bytes entropy, struct bytes passphrase, struct secret *stored);
// Reads the stored form, or the original's text form, mnemonic + " " + passphrase. No text begins like a stored
// form. Of a text the first 24, 21, 18, 15 or 12 words, tried in that order, that are a phrase are taken as the
// phrase, what follows as the passphrase, with single spaces between its words: so the original read it, although
// a passphrase of list words can be swallowed by a longer phrase.
enum q_err seed_phrase_read(struct bytes in, struct seed_phrase *out);
// The text form alone, for what a user sends in clear.
enum q_err seed_phrase_read_text(struct bytes text, struct seed_phrase *out);

#endif
