// Fuzzes the reader of images. The CRC is set right, so that what lies behind it is reached. Whatever is
// accepted lies inside the input, covers all of it, is measured, and, where the writer would have made
// it in that order, is written again as the same bytes.
#include "tee/eif/eif_signature.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AT_CRC 544

static void repair_crc(uint8_t *file, size_t n)
{
    if (n < EIF_HEADER_SIZE)
        return;
    uLong crc = crc32(0, file, AT_CRC);
    crc = crc32_z(crc, file + EIF_HEADER_SIZE, n - EIF_HEADER_SIZE);
    for (int i = 0; i < 4; i++)
        file[AT_CRC + i] = (uint8_t)(crc >> (24 - 8 * i));
}

static void check_cover(const struct eif_image *image, size_t size)
{
    size_t at = EIF_HEADER_SIZE;
    for (size_t i = 0; i < image->section_count; i++) {
        if (image->sections[i].offset != at)
            abort();
        at += EIF_SECTION_HEADER_SIZE + image->sections[i].data.n;
    }
    if (at != size)
        abort();
}

static void check_rewritten(const struct eif_image *image)
{
    BUF_AUTO again = {0};
    struct eif_image other;
    struct eif_measurements a, b;
    if (eif_write(&image->parts, &again) != Q_OK)
        return;
    if (eif_read(buf_bytes(&again), &other) != Q_OK || eif_measure(&image->parts, &a) != Q_OK ||
        eif_measure(&other.parts, &b) != Q_OK || memcmp(&a, &b, sizeof a) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct eif_image image;
    struct eif_measurements m;
    struct eif_signer signer;
    uint8_t *file = malloc(size == 0 ? 1 : size);
    if (file == NULL)
        abort();
    if (size > 0)
        memcpy(file, data, size);
    repair_crc(file, size);
    if (eif_read(bytes_of(file, size), &image) == Q_OK) {
        check_cover(&image, size);
        check_rewritten(&image);
        if (eif_measure(&image.parts, &m) != Q_OK)
            abort();
        if (image.parts.signature.p != NULL)
            (void)eif_signature_verify(image.parts.signature, &m, &signer);
    }
    free(file);
    return 0;
}
