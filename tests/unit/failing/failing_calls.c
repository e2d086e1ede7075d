// The wrappers behind failing_calls.h: every function here replaces the one of its name in the
// program that is linked, counts, and fails in that function's own way when its turn has come.
#include "failing_calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

// NOLINTBEGIN(bugprone-reserved-identifier): --wrap decides these names
static unsigned left[FAILING_KINDS];
static bool happened;
static unsigned way; // in which sockets fail
static void (*listener)(const void *p, size_t n);

void failing_at(enum failing_kind kind, unsigned n)
{
    left[kind] = n;
}

bool failing_stop(void)
{
    bool was = happened;
    happened = false;
    memset(left, 0, sizeof left);
    return was;
}

void failing_listen(void (*hear)(const void *p, size_t n))
{
    listener = hear;
}

unsigned failing_each(enum failing_kind kind, bool (*act)(void *context), void *context)
{
    unsigned runs = 0;
    for (;; runs++) {
        failing_at(kind, runs + 1);
        (void)act(context);
        if (!failing_stop())
            return runs;
    }
}

static bool fails(enum failing_kind kind)
{
    if (left[kind] == 0 || --left[kind] > 0)
        return false;
    happened = true;
    return true;
}

static bool memory_fails(void)
{
    bool now = fails(FAILING_MEMORY);
    if (now)
        errno = ENOMEM;
    return now;
}

static bool file_fails(int as)
{
    bool now = fails(FAILING_FILES);
    if (now)
        errno = as;
    return now;
}

static bool socket_fails(void)
{
    static const int ways[] = {EIO, EINTR, ECONNRESET, EAGAIN, EMFILE, EPIPE};
    bool now = fails(FAILING_SOCKETS);
    if (now)
        errno = ways[way % (sizeof ways / sizeof *ways)];
    return now;
}

void failing_sockets_way(unsigned which)
{
    way = which;
}

// WRAP(kind test, value on failure, result, name, parameters, arguments)
#define WRAP(test, failed, result, name, parameters, arguments)                                    \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        return (test) ? (failed) : __real_##name arguments;                                        \
    }
#define WRAP_MEMORY(result, name, parameters, arguments)                                           \
    WRAP(memory_fails(), NULL, result, name, parameters, arguments)
#define WRAP_OBJECT(result, name, parameters, arguments)                                           \
    WRAP(fails(FAILING_CRYPTO), NULL, result, name, parameters, arguments)
#define WRAP_STEP(name, parameters, arguments)                                                     \
    WRAP(fails(FAILING_CRYPTO), 0, int, name, parameters, arguments)
#define WRAP_SOCKET(result, name, parameters, arguments)                                           \
    WRAP(socket_fails(), -1, result, name, parameters, arguments)
#define WRAP_FILE(as, result, name, parameters, arguments)                                         \
    WRAP(file_fails(as), -1, result, name, parameters, arguments)

WRAP_MEMORY(void *, malloc, (size_t n), (n))
WRAP_MEMORY(void *, calloc, (size_t n, size_t size), (n, size))
WRAP_MEMORY(void *, realloc, (void *p, size_t n), (p, n))
WRAP_MEMORY(char *, strdup, (const char *s), (s))
WRAP_MEMORY(void *, sodium_malloc, (size_t n), (n))
WRAP_MEMORY(void *, CRYPTO_secure_zalloc, (size_t n, const char *file, int line), (n, file, line))

int __wrap_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **out, const char *format, ...)
{
    if (memory_fails())
        return -1;
    va_list args;
    va_start(args, format);
    int n = vasprintf(out, format, args);
    va_end(args);
    return n;
}

// With fortified sources asprintf goes by this name.
int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
{
    (void)flag;
    if (memory_fails())
        return -1;
    va_list args;
    va_start(args, format);
    int n = vasprintf(out, format, args);
    va_end(args);
    return n;
}

ssize_t __real_getrandom(void *p, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags)
{
    if (!fails(FAILING_CRYPTO))
        return __real_getrandom(p, n, flags);
    errno = EIO;
    return -1;
}

