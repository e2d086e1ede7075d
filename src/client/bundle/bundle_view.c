// What a member sees of a bundle (see bundle_view.h). All text in it is from others.
#include "client/bundle/bundle_view.h"

#include "base/hex.h"
#include "base/text.h"
#include "client/output.h"
#include "client/manifest/review.h"
#include "client/time_text.h"

#include <stdio.h>

static enum q_err show_time(uint64_t made_s, struct buf *out)
{
    int64_t now;
    if (made_s > (uint64_t)TIME_LAST_S)
        return buf_append_str(out, "at no time there is");
    TRY(time_show((int64_t)made_s, out));
    TRY(time_now_s(&now));
    TRY(buf_append_str(out, " ("));
    TRY(age_show(now - (int64_t)made_s, out));
    return buf_append_str(out, now < (int64_t)made_s ? ")" : " old)");
}

enum q_err bundle_show(const struct bundle *b)
{
    BUF_AUTO text = {0};
    const struct namespace *n = &bundle_manifest(b)->namespace;
    TRY(buf_append_str(&text, "Bundle: asks "));
    TRY(text_display(b->alias, &text));
    TRY(buf_append_str(&text, b->task.tag == BUNDLE_APPROVE_MANIFEST
                                  ? " to approve a manifest"
                                  : " to encrypt their share to a booted enclave"));
    TRY(buf_append_str(&text, "; made "));
    TRY(show_time(b->made_s, &text));
    TRY(buf_append_str(&text, "\nNamespace: "));
    TRY(text_display(n->name, &text));
    TRY(buf_printf(&text, ", nonce %u", n->nonce));
    const char *shown = buf_text(&text);
    if (shown == NULL)
        return Q_NOMEM;
    fprintf(stderr, "%s\n", shown);
    return Q_OK;
}

static enum q_err show_hex(const char *label, struct bytes value, struct buf *q)
{
    TRY(buf_printf(q, "\t%s: ", label));
    TRY(hex_encode(value, q));
    return buf_append_str(q, "\n");
}

// A key is long; people compare its hash.
static enum q_err show_key(struct bytes key, struct buf *q)
{
    uint8_t hash[SHA256_SIZE];
    TRY(sha256(key, hash));
    TRY(buf_append_str(q, "key with SHA-256 "));
    return hex_encode(BYTES_OF(hash), q);
}

static enum q_err show_members(const char *label, const struct member_set *set, struct buf *q)
{
    TRY(buf_printf(q, "\t%s: %u of %zu\n", label, set->threshold, set->members.n));
    for (size_t i = 0; i < set->members.n; i++) {
        TRY(buf_append_str(q, "\t\t"));
        TRY(text_display(set->members.items[i].alias, q));
        TRY(buf_append_str(q, ", "));
        TRY(show_key(set->members.items[i].pub_key, q));
        TRY(buf_append_str(q, "\n"));
    }
    return Q_OK;
}

static enum q_err show_patch_set(const struct patch_set *set, struct buf *q)
{
    TRY(buf_printf(q, "\tpatch set: %u of %zu\n", set->threshold, set->members.n));
    for (size_t i = 0; i < set->members.n; i++) {
        TRY(buf_append_str(q, "\t\t"));
        TRY(show_key(set->members.items[i].pub_key, q));
        TRY(buf_append_str(q, "\n"));
    }
    return Q_OK;
}

static enum q_err show_part(enum manifest_part part, const struct manifest *m,
                            const struct manifest_parts *parts, struct buf *q)
{
    switch (part) {
    case PART_MEASUREMENTS:
        TRY(show_hex("PCR0", m->enclave.pcr0, q));
        TRY(show_hex("PCR1", m->enclave.pcr1, q));
        return show_hex("PCR2", m->enclave.pcr2, q);
    case PART_ROLE:
        TRY(buf_append_str(q, "\trole: "));
        TRY(text_display(parts->role, q));
        return buf_append_str(q, "\n");
    case PART_PIVOT_HASH:
        return show_hex("pivot hash", BYTES_OF(m->pivot.hash), q);
    case PART_MANIFEST_SET:
        return show_members("manifest set", &m->manifest_set, q);
    case PART_SHARE_SET:
        return show_members("share set", &m->share_set, q);
    case PART_PATCH_SET:
        return show_patch_set(&m->patch_set, q);
    case PART_QUORUM_KEY:
        TRY(buf_append_str(q, "\tquorum key: "));
        TRY(show_key(m->namespace.quorum_key, q));
        return buf_append_str(q, "\n");
    }
    return fail(Q_INTERNAL, "bundle: no part %d", (int)part);
}

enum q_err bundle_review(const struct prompt *p, const struct manifest *m,
                         const struct manifest_parts *parts)
{
    BUF_AUTO q = {0};
    bool any = false;
    TRY(buf_append_str(&q, "From the bundle, compared with nothing of yours:\n"));
    for (unsigned i = 0; i < MANIFEST_PART_COUNT; i++) {
        enum manifest_part part = (enum manifest_part)i;
        bool none = part == PART_PATCH_SET && m->version == MANIFEST_V2;
        if (parts->from[part] != NULL || none)
            continue;
        any = true;
        TRY(show_part(part, m, parts, &q));
    }
    TRY(buf_append_str(&q, "Is all of this what you expect? (y/n)"));
    return any ? review_ask(p, &q) : Q_OK;
}
