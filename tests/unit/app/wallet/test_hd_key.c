// Curves by name, paths, keys of BIP32 and SLIP-0010, and their addresses (renclave 2.7, finding 31).
#include "../../vector_file.h"

#include "app/wallet/address.h"
#include "app/wallet/base58.h"
#include "app/wallet/hd_key.h"
#include "app/wallet/keccak.h"
#include "app/wallet/mnemonic.h"

static enum wallet_curve curve_of(const json_t *v)
{
    enum wallet_curve curve;
    assert_ok(curve_parse(bytes_str(vector_text(v, "curve")), &curve));
    return curve;
}

static void derive(enum wallet_curve curve, struct bytes seed, const json_t *v, struct hd_key *key)
{
    assert_ok(hd_derive(curve, seed, bytes_str(vector_text(v, "path")), key));
    assert_int_equal(key->curve, curve);
    assert_int_equal(key->public_size, curve == CURVE_ED25519 ? 32 : 33);
}

static struct bytes public_of(const struct hd_key *key)
{
    return bytes_of(key->public_key, key->public_size);
}

// The last bytes of an extended key in base58: chain code, and 00 || private key or the public key. The number is
// made here digit by digit, so that base58.c is not asked.
static void extended_key(const char *text, uint8_t key[static 33])
{
    static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    uint8_t number[82] = {0};
    for (const char *c = text; *c != '\0'; c++) {
        unsigned carry = (unsigned)(strchr(alphabet, *c) - alphabet);
        for (size_t i = sizeof number; i-- > 0; carry >>= 8) {
            carry += 58u * number[i];
            number[i] = (uint8_t)carry;
        }
    }
    memcpy(key, number + 45, 33);
}

static void the_keys_of_bip32_are_reproduced(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "wallet/published.json");
    size_t i, k, keys = 0, publics = 0;
    json_t *tree, *v;
    json_array_foreach(vector_field(f.root, "bip32"), i, tree)
        json_array_foreach(vector_field(tree, "keys"), k, v)
    {
        HD_KEY_AUTO key = {0};
        uint8_t expected[33];
        derive(CURVE_SECP256K1, vector_hex(&f, tree, "seed"), v, &key);
        extended_key(vector_text(v, "xprv"), expected);
        assert_int_equal(expected[0], 0);
        assert_bytes(secret_bytes(&key.private_key), bytes_of(expected + 1, 32));
        keys++;
        if (json_object_get(v, "xpub") == NULL)
            continue;
        extended_key(vector_text(v, "xpub"), expected);
        assert_bytes(public_of(&key), BYTES_OF(expected));
        publics++;
    }
    assert_true(keys == 17 && publics == 4);
}

static void the_keys_of_slip10_are_reproduced(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "wallet/published.json");
    size_t i, k, keys = 0;
    json_t *tree, *v;
    json_array_foreach(vector_field(f.root, "slip10"), i, tree)
        json_array_foreach(vector_field(tree, "keys"), k, v)
    {
        HD_KEY_AUTO key = {0};
        derive(curve_of(tree), vector_hex(&f, tree, "seed"), v, &key);
        assert_bytes(secret_bytes(&key.private_key), vector_hex(&f, v, "private"));
        if (json_object_get(v, "public") != NULL)
            assert_bytes(public_of(&key), vector_hex(&f, v, "public"));
        keys++;
    }
    assert_int_equal(keys, 22);
}

static void keys_and_addresses_are_those_of_the_model(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "wallet/model.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "keys"), i, v)
    {
        HD_KEY_AUTO key = {0};
        char address[ADDRESS_TEXT_SIZE];
        assert_ok(address_of(curve_of(v), vector_hex(&f, v, "public"), address));
        assert_string_equal(address, vector_text(v, "address"));
        if (json_object_get(v, "seed") == NULL)
            continue;
        derive(curve_of(v), vector_hex(&f, v, "seed"), v, &key);
        assert_bytes(secret_bytes(&key.private_key), vector_hex(&f, v, "private"));
        assert_bytes(public_of(&key), vector_hex(&f, v, "public"));
        assert_string_equal(key.effective_path, vector_text(v, "effective"));
    }
    assert_int_equal(i, 6 * 11 * 3 + 2);
}

