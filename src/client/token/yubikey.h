// The PIV application of a YubiKey, by libykpiv over PC/SC: making its two member keys, changing its PIN,
// resetting it (qos-behaviour 1.6, qos-wire 6.2). What uses the keys goes through PKCS#11 instead.
#ifndef QUORATE_CLIENT_YUBIKEY_H
#define QUORATE_CLIENT_YUBIKEY_H

#include "crypto/p256.h"

enum yubikey_slot {
    YUBIKEY_SIGNATURE = 0x9c,
    YUBIKEY_KEY_MANAGEMENT = 0x9d,
};

struct yubikey;
#define YUBIKEY_AUTO __attribute__((cleanup(yubikey_close))) struct yubikey

// The only YubiKey of this machine: Q_MISSING when there is none, Q_REFUSED when there are several.
enum q_err yubikey_open(struct yubikey **out);
void yubikey_close(struct yubikey **y); // safe on NULL; sets it to NULL

// 6 to 8 bytes, else it is not tried. Says how many tries are left when it was wrong.
enum q_err yubikey_verify_pin(struct yubikey *y, const struct secret *pin);
enum q_err yubikey_change_pin(struct yubikey *y, const struct secret *current,
                              const struct secret *new_pin);
// Q_REFUSED for a PIN that is not 6 to 8 bytes; what names it.
enum q_err yubikey_check_pin(const char *what, const struct secret *pin);

// Blocks PIN and PUK by wrong ones, then makes the PIV application as it was in the factory: all its keys are
// gone.
enum q_err yubikey_reset(struct yubikey *y);

// Opens the management key's door; an empty key is the factory's. Its algorithm (3DES, or AES as from firmware
// 5.7 on) is that which the YubiKey names.
enum q_err yubikey_authenticate(struct yubikey *y, struct bytes management_key);

// Q_EXISTS when the slot holds a certificate, or a key as far as the YubiKey tells (firmware 5.3 and above).
enum q_err yubikey_check_empty(struct yubikey *y, enum yubikey_slot slot);
// A new key in a slot, or an imported one (32 bytes); PIN and touch are wanted each time it is used. After
// yubikey_authenticate.
enum q_err yubikey_generate(struct yubikey *y, enum yubikey_slot slot,
                            uint8_t point[static P256_POINT_SIZE]);
enum q_err yubikey_import(struct yubikey *y, enum yubikey_slot slot, struct bytes scalar);
// Makes the slot's certificate: CN=QuorumOS, 10 years, signed by the slot's own key. WrongPublicKey when the
// slot does not hold the key of this point.
enum q_err yubikey_certify(struct yubikey *y, enum yubikey_slot slot, const struct secret *pin,
                           const uint8_t point[static P256_POINT_SIZE]);

// ECDSA over a SHA-256 digest, as DER, with the slot's key; needs the PIN just before. n: the room in out,
// then what was written.
enum q_err yubikey_sign_digest(struct yubikey *y, enum yubikey_slot slot, struct bytes digest,
                               uint8_t *out, size_t *n);
// Writes a certificate (DER) into a slot.
enum q_err yubikey_write_certificate(struct yubikey *y, enum yubikey_slot slot, struct bytes der);

#endif
