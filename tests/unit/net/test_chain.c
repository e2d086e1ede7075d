// Chains: order, removal, ends.
#include "../cmocka_setup.h"

#include "net/chain.h"

struct item {
    char name;
    struct chain_link link;
};

static void assert_order(const struct chain *c, const char *expected)
{
    char names[8] = "";
    size_t n = 0;
    for (struct chain_link *l = chain_first(c); l != NULL && n < 7; l = chain_next(c, l))
        names[n++] = CHAIN_OWNER(l, struct item, link)->name;
    assert_string_equal(names, expected);
}

static void links_stand_in_the_order_they_were_added_and_leave_from_anywhere(void **state)
{
    (void)state;
    struct chain c;
    struct item items[] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}, {.name = 'd'}};
    chain_init(&c);
    assert_order(&c, "");
    assert_null(CHAIN_OWNER(chain_first(&c), struct item, link));
    for (int i = 0; i < 3; i++)
        chain_add_last(&c, &items[i].link);
    chain_add_first(&c, &items[3].link);
    assert_order(&c, "dabc");
    chain_remove(&items[0].link);
    assert_order(&c, "dbc");
    chain_remove(&items[3].link);
    assert_order(&c, "bc");
    chain_remove(&items[2].link);
    assert_order(&c, "b");
    chain_remove(&items[1].link);
    assert_order(&c, "");
    chain_add_last(&c, &items[1].link);
    assert_order(&c, "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_stand_in_the_order_they_were_added_and_leave_from_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
