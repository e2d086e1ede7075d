// The field GF(2^8) with the polynomial 0x11B, as Shamir sharing uses it (FIPS 197, section 4.2).
// Constant time: no table and no branch on an element. Private to crypto/.
#ifndef QUORATE_CRYPTO_GF256_H
#define QUORATE_CRYPTO_GF256_H

#include <stddef.h>
#include <stdint.h>

// 0xff when the lowest bit is set, else 0x00.
static inline uint8_t gf256_mask(unsigned bit)
{
    return (uint8_t)(0u - (bit & 1u));
}

static inline uint8_t gf256_mul(uint8_t a, uint8_t b)
{
    uint8_t product = 0;
    for (int bit = 7; bit >= 0; bit--) {
        uint8_t carry = gf256_mask((unsigned)product >> 7) & 0x1b;
        product = (uint8_t)((uint8_t)(product << 1) ^ carry);
        product ^= gf256_mask((unsigned)b >> bit) & a;
    }
    return product;
}

// Eight elements at once, each of them in a byte of a.
static inline uint64_t gf256_mul8(uint64_t a, uint8_t b)
{
    const uint64_t low_seven = UINT64_C(0x7f7f7f7f7f7f7f7f), lowest = UINT64_C(0x0101010101010101);
    uint64_t product = 0;
    for (int bit = 7; bit >= 0; bit--) {
        uint64_t carries = product >> 7 & lowest; // a 1 in each byte that overflows
        product = (product & low_seven) << 1 ^ carries * 0x1b;
        product ^= a & (UINT64_C(0) - ((uint64_t)b >> bit & 1));
    }
    return product;
}

// a^254, which is 1/a; 0 for 0.
static inline uint8_t gf256_inverse(uint8_t a)
{
    uint8_t power = a;
    for (int i = 0; i < 6; i++) // a^3, a^7, ... a^127
        power = gf256_mul(gf256_mul(power, power), a);
    return gf256_mul(power, power);
}

#endif
