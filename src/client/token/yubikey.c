// One YubiKey: finding it, its PIN, its slots, its reset (see yubikey.h; NIST SP 800-73-4).
#include "client/token/yubikey_state.h"

#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READERS_SIZE 4096
#define RESET_TRIES 300 // more wrong PINs than any counter allows

enum q_err yubikey_failed(ykpiv_rc rc, const char *what)
{
    return fail(Q_CRYPTO, "YubiKey: %s: expected it to work, found: %s", what, ykpiv_strerror(rc));
}

enum q_err yubikey_only_reader(struct bytes readers, char name[static YUBIKEY_READER_SIZE])
{
    size_t found = 0, length;
    for (size_t at = 0; at < readers.n && readers.p[at] != '\0'; at += length + 1) {
        const char *reader = (const char *)readers.p + at;
        length = strnlen(reader, readers.n - at);
        if (at + length == readers.n || length >= YUBIKEY_READER_SIZE)
            return fail(Q_BAD_INPUT, "YubiKey: expected names of readers, found something else");
        if (strcasestr(reader, "yubikey") == NULL)
            continue;
        found++;
        (void)snprintf(name, YUBIKEY_READER_SIZE, "%s", reader);
    }
    if (found > 1)
        return fail(Q_REFUSED, "YubiKey: expected one, found %zu", found);
    if (found == 0)
        return fail(Q_MISSING,
                    "YubiKey: expected one, found none (is it plugged in, and does pcscd "
                    "run?)");
    return Q_OK;
}

static enum q_err connect(struct yubikey *y)
{
    char readers[READERS_SIZE] = {0}, name[YUBIKEY_READER_SIZE];
    size_t n = sizeof readers - 1;
    ykpiv_rc rc = ykpiv_init(&y->state, 0);
    if (rc != YKPIV_OK)
        return yubikey_failed(rc, "start");
    rc = ykpiv_list_readers(y->state, readers, &n);
    if (rc != YKPIV_OK)
        n = 0; // pcscd is not there, or no reader is
    TRY(yubikey_only_reader(bytes_of(readers, n < sizeof readers ? n : sizeof readers - 1), name));
    rc = ykpiv_connect(y->state, name);
    if (rc != YKPIV_OK)
        return yubikey_failed(rc, "connection");
    y->connected = true;
    return Q_OK;
}

enum q_err yubikey_open(struct yubikey **out)
{
    struct yubikey *y = calloc(1, sizeof *y);
    *out = y;
    if (y == NULL)
        return fail(Q_NOMEM, "YubiKey: no memory");
    enum q_err err = connect(y);
    if (err != Q_OK)
        yubikey_close(out);
    return err;
}

void yubikey_close(struct yubikey **y)
{
    if (*y == NULL)
        return;
    if ((*y)->connected)
        (void)ykpiv_disconnect((*y)->state);
    if ((*y)->state != NULL)
        (void)ykpiv_done((*y)->state);
    free(*y);
    *y = NULL;
}

enum q_err yubikey_check_pin(const char *what, const struct secret *pin)
{
    if (pin->n >= YKPIV_MIN_PIN_LEN && pin->n <= YKPIV_MAX_PIN_LEN)
        return Q_OK;
    return fail(Q_REFUSED, "%s: expected from %d to %d bytes, found %zu (not tried)", what,
                YKPIV_MIN_PIN_LEN, YKPIV_MAX_PIN_LEN, pin->n);
}

static enum q_err pin_failed(ykpiv_rc rc, int tries)
{
    if (rc == YKPIV_PIN_LOCKED || (rc == YKPIV_WRONG_PIN && tries == 0))
        return fail(Q_REFUSED, "YubiKey: PIN: expected one that can be used, found it locked after "
                               "too many wrong ones");
    if (rc == YKPIV_WRONG_PIN)
        return fail(
            Q_REFUSED,
            "YubiKey: PIN: expected the right one, found a wrong one; %d %s left before it is "
            "locked",
            tries, tries == 1 ? "try is" : "tries are");
    return yubikey_failed(rc, "PIN");
}

enum q_err yubikey_verify_pin(struct yubikey *y, const struct secret *pin)
{
    int tries = 0;
    TRY(yubikey_check_pin("PIN", pin));
    ykpiv_rc rc = ykpiv_verify_select(y->state, (const char *)pin->p, pin->n, &tries, false);
    return rc == YKPIV_OK ? Q_OK : pin_failed(rc, tries);
}

enum q_err yubikey_change_pin(struct yubikey *y, const struct secret *current,
                              const struct secret *new_pin)
{
    int tries = 0;
    TRY(yubikey_check_pin("current PIN", current));
    TRY(yubikey_check_pin("new PIN", new_pin));
    ykpiv_rc rc = ykpiv_change_pin(y->state, (const char *)current->p, current->n,
                                   (const char *)new_pin->p, new_pin->n, &tries);
    return rc == YKPIV_OK ? Q_OK : pin_failed(rc, tries);
}

