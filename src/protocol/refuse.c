// Refusals: a protocol error for the wire and one sentence for people, from one call (qos-wire
// 4.4).
#include "protocol/refuse.h"

#include "base/hex.h"
#include "crypto/p256.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set_kind(struct protocol_error *why, enum protocol_error_kind kind)
{
    if (why == NULL)
        return;
    memset(why, 0, sizeof *why);
    why->tag = kind;
}

enum q_err refuse(struct protocol_error *why, enum protocol_error_kind kind, const char *format,
                  ...)
{
    char sentence[Q_ERR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    set_kind(why, kind);
    return fail(Q_REFUSED, "%s: %s", protocol_error_name(kind), written < 0 ? format : sentence);
}

// The two variants with text need some; a failure without a number of its own is an IOError.
static struct p256_error_value last_p256_error(void)
{
    int detail = err_detail();
    if (detail < 0 || detail >= P256_ERROR_COUNT)
        return (struct p256_error_value){.tag = P256_IO_ERROR, .text = BYTES_LIT("no detail")};
    struct p256_error_value value = {.tag = (uint32_t)detail};
    if (detail == P256_QOS_HEX || detail == P256_IO_ERROR)
        value.text = BYTES_LIT("no detail");
    return value;
}

enum q_err refuse_p256(struct protocol_error *why, enum protocol_error_kind kind,
                       const char *format, ...)
{
    char context[Q_ERR_TEXT_SIZE], cause[Q_ERR_TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);
    struct p256_error_value value = last_p256_error();
    (void)snprintf(cause, sizeof cause, "%s", err_text());
    set_kind(why, kind);
    if (why != NULL)
        why->p256 = value;
    return fail(Q_REFUSED, "%s: %s: %s", protocol_error_name(kind), written < 0 ? format : context,
                cause);
}

enum q_err refuse_different(struct protocol_error *why, enum protocol_error_kind kind,
                            const char *what, const struct difference *d)
{
    enum q_err err =
        refuse(why, kind, "%s: expected %.*s, got %.*s", what, (int)d->expected.n,
               (const char *)d->expected.p, (int)d->actual.n, (const char *)d->actual.p);
    if (why != NULL)
        why->difference = *d;
    return err;
}

static enum q_err as_hex(struct bytes in, struct arena *a, struct bytes *out)
{
    BUF_AUTO hex = {0};
    TRY(hex_encode(in, &hex));
    return arena_copy(a, buf_bytes(&hex), out);
}

enum q_err refuse_different_bytes(struct protocol_error *why, enum protocol_error_kind kind,
                                  const char *what, struct bytes expected, struct bytes actual,
                                  struct arena *a)
{
    struct difference d;
    TRY(as_hex(expected, a, &d.expected));
    TRY(as_hex(actual, a, &d.actual));
    return refuse_different(why, kind, what, &d);
}
