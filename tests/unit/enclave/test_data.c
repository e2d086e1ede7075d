// Data and signatures of the built-in application (renclave 1.3, 2.8; findings 11, 22, 37, 39), under quorum keys of
// both suites.
#include "instance.h"

#include "app/wallet/hd_key.h"
#include "app/wallet/mnemonic.h"
#include "app/wallet/transaction.h"
#include "protocol/manifest.h"

#define SEED_SIGNER(path, curve)                                                                   \
    "\"signer\":{\"encrypted_seed_phrase\":\"abandon abandon abandon abandon abandon abandon "     \
    "abandon abandon abandon abandon abandon about\",\"path\":\"" path "\",\"curve\":\"" curve     \
    "\"}"

static struct bytes encrypt(struct ceremony *c, struct bytes data, struct bytes recipient)
{
    REPLY_AUTO r = post(c, "/enclave/encrypt-data", "{\"data\":%s,\"recipient_public\":%s}",
                        as_array(c, data), as_array(c, recipient));
    assert_success(&r);
    assert_true(json_is_true(vector_field(r.json, "success")));
    return byte_array(c, &r, "encrypted_data");
}

static struct bytes decrypt(struct ceremony *c, struct bytes envelope)
{
    REPLY_AUTO r =
        post(c, "/enclave/decrypt-data", "{\"encrypted_data\":%s}", as_array(c, envelope));
    assert_success(&r);
    assert_true(json_is_true(vector_field(r.json, "success")));
    return byte_array(c, &r, "decrypted_data");
}

static void data_comes_back(void **state)
{
    static const uint8_t bytes[300] = {0, 1, 255, 7};
    static const size_t sizes[] = {0, 1, 16, 300};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct bytes data = bytes_of(bytes, sizes[i]);
        struct bytes envelope = encrypt(*state, data, BYTES_LIT(""));
        assert_int_equal(envelope.n, data.n + P256_ENVELOPE_OVERHEAD);
        assert_bytes(decrypt(*state, envelope), data);
    }
}

static void a_changed_or_cut_envelope_is_refused(void **state)
{
    struct ceremony *c = *state;
    struct bytes envelope = encrypt(c, BYTES_LIT("data"), BYTES_LIT(""));
    uint8_t bad[128];
    for (size_t i = 0; i <= envelope.n; i++) {
        memcpy(bad, envelope.p, envelope.n);
        if (i < envelope.n)
            bad[i] ^= 1;
        size_t n = i < envelope.n ? envelope.n : envelope.n - 1;
        REPLY_AUTO r = post(c, "/enclave/decrypt-data", "{\"encrypted_data\":%s}",
                            as_array(c, bytes_of(bad, n)));
        assert_failure(&r, 400, "Data decryption failed");
    }
    REPLY_AUTO empty = post(c, "/enclave/decrypt-data", "{\"encrypted_data\":[]}");
    assert_failure(&empty, 400, "Data decryption failed");
}

static void finding_39_the_recipient_is_who_can_open_it(void **state)
{
    static const enum p256_suite suites[] = {P256_SUITE_RENCLAVE, P256_SUITE_QOS};
    struct ceremony *c = *state;
    for (size_t i = 0; i < 2; i++) {
        P256_PAIR_AUTO *recipient = NULL;
        SECRET_AUTO opened = {0};
        assert_ok(p256_pair_generate_suite(suites[i], &recipient));
        struct bytes key = p256_public_short(p256_pair_public(recipient));
        assert_int_equal(key.n, i == 0 ? P256_POINT_SIZE : P256_PUBLIC_SIZE);
        struct bytes envelope = encrypt(c, BYTES_LIT("for you"), key);
        assert_ok(p256_open(recipient, envelope, &opened));
        assert_bytes(secret_bytes(&opened), BYTES_LIT("for you"));
        REPLY_AUTO r =
            post(c, "/enclave/decrypt-data", "{\"encrypted_data\":%s}", as_array(c, envelope));
        assert_failure(&r, 400, "Data decryption failed");
    }
}

