// Seeds out of requests (see seed_source.h).
#include "enclave/instance/seed_source.h"

#include "base/hex.h"

bool seed_is_unusable(enum q_err err)
{
    return err == Q_BAD_INPUT || err == Q_CRYPTO || err == Q_LIMIT;
}

static enum q_err read_envelope(struct bytes text, struct buf *out)
{
    enum q_err err = hex_decode(bytes_trim(text), out);
    if (err == Q_OK && out->n <= P256_ENVELOPE_OVERHEAD)
        err = fail(Q_BAD_INPUT, "envelope: expected more than %d bytes, found %zu",
                   P256_ENVELOPE_OVERHEAD, out->n);
    return err == Q_OK || err == Q_NOMEM ? err : (enum q_err)Q_BAD_INPUT;
}

// Ours; then the original's, which are bound to nothing; then those whose lengths are in QuorumOS's form.
static enum q_err open_any(const struct keyring *k, struct bytes purpose, struct bytes envelope,
                           struct secret *out)
{
    enum q_err err = custody_use_for(k, KEY_QUORUM, USE_OPEN, purpose, envelope, out);
    if (err == Q_CRYPTO)
        err = custody_use_for(k, KEY_QUORUM, USE_OPEN, BYTES_NONE, envelope, out);
    if (err == Q_CRYPTO)
        err = custody_use(k, KEY_QUORUM, USE_OPEN, envelope, out);
    return err;
}

static enum q_err open_envelope(const struct enclave *e, struct api_call *c, struct bytes purpose,
                                struct bytes text, struct secret *out)
{
    BUF_AUTO envelope = {0};
    *out = (struct secret){0};
    TRY(read_envelope(text, &envelope));
    if (e->phase != PHASE_APPLICATION_READY)
        return api_refuse_unprovisioned(c);
    return open_any(e->keyring, purpose, buf_bytes(&envelope), out);
}

enum q_err seed_source_read(const struct enclave *e, struct api_call *c, struct bytes text,
                            enum seed_form *form, struct seed_phrase *out)
{
    SECRET_AUTO opened = {0};
    *form = SEED_IN_CLEAR;
    enum q_err err = seed_phrase_read_text(text, out);
    if (err == Q_OK || !seed_is_unusable(err))
        return err;
    *form = SEED_SEALED;
    TRY(open_envelope(e, c, BYTES_LIT(API_PURPOSE_SEED), text, &opened));
    return seed_phrase_read(secret_bytes(&opened), out);
}

// As hex, which is what the original seals.
enum q_err seed_source_entropy(const struct enclave *e, struct api_call *c, struct bytes text,
                               struct secret *out)
{
    SECRET_AUTO opened = {0};
    *out = (struct secret){0};
    TRY(open_envelope(e, c, BYTES_LIT(API_PURPOSE_ENTROPY), text, &opened));
    if (mnemonic_words_of(opened.n / 2) == 0)
        return fail(Q_BAD_INPUT, "entropy: expected 32 to 64 hex characters, found %zu bytes",
                    opened.n);
    return hex_decode_secret(secret_bytes(&opened), opened.n / 2, out);
}
