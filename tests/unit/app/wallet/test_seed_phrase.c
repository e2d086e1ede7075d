// The stored form and the original's text form of a phrase with its passphrase (renclave 2.7, finding 32).
#include "../../vector_file.h"

#include "app/wallet/mnemonic.h"
#include "app/wallet/nfkd.h"

static const uint8_t zeros[MNEMONIC_ENTROPY_MAX];

static void check_text(struct vector_file *f, const json_t *v)
{
    SEED_PHRASE_AUTO read = {0};
    struct bytes text = bytes_str(vector_text(v, "text"));
    size_t count = 0;
    assert_ok(mnemonic_count_words(text, &count));
    assert_int_equal(count, vector_number(v, "count"));
    enum q_err err = seed_phrase_read(text, &read);
    if (json_object_get(v, "entropy") == NULL) {
        assert_refused(err, Q_BAD_INPUT, "seed phrase: expected");
        assert_true(read.entropy.p == NULL && read.passphrase.p == NULL);
        return;
    }
    assert_ok(err);
    assert_bytes(secret_bytes(&read.entropy), vector_hex(f, v, "entropy"));
    assert_bytes(secret_bytes(&read.passphrase), bytes_str(vector_text(v, "passphrase")));
}

static void texts_are_read_as_the_model_reads_them(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "wallet/model.json");
    size_t i, phrases = 0;
    json_t *v;
    json_array_foreach(vector_field(f.root, "texts"), i, v)
    {
        check_text(&f, v);
        phrases += json_object_get(v, "entropy") != NULL;
    }
    assert_true(phrases == 20 && i == 40);
}

static void the_shared_cases_get_their_verdict(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/renclave/seed_vectors.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "validate_cases"), i, v)
    {
        SEED_PHRASE_AUTO read = {0};
        struct bytes text = bytes_str(vector_text(v, "seed_phrase"));
        size_t count = 0;
        bool valid =
            json_is_true(json_object_get(v, "valid")); // absent where the route answers 400
        assert_int_equal(seed_phrase_read_text(text, &read), valid ? Q_OK : Q_BAD_INPUT);
        assert_ok(mnemonic_count_words(text, &count));
        if (json_object_get(v, "word_count") != NULL)
            assert_int_equal(count, vector_number(v, "word_count"));
    }
    assert_int_equal(i, 7);
}

static void a_passphrase_of_the_original_gives_its_seed(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/renclave/seed_vectors.json");
    const json_t *v = vector_field(f.root, "passphrase_case");
    SEED_PHRASE_AUTO read = {0};
    SECRET_AUTO words = {0};
    SECRET_AUTO seed = {0};
    assert_ok(seed_phrase_read(bytes_str(vector_text(v, "seed_phrase_as_stored")), &read));
    assert_bytes(secret_bytes(&read.passphrase), bytes_str(vector_text(v, "bip39_passphrase")));
    assert_ok(mnemonic_text(secret_bytes(&read.entropy), &words));
    assert_bytes(secret_bytes(&words), bytes_str(vector_text(v, "mnemonic")));
    assert_ok(mnemonic_seed(secret_bytes(&read.entropy), secret_bytes(&read.passphrase), &seed));
    assert_bytes(secret_bytes(&seed), vector_hex(&f, v, "bip39_seed_hex"));
}

static void check_stored(struct bytes entropy, struct bytes passphrase)
{
    SECRET_AUTO stored = {0};
    SEED_PHRASE_AUTO read = {0};
    assert_ok(seed_phrase_store(entropy, passphrase, &stored));
    assert_int_equal(stored.n, 19 + 4 + entropy.n + 4 + passphrase.n);
    assert_ok(seed_phrase_read(secret_bytes(&stored), &read));
    assert_bytes(secret_bytes(&read.entropy), entropy);
    assert_bytes(secret_bytes(&read.passphrase), passphrase);
}

static void the_stored_form_keeps_every_passphrase_byte_for_byte(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "wallet/model.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "mnemonics"), i, v)
        check_stored(vector_hex(&f, v, "entropy"), bytes_str(vector_text(v, "passphrase")));
    check_stored(BYTES_OF(zeros), BYTES_LIT("with\0NUL"));
    char longest[PASSPHRASE_BYTES_MAX];
    memset(longest, 'p', sizeof longest);
    check_stored(BYTES_OF(zeros), BYTES_OF(longest));
}

static void the_stored_form_is_the_documented_bytes(void **state)
{
    (void)state;
    static const char expected[] = "\x0f\0\0\0quorate-seed-v1\x10\0\0\0"
                                   "0123456789abcdef\x02\0\0\0pw";
    SECRET_AUTO stored = {0};
    assert_ok(seed_phrase_store(BYTES_LIT("0123456789abcdef"), BYTES_LIT("pw"), &stored));
    assert_bytes(secret_bytes(&stored), bytes_of(expected, sizeof expected - 1));
}

