// Base58 (see base58.h): the bytes as one big-endian number, written with 58 digits.
#include "app/wallet/base58.h"

#define DIGITS_MAX (BASE58_TEXT_SIZE - 1)

void base58_encode(struct bytes in, char out[static BASE58_TEXT_SIZE])
{
    static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    uint8_t digits[DIGITS_MAX] = {0}; // the lowest first
    size_t count = 0, zeros = 0, n = 0;
    while (zeros < in.n && in.p[zeros] == 0)
        zeros++;
    for (size_t i = zeros; i < in.n; i++) {
        unsigned carry = in.p[i];
        for (size_t k = 0; k < DIGITS_MAX && (k < count || carry > 0); k++) {
            carry += 256u * digits[k];
            digits[k] = (uint8_t)(carry % 58);
            carry /= 58;
            count = k < count ? count : k + 1;
        }
    }
    for (size_t i = 0; i < zeros; i++)
        out[n++] = alphabet[0];
    while (count > 0)
        out[n++] = alphabet[digits[--count]];
    out[n] = '\0';
}
