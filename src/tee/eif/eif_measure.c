// The registers that an image gives an enclave (see eif.h, nitro 1.2).
#include "tee/eif/eif.h"

static const uint8_t zeros[SHA384_SIZE];

enum q_err eif_extend_zero(struct bytes data, uint8_t out[static SHA384_SIZE])
{
    return sha384_pair(BYTES_OF(zeros), data, out);
}

static enum q_err measure(const struct bytes *pieces, size_t count, uint8_t out[static SHA384_SIZE])
{
    uint8_t digest[SHA384_SIZE];
    TRY(sha384_pieces(pieces, count, digest));
    return eif_extend_zero(BYTES_OF(digest), out);
}

enum q_err eif_measure(const struct eif_parts *parts, struct eif_measurements *out)
{
    if (parts->ramdisk_count < 1 || parts->ramdisk_count > EIF_MAX_RAMDISKS)
        return fail(Q_INTERNAL, "EIF: asked to measure %zu ramdisks", parts->ramdisk_count);
    struct bytes pieces[2 + EIF_MAX_RAMDISKS] = {parts->kernel, parts->cmdline};
    for (size_t i = 0; i < parts->ramdisk_count; i++)
        pieces[2 + i] = parts->ramdisks[i];
    TRY(measure(pieces, 2 + parts->ramdisk_count, out->pcr[0]));
    TRY(measure(pieces, 3, out->pcr[1]));
    return measure(pieces + 3, parts->ramdisk_count - 1, out->pcr[2]);
}
