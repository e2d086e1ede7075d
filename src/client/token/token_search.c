// Finding a token among those a module reaches (see token.h; RFC 7512).
#include "client/token/token.h"

#include <p11-kit/uri.h>
#include <stdlib.h>
#include <string.h>

static void uri_release(P11KitUri **uri)
{
    p11_kit_uri_free(*uri);
}
#define URI_AUTO __attribute__((cleanup(uri_release))) P11KitUri

// A URI names a token here, nothing else: a PIN in it would be in every process list.
static enum q_err check_uri(P11KitUri *uri)
{
    CK_ULONG attributes = 0;
    if (p11_kit_uri_get_pin_value(uri) != NULL || p11_kit_uri_get_pin_source(uri) != NULL)
        return fail(Q_BAD_INPUT, "--token-uri: expected no PIN in it; use --current-pin-path");
    if (p11_kit_uri_get_module_path(uri) != NULL || p11_kit_uri_get_module_name(uri) != NULL)
        return fail(Q_BAD_INPUT, "--token-uri: expected no module in it; use --pkcs11-module");
    if (p11_kit_uri_get_attributes(uri, &attributes) != NULL && attributes > 0)
        return fail(Q_BAD_INPUT, "--token-uri: expected no object in it; use --encryption-key and "
                                 "--signing-key");
    if (p11_kit_uri_any_unrecognized(uri) != 0)
        return fail(Q_BAD_INPUT, "--token-uri: expected parts of RFC 7512, found an unknown one");
    return Q_OK;
}

static enum q_err parse_uri(const char *text, P11KitUri **out)
{
    *out = p11_kit_uri_new();
    if (*out == NULL)
        return fail(Q_NOMEM, "--token-uri: no memory");
    if (text == NULL)
        return Q_OK; // one that matches everything
    int code = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, *out);
    if (code != P11_KIT_URI_OK)
        return fail(Q_BAD_INPUT,
                    "--token-uri: expected a PKCS#11 URI (RFC 7512), found another "
                    "text: %s",
                    p11_kit_uri_message(code));
    return check_uri(*out);
}

static bool matches(P11KitUri *uri, CK_SLOT_ID slot, const CK_TOKEN_INFO *info)
{
    CK_SLOT_ID wanted = p11_kit_uri_get_slot_id(uri);
    return (wanted == (CK_SLOT_ID)-1 || wanted == slot) &&
           p11_kit_uri_match_token_info(uri, info) == 1;
}

// A token taken out between the list and the question is not there any more.
static enum q_err look(const struct token_module *m, P11KitUri *uri, CK_SLOT_ID slot,
                       struct token_found *out)
{
    CK_TOKEN_INFO *info = &out->infos[out->n];
    *info = (CK_TOKEN_INFO){.flags = 0};
    CK_RV rv = m->f->C_GetTokenInfo(slot, info);
    if (rv == CKR_TOKEN_NOT_PRESENT || rv == CKR_TOKEN_NOT_RECOGNIZED || rv == CKR_DEVICE_REMOVED)
        return Q_OK;
    if (rv != CKR_OK)
        return token_failed(rv, "C_GetTokenInfo");
    if ((info->flags & CKF_TOKEN_INITIALIZED) == 0 || !matches(uri, slot, info))
        return Q_OK;
    out->slots[out->n++] = slot;
    return Q_OK;
}

enum q_err token_search(const struct token_module *m, const char *uri, struct token_found *out)
{
    URI_AUTO *wanted = NULL;
    CK_SLOT_ID slots[TOKEN_SLOTS_MAX];
    CK_ULONG count = TOKEN_SLOTS_MAX;
    out->n = 0;
    TRY(parse_uri(uri, &wanted));
    CK_RV rv = m->f->C_GetSlotList(CK_TRUE, slots, &count);
    if (rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && count > TOKEN_SLOTS_MAX))
        return fail(Q_LIMIT, "token: expected at most %d slots, found more", TOKEN_SLOTS_MAX);
    if (rv != CKR_OK)
        return token_failed(rv, "C_GetSlotList");
    for (CK_ULONG i = 0; i < count; i++)
        TRY(look(m, wanted, slots[i], out));
    return Q_OK;
}

enum q_err token_uri(const CK_TOKEN_INFO *info, struct buf *out)
{
    URI_AUTO *uri = p11_kit_uri_new();
    char *text = NULL;
    if (uri == NULL)
        return fail(Q_NOMEM, "token: no memory for its URI");
    *p11_kit_uri_get_token_info(uri) = *info;
    if (p11_kit_uri_format(uri, P11_KIT_URI_FOR_TOKEN, &text) != P11_KIT_URI_OK)
        return fail(Q_NOMEM, "token: no memory for its URI");
    enum q_err err = buf_append_str(out, text);
    free(text);
    return err;
}
