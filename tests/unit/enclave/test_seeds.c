// Seeds of the built-in application (renclave 1.3, 2.7; findings 11, 12, 31, 32), under quorum keys of both suites.
#include "instance.h"

#include "app/wallet/mnemonic.h"

#define ZERO_12                                                                                    \
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "     \
    "about"
#define ZERO_ENTROPY "00000000000000000000000000000000"
#define ETHEREUM_PATH "m/44'/60'/0'/0/0"
#define ETHEREUM_OF_ZERO_12 "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"

static void open_seed(struct ceremony *c, const struct reply *r, struct seed_phrase *out)
{
    SECRET_AUTO stored = {0};
    SECRET_AUTO digits = {0};
    SECRET_AUTO entropy = {0};
    assert_ok(
        open_for(c, API_PURPOSE_SEED, of_hex(c, vector_text(r->json, "seed_phrase")), &stored));
    assert_ok(seed_phrase_read(secret_bytes(&stored), out));
    assert_ok(
        open_for(c, API_PURPOSE_ENTROPY, of_hex(c, vector_text(r->json, "entropy")), &digits));
    assert_ok(hex_decode_secret(secret_bytes(&digits), out->entropy.n, &entropy));
    assert_true(secret_equal(secret_bytes(&entropy), secret_bytes(&out->entropy)));
}

static void the_guide_s_body_makes_a_seed_of_24_words(void **state)
{
    struct ceremony *c = *state;
    SEED_PHRASE_AUTO phrase = {0};
    REPLY_AUTO r = post(c, "/generate-seed", "{\"seed_type\":\"test-seed\",\"seed_data\":\"x\"}");
    assert_success(&r);
    assert_int_equal(vector_number(r.json, "strength"), 256);
    assert_int_equal(vector_number(r.json, "word_count"), 24);
    open_seed(c, &r, &phrase);
    assert_int_equal(phrase.entropy.n, 32);
    assert_int_equal(phrase.passphrase.n, 0);
}

static void each_strength_makes_its_number_of_words(void **state)
{
    static const unsigned words[][2] = {{128, 12}, {160, 15}, {192, 18}, {224, 21}, {256, 24}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        SEED_PHRASE_AUTO phrase = {0};
        REPLY_AUTO r = post(*state, "/generate-seed", "{\"strength\":%u}", words[i][0]);
        assert_success(&r);
        assert_int_equal(vector_number(r.json, "word_count"), words[i][1]);
        open_seed(*state, &r, &phrase);
        assert_int_equal(phrase.entropy.n, words[i][0] / 8);
    }
}

static void other_strengths_are_refused(void **state)
{
    static const unsigned bad[] = {0, 8, 64, 96, 100, 129, 136, 288, 300, 320, 999, 4294967288};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REPLY_AUTO r = post(*state, "/generate-seed", "{\"strength\":%u}", bad[i]);
        assert_failure(&r, 400, "Invalid strength. Must be 128, 160, 192, 224, or 256 bits");
    }
}

static void no_two_seeds_are_the_same(void **state)
{
    SEED_PHRASE_AUTO one = {0};
    SEED_PHRASE_AUTO two = {0};
    REPLY_AUTO first = post(*state, "/generate-seed", "{}");
    REPLY_AUTO second = post(*state, "/generate-seed", "{}");
    open_seed(*state, &first, &one);
    open_seed(*state, &second, &two);
    assert_false(secret_equal(secret_bytes(&one.entropy), secret_bytes(&two.entropy)));
}

// Spaces stay, and words of the list are a passphrase and not more of the phrase.
static void finding_32_a_passphrase_is_kept_byte_for_byte(void **state)
{
    static const char *const passphrases[] = {"  two  spaces ", "about", "abandon abandon about",
                                              "p\xc3\xa4ss \xe6\x96\x87"};
    for (size_t i = 0; i < sizeof passphrases / sizeof *passphrases; i++) {
        SEED_PHRASE_AUTO phrase = {0};
        REPLY_AUTO r = post(*state, "/generate-seed", "{\"strength\":128,\"passphrase\":\"%s\"}",
                            passphrases[i]);
        assert_success(&r);
        assert_int_equal(vector_number(r.json, "word_count"), 12);
        open_seed(*state, &r, &phrase);
        assert_int_equal(phrase.entropy.n, 16);
        assert_bytes(secret_bytes(&phrase.passphrase), bytes_str(passphrases[i]));
    }
}