static void check_address(const char *words, const json_t *v, const char *address,
                          const char *effective)
{
    SEED_PHRASE_AUTO phrase = {0};
    SECRET_AUTO seed = {0};
    HD_KEY_AUTO key = {0};
    char made[ADDRESS_TEXT_SIZE];
    assert_ok(seed_phrase_read(bytes_str(words), &phrase));
    assert_ok(
        mnemonic_seed(secret_bytes(&phrase.entropy), secret_bytes(&phrase.passphrase), &seed));
    derive(curve_of(v), secret_bytes(&seed), v, &key);
    assert_ok(address_of(key.curve, public_of(&key), made));
    assert_string_equal(made, address);
    assert_string_equal(key.effective_path, effective);
}

static void the_known_addresses_of_known_phrases_are_reproduced(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "wallet/published.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "addresses"), i, v) check_address(
        vector_text(v, "words"), v, vector_text(v, "address"), vector_text(v, "path"));
    assert_int_equal(i, 4);
}

// Finding 31: the original's address is never given; the curve decides.
static void finding_31_addresses_are_those_of_their_networks(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/renclave/seed_vectors.json");
    size_t i, k, ethereum = 0, solana = 0;
    json_t *phrase, *v;
    json_array_foreach(vector_field(f.root, "vectors"), i, phrase)
        json_array_foreach(vector_field(phrase, "derive"), k, v)
    {
        const char *words = vector_text(phrase, "mnemonic");
        if (json_object_get(v, "solana_address") != NULL) {
            check_address(words, v, vector_text(v, "solana_address"),
                          vector_text(v, "effective_path"));
            solana++;
            continue;
        }
        assert_string_not_equal(vector_text(v, "correct_eth_address"),
                                vector_text(v, "original_address"));
        check_address(words, v, vector_text(v, "correct_eth_address"), vector_text(v, "path"));
        ethereum++;
    }
    assert_true(ethereum == 15 && solana == 10);
}

static void finding_31_one_path_gives_another_key_on_each_curve(void **state)
{
    (void)state;
    static const enum wallet_curve curves[] = {CURVE_SECP256K1, CURVE_ED25519, CURVE_P256};
    static const uint8_t seed[64] = {1};
    struct hd_key keys[3] = {0};
    char addresses[3][ADDRESS_TEXT_SIZE];
    for (size_t i = 0; i < 3; i++) {
        assert_ok(hd_derive(curves[i], BYTES_OF(seed), BYTES_LIT("m/44'/60'/0'"), &keys[i]));
        assert_ok(address_of(curves[i], public_of(&keys[i]), addresses[i]));
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(keys[i].private_key.p, keys[k].private_key.p, 32);
            assert_string_not_equal(addresses[i], addresses[k]);
        }
    }
    assert_int_equal(strlen(addresses[0]), 42);
    assert_int_equal(strlen(addresses[2]), 66);
    for (size_t i = 0; i < 3; i++)
        hd_key_free(&keys[i]);
}

// Whole, and in two pieces cut at several places.
static void check_keccak(struct bytes message, struct bytes expected)
{
    uint8_t hash[KECCAK256_SIZE];
    keccak256(&message, 1, hash);
    assert_bytes(BYTES_OF(hash), expected);
    for (size_t at = 0; at <= message.n; at += 45) {
        const struct bytes pieces[] = {bytes_of(message.p, at),
                                       bytes_of(message.p + at, message.n - at)};
        keccak256(pieces, 2, hash);
        assert_bytes(BYTES_OF(hash), expected);
    }
}

static size_t check_keccak_in(const char *file)
{
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, file);
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "keccak256"), i, v)
        check_keccak(vector_hex(&f, v, "message"), vector_hex(&f, v, "hash"));
    return i;
}