WRAP_OBJECT(EC_KEY *, EC_KEY_new, (void), ())
WRAP_OBJECT(EC_POINT *, EC_POINT_new, (const EC_GROUP *g), (g))
WRAP_OBJECT(BIGNUM *, BN_secure_new, (void), ())
WRAP_OBJECT(BIGNUM *, BN_bin2bn, (const unsigned char *s, int n, BIGNUM *out), (s, n, out))
WRAP_OBJECT(BN_CTX *, BN_CTX_secure_new, (void), ())
WRAP_OBJECT(BIGNUM *, BN_dup, (const BIGNUM *a), (a))
WRAP_OBJECT(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, (void), ())
WRAP_OBJECT(EVP_MD_CTX *, EVP_MD_CTX_new, (void), ())
WRAP_OBJECT(EVP_KDF *, EVP_KDF_fetch, (OSSL_LIB_CTX * c, const char *n, const char *p), (c, n, p))
WRAP_OBJECT(EVP_KDF_CTX *, EVP_KDF_CTX_new, (EVP_KDF * k), (k))
WRAP_OBJECT(EVP_MAC_CTX *, EVP_MAC_CTX_new, (EVP_MAC * m), (m))
WRAP_OBJECT(ECDSA_SIG *, ECDSA_SIG_new, (void), ())
WRAP_OBJECT(ECDSA_SIG *, ECDSA_do_sign_ex,
            (const unsigned char *d, int n, const BIGNUM *k, const BIGNUM *r, EC_KEY *key),
            (d, n, k, r, key))
WRAP_OBJECT(unsigned char *, HMAC,
            (const EVP_MD *md, const void *key, int key_n, const unsigned char *d, size_t n,
             unsigned char *out, unsigned *out_n),
            (md, key, key_n, d, n, out, out_n))

WRAP_STEP(ECDSA_SIG_set0, (ECDSA_SIG * sig, BIGNUM *r, BIGNUM *s), (sig, r, s))
WRAP_STEP(EC_POINT_mul,
          (const EC_GROUP *g, EC_POINT *r, const BIGNUM *n, const EC_POINT *q, const BIGNUM *m,
           BN_CTX *ctx),
          (g, r, n, q, m, ctx))
WRAP_STEP(EC_POINT_get_affine_coordinates,
          (const EC_GROUP *g, const EC_POINT *p, BIGNUM *x, BIGNUM *y, BN_CTX *ctx),
          (g, p, x, y, ctx))
WRAP_STEP(EC_KEY_set_group, (EC_KEY * key, const EC_GROUP *n), (key, n))
WRAP_STEP(EC_KEY_set_private_key, (EC_KEY * key, const BIGNUM *n), (key, n))
WRAP_STEP(EC_KEY_set_public_key, (EC_KEY * key, const EC_POINT *p), (key, p))
WRAP_STEP(BN_bn2binpad, (const BIGNUM *a, unsigned char *to, int n), (a, to, n))
WRAP_STEP(BN_sub_word, (BIGNUM * a, BN_ULONG w), (a, w))
WRAP_STEP(ECDH_compute_key,
          (void *out, size_t n, const EC_POINT *p, const EC_KEY *key,
           void *(*kdf)(const void *in, size_t in_n, void *to, size_t *to_n)),
          (out, n, p, key, kdf))
WRAP_STEP(ECDSA_do_verify, (const unsigned char *d, int n, const ECDSA_SIG *s, EC_KEY *key),
          (d, n, s, key))
WRAP_STEP(EVP_KDF_derive, (EVP_KDF_CTX * c, unsigned char *key, size_t n, const OSSL_PARAM p[]),
          (c, key, n, p))
WRAP_STEP(EVP_DigestInit_ex, (EVP_MD_CTX * c, const EVP_MD *md, ENGINE *e), (c, md, e))
WRAP_STEP(EVP_DigestUpdate, (EVP_MD_CTX * c, const void *p, size_t n), (c, p, n))
WRAP_STEP(EVP_DigestFinal_ex, (EVP_MD_CTX * c, unsigned char *out, unsigned *n), (c, out, n))
WRAP_STEP(EVP_MAC_init, (EVP_MAC_CTX * c, const unsigned char *k, size_t n, const OSSL_PARAM p[]),
          (c, k, n, p))
WRAP_STEP(EVP_MAC_update, (EVP_MAC_CTX * c, const unsigned char *p, size_t n), (c, p, n))
WRAP_STEP(EVP_MAC_final, (EVP_MAC_CTX * c, unsigned char *out, size_t *n, size_t size),
          (c, out, n, size))
WRAP_STEP(EVP_MAC_CTX_set_params, (EVP_MAC_CTX * c, const OSSL_PARAM p[]), (c, p))
WRAP_STEP(EVP_EncryptInit_ex,
          (EVP_CIPHER_CTX * c, const EVP_CIPHER *t, ENGINE *e, const unsigned char *k,
           const unsigned char *iv),
          (c, t, e, k, iv))
WRAP_STEP(EVP_EncryptUpdate,
          (EVP_CIPHER_CTX * c, unsigned char *out, int *n, const unsigned char *in, int in_n),
          (c, out, n, in, in_n))
