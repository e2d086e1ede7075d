// Loading PKCS#11 modules (see token_module.h).
#include "client/token_module.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum q_err token_failed(CK_RV rv, const char *what)
{
    return fail(rv == CKR_HOST_MEMORY ? Q_NOMEM : Q_CRYPTO,
                "token: %s: expected it to work, found: %s (0x%lx)", what, p11_kit_strerror(rv),
                rv);
}

static enum q_err check_functions(const char *path, const CK_FUNCTION_LIST *f)
{
    bool whole = f->C_GetSlotList != NULL && f->C_GetTokenInfo != NULL &&
                 f->C_OpenSession != NULL && f->C_CloseSession != NULL && f->C_Login != NULL &&
                 f->C_Logout != NULL && f->C_FindObjectsInit != NULL && f->C_FindObjects != NULL &&
                 f->C_FindObjectsFinal != NULL && f->C_GetAttributeValue != NULL &&
                 f->C_CreateObject != NULL && f->C_DestroyObject != NULL &&
                 f->C_GenerateKeyPair != NULL && f->C_SignInit != NULL && f->C_Sign != NULL &&
                 f->C_DeriveKey != NULL;
    if (whole)
        return Q_OK;
    return fail(Q_BAD_INPUT, "%s: expected a PKCS#11 module, found one that lacks functions", path);
}

// p11-kit takes any path that is not absolute for a name in its own folder.
static enum q_err load(const char *path, CK_FUNCTION_LIST **out)
{
    char *absolute = NULL;
    if (strchr(path, '/') != NULL) {
        absolute = realpath(path, NULL);
        if (absolute == NULL)
            return fail_os(errno, "%s: expected a PKCS#11 module", path);
    }
    *out = p11_kit_module_load(absolute != NULL ? absolute : path, P11_KIT_MODULE_UNMANAGED);
    free(absolute);
    if (*out != NULL)
        return Q_OK;
    const char *why = p11_kit_message();
    return fail(Q_BAD_INPUT, "%s: expected a PKCS#11 module, found none: %s", path,
                why != NULL ? why : "it cannot be loaded");
}

static enum q_err start(const char *path, struct token_module *m)
{
    TRY(check_functions(path, m->f));
    CK_RV rv = p11_kit_module_initialize(m->f);
    if (rv != CKR_OK)
        return err_context(token_failed(rv, "C_Initialize"), "%s", path);
    m->started = true;
    return Q_OK;
}

enum q_err token_module_open(const char *path, struct token_module *out)
{
    struct token_module m = {0};
    p11_kit_be_quiet();
    TRY(load(path, &m.f));
    enum q_err err = start(path, &m);
    if (err != Q_OK)
        token_module_close(&m);
    *out = m;
    return err;
}

void token_module_close(struct token_module *m)
{
    if (m->started)
        (void)p11_kit_module_finalize(m->f);
    if (m->f != NULL)
        p11_kit_module_release(m->f);
    *m = (struct token_module){0};
}