static void a_passphrase_that_is_too_long_is_refused(void **state)
{
    char text[PASSPHRASE_BYTES_MAX + 2];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    REPLY_AUTO r = post(*state, "/generate-seed", "{\"passphrase\":\"%s\"}", text);
    assert_failure(&r, 400, "passphrase");
}

static void what_was_generated_validates_and_derives(void **state)
{
    REPLY_AUTO seed = post(*state, "/generate-seed", "{\"strength\":160,\"passphrase\":\"a b\"}");
    const char *envelope = vector_text(seed.json, "seed_phrase");
    REPLY_AUTO valid = post(*state, "/validate-seed", "{\"seed_phrase\":\"%s\"}", envelope);
    assert_success(&valid);
    assert_true(json_is_true(vector_field(valid.json, "valid")));
    assert_int_equal(vector_number(valid.json, "word_count"), 17);
    assert_true(json_is_null(vector_field(valid.json, "entropy_match")));
    REPLY_AUTO key = post(*state, "/derive-key",
                          "{\"encrypted_seed_phrase\":\"%s\",\"path\":\"" ETHEREUM_PATH
                          "\",\"curve\":\"P-256\"}",
                          envelope);
    assert_success(&key);
    assert_int_equal(strlen(vector_text(key.json, "public_key")), 66);
}

static void assert_not_data(struct ceremony *c, const char *hex)
{
    REPLY_AUTO r =
        post(c, "/enclave/decrypt-data", "{\"encrypted_data\":%s}", as_array(c, of_hex(c, hex)));
    assert_failure(&r, 400, "Data decryption failed");
}

static void finding_11_decrypt_data_opens_no_seed_no_entropy_and_no_key(void **state)
{
    REPLY_AUTO seed = post(*state, "/generate-seed", "{}");
    assert_not_data(*state, vector_text(seed.json, "seed_phrase"));
    assert_not_data(*state, vector_text(seed.json, "entropy"));
    REPLY_AUTO key =
        post(*state, "/derive-key",
             "{\"encrypted_seed_phrase\":\"%s\",\"path\":\"m\",\"curve\":\"secp256k1\"}",
             vector_text(seed.json, "seed_phrase"));
    assert_success(&key);
    assert_not_data(*state, vector_text(key.json, "private_key"));
}

static void finding_11_and_no_envelope_stands_for_one_of_another_purpose(void **state)
{
    struct ceremony *c = *state;
    BUF_AUTO text = {0};
    assert_ok(buf_append_str(&text, ZERO_12));
    REPLY_AUTO data = post(c, "/enclave/encrypt-data", "{\"data\":%s,\"recipient_public\":[]}",
                           as_array(c, buf_bytes(&text)));
    assert_success(&data);
    const char *hex = as_hex(c, byte_array(c, &data, "encrypted_data"));
    REPLY_AUTO r = post(c, "/validate-seed", "{\"seed_phrase\":\"%s\"}", hex);
    assert_success(&r);
    assert_true(json_is_false(vector_field(r.json, "valid")));
    assert_int_equal(vector_number(r.json, "word_count"), 1);
    REPLY_AUTO derived =
        post(c, "/derive-address",
             "{\"encrypted_seed_phrase\":\"%s\",\"path\":\"m\",\"curve\":\"secp256k1\"}", hex);
    assert_failure(&derived, 400, "Failed to decrypt seed phrase");
}

static void finding_27_purposes_part_what_one_key_does(void **state)
{
    static const char *const purposes[] = {API_PURPOSE_SEED,        API_PURPOSE_ENTROPY,
                                           API_PURPOSE_PRIVATE_KEY, API_PURPOSE_DATA,
                                           API_PURPOSE_STORED_DATA, ""};
    struct ceremony *c = *state;
    for (size_t i = 0; i < 5; i++) {
        SECRET_AUTO envelope = {0};
        assert_ok(custody_use_for(c->enclave->keyring, KEY_QUORUM, USE_SEAL, bytes_str(purposes[i]),
                                  BYTES_LIT("x"), &envelope));
        for (size_t k = 0; k < 6; k++) {
            SECRET_AUTO opened = {0};
            assert_int_equal(open_for(c, purposes[k], secret_bytes(&envelope), &opened),
                             i == k ? Q_OK : Q_CRYPTO);
        }
    }
}