WRAP_STEP(EVP_EncryptFinal_ex, (EVP_CIPHER_CTX * c, unsigned char *out, int *n), (c, out, n))
WRAP_STEP(EVP_DecryptInit_ex,
          (EVP_CIPHER_CTX * c, const EVP_CIPHER *t, ENGINE *e, const unsigned char *k,
           const unsigned char *iv),
          (c, t, e, k, iv))
WRAP_STEP(EVP_DecryptUpdate,
          (EVP_CIPHER_CTX * c, unsigned char *out, int *n, const unsigned char *in, int in_n),
          (c, out, n, in, in_n))
WRAP_STEP(EVP_DecryptFinal_ex, (EVP_CIPHER_CTX * c, unsigned char *out, int *n), (c, out, n))
WRAP_STEP(EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX * c, int type, int arg, void *p), (c, type, arg, p))

WRAP_OBJECT(X509 *, d2i_X509, (X509 * *out, const unsigned char **p, long n), (out, p, n))
WRAP_OBJECT(X509_STORE *, X509_STORE_new, (void), ())
WRAP_OBJECT(X509_STORE_CTX *, X509_STORE_CTX_new, (void), ())
WRAP_STEP(X509_STORE_add_cert, (X509_STORE * store, X509 *x), (store, x))
WRAP_STEP(X509_STORE_CTX_init,
          (X509_STORE_CTX * ctx, X509_STORE *store, X509 *x, STACK_OF(X509) * untrusted),
          (ctx, store, x, untrusted))
WRAP_STEP(X509_verify_cert, (X509_STORE_CTX * ctx), (ctx))
WRAP_STEP(X509_PUBKEY_get0_param,
          (ASN1_OBJECT * *oid, const unsigned char **p, int *n, X509_ALGOR **algorithm,
           X509_PUBKEY *key),
          (oid, p, n, algorithm, key))
WRAP_OBJECT(OPENSSL_STACK *, OPENSSL_sk_new_null, (void), ())
WRAP_STEP(OPENSSL_sk_push, (OPENSSL_STACK * stack, const void *p), (stack, p))
WRAP_STEP(X509_VERIFY_PARAM_set_flags, (X509_VERIFY_PARAM * rules, unsigned long flags),
          (rules, flags))
WRAP_STEP(ASN1_TIME_to_tm, (const ASN1_TIME *t, struct tm *tm), (t, tm))

// What is written to standard output and error never fails: nobody would be told.
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    if (fd == STDERR_FILENO && listener != NULL) {
        listener(p, n);
        return (ssize_t)n;
    }
    return fd > STDERR_FILENO && file_fails(ENOSPC) ? -1 : __real_write(fd, p, n);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    unsigned mode = (flags & O_CREAT) != 0 ? va_arg(args, unsigned) : 0;
    va_end(args);
    return file_fails(EACCES) ? -1 : __real_open(path, flags, mode);
}

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    unsigned mode = (flags & O_CREAT) != 0 ? va_arg(args, unsigned) : 0;
    va_end(args);
    return file_fails(EACCES) ? -1 : __real_open64(path, flags, mode);
}

WRAP_FILE(EIO, int, fsync, (int fd), (fd))
// A close that reports a failure has closed nevertheless.
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
    int result = __real_close(fd);
    return file_fails(EIO) ? -1 : result;
}
WRAP_FILE(EPERM, int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP_FILE(EPERM, int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP_FILE(EIO, int, rename, (const char *from, const char *to), (from, to))
WRAP_FILE(EIO, int, renameat2,
          (int from_dir, const char *from, int to_dir, const char *to, unsigned flags),
          (from_dir, from, to_dir, to, flags))
WRAP_FILE(ENOSPC, int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP_FILE(EIO, ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))
WRAP(file_fails(EMFILE), NULL, DIR *, opendir, (const char *path), (path))

WRAP_SOCKET(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP_SOCKET(int, bind, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))
WRAP_SOCKET(int, listen, (int fd, int backlog), (fd, backlog))
WRAP_SOCKET(int, accept4, (int fd, struct sockaddr *a, socklen_t *n, int flags), (fd, a, n, flags))
WRAP_SOCKET(int, connect, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))
WRAP_SOCKET(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
WRAP_SOCKET(ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
WRAP_SOCKET(int, epoll_create1, (int flags), (flags))
WRAP_SOCKET(int, epoll_ctl, (int e, int op, int fd, struct epoll_event *event), (e, op, fd, event))
WRAP_SOCKET(int, epoll_wait, (int e, struct epoll_event *events, int n, int ms), (e, events, n, ms))
// NOLINTEND(bugprone-reserved-identifier)
