// The status of a ceremony on one screen (see ceremony.h).
#include "client/survey/ceremony.h"

#include "base/hex.h"
#include "client/output.h"
#include "client/time_text.h"

#include <inttypes.h>
#include <stdio.h>

#define SHORT_HASH 8 // bytes of a hash that are shown

static enum q_err short_hex(struct bytes value, struct buf *out)
{
    return hex_encode(bytes_of(value.p, value.n < SHORT_HASH ? value.n : SHORT_HASH), out);
}

// A line "name  text" from what is in b.
static void line(const char *name, struct buf *b)
{
    const char *text = buf_text(b);
    printf("%-11s %s\n", name, text == NULL ? "?" : text);
}

static enum q_err show(struct bytes text, struct buf *out)
{
    BUF_AUTO shown = {0};
    return buf_append_str(out, output_shown(text, &shown));
}

static enum q_err age_of(const struct claims *c, int64_t now_s, struct buf *out)
{
    return c->timestamp_ms == 0 ? buf_append_str(out, "unknown")
                                : age_show(now_s - c->timestamp_ms / 1000, out);
}

static enum q_err print_genesis(const struct survey *s)
{
    BUF_AUTO b = {0};
    const struct genesis_survey *g = &s->genesis;
    if (g->seen == NOT_ASKED) {
        TRY(buf_append_str(&b, "unknown (--namespace-dir)"));
    } else if (g->seen == UNSEEN) {
        TRY(buf_append_str(&b, g->there ? "cannot be read" : "not yet"));
    } else {
        TRY(buf_printf(&b, "%zu shares, %u bring the key back; output ", g->output.member_outputs.n,
                       g->output.set.threshold));
        TRY(short_hex(BYTES_OF(g->hash), &b));
    }
    if (g->document.p != NULL) {
        TRY(buf_append_str(&b, "; document age "));
        TRY(age_of(&g->claims, s->now_s, &b));
    }
    line("genesis", &b);
    return Q_OK;
}

static enum q_err describe_manifest(const struct manifest *m, const uint8_t *hash, struct buf *out)
{
    TRY(show(m->namespace.name, out));
    TRY(buf_printf(out, ", nonce %u, hash ", m->namespace.nonce));
    return hex_encode(bytes_of(hash, SHA256_SIZE), out);
}

static enum q_err print_manifest(const struct survey *s)
{
    BUF_AUTO b = {0}, approvals = {0};
    const struct manifest_survey *m = &s->manifests;
    if (s->manifests_seen != SEEN || m->newest == NULL) {
        TRY(buf_append_str(&b, s->manifests_seen == SEEN     ? "none yet"
                               : s->manifests_seen == UNSEEN ? "cannot be read"
                                                             : "unknown (--manifest-dir)"));
        line("manifest", &b);
        return Q_OK;
    }
    TRY(describe_manifest(&m->newest->manifest, m->newest->hash, &b));
    line("manifest", &b);
    TRY(buf_printf(&approvals, "%zu of %u%s; %s", m->valid,
                   m->newest->manifest.manifest_set.threshold,
                   manifest_survey_reached(m) ? ", enough" : "",
                   m->ready != NULL ? "envelope " : "no envelope yet"));
    if (m->ready != NULL)
        TRY(show(bytes_str(m->ready->path), &approvals));
    line("approvals", &approvals);
    return Q_OK;
}

static enum q_err describe_state(const struct enclave_survey *e, struct buf *b)
{
    TRY(buf_append_str(b, phase_name(e->phase)));
    if (!e->state_known)
        return Q_OK;
    if (e->state.shares_needed > 0)
        TRY(buf_printf(b, "; shares %u of %u", e->state.shares_held, e->state.shares_needed));
    TRY(buf_printf(b, "; application %s; TEE ",
                   e->state.pivot_running ? "running" : "not running"));
    return show(e->state.tee, b);
}

static enum q_err print_holds(const struct ceremony *c)
{
    BUF_AUTO b = {0}, key = {0};
    const struct enclave_survey *e = &c->survey->enclave;
    if (e->envelope == NULL) {
        TRY(buf_append_str(&b, e->enclave_answers ? "no manifest" : "unknown"));
        line("holds", &b);
        return Q_OK;
    }
    TRY(describe_manifest(&e->envelope->manifest, e->manifest_hash, &b));
    line("holds", &b);
    if (e->document.p == NULL)
        return Q_OK;
    TRY(buf_append_str(&key, e->phase == PHASE_QUORUM_KEY_PROVISIONED ? "live key" : "setup key"));
    TRY(buf_append_str(&key, ", document age "));
    TRY(age_of(&e->claims, e->document_asked_s, &key));
    TRY(buf_append_str(&key, c->attested == YES  ? "; attested"
                             : c->attested == NO ? "; NOT ATTESTED"
                                                 : "; not verified"));
    line("key", &key);
    return Q_OK;
}

