// Protected files (client/protected_file.h) against an independent model, and against whoever
// changes them. The vectors have the least cost that is accepted, so that the tests are quick.
#include "../vector_file.h"

#include "../crypto/fixed_random.h"
#include "client/protected_file.h"

static const struct protected_cost least = {PROTECTED_MEMORY_LEAST_KIB, PROTECTED_PASSES_LEAST};
#define PASSPHRASE BYTES_LIT("correct horse battery")
#define SALT "000102030405060708090a0b0c0d0e0f"
#define NONCE "6465666768696a6b6c6d6e6f707172737475767778797a7b"
#define BOX "00112233445566778899aabbccddeeff0011"
#define LINE(m, t, p)                                                                              \
    "quorate-protected-v1 argon2id m=" m " t=" t " p=" p " salt=" SALT " nonce=" NONCE " box=" BOX

static void files_of_an_independent_model_open_and_are_made_again(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f = {0};
    size_t i;
    json_t *row;
    vector_file_own(&f, "client/protected.json");
    assert_true(json_array_size(f.root) >= 3);
    json_array_foreach(f.root, i, row)
    {
        struct bytes file = bytes_str(vector_text(row, "file"));
        struct bytes passphrase = vector_hex(&f, row, "passphrase");
        struct bytes contents = vector_hex(&f, row, "contents");
        struct protected_file read;
        SECRET_AUTO opened = {0};
        assert_true(protected_is(file));
        assert_ok(protected_parse(file, "file", &read));
        assert_int_equal(read.cost.memory_kib, vector_number(row, "memory_kib"));
        assert_int_equal(read.cost.passes, vector_number(row, "passes"));
        assert_ok(protected_open(&read, "file", passphrase, &opened));
        assert_bytes(secret_bytes(&opened), contents);
        BUF_AUTO made = {0};
        fixed_random(vector_hex(&f, row, "random"));
        enum q_err err = protected_seal(&read.cost, contents, passphrase, &made);
        assert_int_equal(fixed_random_end(), 0);
        assert_ok(err);
        assert_bytes(buf_bytes(&made), file);
    }
}

static enum q_err open_with(struct bytes file, struct bytes passphrase)
{
    struct protected_file read;
    SECRET_AUTO out = {0};
    TRY(protected_parse(file, "me.secret", &read));
    enum q_err err = protected_open(&read, "me.secret", passphrase, &out);
    assert_true((err == Q_OK) == (out.p != NULL)); // nothing comes out of a failure
    return err;
}

static void only_the_very_passphrase_opens_a_file(void **state)
{
    (void)state;
    BUF_AUTO file = {0};
    assert_ok(protected_seal(&least, BYTES_LIT("secret"), PASSPHRASE, &file));
    assert_ok(open_with(buf_bytes(&file), PASSPHRASE));
    const struct bytes wrong[] = {BYTES_LIT("correct horse batter"),
                                  BYTES_LIT("Correct horse battery"),
                                  BYTES_LIT("correct horse battery "), BYTES_LIT("x")};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_refused(open_with(buf_bytes(&file), wrong[i]), Q_CRYPTO,
                       "me.secret: wrong passphrase");
        assert_null(strstr(err_text(), "orrect"));
    }
}

// The places that still read as a protected file after the change: all are under the tag.
static void a_change_anywhere_in_the_line_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } changes[] = {
        {" m=65536 ", " m=65537 "},  {" t=3 ", " t=4 "},
        {" m=65536 ", " m=065536 "}, // the same number in other words
        {" salt=0", " salt=1"},      {" nonce=6", " nonce=7"},
    };
    VECTOR_FILE_AUTO f = {0};
    vector_file_own(&f, "client/protected.json");
    const char *good = vector_text(json_array_get(f.root, 0), "file");
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char bad[PROTECTED_FILE_MAX];
        const char *at = strstr(good, changes[i].from);
        assert_non_null(at);
        (void)snprintf(bad, sizeof bad, "%.*s%s%s", (int)(at - good), good, changes[i].to,
                       at + strlen(changes[i].from));
        assert_refused(open_with(bytes_str(bad), PASSPHRASE), Q_CRYPTO, "was changed");
    }
    size_t n = strlen(good), box = (size_t)(strstr(good, " box=") - good) + 5;
    const size_t places[] = {box, n - 2};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char bad[PROTECTED_FILE_MAX];
        (void)snprintf(bad, sizeof bad, "%s", good);
        bad[places[i]] = bad[places[i]] == '0' ? '1' : '0';
        assert_refused(open_with(bytes_str(bad), PASSPHRASE), Q_CRYPTO, "was changed");
    }
}

static void two_files_of_one_secret_have_nothing_in_common(void **state)
{
    (void)state;
    BUF_AUTO a = {0}, b = {0};
    struct protected_file one, other;
    assert_ok(protected_seal(&least, BYTES_LIT("secret"), PASSPHRASE, &a));
    assert_ok(protected_seal(&least, BYTES_LIT("secret"), PASSPHRASE, &b));
    assert_ok(protected_parse(buf_bytes(&a), "a", &one));
    assert_ok(protected_parse(buf_bytes(&b), "b", &other));
    assert_memory_not_equal(one.salt, other.salt, sizeof one.salt);
    assert_memory_not_equal(one.nonce, other.nonce, sizeof one.nonce);
    assert_false(bytes_equal(one.box, other.box));
}

