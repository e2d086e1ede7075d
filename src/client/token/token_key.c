// A member's key inside a token (see token_key.h; PKCS#11 v2.40 current mechanisms, section 2.3).
#include "client/token/token_key.h"

#include "client/token/token_point.h"
#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

#define CERTIFICATE_MAX 8192
#define CURVE_MAX 1024
#define POINT_MAX 256 // of a larger curve, to name it as such

struct token_key {
    struct token token;
    struct token_wanted wanted;
    struct p256_public public;
};

static enum q_err from_public_key(const struct token *t, CK_OBJECT_HANDLE object,
                                  uint8_t point[static P256_POINT_SIZE])
{
    BUF_AUTO params = {0}, attribute = {0};
    TRY(token_attribute(t, object, CKA_EC_PARAMS, CURVE_MAX, &params));
    TRY(token_curve_check(buf_bytes(&params)));
    TRY(token_attribute(t, object, CKA_EC_POINT, POINT_MAX, &attribute));
    return token_point_parse(buf_bytes(&attribute), point);
}

static enum q_err from_certificate(const struct token *t, CK_OBJECT_HANDLE object,
                                   uint8_t point[static P256_POINT_SIZE])
{
    BUF_AUTO der = {0};
    TRY(token_attribute(t, object, CKA_VALUE, CERTIFICATE_MAX, &der));
    return token_point_of_certificate(buf_bytes(&der), point);
}

static enum q_err read_point(const struct token *t, const struct token_key_name *name,
                             uint8_t point[static P256_POINT_SIZE])
{
    CK_OBJECT_HANDLE object;
    enum q_err err = token_find(t, CKO_PUBLIC_KEY, name, &object);
    if (err == Q_OK)
        return err_context(from_public_key(t, object, point), "token: key %s", name->text);
    if (err != Q_MISSING)
        return err;
    err = token_find(t, CKO_CERTIFICATE, name, &object);
    if (err == Q_MISSING)
        return fail(err, "token: expected a public key or certificate named %s, found none",
                    name->text);
    TRY(err);
    return err_context(from_certificate(t, object, point), "token: certificate %s", name->text);
}

enum q_err token_key_public(const struct token *t, const struct token_wanted *w,
                            struct p256_public *out)
{
    uint8_t points[P256_PUBLIC_SIZE];
    TRY(read_point(t, &w->encryption, points));
    TRY(read_point(t, &w->signing, points + P256_POINT_SIZE));
    return err_context(p256_public_parse(BYTES_OF(points), out), "token");
}

static void ask_tap(const struct token *t)
{
    if (t->tap == NULL)
        return;
    (void)fputs("Tap your YubiKey\n", t->tap);
    (void)fflush(t->tap);
}

static enum q_err sign_digest(const struct token *t, CK_OBJECT_HANDLE key,
                              uint8_t digest[static SHA256_SIZE],
                              uint8_t signature[static P256_SIGNATURE_SIZE])
{
    const CK_FUNCTION_LIST *f = t->module.f;
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    bool each_time = token_flag(t, key, CKA_ALWAYS_AUTHENTICATE);
    CK_RV rv = f->C_SignInit(t->session, &ecdsa, key);
    if (rv != CKR_OK)
        return token_failed(rv, "C_SignInit");
    if (each_time)
        TRY(token_login_for_use(t));
    ask_tap(t);
    CK_ULONG n = P256_SIGNATURE_SIZE;
    rv = f->C_Sign(t->session, digest, SHA256_SIZE, signature, &n);
    if (rv != CKR_OK)
        return token_failed(rv, "C_Sign");
    if (n != P256_SIGNATURE_SIZE)
        return fail(Q_CRYPTO, "token: signature: expected %d bytes, found %lu", P256_SIGNATURE_SIZE,
                    n);
    return Q_OK;
}

enum q_err token_key_sign(struct token *t, const struct token_key_name *name, struct bytes message,
                          uint8_t signature[static P256_SIGNATURE_SIZE])
{
    CK_OBJECT_HANDLE key;
    uint8_t digest[SHA256_SIZE];
    TRY(sha256(message, digest));
    TRY(token_login(t, t->tap != NULL));
    TRY(token_find(t, CKO_PRIVATE_KEY, name, &key));
    return sign_digest(t, key, digest, signature);
}

