// Times that people type and read (client/time_text.h).
#include "../cmocka_setup.h"

#include "client/time_text.h"

static void times_are_read_as_seconds_and_as_rfc_3339(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {
        {"0", 0},
        {"1700000000", 1700000000},
        {"2023-11-14T22:13:20Z", 1700000000},
        {"2023-11-14T22:13:20+00:00", 1700000000},
        {"2023-11-14T22:13:20.999Z", 1700000000},
        {"1970-01-01T00:00:00Z", 0},
        {"2024-02-29T00:00:00Z", 1709164800},
        {"9999-12-31T23:59:59Z", TIME_LAST_S},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t seconds = -1;
        assert_ok(time_parse(good[i].text, &seconds));
        assert_int_equal(seconds, good[i].seconds);
    }
}

static void other_times_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "-1",
        "now",
        "253402300800",
        "99999999999999999999",
        "2023-11-14",
        "2023-11-14T22:13:20",
        "2023-11-14 22:13:20Z",
        "2023-11-14t22:13:20z",
        "2023-11-14T22:13:20+01:00",
        "2023-11-14T22:13:20-00:00",
        "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20Zulu",
        "2023-02-29T00:00:00Z",
        "2023-13-01T00:00:00Z",
        "2023-00-10T00:00:00Z",
        "2023-01-01T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "1969-12-31T23:59:59Z",
        "2023-1-14T22:13:20Z",
        "2023-11-14T22:13",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t seconds;
        if (time_parse(bad[i], &seconds) == Q_OK)
            fail_msg("accepted \"%s\"", bad[i]);
        assert_non_null(strstr(err_text(), "time: expected"));
    }
}

static void what_is_shown_is_read_back(void **state)
{
    (void)state;
    static const int64_t times[] = {0, 1700000000, 951782400, TIME_LAST_S};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        BUF_AUTO text = {0};
        int64_t back;
        assert_ok(time_show(times[i], &text));
        assert_ok(time_parse(buf_text(&text), &back));
        assert_int_equal(back, times[i]);
    }
}

static void ages_are_said_in_their_own_size(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } ages[] = {
        {0, "0 s"},
        {59, "59 s"},
        {60, "1 min"},
        {3599, "59 min"},
        {3600, "1 h 0 min"},
        {11100, "3 h 5 min"},
        {172799, "47 h 59 min"},
        {172800, "2 days"},
        {-90, "in the future by 1 min"},
        {INT64_MIN, "in the future by 106751991167300 days"},
    };
    for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++) {
        BUF_AUTO text = {0};
        assert_ok(age_show(ages[i].seconds, &text));
        assert_string_equal(buf_text(&text), ages[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_as_seconds_and_as_rfc_3339),
        cmocka_unit_test(other_times_are_refused),
        cmocka_unit_test(what_is_shown_is_read_back),
        cmocka_unit_test(ages_are_said_in_their_own_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
