// A session with one token: login, and finding objects (see token.h).
#include "client/token/token.h"

#include <string.h>

static enum q_err say_several(const struct token_found *found)
{
    BUF_AUTO first = {0}, second = {0};
    TRY(token_uri(&found->infos[0], &first));
    TRY(token_uri(&found->infos[1], &second));
    return fail(Q_REFUSED, "token: expected one, found %zu: name it with --token-uri (%.*s, %.*s)",
                found->n, (int)first.n, (const char *)first.p, (int)second.n,
                (const char *)second.p);
}

// Without pcscd or a reader ykcs11 fails instead of finding nothing.
static enum q_err no_token(const struct token_wanted *w, const char *why)
{
    if (w->tap != NULL)
        return fail(Q_MISSING,
                    "YubiKey: expected one, found none (is it plugged in, and does pcscd "
                    "run?)%s",
                    why);
    if (w->uri != NULL)
        return fail(Q_MISSING, "token: expected one that is %s, found none", w->uri);
    return fail(Q_MISSING, "token: expected one, found none");
}

static enum q_err choose(const struct token_wanted *w, struct token *t)
{
    struct token_found found = {.n = 0};
    enum q_err err = token_search(&t->module, w->uri, &found);
    if (err != Q_OK && w->tap == NULL)
        return err;
    if (err != Q_OK || found.n == 0)
        return no_token(w, err != Q_OK ? "; its module failed" : "");
    if (found.n > 1 && w->tap != NULL)
        return fail(Q_REFUSED, "YubiKey: expected one, found %zu", found.n);
    if (found.n > 1)
        return say_several(&found);
    t->slot = found.slots[0];
    return Q_OK;
}

enum q_err token_open(const struct token_wanted *w, bool writes, struct token *out)
{
    *out = (struct token){.tap = w->tap};
    TRY(token_module_open(w->module, &out->module));
    TRY(choose(w, out));
    CK_FLAGS flags = CKF_SERIAL_SESSION | (writes ? CKF_RW_SESSION : 0);
    CK_RV rv = out->module.f->C_OpenSession(out->slot, flags, NULL, NULL, &out->session);
    if (rv != CKR_OK)
        return token_failed(rv, "C_OpenSession");
    out->open = true;
    return Q_OK;
}

void token_close(struct token *t)
{
    if (t->logged_in)
        (void)t->module.f->C_Logout(t->session);
    if (t->open)
        (void)t->module.f->C_CloseSession(t->session);
    token_module_close(&t->module);
    secret_free(&t->pin);
    *t = (struct token){.open = false};
}

static enum q_err info_of(const struct token *t, CK_TOKEN_INFO *out)
{
    *out = (CK_TOKEN_INFO){.flags = 0};
    CK_RV rv = t->module.f->C_GetTokenInfo(t->slot, out);
    return rv == CKR_OK ? Q_OK : token_failed(rv, "C_GetTokenInfo");
}

static const char *tries_left(const struct token *t)
{
    CK_TOKEN_INFO info;
    if (info_of(t, &info) != Q_OK)
        return "";
    if ((info.flags & CKF_USER_PIN_LOCKED) != 0)
        return "; that was the last try: the PIN is locked now";
    if ((info.flags & CKF_USER_PIN_FINAL_TRY) != 0)
        return "; 1 try is left before it is locked";
    if ((info.flags & CKF_USER_PIN_COUNT_LOW) != 0)
        return "; few tries are left before it is locked";
    return "";
}

static enum q_err login_failed(const struct token *t, CK_RV rv)
{
    switch (rv) {
    case CKR_PIN_INCORRECT:
        return fail(Q_REFUSED, "token: PIN: expected the right one, found a wrong one%s",
                    tries_left(t));
    case CKR_PIN_LOCKED:
        return fail(Q_REFUSED,
                    "token: PIN: expected one that can be used, found it locked after too "
                    "many wrong ones");
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_INVALID:
        return fail(Q_REFUSED, "token: PIN: expected another length or other characters");
    case CKR_USER_PIN_NOT_INITIALIZED:
        return fail(Q_REFUSED, "token: PIN: expected one on the token, found none set yet");
    default:
        return token_failed(rv, "C_Login");
    }
}

static enum q_err login_as(const struct token *t, CK_USER_TYPE user)
{
    CK_RV rv = t->module.f->C_Login(t->session, user, t->pin.p, t->pin.n);
    return rv == CKR_OK ? Q_OK : login_failed(t, rv);
}

enum q_err token_login(struct token *t, bool afresh)
{
    if (t->logged_in && !afresh)
        return Q_OK;
    if (t->logged_in) {
        CK_RV rv = t->module.f->C_Logout(t->session);
        if (rv != CKR_OK)
            return token_failed(rv, "C_Logout");
        t->logged_in = false;
    }
    TRY(login_as(t, CKU_USER));
    t->logged_in = true;
    return Q_OK;
}

