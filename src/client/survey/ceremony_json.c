// The status of a ceremony as one JSON object with stable keys (see ceremony.h). null: unknown.
#include "client/survey/ceremony.h"

#include "client/json_tree.h"

static json_t *seconds_old(const struct claims *c, int64_t now_s)
{
    return c->timestamp_ms == 0 ? json_null() : json_integer(now_s - c->timestamp_ms / 1000);
}

static json_t *answer(enum answer a)
{
    return json_yes(a != UNKNOWN, a == YES);
}

static enum q_err put_genesis(const struct survey *s, json_t *object)
{
    const struct genesis_survey *g = &s->genesis;
    bool asked = g->seen != NOT_ASKED, seen = g->seen == SEEN;
    json_t *o = asked ? json_object() : json_null();
    TRY(json_put(object, "genesis", o));
    if (!asked)
        return Q_OK;
    TRY(json_put(o, "there", json_boolean(g->there)));
    TRY(json_put(o, "readable", json_boolean(seen)));
    TRY(json_put(o, "hash", seen ? json_hex(BYTES_OF(g->hash)) : json_null()));
    TRY(json_put(o, "shares",
                 seen ? json_integer((json_int_t)g->output.member_outputs.n) : json_null()));
    TRY(json_put(o, "threshold", seen ? json_integer(g->output.set.threshold) : json_null()));
    TRY(json_put(o, "recoveryKey", json_yes(seen, g->output.dr_key.p != NULL)));
    return json_put(o, "documentAgeSeconds",
                    g->document.p != NULL ? seconds_old(&g->claims, s->now_s) : json_null());
}

static enum q_err put_one_manifest(const struct manifest *m, const uint8_t *hash, json_t *o)
{
    TRY(json_put(o, "namespace", json_shown(m->namespace.name)));
    TRY(json_put(o, "nonce", json_integer(m->namespace.nonce)));
    return json_put(o, "hash", json_hex(bytes_of(hash, SHA256_SIZE)));
}

static enum q_err put_manifests(const struct manifest_survey *m, json_t *object)
{
    json_t *list = json_array();
    TRY(json_put(object, "manifests", list));
    for (size_t i = 0; i < m->manifests.n; i++) {
        const struct found_manifest *f = &m->manifests.items[i];
        json_t *o = json_object();
        TRY(json_push(list, o));
        TRY(json_put(o, "path", json_text(f->path)));
        TRY(put_one_manifest(&f->manifest, f->hash, o));
        TRY(json_put(o, "newest", json_boolean(f == m->newest)));
    }
    return Q_OK;
}

static enum q_err put_approvals(const struct manifest_survey *m, json_t *object)
{
    json_t *list = json_array();
    TRY(json_put(object, "approvals", list));
    for (size_t i = 0; i < m->approvals.n; i++) {
        const struct found_approval *f = &m->approvals.items[i];
        json_t *o = json_object();
        struct bytes alias =
            f->state == APPROVAL_UNREADABLE ? BYTES_NONE : f->approval.member.alias;
        TRY(json_push(list, o));
        TRY(json_put(o, "path", json_text(f->path)));
        TRY(json_put(o, "alias", json_shown(alias)));
        TRY(json_put(o, "state", json_text(approval_state_names[f->state])));
        TRY(json_put(o, "manifestHash",
                     json_hex(f->signs == NULL ? BYTES_NONE : BYTES_OF(f->signs->hash))));
    }
    return Q_OK;
}

static enum q_err put_newest(const struct survey *s, json_t *object)
{
    const struct manifest_survey *m = &s->manifests;
    json_t *o = m->newest != NULL ? json_object() : json_null();
    TRY(json_put(object, "manifest", o));
    if (m->newest == NULL)
        return Q_OK;
    TRY(json_put(o, "path", json_text(m->newest->path)));
    TRY(put_one_manifest(&m->newest->manifest, m->newest->hash, o));
    TRY(json_put(o, "approved", json_integer((json_int_t)m->valid)));
    TRY(json_put(o, "needed", json_integer(m->newest->manifest.manifest_set.threshold)));
    TRY(json_put(o, "reached", json_boolean(manifest_survey_reached(m))));
    return json_put(o, "envelope", json_text(m->ready != NULL ? m->ready->path : NULL));
}

