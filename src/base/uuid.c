// Random UUIDs (see uuid.h).
#include "base/uuid.h"

#include "base/bytes.h"
#include "base/hex.h"
#include "base/random.h"

#include <stdio.h>

enum q_err uuid_draw(char out[static UUID_TEXT_SIZE + 1])
{
    uint8_t r[16];
    BUF_AUTO hex = {0};
    TRY(random_bytes(r, sizeof r));
    r[6] = (uint8_t)(0x40 | (r[6] & 0x0f));
    r[8] = (uint8_t)(0x80 | (r[8] & 0x3f));
    TRY(hex_encode(BYTES_OF(r), &hex));
    const char *h = (const char *)hex.p;
    (void)snprintf(out, UUID_TEXT_SIZE + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", h, h + 8, h + 12, h + 16,
                   h + 20);
    return Q_OK;
}
