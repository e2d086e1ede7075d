// What each certificate of an attestation chain must keep on its own (see certificate.h, nitro 4).
#include "tee/certificate.h"

#include "crypto/p384.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <limits.h>
#include <string.h>
#include <time.h>

// NULL unless der is one certificate and nothing else.
static X509 *parse(struct bytes der)
{
    const uint8_t *p = der.p;
    X509 *x = der.n > 0 && der.n <= LONG_MAX ? d2i_X509(NULL, &p, (long)der.n) : NULL;
    ERR_clear_error();
    if (x == NULL || p == der.p + der.n)
        return x;
    X509_free(x);
    return NULL;
}

enum q_err certificate_parse(struct bytes der, const char *what, X509 **out)
{
    *out = parse(der);
    if (*out == NULL)
        return fail(Q_BAD_INPUT, "%s: expected one DER certificate, found something else", what);
    return Q_OK;
}

struct bytes certificate_point(const X509 *x)
{
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(x);
    if (key == NULL)
        return BYTES_NONE;
    return bytes_of(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key));
}

static bool is_p384(const X509 *x)
{
    X509_ALGOR *algorithm = NULL;
    const ASN1_OBJECT *name = NULL;
    const void *curve = NULL;
    int kind = 0;
    if (X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, X509_get_X509_PUBKEY(x)) != 1)
        return false;
    X509_ALGOR_get0(&name, &kind, &curve, algorithm);
    return OBJ_obj2nid(name) == NID_X9_62_id_ecPublicKey && kind == V_ASN1_OBJECT &&
           OBJ_obj2nid(curve) == NID_secp384r1;
}

enum q_err certificate_check_p384(const X509 *x, const char *what)
{
    if (!is_p384(x))
        return fail(Q_ATTESTATION, "%s: expected a P-384 key, found another kind of key", what);
    struct bytes point = certificate_point(x);
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(x);
    unsigned unused_bits = (unsigned)key->flags & 7U;
    if (point.n != P384_POINT_SIZE || point.p[0] != 0x04 || unused_bits != 0)
        return fail(Q_ATTESTATION, "%s: expected an uncompressed P-384 point, found another key",
                    what);
    return Q_OK;
}

static enum q_err check_algorithms(const X509 *x, const char *what)
{
    TRY(certificate_check_p384(x, what));
    const X509_ALGOR *outer = NULL;
    X509_get0_signature(NULL, &outer, x);
    if (X509_get_signature_nid(x) != NID_ecdsa_with_SHA384 ||
        X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(x)) != 0)
        return fail(Q_ATTESTATION,
                    "%s: expected a signature by ecdsa-with-SHA384, found another algorithm", what);
    return Q_OK;
}

// What basicConstraints says. X509_check_ca would also look at keyUsage, and so let a leaf pass
// that says CA:TRUE.
static bool says_ca(X509 *x)
{
    return (X509_get_extension_flags(x) & EXFLAG_CA) != 0;
}

enum q_err certificate_check_ca(X509 *x, const char *what)
{
    int constraints = X509_get_ext_by_NID(x, NID_basic_constraints, -1);
    if (constraints < 0 || !says_ca(x) ||
        X509_EXTENSION_get_critical(X509_get_ext(x, constraints)) != 1)
        return fail(Q_ATTESTATION, "%s: basicConstraints: expected a critical CA:TRUE, found none",
                    what);
    // X509_get_key_usage gives all bits when the extension is absent.
    if (X509_get_ext_by_NID(x, NID_key_usage, -1) < 0 ||
        (X509_get_key_usage(x) & KU_KEY_CERT_SIGN) == 0)
        return fail(Q_ATTESTATION, "%s: keyUsage: expected keyCertSign, found none", what);
    return Q_OK;
}