static void finding_12_the_entropy_of_a_sealed_seed_stays_sealed(void **state)
{
    REPLY_AUTO seed = post(*state, "/generate-seed", "{}");
    REPLY_AUTO r =
        post(*state, "/validate-seed", "{\"seed_phrase\":\"%s\",\"encrypted_entropy\":\"%s\"}",
             vector_text(seed.json, "seed_phrase"), vector_text(seed.json, "entropy"));
    assert_success(&r);
    assert_true(json_is_true(vector_field(r.json, "valid")));
    assert_true(json_is_true(vector_field(r.json, "entropy_match")));
    assert_true(json_is_null(vector_field(r.json, "derived_entropy")));
}

static const char *sealed_entropy(struct ceremony *c, const char *digits)
{
    SECRET_AUTO envelope = {0};
    assert_ok(custody_use_for(c->enclave->keyring, KEY_QUORUM, USE_SEAL,
                              BYTES_LIT(API_PURPOSE_ENTROPY), bytes_str(digits), &envelope));
    return as_hex(c, secret_bytes(&envelope));
}

static void finding_12_a_phrase_in_clear_gets_its_own_entropy(void **state)
{
    REPLY_AUTO r = post(*state, "/validate-seed",
                        "{\"seed_phrase\":\"" ZERO_12 "\",\"encrypted_entropy\":\"%s\"}",
                        sealed_entropy(*state, ZERO_ENTROPY));
    assert_success(&r);
    assert_true(json_is_true(vector_field(r.json, "entropy_match")));
    assert_string_equal(vector_text(r.json, "derived_entropy"), ZERO_ENTROPY);
    REPLY_AUTO other = post(*state, "/validate-seed",
                            "{\"seed_phrase\":\"" ZERO_12 "\",\"encrypted_entropy\":\"%s\"}",
                            sealed_entropy(*state, "11111111111111111111111111111111"));
    assert_success(&other);
    assert_true(json_is_false(vector_field(other.json, "entropy_match")));
    assert_string_equal(vector_text(other.json, "derived_entropy"), ZERO_ENTROPY);
}

static void entropy_that_cannot_be_opened_does_not_match(void **state)
{
    static const char *const bad[] = {
        "", "00", "zz", "af1adfb81e222380b9cb2dcc5407f6d4fea7ab14b713b17fb6b1f9e068176e32"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REPLY_AUTO r =
            post(*state, "/validate-seed",
                 "{\"seed_phrase\":\"" ZERO_12 "\",\"encrypted_entropy\":\"%s\"}", bad[i]);
        assert_success(&r);
        assert_true(json_is_true(vector_field(r.json, "valid")));
        assert_true(json_is_false(vector_field(r.json, "entropy_match")));
        assert_true(json_is_null(vector_field(r.json, "derived_entropy")));
    }
    REPLY_AUTO odd = post(*state, "/validate-seed",
                          "{\"seed_phrase\":\"" ZERO_12 "\",\"encrypted_entropy\":\"%s\"}",
                          sealed_entropy(*state, "not hex, sealed as entropy......"));
    assert_true(json_is_false(vector_field(odd.json, "entropy_match")));
}

static void check_validation(struct ceremony *c, const json_t *v)
{
    REPLY_AUTO r =
        post(c, "/validate-seed", "{\"seed_phrase\":\"%s\"}", vector_text(v, "seed_phrase"));
    if (json_object_get(v, "http") != NULL) {
        assert_failure(&r, vector_number(v, "http"), "Seed phrase cannot be empty");
        return;
    }
    assert_success(&r);
    assert_int_equal(json_is_true(vector_field(r.json, "valid")),
                     json_is_true(vector_field(v, "valid")));
    assert_int_equal(vector_number(r.json, "word_count"), vector_number(v, "word_count"));
}

static void check_validations(struct ceremony *c)
{
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/renclave/seed_vectors.json");
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "validate_cases"), i, v) check_validation(c, v);
    assert_int_equal(i, 7);
}

static void phrases_are_judged_as_the_vectors_say(void **state)
{
    check_validations(*state);
}

