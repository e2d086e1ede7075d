// Hexadecimal, against our own list and the compatibility vectors.
#include "../cmocka_setup.h"

#include "base/file.h"
#include "base/hex.h"

#include <jansson.h>
#include <stdlib.h>

static void encodes_in_lower_case(void **state)
{
    (void)state;
    BUF_AUTO out = {0};
    assert_ok(hex_encode(BYTES_LIT("\x00\xff\x1f"), &out));
    assert_bytes(buf_bytes(&out), BYTES_LIT("00ff1f"));
}

static void decodes_what_the_original_decodes(void **state)
{
    (void)state;
    BUF_AUTO out = {0};
    assert_ok(hex_decode(BYTES_LIT("0xDEad+f"), &out));
    assert_bytes(buf_bytes(&out), BYTES_LIT("\xde\xad\x0f"));
    buf_clear(&out);
    assert_ok(hex_decode(BYTES_LIT(""), &out));
    assert_ok(hex_decode(BYTES_LIT("0x"), &out));
    assert_int_equal(out.n, 0);
}

static void refuses_by_the_originals_names(void **state)
{
    (void)state;
    BUF_AUTO out = {0};
    assert_ok(buf_u8(&out, 7));
    assert_refused(hex_decode(BYTES_LIT("a"), &out), Q_BAD_INPUT, "LengthOne");
    assert_refused(hex_decode(BYTES_LIT("fff"), &out), Q_BAD_INPUT, "OddLength");
    assert_refused(hex_decode(BYTES_LIT("00zz"), &out), Q_BAD_INPUT, "ParseInt");
    assert_refused(hex_decode(BYTES_LIT("f+"), &out), Q_BAD_INPUT, "ParseInt");
    assert_refused(hex_decode(BYTES_LIT("\xc3\x93"
                                        "ff"),
                              &out),
                   Q_BAD_INPUT, "NonAsciiChar");
    assert_int_equal(out.n, 1);
    uint8_t fixed[2];
    assert_refused(hex_decode_fixed(BYTES_LIT("00"), fixed, 2), Q_BAD_INPUT, "expected 4");
    assert_ok(hex_decode_fixed(BYTES_LIT("0x0102"), fixed, 2));
    assert_memory_equal(fixed, "\x01\x02", 2);
}

static void secrets_are_decoded_strictly(void **state)
{
    (void)state;
    SECRET_AUTO s = {0};
    assert_ok(hex_decode_secret(BYTES_LIT(" 00Ff\n"), 2, &s));
    assert_bytes(secret_bytes(&s), BYTES_LIT("\x00\xff"));
    SECRET_AUTO text = {0};
    assert_ok(hex_encode_secret(secret_bytes(&s), &text));
    assert_bytes(secret_bytes(&text), BYTES_LIT("00ff"));
    SECRET_AUTO prefixed = {0}, bad = {0};
    assert_ok(hex_decode_secret(BYTES_LIT("0x0102\n"), 2, &prefixed));
    assert_bytes(secret_bytes(&prefixed), BYTES_LIT("\x01\x02"));
    assert_refused(hex_decode_secret(BYTES_LIT("00f"), 2, &bad), Q_BAD_INPUT, "found 3");
    assert_refused(hex_decode_secret(BYTES_LIT("0x01"), 2, &bad), Q_BAD_INPUT, "other characters");
    assert_refused(hex_decode_secret(BYTES_LIT("00+f"), 2, &bad), Q_BAD_INPUT, "other characters");
    assert_refused(hex_decode_secret(BYTES_LIT("0X0102"), 2, &bad), Q_BAD_INPUT, "found 6");
    assert_refused(hex_decode_secret(BYTES_LIT("00fg"), 2, &bad), Q_BAD_INPUT, "other characters");
    assert_refused(hex_decode_secret(BYTES_LIT("0 ff"), 2, &bad), Q_BAD_INPUT, "other characters");
    assert_null(bad.p);
}

static void check_accepted(const char *text, const char *expected)
{
    BUF_AUTO out = {0}, again = {0};
    assert_ok(hex_decode(bytes_str(text), &out));
    assert_ok(hex_encode(buf_bytes(&out), &again));
    assert_bytes(buf_bytes(&again), bytes_str(expected));
}

static void check_refused(const char *text, const char *name)
{
    BUF_AUTO out = {0};
    assert_refused(hex_decode(bytes_str(text), &out), Q_BAD_INPUT, name);
}

static void compatibility_vectors_agree(void **state)
{
    (void)state;
    const char *shared = getenv("QUORATE_SHARED");
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/vectors/qos/crypto/hex.json",
                   shared != NULL ? shared : SOURCE_ROOT "/../shared");
    json_t *file = json_load_file(path, 0, NULL);
    if (file == NULL) {
        print_message("skipped: %s is not here\n", path);
        skip();
    }
    const char *text;
    json_t *expected;
    json_object_foreach(json_object_get(file, "decode_ok"), text, expected)
        check_accepted(text, json_string_value(expected));
    json_object_foreach(json_object_get(file, "decode_err"), text, expected)
        check_refused(text, json_string_value(expected));
    assert_int_equal(json_object_size(json_object_get(file, "decode_err")), 7);
    json_decref(file);
}

static int start(void **state)
{
    (void)state;
    return secret_init(true) == Q_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_in_lower_case),
        cmocka_unit_test(decodes_what_the_original_decodes),
        cmocka_unit_test(refuses_by_the_originals_names),
        cmocka_unit_test(secrets_are_decoded_strictly),
        cmocka_unit_test(compatibility_vectors_agree),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
