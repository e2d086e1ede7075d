// A member's key on a token: what is used of a module that behaves, and that everything else it may return
// is refused (client/token/token_key.h). MOCK_MODULE is mock_pkcs11.c as a shared library.
#include "../folder.h"

#include "client/token/token_key.h"

#include <dlfcn.h>

#define NAME(label)                                                                                \
    {                                                                                              \
        .text = label, .by = CKA_LABEL, .value = label, .n = sizeof label - 1                      \
    }

struct mock {
    void *library; // held open, so that the counts outlive the command
    struct folder *folder;
    char pin_path[512];
    struct token_wanted wanted;
};

static int start(void **state)
{
    struct mock *m = calloc(1, sizeof *m);
    assert_non_null(m);
    assert_int_equal(folder_make((void **)&m->folder), 0);
    folder_file(m->folder, "pin", "123456\n");
    (void)snprintf(m->pin_path, sizeof m->pin_path, "%s", folder_path(m->folder, "pin"));
    m->wanted = (struct token_wanted){.module = MOCK_MODULE,
                                      .pin_path = m->pin_path,
                                      .encryption = NAME("encrypt"),
                                      .signing = NAME("sign")};
    m->library = dlopen(MOCK_MODULE, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(m->library);
    *state = m;
    return 0;
}

static int end(void **state)
{
    struct mock *m = *state;
    (void)unsetenv("MOCK_PKCS11");
    (void)dlclose(m->library);
    (void)folder_remove((void **)&m->folder);
    free(m);
    return 0;
}

static unsigned count(const struct mock *m, const char *what)
{
    const unsigned *at = dlsym(m->library, what);
    assert_non_null(at);
    return *at;
}

static void behave(const char *how)
{
    assert_int_equal(setenv("MOCK_PKCS11", how, 1), 0);
}

static void works(struct mock *m, const char *how)
{
    MEMBER_KEY_AUTO *key = NULL;
    uint8_t signature[P256_SIGNATURE_SIZE];
    BUF_AUTO envelope = {0};
    SECRET_AUTO opened = {0};
    behave(how);
    assert_ok(token_key_open(&m->wanted, &key));
    assert_ok(member_key_sign(key, BYTES_LIT("message"), signature));
    assert_ok(p256_verify(member_key_public(key), BYTES_LIT("message"), BYTES_OF(signature)));
    assert_ok(p256_seal(member_key_public(key), BYTES_LIT("share"), &envelope));
    assert_ok(member_key_open(key, buf_bytes(&envelope), &opened));
    assert_bytes(secret_bytes(&opened), BYTES_LIT("share"));
    assert_int_equal(count(m, "mock_derived"), 1);
    assert_int_equal(count(m, "mock_destroyed"), 1);
}

static void a_token_signs_and_opens(void **state)
{
    works(*state, "");
    assert_int_equal(count(*state, "mock_logins"), 1);
    assert_int_equal(count(*state, "mock_finalized"), 1);
}

static void forms_that_are_allowed_are_accepted(void **state)
{
    works(*state, "point-raw");
    works(*state, "odd-limits");
    works(*state, "always"); // logs in for each use as well
    assert_int_equal(count(*state, "mock_logins"), 3);
    struct mock *m = *state;
    m->wanted.pin_path = NULL;
    works(m, "keypad");
}

struct bad {
    const char *how;
    enum q_err code;
    const char *text;
};

static void opening_refuses_what_a_module_should_not_return(void **state)
{
    static const struct bad cases[] = {
        {"list-null", Q_BAD_INPUT, "expected a PKCS#11 module of version 2"},
        {"version", Q_BAD_INPUT, "expected a PKCS#11 module of version 2"},
        {"list-fails", Q_CRYPTO, "C_GetFunctionList"},
        {"function-missing", Q_BAD_INPUT, "found one that lacks functions"},
        {"init-fails", Q_CRYPTO, "C_Initialize"},
        {"slots-fail", Q_CRYPTO, "C_GetSlotList"},
        {"many-slots", Q_LIMIT, "expected at most 64 slots"},
        {"no-token", Q_MISSING, "token: expected one, found none"},
        {"removed", Q_MISSING, "token: expected one, found none"},
        {"info-fails", Q_CRYPTO, "C_GetTokenInfo"},
        {"two-tokens", Q_REFUSED, "expected one, found 2: name it with --token-uri"},
        {"session-fails", Q_CRYPTO, "C_OpenSession"},
        {"find-fails", Q_CRYPTO, "C_FindObjectsInit"},
        {"too-many-found", Q_REFUSED, "found several"},
        {"no-keys", Q_MISSING, "expected a public key or certificate named encrypt, found none"},
        {"twin", Q_REFUSED, "expected one public key named encrypt, found several"},
        {"curve", Q_BAD_INPUT, "expected a key on the curve P-256"},
        {"point-short", Q_BAD_INPUT, "expected an uncompressed point of 65 bytes, found 64"},
        {"point-compressed", Q_BAD_INPUT, "expected an uncompressed point"},
        {"point-infinity", Q_BAD_INPUT, "expected an uncompressed point"},
        {"point-length-lies", Q_BAD_INPUT, "expected an uncompressed point"},
        {"point-off-curve", Q_CRYPTO, "FailedToReadPublicKey"},
        {"point-grows", Q_BAD_INPUT, "expected the length it had"},
        {"point-huge", Q_BAD_INPUT, "found another length"},
        {"point-unavailable", Q_BAD_INPUT, "found another length"},
        {"point-empty", Q_BAD_INPUT, "found another length"},
        {"point-fails", Q_CRYPTO, "C_GetAttributeValue"},
    };
    struct mock *m = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        MEMBER_KEY_AUTO *key = NULL;
        behave(cases[i].how);
        assert_refused(token_key_open(&m->wanted, &key), cases[i].code, cases[i].text);
        assert_null(key);
        assert_int_equal(count(m, "mock_logins"), 0); // no PIN for a token that is not right
    }
}

