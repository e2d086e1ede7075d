// Which Host and Origin are of this host (see host/http_origin.h); end to end in tests/e2e/test_rest.py.
#include "../cmocka_setup.h"

#include "host/http_origin.h"

#include <stdlib.h>
#include <string.h>

// In memory of its own, so that a sanitizer sees what is read beyond the end.
static enum q_err check(const char *names, const char *host, size_t host_n, const char *origin,
                        size_t origin_n)
{
    const struct origin_rules rules = {.check_names = true, .names = names};
    uint8_t *h = malloc(host_n + 1), *o = malloc(origin_n + 1);
    assert_non_null(h);
    assert_non_null(o);
    h = realloc(h, host_n == 0 ? 1 : host_n);
    o = realloc(o, origin_n == 0 ? 1 : origin_n);
    memcpy(h, host, host_n);
    memcpy(o, origin, origin_n);
    enum q_err result = origin_check(&rules, bytes_of(h, host_n),
                                     origin_n == 0 ? BYTES_NONE : bytes_of(o, origin_n));
    free(h);
    free(o);
    return result;
}

static void every_cut_of_a_good_pair_is_read_within_its_bytes(void **state)
{
    (void)state;
    static const char host[] = "[::ffff:127.0.0.1]:65535",
                      origin[] = "https://[::ffff:127.0.0.1]:65535";
    for (size_t h = 0; h < sizeof host; h++)
        for (size_t o = 1; o < sizeof origin; o++) {
            bool whole = o == 8 + h && h >= 1;
            enum q_err result = check(NULL, host, h, origin, o);
            if (!whole)
                assert_int_equal(result, Q_REFUSED);
            if (h == sizeof host - 1 && whole)
                assert_int_equal(result, Q_OK);
        }
}

static void a_name_with_other_bytes_in_it_is_another(void **state)
{
    (void)state;
    static const char names[] = "tee1,api.example";
    assert_int_equal(check(names, "api.example", 11, "", 0), Q_OK);
    assert_int_equal(check(names, "TEE1:80", 7, "http://tee1:80", 14), Q_OK);
    assert_int_equal(check(names, "tee1\0", 5, "", 0), Q_REFUSED);
    assert_int_equal(check(names, "localhost\0.evil", 15, "", 0), Q_REFUSED);
    assert_int_equal(check(names, "tee1,api.example", 16, "", 0), Q_REFUSED);
    assert_int_equal(check(names, ",", 1, "", 0), Q_REFUSED);
    assert_int_equal(check(names, ":80", 3, "", 0), Q_REFUSED);
}

static void lists_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    ",",    "a,", ",a",  "a,,b",
                                      "a b", "a:80", "*",  "a/b", "\xc3\xa4"};
    assert_int_equal(origin_check_names(NULL), Q_OK);
    assert_int_equal(origin_check_names("a,b.c,d-e_f"), Q_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(origin_check_names(bad[i]), Q_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_of_a_good_pair_is_read_within_its_bytes),
        cmocka_unit_test(a_name_with_other_bytes_in_it_is_another),
        cmocka_unit_test(lists_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
