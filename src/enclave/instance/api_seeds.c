// Seeds and what is derived from them (renclave 1.3, 2.7; findings 11, 12, 31, 32).
#include "app/wallet/address.h"
#include "app/wallet/hd_key.h"
#include "base/hex.h"
#include "base/random.h"
#include "enclave/instance/api_application.h"
#include "enclave/instance/seed_source.h"

#define STRENGTH_DEFAULT 256 // bits

static enum q_err strength_of(struct api_call *c, const uint32_t *asked, uint32_t *out)
{
    *out = asked != NULL ? *asked : STRENGTH_DEFAULT;
    if (*out % 8 == 0 && mnemonic_words_of(*out / 8) != 0)
        return Q_OK;
    return api_refuse(c, 400, "Invalid strength. Must be 128, 160, 192, 224, or 256 bits: found %u",
                      *out);
}

// Hex of an envelope to the quorum key, in arena memory.
static enum q_err seal_hex(const struct enclave *e, struct api_call *c, struct bytes purpose,
                           struct bytes secret, struct bytes *out)
{
    BUF_AUTO envelope = {0};
    BUF_AUTO hex = {0};
    TRY(custody_seal_for(e->keyring, KEY_QUORUM, purpose, secret, &envelope));
    TRY(hex_encode(buf_bytes(&envelope), &hex));
    return arena_copy(c->arena, buf_bytes(&hex), out);
}

// In one piece of locked memory: each costs more than what is done with it here.
struct drawn_entropy {
    uint8_t bytes[MNEMONIC_ENTROPY_MAX];
    char digits[2 * MNEMONIC_ENTROPY_MAX + 1]; // the same in hex, which is what is sealed
};

static enum q_err draw_entropy(size_t size, struct secret *memory)
{
    TRY(secret_new(memory, sizeof(struct drawn_entropy)));
    struct drawn_entropy *drawn = (struct drawn_entropy *)memory->p;
    TRY(random_bytes(drawn->bytes, size));
    hex_encode_into(bytes_of(drawn->bytes, size), drawn->digits);
    return Q_OK;
}

static enum q_err seal_seed(const struct enclave *e, struct api_call *c, size_t size,
                            struct bytes passphrase, struct api_generate_seed_reply *out)
{
    SECRET_AUTO memory = {0};
    SECRET_AUTO stored = {0};
    TRY(draw_entropy(size, &memory));
    const struct drawn_entropy *drawn = (const struct drawn_entropy *)memory.p;
    TRY(seed_phrase_store(bytes_of(drawn->bytes, size), passphrase, &stored));
    TRY(seal_hex(e, c, BYTES_LIT(API_PURPOSE_SEED), secret_bytes(&stored), &out->seed_phrase));
    return seal_hex(e, c, BYTES_LIT(API_PURPOSE_ENTROPY), bytes_of(drawn->digits, 2 * size),
                    &out->entropy);
}

enum q_err api_generate_seed(struct enclave *e, struct api_call *c)
{
    const struct api_generate_seed_request *request = c->body;
    struct api_generate_seed_reply reply = {0};
    TRY(strength_of(c, request->strength, &reply.strength));
    size_t size = reply.strength / 8;
    reply.word_count = (uint32_t)mnemonic_words_of(size);
    TRY(seal_seed(e, c, size, request->passphrase, &reply));
    return api_answer(c, &type_api_generate_seed_reply, &reply);
}

static enum q_err words_of(const struct seed_phrase *phrase, uint64_t *out)
{
    size_t behind = 0;
    if (phrase->passphrase.n > 0)
        TRY(mnemonic_count_words(secret_bytes(&phrase->passphrase), &behind));
    *out = mnemonic_words_of(phrase->entropy.n) + behind;
    return Q_OK;
}

// Entropy that cannot be opened is entropy that does not match (renclave 2.7).
static enum q_err match_entropy(const struct enclave *e, struct api_call *c, struct bytes sealed,
                                const struct seed_phrase *phrase, bool *opened, bool *match)
{
    SECRET_AUTO entropy = {0};
    enum q_err err = seed_source_entropy(e, c, sealed, &entropy);
    *opened = err == Q_OK;
    *match = *opened && secret_equal(secret_bytes(&entropy), secret_bytes(&phrase->entropy));
    return seed_is_unusable(err) ? Q_OK : err;
}

