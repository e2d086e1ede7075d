// Manifest envelopes of the REST API as the core has them, and back (renclave 8.2 C3 to C7, C21).
#include "protocol/instance.h"

#include "crypto/p256.h"
#include "protocol/manifest.h"

#include <string.h>

static const char *const restart_names[] = {
    [RESTART_NEVER] = "Never",
    [RESTART_ALWAYS] = "Always",
};
#define RESTART_NAMES (sizeof restart_names / sizeof *restart_names)

static enum q_err key_to_core(struct bytes key, const char *whose, struct arena *a,
                              struct bytes *out)
{
    struct p256_public public;
    TRY(err_context(p256_public_parse_short(key, &public), "%s", whose));
    return arena_copy(a, p256_public_bytes(&public), out);
}

enum q_err api_member_to_core(const struct api_member *in, struct arena *a, struct member *out)
{
    struct bytes alias = in->alias.p != NULL ? in->alias : in->member_alias;
    if (alias.p == NULL || in->pub_key.p == NULL)
        return fail(Q_BAD_INPUT, "expected an alias and a pub_key, found one of them missing");
    if (in->alias.p != NULL && in->member_alias.p != NULL &&
        !bytes_equal(in->alias, in->member_alias))
        return fail(Q_BAD_INPUT, "alias, member_alias: expected one name, found two");
    out->alias = alias;
    return key_to_core(in->pub_key, "pub_key", a, &out->pub_key);
}

enum q_err api_members_to_core(const char *what, const api_member_list *in, struct arena *a,
                               struct member_set *out)
{
    void *items;
    TRY(arena_array(a, in->n, sizeof *out->members.items, &items));
    out->members.items = items;
    out->members.n = in->n;
    for (size_t i = 0; i < in->n; i++)
        TRY(err_context(api_member_to_core(&in->items[i], a, &out->members.items[i]), "%s[%zu]",
                        what, i));
    return Q_OK;
}

static enum q_err set_to_core(const char *what, const struct api_member_set *in, struct arena *a,
                              struct member_set *out)
{
    out->threshold = in->threshold;
    return api_members_to_core(what, &in->members, a, out);
}

static enum q_err approvals_to_core(const char *what, const api_approval_list *in, struct arena *a,
                                    struct approval **items, size_t *n)
{
    void *p;
    TRY(arena_array(a, in->n, sizeof **items, &p));
    *items = p;
    *n = in->n;
    for (size_t i = 0; i < in->n; i++) {
        (*items)[i].signature = in->items[i].signature;
        TRY(err_context(api_member_to_core(&in->items[i].member, a, &(*items)[i].member),
                        "%s[%zu].member", what, i));
    }
    return Q_OK;
}

enum q_err api_nonce_to_core(uint64_t nonce, uint32_t *out)
{
    if (nonce > UINT32_MAX)
        return fail(Q_BAD_INPUT, "namespace nonce: expected at most %u, found %llu", UINT32_MAX,
                    (unsigned long long)nonce);
    *out = (uint32_t)nonce;
    return Q_OK;
}

enum q_err api_hash_to_core(struct bytes hash, uint8_t out[static SHA256_SIZE])
{
    if (hash.n != SHA256_SIZE)
        return fail(Q_BAD_INPUT, "pivot hash: expected %d bytes, found %zu", SHA256_SIZE, hash.n);
    memcpy(out, hash.p, SHA256_SIZE);
    return Q_OK;
}

static enum q_err restart_to_core(struct bytes name, struct restart *out)
{
    for (uint32_t i = 0; i < RESTART_NAMES; i++) {
        if (bytes_equal(name, bytes_str(restart_names[i]))) {
            out->tag = i;
            return Q_OK;
        }
    }
    return fail(Q_BAD_INPUT, "pivot.restart: expected Always or Never, found another word");
}

static enum q_err manifest_to_core(const struct api_manifest *in, struct arena *a,
                                   struct manifest *out)
{
    *out = (struct manifest){.version = MANIFEST_V1};
    out->namespace.name = in->namespace.name;
    TRY(api_nonce_to_core(in->namespace.nonce, &out->namespace.nonce));
    TRY(key_to_core(in->namespace.quorum_key, "namespace.quorum_key", a,
                    &out->namespace.quorum_key));
    TRY(api_hash_to_core(in->pivot.hash, out->pivot.hash));
    TRY(restart_to_core(in->pivot.restart, &out->pivot.restart));
    out->pivot.args.items = in->pivot.args.items;
    out->pivot.args.n = in->pivot.args.n;
    out->enclave = (struct nitro_config){.pcr0 = in->enclave.pcr0,
                                         .pcr1 = in->enclave.pcr1,
                                         .pcr2 = in->enclave.pcr2,
                                         .pcr3 = in->enclave.pcr3,
                                         .root_certificate = in->enclave.aws_root_certificate,
                                         .qos_commit = in->enclave.qos_commit};
    TRY(set_to_core("manifest_set.members", &in->manifest_set, a, &out->manifest_set));
    return set_to_core("share_set.members", &in->share_set, a, &out->share_set);
}