// Finding 32: two phrases with passphrases that the original could not tell apart, for their texts are equal.
static void finding_32_a_passphrase_of_list_words_is_never_read_as_part_of_the_phrase(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "wallet/model.json");
    const json_t *v = vector_field(f.root, "swallowed");
    struct bytes passphrase = bytes_str(vector_text(v, "passphrase"));
    BUF_AUTO text = {0};
    SECRET_AUTO entropy = {0};
    SECRET_AUTO stored = {0};
    SECRET_AUTO other = {0};
    SEED_PHRASE_AUTO from_text = {0};
    SEED_PHRASE_AUTO from_stored = {0};
    assert_ok(mnemonic_parse(bytes_str(vector_text(v, "words")), &entropy));
    assert_ok(buf_printf(&text, "%s %s", vector_text(v, "words"), vector_text(v, "passphrase")));
    // The text form: read as the original read it, as a phrase of 15 words without a passphrase.
    assert_ok(seed_phrase_read(buf_bytes(&text), &from_text));
    assert_int_equal(from_text.entropy.n, 20);
    assert_int_equal(from_text.passphrase.n, 0);
    // What we store has one reading.
    assert_ok(seed_phrase_store(secret_bytes(&entropy), passphrase, &stored));
    assert_ok(seed_phrase_read(secret_bytes(&stored), &from_stored));
    assert_bytes(secret_bytes(&from_stored.entropy), secret_bytes(&entropy));
    assert_bytes(secret_bytes(&from_stored.passphrase), passphrase);
    assert_ok(seed_phrase_store(secret_bytes(&from_text.entropy), BYTES_NONE, &other));
    assert_false(bytes_equal(secret_bytes(&stored), secret_bytes(&other)));
}

static void finding_32_white_space_of_a_passphrase_is_part_of_it(void **state)
{
    (void)state;
    static const char *const passphrases[] = {"a b",  "a  b", " a b",
                                              "a b ", "a\tb", "a\xe3\x80\x80\x62"};
    const size_t count = sizeof passphrases / sizeof *passphrases;
    struct secret seeds[6] = {0};
    for (size_t i = 0; i < count; i++) {
        SECRET_AUTO stored = {0};
        SEED_PHRASE_AUTO read = {0};
        assert_ok(seed_phrase_store(BYTES_OF(zeros), bytes_str(passphrases[i]), &stored));
        assert_ok(seed_phrase_read(secret_bytes(&stored), &read));
        assert_bytes(secret_bytes(&read.passphrase), bytes_str(passphrases[i]));
        assert_ok(
            mnemonic_seed(secret_bytes(&read.entropy), secret_bytes(&read.passphrase), &seeds[i]));
    }
    // NFKD makes a space of an ideographic space; all others differ.
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++)
            assert_int_equal(secret_equal(secret_bytes(&seeds[i]), secret_bytes(&seeds[k])),
                             k == 0 && i == 5);
    }
    for (size_t i = 0; i < count; i++)
        secret_free(&seeds[i]);
}

static void passphrases_that_may_become_another_seed_are_not_stored(void **state)
{
    (void)state;
    char too_long[PASSPHRASE_BYTES_MAX + 1];
    SECRET_AUTO stored = {0};
    memset(too_long, 'p', sizeof too_long);
    assert_refused(seed_phrase_store(BYTES_OF(zeros), BYTES_OF(too_long), &stored), Q_LIMIT,
                   "passphrase: expected at most 1024 bytes, found 1025");
    assert_refused(seed_phrase_store(BYTES_OF(zeros), BYTES_LIT("a\xc3"), &stored), Q_BAD_INPUT,
                   "passphrase: expected UTF-8");
    assert_refused(seed_phrase_store(BYTES_OF(zeros), BYTES_LIT("\xcd\xb8"), &stored), Q_BAD_INPUT,
                   "passphrase: expected characters that Unicode"); // U+0378
    assert_refused(seed_phrase_store(bytes_of(zeros, 17), BYTES_NONE, &stored), Q_BAD_INPUT,
                   "entropy: expected");
    assert_null(stored.p);
}

static size_t encode(uint32_t c, uint8_t out[static 4])
{
    static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)(first[n == 1 ? 0 : n] | c);
    return n;
}

static void add_decomposed(crypto_hash_sha256_state *all, struct buf *text)
{
    SECRET_AUTO normal = {0};
    assert_ok(nfkd_behind(BYTES_LIT("\n"), buf_bytes(text), &normal));
    assert_int_equal(crypto_hash_sha256_update(all, normal.p + 1, normal.n - 1), 0);
    buf_clear(text);
}