// The value of a session's object, of just this length, into locked memory.
static enum q_err take_secret(const struct token *t, CK_OBJECT_HANDLE object, struct secret *out)
{
    SECRET_AUTO room = {0};
    TRY(secret_new(&room, P256_SCALAR_SIZE));
    CK_ATTRIBUTE value = {CKA_VALUE, room.p, room.n};
    CK_RV rv = t->module.f->C_GetAttributeValue(t->session, object, &value, 1);
    if (rv != CKR_OK)
        return token_failed(rv, "derived secret");
    if (value.ulValueLen != P256_SCALAR_SIZE)
        return fail(Q_CRYPTO, "token: derived secret: expected %d bytes, found %lu",
                    P256_SCALAR_SIZE, value.ulValueLen);
    *out = room;
    room = (struct secret){0};
    return Q_OK;
}

// The derived secret is an object of this session, readable, and gone as soon as it is read.
static enum q_err derive(const struct token *t, CK_OBJECT_HANDLE key, struct bytes point,
                         struct secret *shared_x)
{
    uint8_t peer[P256_POINT_SIZE];
    memcpy(peer, point.p, sizeof peer);
    CK_ECDH1_DERIVE_PARAMS agree = {
        .kdf = CKD_NULL, .public_data_len = sizeof peer, .public_data = peer};
    CK_MECHANISM ecdh = {CKM_ECDH1_DERIVE, &agree, sizeof agree};
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ULONG length = P256_SCALAR_SIZE;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class},   {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_TOKEN, &no, sizeof no},         {CKA_SENSITIVE, &no, sizeof no},
        {CKA_EXTRACTABLE, &yes, sizeof yes}, {CKA_VALUE_LEN, &length, sizeof length},
    };
    CK_OBJECT_HANDLE derived = 0;
    ask_tap(t);
    CK_RV rv = t->module.f->C_DeriveKey(t->session, &ecdh, key, template,
                                        sizeof template / sizeof template[0], &derived);
    if (rv != CKR_OK)
        return token_failed(rv, "C_DeriveKey");
    enum q_err err = take_secret(t, derived, shared_x);
    rv = t->module.f->C_DestroyObject(t->session, derived);
    if (err == Q_OK && rv != CKR_OK)
        err = token_failed(rv, "C_DestroyObject");
    return err;
}

// A key that wants a PIN each time has no step for it between asking and deriving: it is given just before.
static enum q_err find_for_derivation(struct token *t, const struct token_key_name *name,
                                      CK_OBJECT_HANDLE *key)
{
    TRY(token_login(t, t->tap != NULL));
    TRY(token_find(t, CKO_PRIVATE_KEY, name, key));
    if (t->tap != NULL || !token_flag(t, *key, CKA_ALWAYS_AUTHENTICATE))
        return Q_OK;
    TRY(token_login(t, true));
    return token_find(t, CKO_PRIVATE_KEY, name, key);
}

enum q_err token_key_decrypt(struct token *t, const struct token_key_name *name,
                             const struct p256_public *own, struct bytes envelope,
                             struct secret *out)
{
    SECRET_AUTO shared_x = {0};
    CK_OBJECT_HANDLE key;
    struct bytes point;
    *out = (struct secret){0};
    TRY(p256_envelope_point(envelope,
                            &point)); // a point off the curve would ask the key for its scalar
    TRY(find_for_derivation(t, name, &key));
    TRY(derive(t, key, point, &shared_x));
    return p256_open_with_shared(secret_bytes(&shared_x), own->bytes, envelope, out);
}

static enum q_err key_sign(void *held, struct bytes message,
                           uint8_t signature[static P256_SIGNATURE_SIZE])
{
    struct token_key *k = held;
    return token_key_sign(&k->token, &k->wanted.signing, message, signature);
}

static enum q_err key_open(void *held, struct bytes envelope, struct secret *out)
{
    struct token_key *k = held;
    return token_key_decrypt(&k->token, &k->wanted.encryption, &k->public, envelope, out);
}

static void key_release(void *held)
{
    struct token_key *k = held;
    token_close(&k->token);
    free(k);
}

static const struct member_key_ops token_ops = {key_sign, key_open, key_release};

static enum q_err fill(struct token_key *k)
{
    TRY(token_open(&k->wanted, false, &k->token));
    TRY(token_key_public(&k->token, &k->wanted, &k->public));
    return token_pin(&k->token, k->wanted.pin_path, PIN_QUESTION);
}

enum q_err token_key_open(const struct token_wanted *w, struct member_key **out)
{
    struct token_key *k = calloc(1, sizeof *k);
    if (k == NULL)
        return fail(Q_NOMEM, "token: no memory for its key");
    k->wanted = *w;
    enum q_err err = fill(k);
    if (err != Q_OK) {
        key_release(k);
        return err;
    }
    return member_key_new(&token_ops, &k->public, k, out);
}