enum q_err api_manifest_to_core(const struct api_manifest_envelope *in, struct arena *a,
                                struct manifest_envelope *out)
{
    *out = (struct manifest_envelope){0};
    TRY(err_context(manifest_to_core(&in->manifest, a, &out->manifest), "manifest"));
    TRY(approvals_to_core("manifest_set_approvals", &in->manifest_set_approvals, a,
                          &out->manifest_set_approvals.items, &out->manifest_set_approvals.n));
    return approvals_to_core("share_set_approvals", &in->share_set_approvals, a,
                             &out->share_set_approvals.items, &out->share_set_approvals.n);
}

enum q_err api_key_from_core(struct bytes key, struct arena *a, struct bytes *out)
{
    struct p256_public public;
    TRY(p256_public_parse(key, &public));
    return arena_copy(a, p256_public_short(&public), out);
}

enum q_err api_member_from_core(const struct member *in, struct arena *a, struct api_member *out)
{
    *out = (struct api_member){.alias = in->alias};
    return api_key_from_core(in->pub_key, a, &out->pub_key);
}

static enum q_err set_from_core(const struct member_set *in, struct arena *a,
                                struct api_member_set *out)
{
    void *items;
    TRY(arena_array(a, in->members.n, sizeof *out->members.items, &items));
    out->threshold = in->threshold;
    out->members.items = items;
    out->members.n = in->members.n;
    for (size_t i = 0; i < in->members.n; i++)
        TRY(api_member_from_core(&in->members.items[i], a, &out->members.items[i]));
    return Q_OK;
}

static enum q_err approvals_from_core(const struct approval *in, size_t n, struct arena *a,
                                      api_approval_list *out)
{
    void *items;
    TRY(arena_array(a, n, sizeof *out->items, &items));
    out->items = items;
    out->n = n;
    for (size_t i = 0; i < n; i++) {
        out->items[i].signature = in[i].signature;
        TRY(api_member_from_core(&in[i].member, a, &out->items[i].member));
    }
    return Q_OK;
}

// What has no words here must be what the words' absence means, or another manifest would come back.
static enum q_err check_sayable(const struct manifest *m)
{
    bool plain = m->version == MANIFEST_V1 && m->pivot.bridges.n == 0 && !m->pivot.debug_mode &&
                 m->pivot.env.n == 0 && m->patch_set.threshold == 0 &&
                 m->patch_set.members.n == 0 && m->dns == NULL;
    return plain ? Q_OK
                 : fail(Q_UNSUPPORTED, "manifest: expected version 1 without bridges, debug mode, "
                                       "environment, patch set and resolvers, found another: this "
                                       "API has no words for it");
}

static enum q_err manifest_from_core(const struct manifest *in, struct arena *a,
                                     struct api_manifest *out)
{
    TRY(check_sayable(in));
    *out = (struct api_manifest){
        .namespace = {.nonce = in->namespace.nonce, .name = in->namespace.name},
        .enclave = {.pcr0 = in->enclave.pcr0,
                    .pcr1 = in->enclave.pcr1,
                    .pcr2 = in->enclave.pcr2,
                    .pcr3 = in->enclave.pcr3,
                    .aws_root_certificate = in->enclave.root_certificate,
                    .qos_commit = in->enclave.qos_commit},
        .pivot = {.hash = BYTES_OF(in->pivot.hash),
                  .restart = bytes_str(restart_names[in->pivot.restart.tag]),
                  .args = {in->pivot.args.items, in->pivot.args.n}},
    };
    TRY(api_key_from_core(in->namespace.quorum_key, a, &out->namespace.quorum_key));
    TRY(set_from_core(&in->manifest_set, a, &out->manifest_set));
    return set_from_core(&in->share_set, a, &out->share_set);
}

enum q_err api_manifest_from_core(const struct manifest_envelope *in, struct arena *a,
                                  struct api_manifest_envelope *out)
{
    *out = (struct api_manifest_envelope){0};
    TRY(manifest_from_core(&in->manifest, a, &out->manifest));
    TRY(approvals_from_core(in->manifest_set_approvals.items, in->manifest_set_approvals.n, a,
                            &out->manifest_set_approvals));
    return approvals_from_core(in->share_set_approvals.items, in->share_set_approvals.n, a,
                               &out->share_set_approvals);
}
