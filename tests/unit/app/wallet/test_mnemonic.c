// Seed phrases: the word list, from entropy to words and back, seeds (BIP39).
#include "../../vector_file.h"

#include "app/wallet/mnemonic.h"
#include "app/wallet/words.h"
#include "crypto/hash.h"

static const char twelve[] =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon "
    "abandon abandon about";

static void the_list_compiled_in_is_that_of_bip39(void **state)
{
    (void)state;
    BUF_AUTO file = {0};
    uint8_t hash[SHA256_SIZE], expected[SHA256_SIZE];
    for (uint64_t i = 0; i < WORDS_COUNT; i++) {
        for (uint64_t letters = words_letters(i); letters != 0; letters >>= 8)
            assert_ok(buf_u8(&file, (uint8_t)letters));
        assert_ok(buf_u8(&file, '\n'));
    }
    assert_ok(sha256(buf_bytes(&file), hash));
    assert_int_equal(
        sodium_hex2bin(expected, sizeof expected,
                       "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda", 64, NULL,
                       NULL, NULL),
        0);
    assert_memory_equal(hash, expected, sizeof hash);
}

static void every_word_is_found_at_its_place_and_nothing_else_is(void **state)
{
    (void)state;
    uint64_t found = 0;
    for (uint64_t i = 0; i < WORDS_COUNT; i++) {
        assert_int_equal(words_find(words_letters(i), &found), i);
        assert_true(found == UINT64_MAX);
        assert_int_equal(words_find(words_letters(i) ^ 1u << 8, &found) == i && found != 0, 0);
    }
    const uint64_t strangers[] = {0, UINT64_MAX, 'a', words_letters(0) | (uint64_t)'x' << 56};
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        assert_int_equal(words_find(strangers[i], &found), 0);
        assert_true(found == 0);
    }
}

// words <-> entropy, and the seed.
static void check_phrase(struct bytes entropy, const char *words, const char *passphrase,
                         struct bytes seed)
{
    SECRET_AUTO text = {0};
    SECRET_AUTO back = {0};
    SECRET_AUTO made = {0};
    size_t count = 0;
    assert_ok(mnemonic_text(entropy, &text));
    assert_bytes(secret_bytes(&text), bytes_str(words));
    assert_ok(mnemonic_parse(secret_bytes(&text), &back));
    assert_bytes(secret_bytes(&back), entropy);
    assert_ok(mnemonic_count_words(secret_bytes(&text), &count));
    assert_int_equal(count, mnemonic_words_of(entropy.n));
    assert_ok(mnemonic_seed(entropy, bytes_str(passphrase), &made));
    assert_bytes(secret_bytes(&made), seed);
}

static void the_published_phrases_and_seeds_are_reproduced(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "wallet/published.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "bip39"), i, v)
    {
        const char *words = vector_text(v, "words");
        SECRET_AUTO entropy = {0};
        assert_ok(mnemonic_parse(bytes_str(words), &entropy));
        check_phrase(secret_bytes(&entropy), words, vector_text(f.root, "bip39_passphrase"),
                     vector_hex(&f, v, "seed"));
        assert_bytes(secret_bytes(&entropy), vector_hex(&f, v, "entropy"));
    }
    assert_int_equal(i, 24); // all of them
}

static void phrases_and_seeds_of_every_strength_are_those_of_the_model(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "wallet/model.json");
    size_t i, wide = 0;
    json_t *v;
    json_array_foreach(vector_field(f.root, "mnemonics"), i, v)
    {
        const char *passphrase = vector_text(v, "passphrase");
        for (const char *c = passphrase; *c != '\0'; c++)
            wide += (uint8_t)*c >= 0x80;
        check_phrase(vector_hex(&f, v, "entropy"), vector_text(v, "words"), passphrase,
                     vector_hex(&f, v, "seed"));
    }
    assert_true(i == 60 && wide > 100);
}

static void the_shared_vectors_are_reproduced(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/renclave/seed_vectors.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "vectors"), i, v)
    {
        struct bytes entropy = vector_hex(&f, v, "entropy_hex");
        assert_int_equal(entropy.n * 8, vector_number(v, "strength"));
        assert_int_equal(mnemonic_words_of(entropy.n), vector_number(v, "word_count"));
        check_phrase(entropy, vector_text(v, "mnemonic"), "", vector_hex(&f, v, "bip39_seed_hex"));
    }
    assert_int_equal(i, 5);
    json_array_foreach(vector_field(f.root, "bad_strengths"), i, v)
        assert_int_equal(mnemonic_words_of((size_t)json_integer_value(v) / 8), 0);
}

