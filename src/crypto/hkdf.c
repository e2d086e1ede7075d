// HKDF-SHA512 (see hkdf.h).
#include "crypto/hkdf.h"
#include "crypto/openssl_scope.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

// OSSL_PARAM points to its inputs without const; HKDF only reads them.
static OSSL_PARAM input(const char *name, struct bytes in)
{
    return (OSSL_PARAM){name, OSSL_PARAM_OCTET_STRING, (void *)(uintptr_t)in.p, in.n, 0};
}

enum q_err hkdf_sha512(struct bytes key, struct bytes salt, struct bytes info, uint8_t *out,
                       size_t n)
{
    char digest[] = "SHA512";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        input(OSSL_KDF_PARAM_KEY, key),
        input(OSSL_KDF_PARAM_SALT, salt),
        input(OSSL_KDF_PARAM_INFO, info.p == NULL ? BYTES_LIT("") : info),
        OSSL_PARAM_construct_end(),
    };
    KDF_AUTO *hkdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_HKDF, NULL);
    KDF_CTX_AUTO *context = EVP_KDF_CTX_new(hkdf);
    if (context == NULL || EVP_KDF_derive(context, out, n, params) != 1)
        return openssl_failed("HKDF-SHA512");
    return Q_OK;
}
