// Data sealed to the quorum key or another one, and signatures (renclave 1.3, 2.8; findings 11, 22, 37, 39).
#include "enclave/instance/api_application.h"

#include "app/wallet/transaction.h"

#include <string.h>

// Whether these bytes are a key of ours, in either of its forms.
static bool is_quorum_key(const struct enclave *e, const struct p256_public *key)
{
    const struct p256_public *own = keyring_public(e->keyring, KEY_QUORUM);
    return own != NULL && bytes_equal(p256_public_bytes(own), p256_public_bytes(key));
}

// With the purpose that decrypt-data opens: also for who names the quorum key as the recipient.
static enum q_err seal_to_quorum_key(const struct enclave *e, struct bytes data, struct buf *out)
{
    return custody_seal_for(e->keyring, KEY_QUORUM, BYTES_LIT(API_PURPOSE_DATA), data, out);
}

static enum q_err seal_data(const struct enclave *e, const struct api_encrypt_request *request,
                            struct buf *out)
{
    struct p256_public to;
    if (request->recipient_public.n == 0)
        return seal_to_quorum_key(e, request->data, out);
    TRY(err_context(p256_public_parse_short(request->recipient_public, &to), "recipient_public"));
    if (is_quorum_key(e, &to))
        return seal_to_quorum_key(e, request->data, out);
    return p256_seal(&to, request->data, out);
}

enum q_err api_encrypt_data(struct enclave *e, struct api_call *c)
{
    BUF_AUTO envelope = {0};
    TRY(err_context(seal_data(e, c->body, &envelope), "Data encryption failed"));
    const struct api_encrypt_reply reply = {.success = true,
                                            .encrypted_data = buf_bytes(&envelope)};
    return api_answer(c, &type_api_encrypt_reply, &reply);
}

enum q_err api_decrypt_data(struct enclave *e, struct api_call *c)
{
    const struct api_decrypt_request *request = c->body;
    SECRET_AUTO data = {0};
    TRY(err_context(custody_use_for(e->keyring, KEY_QUORUM, USE_OPEN, BYTES_LIT(API_PURPOSE_DATA),
                                    request->encrypted_data, &data),
                    "Data decryption failed"));
    const struct api_decrypt_reply reply = {
        .success = true, .decrypted_data = data.n > 0 ? secret_bytes(&data) : BYTES_LIT("")};
    return api_answer_plaintext(e, c, &type_api_decrypt_reply, &reply);
}

// A signature as both routes answer it.
struct made_signature {
    struct buf signature;
    uint8_t public_key[P256_POINT_SIZE];
    size_t public_size;
    const char *algorithm;
    uint8_t recovery_id;
};

static void made_signature_free(struct made_signature *s)
{
    buf_free(&s->signature);
}
#define MADE_SIGNATURE_AUTO __attribute__((cleanup(made_signature_free))) struct made_signature

static void set_public(struct made_signature *s, const uint8_t *key, size_t n)
{
    memcpy(s->public_key, key, n);
    s->public_size = n;
}

// By the quorum key, of domain 00 message (see API_DOMAIN_MESSAGE). The public key is the point that verifies it.
static enum q_err sign_by_quorum_key(const struct enclave *e, enum signed_as as,
                                     struct bytes message, struct made_signature *out)
{
    bool transaction = as == SIGNED_AS_TRANSACTION;
    SECRET_AUTO raw = {0};
    BUF_AUTO text = {.wipe = true};
    TRY(buf_append_str(&text, transaction ? API_DOMAIN_TRANSACTION : API_DOMAIN_MESSAGE));
    TRY(buf_u8(&text, 0));
    TRY(buf_append(&text, message));
    TRY(custody_use(e->keyring, KEY_QUORUM, USE_SIGN, buf_bytes(&text), &raw));
    TRY(p256_signature_der(secret_bytes(&raw), &out->signature));
    const struct p256_public *key = keyring_public(e->keyring, KEY_QUORUM);
    set_public(out, key->bytes + P256_POINT_SIZE, P256_POINT_SIZE);
    out->algorithm = transaction ? "ecdsa-p256-sha256/" API_DOMAIN_TRANSACTION
                                 : "ecdsa-p256-sha256/" API_DOMAIN_MESSAGE;
    return Q_OK;
}

static enum q_err sign_by_derived_key(const struct enclave *e, struct api_call *c,
                                      const struct api_signer *signer, enum signed_as as,
                                      struct bytes message, struct made_signature *out)
{
    const struct api_derive_request from = {signer->encrypted_seed_phrase, signer->path,
                                            signer->curve};
    struct wallet_signature made = {0};
    HD_KEY_AUTO key = {0};
    TRY(api_derive(e, c, &from, &key));
    TRY(wallet_sign(key.curve, secret_bytes(&key.private_key), as, message, &made));
    struct bytes signature =
        made.der_size > 0 ? bytes_of(made.der, made.der_size) : BYTES_OF(made.compact);
    TRY(buf_append(&out->signature, signature));
    set_public(out, made.public_key, made.public_size);
    out->algorithm = made.algorithm;
    out->recovery_id = made.has_recovery_id ? made.recovery_id : 0;
    return Q_OK;
}

static enum q_err sign(const struct enclave *e, struct api_call *c, const struct api_signer *signer,
                       enum signed_as as, struct bytes message, struct made_signature *out)
{
    return signer != NULL ? sign_by_derived_key(e, c, signer, as, message, out)
                          : sign_by_quorum_key(e, as, message, out);
}

enum q_err api_sign_transaction(struct enclave *e, struct api_call *c)
{
    const struct api_sign_transaction_request *request = c->body;
    MADE_SIGNATURE_AUTO made = {0};
    TRY(err_context(
        sign(e, c, request->signer, SIGNED_AS_TRANSACTION, request->transaction_data, &made),
        "Transaction signing failed"));
    const struct api_sign_transaction_reply reply = {
        .success = true,
        .signature = buf_bytes(&made.signature),
        .recovery_id = made.recovery_id,
        .public_key = bytes_of(made.public_key, made.public_size),
        .algorithm = bytes_str(made.algorithm),
    };
    return api_answer(c, &type_api_sign_transaction_reply, &reply);
}

enum q_err api_sign_message(struct enclave *e, struct api_call *c)
{
    const struct api_sign_message_request *request = c->body;
    MADE_SIGNATURE_AUTO made = {0};
    TRY(err_context(sign(e, c, request->signer, SIGNED_AS_MESSAGE, request->message, &made),
                    "Message signing failed"));
    const struct api_sign_message_reply reply = {
        .success = true,
        .signature = buf_bytes(&made.signature),
        .public_key = bytes_of(made.public_key, made.public_size),
        .algorithm = bytes_str(made.algorithm),
    };
    return api_answer(c, &type_api_sign_message_reply, &reply);
}