static void add_range(crypto_hash_sha256_state *all, uint32_t first, uint32_t last)
{
    BUF_AUTO text = {0};
    for (uint32_t c = first; c <= last; c++) {
        uint8_t one[4];
        assert_ok(nfkd_check_assigned(bytes_of(one, encode(c, one))));
        assert_ok(buf_append(&text, bytes_of(one, encode(c, one))));
        assert_ok(buf_u8(&text, '\n'));
        if (c % 256 == 255 || c == last)
            add_decomposed(all, &text);
    }
}

// Against another implementation, and every character that its version of Unicode knows.
static void the_decomposition_of_every_character_is_the_model_s(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "wallet/model.json");
    const json_t *v = vector_field(f.root, "nfkd");
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state all;
    size_t i;
    json_t *range;
    assert_int_equal(crypto_hash_sha256_init(&all), 0);
    json_array_foreach(vector_field(v, "assigned"), i, range)
        add_range(&all, (uint32_t)json_integer_value(json_array_get(range, 0)),
                  (uint32_t)json_integer_value(json_array_get(range, 1)));
    assert_true(i > 600);
    assert_int_equal(crypto_hash_sha256_final(&all, hash), 0);
    assert_bytes(BYTES_OF(hash), vector_hex(&f, v, "sha256"));
}

// What is stored is read again and has a seed, whatever its characters.
static void every_character_that_is_stored_has_a_decomposition(void **state)
{
    (void)state;
    size_t stored = 0;
    for (uint32_t c = 0; c < 0x110000; c++) {
        uint8_t text[4];
        struct bytes one = bytes_of(text, encode(c, text));
        assert_int_equal(bytes_is_utf8(one), c < 0xd800 || c > 0xdfff);
        if (nfkd_check_assigned(one) != Q_OK)
            continue;
        assert_ok(nfkd_check_utf8(one));
        stored++;
        if (c % 1024 != 0)
            continue; // the rest takes locked memory, and with it time
        SECRET_AUTO salt = {0};
        assert_ok(nfkd_behind(BYTES_LIT("x"), one, &salt));
        assert_true(salt.n > 1);
    }
    assert_true(stored > 140000);
}

static void a_stored_form_that_was_cut_or_changed_is_refused(void **state)
{
    (void)state;
    SECRET_AUTO stored = {0};
    assert_ok(seed_phrase_store(BYTES_OF(zeros), BYTES_LIT("pass"), &stored));
    for (size_t n = 0; n < stored.n; n++) {
        SEED_PHRASE_AUTO read = {0};
        assert_int_equal(seed_phrase_read(bytes_of(stored.p, n), &read), Q_BAD_INPUT);
        assert_null(read.entropy.p);
    }
    // All but entropy and passphrase: label and lengths.
    for (size_t at = 0; at < stored.n - 4; at++) {
        SEED_PHRASE_AUTO read = {0};
        if (at >= 23 && at < 23 + sizeof zeros)
            continue;
        stored.p[at] ^= 0x40;
        enum q_err err = seed_phrase_read(secret_bytes(&stored), &read);
        stored.p[at] ^= 0x40;
        assert_true(err == Q_BAD_INPUT || err == Q_LIMIT);
    }
    BUF_AUTO longer = {0};
    SEED_PHRASE_AUTO read = {0};
    assert_ok(buf_append(&longer, secret_bytes(&stored)));
    assert_ok(buf_u8(&longer, 0));
    assert_int_equal(seed_phrase_read(buf_bytes(&longer), &read), Q_BAD_INPUT);
    longer.n--;
    longer.p[longer.n - 1] = 0xff;
    assert_refused(seed_phrase_read(buf_bytes(&longer), &read), Q_BAD_INPUT, "UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_as_the_model_reads_them),
        cmocka_unit_test(the_shared_cases_get_their_verdict),
        cmocka_unit_test(a_passphrase_of_the_original_gives_its_seed),
        cmocka_unit_test(the_stored_form_keeps_every_passphrase_byte_for_byte),
        cmocka_unit_test(the_stored_form_is_the_documented_bytes),
        cmocka_unit_test(finding_32_a_passphrase_of_list_words_is_never_read_as_part_of_the_phrase),
        cmocka_unit_test(finding_32_white_space_of_a_passphrase_is_part_of_it),
        cmocka_unit_test(passphrases_that_may_become_another_seed_are_not_stored),
        cmocka_unit_test(the_decomposition_of_every_character_is_the_model_s),
        cmocka_unit_test(every_character_that_is_stored_has_a_decomposition),
        cmocka_unit_test(a_stored_form_that_was_cut_or_changed_is_refused),
    };
    return cmocka_run_group_tests_name("wallet/seed_phrase", tests, NULL, NULL);
}