static void keccak_is_the_one_from_before_fips_202(void **state)
{
    (void)state;
    assert_int_equal(check_keccak_in("wallet/published.json"), 2);
    assert_int_equal(check_keccak_in("wallet/model.json"), 11);
}

static void base58_keeps_leading_zeros(void **state)
{
    (void)state;
    static const uint8_t zeros[32] = {0};
    uint8_t ones[32];
    char text[BASE58_TEXT_SIZE];
    memset(ones, 0xff, sizeof ones);
    base58_encode(BYTES_OF(zeros), text);
    assert_string_equal(text, "11111111111111111111111111111111");
    base58_encode(BYTES_OF(ones), text);
    assert_string_equal(text, "JEKNVnkbo3jma5nREBBJCDoXFVeKkD56V3xKrvRmWxFG");
    base58_encode(BYTES_LIT("\0\0a"), text);
    assert_string_equal(text, "112g");
    base58_encode(BYTES_LIT(""), text);
    assert_string_equal(text, "");
}

static void what_is_no_public_key_has_no_address(void **state)
{
    (void)state;
    uint8_t key[33];
    char address[ADDRESS_TEXT_SIZE];
    memset(key, 0xff, sizeof key);
    static const enum wallet_curve curves[] = {CURVE_SECP256K1, CURVE_ED25519, CURVE_P256};
    for (size_t i = 0; i < 3; i++) {
        size_t size = curve_public_size(curves[i]);
        assert_refused(address_of(curves[i], bytes_of(key, size), address), Q_CRYPTO,
                       "public key: expected");
        key[0] = 2; // the form of a compressed point, whose X is no coordinate
        assert_refused(address_of(curves[i], bytes_of(key, size), address), Q_CRYPTO,
                       "public key: expected");
        key[0] = 0xff;
        assert_refused(address_of(curves[i], bytes_of(key, size - 1), address), Q_CRYPTO,
                       "found 3");
        assert_refused(address_of(curves[i], BYTES_NONE, address), Q_CRYPTO, "found 0");
    }
}

static void curves_are_named_in_any_case(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum wallet_curve curve;
    } names[] = {
        {"CURVE_SECP256K1", CURVE_SECP256K1},
        {"secp256k1", CURVE_SECP256K1},
        {"Secp256K1", CURVE_SECP256K1},
        {"curve_secp256k1", CURVE_SECP256K1},
        {"CURVE_ED25519", CURVE_ED25519},
        {"Ed25519", CURVE_ED25519},
        {"CURVE_P256", CURVE_P256},
        {"p256", CURVE_P256},
        {"P-256", CURVE_P256},
        {"p-256", CURVE_P256},
    };
    static const char *const strangers[] = {"",          " secp256k1",    "secp256k1 ",
                                            "secp256r1", "P-384",         "curve",
                                            "secp256k",  "CURVE_P-256\n", "\xff"};
    enum wallet_curve curve;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_ok(curve_parse(bytes_str(names[i].name), &curve));
        assert_int_equal(curve, names[i].curve);
    }
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        assert_refused(
            curve_parse(bytes_str(strangers[i]), &curve), Q_BAD_INPUT,
            "curve: expected CURVE_SECP256K1, secp256k1, CURVE_ED25519, ed25519, CURVE_P256, "
            "p256 or P-256, found \"");
    assert_refused(curve_parse(BYTES_NONE, &curve), Q_BAD_INPUT, "found \"\"");
    assert_refused(curve_parse(BYTES_LIT("\x1b[2J"), &curve), Q_BAD_INPUT, "\\u{1b}[2J");
}

