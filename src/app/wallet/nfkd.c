// NFKD by utf8proc (see nfkd.h).
#include "app/wallet/nfkd.h"

#include <string.h>
#include <utf8proc.h>

#define NFKD (UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT)
#define NFKD_TEXT_MAX                                                                              \
    ((size_t)1 << 20) // far below where the sizes of a decomposition could overflow

static enum q_err refuse(utf8proc_ssize_t why)
{
    if (why == UTF8PROC_ERROR_NOTASSIGNED)
        return fail(Q_BAD_INPUT,
                    "passphrase: expected characters that Unicode %s assigns, found another",
                    utf8proc_unicode_version());
    return fail(Q_BAD_INPUT, "passphrase: expected UTF-8, found other bytes");
}

// Code points in decomposed order, in memory with room for one more, as utf8proc_reencode wants it.
static enum q_err decompose(struct bytes text, struct secret *points, utf8proc_ssize_t *count)
{
    utf8proc_ssize_t size = (utf8proc_ssize_t)text.n;
    utf8proc_ssize_t needed = utf8proc_decompose(text.p, size, NULL, 0, NFKD);
    if (needed < 0)
        return refuse(needed);
    TRY(secret_new(points, ((size_t)needed + 1) * sizeof(utf8proc_int32_t)));
    *count = utf8proc_decompose(text.p, size, (utf8proc_int32_t *)(void *)points->p, needed, NFKD);
    return *count == needed ? Q_OK : refuse(*count);
}

static enum q_err append(struct bytes before, struct bytes text, struct secret *out)
{
    TRY(secret_new(out, before.n + text.n));
    memcpy(out->p, before.p, before.n);
    if (text.n > 0)
        memcpy(out->p + before.n, text.p, text.n);
    return Q_OK;
}

bool nfkd_is_ascii(struct bytes text)
{
    uint8_t all = 0;
    for (size_t i = 0; i < text.n; i++)
        all |= text.p[i];
    return all < 0x80;
}

enum q_err nfkd_behind(struct bytes before, struct bytes text, struct secret *out)
{
    if (text.n > NFKD_TEXT_MAX)
        return fail(Q_LIMIT, "passphrase: expected at most %zu bytes, found %zu", NFKD_TEXT_MAX,
                    text.n);
    if (nfkd_is_ascii(text))
        return append(before, text, out);
    SECRET_AUTO points = {0};
    utf8proc_ssize_t count = 0;
    TRY(decompose(text, &points, &count));
    utf8proc_ssize_t n = utf8proc_reencode((utf8proc_int32_t *)(void *)points.p, count, NFKD);
    if (n < 0)
        return refuse(n);
    return append(before, bytes_of(points.p, (size_t)n), out);
}

enum q_err nfkd_check_utf8(struct bytes text)
{
    if (nfkd_is_ascii(text) || bytes_is_utf8(text))
        return Q_OK;
    return fail(Q_BAD_INPUT, "passphrase: expected UTF-8, found other bytes");
}

enum q_err nfkd_check_assigned(struct bytes text)
{
    TRY(nfkd_check_utf8(text));
    if (nfkd_is_ascii(text))
        return Q_OK;
    utf8proc_ssize_t n = utf8proc_decompose(text.p, (utf8proc_ssize_t)text.n, NULL, 0,
                                            (utf8proc_option_t)(NFKD | UTF8PROC_REJECTNA));
    return n < 0 ? refuse(n) : Q_OK;
}
