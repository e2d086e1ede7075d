// Making keys on a token (see token_make.h).
#include "client/token/token_make.h"

#include "base/log.h"
#include "client/token/token_point.h"

#include <string.h>

static enum q_err check_free(const struct token *t, const struct token_key_name *name)
{
    static const CK_OBJECT_CLASS classes[] = {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_CERTIFICATE};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        CK_OBJECT_HANDLE object;
        enum q_err err = token_find(t, classes[i], name, &object);
        if (err == Q_OK || err == Q_REFUSED) // one, several
            return fail(Q_EXISTS, "token: expected nothing named %s, found it there already",
                        name->text);
        if (err != Q_MISSING)
            return err;
    }
    return Q_OK;
}

enum q_err token_make_check(const struct token *t, const struct token_wanted *w)
{
    TRY(check_free(t, &w->encryption));
    return check_free(t, &w->signing);
}

// What both halves of a pair have in common; filled in per key, as the interface knows no const.
struct making {
    struct token *token;
    struct token_made *made;
    const struct token_key_name *name;
    CK_ATTRIBUTE_TYPE public_use, use, other_use; // of the public key, and of the private one
    uint8_t curve[16], id[TOKEN_NAME_MAX];
    char label[2 * TOKEN_NAME_MAX + 8];
    CK_BBOOL yes, no;
};

static struct making making_of(struct token *t, struct token_made *made,
                               const struct token_key_name *name, bool signs)
{
    struct making m = {.token = t,
                       .made = made,
                       .name = name,
                       .public_use = signs ? CKA_VERIFY : CKA_DERIVE,
                       .use = signs ? CKA_SIGN : CKA_DERIVE,
                       .other_use = signs ? CKA_DERIVE : CKA_SIGN,
                       .yes = CK_TRUE,
                       .no = CK_FALSE};
    memcpy(m.curve, token_curve().p, token_curve().n);
    memcpy(m.id, name->value, name->n);
    (void)snprintf(m.label, sizeof m.label, "%s", name->text);
    return m;
}

static enum q_err keep(struct making *m, CK_OBJECT_HANDLE object)
{
    m->made->objects[m->made->n++] = object;
    return Q_OK;
}

#define NAMED(m)                                                                                   \
    {CKA_TOKEN, &(m)->yes, sizeof(m)->yes}, {CKA_LABEL, (m)->label, strlen((m)->label)},           \
    {                                                                                              \
        CKA_ID, (m)->id, (m)->name->n                                                              \
    }
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static enum q_err generate(struct making *m)
{
    CK_MECHANISM mechanism = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
    CK_ATTRIBUTE public[] = {
        NAMED(m),
        {CKA_EC_PARAMS, m->curve, token_curve().n},
        {CKA_PRIVATE, &m->no, sizeof m->no},
        {m->public_use, &m->yes, sizeof m->yes},
    };
    CK_ATTRIBUTE private[] = {
        NAMED(m),
        {CKA_PRIVATE, &m->yes, sizeof m->yes},
        {CKA_SENSITIVE, &m->yes, sizeof m->yes},
        {CKA_EXTRACTABLE, &m->no, sizeof m->no},
        {m->use, &m->yes, sizeof m->yes},
        {m->other_use, &m->no, sizeof m->no},
    };
    CK_OBJECT_HANDLE first = 0, second = 0;
    CK_RV rv = m->token->module.f->C_GenerateKeyPair(m->token->session, &mechanism, public,
                                                     COUNT_OF(public), private, COUNT_OF(private),
                                                     &first, &second);
    if (rv != CKR_OK)
        return token_failed(rv, "C_GenerateKeyPair");
    TRY(keep(m, first));
    return keep(m, second);
}

static enum q_err create(struct making *m, CK_ATTRIBUTE *template, CK_ULONG n)
{
    CK_OBJECT_HANDLE object = 0;
    CK_RV rv = m->token->module.f->C_CreateObject(m->token->session, template, n, &object);
    return rv == CKR_OK ? keep(m, object) : token_failed(rv, "C_CreateObject");
}

