// BIP39: from entropy to words and to the seed, and from words to entropy (see mnemonic.h).
#include "app/wallet/mnemonic.h"
#include "app/wallet/mask.h"
#include "app/wallet/nfkd.h"
#include "app/wallet/phrase_words.h"
#include "app/wallet/words.h"

#include "crypto/hash.h"
#include "crypto/openssl_scope.h"

#include <string.h>

#define ROUNDS 2048
#define TEXT_ROOM                                                                                  \
    (MNEMONIC_TEXT_MAX + 9) // a word and a space more, so that every move stays inside

size_t mnemonic_words_of(size_t entropy_size)
{
    bool known =
        entropy_size % 4 == 0 && entropy_size >= 16 && entropy_size <= MNEMONIC_ENTROPY_MAX;
    return known ? entropy_size * 3 / 4 : 0;
}

static enum q_err check_entropy(struct bytes entropy)
{
    if (mnemonic_words_of(entropy.n) != 0)
        return Q_OK;
    return fail(Q_BAD_INPUT, "entropy: expected 16, 20, 24, 28 or 32 bytes, found %zu", entropy.n);
}

// Entropy, then the first byte of its hash, of which the phrase takes the bits it needs.
struct checked_entropy {
    uint8_t bits[MNEMONIC_ENTROPY_MAX + 4], hash[SHA256_SIZE];
};

// The eleven bits of word k.
static uint64_t word_index(const uint8_t *bits, size_t k)
{
    size_t at = k * 11;
    uint64_t window =
        (uint64_t)bits[at / 8] << 16 | (uint64_t)bits[at / 8 + 1] << 8 | (uint64_t)bits[at / 8 + 2];
    return window >> (13 - at % 8) & (WORDS_COUNT - 1);
}

// Moves the text up by that many bytes (0 to 15, secret), with zeros behind it: by 8, 4, 2 and 1, or not.
static void move_up(uint8_t text[static TEXT_ROOM], uint64_t by)
{
    for (size_t step = 8; step > 0; step /= 2) {
        uint8_t moves = (uint8_t)(0 - (by / step & 1));
        for (size_t i = TEXT_ROOM; i-- > 0;) {
            uint8_t from = i < step ? 0 : text[i - step];
            text[i] = (uint8_t)((from & moves) | (text[i] & ~moves));
        }
    }
}

// Puts a word in front of the text, and a space between them; gives the bytes that took.
static uint64_t put_in_front(uint8_t text[static TEXT_ROOM], uint64_t letters, bool last)
{
    uint64_t length = 0, space = last ? 0 : 1;
    for (size_t i = 0; i < WORD_LETTERS_MAX; i++)
        length += ~mask_equal(letters >> 8 * i & 0xff, 0) & 1;
    move_up(text, length + space);
    for (size_t i = 0; i < WORD_LETTERS_MAX; i++)
        text[i] |= (uint8_t)(letters >> 8 * i);
    for (size_t i = 0; i <= WORD_LETTERS_MAX; i++)
        text[i] |= (uint8_t)(mask_equal(i, length) & (space * ' '));
    return length + space;
}

enum q_err mnemonic_text(struct bytes entropy, struct secret *text)
{
    *text = (struct secret){0};
    TRY(check_entropy(entropy));
    SECRET_AUTO memory = {0};
    SECRET_AUTO made = {0};
    TRY(secret_new(&memory, sizeof(struct checked_entropy)));
    TRY(secret_new(&made, TEXT_ROOM));
    struct checked_entropy *checked = (struct checked_entropy *)memory.p;
    memcpy(checked->bits, entropy.p, entropy.n);
    TRY(sha256(entropy, checked->hash));
    checked->bits[entropy.n] = checked->hash[0];
    size_t words = mnemonic_words_of(entropy.n);
    uint64_t length = 0;
    for (size_t k = words; k-- > 0;)
        length += put_in_front(made.p, words_letters(word_index(checked->bits, k)), k + 1 == words);
    *text = (struct secret){made.p, (size_t)length};
    made = (struct secret){0};
    return Q_OK;
}

enum q_err mnemonic_count_words(struct bytes text, size_t *count)
{
    *count = 0;
    if (text.n == 0)
        return Q_OK;
    SECRET_AUTO blanked = {0};
    TRY(phrase_blank(text, &blanked));
    *count = phrase_count(secret_bytes(&blanked));
    return Q_OK;
}

static enum q_err why_not(const struct phrase_words *w)
{
    size_t stranger = phrase_stranger(w, w->count);
    if (stranger != 0)
        return fail(
            Q_BAD_INPUT,
            "seed phrase: expected words of BIP39's English list, found another as word %zu",
            stranger);
    return fail(Q_BAD_INPUT,
                "seed phrase: expected a checksum that holds, found one that does not");
}

enum q_err mnemonic_parse(struct bytes text, struct secret *entropy)
{
    *entropy = (struct secret){0};
    SECRET_AUTO blanked = {0};
    SECRET_AUTO memory = {0};
    TRY(phrase_blank(text, &blanked));
    TRY(secret_new(&memory, sizeof(struct phrase_words)));
    struct phrase_words *w = (struct phrase_words *)(void *)memory.p;
    phrase_part(secret_bytes(&blanked), w);
    size_t size = w->count * 4 / 3;
    if (w->count % 3 != 0 || mnemonic_words_of(size) == 0)
        return fail(Q_BAD_INPUT, "seed phrase: expected 12, 15, 18, 21 or 24 words, found %zu",
                    w->count);
    bool holds = false;
    TRY(phrase_holds(w, w->count, &holds));
    if (!holds)
        return why_not(w);
    return secret_copy(entropy, bytes_of(w->bits, size));
}

enum q_err mnemonic_seed(struct bytes entropy, struct bytes passphrase, struct secret *seed)
{
    *seed = (struct secret){0};
    SECRET_AUTO text = {0};
    SECRET_AUTO salt = {0};
    SECRET_AUTO made = {0};
    TRY(mnemonic_text(entropy, &text));
    TRY(nfkd_behind(BYTES_LIT("mnemonic"), passphrase, &salt));
    TRY(secret_new(&made, MNEMONIC_SEED_SIZE));
    if (PKCS5_PBKDF2_HMAC((const char *)text.p, (int)text.n, salt.p, (int)salt.n, ROUNDS,
                          EVP_sha512(), MNEMONIC_SEED_SIZE, made.p) != 1)
        return openssl_failed("PBKDF2-HMAC-SHA512");
    *seed = made;
    made = (struct secret){0};
    return Q_OK;
}