static void a_pin_is_tried_once(void **state)
{
    static const struct bad cases[] = {
        {"pin-wrong", Q_REFUSED, "found a wrong one"},
        {"pin-low", Q_REFUSED, "few tries are left"},
        {"pin-final", Q_REFUSED, "1 try is left"},
        {"pin-locks", Q_REFUSED, "that was the last try: the PIN is locked now"},
        {"login-locked", Q_REFUSED, "found it locked"},
        {"no-user-pin", Q_REFUSED, "found none set yet"},
        {"pin-length", Q_REFUSED, "expected another length"},
        {"user-type", Q_CRYPTO, "C_Login"},
    };
    struct mock *m = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        MEMBER_KEY_AUTO *key = NULL;
        behave(cases[i].how);
        assert_refused(token_key_open(&m->wanted, &key), cases[i].code, cases[i].text);
        assert_int_equal(count(m, "mock_logins"), 1);
    }
}

static void a_pin_that_cannot_be_right_is_not_tried(void **state)
{
    struct mock *m = *state;
    MEMBER_KEY_AUTO *key = NULL;
    behave("pin-locked");
    assert_refused(token_key_open(&m->wanted, &key), Q_REFUSED, "found it locked");
    behave("");
    folder_file(m->folder, "pin", "123\n");
    assert_refused(token_key_open(&m->wanted, &key), Q_REFUSED, "expected from 4 to 8 bytes");
    folder_file(m->folder, "pin", "123456789\n");
    assert_refused(token_key_open(&m->wanted, &key), Q_REFUSED, "expected from 4 to 8 bytes");
    assert_int_equal(count(m, "mock_logins"), 0);
}

static void signing_refuses_what_a_module_should_not_return(void **state)
{
    static const struct bad cases[] = {
        {"no-private", Q_MISSING, "expected a private key named sign, found none"},
        {"private-twin", Q_REFUSED, "expected one private key named sign, found several"},
        {"sign-init-fails", Q_CRYPTO, "C_SignInit"},
        {"sign-fails", Q_CRYPTO, "C_Sign"},
        {"sign-short", Q_CRYPTO, "signature: expected 64 bytes, found 63"},
        {"sign-long", Q_CRYPTO, "signature: expected 64 bytes, found 1099511627776"},
        {"sign-other-key", Q_CRYPTO, "FailedSignatureVerification"},
        {"sign-zeros", Q_CRYPTO, "FailedToDeserializeSignature"},
    };
    struct mock *m = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        MEMBER_KEY_AUTO *key = NULL;
        uint8_t signature[P256_SIGNATURE_SIZE] = {0};
        behave(cases[i].how);
        assert_ok(token_key_open(&m->wanted, &key));
        assert_refused(member_key_sign(key, BYTES_LIT("message"), signature), cases[i].code,
                       cases[i].text);
        assert_int_equal(count(m, "mock_logins"), 1);
        assert_true(bytes_is_zero(BYTES_OF(signature))); // what does not hold is not released
    }
}

