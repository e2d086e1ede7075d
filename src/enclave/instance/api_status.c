// What an instance says of itself (renclave 1.3, 3.5).
#include "base/hex.h"
#include "base/version.h"
#include "enclave/instance/api.h"

static const char *const capabilities[] = {
    "seed_generation",      "bip39_compliance", "secure_entropy",
    "network_connectivity", "key_derivation",   "address_derivation",
};
#define CAPABILITIES (sizeof capabilities / sizeof *capabilities)

enum q_err api_enclave_info(struct enclave *e, struct api_call *c)
{
    struct bytes list[CAPABILITIES];
    for (size_t i = 0; i < CAPABILITIES; i++)
        list[i] = bytes_str(capabilities[i]);
    const struct api_info_reply reply = {
        .healthy = true,
        .version = BYTES_LIT(QUORATE_VERSION),
        .enclave_id = e->id,
        .capabilities = {list, CAPABILITIES},
        .phase = bytes_str(phase_name(e->phase)),
        .tee = bytes_str(tee_name(e->tee)),
        .simulated = tee_simulated(e->tee),
    };
    return api_answer(c, &type_api_info_reply, &reply);
}

#define WARNINGS_MAX 6

static void warn(struct api_status_reply *r, const char *text)
{
    r->warnings.items[r->warnings.n++] = bytes_str(text);
}

static void collect_warnings(struct enclave *e, struct api_status_reply *r)
{
    bool simulated = tee_simulated(e->tee);
    const char *mode = api_share_mode(e);
    bool by_token = e->policy.keys.bearer_token != NULL;
    if (simulated)
        warn(r, "simulated TEE: no hardware protects the keys of this enclave");
    if (!api_auth_has_key(e, API_ROLE_CLIENT) && !by_token)
        warn(r, tee_relaxed(e->tee)
                    ? "no client key is configured: whoever reaches this enclave can use its keys"
                    : "no client key is configured: the application routes are off");
    if (!api_auth_has_key(e, API_ROLE_ADMIN))
        warn(r, "no admin key is configured: whoever reaches this enclave can administer it, and "
                "nobody can reset it");
    if (mode != NULL && bytes_is(bytes_str(mode), SHARE_MODE_ACKNOWLEDGED))
        warn(r, "shares are taken as acknowledgements: whoever has the genesis response can "
                "complete the first provisioning");
    if (e->policy.unsafe_plaintext_shares && !tee_relaxed(e->tee))
        warn(r, "shares are taken in clear: the host can see them");
}

static enum q_err hex_in(struct arena *a, struct bytes raw, struct bytes *out)
{
    BUF_AUTO hex = {0};
    TRY(hex_encode(raw, &hex));
    return arena_copy(a, buf_bytes(&hex), out);
}

static enum q_err measure(struct enclave *e, struct arena *a, struct api_status_reply *r)
{
    struct bytes *const to[] = {&r->measurements.pcr0, &r->measurements.pcr1, &r->measurements.pcr2,
                                &r->measurements.pcr3};
    for (unsigned i = 0; i < sizeof to / sizeof *to; i++) {
        BUF_AUTO value = {0};
        TRY(tee_measurement(e->tee, i, &value));
        TRY(hex_in(a, buf_bytes(&value), to[i]));
    }
    return Q_OK;
}

static enum q_err aliases(const struct member *members, size_t n, struct arena *a, void *list)
{
    struct list *out = list;
    void *items;
    TRY(arena_array(a, n, sizeof(struct bytes), &items));
    for (size_t i = 0; i < n; i++)
        ((struct bytes *)items)[i] = members[i].alias;
    *out = (struct list){.items = items, .n = n};
    return Q_OK;
}

static enum q_err signers(const struct approval *approvals, size_t n, struct arena *a, void *list)
{
    struct list *out = list;
    void *items;
    TRY(arena_array(a, n, sizeof(struct bytes), &items));
    for (size_t i = 0; i < n; i++)
        ((struct bytes *)items)[i] = approvals[i].member.alias;
    *out = (struct list){.items = items, .n = n};
    return Q_OK;
}

// Of an instance, whoever gave a share, with an approval or without one.
static enum q_err contributors(const struct booted *b, struct arena *a, void *list)
{
    struct list *out = list;
    const struct member_set *set = &b->envelope.manifest.share_set;
    void *memory;
    TRY(arena_array(a, set->members.n, sizeof(struct bytes), &memory));
    struct bytes *items = memory;
    *out = (struct list){.items = memory};
    for (size_t i = 0; i < set->members.n && i < SHAMIR_MAX_SHARES; i++)
        if (b->contributions[i].given)
            items[out->n++] = set->members.items[i].alias;
    return Q_OK;
}

static enum q_err describe_manifest(const struct booted *b, struct arena *a,
                                    struct api_status_reply *r)
{
    void *nonce;
    const struct manifest *m = &b->envelope.manifest;
    TRY(arena_alloc(a, sizeof *r->namespace_nonce, &nonce));
    r->namespace_nonce = nonce;
    *r->namespace_nonce = m->namespace.nonce;
    r->namespace_name = m->namespace.name;
    r->threshold = m->share_set.threshold;
    r->manifest_threshold = m->manifest_set.threshold;
    TRY(hex_in(a, BYTES_OF(b->manifest_hash), &r->manifest_hash));
    TRY(aliases(m->share_set.members.items, m->share_set.members.n, a, &r->members));
    TRY(aliases(m->manifest_set.members.items, m->manifest_set.members.n, a, &r->manifest_members));
    if (b->share_hashes != NULL)
        TRY(contributors(b, a, &r->shares_received));
    else
        TRY(signers(b->envelope.share_set_approvals.items, b->envelope.share_set_approvals.n, a,
                    &r->shares_received));
    return signers(b->envelope.manifest_set_approvals.items, b->envelope.manifest_set_approvals.n,
                   a, &r->manifest_approved_by);
}

enum q_err api_application_status(struct enclave *e, struct api_call *c)
{
    struct bytes warnings[WARNINGS_MAX];
    const struct key_description *key = keyring_describe(e->keyring, KEY_QUORUM);
    struct api_status_reply reply = {
        .success = true,
        .phase = bytes_str(phase_name(e->phase)),
        .has_quorum_key = key != NULL,
        .data_count = e->data_count,
        .metadata = {.name = BYTES_LIT("renclave-v2"),
                     .version = BYTES_LIT("1.0.0"),
                     .last_updated = (uint64_t)e->phase_since_s,
                     .operation_count = e->operations},
        .tee = bytes_str(tee_name(e->tee)),
        .simulated = tee_simulated(e->tee),
        .share_mode = bytes_str(api_share_mode(e)),
        .warnings = {warnings, 0},
    };
    collect_warnings(e, &reply);
    TRY(measure(e, c->arena, &reply));
    if (e->booted != NULL)
        TRY(describe_manifest(e->booted, c->arena, &reply));
    return api_answer(c, &type_api_status_reply, &reply);
}