static enum q_err check_leaf(X509 *x, const char *what)
{
    if (X509_get_ext_by_NID(x, NID_basic_constraints, -1) < 0 || says_ca(x))
        return fail(Q_ATTESTATION, "%s: basicConstraints: expected CA:FALSE, found another", what);
    if (X509_get_pathlen(x) != -1)
        return fail(Q_ATTESTATION, "%s: basicConstraints: expected no path length, found one",
                    what);
    if (X509_get_ext_by_NID(x, NID_key_usage, -1) < 0 ||
        (X509_get_key_usage(x) & KU_DIGITAL_SIGNATURE) == 0)
        return fail(Q_ATTESTATION, "%s: keyUsage: expected digitalSignature, found none", what);
    return Q_OK;
}

static bool is_simulated_oid(const ASN1_OBJECT *object)
{
    char text[80];
    int n = OBJ_obj2txt(text, sizeof text, object, 1);
    return n > 0 && (size_t)n < sizeof text && strcmp(text, QUORATE_SIMULATED_OID) == 0;
}

bool certificate_simulated(const X509 *x)
{
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        X509_EXTENSION *extension = X509_get_ext(x, i);
        if (X509_EXTENSION_get_critical(extension) == 1 &&
            is_simulated_oid(X509_EXTENSION_get_object(extension)))
            return true;
    }
    return false;
}

bool certificate_der_simulated(struct bytes der)
{
    X509 *x = parse(der);
    bool simulated = x != NULL && certificate_simulated(x);
    X509_free(x);
    return simulated;
}

// The extensions whose meaning is enforced, here or by OpenSSL's chain building.
static bool is_understood(int nid)
{
    return nid == NID_basic_constraints || nid == NID_key_usage || nid == NID_ext_key_usage ||
           nid == NID_name_constraints || nid == NID_subject_alt_name;
}

static enum q_err check_extensions(const X509 *x, const char *what, bool simulated)
{
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        X509_EXTENSION *extension = X509_get_ext(x, i);
        const ASN1_OBJECT *object = X509_EXTENSION_get_object(extension);
        if (X509_EXTENSION_get_critical(extension) == 0 || is_understood(OBJ_obj2nid(object)) ||
            (simulated && is_simulated_oid(object)))
            continue;
        char text[80];
        (void)OBJ_obj2txt(text, sizeof text, object, 1);
        return fail(Q_ATTESTATION, "%s: unknown critical extension %s", what, text);
    }
    return Q_OK;
}

enum q_err certificate_check_form(X509 *x, const char *what, bool simulated)
{
    if (X509_get_version(x) != X509_VERSION_3)
        return fail(Q_ATTESTATION, "%s: expected X.509 version 3, found version %ld", what,
                    X509_get_version(x) + 1);
    // Set for extensions that are malformed or there twice.
    if ((X509_get_extension_flags(x) & EXFLAG_INVALID) != 0)
        return fail(Q_ATTESTATION, "%s: expected well-formed extensions, found a broken one", what);
    return check_extensions(x, what, simulated);
}

enum q_err certificate_check(X509 *x, const char *what, enum certificate_role role, bool simulated)
{
    TRY(certificate_check_form(x, what, simulated && role == CERTIFICATE_ROOT));
    TRY(check_algorithms(x, what));
    TRY(role == CERTIFICATE_LEAF ? check_leaf(x, what) : certificate_check_ca(x, what));
    if (role != CERTIFICATE_ROOT && X509_get_ext_by_NID(x, NID_ext_key_usage, -1) >= 0 &&
        (X509_get_extended_key_usage(x) & XKU_SSL_SERVER) == 0)
        return fail(Q_ATTESTATION, "%s: extendedKeyUsage: expected serverAuth, found others", what);
    return Q_OK;
}

static enum q_err seconds_of(const ASN1_TIME *time, const char *what, int64_t *out)
{
    struct tm tm = {0};
    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
        return fail(Q_ATTESTATION, "%s: expected a validity in UTC, found a malformed time", what);
    *out = timegm(&tm);
    return Q_OK;
}

enum q_err certificate_validity(const X509 *x, const char *what, int64_t *not_before_s,
                                int64_t *not_after_s)
{
    TRY(seconds_of(X509_get0_notBefore(x), what, not_before_s));
    return seconds_of(X509_get0_notAfter(x), what, not_after_s);
}