static void opening_an_envelope_refuses_a_wrong_secret(void **state)
{
    static const struct bad cases[] = {
        {"no-private", Q_MISSING, "expected a private key named encrypt, found none"},
        {"derive-fails", Q_CRYPTO, "C_DeriveKey"},
        {"derived-unreadable", Q_CRYPTO, "derived secret"},
        {"derived-short", Q_CRYPTO, "derived secret: expected 32 bytes, found 31"},
        {"derived-long", Q_CRYPTO, "derived secret"},
        {"derived-length-lies", Q_CRYPTO, "derived secret: expected 32 bytes"},
        {"derived-wrong", Q_CRYPTO, "AesGcm256DecryptError"},
        {"destroy-fails", Q_CRYPTO, "C_DestroyObject"},
    };
    struct mock *m = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        MEMBER_KEY_AUTO *key = NULL;
        BUF_AUTO envelope = {0};
        SECRET_AUTO opened = {0};
        behave(cases[i].how);
        assert_ok(token_key_open(&m->wanted, &key));
        assert_ok(p256_seal(member_key_public(key), BYTES_LIT("share"), &envelope));
        assert_refused(member_key_open(key, buf_bytes(&envelope), &opened), cases[i].code,
                       cases[i].text);
        assert_null(opened.p);
        assert_int_equal(count(m, "mock_destroyed"), count(m, "mock_derived"));
    }
}

// A point off the curve would make the token tell about its scalar.
static void a_point_off_the_curve_never_reaches_the_token(void **state)
{
    struct mock *m = *state;
    MEMBER_KEY_AUTO *key = NULL;
    BUF_AUTO envelope = {0};
    SECRET_AUTO opened = {0};
    behave("");
    assert_ok(token_key_open(&m->wanted, &key));
    assert_ok(p256_seal(member_key_public(key), BYTES_LIT("share"), &envelope));
    envelope.p[12 + P256_POINT_SIZE - 1] ^= 1;
    assert_refused(member_key_open(key, buf_bytes(&envelope), &opened), Q_CRYPTO,
                   "FailedToDeserializePublicKey");
    envelope.n = 40;
    assert_refused(member_key_open(key, buf_bytes(&envelope), &opened), Q_CRYPTO,
                   "FailedToDeserializeEnvelope");
    assert_int_equal(count(m, "mock_derived"), 0);
}

static void what_a_token_says_of_itself_is_shown_safely(void **state)
{
    (void)state;
    struct token_module module;
    struct token_found found;
    BUF_AUTO uri = {0};
    behave("");
    assert_ok(token_module_open(MOCK_MODULE, &module));
    assert_ok(token_search(&module, NULL, &found));
    assert_int_equal(found.n, 1);
    assert_ok(token_uri(&found.infos[0], &uri));
    assert_non_null(buf_text(&uri));
    assert_non_null(strstr((const char *)uri.p, "token=mock%1B%5B31m"));
    token_module_close(&module);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_signs_and_opens, start, end),
        cmocka_unit_test_setup_teardown(forms_that_are_allowed_are_accepted, start, end),
        cmocka_unit_test_setup_teardown(opening_refuses_what_a_module_should_not_return, start,
                                        end),
        cmocka_unit_test_setup_teardown(a_pin_is_tried_once, start, end),
        cmocka_unit_test_setup_teardown(a_pin_that_cannot_be_right_is_not_tried, start, end),
        cmocka_unit_test_setup_teardown(signing_refuses_what_a_module_should_not_return, start,
                                        end),
        cmocka_unit_test_setup_teardown(opening_an_envelope_refuses_a_wrong_secret, start, end),
        cmocka_unit_test_setup_teardown(a_point_off_the_curve_never_reaches_the_token, start, end),
        cmocka_unit_test_setup_teardown(what_a_token_says_of_itself_is_shown_safely, start, end),
    };
    if (secret_init(true) != Q_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
