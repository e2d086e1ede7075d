// What every unit test includes before it tests: cmocka with its own prerequisites, and assertions on
// enum q_err that print the recorded sentence. Comes before any header of ours.
#ifndef QUORATE_TESTS_CMOCKA_SETUP_H
#define QUORATE_TESTS_CMOCKA_SETUP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// cmocka's fail() gives way to ours (base/err.h); fail_msg says the same with a reason.
#undef fail
#undef fail_msg
#define fail_msg(...)                                                                              \
    do {                                                                                           \
        print_error("ERROR: " __VA_ARGS__);                                                        \
        print_error("\n");                                                                         \
        _fail(__FILE__, __LINE__);                                                                 \
    } while (0)

#include "base/bytes.h"

#define assert_ok(expr)                                                                            \
    do {                                                                                           \
        enum q_err got_ = (expr);                                                                  \
        if (got_ != Q_OK)                                                                          \
            fail_msg("%s: error %d: %s", #expr, (int)got_, err_text());                            \
    } while (0)

// Fails with this code and a sentence that contains text.
#define assert_refused(expr, code, text)                                                           \
    do {                                                                                           \
        assert_int_equal((expr), (code));                                                          \
        if (strstr(err_text(), (text)) == NULL)                                                    \
            fail_msg("%s: expected \"%s\" in \"%s\"", #expr, (text), err_text());                  \
    } while (0)

#define assert_bytes(actual, expected)                                                             \
    do {                                                                                           \
        struct bytes a_ = (actual), e_ = (expected);                                               \
        assert_int_equal(a_.n, e_.n);                                                              \
        if (e_.n > 0)                                                                              \
            assert_memory_equal(a_.p, e_.p, e_.n);                                                 \
    } while (0)

#endif
