// Finding and reading the binding beside a wrapped share (see share_binding_file.h).
#include "client/share/share_binding_file.h"

#include "base/file.h"
#include "base/hex.h"

enum q_err share_binding_path(const char *wrapped_path, struct arena *a, const char **out)
{
    struct bytes path;
    TRY(arena_printf(a, &path, "%s.binding", wrapped_path));
    *out = (const char *)path.p;
    return Q_OK;
}

enum q_err share_binding_read(const char *wrapped_path, uint8_t out[static P256_SIGNATURE_SIZE],
                              bool *there)
{
    ARENA_AUTO a = {0};
    BUF_AUTO text = {0};
    const char *path;
    TRY(share_binding_path(wrapped_path, &a, &path));
    *there = file_exists(path);
    if (!*there)
        return Q_OK;
    TRY(file_read_regular(path, 4 * (size_t)P256_SIGNATURE_SIZE, &text));
    return err_context(hex_decode_fixed(bytes_trim(buf_bytes(&text)), out, P256_SIGNATURE_SIZE),
                       "%s", path);
}