enum q_err token_login_for_use(const struct token *t)
{
    return login_as(t, CKU_CONTEXT_SPECIFIC);
}

// What cannot be right does not cost a try.
static enum q_err check_length(const CK_TOKEN_INFO *info, const struct secret *pin)
{
    bool sensible = info->ulMaxPinLen > 0 && info->ulMinPinLen <= info->ulMaxPinLen;
    if (sensible && (pin->n < info->ulMinPinLen || pin->n > info->ulMaxPinLen))
        return fail(Q_REFUSED,
                    "PIN: expected from %lu to %lu bytes, found another length (not tried)",
                    info->ulMinPinLen, info->ulMaxPinLen);
    return Q_OK;
}

enum q_err token_pin(struct token *t, const char *path, const char *question)
{
    CK_TOKEN_INFO info;
    TRY(info_of(t, &info));
    if ((info.flags & CKF_USER_PIN_LOCKED) != 0)
        return login_failed(t, CKR_PIN_LOCKED);
    bool keypad = (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
    if (!keypad || path != NULL) {
        TRY(pin_read(path, question, &t->pin));
        TRY(check_length(&info, &t->pin));
    }
    return token_login(t, false);
}

static enum q_err find_two(const struct token *t, CK_ATTRIBUTE *template, CK_ULONG n,
                           CK_OBJECT_HANDLE found[static 2], CK_ULONG *count)
{
    const CK_FUNCTION_LIST *f = t->module.f;
    CK_RV rv = f->C_FindObjectsInit(t->session, template, n);
    if (rv != CKR_OK)
        return token_failed(rv, "C_FindObjectsInit");
    *count = 0;
    rv = f->C_FindObjects(t->session, found, 2, count);
    CK_RV ended = f->C_FindObjectsFinal(t->session);
    if (rv != CKR_OK || ended != CKR_OK)
        return token_failed(rv != CKR_OK ? rv : ended, "C_FindObjects");
    return Q_OK;
}

static const char *class_text(CK_OBJECT_CLASS class)
{
    return class == CKO_PRIVATE_KEY  ? "private key"
           : class == CKO_PUBLIC_KEY ? "public key"
                                     : "certificate";
}

enum q_err token_find(const struct token *t, CK_OBJECT_CLASS class,
                      const struct token_key_name *name, CK_OBJECT_HANDLE *out)
{
    struct token_key_name wanted = *name; // as the interface knows no const
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class},
        {wanted.by, wanted.value, wanted.n},
    };
    CK_OBJECT_HANDLE found[2] = {0};
    CK_ULONG count = 0;
    TRY(find_two(t, template, sizeof template / sizeof template[0], found, &count));
    if (count == 0)
        return fail(Q_MISSING, "token: expected a %s named %s, found none", class_text(class),
                    name->text);
    if (count > 1)
        return fail(Q_REFUSED, "token: expected one %s named %s, found several", class_text(class),
                    name->text);
    *out = found[0];
    return Q_OK;
}

enum q_err token_attribute(const struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                           size_t limit, struct buf *out)
{
    const CK_FUNCTION_LIST *f = t->module.f;
    CK_ATTRIBUTE a = {type, NULL, 0};
    CK_RV rv = f->C_GetAttributeValue(t->session, object, &a, 1);
    if (rv != CKR_OK)
        return token_failed(rv, "C_GetAttributeValue");
    if (a.ulValueLen == 0 || a.ulValueLen > limit)
        return fail(Q_BAD_INPUT,
                    "token: attribute 0x%lx: expected from 1 to %zu bytes, found another "
                    "length",
                    type, limit);
    CK_ULONG room = a.ulValueLen;
    TRY(buf_reserve(out, room));
    a.pValue = out->p + out->n;
    rv = f->C_GetAttributeValue(t->session, object, &a, 1);
    if (rv != CKR_OK)
        return token_failed(rv, "C_GetAttributeValue");
    if (a.ulValueLen == 0 || a.ulValueLen > room)
        return fail(Q_BAD_INPUT,
                    "token: attribute 0x%lx: expected the length it had, found another", type);
    out->n += a.ulValueLen;
    return Q_OK;
}

bool token_flag(const struct token *t, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
    CK_BBOOL value = CK_FALSE;
    CK_ATTRIBUTE a = {type, &value, sizeof value};
    return t->module.f->C_GetAttributeValue(t->session, object, &a, 1) == CKR_OK &&
           a.ulValueLen == sizeof value && value != CK_FALSE;
}
