// Nothing of the wallet takes a branch or an address from a secret (docs/constant-time.md): valgrind is told that
// each secret is undefined and reports every jump and access that depends on one. Run by "valgrind
// --error-exitcode=1 --suppressions=..."; with the argument "leak" it looks a word up by binary search, which must
// be found.
#include "../../cmocka_setup.h"

#include "app/wallet/hd_key.h"
#include "app/wallet/mnemonic.h"
#include "app/wallet/phrase_words.h"
#include "app/wallet/transaction.h"
#include "app/wallet/words.h"

#include <stdlib.h>
#include <valgrind/memcheck.h>

static const char zoo[] =
    "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
    "zoo zoo vote";

static void only_under_valgrind(void)
{
    if (RUNNING_ON_VALGRIND)
        return;
    print_message("skipped: not run by valgrind\n");
    skip();
}

static void make_secret(void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

static void make_public(const void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(p, n);
}

// The secret must have reached the result still marked, or the test proves nothing.
static void assert_still_secret(const void *p)
{
    uint8_t undefined_bits = 0;
    assert_int_equal(VALGRIND_GET_VBITS(p, &undefined_bits, 1), 1);
    assert_int_not_equal(undefined_bits, 0);
}

// The outcome is public; only how it came about must not depend on the secret.
static void assert_public_ok(enum q_err err)
{
    make_public(&err, sizeof err);
    assert_ok(err);
}

static void fill_secret(uint8_t *out, size_t n, uint8_t first)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(first + i);
    make_secret(out, n);
}

static void the_words_do_not_depend_on_the_entropy(void **state)
{
    (void)state;
    only_under_valgrind();
    uint8_t entropy[32];
    SECRET_AUTO text = {0};
    fill_secret(entropy, sizeof entropy, 1);
    assert_public_ok(mnemonic_text(BYTES_OF(entropy), &text));
    make_public(&text, sizeof text); // how long the text is
    assert_still_secret(text.p);
}

static void looking_words_up_does_not_depend_on_them(void **state)
{
    (void)state;
    only_under_valgrind();
    uint64_t letters = words_letters(77), found = 0;
    make_secret(&letters, sizeof letters);
    uint64_t index = words_find(letters, &found);
    assert_still_secret(&index);
    letters = words_letters(index);
    assert_still_secret(&letters);
    make_public(&index, sizeof index);
    assert_int_equal(index, 77);
}

// How many words there are and whether they are a phrase is public, and told to valgrind as soon as it is known.
static void reading_a_phrase_shows_its_outcome_alone(void **state)
{
    (void)state;
    only_under_valgrind();
    SECRET_AUTO text = {0};
    SECRET_AUTO blanked = {0};
    SECRET_AUTO memory = {0};
    bool holds = false;
    assert_ok(secret_copy(&text, bytes_str(zoo)));
    assert_ok(secret_new(&memory, sizeof(struct phrase_words)));
    make_secret(text.p, text.n);
    assert_public_ok(phrase_blank(secret_bytes(&text), &blanked));
    make_public(&blanked, sizeof blanked);
    size_t count = phrase_count(secret_bytes(&blanked));
    assert_still_secret(&count);
    struct phrase_words *w = (struct phrase_words *)(void *)memory.p;
    phrase_part(secret_bytes(&blanked), w);
    make_public(&w->count, sizeof w->count);
    assert_int_equal(w->count, 24);
    assert_public_ok(phrase_holds(w, 24, &holds));
    assert_still_secret(&holds);
    assert_still_secret(w->bits);
    make_public(&holds, sizeof holds);
    make_public(w->bits, sizeof w->bits);
    assert_true(holds);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(w->bits[i], 0xff);
}

static void the_stored_form_does_not_depend_on_entropy_or_passphrase(void **state)
{
    (void)state;
    only_under_valgrind();
    uint8_t entropy[32];
    SECRET_AUTO passphrase = {0};
    SECRET_AUTO stored = {0};
    fill_secret(entropy, sizeof entropy, 1);
    assert_ok(secret_copy(&passphrase, BYTES_LIT("correct horse")));
    make_secret(passphrase.p, passphrase.n);
    assert_public_ok(seed_phrase_store(BYTES_OF(entropy), secret_bytes(&passphrase), &stored));
    assert_still_secret(stored.p + 23);
    assert_still_secret(stored.p + stored.n - 1);
}

static void the_seed_does_not_depend_on_entropy_or_passphrase(void **state)
{
    (void)state;
    only_under_valgrind();
    uint8_t entropy[16];
    SECRET_AUTO passphrase = {0};
    SECRET_AUTO seed = {0};
    fill_secret(entropy, sizeof entropy, 1);
    assert_ok(secret_copy(&passphrase, BYTES_LIT("correct horse")));
    make_secret(passphrase.p, passphrase.n);
    assert_public_ok(mnemonic_seed(BYTES_OF(entropy), secret_bytes(&passphrase), &seed));
    assert_still_secret(seed.p);
}

static void derive_and_sign(enum wallet_curve curve, const char *path)
{
    uint8_t seed[64];
    HD_KEY_AUTO key = {0};
    struct wallet_signature made;
    fill_secret(seed, sizeof seed, 9);
    assert_public_ok(hd_derive(curve, BYTES_OF(seed), bytes_str(path), &key));
    make_public(&key, sizeof key);
    assert_still_secret(key.private_key.p);
    assert_public_ok(wallet_sign(curve, secret_bytes(&key.private_key), SIGNED_AS_MESSAGE,
                                 BYTES_LIT("message"), &made));
    assert_still_secret(made.compact);
}

static void deriving_and_signing_do_not_depend_on_the_seed(void **state)
{
    (void)state;
    only_under_valgrind();
    derive_and_sign(CURVE_SECP256K1, "m/44'/60'/0'/0/0");
    derive_and_sign(CURVE_ED25519, "m/44'/501'/0'/0'");
    derive_and_sign(CURVE_P256, "m/44'/60'/0'/0/0");
}

// What the test is there to catch: which entries a binary search reads.
static void leak(void)
{
    uint64_t wanted = words_letters(77), low = 0, high = WORDS_COUNT;
    make_secret(&wanted, sizeof wanted);
    while (low + 1 < high) {
        uint64_t middle = (low + high) / 2;
        if (__builtin_bswap64(words_letters(middle)) <= __builtin_bswap64(wanted))
            low = middle;
        else
            high = middle;
    }
    print_message("word %u\n", (unsigned)low);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "leak") == 0) {
        leak();
        return EXIT_SUCCESS;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_words_do_not_depend_on_the_entropy),
        cmocka_unit_test(looking_words_up_does_not_depend_on_them),
        cmocka_unit_test(reading_a_phrase_shows_its_outcome_alone),
        cmocka_unit_test(the_stored_form_does_not_depend_on_entropy_or_passphrase),
        cmocka_unit_test(the_seed_does_not_depend_on_entropy_or_passphrase),
        cmocka_unit_test(deriving_and_signing_do_not_depend_on_the_seed),
    };
    return cmocka_run_group_tests_name("wallet/constant_time", tests, NULL, NULL);
}
