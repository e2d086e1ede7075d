// Files, phase and application of a complete quorum key (see completion.h).
#include "enclave/completion.h"

#include "base/log.h"
#include "enclave/resolvers.h"
#include "protocol/manifest.h"

// The things that appear when the key is complete, the quorum key last.
struct completion {
    struct published_stage manifest, ephemeral, quorum;
};

static void completion_discard(struct completion *c)
{
    published_discard(&c->manifest);
    published_discard(&c->ephemeral);
    published_discard(&c->quorum);
}

enum q_err stage_manifest(const struct enclave *e, const struct manifest_envelope *envelope,
                          struct published_stage *out)
{
    BUF_AUTO stored = {0};
    TRY(envelope_store(envelope, &stored));
    return published_stage(&e->published, PUBLISHED_MANIFEST, buf_bytes(&stored), FILE_REPLACE,
                           out);
}

static enum q_err stage_key(const struct enclave *e, uint32_t key, enum published_file which,
                            enum file_rule rule, struct published_stage *out)
{
    SECRET_AUTO seed = {0};
    TRY(custody_use(e->keyring, key, USE_RELEASE, BYTES_NONE, &seed));
    return published_stage(&e->published, which, secret_bytes(&seed), rule, out);
}

static enum q_err stage(const struct enclave *e, const struct manifest_envelope *envelope,
                        struct completion *c)
{
    if (envelope != NULL)
        TRY(stage_manifest(e, envelope, &c->manifest));
    TRY(stage_key(e, KEY_LIVE, PUBLISHED_EPHEMERAL, FILE_REPLACE, &c->ephemeral));
    return stage_key(e, KEY_QUORUM, PUBLISHED_QUORUM, FILE_NEW, &c->quorum);
}

static enum q_err put_in_place(struct enclave *e, const struct manifest_envelope *envelope)
{
    __attribute__((cleanup(completion_discard))) struct completion c = {0};
    struct published_stage *const all[] = {&c.manifest, &c.ephemeral, &c.quorum};
    size_t first = envelope != NULL ? 0 : 1;
    TRY(stage(e, envelope, &c));
    return published_publish_all(all + first, sizeof all / sizeof *all - first);
}

enum q_err quorum_key_complete(struct enclave *e, struct p256_pair **quorum,
                               const struct manifest_envelope *envelope, const char *how)
{
    const struct key_description what = {
        .id = KEY_QUORUM, .suite = SUITE_QOS_P256, .uses = USE_SIGN | USE_RELEASE | USE_EXPORT};
    TRY(resolvers_publish(e->booted->envelope.manifest.dns, e->resolvers));
    TRY(keyring_put(e->keyring, &what, quorum));
    enum q_err err = put_in_place(e, envelope);
    if (err != Q_OK) {
        keyring_remove(e->keyring, KEY_QUORUM);
        return err;
    }
    keyring_forget_secret(e->keyring, KEY_SETUP);
    keyring_forget_secret(e->keyring, KEY_LIVE); // the application has it now
    enclave_enter(e, PHASE_QUORUM_KEY_PROVISIONED);
    log_info("%s: quorum key complete", how);
    if (e->supervisor != NULL)
        supervisor_start(e->supervisor, &e->booted->application);
    return Q_OK;
}
