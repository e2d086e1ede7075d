// Points as tokens give them out (see token_point.h).
#include "client/token/token_point.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#define OCTET_STRING 0x04
#define UNCOMPRESSED 0x04

// OBJECT IDENTIFIER 1.2.840.10045.3.1.7
static const uint8_t p256_oid[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

struct bytes token_curve(void)
{
    return BYTES_OF(p256_oid);
}

void token_point_der(const uint8_t point[static P256_POINT_SIZE],
                     uint8_t out[static TOKEN_POINT_DER_SIZE])
{
    out[0] = OCTET_STRING;
    out[1] = P256_POINT_SIZE;
    memcpy(out + 2, point, P256_POINT_SIZE);
}

static void group_release(EC_GROUP **group)
{
    EC_GROUP_free(*group);
}
#define GROUP_AUTO __attribute__((cleanup(group_release))) EC_GROUP

// The parameters written out instead of named, byte for byte as OpenSSL writes them: that is what ykcs11 gives of
// a YubiKey that tells its public keys (firmware 5.3 and above). Nothing of others is parsed for it.
static bool is_p256_written_out(struct bytes params)
{
    GROUP_AUTO *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    uint8_t *der = NULL;
    if (group == NULL)
        return false;
    EC_GROUP_set_asn1_flag(group, OPENSSL_EC_EXPLICIT_CURVE);
    int n = i2d_ECPKParameters(group, &der);
    bool same = n > 0 && bytes_equal(params, bytes_of(der, (size_t)n));
    OPENSSL_free(der);
    return same;
}

enum q_err token_curve_check(struct bytes params)
{
    if (bytes_equal(params, token_curve()) || is_p256_written_out(params))
        return Q_OK;
    return fail(Q_BAD_INPUT, "expected a key on the curve P-256, found another curve");
}

// RFC 5480: the point as it is, or in an OCTET STRING with a length of one byte.
enum q_err token_point_parse(struct bytes attribute, uint8_t point[static P256_POINT_SIZE])
{
    struct bytes p = attribute;
    if (p.n == TOKEN_POINT_DER_SIZE && p.p[0] == OCTET_STRING && p.p[1] == P256_POINT_SIZE)
        p = bytes_of(p.p + 2, P256_POINT_SIZE);
    if (p.n != P256_POINT_SIZE || p.p[0] != UNCOMPRESSED)
        return fail(Q_BAD_INPUT,
                    "expected an uncompressed point of %d bytes, found %zu bytes of something else",
                    P256_POINT_SIZE, attribute.n);
    memcpy(point, p.p, P256_POINT_SIZE);
    return Q_OK;
}

static void certificate_release(X509 **certificate)
{
    X509_free(*certificate);
    ERR_clear_error(); // what OpenSSL thought of bytes from others
}
#define CERTIFICATE_AUTO __attribute__((cleanup(certificate_release))) X509

static enum q_err certificate_parse(struct bytes der, X509 **out)
{
    const uint8_t *at = der.p;
    if (der.n > LONG_MAX || d2i_X509(out, &at, (long)der.n) == NULL || at != der.p + der.n)
        return fail(Q_BAD_INPUT, "expected one X.509 certificate, found something else");
    return Q_OK;
}

static bool is_p256(const EVP_PKEY *key)
{
    char name[32];
    size_t n = 0;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, name, sizeof name, &n) == 1 &&
           strcmp(name, SN_X9_62_prime256v1) == 0;
}

enum q_err token_point_of_certificate(struct bytes der, uint8_t point[static P256_POINT_SIZE])
{
    CERTIFICATE_AUTO *certificate = NULL;
    uint8_t found[P256_POINT_SIZE];
    size_t n = 0;
    TRY(certificate_parse(der, &certificate));
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    if (key == NULL || !is_p256(key))
        return fail(Q_BAD_INPUT, "expected a certificate for a key on P-256, found another key");
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, found, sizeof found, &n) != 1)
        return fail(Q_BAD_INPUT, "expected a certificate with a point of %d bytes, found another",
                    P256_POINT_SIZE);
    return token_point_parse(bytes_of(found, n), point);
}