// The entropy in clear goes to those alone who sent the phrase in clear (finding 12).
static enum q_err answer_valid(const struct enclave *e, struct api_call *c, enum seed_form form,
                               const struct seed_phrase *phrase)
{
    const struct api_validate_seed_request *request = c->body;
    struct api_validate_seed_reply reply = {.valid = true};
    SECRET_AUTO digits = {0};
    bool opened = false, match;
    TRY(words_of(phrase, &reply.word_count));
    if (request->encrypted_entropy.p != NULL) {
        TRY(match_entropy(e, c, request->encrypted_entropy, phrase, &opened, &match));
        reply.entropy_match = &match;
    }
    if (!opened || form != SEED_IN_CLEAR)
        return api_answer(c, &type_api_validate_seed_reply, &reply);
    TRY(hex_encode_secret(secret_bytes(&phrase->entropy), &digits));
    reply.derived_entropy = secret_bytes(&digits);
    return api_answer_plaintext(e, c, &type_api_validate_seed_reply, &reply);
}

enum q_err api_validate_seed(struct enclave *e, struct api_call *c)
{
    const struct api_validate_seed_request *request = c->body;
    SEED_PHRASE_AUTO phrase = {0};
    enum seed_form form;
    size_t words;
    TRY(mnemonic_count_words(request->seed_phrase, &words));
    if (words == 0)
        return api_refuse(c, 400, "Seed phrase cannot be empty");
    enum q_err err = seed_source_read(e, c, request->seed_phrase, &form, &phrase);
    if (err == Q_OK)
        return answer_valid(e, c, form, &phrase);
    if (!seed_is_unusable(err))
        return err;
    const struct api_validate_seed_reply reply = {.valid = false, .word_count = words};
    return api_answer(c, &type_api_validate_seed_reply, &reply);
}

static enum q_err not_blank(struct api_call *c, struct bytes text, const char *name)
{
    return bytes_trim(text).n > 0 ? Q_OK : api_refuse(c, 400, "%s cannot be empty", name);
}

enum q_err api_derive(const struct enclave *e, struct api_call *c,
                      const struct api_derive_request *from, struct hd_key *out)
{
    enum wallet_curve curve;
    enum seed_form form;
    SEED_PHRASE_AUTO phrase = {0};
    SECRET_AUTO seed = {0};
    TRY(not_blank(c, from->encrypted_seed_phrase, "Encrypted seed phrase"));
    TRY(not_blank(c, from->path, "Derivation path"));
    TRY(not_blank(c, from->curve, "Curve"));
    if (curve_parse(from->curve, &curve) != Q_OK) // its sentence repeats what was sent
        return api_refuse(c, 400,
                          "curve: expected secp256k1, ed25519 or P-256, found another name");
    TRY(err_context(seed_source_read(e, c, from->encrypted_seed_phrase, &form, &phrase),
                    "Failed to decrypt seed phrase"));
    TRY(mnemonic_seed(secret_bytes(&phrase.entropy), secret_bytes(&phrase.passphrase), &seed));
    return hd_derive(curve, secret_bytes(&seed), from->path, out);
}

static struct bytes public_of(const struct hd_key *key)
{
    return bytes_of(key->public_key, key->public_size);
}

enum q_err api_derive_key(struct enclave *e, struct api_call *c)
{
    const struct api_derive_request *request = c->body;
    char address[ADDRESS_TEXT_SIZE];
    HD_KEY_AUTO key = {0};
    BUF_AUTO public_hex = {0};
    struct bytes private_key;
    TRY(api_derive(e, c, request, &key));
    TRY(address_of(key.curve, public_of(&key), address));
    TRY(hex_encode(public_of(&key), &public_hex));
    TRY(seal_hex(e, c, BYTES_LIT(API_PURPOSE_PRIVATE_KEY), secret_bytes(&key.private_key),
                 &private_key));
    const struct api_derive_key_reply reply = {
        .private_key = private_key,
        .public_key = buf_bytes(&public_hex),
        .address = bytes_str(address),
        .path = request->path,
        .curve = request->curve,
        .effective_path = bytes_str(key.effective_path),
    };
    return api_answer(c, &type_api_derive_key_reply, &reply);
}

enum q_err api_derive_address(struct enclave *e, struct api_call *c)
{
    const struct api_derive_request *request = c->body;
    char address[ADDRESS_TEXT_SIZE];
    HD_KEY_AUTO key = {0};
    TRY(api_derive(e, c, request, &key));
    TRY(address_of(key.curve, public_of(&key), address));
    const struct api_derive_address_reply reply = {
        .address = bytes_str(address),
        .path = request->path,
        .curve = request->curve,
        .effective_path = bytes_str(key.effective_path),
    };
    return api_answer(c, &type_api_derive_address_reply, &reply);
}