static void also_before_there_is_a_key(void **state)
{
    struct ceremony *c = *state;
    static const enum phase phases[] = {
        PHASE_WAITING_FOR_BOOT_INSTRUCTION, PHASE_GENESIS_BOOTED, PHASE_WAITING_FOR_QUORUM_SHARDS,
        PHASE_WAITING_FOR_FORWARDED_KEY, PHASE_QUORUM_KEY_PROVISIONED};
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        c->enclave->phase = phases[i];
        check_validations(c);
        REPLY_AUTO r = post(c, "/derive-address",
                            "{\"encrypted_seed_phrase\":\"" ZERO_12 "\",\"path\":\"" ETHEREUM_PATH
                            "\",\"curve\":\"secp256k1\"}");
        assert_success(&r);
        assert_string_equal(vector_text(r.json, "address"), ETHEREUM_OF_ZERO_12);
    }
}

static void without_a_key_no_envelope_is_opened_and_none_is_made(void **state)
{
    struct ceremony *c = *state;
    static const char text[] = "Quorum key not provisioned. Please complete Genesis Boot and Share "
                               "Injection first.";
    REPLY_AUTO seed = post(c, "/generate-seed", "{}");
    const char *envelope = vector_text(seed.json, "seed_phrase");
    keyring_remove(c->enclave->keyring, KEY_QUORUM);
    c->enclave->phase = PHASE_WAITING_FOR_QUORUM_SHARDS;
    REPLY_AUTO generate = post(c, "/generate-seed", "{}");
    assert_failure(&generate, 503, "Cannot generate seed: ");
    assert_failure(&generate, 503, text);
    REPLY_AUTO validate = post(c, "/validate-seed", "{\"seed_phrase\":\"%s\"}", envelope);
    assert_failure(&validate, 503, text);
    REPLY_AUTO match =
        post(c, "/validate-seed", "{\"seed_phrase\":\"" ZERO_12 "\",\"encrypted_entropy\":\"%s\"}",
             vector_text(seed.json, "entropy"));
    assert_failure(&match, 503, text);
    REPLY_AUTO address =
        post(c, "/derive-address",
             "{\"encrypted_seed_phrase\":\"%s\",\"path\":\"m\",\"curve\":\"secp256k1\"}", envelope);
    assert_failure(&address, 503, text);
    REPLY_AUTO key =
        post(c, "/derive-key",
             "{\"encrypted_seed_phrase\":\"" ZERO_12 "\",\"path\":\"m\",\"curve\":\"secp256k1\"}");
    assert_failure(&key, 503, text);
}

static void after_an_unrecoverable_error_nothing_is_answered(void **state)
{
    struct ceremony *c = *state;
    c->enclave->phase = PHASE_UNRECOVERABLE_ERROR;
    REPLY_AUTO validate = post(c, "/validate-seed", "{\"seed_phrase\":\"" ZERO_12 "\"}");
    assert_failure(&validate, 409, "UnrecoverableError");
    REPLY_AUTO generate = post(c, "/generate-seed", "{}");
    assert_failure(&generate, 409, "UnrecoverableError");
}

static void an_application_of_quorum_os_has_no_built_in_one_beside_it(void **state)
{
    struct ceremony *c = *state;
    c->enclave->phase = PHASE_QUORUM_KEY_PROVISIONED;
    c->enclave->birth = BIRTH_KEY_DROPPED;
    REPLY_AUTO generate = post(c, "/generate-seed", "{}");
    assert_failure(&generate, 409, "QuorumKeyProvisioned");
}

static void check_derivation(struct ceremony *c, const char *seed, const json_t *v)
{
    bool solana = json_object_get(v, "solana_address") != NULL;
    const char *address = vector_text(v, solana ? "solana_address" : "correct_eth_address");
    REPLY_AUTO r = post(c, "/derive-key",
                        "{\"encrypted_seed_phrase\":\"%s\",\"path\":\"%s\",\"curve\":\"%s\"}", seed,
                        vector_text(v, "path"), vector_text(v, "curve"));
    assert_success(&r);
    assert_string_equal(vector_text(r.json, "address"), address);
    assert_string_equal(vector_text(r.json, "public_key"), vector_text(v, "public_key_hex"));
    assert_string_equal(vector_text(r.json, "path"), vector_text(v, "path"));
    assert_string_equal(vector_text(r.json, "curve"), vector_text(v, "curve"));
    if (json_object_get(v, "effective_path") != NULL)
        assert_string_equal(vector_text(r.json, "effective_path"),
                            vector_text(v, "effective_path"));
    SECRET_AUTO private = {0};
    assert_ok(open_for(c, API_PURPOSE_PRIVATE_KEY, of_hex(c, vector_text(r.json, "private_key")),
                       &private));
    assert_string_equal(as_hex(c, secret_bytes(&private)), vector_text(v, "private_key_hex"));
    REPLY_AUTO only = post(c, "/derive-address",
                           "{\"encrypted_seed_phrase\":\"%s\",\"path\":\"%s\",\"curve\":\"%s\"}",
                           seed, vector_text(v, "path"), vector_text(v, "curve"));
    assert_success(&only);
    assert_string_equal(vector_text(only.json, "address"), address);
}

