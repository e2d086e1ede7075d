// Views, readers, buffers.
#include "../cmocka_setup.h"

static void views_compare_by_value_a_prefix_first(void **state)
{
    (void)state;
    assert_true(bytes_compare(BYTES_LIT("ab"), BYTES_LIT("abc")) < 0);
    assert_true(bytes_compare(BYTES_LIT("\xff"), BYTES_LIT("a")) > 0);
    assert_int_equal(bytes_compare(BYTES_LIT("ab"), BYTES_LIT("ab")), 0);
    assert_true(bytes_equal(BYTES_LIT(""), BYTES_NONE));
    assert_false(bytes_is(BYTES_LIT("never"), "Never"));
    assert_true(bytes_begin_with(BYTES_LIT("never"), BYTES_LIT("never")));
    assert_true(bytes_begin_with(BYTES_LIT("never"), BYTES_LIT("")));
    assert_true(bytes_begin_with(BYTES_NONE, BYTES_NONE));
    assert_false(bytes_begin_with(BYTES_LIT("neve"), BYTES_LIT("never")));
    assert_false(bytes_begin_with(BYTES_LIT("a never"), BYTES_LIT("never")));
}

static void trimming_and_first_lines(void **state)
{
    (void)state;
    assert_bytes(bytes_trim(BYTES_LIT(" \t2\r\n")), BYTES_LIT("2"));
    assert_bytes(bytes_trim(BYTES_LIT(" \n ")), BYTES_LIT(""));
    assert_bytes(bytes_first_line(BYTES_LIT("a b\r\nc")), BYTES_LIT("a b"));
    assert_bytes(bytes_first_line(BYTES_LIT("\nc")), BYTES_LIT(""));
    assert_bytes(bytes_first_line(BYTES_LIT("abc")), BYTES_LIT("abc"));
}

static void utf8_is_judged_as_rfc_3629_says(void **state)
{
    (void)state;
    const struct bytes good[] = {BYTES_LIT(""), BYTES_LIT("a\xc3\xb6\xe2\x82\xac\xf0\x9f\x98\x80"),
                                 BYTES_LIT("\xed\x9f\xbf"), BYTES_LIT("\xf4\x8f\xbf\xbf")};
    const struct bytes bad[] = {
        BYTES_LIT("\x80"),         BYTES_LIT("\xc0\xaf"),         BYTES_LIT("\xc3"),
        BYTES_LIT("\xe0\x80\x80"), BYTES_LIT("\xed\xa0\x80"),     BYTES_LIT("\xf4\x90\x80\x80"),
        BYTES_LIT("\xff"),         BYTES_LIT("\xf0\x9f\x98\x41"), BYTES_LIT("\xe2\x82")};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(bytes_is_utf8(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(bytes_is_utf8(bad[i]));
}

static void a_reader_never_passes_the_end(void **state)
{
    (void)state;
    struct reader r = reader_of(BYTES_LIT("\x01\x02\x03\x04\x05"), "frame");
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    struct bytes some;
    assert_ok(reader_u16le(&r, &u16));
    assert_int_equal(u16, 0x0201);
    assert_refused(reader_u32le(&r, &u32), Q_BAD_INPUT, "frame: expected 4 bytes at offset 2");
    assert_refused(reader_u64le(&r, &u64), Q_BAD_INPUT, "frame");
    assert_refused(reader_take(&r, SIZE_MAX, &some), Q_BAD_INPUT, "frame");
    assert_int_equal(reader_left(&r), 3);
    assert_refused(reader_end(&r), Q_BAD_INPUT, "3 more bytes");
    assert_ok(reader_take(&r, 3, &some));
    assert_ok(reader_end(&r));
    assert_ok(reader_take(&r, 0, &some));
    assert_non_null(some.p);
}

static void a_buffer_grows_to_its_limit_and_no_further(void **state)
{
    (void)state;
    BUF_AUTO b = {.limit = 1000};
    for (int i = 0; i < 250; i++)
        assert_ok(buf_u32le(&b, 0x01020304));
    assert_int_equal(b.n, 1000);
    assert_refused(buf_u8(&b, 0), Q_LIMIT, "limit of 1000");
    assert_refused(buf_reserve(&b, SIZE_MAX), Q_LIMIT, "limit");
    assert_int_equal(b.n, 1000);
    assert_memory_equal(b.p + 996, "\x04\x03\x02\x01", 4);
    buf_clear(&b);
    assert_ok(buf_printf(&b, "%s-%d", "a", 7));
    assert_string_equal(buf_text(&b), "a-7");
}

static void a_wiping_buffer_zeroes_what_it_cleared(void **state)
{
    (void)state;
    BUF_AUTO b = {.wipe = true};
    assert_ok(buf_append_str(&b, "secret"));
    buf_clear(&b);
    assert_true(bytes_is_zero(bytes_of(b.p, 6)));
}

static void little_endian_numbers_come_back(void **state)
{
    (void)state;
    BUF_AUTO b = {0};
    assert_ok(buf_u16le(&b, 0xfffe));
    assert_ok(buf_u64le(&b, 0x0102030405060708));
    struct reader r = reader_of(buf_bytes(&b), "numbers");
    uint16_t u16;
    uint64_t u64;
    assert_ok(reader_u16le(&r, &u16));
    assert_ok(reader_u64le(&r, &u64));
    assert_int_equal(u16, 0xfffe);
    assert_int_equal(u64, 0x0102030405060708);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compare_by_value_a_prefix_first),
        cmocka_unit_test(trimming_and_first_lines),
        cmocka_unit_test(utf8_is_judged_as_rfc_3629_says),
        cmocka_unit_test(a_reader_never_passes_the_end),
        cmocka_unit_test(a_buffer_grows_to_its_limit_and_no_further),
        cmocka_unit_test(a_wiping_buffer_zeroes_what_it_cleared),
        cmocka_unit_test(little_endian_numbers_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