static enum q_err import(struct making *m, const struct secret *scalar, const uint8_t *point)
{
    CK_OBJECT_CLASS private_class = CKO_PRIVATE_KEY, public_class = CKO_PUBLIC_KEY;
    CK_KEY_TYPE type = CKK_EC;
    uint8_t der[TOKEN_POINT_DER_SIZE];
    token_point_der(point, der);
    CK_ATTRIBUTE private[] = {
        NAMED(m),
        {CKA_CLASS, &private_class, sizeof private_class},
        {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_EC_PARAMS, m->curve, token_curve().n},
        {CKA_VALUE, scalar->p, scalar->n},
        {CKA_PRIVATE, &m->yes, sizeof m->yes},
        {CKA_SENSITIVE, &m->yes, sizeof m->yes},
        {CKA_EXTRACTABLE, &m->no, sizeof m->no},
        {m->use, &m->yes, sizeof m->yes},
        {m->other_use, &m->no, sizeof m->no},
    };
    CK_ATTRIBUTE public[] = {
        NAMED(m),
        {CKA_CLASS, &public_class, sizeof public_class},
        {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_EC_PARAMS, m->curve, token_curve().n},
        {CKA_EC_POINT, der, sizeof der},
        {CKA_PRIVATE, &m->no, sizeof m->no},
        {m->public_use, &m->yes, sizeof m->yes},
    };
    TRY(create(m, private, COUNT_OF(private)));
    return create(m, public, COUNT_OF(public));
}

static enum q_err make_pairs(struct token *t, const struct token_wanted *w,
                             const struct p256_pair *seed, struct token_made *made)
{
    struct making encryption = making_of(t, made, &w->encryption, false);
    struct making signing = making_of(t, made, &w->signing, true);
    SECRET_AUTO encrypt = {0}, sign = {0};
    if (seed == NULL) {
        TRY(generate(&encryption));
        return generate(&signing);
    }
    const uint8_t *points = p256_pair_public(seed)->bytes;
    TRY(p256_pair_scalars(seed, &encrypt, &sign));
    TRY(import(&encryption, &encrypt, points));
    return import(&signing, &sign, points + P256_POINT_SIZE);
}

static enum q_err check_kept(const struct token *t, const struct token_key_name *name)
{
    CK_OBJECT_HANDLE key;
    TRY(token_find(t, CKO_PRIVATE_KEY, name, &key));
    if (token_flag(t, key, CKA_EXTRACTABLE) || !token_flag(t, key, CKA_SENSITIVE))
        return fail(Q_REFUSED,
                    "token: key %s: expected one that cannot be taken out, found one that "
                    "can",
                    name->text);
    return Q_OK;
}

// A key that signs or agrees wrongly is found out before anybody relies on it.
static enum q_err prove(struct token *t, const struct token_wanted *w,
                        const struct p256_public *public)
{
    static const char words[] = "quorate: does this token work?";
    uint8_t signature[P256_SIGNATURE_SIZE];
    BUF_AUTO envelope = {0};
    SECRET_AUTO opened = {0};
    TRY(token_key_sign(t, &w->signing, BYTES_OF(words), signature));
    TRY(p256_verify(public, BYTES_OF(words), BYTES_OF(signature)));
    TRY(p256_seal(public, BYTES_OF(words), &envelope));
    TRY(token_key_decrypt(t, &w->encryption, public, buf_bytes(&envelope), &opened));
    if (!secret_equal(secret_bytes(&opened), BYTES_OF(words)))
        return fail(Q_CRYPTO, "token: expected the words that were encrypted to it, found others");
    return Q_OK;
}

static enum q_err check_made(struct token *t, const struct token_wanted *w,
                             const struct p256_pair *seed, struct p256_public *public)
{
    TRY(token_key_public(t, w, public));
    if (seed != NULL &&
        !bytes_equal(p256_public_bytes(public), p256_public_bytes(p256_pair_public(seed))))
        return fail(Q_CRYPTO, "WrongPublicKey: expected the token's public key to be that of the "
                              "seed, found another");
    TRY(check_kept(t, &w->encryption));
    TRY(check_kept(t, &w->signing));
    return prove(t, w, public);
}

enum q_err token_make(struct token *t, const struct token_wanted *w, const struct p256_pair *seed,
                      struct token_made *made, struct p256_public *public)
{
    TRY(token_make_check(t, w));
    enum q_err err = make_pairs(t, w, seed, made);
    if (err == Q_OK)
        err = check_made(t, w, seed, public);
    if (err != Q_OK)
        token_unmake(t, made);
    return err;
}

void token_unmake(const struct token *t, struct token_made *made)
{
    bool all = true;
    for (size_t i = 0; i < made->n; i++)
        all = t->module.f->C_DestroyObject(t->session, made->objects[i]) == CKR_OK && all;
    made->n = 0;
    if (!all)
        log_warn("token: not all of the new keys could be taken off it again");
}
