// Writing into buffers that are too small: every size from one byte up, until it fits. Each failure must be the
// limit's, and where the writer promises so, leave the buffer as it was.
#ifndef QUORATE_TESTS_SCARCE_ROOM_H
#define QUORATE_TESTS_SCARCE_ROOM_H

#include "../cmocka_setup.h"

enum leaves { LEAVES_A_PART, LEAVES_NOTHING };

// Returns the number of bytes that write needs.
static inline size_t needs_room(enum q_err (*write)(const void *value, struct buf *out),
                                const void *value, enum leaves leaves)
{
    for (size_t room = 0;; room++) {
        BUF_AUTO out = {.limit = room + 1};
        assert_ok(buf_u8(&out, '.'));
        enum q_err err = write(value, &out);
        if (err == Q_OK) {
            assert_true(out.n <= room + 1);
            return room;
        }
        assert_int_not_equal(err, Q_INTERNAL);
        assert_true(out.n <= room + 1);
        assert_true(leaves == LEAVES_A_PART || out.n == 1);
        if (room > (size_t)1 << 20)
            fail_msg("no room is enough: %s", err_text());
    }
}

#endif