static const char *sealed_text(struct ceremony *c, const char *text)
{
    SECRET_AUTO envelope = {0};
    assert_ok(custody_use_for(c->enclave->keyring, KEY_QUORUM, USE_SEAL,
                              BYTES_LIT(API_PURPOSE_SEED), bytes_str(text), &envelope));
    return as_hex(c, secret_bytes(&envelope));
}

static void finding_31_keys_and_addresses_are_those_of_the_curve(void **state)
{
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/renclave/seed_vectors.json");
    size_t i, k, count = 0;
    json_t *v, *d;
    json_array_foreach(vector_field(f.root, "vectors"), i, v)
    {
        const char *text = vector_text(v, "mnemonic");
        json_array_foreach(vector_field(v, "derive"), k, d)
        {
            check_derivation(*state, text, d);
            check_derivation(*state, sealed_text(*state, text), d);
            count++;
        }
    }
    assert_int_equal(count, 25);
}

static void finding_32_a_passphrase_takes_part_in_the_seed(void **state)
{
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/renclave/seed_vectors.json");
    const json_t *v = vector_field(f.root, "passphrase_case");
    const char *text = vector_text(v, "seed_phrase_as_stored");
    REPLY_AUTO r =
        post(*state, "/derive-key",
             "{\"encrypted_seed_phrase\":\"%s\",\"path\":\"%s\",\"curve\":\"secp256k1\"}",
             sealed_text(*state, text), vector_text(v, "path"));
    assert_success(&r);
    assert_string_equal(vector_text(r.json, "address"), vector_text(v, "correct_eth_address"));
    assert_string_equal(vector_text(r.json, "public_key"), vector_text(v, "public_key_hex"));
}

static void members_that_are_blank_or_unknown_are_named(void **state)
{
    static const char *const bad[][2] = {
        {"\" \",\"path\":\"m\",\"curve\":\"x\"", "Encrypted seed phrase cannot be empty"},
        {"\"x\",\"path\":\" \",\"curve\":\"x\"", "Derivation path cannot be empty"},
        {"\"x\",\"path\":\"m\",\"curve\":\"\"", "Curve cannot be empty"},
        {"\"x\",\"path\":\"m\",\"curve\":\"CURVE_X\"", "secp256k1"},
        {"\"invalid_hex_string\",\"path\":\"m\",\"curve\":\"ed25519\"",
         "Failed to decrypt seed phrase"},
        {"\"" ZERO_12 "\",\"path\":\"invalid/path\",\"curve\":\"ed25519\"", "path"},
        {"\"" ZERO_12 "\",\"path\":\"m/2147483648\",\"curve\":\"ed25519\"", "path"},
    };
    static const char *const routes[] = {"/derive-key", "/derive-address"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (size_t k = 0; k < 2; k++) {
            REPLY_AUTO r = post(*state, routes[k], "{\"encrypted_seed_phrase\":%s}", bad[i][0]);
            assert_failure(&r, 400, bad[i][1]);
        }
    }
}

