// The bytes that bind a posted share to its sender (design "A refused request changes nothing").
#include "protocol/share.h"

static enum q_err append_sized(struct bytes field, const char *what, struct buf *out)
{
    if (field.n > UINT32_MAX)
        return fail(Q_LIMIT, "share binding: %s: expected at most %u bytes, got %zu", what,
                    UINT32_MAX, field.n);
    TRY(buf_u32le(out, (uint32_t)field.n));
    return buf_append(out, field);
}

enum q_err share_binding_message(const uint8_t manifest_hash[static SHA256_SIZE],
                                 struct bytes setup_key, struct bytes ciphertext, struct buf *out)
{
    TRY(buf_append(out, BYTES_LIT(SHARE_BINDING_DOMAIN)));
    TRY(buf_append(out, bytes_of(manifest_hash, SHA256_SIZE)));
    TRY(append_sized(setup_key, "setup key", out));
    return append_sized(ciphertext, "ciphertext", out);
}