// What a hostile file may ask of the machine is known before any of it is spent.
static void costs_outside_the_bounds_are_refused_unspent(void **state)
{
    (void)state;
    static const char *const bad[] = {
        LINE("65535", "3", "1"),         LINE("1048577", "3", "1"), LINE("4294967295", "3", "1"),
        LINE("1099511627776", "3", "1"), LINE("-1", "3", "1"),      LINE("", "3", "1"),
        LINE("65536", "2", "1"),         LINE("65536", "11", "1"),  LINE("65536", "x", "1"),
    };
    struct protected_file out;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(protected_parse(bytes_str(bad[i]), "f", &out), Q_LIMIT, "f: expected");
    assert_ok(protected_parse(BYTES_LIT(LINE("65536", "3", "1")), "f", &out));
    assert_ok(protected_parse(BYTES_LIT(LINE("1048576", "10", "1")), "f", &out));
}

static void other_forms_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *why;
        enum q_err code;
    } bad[] = {
        {"quorate-protected-v2 argon2id", "version v1", Q_UNSUPPORTED},
        {"quorate-protected-", "version v1", Q_UNSUPPORTED},
        {"quorate-protected-v1", "argon2id", Q_BAD_INPUT},
        {"quorate-protected-v1 argon2i m=65536", "argon2id", Q_BAD_INPUT},
        {"quorate-protected-v1 argon2idx m=65536", "argon2id", Q_BAD_INPUT},
        {"quorate-protected-v1  argon2id m=65536", "argon2id", Q_BAD_INPUT},
        {LINE("65536", "3", "2"), "p=1", Q_BAD_INPUT},
        {LINE("65536", "3", "11"), "p=1", Q_BAD_INPUT},
        {LINE("65536", "3", "1") " more", "end", Q_BAD_INPUT},
        {LINE("65536", "3", "1") "\nmore", "box", Q_BAD_INPUT}, // found when it is opened
        {"quorate-protected-v1 argon2id m=65536 t=3 p=1 salt=00 nonce=" NONCE " box=" BOX,
         "salt=", Q_BAD_INPUT},
        {"quorate-protected-v1 argon2id m=65536 t=3 p=1 salt=" SALT " nonce=zz box=" BOX,
         "nonce=", Q_BAD_INPUT},
        {"quorate-protected-v1 argon2id m=65536 t=3 p=1 salt=" SALT " nonce=" NONCE " box=" SALT,
         "box of 34 to", Q_BAD_INPUT},
        {"quorate-protected-v1 argon2id m=65536 t=3 p=1 salt=" SALT " nonce=" NONCE " box=" BOX "0",
         "box", Q_BAD_INPUT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(open_with(bytes_str(bad[i].file), PASSPHRASE), bad[i].code, bad[i].why);
}

static void plain_secrets_do_not_look_protected(void **state)
{
    (void)state;
    assert_false(protected_is(BYTES_LIT("")));
    assert_false(protected_is(BYTES_LIT("5a5a")));
    assert_false(protected_is(BYTES_LIT("quorate-protected")));
    assert_true(protected_is(BYTES_LIT("quorate-protected-v9 something")));
}

static void contents_of_no_size_or_too_large_are_not_sealed(void **state)
{
    (void)state;
    uint8_t large[PROTECTED_CONTENTS_MAX + 1] = {0};
    BUF_AUTO out = {0};
    assert_int_equal(protected_seal(&least, BYTES_OF(large), PASSPHRASE, &out), Q_LIMIT);
    assert_int_equal(protected_seal(&least, BYTES_LIT(""), PASSPHRASE, &out), Q_LIMIT);
    assert_int_equal(out.n, 0);
}

static void the_usual_cost_is_at_least_moderate_and_fits_the_bounds(void **state)
{
    (void)state;
    assert_true(protected_cost_usual.memory_kib >= (uint32_t)256 << 10);
    assert_true(protected_cost_usual.memory_kib <= PROTECTED_MEMORY_MOST_KIB);
    assert_true(protected_cost_usual.passes >= PROTECTED_PASSES_LEAST);
    assert_true(protected_cost_usual.passes <= PROTECTED_PASSES_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_an_independent_model_open_and_are_made_again),
        cmocka_unit_test(only_the_very_passphrase_opens_a_file),
        cmocka_unit_test(a_change_anywhere_in_the_line_is_refused),
        cmocka_unit_test(two_files_of_one_secret_have_nothing_in_common),
        cmocka_unit_test(costs_outside_the_bounds_are_refused_unspent),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(plain_secrets_do_not_look_protected),
        cmocka_unit_test(contents_of_no_size_or_too_large_are_not_sealed),
        cmocka_unit_test(the_usual_cost_is_at_least_moderate_and_fits_the_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