static enum q_err print_document(const struct survey *s)
{
    BUF_AUTO b = {0};
    if (s->document.seen != SEEN)
        return Q_OK;
    TRY(buf_append_str(&b, "age "));
    TRY(age_of(&s->document.claims, s->now_s, &b));
    enum answer fits = ceremony_document_fits(s);
    TRY(buf_append_str(&b, fits == YES  ? ", of the enclave's present key"
                           : fits == NO ? ", NOT of the enclave's present key"
                                        : ""));
    line("fetched", &b);
    return Q_OK;
}

static enum q_err print_enclave(const struct ceremony *c)
{
    BUF_AUTO b = {0};
    const struct enclave_survey *e = &c->survey->enclave;
    if (!c->survey->enclave_asked)
        TRY(buf_append_str(&b, "unknown (--host-ip, --host-port)"));
    else if (!e->enclave_answers)
        TRY(buf_append_str(&b, e->host_answers ? "does not answer its host"
                                               : "unknown: the host does not answer"));
    else
        TRY(describe_state(e, &b));
    line("enclave", &b);
    return c->survey->enclave_asked ? print_holds(c) : Q_OK;
}

static const char *word(enum answer a)
{
    return a == YES ? "yes" : a == NO ? "no" : "?";
}

// A key by the first bytes of its SHA-256, so that people can compare it.
static enum q_err fingerprint(struct bytes key, struct buf *out)
{
    uint8_t hash[SHA256_SIZE];
    if (key.p == NULL)
        return buf_append_str(out, "unreadable");
    TRY(sha256(key, hash));
    return short_hex(BYTES_OF(hash), out);
}

static const char *approval_word(const struct ceremony *c, const struct ceremony_row *row)
{
    if (row->approval != NULL)
        return approval_state_names[row->approval->state];
    if (c->survey->manifests_seen != SEEN)
        return "?";
    return row->may_approve ? "no" : "-";
}

static enum q_err print_row(const struct ceremony *c, const struct ceremony_row *row)
{
    BUF_AUTO alias = {0}, print = {0};
    TRY(fingerprint(row->member.pub_key, &print));
    const char *hex = buf_text(&print);
    printf("%-20s  %-16s  %-4s  %-5s  %-10s  %s\n", output_shown(row->member.alias, &alias),
           hex == NULL ? "?" : hex, word(row->key), word(row->share), approval_word(c, row),
           row->posted == UNKNOWN || row->may_post ? word(row->posted) : "-");
    return Q_OK;
}

static enum q_err print_rows(const struct ceremony *c)
{
    if (c->rows.n == 0)
        return Q_OK;
    printf("\n%-20s  %-16s  %-4s  %-5s  %-10s  %s\n", "member", "key SHA-256", "key", "share",
           "approved", "posted");
    for (size_t i = 0; i < c->rows.n; i++)
        TRY(print_row(c, &c->rows.items[i]));
    return Q_OK;
}

static void print_notes(const struct ceremony *c)
{
    BUF_AUTO shown = {0};
    for (size_t i = 0; i < c->notes_count; i++)
        printf("%snote: %s\n", i == 0 ? "\n" : "", output_shown(c->notes[i], &shown));
}

static void print_steps(const struct ceremony *c)
{
    BUF_AUTO who = {0}, command = {0};
    printf("\nwaits for   %s\n", c->waits_for);
    if (c->steps_count > 0)
        printf("next:\n");
    for (size_t i = 0; i < c->steps_count; i++) {
        const struct ceremony_step *s = &c->steps[i];
        printf("  # %s: %s\n", output_shown(s->who, &who), s->what);
        if (s->command.p != NULL)
            printf("  %s\n", output_shown(s->command, &command));
    }
}

enum q_err ceremony_print(const struct ceremony *c)
{
    BUF_AUTO now = {0};
    TRY(time_show(c->survey->now_s, &now));
    line("ceremony at", &now);
    TRY(print_genesis(c->survey));
    TRY(print_manifest(c->survey));
    TRY(print_enclave(c));
    TRY(print_document(c->survey));
    TRY(print_rows(c));
    print_notes(c);
    print_steps(c);
    return Q_OK;
}
