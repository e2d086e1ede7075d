// Reads the PEM files of whoever signs images (see signing_key.h).
#include "tee/eif/signing_key.h"

#include "crypto/openssl_scope.h"
#include "tee/certificate.h"
#include "tee/eif/eif_signature.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

static void bio_release(BIO **b)
{
    (void)BIO_free(*b);
}
#define BIO_AUTO __attribute__((cleanup(bio_release))) BIO

static void pkey_release(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}
#define PKEY_AUTO __attribute__((cleanup(pkey_release))) EVP_PKEY

static void x509_release(X509 **x)
{
    X509_free(*x);
}
#define X509_AUTO __attribute__((cleanup(x509_release))) X509

// Nobody is asked for a passphrase here.
static int no_passphrase(char *out, int size, int writing, void *context)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static enum q_err take_scalar(const EVP_PKEY *key, struct secret *scalar)
{
    BN_AUTO *number = BN_secure_new();
    if (number == NULL || EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1)
        return openssl_failed("signing key");
    TRY(secret_new(scalar, P384_SCALAR_SIZE));
    if (BN_bn2binpad(number, scalar->p, P384_SCALAR_SIZE) != P384_SCALAR_SIZE)
        return openssl_failed("signing key");
    return Q_OK;
}

enum q_err signing_key_read(const struct secret *pem, struct secret *scalar)
{
    char group[32] = "";
    BIO_AUTO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
    PKEY_AUTO *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    ERR_clear_error();
    if (key == NULL)
        return fail(Q_BAD_INPUT, "signing key: expected a private key in PEM without a passphrase, "
                                 "found something else");
    (void)EVP_PKEY_get_group_name(key, group, sizeof group, NULL);
    ERR_clear_error();
    if (strcmp(group, SN_secp384r1) != 0)
        return fail(Q_BAD_INPUT, "signing key: expected a P-384 key, found %s",
                    group[0] == '\0' ? "another kind of key" : group);
    return take_scalar(key, scalar);
}

static enum q_err parse(struct bytes pem, const char *what, X509 **out)
{
    if (pem.n == 0 || pem.n > EIF_CERTIFICATE_MAX)
        return fail(Q_BAD_INPUT, "%s: expected 1 to %zu bytes of PEM, found %zu", what,
                    EIF_CERTIFICATE_MAX, pem.n);
    BIO_AUTO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509_AUTO *x = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
    X509_AUTO *second = x == NULL ? NULL : PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
    ERR_clear_error();
    if (x == NULL || second != NULL)
        return fail(Q_BAD_INPUT, "%s: expected one certificate in PEM, found %s", what,
                    x == NULL ? "none" : "two");
    *out = x;
    x = NULL;
    return Q_OK;
}

enum q_err signing_certificate_point(struct bytes pem, const char *what,
                                     uint8_t out[static P384_POINT_SIZE])
{
    X509_AUTO *x = NULL;
    TRY(parse(pem, what, &x));
    struct bytes point = certificate_point(x);
    if (point.n != P384_POINT_SIZE)
        return fail(Q_BAD_INPUT, "%s: expected a P-384 key, found another kind", what);
    memcpy(out, point.p, point.n);
    return Q_OK;
}

static enum q_err measure(X509 *x, struct eif_signer *out)
{
    uint8_t *der = NULL;
    uint8_t digest[SHA384_SIZE];
    int n = i2d_X509(x, &der);
    if (n <= 0)
        return openssl_failed("signing certificate");
    struct bytes bytes = bytes_of(der, (size_t)n);
    enum q_err err = sha384(bytes, digest);
    if (err == Q_OK)
        err = sha256(bytes, out->fingerprint);
    OPENSSL_free(der);
    TRY(err);
    return eif_extend_zero(BYTES_OF(digest), out->pcr8);
}

enum q_err eif_signer_read(struct bytes pem, const char *what, struct eif_signer *out)
{
    X509_AUTO *x = NULL;
    uint8_t point[P384_POINT_SIZE];
    TRY(signing_certificate_point(pem, what, point));
    TRY(parse(pem, what, &x));
    TRY(measure(x, out));
    return certificate_validity(x, what, &out->not_before_s, &out->not_after_s);
}
