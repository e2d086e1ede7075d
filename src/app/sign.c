// Signatures (qos-wire 1.3), plain and under a label. A labelled one covers
//   "quorate-app-v1" 00 || u32 LE label length || label || message
// and a plain one is never over bytes that begin like that, so none can stand for another. Nor is one over a
// hand-over of the quorum key (docs/resharing.md), which enclaves sign with the same key.
#include "app/sign.h"

#include "protocol/reshare.h"

#include <string.h>

static const struct bytes domain = {(const uint8_t *)APP_LABEL_DOMAIN, sizeof APP_LABEL_DOMAIN};

static enum q_err check_plain(struct bytes message)
{
    if (!bytes_begin_with(message, domain))
        return Q_OK;
    return fail(Q_REFUSED, "message: expected other first bytes than those of labelled signatures "
                           "(" APP_LABEL_DOMAIN "), found just them");
}

// Verifying one is an application's right.
static enum q_err check_no_handover(struct bytes message)
{
    if (!bytes_begin_with(message, BYTES_LIT(RESHARE_HANDOVER_DOMAIN)))
        return Q_OK;
    return fail(Q_REFUSED, "message: expected other first bytes than those of a hand-over of the "
                           "quorum key (" RESHARE_HANDOVER_DOMAIN "), found just them");
}

enum q_err sign_plain(const struct app_key *key, struct bytes message, uint8_t *signature)
{
    TRY(check_plain(message));
    TRY(check_no_handover(message));
    return p256_sign(key->pair, message, signature);
}

enum q_err verify_plain(const struct p256_public *key, struct bytes message,
                        const uint8_t *signature)
{
    TRY(check_plain(message));
    return p256_verify(key, message, bytes_of(signature, APP_SIGNATURE_SIZE));
}

// out is wiped when released: a message may be secret.
static enum q_err labelled(const char *label, const void *message, size_t size, struct buf *out)
{
    struct bytes view;
    TRY(needs(label, "label"));
    TRY(view_of(message, size, "message", &view));
    size_t n = strnlen(label, APP_LABEL_MAX + 1);
    if (n == 0 || n > APP_LABEL_MAX)
        return fail(Q_BAD_INPUT, "label: expected 1 to %d bytes, found %s", APP_LABEL_MAX,
                    n == 0 ? "none" : "more");
    out->wipe = true;
    TRY(buf_append(out, domain));
    TRY(buf_u32le(out, (uint32_t)n));
    TRY(buf_append(out, bytes_of(label, n)));
    return buf_append(out, view);
}

static enum q_err sign_labelled(const struct app_key *key, const char *label, const void *message,
                                size_t size, uint8_t *signature)
{
    BUF_AUTO covered = {0};
    TRY(needs(key, "key"));
    TRY(needs(signature, "signature"));
    TRY(labelled(label, message, size, &covered));
    return p256_sign(key->pair, buf_bytes(&covered), signature);
}

static enum q_err verify_labelled(const uint8_t *public_key, const char *label, const void *message,
                                  size_t size, const uint8_t *signature)
{
    BUF_AUTO covered = {0};
    struct p256_public key;
    TRY(public_of(public_key, &key));
    TRY(needs(signature, "signature"));
    TRY(labelled(label, message, size, &covered));
    return p256_verify(&key, buf_bytes(&covered), bytes_of(signature, APP_SIGNATURE_SIZE));
}

static enum q_err sign(const struct app_key *key, const void *message, size_t size,
                       uint8_t *signature)
{
    struct bytes view;
    TRY(needs(key, "key"));
    TRY(needs(signature, "signature"));
    TRY(view_of(message, size, "message", &view));
    return sign_plain(key, view, signature);
}

static enum q_err verify(const uint8_t *public_key, const void *message, size_t size,
                         const uint8_t *signature)
{
    struct bytes view;
    struct p256_public key;
    TRY(public_of(public_key, &key));
    TRY(needs(signature, "signature"));
    TRY(view_of(message, size, "message", &view));
    return verify_plain(&key, view, signature);
}

enum app_status app_sign_with_label(const struct app_key *key, const char *label,
                                    const void *message, size_t message_size,
                                    uint8_t signature[APP_SIGNATURE_SIZE])
{
    return status_of(sign_labelled(key, label, message, message_size, signature));
}

enum app_status app_verify_with_label(const uint8_t public_key[APP_PUBLIC_KEY_SIZE],
                                      const char *label, const void *message, size_t message_size,
                                      const uint8_t signature[APP_SIGNATURE_SIZE])
{
    return status_of(verify_labelled(public_key, label, message, message_size, signature));
}

enum app_status app_sign(const struct app_key *key, const void *message, size_t message_size,
                         uint8_t signature[APP_SIGNATURE_SIZE])
{
    return status_of(sign(key, message, message_size, signature));
}

enum app_status app_verify(const uint8_t public_key[APP_PUBLIC_KEY_SIZE], const void *message,
                           size_t message_size, const uint8_t signature[APP_SIGNATURE_SIZE])
{
    return status_of(verify(public_key, message, message_size, signature));
}
