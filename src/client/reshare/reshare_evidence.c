// Comparing a plan and verifying the documents of a resharing (see reshare_evidence.h).
#include "client/reshare/reshare_evidence.h"

#include "client/key_file.h"
#include "client/manifest/approve.h"

#include <string.h>

// The parts that a plan and a manifest have in common, to be judged by the same code.
static struct manifest as_manifest(const struct reshare_plan *p)
{
    return (struct manifest){.version = MANIFEST_V2,
                             .namespace = {.name = p->namespace, .quorum_key = p->quorum_key},
                             .manifest_set = p->manifest_set,
                             .share_set = p->new_share_set,
                             .enclave = p->enclave};
}

static enum q_err compare_before(const struct options *o, const struct reshare_plan *p,
                                 struct arena *a)
{
    struct previous before;
    const char *folder = options_value(o, "previous-dir");
    if (folder == NULL)
        return Q_OK;
    TRY(previous_load(folder, a, &before));
    return err_context(reshare_plan_follows(p, &before.epoch), "%s", folder);
}

enum q_err recovery_key_read(const struct options *o, struct arena *a, struct bytes *out)
{
    struct p256_public key;
    const char *path = options_value(o, "dr-key-path");
    if (path == NULL)
        return Q_OK;
    TRY(err_context(public_key_read(path, &key), "FailedToReadDrKey"));
    return arena_copy(a, p256_public_bytes(&key), out);
}

static enum q_err compare_recovery(const struct options *o, const struct reshare_plan *p,
                                   struct arena *a)
{
    struct bytes mine = p->dr_key;
    TRY(recovery_key_read(o, a, &mine));
    if (mine.p == NULL || (p->dr_key.p != NULL && bytes_equal(p->dr_key, mine)))
        return Q_OK;
    return fail(Q_REFUSED,
                "reshare plan: disaster recovery key: expected that of --dr-key-path, found %s",
                p->dr_key.p != NULL ? "another" : "none");
}

enum q_err reshare_compare(const struct options *o, const struct reshare_plan *p, struct arena *a,
                           struct bytes *role)
{
    struct manifest_parts parts;
    const struct manifest m = as_manifest(p);
    TRY(role_read(options_value(o, "pcr3-preimage-path"), a, role));
    TRY(manifest_parts_given(o, &m, *role, a, &parts));
    TRY(manifest_parts_trust(o, a, &parts));
    TRY(err_context(manifest_compare(&m, &parts), "reshare plan"));
    TRY(compare_recovery(o, p, a));
    return compare_before(o, p, a);
}

static enum q_err check(const struct verification *v, struct bytes document,
                        const struct reshare_plan *p, const uint8_t hash[static SHA256_SIZE],
                        struct bytes user_data, struct arena *a, struct claims *claims)
{
    const struct manifest m = as_manifest(p);
    struct expectation e = {
        .user_data = user_data,
        .measurements = {p->enclave.pcr0, p->enclave.pcr1, p->enclave.pcr2, p->enclave.pcr3},
        .allow_debug = v->allow_debug,
        .committed = true,
        .commitment = COMMITMENT_SETUP,
    };
    TRY(evidence_manifest_ready(v, &m));
    TRY(evidence_read(v, document, a, claims));
    memcpy(e.manifest_hash, hash, sizeof e.manifest_hash);
    return err_context(claims_check(claims, &e), "attestation document");
}

enum q_err reshare_check_setup(const struct verification *v, struct bytes document,
                               const struct planned *plan, struct arena *a, struct claims *claims)
{
    return check(v, document, &plan->plan, plan->hash, BYTES_OF(plan->hash), a, claims);
}

enum q_err reshare_check_output(const struct verification *v, struct bytes document,
                                const struct reshare_output *output, struct arena *a,
                                struct claims *claims)
{
    uint8_t plan[SHA256_SIZE], hash[SHA256_SIZE];
    TRY(reshare_plan_hash(&output->plan, plan));
    TRY(reshare_output_hash(output, hash));
    return check(v, document, &output->plan, plan, BYTES_OF(hash), a, claims);
}

enum q_err reshare_check_archived(const struct options *o, struct bytes document,
                                  const struct reshare_output *output, struct arena *a)
{
    VERIFICATION_AUTO v = {0};
    struct claims claims;
    TRY(verification_start(o, &v));
    TRY(err_context(attestation_read(document, a, &claims), "attestation document"));
    v.override_s = claims.timestamp_ms / 1000;
    return reshare_check_output(&v, document, output, a, &claims);
}
