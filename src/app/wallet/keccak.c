// Keccak-256 (see keccak.h). nettle 3.8 exports SHA3-256's absorbing and the permutation; only the padding is ours:
// 01 00 ... 00 80 up to the end of a block, where SHA-3 begins with 06.
#include "app/wallet/keccak.h"

#include <nettle/sha3.h>

void keccak256(const struct bytes *pieces, size_t count, uint8_t out[static KECCAK256_SIZE])
{
    struct sha3_256_ctx ctx;
    uint8_t padding[SHA3_256_BLOCK_SIZE] = {0x01};
    size_t in_block = 0;
    sha3_256_init(&ctx);
    for (size_t i = 0; i < count; i++) {
        sha3_256_update(&ctx, pieces[i].n, pieces[i].p);
        in_block = (in_block + pieces[i].n % SHA3_256_BLOCK_SIZE) % SHA3_256_BLOCK_SIZE;
    }
    size_t left = SHA3_256_BLOCK_SIZE - in_block;
    padding[left - 1] |= 0x80;
    sha3_256_update(&ctx, left, padding); // fills the block, so it is absorbed
    for (size_t i = 0; i < KECCAK256_SIZE; i++)
        out[i] = (uint8_t)(ctx.state.a[i / 8] >> 8 * (i % 8));
}