static void finding_39_the_quorum_key_can_be_named_as_the_recipient(void **state)
{
    struct ceremony *c = *state;
    struct bytes key = p256_public_short(keyring_public(c->enclave->keyring, KEY_QUORUM));
    assert_bytes(decrypt(c, encrypt(c, BYTES_LIT("mine"), key)), BYTES_LIT("mine"));
}

static void finding_39_what_is_no_key_is_refused(void **state)
{
    struct ceremony *c = *state;
    uint8_t long_key[2 * P256_PUBLIC_SIZE], short_key[P256_POINT_SIZE];
    P256_PAIR_AUTO *pair = NULL;
    assert_ok(p256_pair_generate_suite(P256_SUITE_RENCLAVE, &pair));
    struct bytes twice = p256_public_bytes(p256_pair_public(pair));
    memcpy(long_key, twice.p, twice.n);
    memcpy(long_key + twice.n, twice.p, twice.n);
    memcpy(short_key, twice.p, sizeof short_key);
    short_key[64] ^= 1;
    const struct bytes bad[] = {bytes_of(long_key, 1),
                                bytes_of(long_key, 33),
                                bytes_of(long_key, 64),
                                bytes_of(long_key, 66),
                                bytes_of(long_key, 129),
                                twice, // one key has one form
                                bytes_of(long_key, 131),
                                bytes_of(long_key, 260),
                                BYTES_OF(short_key)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REPLY_AUTO r = post(c, "/enclave/encrypt-data", "{\"data\":[1],\"recipient_public\":%s}",
                            as_array(c, bad[i]));
        assert_failure(&r, 400, "Data encryption failed: recipient_public");
    }
    REPLY_AUTO absent = post(c, "/enclave/encrypt-data", "{\"data\":[1]}");
    assert_failure(&absent, 422, "recipient_public");
}

// Raw r || s of a DER signature whose numbers are what this test's signatures have: at most 33 bytes each.
static struct bytes raw_of(struct ceremony *c, struct bytes der)
{
    void *out;
    assert_ok(arena_alloc(&c->arena, P256_SIGNATURE_SIZE, &out));
    uint8_t *raw = out;
    assert_int_equal(der.p[0], 0x30);
    assert_int_equal(der.p[1], der.n - 2);
    size_t at = 2;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(der.p[at], 0x02);
        size_t n = der.p[at + 1];
        const uint8_t *number = der.p + at + 2;
        at += 2 + n;
        if (n == 33) {
            assert_int_equal(*number, 0);
            assert_true(number[1] >= 0x80);
            number++;
            n--;
        }
        assert_in_range(n, 1, 32);
        memcpy(raw + 32 * (i + 1) - n, number, n);
    }
    assert_int_equal(at, der.n);
    return bytes_of(raw, P256_SIGNATURE_SIZE);
}

static void check_quorum_signature(struct ceremony *c, const struct reply *r, const char *domain,
                                   struct bytes message)
{
    BUF_AUTO text = {0};
    assert_success(r);
    const struct p256_public *quorum = keyring_public(c->enclave->keyring, KEY_QUORUM);
    assert_bytes(byte_array(c, r, "public_key"),
                 bytes_of(quorum->bytes + P256_POINT_SIZE, P256_POINT_SIZE));
    assert_string_equal(strchr(vector_text(r->json, "algorithm"), '/') + 1, domain);
    struct bytes raw = raw_of(c, byte_array(c, r, "signature"));
    assert_ok(buf_append_str(&text, domain));
    assert_ok(buf_u8(&text, 0));
    assert_ok(buf_append(&text, message));
    assert_ok(p256_verify(quorum, buf_bytes(&text), raw));
    assert_int_equal(p256_verify(quorum, message, raw), Q_CRYPTO);
}