static void entropy_of_other_sizes_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[64] = {0};
    SECRET_AUTO out = {0};
    for (size_t n = 0; n <= sizeof bytes; n++) {
        bool known = n == 16 || n == 20 || n == 24 || n == 28 || n == 32;
        assert_int_equal(mnemonic_words_of(n), known ? n * 3 / 4 : 0);
        if (known)
            continue;
        assert_refused(mnemonic_text(bytes_of(bytes, n), &out), Q_BAD_INPUT, "entropy: expected");
        assert_refused(mnemonic_seed(bytes_of(bytes, n), BYTES_NONE, &out), Q_BAD_INPUT,
                       "entropy: expected");
        assert_null(out.p);
    }
}

static void what_is_no_phrase_is_refused_with_a_reason_that_shows_no_word(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "expected words, found none"},
        {" \t\n", "found 0"},
        {"abandon", "12, 15, 18, 21 or 24 words, found 1"},
        {"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong", "found 13"},
        {"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo", "checksum"},
        {"zoo zoo qqqzzz zoo zoo zoo zoo zoo zoo zoo zoo wrong", "another as word 3"},
        {"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo Wrong", "another as word 12"},
        {"zoozoozoozoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong", "another as word 1"},
        {"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong\xff", "UTF-8"},
        {"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong\xe2\x80", "UTF-8"},
        {"\xef\xbb\xbfzoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong", "another as word 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SECRET_AUTO entropy = {0};
        assert_refused(mnemonic_parse(bytes_str(cases[i].text), &entropy), Q_BAD_INPUT,
                       cases[i].why);
        assert_null(strstr(err_text(), "zoo"));
        assert_null(strstr(err_text(), "qqqzzz"));
        assert_null(entropy.p);
    }
}

// A word of the phrase is changed for every other of the list: about one in sixteen holds.
static void a_changed_word_breaks_the_checksum(void **state)
{
    (void)state;
    size_t held = 0;
    for (uint64_t i = 0; i < WORDS_COUNT; i++) {
        char text[256];
        uint64_t letters = words_letters(i);
        SECRET_AUTO entropy = {0};
        int n = snprintf(text, sizeof text, "%.*s%.8s", (int)sizeof twelve - 6, twelve,
                         (const char *)&letters);
        enum q_err err = mnemonic_parse(bytes_of(text, (size_t)n), &entropy);
        assert_true(err == Q_OK || err == Q_BAD_INPUT);
        held += err == Q_OK;
    }
    assert_int_equal(held, WORDS_COUNT / 16);
}

static void a_text_that_is_too_long_is_refused(void **state)
{
    (void)state;
    SECRET_AUTO entropy = {0};
    SECRET_AUTO text = {0};
    size_t count = 0;
    assert_ok(secret_new(&text, PHRASE_TEXT_MAX + 1));
    memset(text.p, 'a', text.n);
    assert_refused(mnemonic_parse(secret_bytes(&text), &entropy), Q_LIMIT, "expected at most");
    assert_refused(mnemonic_count_words(secret_bytes(&text), &count), Q_LIMIT, "expected at most");
    text.n--;
    assert_refused(mnemonic_parse(secret_bytes(&text), &entropy), Q_BAD_INPUT, "found 1");
}

static void a_passphrase_that_is_not_utf8_gives_no_seed(void **state)
{
    (void)state;
    static const uint8_t entropy[16] = {0};
    SECRET_AUTO seed = {0};
    assert_refused(mnemonic_seed(BYTES_OF(entropy), BYTES_LIT("a\xed\xa0\x80"), &seed), Q_BAD_INPUT,
                   "passphrase: expected UTF-8");
    assert_null(seed.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_compiled_in_is_that_of_bip39),
        cmocka_unit_test(every_word_is_found_at_its_place_and_nothing_else_is),
        cmocka_unit_test(the_published_phrases_and_seeds_are_reproduced),
        cmocka_unit_test(phrases_and_seeds_of_every_strength_are_those_of_the_model),
        cmocka_unit_test(the_shared_vectors_are_reproduced),
        cmocka_unit_test(entropy_of_other_sizes_is_refused),
        cmocka_unit_test(what_is_no_phrase_is_refused_with_a_reason_that_shows_no_word),
        cmocka_unit_test(a_changed_word_breaks_the_checksum),
        cmocka_unit_test(a_text_that_is_too_long_is_refused),
        cmocka_unit_test(a_passphrase_that_is_not_utf8_gives_no_seed),
    };
    return cmocka_run_group_tests_name("wallet/mnemonic", tests, NULL, NULL);
}
