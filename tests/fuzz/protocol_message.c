// Fuzz target: any bytes as a message. What decodes must encode in the same encoding, and what that
// gives must decode and encode to the same bytes again.
#include "protocol/message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(struct bytes in, enum encoding expected)
{
    ARENA_AUTO a = {0};
    BUF_AUTO out = {0};
    struct message m;
    enum encoding was;
    if (message_decode(in, &a, &m, &was, NULL) != Q_OK || was != expected)
        abort();
    if (message_encode(&m, was, &out, NULL) != Q_OK || !bytes_equal(buf_bytes(&out), in))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_AUTO a = {0};
    BUF_AUTO out = {0};
    BUF_AUTO shown = {0};
    struct message m;
    struct protocol_error why = {0};
    enum encoding was;
    if (message_decode(bytes_of(data, size), &a, &m, &was, &why) != Q_OK) {
        if (protocol_error_display(&why, &shown) != Q_OK)
            abort();
        return 0;
    }
    if (message_encode(&m, was, &out, &why) != Q_OK)
        abort();
    again(buf_bytes(&out), was);
    if (m.tag == MSG_PROTOCOL_ERROR_RESPONSE && protocol_error_display(&m.error, &shown) != Q_OK)
        abort();
    return 0;
}
