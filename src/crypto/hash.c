// SHA-2 digests by OpenSSL (see hash.h).
#include "crypto/hash.h"
#include "crypto/openssl_scope.h"

#include <openssl/evp.h>

static enum q_err digest(const EVP_MD *algorithm, struct bytes in, uint8_t *out)
{
    if (EVP_Digest(in.p, in.n, out, NULL, algorithm, NULL) != 1)
        return openssl_failed("digest");
    return Q_OK;
}

enum q_err sha256(struct bytes in, uint8_t out[static SHA256_SIZE])
{
    return digest(EVP_sha256(), in, out);
}

enum q_err sha384(struct bytes in, uint8_t out[static SHA384_SIZE])
{
    return digest(EVP_sha384(), in, out);
}

enum q_err sha512(struct bytes in, uint8_t out[static SHA512_SIZE])
{
    return digest(EVP_sha512(), in, out);
}

enum q_err sha384_pieces(const struct bytes *pieces, size_t count, uint8_t out[static SHA384_SIZE])
{
    MD_CTX_AUTO *ctx = EVP_MD_CTX_new();
    if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha384(), NULL) != 1)
        return openssl_failed("digest");
    for (size_t i = 0; i < count; i++) {
        if (EVP_DigestUpdate(ctx, pieces[i].p, pieces[i].n) != 1)
            return openssl_failed("digest");
    }
    return EVP_DigestFinal_ex(ctx, out, NULL) == 1 ? Q_OK : openssl_failed("digest");
}

enum q_err sha384_pair(struct bytes a, struct bytes b, uint8_t out[static SHA384_SIZE])
{
    const struct bytes pieces[] = {a, b};
    return sha384_pieces(pieces, 2, out);
}
