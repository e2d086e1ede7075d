// A PKCS#11 module for tests: one token with a member's two keys, which misbehaves as the environment variable
// MOCK_PKCS11 says. It counts what it is asked, for the test that holds it open as well.
#include <p11-kit/pkcs11.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))
EXPORTED CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out);

extern unsigned mock_logins, mock_derived, mock_destroyed, mock_finalized;
EXPORTED unsigned mock_logins, mock_derived, mock_destroyed, mock_finalized;

enum object { PUBLIC_ENCRYPT = 1, PUBLIC_SIGN, PRIVATE_ENCRYPT, PRIVATE_SIGN, DERIVED, TWIN };

static EVP_PKEY *encrypt_key, *sign_key;
static unsigned char derived[32];
static CK_OBJECT_HANDLE found[3];
static CK_ULONG found_n;
static bool authenticated_for_use;

static bool is(const char *name)
{
    const char *how = getenv("MOCK_PKCS11");
    return how != NULL && strcmp(how, name) == 0;
}

static CK_RV initialize(void *arguments)
{
    (void)arguments;
    if (is("init-fails"))
        return CKR_DEVICE_ERROR;
    if (encrypt_key == NULL)
        encrypt_key = EVP_EC_gen("P-256");
    if (sign_key == NULL)
        sign_key = EVP_EC_gen("P-256");
    mock_logins = mock_derived = mock_destroyed = mock_finalized = 0;
    return CKR_OK;
}

static CK_RV finalize(void *reserved)
{
    (void)reserved;
    mock_finalized++;
    EVP_PKEY_free(encrypt_key);
    EVP_PKEY_free(sign_key);
    encrypt_key = sign_key = NULL;
    return CKR_OK;
}

static CK_RV get_info(CK_INFO *info)
{
    memset(info, ' ', sizeof *info);
    info->cryptokiVersion = (CK_VERSION){2, 40};
    info->flags = 0;
    return CKR_OK;
}

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
    (void)present;
    if (is("slots-fail"))
        return CKR_GENERAL_ERROR;
    if (is("many-slots")) {
        *count = 1UL << 40;
        return CKR_OK;
    }
    *count = is("no-token") ? 0 : is("two-tokens") ? 2 : 1;
    if (slots != NULL)
        slots[0] = 7, slots[1] = 8;
    return CKR_OK;
}

static CK_FLAGS pin_flags(void)
{
    if (is("pin-locked") || (is("pin-locks") && mock_logins > 0))
        return CKF_USER_PIN_LOCKED;
    if (is("pin-final"))
        return CKF_USER_PIN_FINAL_TRY;
    return is("pin-low") ? CKF_USER_PIN_COUNT_LOW : 0;
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    if (is("removed"))
        return CKR_DEVICE_REMOVED;
    if (is("info-fails"))
        return CKR_DEVICE_ERROR;
    memset(info, ' ', sizeof *info);
    memcpy(info->label, "mock\033[31m", 9);
    info->serialNumber[0] = (unsigned char)('0' + slot);
    info->flags =
        CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED | pin_flags();
    if (is("keypad"))
        info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    info->ulMinPinLen = is("odd-limits") ? (CK_ULONG)-1 : 4;
    info->ulMaxPinLen = is("odd-limits") ? 0 : 8;
    return CKR_OK;
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
                          CK_SESSION_HANDLE *out)
{
    (void)slot, (void)flags, (void)application, (void)notify;
    *out = 1;
    return is("session-fails") ? CKR_SESSION_COUNT : CKR_OK;
}

static CK_RV close_session(CK_SESSION_HANDLE session)
{
    (void)session;
    return CKR_OK;
}

static CK_RV login_result(void)
{
    if (is("pin-wrong") || is("pin-final") || is("pin-low") || is("pin-locks"))
        return CKR_PIN_INCORRECT;
    if (is("login-locked"))
        return CKR_PIN_LOCKED;
    if (is("no-user-pin"))
        return CKR_USER_PIN_NOT_INITIALIZED;
    if (is("user-type"))
        return CKR_USER_TYPE_INVALID;
    return is("pin-length") ? CKR_PIN_LEN_RANGE : CKR_OK;
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG n)
{
    (void)session;
    mock_logins++;
    if (user == CKU_CONTEXT_SPECIFIC)
        authenticated_for_use = true;
    if (is("keypad"))
        return pin == NULL && n == 0 ? CKR_OK : CKR_PIN_INCORRECT;
    if (login_result() != CKR_OK)
        return login_result();
    return n == 6 && memcmp(pin, "123456", 6) == 0 ? CKR_OK : CKR_PIN_INCORRECT;
}

static CK_RV logout(CK_SESSION_HANDLE session)
{
    (void)session;
    return CKR_OK;
}

