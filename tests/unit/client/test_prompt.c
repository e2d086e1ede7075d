// Questions and answers (client/prompt.h, qos-behaviour 1.7), on streams in memory.
#include "../cmocka_setup.h"

#include "client/prompt.h"

#include <stdlib.h>

#define AGAIN "Please answer with either \"yes\" (y) or \"no\" (n)\n"

struct talk {
    struct prompt prompt;
    char *said;
    size_t said_n;
};

static void talk_start(struct talk *t, const char *answers)
{
    t->prompt.in = fmemopen((void *)(uintptr_t)answers, strlen(answers), "r");
    t->prompt.out = open_memstream(&t->said, &t->said_n);
    assert_non_null(t->prompt.in);
    assert_non_null(t->prompt.out);
}

static void talk_end(struct talk *t)
{
    (void)fclose(t->prompt.in);
    (void)fclose(t->prompt.out);
    free(t->said);
}

static void expect(const char *answers, bool yes, const char *said)
{
    struct talk t;
    talk_start(&t, answers);
    if (prompt_yes(&t.prompt, "Well?") != yes)
        fail_msg("answers \"%s\": expected %d", answers, yes);
    assert_string_equal(t.said, said);
    talk_end(&t);
}

static void every_form_of_yes_is_yes(void **state)
{
    (void)state;
    static const char *const words[] = {"yes\n", "Yes\n", "YES\n", "Y\n", "y\n", "  y \r\n", "y"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        expect(words[i], true, "Well?\n");
}

static void every_form_of_no_ends_it_at_once(void **state)
{
    (void)state;
    static const char *const words[] = {"no\ny\n", "No\ny\n", "NO\ny\n", "N\ny\n", "n\ny\n"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        expect(words[i], false, "Well?\n");
}

static void other_answers_cost_an_attempt(void **state)
{
    (void)state;
    expect("maybe\ny\n", true, "Well?\n" AGAIN);
    expect("yep\n\nYES\n", true, "Well?\n" AGAIN AGAIN);
    expect("yEs\nye\nyess\ny\n", false, "Well?\n" AGAIN AGAIN);
}

static void end_of_input_is_no(void **state)
{
    (void)state;
    expect("\n", false, "Well?\n" AGAIN AGAIN);
    expect("maybe", false, "Well?\n" AGAIN AGAIN);
}

static void a_line_without_end_is_not_an_answer(void **state)
{
    (void)state;
    char line[1000];
    memset(line, ' ', sizeof line);
    memcpy(line + 700, "y\ny\n", 5); // "y" behind more spaces than an answer may have
    expect(line, true, "Well?\n" AGAIN);
    line[0] = '\0';
}

static void answers_may_be_piped_all_at_once(void **state)
{
    (void)state;
    struct talk t;
    talk_start(&t, "y\nyes\nn\n");
    assert_true(prompt_yes(&t.prompt, "One?"));
    assert_true(prompt_yes(&t.prompt, "Two\nlines?"));
    assert_false(prompt_yes(&t.prompt, "Three?"));
    assert_string_equal(t.said, "One?\nTwo\nlines?\nThree?\n");
    talk_end(&t);
}

static void a_question_that_cannot_be_shown_is_no(void **state)
{
    (void)state;
    struct prompt p = {.in = fmemopen((void *)(uintptr_t) "y\n", 2, "r"),
                       .out = fopen("/dev/full", "w")};
    assert_non_null(p.in);
    assert_non_null(p.out);
    assert_false(prompt_yes(&p, "Well?"));
    (void)fclose(p.in);
    (void)fclose(p.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_yes_is_yes),
        cmocka_unit_test(every_form_of_no_ends_it_at_once),
        cmocka_unit_test(other_answers_cost_an_attempt),
        cmocka_unit_test(end_of_input_is_no),
        cmocka_unit_test(a_line_without_end_is_not_an_answer),
        cmocka_unit_test(answers_may_be_piped_all_at_once),
        cmocka_unit_test(a_question_that_cannot_be_shown_is_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