static enum q_err put_held(const struct ceremony *c, json_t *o)
{
    const struct enclave_survey *e = &c->survey->enclave;
    json_t *held = e->envelope != NULL ? json_object() : json_null();
    TRY(json_put(o, "manifest", held));
    if (e->envelope != NULL)
        TRY(put_one_manifest(&e->envelope->manifest, e->manifest_hash, held));
    TRY(json_put(o, "manifestIsNewest", answer(ceremony_same_manifest(c->survey))));
    TRY(json_put(o, "documentAgeSeconds",
                 e->document.p != NULL ? seconds_old(&e->claims, e->document_asked_s)
                                       : json_null()));
    TRY(json_put(o, "attested", answer(c->attested)));
    return json_put(o, "simulated", json_yes(e->document.p != NULL, e->claims.simulated));
}

static enum q_err put_enclave(const struct ceremony *c, json_t *object)
{
    const struct enclave_survey *e = &c->survey->enclave;
    json_t *o = c->survey->enclave_asked ? json_object() : json_null();
    bool state = e->state_known;
    TRY(json_put(object, "enclave", o));
    if (!c->survey->enclave_asked)
        return Q_OK;
    TRY(json_put(o, "hostAnswers", json_boolean(e->host_answers)));
    TRY(json_put(o, "answers", json_boolean(e->enclave_answers)));
    TRY(json_put(o, "phase", json_text(e->enclave_answers ? phase_name(e->phase) : NULL)));
    TRY(json_put(o, "tee", json_shown(state ? e->state.tee : BYTES_NONE)));
    TRY(json_put(o, "sharesHeld", state ? json_integer(e->state.shares_held) : json_null()));
    TRY(json_put(o, "sharesNeeded", state ? json_integer(e->state.shares_needed) : json_null()));
    TRY(json_put(o, "applicationRunning", json_yes(state, e->state.pivot_running)));
    return put_held(c, o);
}

static enum q_err put_document(const struct survey *s, json_t *object)
{
    json_t *o = s->document.seen == SEEN ? json_object() : json_null();
    TRY(json_put(object, "fetchedDocument", o));
    if (s->document.seen != SEEN)
        return Q_OK;
    TRY(json_put(o, "ageSeconds", seconds_old(&s->document.claims, s->now_s)));
    return json_put(o, "presentKey", answer(ceremony_document_fits(s)));
}

static enum q_err put_rows(const struct ceremony *c, json_t *object)
{
    json_t *list = json_array();
    TRY(json_put(object, "members", list));
    for (size_t i = 0; i < c->rows.n; i++) {
        const struct ceremony_row *row = &c->rows.items[i];
        json_t *o = json_object();
        TRY(json_push(list, o));
        TRY(json_put(o, "alias", json_shown(row->member.alias)));
        TRY(json_put(o, "publicKey", json_hex(row->member.pub_key)));
        TRY(json_put(o, "hasKey", answer(row->key)));
        TRY(json_put(o, "hasShare", answer(row->share)));
        TRY(json_put(o, "mayApprove", json_boolean(row->may_approve)));
        TRY(json_put(
            o, "approval",
            json_text(row->approval != NULL ? approval_state_names[row->approval->state] : NULL)));
        TRY(json_put(o, "posted", answer(row->posted)));
    }
    return Q_OK;
}

static enum q_err put_steps(const struct ceremony *c, json_t *object)
{
    json_t *notes = json_array(), *list;
    TRY(json_put(object, "notes", notes));
    for (size_t i = 0; i < c->notes_count; i++)
        TRY(json_push(notes, json_shown(c->notes[i])));
    TRY(json_put(object, "waitsFor", json_text(c->waits_for)));
    list = json_array();
    TRY(json_put(object, "next", list));
    for (size_t i = 0; i < c->steps_count; i++) {
        const struct ceremony_step *s = &c->steps[i];
        json_t *o = json_object();
        TRY(json_push(list, o));
        TRY(json_put(o, "who", json_shown(s->who)));
        TRY(json_put(o, "what", json_text(s->what)));
        TRY(json_put(o, "command", json_shown(s->command)));
    }
    return Q_OK;
}

enum q_err ceremony_print_json(const struct ceremony *c)
{
    JSON_AUTO *object = NULL;
    TRY(json_tree_object(&object));
    TRY(json_put(object, "time", json_time(c->survey->now_s)));
    TRY(put_genesis(c->survey, object));
    TRY(put_newest(c->survey, object));
    TRY(put_manifests(&c->survey->manifests, object));
    TRY(put_approvals(&c->survey->manifests, object));
    TRY(put_enclave(c, object));
    TRY(put_document(c->survey, object));
    TRY(put_rows(c, object));
    TRY(put_steps(c, object));
    return json_print(object, false);
}