static void finding_22_and_37_the_quorum_key_signs_and_its_signature_verifies(void **state)
{
    struct ceremony *c = *state;
    static const uint8_t bytes[64] = "hello";
    for (size_t n = 0; n <= sizeof bytes; n += 13) {
        struct bytes message = bytes_of(bytes, n);
        REPLY_AUTO r = post(c, "/enclave/sign-message", "{\"message\":%s}", as_array(c, message));
        check_quorum_signature(c, &r, API_DOMAIN_MESSAGE, message);
        REPLY_AUTO t =
            post(c, "/enclave/sign-transaction", "{\"transaction_data\":%s}", as_array(c, message));
        check_quorum_signature(c, &t, API_DOMAIN_TRANSACTION, message);
        assert_int_equal(vector_number(t.json, "recovery_id"), 0);
    }
}

// What the protocol signs or verifies with the quorum key: a manifest's hash, a forwarded key's envelope.
static void nothing_the_protocol_signs_can_be_had_from_sign_message(void **state)
{
    struct ceremony *c = *state;
    uint8_t hash[SHA256_SIZE];
    BUF_AUTO envelope = {0};
    const struct p256_public *quorum = keyring_public(c->enclave->keyring, KEY_QUORUM);
    assert_ok(manifest_hash(&c->envelope.manifest, hash));
    assert_ok(p256_seal(quorum, p256_pair_seed(c->quorum), &envelope));
    const struct bytes texts[] = {BYTES_OF(hash), buf_bytes(&envelope)};
    for (size_t i = 0; i < 2; i++) {
        REPLY_AUTO r = post(c, "/enclave/sign-message", "{\"message\":%s}", as_array(c, texts[i]));
        check_quorum_signature(c, &r, API_DOMAIN_MESSAGE, texts[i]);
        REPLY_AUTO t = post(c, "/enclave/sign-transaction", "{\"transaction_data\":%s}",
                            as_array(c, texts[i]));
        check_quorum_signature(c, &t, API_DOMAIN_TRANSACTION, texts[i]);
    }
    // No text that begins as one of the domains is an envelope: its ephemeral point would have to begin there.
    assert_int_not_equal(API_DOMAIN_MESSAGE[12], 4);
    assert_int_not_equal(API_DOMAIN_TRANSACTION[12], 4);
}

static void derived_key(const char *path, const char *curve, struct hd_key *out)
{
    SECRET_AUTO seed = {0};
    static const uint8_t entropy[16];
    enum wallet_curve which;
    assert_ok(curve_parse(bytes_str(curve), &which));
    assert_ok(mnemonic_seed(BYTES_OF(entropy), BYTES_NONE, &seed));
    assert_ok(hd_derive(which, secret_bytes(&seed), bytes_str(path), out));
}

static void check_derived(struct ceremony *c, const struct reply *r, const char *path,
                          const char *curve, enum signed_as as)
{
    HD_KEY_AUTO key = {0};
    struct wallet_signature expected;
    derived_key(path, curve, &key);
    assert_ok(
        wallet_sign(key.curve, secret_bytes(&key.private_key), as, BYTES_LIT("\1\2\3"), &expected));
    assert_success(r);
    struct bytes signature = expected.der_size > 0 ? bytes_of(expected.der, expected.der_size)
                                                   : BYTES_OF(expected.compact);
    assert_bytes(byte_array(c, r, "signature"), signature);
    assert_bytes(byte_array(c, r, "public_key"), bytes_of(key.public_key, key.public_size));
    assert_string_equal(vector_text(r->json, "algorithm"), expected.algorithm);
    if (as == SIGNED_AS_TRANSACTION)
        assert_int_equal(vector_number(r->json, "recovery_id"),
                         expected.has_recovery_id ? expected.recovery_id : 0);
}

#define CHECK_DERIVED(path, curve)                                                                 \
    do {                                                                                           \
        REPLY_AUTO t_ = post(c, "/enclave/sign-transaction",                                       \
                             "{\"transaction_data\":[1,2,3]," SEED_SIGNER(path, curve) "}");       \
        check_derived(c, &t_, path, curve, SIGNED_AS_TRANSACTION);                                 \
        REPLY_AUTO m_ = post(c, "/enclave/sign-message",                                           \
                             "{\"message\":[1,2,3]," SEED_SIGNER(path, curve) "}");                \
        check_derived(c, &m_, path, curve, SIGNED_AS_MESSAGE);                                     \
    } while (0)

