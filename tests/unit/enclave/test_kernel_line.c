// The kernel's command line: what is ours is understood or refused, the rest is the kernel's.
#include "../cmocka_setup.h"

#include "enclave/kernel_line.h"

static void lines_that_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint32_t parent_cid;
        bool unfiltered;
    } rows[] = {
        {"", 3, false},
        {"\n", 3, false},
        {"reboot=k panic=1 pci=off nomodules console=ttyS0 i8042.noaux", 3, false},
        {"quorate.parent_cid=2", 2, false},
        {"reboot=k quorate.parent_cid=2\n", 2, false},
        {"  quorate.parent_cid=4294967294\tquorate.unsafe_unfiltered_app=1 x", 4294967294, true},
        {"quorate.unsafe_unfiltered_app=0", 3, false},
        {"quorate quorate_parent_cid=7 xquorate.parent_cid=8 quorate=9", 3, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kernel_line out;
        assert_ok(kernel_line_read(bytes_str(rows[i].line), &out));
        assert_int_equal(out.parent_cid, rows[i].parent_cid);
        assert_int_equal(out.unsafe_unfiltered_app, rows[i].unfiltered);
    }
}

static void lines_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line, *text;
    } rows[] = {
        {"quorate.parent_cid", "quorate.parent_cid: expected a number"},
        {"quorate.parent_cid=", "quorate.parent_cid: expected a number"},
        {"quorate.parent_cid=two", "quorate.parent_cid: expected a number"},
        {"quorate.parent_cid=-1", "quorate.parent_cid: expected a number"},
        {"quorate.parent_cid=2x", "quorate.parent_cid: expected a number"},
        {"quorate.parent_cid=4294967295", "expected a number up to 4294967294"},
        {"quorate.parent_cid=99999999999999999999", "expected a number up to 4294967294"},
        {"quorate.parent_cid=2 quorate.parent_cid=2", "quorate.parent_cid once, found it twice"},
        {"quorate.unsafe_unfiltered_app=2", "expected a number up to 1"},
        {"quorate.unsafe_unfiltered_app", "expected a number up to 1"},
        {"quorate.parent_cids=2", "found quorate.parent_cids"},
        {"quorate.=2", "found quorate."},
        {"a=b quorate.tee=sim", "found quorate.tee"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kernel_line out;
        assert_refused(kernel_line_read(bytes_str(rows[i].line), &out), Q_BAD_INPUT, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_are_understood),
        cmocka_unit_test(lines_that_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
