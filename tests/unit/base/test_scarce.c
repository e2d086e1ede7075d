// Text, hex, help and buffers when room or memory runs out, and at the edges of what they accept.
#include "../failing/failing_calls.h"
#include "../failing/scarce_room.h"

#include "base/arena.h"
#include "base/hex.h"
#include "base/options.h"
#include "base/text.h"

static const char strange_text[] = "a\t\n\r\"\\'\x7f\xff\xe2\x80\xae\xf0\x9f\x98\x80\0z";
static const struct bytes strange = {(const uint8_t *)strange_text, sizeof strange_text - 1};

static enum q_err display(const void *value, struct buf *out)
{
    return text_display(*(const struct bytes *)value, out);
}

static enum q_err debug(const void *value, struct buf *out)
{
    return text_debug(*(const struct bytes *)value, out);
}

static enum q_err to_hex(const void *value, struct buf *out)
{
    return hex_encode(*(const struct bytes *)value, out);
}

static enum q_err from_hex(const void *value, struct buf *out)
{
    return hex_decode(*(const struct bytes *)value, out);
}

static enum q_err help(const void *value, struct buf *out)
{
    static const struct option table[] = {
        {.name = "port", .kind = OPTION_VALUE, .required = true, .help = "Port"},
        {.name = "flag", .fallback = "off"},
    };
    (void)value;
    return options_help(table, 2, out);
}

static void writers_end_at_the_limit_of_their_buffer(void **state)
{
    (void)state;
    const struct bytes digits = BYTES_LIT("00ffAa");
    assert_true(needs_room(display, &strange, LEAVES_A_PART) > strange.n);
    assert_true(needs_room(debug, &strange, LEAVES_A_PART) > strange.n);
    assert_int_equal(needs_room(to_hex, &digits, LEAVES_NOTHING), 12);
    assert_int_equal(needs_room(from_hex, &digits, LEAVES_NOTHING), 3);
    assert_true(needs_room(help, NULL, LEAVES_A_PART) > 100);
}

static bool fill_wiping_buffer(void *context)
{
    (void)context;
    BUF_AUTO b = {.wipe = true};
    for (int i = 0; i < 2000; i++)
        if (buf_u8(&b, (uint8_t)i) != Q_OK)
            return false;
    assert_int_equal(b.p[1999], (uint8_t)1999);
    buf_clear(&b);
    assert_true(bytes_is_zero(bytes_of(b.p, 2000)));
    return buf_text(&b) != NULL;
}

static bool terminate_an_empty_buffer(void *context)
{
    (void)context;
    BUF_AUTO b = {0};
    return buf_text(&b) != NULL;
}

static bool use_an_arena(void *context)
{
    (void)context;
    ARENA_AUTO a = {0};
    struct bytes text, copy;
    void *p;
    return arena_alloc(&a, 100000, &p) == Q_OK && arena_array(&a, 3, 7, &p) == Q_OK &&
           arena_printf(&a, &text, "%0500d", 1) == Q_OK && arena_copy(&a, text, &copy) == Q_OK;
}

static void each_failing_allocation_is_reported(void **state)
{
    (void)state;
    assert_true(failing_each(FAILING_MEMORY, fill_wiping_buffer, NULL) > 2);
    assert_int_equal(failing_each(FAILING_MEMORY, terminate_an_empty_buffer, NULL), 1);
    assert_true(failing_each(FAILING_MEMORY, use_an_arena, NULL) > 1);
    assert_true(fill_wiping_buffer(NULL) && terminate_an_empty_buffer(NULL) && use_an_arena(NULL));
}

// One of each block of hidden characters, and its neighbours that are none.
static void every_block_of_hidden_characters_is_shown_by_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool hidden;
    } cases[] = {
        {"\xc2\xac", false},        {"\xc2\xad", true},      {"\xd8\x9c", true},
        {"\xe1\xa0\x8e", true},     {"\xe2\x80\x8a", false}, {"\xe2\x80\x8b", true},
        {"\xe2\x80\x8f", true},     {"\xe2\x80\x90", false}, {"\xe2\x80\xa7", false},
        {"\xe2\x80\xa8", true},     {"\xe2\x80\xae", true},  {"\xe2\x80\xaf", false},
        {"\xe2\x81\x9f", false},    {"\xe2\x81\xa0", true},  {"\xe2\x81\xaf", true},
        {"\xe2\x81\xb0", false},    {"\xef\xbb\xbf", true},  {"\xef\xbf\xb9", true},
        {"\xef\xbf\xbb", true},     {"\xef\xbf\xbc", false}, {"\xf3\xa0\x80\x80", true},
        {"\xf3\xa0\x81\xbf", true}, {"\xc2\x80", true},      {"\xc2\x9f", true},
        {"\xc2\xa0", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BUF_AUTO shown = {0};
        assert_ok(text_display(bytes_str(cases[i].text), &shown));
        if ((buf_bytes(&shown).p[0] == '\\') != cases[i].hidden)
            fail_msg("case %zu is shown as %s", i, buf_text(&shown));
        assert_int_equal(text_check_name("name", bytes_str(cases[i].text), true),
                         cases[i].hidden ? Q_BAD_INPUT : Q_OK);
    }
}

