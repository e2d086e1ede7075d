// The wallet when memory runs out, or OpenSSL or randomness fails: each call that can fail does so once; nothing is
// given out because of it, nothing leaks, and all is as before once it is well again.
#include "../../cmocka_setup.h"

#include "../../failing/failing_calls.h"

#include "app/wallet/address.h"
#include "app/wallet/hd_key.h"
#include "app/wallet/mnemonic.h"
#include "app/wallet/transaction.h"

static const uint8_t entropy[32] = {1, 2, 3};
static const uint8_t seed[64] = {4, 5, 6};
static const char passphrase[] = "p\xc3\xa4ss";

// Nothing that failed is unexplained.
static bool succeeded(enum q_err err)
{
    if (err != Q_OK) {
        assert_true(err == Q_NOMEM || err == Q_INTERNAL || err == Q_IO);
        assert_true(err_text()[0] != '\0');
    }
    return err == Q_OK;
}

// What failed gave nothing out. False, as the run did not succeed.
static bool nothing(const void *given)
{
    assert_null(given);
    return false;
}

static bool phrase_and_seed(void *context)
{
    (void)context;
    SECRET_AUTO text = {0};
    SECRET_AUTO back = {0};
    SECRET_AUTO made = {0};
    size_t count = 0;
    if (!succeeded(mnemonic_text(BYTES_OF(entropy), &text)))
        return nothing(text.p);
    if (!succeeded(mnemonic_parse(secret_bytes(&text), &back)))
        return nothing(back.p);
    if (!succeeded(mnemonic_count_words(secret_bytes(&text), &count)))
        return nothing(count == 0 ? NULL : text.p);
    if (!succeeded(mnemonic_seed(BYTES_OF(entropy), bytes_str(passphrase), &made)))
        return nothing(made.p);
    return true;
}

static bool store_and_read(void *context)
{
    (void)context;
    SECRET_AUTO stored = {0};
    SECRET_AUTO text = {0};
    SEED_PHRASE_AUTO read = {0};
    SEED_PHRASE_AUTO from_text = {0};
    BUF_AUTO long_text = {.wipe = true};
    if (!succeeded(seed_phrase_store(BYTES_OF(entropy), bytes_str(passphrase), &stored)))
        return nothing(stored.p);
    if (!succeeded(seed_phrase_read(secret_bytes(&stored), &read)))
        return nothing(read.entropy.p) && nothing(read.passphrase.p);
    if (!succeeded(mnemonic_text(BYTES_OF(entropy), &text)) ||
        !succeeded(buf_append(&long_text, secret_bytes(&text))) ||
        !succeeded(buf_append_str(&long_text, " pass word")))
        return false;
    if (!succeeded(seed_phrase_read(buf_bytes(&long_text), &from_text)))
        return nothing(from_text.entropy.p) && nothing(from_text.passphrase.p);
    return true;
}

static bool derive_and_sign(void *context)
{
    enum wallet_curve curve = *(const enum wallet_curve *)context;
    HD_KEY_AUTO key = {0};
    struct wallet_signature made;
    char address[ADDRESS_TEXT_SIZE];
    if (!succeeded(hd_derive(curve, BYTES_OF(seed), BYTES_LIT("m/44'/0"), &key)))
        return nothing(key.private_key.p);
    if (!succeeded(address_of(curve, bytes_of(key.public_key, key.public_size), address)))
        return false;
    if (!succeeded(wallet_sign(curve, secret_bytes(&key.private_key), SIGNED_AS_TRANSACTION,
                               BYTES_LIT("tx"), &made)))
        return nothing(made.public_size == 0 ? NULL : made.public_key);
    return true;
}

static bool name_a_curve(void *context)
{
    (void)context;
    enum wallet_curve curve;
    enum q_err err = curve_parse(BYTES_LIT("none"), &curve);
    return err == Q_BAD_INPUT || succeeded(err);
}

static const enum failing_kind kinds[] = {FAILING_MEMORY, FAILING_CRYPTO};

// Runs act with each call failing; it is true when nothing failed, and must then hold without a failure, too.
static void each_fails(unsigned least, bool (*act)(void *), void *context)
{
    unsigned runs = 0;
    for (size_t i = 0; i < 2; i++)
        runs += failing_each(kinds[i], act, context);
    assert_true(runs >= least);
    assert_true(act(context));
}

static void phrases_when_calls_fail(void **state)
{
    (void)state;
    each_fails(8, phrase_and_seed, NULL);
}

static void stored_forms_when_calls_fail(void **state)
{
    (void)state;
    each_fails(8, store_and_read, NULL);
}

static void keys_and_signatures_when_calls_fail(void **state)
{
    (void)state;
    enum wallet_curve curves[] = {CURVE_SECP256K1, CURVE_ED25519, CURVE_P256};
    for (size_t i = 0; i < 3; i++)
        each_fails(5, derive_and_sign, &curves[i]);
}

static void a_curve_s_name_when_memory_runs_out(void **state)
{
    (void)state;
    each_fails(1, name_a_curve, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phrases_when_calls_fail),
        cmocka_unit_test(stored_forms_when_calls_fail),
        cmocka_unit_test(keys_and_signatures_when_calls_fail),
        cmocka_unit_test(a_curve_s_name_when_memory_runs_out),
    };
    return cmocka_run_group_tests_name("wallet/scarce", tests, NULL, NULL);
}
