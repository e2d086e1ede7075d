// Signatures over transactions and messages (renclave 2.8; findings 22 and 37).
#include "../../vector_file.h"

#include "app/wallet/transaction.h"

static enum wallet_curve curve_of(const json_t *v)
{
    enum wallet_curve curve;
    assert_ok(curve_parse(bytes_str(vector_text(v, "curve")), &curve));
    return curve;
}

static enum signed_as kind_of(const json_t *v)
{
    return strcmp(vector_text(v, "as"), "message") == 0 ? SIGNED_AS_MESSAGE : SIGNED_AS_TRANSACTION;
}

static void check(struct vector_file *f, const json_t *v)
{
    struct wallet_signature made;
    assert_ok(wallet_sign(curve_of(v), vector_hex(f, v, "private"), kind_of(v),
                          vector_hex(f, v, "message"), &made));
    assert_bytes(BYTES_OF(made.compact), vector_hex(f, v, "signature"));
    assert_int_equal(made.has_recovery_id, curve_of(v) == CURVE_SECP256K1);
    if (made.has_recovery_id)
        assert_int_equal(made.recovery_id, vector_number(v, "recovery_id"));
    if (json_object_get(v, "der") != NULL)
        assert_bytes(bytes_of(made.der, made.der_size), vector_hex(f, v, "der"));
    if (json_object_get(v, "public") != NULL)
        assert_bytes(bytes_of(made.public_key, made.public_size), vector_hex(f, v, "public"));
    assert_int_equal(made.der_size == 0, curve_of(v) == CURVE_ED25519);
    assert_non_null(made.algorithm);
}

static void signatures_in(const char *file, size_t expected)
{
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, file);
    size_t i;
    json_t *v;
    json_array_foreach(vector_field(f.root, "signatures"), i, v) check(&f, v);
    assert_int_equal(i, expected);
}

static void published_signatures_are_reproduced(void **state)
{
    (void)state;
    signatures_in("wallet/published.json", 4);
}

// Both recovery ids occur in them, and every s of secp256k1 is low; the model's signatures were verified by another
// library.
static void finding_22_and_37_signatures_are_the_derived_key_s_own_in_one_format(void **state)
{
    (void)state;
    signatures_in("wallet/model.json", (size_t)3 * 6 * 19);
}

static void s_is_low_on_secp256k1(void **state)
{
    (void)state;
    static const uint8_t key[32] = {[31] = 7};
    // n / 2
    static const uint8_t half[32] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d,
                                     0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};
    unsigned ids = 0;
    for (uint8_t i = 0; i < 64; i++) {
        struct wallet_signature made;
        assert_ok(
            wallet_sign(CURVE_SECP256K1, BYTES_OF(key), SIGNED_AS_MESSAGE, bytes_of(&i, 1), &made));
        assert_true(memcmp(made.compact + 32, half, 32) <= 0);
        assert_true(made.recovery_id < 4);
        ids |= 1u << made.recovery_id;
    }
    assert_int_equal(ids & 3, 3);
}

static void a_message_is_never_a_transaction_on_secp256k1(void **state)
{
    (void)state;
    static const uint8_t key[32] = {[31] = 7};
    struct wallet_signature message, transaction;
    assert_ok(wallet_sign(CURVE_SECP256K1, BYTES_OF(key), SIGNED_AS_MESSAGE, BYTES_LIT("\xc0"),
                          &message));
    assert_ok(wallet_sign(CURVE_SECP256K1, BYTES_OF(key), SIGNED_AS_TRANSACTION, BYTES_LIT("\xc0"),
                          &transaction));
    assert_memory_not_equal(message.compact, transaction.compact, WALLET_SIGNATURE_SIZE);
    assert_refused(wallet_sign(CURVE_SECP256K1, BYTES_OF(key), SIGNED_AS_TRANSACTION,
                               BYTES_LIT("\x19"
                                         "Ethereum Signed Message:\n5hello"),
                               &transaction),
                   Q_BAD_INPUT, "EIP-191");
    assert_refused(wallet_sign(CURVE_SECP256K1, BYTES_OF(key), SIGNED_AS_TRANSACTION,
                               BYTES_LIT("\x19\x01typed data"), &transaction),
                   Q_BAD_INPUT, "EIP-191");
    assert_int_equal(transaction.public_size, 0);
}

static void keys_out_of_range_sign_nothing(void **state)
{
    (void)state;
    static const enum wallet_curve curves[] = {CURVE_SECP256K1, CURVE_P256};
    uint8_t key[33];
    struct wallet_signature made;
    for (size_t i = 0; i < 2; i++) {
        memset(key, 0, sizeof key);
        assert_refused(
            wallet_sign(curves[i], bytes_of(key, 32), SIGNED_AS_MESSAGE, BYTES_LIT("m"), &made),
            Q_CRYPTO, "private key: expected one from 1 to n - 1");
        memset(key, 0xff, sizeof key);
        assert_refused(
            wallet_sign(curves[i], bytes_of(key, 32), SIGNED_AS_MESSAGE, BYTES_LIT("m"), &made),
            Q_CRYPTO, "private key: expected one from 1 to n - 1");
    }
    static const size_t sizes[] = {0, 31, 33};
    for (size_t i = 0; i < 3; i++)
        assert_refused(wallet_sign(CURVE_ED25519, bytes_of(key, sizes[i]), SIGNED_AS_MESSAGE,
                                   BYTES_LIT("m"), &made),
                       Q_CRYPTO, "private key: expected 32 bytes");
}

static void an_empty_transaction_is_refused(void **state)
{
    (void)state;
    static const enum wallet_curve curves[] = {CURVE_SECP256K1, CURVE_P256, CURVE_ED25519};
    static const uint8_t key[32] = {[31] = 7};
    struct wallet_signature made;
    for (size_t i = 0; i < 3; i++)
        assert_refused(
            wallet_sign(curves[i], BYTES_OF(key), SIGNED_AS_TRANSACTION, BYTES_NONE, &made),
            Q_BAD_INPUT, "transaction: expected at least one byte");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_signatures_are_reproduced),
        cmocka_unit_test(finding_22_and_37_signatures_are_the_derived_key_s_own_in_one_format),
        cmocka_unit_test(s_is_low_on_secp256k1),
        cmocka_unit_test(a_message_is_never_a_transaction_on_secp256k1),
        cmocka_unit_test(keys_out_of_range_sign_nothing),
        cmocka_unit_test(an_empty_transaction_is_refused),
    };
    return cmocka_run_group_tests_name("wallet/transaction", tests, NULL, NULL);
}