// The migration fact (renclave 7): seeds in clients' databases are the original's envelopes.
static void old_envelopes_of_both_forms_open_as_seeds_and_never_as_data(void **state)
{
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/renclave/envelope_vectors.json");
    struct ceremony *c = *state;
    size_t i, seeds = 0;
    json_t *v;
    json_array_foreach(vector_field(f.root, "vectors"), i, v)
    {
        const char *envelope = vector_text(v, "envelope_hex");
        assert_not_data(c, envelope);
        if (strcmp(vector_text(v, "label"), "mnemonic12") != 0)
            continue;
        seeds++;
        REPLY_AUTO r = post(c, "/validate-seed", "{\"seed_phrase\":\"%s\"}", envelope);
        assert_success(&r);
        assert_true(json_is_true(vector_field(r.json, "valid")));
        assert_int_equal(vector_number(r.json, "word_count"), 12);
        REPLY_AUTO address = post(c, "/derive-address",
                                  "{\"encrypted_seed_phrase\":\"%s\",\"path\":\"" ETHEREUM_PATH
                                  "\",\"curve\":\"CURVE_SECP256K1\"}",
                                  envelope);
        assert_success(&address);
        assert_string_equal(vector_text(address.json, "address"), ETHEREUM_OF_ZERO_12);
    }
    assert_int_equal(seeds, 2);
}

// gauth keeps both envelopes of a seed and sends them back together.
static void old_envelopes_of_entropy_are_compared(void **state)
{
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/renclave/envelope_vectors.json");
    size_t i, count = 0;
    json_t *v;
    json_array_foreach(vector_field(f.root, "vectors"), i, v)
    {
        if (strcmp(vector_text(v, "label"), "entropy_ascii") != 0)
            continue;
        count++;
        REPLY_AUTO r = post(*state, "/validate-seed",
                            "{\"seed_phrase\":\"abandon abandon abandon abandon abandon abandon "
                            "abandon abandon abandon abandon abandon abandon abandon abandon "
                            "abandon abandon abandon abandon abandon abandon abandon abandon "
                            "abandon art\",\"encrypted_entropy\":\"%s\"}",
                            vector_text(v, "envelope_hex"));
        assert_success(&r);
        assert_true(json_is_true(vector_field(r.json, "entropy_match")));
    }
    assert_int_equal(count, 2);
}

// Under AddressSanitizer this also proves that no request keeps memory.
static void hundreds_of_requests_leave_nothing_behind(void **state)
{
    struct ceremony *c = *state;
    for (size_t i = 0; i < 300; i++) {
        REPLY_AUTO seed = post(c, "/generate-seed", "{}");
        REPLY_AUTO valid = post(c, "/validate-seed", "{\"seed_phrase\":\"%s\"}",
                                vector_text(seed.json, "seed_phrase"));
        assert_success(&valid);
        arena_free(&c->arena);
    }
}

#define BOTH(test)                                                                                 \
    {#test "/renclave", test, instance_setup_renclave, ceremony_teardown, NULL},                   \
    {                                                                                              \
#test "/qos", test, instance_setup_qos, ceremony_teardown, NULL                            \
    }
#define ORIGINAL(test)                                                                             \
    {                                                                                              \
#test, test, instance_setup_renclave, ceremony_teardown, NULL                              \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(the_guide_s_body_makes_a_seed_of_24_words),
        BOTH(each_strength_makes_its_number_of_words),
        BOTH(other_strengths_are_refused),
        BOTH(no_two_seeds_are_the_same),
        BOTH(finding_32_a_passphrase_is_kept_byte_for_byte),
        BOTH(a_passphrase_that_is_too_long_is_refused),
        BOTH(what_was_generated_validates_and_derives),
        BOTH(finding_11_decrypt_data_opens_no_seed_no_entropy_and_no_key),
        BOTH(finding_11_and_no_envelope_stands_for_one_of_another_purpose),
        BOTH(finding_27_purposes_part_what_one_key_does),
        BOTH(finding_12_the_entropy_of_a_sealed_seed_stays_sealed),
        BOTH(finding_12_a_phrase_in_clear_gets_its_own_entropy),
        BOTH(entropy_that_cannot_be_opened_does_not_match),
        BOTH(phrases_are_judged_as_the_vectors_say),
        BOTH(also_before_there_is_a_key),
        BOTH(without_a_key_no_envelope_is_opened_and_none_is_made),
        BOTH(after_an_unrecoverable_error_nothing_is_answered),
        BOTH(an_application_of_quorum_os_has_no_built_in_one_beside_it),
        BOTH(finding_31_keys_and_addresses_are_those_of_the_curve),
        BOTH(finding_32_a_passphrase_takes_part_in_the_seed),
        BOTH(members_that_are_blank_or_unknown_are_named),
        ORIGINAL(old_envelopes_of_both_forms_open_as_seeds_and_never_as_data),
        ORIGINAL(old_envelopes_of_entropy_are_compared),
        BOTH(hundreds_of_requests_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
