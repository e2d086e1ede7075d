// The files of a genesis: do they belong together, who else could have the key (see doctor.h).
#include "client/survey/doctor.h"

#include "client/key_file.h"
#include "protocol/genesis.h"
#include "protocol/manifest.h"

#include <inttypes.h>
#include <stdio.h>

#define LOST "take the files of the genesis from another member's copy"

static enum q_err found(const struct patient *p, enum finding_level level, const char *id,
                        const char *where, const char *remedy, struct bytes why)
{
    return finding_add(p->out, level, id, where, remedy, "%.*s", (int)why.n, (const char *)why.p);
}

static enum q_err check_output(const struct patient *p, const struct genesis_survey *g)
{
    const struct genesis_output *out = &g->output;
    if (out->dr_key.p != NULL)
        TRY(finding_add(p->out, FINDING_WARNING, "dr-key", g->output_path,
                        "keep that key's secret offline, in a place that no one person opens",
                        "DISASTER RECOVERY KEY: this genesis wraps the WHOLE quorum key to one "
                        "key; its holder needs no other member"));
    if (genesis_set_check(&out->set, NULL) != Q_OK)
        TRY(finding_add(p->out, FINDING_ERROR, "threshold", g->output_path, LOST, "%s",
                        err_text()));
    if (genesis_output_matches(out, &out->set, out->dr_key) != Q_OK)
        TRY(finding_add(p->out, FINDING_ERROR, "genesis-inconsistent", g->output_path, LOST, "%s",
                        err_text()));
    return Q_OK;
}

static enum q_err check_quorum_key(const struct patient *p, const struct genesis_survey *g)
{
    struct p256_public key;
    enum q_err err = public_key_read(g->quorum_key_path, &key);
    if (err == Q_NOMEM)
        return err;
    if (err != Q_OK)
        return finding_add(p->out, FINDING_ERROR, "quorum-key-file", g->quorum_key_path, LOST, "%s",
                           err_text());
    if (bytes_equal(p256_public_bytes(&key), g->output.quorum_key))
        return Q_OK;
    return finding_add(p->out, FINDING_ERROR, "quorum-key-file", g->quorum_key_path, LOST,
                       "expected the quorum key of the genesis output beside it, found another");
}

// Members of the share set who got no share.
static enum q_err check_members(const struct patient *p, const struct genesis_survey *g)
{
    struct member_set set;
    if (p->survey->share_set_seen != SEEN)
        return Q_OK;
    TRY(set_survey_members(&p->survey->share_set, p->arena, &set));
    for (size_t i = 0; i < set.members.n; i++) {
        const struct genesis_member_output *own;
        if (genesis_output_find(&g->output, &set.members.items[i], &own) != Q_OK)
            TRY(finding_add(
                p->out, FINDING_ERROR, "member-without-share", p->survey->share_set.folder,
                "use the share set of the genesis: its members do not change", "%s", err_text()));
    }
    return Q_OK;
}

// The document is old by nature; only what else is wrong with it is an error.
static enum q_err check_validity(const struct patient *p, const struct genesis_survey *g,
                                 const struct claims *claims)
{
    char remedy[96];
    if (p->survey->now_s <= claims->not_after_s)
        return Q_OK;
    (void)snprintf(remedy, sizeof remedy, "after-genesis --validation-time-override %" PRId64,
                   g->claims.timestamp_ms / 1000);
    return finding_add(p->out, FINDING_NOTE, "expired-document", g->document_path, remedy,
                       "the certificates of the genesis document have expired, as they do after "
                       "some hours");
}

static enum q_err check_document(const struct patient *p, const struct genesis_survey *g)
{
    const struct attestation_wish wish = {
        .genesis = g->seen == SEEN ? &g->output : NULL, .release = p->release, .role = p->role};
    struct claims claims;
    struct check_list checks;
    if (p->trust == NULL)
        return Q_OK;
    int64_t made_s = g->claims.timestamp_ms / 1000;
    TRY(attestation_checks_make(g->document, p->trust, made_s != 0 ? made_s : p->survey->now_s,
                                &wish, p->arena, &claims, &checks));
    for (size_t i = 0; i < checks.n; i++) {
        if (checks.items[i].result != CHECK_FAILED)
            continue;
        char remedy[128];
        (void)snprintf(remedy, sizeof remedy,
                       "do not use this genesis before \"attestation verify --at document\" holds");
        TRY(finding_add(p->out, FINDING_ERROR, "genesis-document", g->document_path, remedy,
                        "%s: %.*s", checks.items[i].name, (int)checks.items[i].detail.n,
                        (const char *)checks.items[i].detail.p));
    }
    return check_validity(p, g, &claims);
}

enum q_err doctor_genesis(const struct patient *p)
{
    const struct genesis_survey *g = &p->survey->genesis;
    if (g->seen == NOT_ASKED)
        return Q_OK;
    if (g->there && g->seen == UNSEEN)
        TRY(found(p, FINDING_ERROR, "bad-genesis", g->output_path, LOST, g->problem));
    if (!g->there)
        TRY(finding_add(p->out, FINDING_NOTE, "no-genesis", g->output_path,
                        "ceremony status says what to type next", "there is no genesis yet"));
    if (g->document_problem.p != NULL)
        TRY(found(p, FINDING_ERROR, "bad-document", g->document_path, LOST, g->document_problem));
    if (g->document.p != NULL)
        TRY(check_document(p, g));
    if (g->seen != SEEN)
        return Q_OK;
    TRY(check_output(p, g));
    TRY(check_quorum_key(p, g));
    return check_members(p, g);
}
