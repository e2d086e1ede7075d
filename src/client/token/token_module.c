// Loading PKCS#11 modules (see token_module.h; PKCS#11 v2.40 base, sections 5.4 and 5.16). Not by p11-kit's own
// loader, which follows whatever pointer a module returns for its list of functions.
#include "client/token/token_module.h"

#include <dlfcn.h>
#include <errno.h>
#include <p11-kit/p11-kit.h>
#include <stdlib.h>
#include <string.h>

enum q_err token_failed(CK_RV rv, const char *what)
{
    return fail(rv == CKR_HOST_MEMORY ? Q_NOMEM : Q_CRYPTO,
                "token: %s: expected it to work, found: %s (0x%lx)", what, p11_kit_strerror(rv),
                rv);
}

// No search through the folders of libraries: a path is a path.
static enum q_err load(const char *path, struct token_module *m)
{
    char *absolute = realpath(path, NULL);
    if (absolute == NULL)
        return fail_os(errno, "%s: expected a PKCS#11 module", path);
    m->library = dlopen(absolute, RTLD_NOW | RTLD_LOCAL);
    free(absolute);
    if (m->library != NULL)
        return Q_OK;
    return fail(Q_BAD_INPUT, "%s: expected a PKCS#11 module, found what cannot be loaded: %s", path,
                dlerror());
}

static enum q_err get_functions(const char *path, struct token_module *m)
{
    CK_C_GetFunctionList get = NULL;
    void *symbol = dlsym(m->library, "C_GetFunctionList");
    if (symbol == NULL)
        return fail(Q_BAD_INPUT,
                    "%s: expected a PKCS#11 module, found a library without "
                    "C_GetFunctionList",
                    path);
    memcpy(&get, &symbol, sizeof get); // C knows no cast from an object to a function
    CK_RV rv = get(&m->f);
    if (rv != CKR_OK)
        return err_context(token_failed(rv, "C_GetFunctionList"), "%s", path);
    if (m->f == NULL || m->f->version.major != CRYPTOKI_VERSION_MAJOR)
        return fail(Q_BAD_INPUT, "%s: expected a PKCS#11 module of version %d, found another", path,
                    CRYPTOKI_VERSION_MAJOR);
    return Q_OK;
}

static enum q_err check_functions(const char *path, const CK_FUNCTION_LIST *f)
{
    bool whole = f->C_Initialize != NULL && f->C_Finalize != NULL && f->C_GetSlotList != NULL &&
                 f->C_GetTokenInfo != NULL && f->C_OpenSession != NULL &&
                 f->C_CloseSession != NULL && f->C_Login != NULL && f->C_Logout != NULL &&
                 f->C_FindObjectsInit != NULL && f->C_FindObjects != NULL &&
                 f->C_FindObjectsFinal != NULL && f->C_GetAttributeValue != NULL &&
                 f->C_CreateObject != NULL && f->C_DestroyObject != NULL &&
                 f->C_GenerateKeyPair != NULL && f->C_SignInit != NULL && f->C_Sign != NULL &&
                 f->C_DeriveKey != NULL;
    if (whole)
        return Q_OK;
    return fail(Q_BAD_INPUT, "%s: expected a PKCS#11 module, found one that lacks functions", path);
}

static enum q_err start(const char *path, struct token_module *m)
{
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    TRY(load(path, m));
    TRY(get_functions(path, m));
    TRY(check_functions(path, m->f));
    CK_RV rv = m->f->C_Initialize(&arguments);
    if (rv != CKR_OK)
        return err_context(token_failed(rv, "C_Initialize"), "%s", path);
    m->started = true;
    return Q_OK;
}

enum q_err token_module_open(const char *path, struct token_module *out)
{
    *out = (struct token_module){.started = false};
    enum q_err err = start(path, out);
    if (err != Q_OK)
        token_module_close(out);
    return err;
}

void token_module_close(struct token_module *m)
{
    if (m->started)
        (void)m->f->C_Finalize(NULL);
    if (m->library != NULL)
        (void)dlclose(m->library);
    *m = (struct token_module){.started = false};
}
