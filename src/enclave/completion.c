// Files, phase and application of a complete quorum key (see completion.h).
#include "enclave/completion.h"
#include "enclave/instance/api_store.h"

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

#define SELF_TEST_TEXT BYTES_LIT("quorate instance self test")

static enum q_err test_signing(const struct enclave *e, const struct p256_public *manifest_key)
{
    SECRET_AUTO signature = {0};
    TRY(custody_use(e->keyring, KEY_QUORUM, USE_SIGN, SELF_TEST_TEXT, &signature));
    return p256_verify(manifest_key, SELF_TEST_TEXT, secret_bytes(&signature));
}

static enum q_err test_sealing(const struct enclave *e, const struct p256_public *manifest_key)
{
    SECRET_AUTO opened = {0};
    BUF_AUTO envelope = {0};
    TRY(p256_seal(manifest_key, SELF_TEST_TEXT, &envelope));
    TRY(custody_use(e->keyring, KEY_QUORUM, USE_OPEN, buf_bytes(&envelope), &opened));
    return secret_equal(secret_bytes(&opened), SELF_TEST_TEXT)
               ? Q_OK
               : fail(Q_CRYPTO, "what was sealed is not what was opened");
}

// That the key in the ring does what the manifest's public key says.
static enum q_err self_test(const struct enclave *e)
{
    struct p256_public manifest_key;
    TRY(p256_public_parse(e->booted->envelope.manifest.namespace.quorum_key, &manifest_key));
    TRY(test_signing(e, &manifest_key));
    return test_sealing(e, &manifest_key);
}

enum q_err instance_key_complete(struct enclave *e, struct p256_pair **quorum, const char *how)
{
    const struct key_description what = {.id = KEY_QUORUM,
                                         .suite = key_suite_of(p256_pair_public(*quorum)),
                                         .uses = USE_SIGN | USE_OPEN | USE_SEAL | USE_EXPORT};
    TRY(keyring_put(e->keyring, &what, quorum));
    enum q_err err = self_test(e);
    if (err != Q_OK) {
        keyring_remove(e->keyring, KEY_QUORUM);
        enclave_enter(e, PHASE_UNRECOVERABLE_ERROR);
        return err_context(err, "%s: self test of the quorum key", how);
    }
    keyring_forget_secret(e->keyring, KEY_SETUP);
    keyring_forget_secret(e->keyring, KEY_LIVE); // attested, and used by nobody
    genesis_held_free(&e->held);
    enclave_enter(e, PHASE_QUORUM_KEY_PROVISIONED);
    enclave_enter(e, PHASE_APPLICATION_READY);
    log_info("%s: quorum key complete", how);
    if (api_store_open(e) != Q_OK) // store-data and get-data try again, and say it
        log_error("%s", err_text());
    return Q_OK;
}
