// The management key of a YubiKey's PIV application (NIST SP 800-73-4, GENERAL AUTHENTICATE). libykpiv knows
// 3DES; AES, the factory's choice from firmware 5.7 on, is exchanged here.
#include "client/token/yubikey_state.h"

#include "base/random.h"
#include "crypto/openssl_scope.h"

#include <string.h>

#define BLOCK 16
#define DES3_KEY 24
#define REPLY_SIZE 300

// The factory's key, public knowledge: 24 bytes for 3DES and for AES-192.
static const uint8_t factory_key[DES3_KEY] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4,
                                              5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8};

struct suite {
    uint8_t algorithm; // PIV's number
    size_t key;        // bytes
    const char *name;
    const EVP_CIPHER *(*cipher)(void);
};
static const struct suite suites[] = {
    {YKPIV_ALGO_3DES, DES3_KEY, "3DES", NULL},
    {0x08, 16, "AES-128", EVP_aes_128_ecb},
    {0x0a, 24, "AES-192", EVP_aes_192_ecb},
    {0x0c, 32, "AES-256", EVP_aes_256_ecb},
};

// The value of tag 01 among entries of a tag, a length and a value. Not by ykpiv_util_parse_metadata, which
// refuses what a management key has besides.
enum q_err yubikey_management_algorithm(struct bytes metadata, uint8_t *algorithm)
{
    struct reader r = reader_of(metadata, "YubiKey: management key's kind");
    while (reader_left(&r) > 0) {
        uint8_t tag, length;
        struct bytes value;
        TRY(reader_u8(&r, &tag));
        TRY(reader_u8(&r, &length));
        TRY(reader_take(&r, length, &value));
        if (tag == YKPIV_METADATA_ALGORITHM_TAG && value.n == 1) {
            *algorithm = value.p[0];
            return Q_OK;
        }
    }
    return fail(Q_BAD_INPUT, "YubiKey: management key: expected its algorithm, found none");
}

// Older firmware (below 5.3) tells nothing: its key is for 3DES.
static enum q_err find_suite(struct yubikey *y, const struct suite **out)
{
    uint8_t data[REPLY_SIZE], algorithm = YKPIV_ALGO_3DES;
    size_t n = sizeof data;
    *out = &suites[0];
    if (ykpiv_get_metadata(y->state, YKPIV_KEY_CARDMGM, data, &n) != YKPIV_OK)
        return Q_OK;
    TRY(yubikey_management_algorithm(bytes_of(data, n), &algorithm));
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        *out = &suites[i];
        if (suites[i].algorithm == algorithm)
            return Q_OK;
    }
    return fail(Q_UNSUPPORTED,
                "YubiKey: management key: expected 3DES or AES, found algorithm 0x%02x", algorithm);
}

static enum q_err cipher_block(const struct suite *s, struct bytes key, bool encrypt,
                               const uint8_t in[static BLOCK], uint8_t out[static BLOCK])
{
    int n = 0;
    CIPHER_CTX_AUTO *ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL || EVP_CipherInit_ex(ctx, s->cipher(), NULL, key.p, NULL, encrypt) != 1 ||
        EVP_CIPHER_CTX_set_padding(ctx, 0) != 1 || EVP_CipherUpdate(ctx, out, &n, in, BLOCK) != 1 ||
        n != BLOCK)
        return openssl_failed("AES");
    return Q_OK;
}

// Sends one GENERAL AUTHENTICATE; the reply must be 7C 12 tag 10 and a block.
static enum q_err exchange(struct yubikey *y, const struct suite *s, struct bytes in, uint8_t tag,
                           uint8_t out[static BLOCK])
{
    const uint8_t head[] = {0, YKPIV_INS_AUTHENTICATE, s->algorithm, YKPIV_KEY_CARDMGM};
    uint8_t reply[REPLY_SIZE];
    unsigned long n = sizeof reply;
    int sw = 0;
    ykpiv_rc rc = ykpiv_transfer_data(y->state, head, in.p, (long)in.n, reply, &n, &sw);
    if (rc != YKPIV_OK)
        return yubikey_failed(rc, "management key");
    if (sw != SW_SUCCESS)
        return fail(Q_REFUSED,
                    "YubiKey: management key: expected the right one, found a wrong one "
                    "(status %04x)",
                    (unsigned)sw);
    const uint8_t expected[] = {0x7c, BLOCK + 2, tag, BLOCK};
    if (n != sizeof expected + BLOCK ||
        !bytes_equal(bytes_of(reply, sizeof expected), BYTES_OF(expected)))
        return fail(Q_BAD_INPUT,
                    "YubiKey: management key: expected one block, found something else");
    memcpy(out, reply + sizeof expected, BLOCK);
    return Q_OK;
}

// Each side proves that it has the key: the witness is decrypted for the YubiKey, and it encrypts a challenge.
static enum q_err prove_aes(struct yubikey *y, const struct suite *s, struct bytes key)
{
    const uint8_t ask[] = {0x7c, 2, 0x80, 0};
    uint8_t witness[BLOCK], answer[BLOCK], expected[BLOCK];
    uint8_t both[2 + 2 * (2 + BLOCK)] = {0x7c, 2 * (2 + BLOCK), 0x80, BLOCK};
    uint8_t *challenge = both + 6 + BLOCK;
    TRY(exchange(y, s, BYTES_OF(ask), 0x80, witness));
    TRY(cipher_block(s, key, false, witness, both + 4));
    both[4 + BLOCK] = 0x81;
    both[5 + BLOCK] = BLOCK;
    TRY(random_bytes(challenge, BLOCK));
    TRY(exchange(y, s, BYTES_OF(both), 0x82, answer));
    TRY(cipher_block(s, key, true, challenge, expected));
    if (!secret_equal(BYTES_OF(answer), BYTES_OF(expected)))
        return fail(Q_REFUSED,
                    "YubiKey: management key: expected the YubiKey to know it, found that it "
                    "does not");
    return Q_OK;
}

static enum q_err prove_3des(struct yubikey *y, struct bytes key)
{
    ykpiv_rc rc = ykpiv_authenticate(y->state, key.p);
    if (rc == YKPIV_AUTHENTICATION_ERROR)
        return fail(Q_REFUSED,
                    "YubiKey: management key: expected the right one, found a wrong one");
    return rc == YKPIV_OK ? Q_OK : yubikey_failed(rc, "management key");
}

enum q_err yubikey_authenticate(struct yubikey *y, struct bytes management_key)
{
    const struct suite *s;
    TRY(find_suite(y, &s));
    struct bytes key = management_key.n > 0 ? management_key : BYTES_OF(factory_key);
    if (key.n != s->key)
        return fail(Q_BAD_INPUT, "YubiKey: management key: expected %zu bytes for %s, found %zu%s",
                    s->key, s->name, key.n,
                    management_key.n > 0 ? "" : " (the factory's; --management-key-path)");
    return s->cipher == NULL ? prove_3des(y, key) : prove_aes(y, s, key);
}
