// Where entropy, words, passphrase, seed and private keys are after they were used: in locked memory while somebody
// holds them, and nowhere afterwards, neither on the stack nor in a freed block.
#include "../../leftovers.h"

#include "app/wallet/address.h"
#include "app/wallet/hd_key.h"
#include "app/wallet/mnemonic.h"
#include "app/wallet/transaction.h"

#include <openssl/crypto.h>

#define KEYS 3

struct held {
    struct seed_phrase phrase;
    struct secret words, seed, stored;
    struct hd_key keys[KEYS];
};

static void release(struct held *h)
{
    seed_phrase_free(&h->phrase);
    secret_free(&h->words);
    secret_free(&h->seed);
    secret_free(&h->stored);
    for (size_t i = 0; i < KEYS; i++)
        hd_key_free(&h->keys[i]);
}

// Entropy of its own for each run, so that nothing was there before.
static void make(struct held *h, uint8_t mark)
{
    static const char *const paths[KEYS] = {"m/44'/60'/0'/0/0", "m/44'/501'/0'/0'", "m/0/1'/2"};
    SECRET_AUTO entropy = {0};
    SECRET_AUTO passphrase = {0};
    SECRET_AUTO back = {0};
    assert_ok(secret_new(&entropy, 32));
    assert_ok(secret_new(&passphrase, 40));
    for (size_t i = 0; i < entropy.n; i++)
        entropy.p[i] = (uint8_t)(i * 83 + mark);
    for (size_t i = 0; i < passphrase.n; i++)
        passphrase.p[i] = (uint8_t)('a' + (i * 7 + mark) % 26);
    passphrase.p[20] = 0xc3; // a character that has a decomposition
    passphrase.p[21] = 0xa4;
    assert_ok(seed_phrase_store(secret_bytes(&entropy), secret_bytes(&passphrase), &h->stored));
    assert_ok(seed_phrase_read(secret_bytes(&h->stored), &h->phrase));
    assert_ok(mnemonic_text(secret_bytes(&h->phrase.entropy), &h->words));
    assert_ok(mnemonic_parse(secret_bytes(&h->words), &back));
    assert_ok(mnemonic_seed(secret_bytes(&back), secret_bytes(&h->phrase.passphrase), &h->seed));
    for (size_t i = 0; i < KEYS; i++) {
        struct wallet_signature made;
        assert_ok(hd_derive((enum wallet_curve)i, secret_bytes(&h->seed), bytes_str(paths[i]),
                            &h->keys[i]));
        assert_ok(wallet_sign((enum wallet_curve)i, secret_bytes(&h->keys[i].private_key),
                              SIGNED_AS_TRANSACTION, BYTES_LIT("tx"), &made));
    }
}

// As bytes, and as the little-endian words that libraries compute with.
static void add_key(struct patterns *p, const struct secret *key)
{
    uint8_t turned[WALLET_PRIVATE_SIZE];
    assert_int_equal(key->n, sizeof turned);
    for (size_t i = 0; i < sizeof turned; i++)
        turned[i] = key->p[sizeof turned - 1 - i];
    add_pattern(p, key->p);
    add_pattern(p, turned);
    wipe(turned, sizeof turned);
}

static void add_all(struct patterns *p, const struct held *h)
{
    add_pattern(p, h->phrase.entropy.p);
    add_pattern(p, h->words.p + 16);
    add_pattern(p, h->words.p + h->words.n - PATTERN_SIZE);
    add_pattern(p, h->phrase.passphrase.p);
    add_pattern(p, h->phrase.passphrase.p + 22);
    add_pattern(p, h->seed.p);
    add_pattern(p, h->seed.p + 32);
    for (size_t i = 0; i < KEYS; i++)
        add_key(p, &h->keys[i].private_key);
}

static void secrets_are_only_in_memory_that_is_never_dumped(void **state)
{
    (void)state;
    struct patterns patterns = {0};
    struct held h = {0};
    assert_ok(secret_init(true));
    make(&h, 3);
    add_all(&patterns, &h);
    struct count count = count_everywhere(&patterns);
    assert_true(count.regions > 3);
    // Seven patterns and three keys; entropy and passphrase (two patterns) also in the stored form.
    assert_int_equal(count.hidden, 10 + 3);
    assert_int_equal(count.dumped, 0);
    release(&h);
}

static void nothing_is_left_of_what_was_freed(void **state)
{
    (void)state;
    struct patterns patterns = {0};
    struct held h = {0};
    assert_ok(secret_init(true));
    make(&h, 11);
    add_all(&patterns, &h);
    release(&h);
    struct count count = count_everywhere(&patterns);
    assert_int_equal(count.hidden + count.dumped, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_only_in_memory_that_is_never_dumped),
        cmocka_unit_test(nothing_is_left_of_what_was_freed),
    };
    return cmocka_run_group_tests_name("wallet/memory", tests, NULL, NULL);
}