static bool wanted(const CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_CLASS *class, bool *signs)
{
    *class = CKO_DATA;
    for (CK_ULONG i = 0; i < n; i++) {
        if (template[i].type == CKA_CLASS)
            memcpy(class, template[i].pValue, sizeof *class);
        if (template[i].type == CKA_LABEL)
            *signs = template[i].ulValueLen == 4 && memcmp(template[i].pValue, "sign", 4) == 0;
    }
    return *class == CKO_PUBLIC_KEY || *class == CKO_PRIVATE_KEY;
}

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG n)
{
    CK_OBJECT_CLASS class;
    bool signs = false;
    (void)session;
    found_n = 0;
    if (is("find-fails"))
        return CKR_DEVICE_ERROR;
    if (is("no-keys") || !wanted(template, n, &class, &signs))
        return CKR_OK;
    bool private = class == CKO_PRIVATE_KEY;
    if (private && is("no-private"))
        return CKR_OK;
    found[found_n++] =
        private ? (signs ? PRIVATE_SIGN : PRIVATE_ENCRYPT) : (signs ? PUBLIC_SIGN : PUBLIC_ENCRYPT);
    if (is("twin") || (private && is("private-twin")))
        found[found_n++] = TWIN;
    return CKR_OK;
}

static CK_RV find_next(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *out, CK_ULONG most,
                       CK_ULONG *count)
{
    (void)session;
    if (is("too-many-found")) {
        *count = 1UL << 40;
        return CKR_OK;
    }
    *count = found_n < most ? found_n : most;
    for (CK_ULONG i = 0; i < *count; i++)
        out[i] = found[i];
    return CKR_OK;
}

static CK_RV find_final(CK_SESSION_HANDLE session)
{
    (void)session;
    return CKR_OK;
}

// Gives a value as PKCS#11 says: its length alone where there is no room yet.
static CK_RV give(CK_ATTRIBUTE *a, const void *value, CK_ULONG n)
{
    if (a->pValue != NULL && a->ulValueLen < n) {
        a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_BUFFER_TOO_SMALL;
    }
    if (a->pValue != NULL)
        memcpy(a->pValue, value, n);
    a->ulValueLen = n;
    return CKR_OK;
}

static CK_RV give_point(CK_ATTRIBUTE *a, EVP_PKEY *key)
{
    unsigned char der[67] = {4, 65};
    size_t n = 0;
    (void)EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, der + 2, 65, &n);
    if (is("point-raw"))
        return give(a, der + 2, 65);
    if (is("point-short"))
        return give(a, der + 2, 64);
    if (is("point-compressed")) {
        der[2] = 2;
        return give(a, der + 2, 33);
    }
    if (is("point-off-curve"))
        der[66] ^= 1;
    if (is("point-infinity"))
        return give(a, "\x04\x01\x00", 3);
    if (is("point-length-lies"))
        der[1] = 66;
    if (is("point-grows") && a->pValue != NULL) {
        a->ulValueLen = 1UL << 40;
        return CKR_OK;
    }
    if (is("point-huge")) {
        a->ulValueLen = 1UL << 40;
        return CKR_OK;
    }
    if (is("point-unavailable")) {
        a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_OK;
    }
    if (is("point-empty")) {
        a->ulValueLen = 0;
        return CKR_OK;
    }
    return is("point-fails") ? CKR_ATTRIBUTE_TYPE_INVALID : give(a, der, sizeof der);
}

static CK_RV give_derived(CK_ATTRIBUTE *a)
{
    static unsigned char zeros[33];
    if (is("derived-unreadable")) {
        a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_ATTRIBUTE_SENSITIVE;
    }
    if (is("derived-short"))
        return give(a, derived, 31);
    if (is("derived-long"))
        return give(a, zeros, 33);
    if (is("derived-length-lies")) {
        a->ulValueLen = 1UL << 40;
        return CKR_OK;
    }
    return give(a, is("derived-wrong") ? zeros : derived, 32);
}

static CK_RV give_flag(CK_ATTRIBUTE *a, bool value)
{
    CK_BBOOL flag = value ? CK_TRUE : CK_FALSE;
    return give(a, &flag, sizeof flag);
}

static CK_RV get_attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *a,
                           CK_ULONG n)
{
    static const unsigned char p256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
    static const unsigned char p384[] = {6, 5, 0x2b, 0x81, 4, 0, 0x22};
    (void)session, (void)n;
    if (a->type == CKA_EC_PARAMS)
        return is("curve") ? give(a, p384, sizeof p384) : give(a, p256, sizeof p256);
    if (a->type == CKA_EC_POINT)
        return give_point(a, object == PUBLIC_SIGN ? sign_key : encrypt_key);
    if (a->type == CKA_ALWAYS_AUTHENTICATE)
        return give_flag(a, is("always"));
    if (a->type == CKA_VALUE && object == DERIVED)
        return give_derived(a);
    a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
    return CKR_ATTRIBUTE_TYPE_INVALID;
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    (void)session;
    authenticated_for_use = false;
    if (is("sign-init-fails"))
        return CKR_MECHANISM_INVALID;
    return mechanism->mechanism == CKM_ECDSA && key == PRIVATE_SIGN ? CKR_OK
                                                                    : CKR_KEY_HANDLE_INVALID;
}