static void finding_22_a_signer_s_own_key_signs(void **state)
{
    struct ceremony *c = *state;
    CHECK_DERIVED("m/44'/60'/0'/0/0", "CURVE_SECP256K1");
    CHECK_DERIVED("m/44'/60'/0'/0/1", "secp256k1");
    CHECK_DERIVED("m/44'/60'/0'/0/2", "secp256k1");
    CHECK_DERIVED("m/44'/501'/0'/0/0", "CURVE_ED25519");
    CHECK_DERIVED("m/44'/0'/0'", "P-256");
}

static void a_signer_that_is_not_whole_is_refused(void **state)
{
    REPLY_AUTO curve = post(*state, "/enclave/sign-message",
                            "{\"message\":[1]," SEED_SIGNER("m", "curve25519") "}");
    assert_failure(&curve, 400, "Message signing failed");
    REPLY_AUTO path = post(*state, "/enclave/sign-transaction",
                           "{\"transaction_data\":[1]," SEED_SIGNER("44'", "secp256k1") "}");
    assert_failure(&path, 400, "Transaction signing failed");
    REPLY_AUTO empty = post(*state, "/enclave/sign-transaction",
                            "{\"transaction_data\":[]," SEED_SIGNER("m", "secp256k1") "}");
    assert_failure(&empty, 400, "Transaction signing failed");
    REPLY_AUTO part = post(*state, "/enclave/sign-message",
                           "{\"message\":[1],\"signer\":{\"path\":\"m\",\"curve\":\"ed25519\"}}");
    assert_failure(&part, 422, "encrypted_seed_phrase");
}

static void before_there_is_a_key_nothing_is_sealed_opened_or_signed(void **state)
{
    static const char *const requests[][2] = {
        {"/enclave/encrypt-data", "{\"data\":[1],\"recipient_public\":[]}"},
        {"/enclave/decrypt-data", "{\"encrypted_data\":[1]}"},
        {"/enclave/sign-transaction", "{\"transaction_data\":[1]}"},
        {"/enclave/sign-message", "{\"message\":[1]}"},
        {"/enclave/store-data", "{\"key\":\"k\",\"data\":[1]}"},
    };
    struct ceremony *c = *state;
    c->enclave->phase = PHASE_WAITING_FOR_BOOT_INSTRUCTION;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        REPLY_AUTO r = call(c, "POST", requests[i][0], "", requests[i][1]);
        assert_failure(&r, 503, "Quorum key not provisioned");
    }
    REPLY_AUTO get = call(c, "GET", "/enclave/get-data", "key=k", "");
    assert_failure(&get, 503, "Quorum key not provisioned");
}

static void wrong_bytes_are_told_by_their_place(void **state)
{
    static const char *const bad[] = {"[256]", "[-1]", "[1.5]", "[\"1\"]", "null", "5", "{}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REPLY_AUTO r = post(*state, "/enclave/sign-message", "{\"message\":%s}", bad[i]);
        assert_failure(&r, 422, "message");
    }
}

#define BOTH(test)                                                                                 \
    {#test "/renclave", test, instance_setup_renclave, ceremony_teardown, NULL},                   \
    {                                                                                              \
#test "/qos", test, instance_setup_qos, ceremony_teardown, NULL                            \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(data_comes_back),
        BOTH(a_changed_or_cut_envelope_is_refused),
        BOTH(finding_39_the_recipient_is_who_can_open_it),
        BOTH(finding_39_the_quorum_key_can_be_named_as_the_recipient),
        BOTH(finding_39_what_is_no_key_is_refused),
        BOTH(finding_22_and_37_the_quorum_key_signs_and_its_signature_verifies),
        BOTH(nothing_the_protocol_signs_can_be_had_from_sign_message),
        BOTH(finding_22_a_signer_s_own_key_signs),
        BOTH(a_signer_that_is_not_whole_is_refused),
        BOTH(before_there_is_a_key_nothing_is_sealed_opened_or_signed),
        BOTH(wrong_bytes_are_told_by_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
