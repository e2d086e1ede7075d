// Statuses, views and texts at the public interface (see boundary.h).
#include "app/boundary.h"

#include <stdlib.h>

enum app_status status_of(enum q_err err)
{
    static const enum app_status statuses[] = {
        [Q_OK] = APP_OK,
        [Q_NOMEM] = APP_NO_MEMORY,
        [Q_IO] = APP_IO,
        [Q_EXISTS] = APP_IO,
        [Q_MISSING] = APP_IO,
        [Q_BAD_INPUT] = APP_BAD_INPUT,
        [Q_LIMIT] = APP_TOO_LARGE,
        [Q_CRYPTO] = APP_CRYPTO,
        [Q_REFUSED] = APP_REFUSED,
        [Q_ATTESTATION] = APP_ATTESTATION,
        [Q_TEE] = APP_INTERNAL,
        [Q_TIMEOUT] = APP_INTERNAL,
        [Q_CLOSED] = APP_INTERNAL,
        [Q_UNSUPPORTED] = APP_BAD_INPUT,
        [Q_INTERNAL] = APP_INTERNAL,
    };
    return (size_t)err < sizeof statuses / sizeof *statuses ? statuses[err] : APP_INTERNAL;
}

enum q_err needs(const void *pointer, const char *what)
{
    return pointer != NULL ? Q_OK : fail(Q_BAD_INPUT, "%s: expected a pointer, found NULL", what);
}

enum q_err view_of(const void *pointer, size_t size, const char *what, struct bytes *out)
{
    if (pointer == NULL && size > 0)
        return fail(Q_BAD_INPUT, "%s: expected %zu bytes, found NULL", what, size);
    *out = pointer != NULL ? bytes_of(pointer, size) : BYTES_LIT("");
    return Q_OK;
}

enum q_err public_of(const uint8_t *encoded, struct p256_public *out)
{
    TRY(needs(encoded, "public key"));
    return p256_public_parse(bytes_of(encoded, APP_PUBLIC_KEY_SIZE), out);
}

enum q_err give_text(struct buf *b, char **out)
{
    if (buf_text(b) == NULL)
        return Q_NOMEM;
    *out = (char *)b->p;
    *b = (struct buf){0};
    return Q_OK;
}

void app_text_free(char *text)
{
    free(text);
}

const char *app_error(void)
{
    return err_text();
}

const char *app_version(void)
{
    return QUORATE_VERSION;
}