static bool ecdsa(EVP_PKEY *key, const unsigned char *digest, CK_ULONG n,
                  unsigned char raw[static 64])
{
    unsigned char der[80];
    size_t der_n = sizeof der;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool made = EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_sign(ctx, der, &der_n, digest, n) == 1;
    const unsigned char *at = der;
    ECDSA_SIG *signature = made ? d2i_ECDSA_SIG(NULL, &at, (long)der_n) : NULL;
    made = signature != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, 32) == 32 &&
           BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + 32, 32) == 32;
    ECDSA_SIG_free(signature);
    EVP_PKEY_CTX_free(ctx);
    return made;
}

static CK_RV sign(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG data_n,
                  unsigned char *out, CK_ULONG *n)
{
    unsigned char raw[64];
    (void)session;
    if (is("sign-fails"))
        return CKR_DEVICE_REMOVED;
    if (is("always") && !authenticated_for_use)
        return CKR_USER_NOT_LOGGED_IN;
    if (data_n != 32 || *n < sizeof raw ||
        !ecdsa(is("sign-other-key") ? encrypt_key : sign_key, data, data_n, raw))
        return CKR_DATA_LEN_RANGE;
    memcpy(out, raw, sizeof raw);
    if (is("sign-zeros"))
        memset(out, 0, sizeof raw);
    *n = is("sign-short") ? 63 : is("sign-long") ? 1UL << 40 : sizeof raw;
    return CKR_OK;
}

static bool ecdh(const unsigned char *point, size_t n)
{
    EVP_PKEY *peer = EVP_PKEY_new();
    size_t out_n = sizeof derived;
    bool made = EVP_PKEY_copy_parameters(peer, encrypt_key) == 1 &&
                EVP_PKEY_set1_encoded_public_key(peer, point, n) == 1;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(encrypt_key, NULL);
    made = made && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
           EVP_PKEY_derive(ctx, derived, &out_n) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    return made;
}

static CK_RV derive(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key,
                    CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_HANDLE *out)
{
    const CK_ECDH1_DERIVE_PARAMS *p = mechanism->pParameter;
    (void)session, (void)template, (void)n;
    if (is("derive-fails"))
        return CKR_MECHANISM_INVALID;
    if (mechanism->mechanism != CKM_ECDH1_DERIVE || key != PRIVATE_ENCRYPT || p->kdf != CKD_NULL ||
        !ecdh(p->public_data, p->public_data_len))
        return CKR_MECHANISM_PARAM_INVALID;
    mock_derived++;
    *out = DERIVED;
    return CKR_OK;
}

static CK_RV destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    (void)session;
    mock_destroyed += object == DERIVED;
    return is("destroy-fails") ? CKR_DEVICE_ERROR : CKR_OK;
}

static CK_RV create(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG n,
                    CK_OBJECT_HANDLE *out)
{
    (void)session, (void)template, (void)n, (void)out;
    return CKR_FUNCTION_NOT_SUPPORTED;
}

static CK_RV generate(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public,
                      CK_ULONG public_n, CK_ATTRIBUTE *private, CK_ULONG private_n,
                      CK_OBJECT_HANDLE *first, CK_OBJECT_HANDLE *second)
{
    (void)session, (void)mechanism, (void)public, (void)public_n, (void)private, (void)private_n;
    (void)first, (void)second;
    return CKR_FUNCTION_NOT_SUPPORTED;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out)
{
    static CK_FUNCTION_LIST list;
    list = (CK_FUNCTION_LIST){
        .version = {is("version") ? 1 : 2, 40},
        .C_Initialize = initialize,
        .C_Finalize = finalize,
        .C_GetInfo = get_info,
        .C_GetFunctionList = C_GetFunctionList,
        .C_GetSlotList = get_slot_list,
        .C_GetTokenInfo = get_token_info,
        .C_OpenSession = open_session,
        .C_CloseSession = close_session,
        .C_Login = login,
        .C_Logout = logout,
        .C_FindObjectsInit = find_init,
        .C_FindObjects = find_next,
        .C_FindObjectsFinal = find_final,
        .C_GetAttributeValue = get_attribute,
        .C_CreateObject = create,
        .C_DestroyObject = destroy,
        .C_GenerateKeyPair = generate,
        .C_SignInit = sign_init,
        .C_Sign = sign,
        .C_DeriveKey = is("function-missing") ? NULL : derive,
    };
    mock_logins = mock_derived = mock_destroyed = mock_finalized = 0;
    if (is("list-fails"))
        return CKR_GENERAL_ERROR;
    *out = is("list-null") ? NULL : &list;
    return CKR_OK;
}