static void paths_are_read_strictly_and_written_in_one_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text;
    } good[] = {
        {"m", "m"},
        {"m/0", "m/0"},
        {"m/44'/60'/0'/0/0", "m/44'/60'/0'/0/0"},
        {"m/44h/60'/0h/0/0", "m/44'/60'/0'/0/0"},
        {"m/2147483647h/2147483647", "m/2147483647'/2147483647"},
    };
    static const struct {
        const char *path, *why;
    } bad[] = {
        {"", "no m"},
        {"M/0", "no m"},
        {"/0", "no m"},
        {"44'/60'", "no m"},
        {" m", "no m"},
        {"m0", "offset 1"},
        {"m ", "offset 1"},
        {"m/", "level 1, found none"},
        {"m//0", "level 1, found none"},
        {"m/0/", "level 2, found none"},
        {"m/'", "level 1, found none"},
        {"m/-1", "level 1, found none"},
        {"m/+1", "level 1, found none"},
        {"m/ 1", "level 1, found none"},
        {"m/0x1", "offset 3"},
        {"m/1''", "offset 4"},
        {"m/1H", "offset 3"},
        {"m/1 ", "offset 3"},
        {"m/00", "no leading zeros at level 1"},
        {"m/0/01'", "no leading zeros at level 2"},
        {"m/2147483648", "found a larger one"},
        {"m/2147483648'", "found a larger one"},
        {"m/4294967296", "found a larger one"},
        {"m/18446744073709551616", "found a larger one"},
        {"m/1\xe2\x80\x99", "offset 3"},
    };
    struct hd_path path;
    char text[HD_PATH_TEXT_SIZE];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_ok(hd_path_parse(bytes_str(good[i].path), &path));
        hd_path_text(&path, text);
        assert_string_equal(text, good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(hd_path_parse(bytes_str(bad[i].path), &path), Q_BAD_INPUT, bad[i].why);
    assert_refused(hd_path_parse(BYTES_NONE, &path), Q_BAD_INPUT, "no m");
}

static void a_path_of_32_levels_is_the_longest(void **state)
{
    (void)state;
    BUF_AUTO text = {0};
    struct hd_path path;
    char written[HD_PATH_TEXT_SIZE];
    assert_ok(buf_append_str(&text, "m"));
    for (size_t i = 0; i < HD_PATH_LEVELS_MAX; i++)
        assert_ok(buf_append_str(&text, "/2147483647'"));
    assert_ok(hd_path_parse(buf_bytes(&text), &path));
    hd_path_text(&path, written);
    assert_bytes(bytes_str(written), buf_bytes(&text));
    assert_ok(buf_append_str(&text, "/1"));
    assert_refused(hd_path_parse(buf_bytes(&text), &path), Q_LIMIT, "at most 32 levels");
}

static void seeds_of_other_sizes_are_refused(void **state)
{
    (void)state;
    static const uint8_t seed[HD_SEED_MAX + 1] = {0};
    static const size_t sizes[] = {0, 15, 65};
    HD_KEY_AUTO key = {0};
    for (size_t i = 0; i < 3; i++)
        assert_refused(hd_derive(CURVE_P256, bytes_of(seed, sizes[i]), BYTES_LIT("m"), &key),
                       Q_BAD_INPUT, "seed: expected from 16 to 64 bytes");
    assert_refused(hd_derive(CURVE_ED25519, bytes_of(seed, 64), BYTES_LIT("x"), &key), Q_BAD_INPUT,
                   "path: expected");
    assert_null(key.private_key.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_keys_of_bip32_are_reproduced),
        cmocka_unit_test(the_keys_of_slip10_are_reproduced),
        cmocka_unit_test(keys_and_addresses_are_those_of_the_model),
        cmocka_unit_test(the_known_addresses_of_known_phrases_are_reproduced),
        cmocka_unit_test(finding_31_addresses_are_those_of_their_networks),
        cmocka_unit_test(finding_31_one_path_gives_another_key_on_each_curve),
        cmocka_unit_test(keccak_is_the_one_from_before_fips_202),
        cmocka_unit_test(base58_keeps_leading_zeros),
        cmocka_unit_test(what_is_no_public_key_has_no_address),
        cmocka_unit_test(curves_are_named_in_any_case),
        cmocka_unit_test(paths_are_read_strictly_and_written_in_one_spelling),
        cmocka_unit_test(a_path_of_32_levels_is_the_longest),
        cmocka_unit_test(seeds_of_other_sizes_are_refused),
    };
    return cmocka_run_group_tests_name("wallet/hd_key", tests, NULL, NULL);
}