// Random PINs: one that happened to be right would only start the count again.
static enum q_err block_pin(struct yubikey *y)
{
    for (int i = 0; i < RESET_TRIES; i++) {
        int tries = 0;
        uint8_t wrong[YKPIV_MAX_PIN_LEN];
        TRY(random_bytes(wrong, sizeof wrong));
        for (size_t at = 0; at < sizeof wrong; at++)
            wrong[at] = (uint8_t)('a' + wrong[at] % 26);
        ykpiv_rc rc =
            ykpiv_verify_select(y->state, (const char *)wrong, sizeof wrong, &tries, false);
        if (rc == YKPIV_PIN_LOCKED || (rc == YKPIV_WRONG_PIN && tries == 0))
            return Q_OK;
        if (rc != YKPIV_OK && rc != YKPIV_WRONG_PIN)
            return yubikey_failed(rc, "blocking the PIN");
    }
    return fail(Q_CRYPTO,
                "YubiKey: expected the PIN to be blocked after %d wrong ones, found it not "
                "blocked",
                RESET_TRIES);
}

enum q_err yubikey_reset(struct yubikey *y)
{
    TRY(block_pin(y));
    ykpiv_rc rc = ykpiv_util_block_puk(y->state);
    if (rc != YKPIV_OK)
        return yubikey_failed(rc, "blocking the PUK");
    rc = ykpiv_util_reset(y->state);
    return rc == YKPIV_OK ? Q_OK : yubikey_failed(rc, "reset");
}

static enum q_err slot_taken(enum yubikey_slot slot, const char *by)
{
    return fail(Q_EXISTS,
                "YubiKey: slot %x: expected it empty, found that it holds a %s already "
                "(--force replaces key and certificate)",
                slot, by);
}

// Firmware below 5.3 does not tell of a key alone.
static bool holds_key(struct yubikey *y, enum yubikey_slot slot)
{
    uint8_t data[YKPIV_OBJ_MAX_SIZE];
    size_t n = sizeof data;
    return ykpiv_get_metadata(y->state, (uint8_t)slot, data, &n) == YKPIV_OK;
}

enum q_err yubikey_check_empty(struct yubikey *y, enum yubikey_slot slot)
{
    uint8_t *certificate = NULL;
    size_t n = 0;
    ykpiv_rc rc = ykpiv_util_read_cert(y->state, (uint8_t)slot, &certificate, &n);
    if (certificate != NULL)
        (void)ykpiv_util_free(y->state, certificate);
    if (rc != YKPIV_OK && rc != YKPIV_INVALID_OBJECT)
        return yubikey_failed(rc, "reading a slot");
    if (rc == YKPIV_OK && n > 0)
        return slot_taken(slot, "certificate");
    return holds_key(y, slot) ? slot_taken(slot, "key") : Q_OK;
}

enum q_err yubikey_generate(struct yubikey *y, enum yubikey_slot slot,
                            uint8_t point[static P256_POINT_SIZE])
{
    uint8_t *made = NULL;
    size_t n = 0;
    ykpiv_rc rc =
        ykpiv_util_generate_key(y->state, (uint8_t)slot, YKPIV_ALGO_ECCP256, YKPIV_PINPOLICY_ALWAYS,
                                YKPIV_TOUCHPOLICY_ALWAYS, NULL, NULL, NULL, NULL, &made, &n);
    if (rc == YKPIV_OK && made != NULL && n == P256_POINT_SIZE)
        memcpy(point, made, P256_POINT_SIZE);
    if (made != NULL)
        (void)ykpiv_util_free(y->state, made);
    if (rc != YKPIV_OK)
        return yubikey_failed(rc, "making a key");
    if (n != P256_POINT_SIZE)
        return fail(Q_CRYPTO, "YubiKey: new key: expected a point of %d bytes, found %zu",
                    P256_POINT_SIZE, n);
    return Q_OK;
}

enum q_err yubikey_import(struct yubikey *y, enum yubikey_slot slot, struct bytes scalar)
{
    ykpiv_rc rc = ykpiv_import_private_key(
        y->state, (uint8_t)slot, YKPIV_ALGO_ECCP256, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0,
        scalar.p, (uint8_t)scalar.n, YKPIV_PINPOLICY_ALWAYS, YKPIV_TOUCHPOLICY_ALWAYS);
    return rc == YKPIV_OK ? Q_OK : yubikey_failed(rc, "importing a key");
}

enum q_err yubikey_sign_digest(struct yubikey *y, enum yubikey_slot slot, struct bytes digest,
                               uint8_t *out, size_t *n)
{
    ykpiv_rc rc =
        ykpiv_sign_data(y->state, digest.p, digest.n, out, n, YKPIV_ALGO_ECCP256, (uint8_t)slot);
    return rc == YKPIV_OK ? Q_OK : yubikey_failed(rc, "signing");
}

enum q_err yubikey_write_certificate(struct yubikey *y, enum yubikey_slot slot, struct bytes der)
{
    uint8_t copy[YKPIV_OBJ_MAX_SIZE]; // as the interface knows no const
    if (der.n > sizeof copy)
        return fail(Q_LIMIT, "certificate: expected at most %zu bytes, found %zu", sizeof copy,
                    der.n);
    memcpy(copy, der.p, der.n);
    ykpiv_rc rc =
        ykpiv_util_write_cert(y->state, (uint8_t)slot, copy, der.n, YKPIV_CERTINFO_UNCOMPRESSED);
    return rc == YKPIV_OK ? Q_OK : yubikey_failed(rc, "writing a certificate");
}
