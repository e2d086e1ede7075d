// The certificate of a slot, signed by the slot's own key inside the YubiKey: an OpenSSL key whose
// signing is that of the card (see yubikey_certify in yubikey.h).
#define OPENSSL_API_COMPAT 10101
#include "client/token/yubikey.h"

#include "crypto/ec_key.h"
#include "crypto/openssl_scope.h"

#include <openssl/x509.h>
#include <stdio.h>

#define YEARS 10
#define SERIAL_SIZE 16
#define DER_MAX 2048

struct signing {
    struct yubikey *yubikey;
    enum yubikey_slot slot;
    const struct secret *pin;
    enum q_err err; // why signing failed
};

static void certificate_release(X509 **certificate)
{
    X509_free(*certificate);
}
static void key_release(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}
static void method_release(EC_KEY_METHOD **method)
{
    EC_KEY_METHOD_free(*method);
}
#define CERTIFICATE_AUTO __attribute__((cleanup(certificate_release))) X509
#define KEY_AUTO __attribute__((cleanup(key_release))) EVP_PKEY
#define METHOD_AUTO __attribute__((cleanup(method_release))) EC_KEY_METHOD

// EC_KEY_METHOD's sign: a DER signature over a digest. The key wants its PIN each time.
static int sign_on_card(int type, const unsigned char *digest, int n, unsigned char *out,
                        unsigned int *out_n, const BIGNUM *inverse, const BIGNUM *r, EC_KEY *key)
{
    (void)type, (void)inverse, (void)r;
    struct signing *s = EC_KEY_get_ex_data(key, 0);
    size_t room = (size_t)ECDSA_size(key);
    s->err = yubikey_verify_pin(s->yubikey, s->pin);
    if (s->err == Q_OK) {
        (void)fputs("Tap your YubiKey\n", stderr);
        s->err = yubikey_sign_digest(s->yubikey, s->slot, bytes_of(digest, (size_t)n), out, &room);
    }
    *out_n = (unsigned)room;
    return s->err == Q_OK;
}

static enum q_err card_key(struct signing *s, const uint8_t point[static P256_POINT_SIZE],
                           const EC_KEY_METHOD *method, EVP_PKEY **out)
{
    EC_KEY_AUTO *key = NULL;
    TRY(ec_key_from_point(&ec_p256, bytes_of(point, P256_POINT_SIZE), &key));
    *out = EVP_PKEY_new();
    if (*out == NULL || EC_KEY_set_method(key, method) != 1 || EC_KEY_set_ex_data(key, 0, s) != 1 ||
        EVP_PKEY_set1_EC_KEY(*out, key) != 1)
        return openssl_failed("certificate's key");
    return Q_OK;
}

static enum q_err set_serial(X509 *c)
{
    BN_AUTO *number = BN_new();
    if (number == NULL ||
        BN_rand(number, 8 * SERIAL_SIZE - 1, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1 ||
        BN_to_ASN1_INTEGER(number, X509_get_serialNumber(c)) == NULL)
        return openssl_failed("certificate's serial number");
    return Q_OK;
}

static enum q_err fill(X509 *c, EVP_PKEY *key)
{
    static const unsigned char name[] = "QuorumOS";
    X509_NAME *subject = X509_get_subject_name(c);
    TRY(set_serial(c));
    if (X509_set_version(c, X509_VERSION_3) != 1 ||
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, -1, -1, 0) != 1 ||
        X509_set_issuer_name(c, subject) != 1 || X509_set_pubkey(c, key) != 1 ||
        X509_gmtime_adj(X509_getm_notBefore(c), 0) == NULL ||
        X509_time_adj_ex(X509_getm_notAfter(c), 365 * YEARS, 0, NULL) == NULL)
        return openssl_failed("certificate");
    return Q_OK;
}

// With OpenSSL's own method, so that the card has no part in it.
static enum q_err check(X509 *c, const uint8_t point[static P256_POINT_SIZE])
{
    EC_KEY_AUTO *key = NULL;
    KEY_AUTO *plain = EVP_PKEY_new();
    TRY(ec_key_from_point(&ec_p256, bytes_of(point, P256_POINT_SIZE), &key));
    if (plain == NULL || EVP_PKEY_set1_EC_KEY(plain, key) != 1)
        return openssl_failed("certificate's key");
    if (X509_verify(c, plain) == 1)
        return Q_OK;
    (void)openssl_failed("certificate");
    return fail(Q_CRYPTO,
                "WrongPublicKey: YubiKey: expected the slot to sign with the key of its public "
                "key, found another signature");
}

static enum q_err make(struct signing *s, const uint8_t point[static P256_POINT_SIZE],
                       struct buf *der)
{
    METHOD_AUTO *method = EC_KEY_METHOD_new(EC_KEY_get_default_method());
    CERTIFICATE_AUTO *c = X509_new();
    KEY_AUTO *key = NULL;
    if (method == NULL || c == NULL)
        return openssl_failed("certificate");
    EC_KEY_METHOD_set_sign(method, sign_on_card, NULL, NULL);
    TRY(card_key(s, point, method, &key));
    TRY(fill(c, key));
    int signed_n = X509_sign(c, key, EVP_sha256());
    TRY(s->err);
    if (signed_n <= 0)
        return openssl_failed("certificate's signature");
    TRY(check(c, point));
    TRY(buf_reserve(der, DER_MAX));
    unsigned char *at = der->p;
    int n = i2d_X509(c, NULL);
    if (n <= 0 || n > DER_MAX || i2d_X509(c, &at) != n)
        return openssl_failed("certificate");
    der->n = (size_t)n;
    return Q_OK;
}

enum q_err yubikey_certify(struct yubikey *y, enum yubikey_slot slot, const struct secret *pin,
                           const uint8_t point[static P256_POINT_SIZE])
{
    BUF_AUTO der = {0};
    struct signing s = {.yubikey = y, .slot = slot, .pin = pin, .err = Q_OK};
    TRY(make(&s, point, &der));
    return yubikey_write_certificate(y, slot, buf_bytes(&der));
}