static void white_space_around_secret_hex_is_cut_off_at_both_ends(void **state)
{
    (void)state;
    static const char *const good[] = {"00ff", "00ff\n", " 00ff", "\t\r\n 00ff \v\f"};
    static const char *const bad[] = {"", "00f", "0 ff", "00ff0", " 0ff", "00f\n", "x0ff", "00fx"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        SECRET_AUTO out = {0};
        assert_ok(hex_decode_secret(bytes_str(good[i]), 2, &out));
        assert_bytes(secret_bytes(&out), BYTES_LIT("\x00\xff"));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        SECRET_AUTO out = {0};
        assert_int_equal(hex_decode_secret(bytes_str(bad[i]), 2, &out), Q_BAD_INPUT);
        assert_null(out.p);
    }
}

static bool decode_secret_hex(void *context)
{
    SECRET_AUTO out = {0};
    (void)context;
    return hex_decode_secret(BYTES_LIT("00ff"), 2, &out) == Q_OK &&
           hex_encode_secret(BYTES_LIT("x"), &out) == Q_OK;
}

static void secret_hex_reports_that_no_memory_can_be_locked(void **state)
{
    (void)state;
    assert_int_equal(failing_each(FAILING_MEMORY, decode_secret_hex, NULL), 2);
}

static void absurd_sizes_are_refused_before_anything_is_read(void **state)
{
    (void)state;
    BUF_AUTO out = {0};
    uint8_t two[2];
    assert_int_equal(hex_encode(bytes_of("", SIZE_MAX / 2 + 1), &out), Q_LIMIT);
    assert_refused(hex_decode(bytes_of("", HEX_MAX_CHARS), &out), Q_LIMIT, "ExceedsMaxLength");
    assert_int_equal(hex_decode_fixed(BYTES_LIT("0"), two, 2), Q_BAD_INPUT);
    assert_int_equal(hex_decode_fixed(BYTES_LIT("000000"), two, 2), Q_BAD_INPUT);
    assert_int_equal(hex_decode_fixed(BYTES_LIT("00x0"), two, 2), Q_BAD_INPUT);
    assert_int_equal(buf_reserve(&out, SIZE_MAX), Q_LIMIT);
}

static void tables_and_command_lines_have_their_largest_size(void **state)
{
    (void)state;
    static const struct option many[OPTIONS_MAX + 1] = {{.name = "x"}};
    static const struct option one[] = {{.name = "v", .kind = OPTION_VALUE, .multiple = true}};
    static char name[] = "--v", value[] = "1";
    static char *words[(size_t)2 * (OPTION_VALUES_MAX + 1)];
    struct options o;
    BUF_AUTO out = {0};
    assert_int_equal(options_parse(many, OPTIONS_MAX + 1, 0, words, &o), Q_INTERNAL);
    assert_int_equal(options_help(many, OPTIONS_MAX + 1, &out), Q_INTERNAL);
    for (size_t i = 0; i < (size_t)2 * (OPTION_VALUES_MAX + 1); i += 2) {
        words[i] = name;
        words[i + 1] = value;
    }
    assert_ok(options_parse(one, 1, 2 * OPTION_VALUES_MAX, words, &o));
    assert_int_equal(o.values_count, OPTION_VALUES_MAX);
    assert_int_not_equal(options_parse(one, 1, 2 * (OPTION_VALUES_MAX + 1), words, &o), Q_OK);
    assert_null(options_value(&o, "unknown"));
    assert_false(options_given(&o, "unknown"));
}

static void views_that_are_absent_can_be_read_and_compared(void **state)
{
    (void)state;
    struct reader r = reader_of(BYTES_NONE, "nothing");
    struct bytes taken;
    assert_ok(reader_take(&r, 0, &taken));
    assert_non_null(taken.p);
    assert_int_equal(bytes_compare(BYTES_NONE, BYTES_LIT("a")), -1);
    assert_int_equal(bytes_compare(BYTES_LIT("a"), BYTES_NONE), 1);
    assert_int_equal(bytes_compare(BYTES_NONE, BYTES_NONE), 0);
    BUF_AUTO b = {.wipe = true};
    buf_clear(&b);
    assert_ok(buf_append(&b, BYTES_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writers_end_at_the_limit_of_their_buffer),
        cmocka_unit_test(each_failing_allocation_is_reported),
        cmocka_unit_test(every_block_of_hidden_characters_is_shown_by_number),
        cmocka_unit_test(white_space_around_secret_hex_is_cut_off_at_both_ends),
        cmocka_unit_test(secret_hex_reports_that_no_memory_can_be_locked),
        cmocka_unit_test(absurd_sizes_are_refused_before_anything_is_read),
        cmocka_unit_test(tables_and_command_lines_have_their_largest_size),
        cmocka_unit_test(views_that_are_absent_can_be_read_and_compared),
    };
    return cmocka_run_group_tests_name("base/scarce", tests, NULL, NULL);
}
