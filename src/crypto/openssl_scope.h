// OpenSSL's objects released (and their secrets cleared) by scope, and its errors told in ours.
// Private to crypto/ and to rooms above that call OpenSSL themselves.
#ifndef QUORATE_CRYPTO_OPENSSL_SCOPE_H
#define QUORATE_CRYPTO_OPENSSL_SCOPE_H

#include "base/err.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

// Q_NOMEM or Q_INTERNAL with "what: expected OpenSSL to ..., found <its reason>"; empties OpenSSL's
// queue.
enum q_err openssl_failed(const char *what);

static inline void bn_release(BIGNUM **n)
{
    BN_clear_free(*n);
}

static inline void bn_ctx_release(BN_CTX **ctx)
{
    BN_CTX_free(*ctx);
}

static inline void ec_point_release(EC_POINT **point)
{
    EC_POINT_clear_free(*point);
}

static inline void md_ctx_release(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

static inline void cipher_ctx_release(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx);
}

static inline void kdf_release(EVP_KDF **kdf)
{
    EVP_KDF_free(*kdf);
}

static inline void kdf_ctx_release(EVP_KDF_CTX **ctx)
{
    EVP_KDF_CTX_free(*ctx);
}

#define BN_AUTO __attribute__((cleanup(bn_release))) BIGNUM
#define BN_CTX_AUTO __attribute__((cleanup(bn_ctx_release))) BN_CTX
#define EC_POINT_AUTO __attribute__((cleanup(ec_point_release))) EC_POINT
#define MD_CTX_AUTO __attribute__((cleanup(md_ctx_release))) EVP_MD_CTX
#define CIPHER_CTX_AUTO __attribute__((cleanup(cipher_ctx_release))) EVP_CIPHER_CTX
#define KDF_AUTO __attribute__((cleanup(kdf_release))) EVP_KDF
#define KDF_CTX_AUTO __attribute__((cleanup(kdf_ctx_release))) EVP_KDF_CTX

#endif
