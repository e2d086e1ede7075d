// The rules of a forward, one function each, in the original's order (see policy_forward.h).
#include "custody/policy_forward.h"

#include "codec/borsh.h"
#include "tee/policy.h"

#include <stdlib.h>
#include <string.h>

static enum q_err check_envelope(const struct manifest_envelope *theirs, struct protocol_error *why)
{
    TRY(envelope_check_approvals(theirs, why));
    if (theirs->share_set_approvals.n > 0)
        return refuse(why, PE_BAD_SHARE_SET_APPROVALS,
                      "new manifest: expected no share set approvals, got %zu",
                      theirs->share_set_approvals.n);
    return Q_OK;
}

static enum q_err check_quorum_key(const struct forward_terms *t, struct arena *a,
                                   struct protocol_error *why)
{
    struct bytes ours = t->ours->namespace.quorum_key,
                 theirs = t->theirs->manifest.namespace.quorum_key;
    if (bytes_equal(ours, theirs))
        return Q_OK;
    return refuse_different_bytes(why, PE_DIFFERENT_QUORUM_KEY, "quorum key", ours, theirs, a);
}

static enum q_err sorted(const struct member_set *in, struct arena *a, struct member_set *out)
{
    void *items;
    TRY(arena_array(a, in->members.n, sizeof *in->members.items, &items));
    *out = *in;
    out->members.items = items;
    if (in->members.n > 0)
        memcpy(items, in->members.items, in->members.n * sizeof *in->members.items);
    qsort(items, in->members.n, sizeof *in->members.items, member_compare);
    return Q_OK;
}

static enum q_err set_hash(const struct member_set *set, uint8_t out[static SHA256_SIZE])
{
    BUF_AUTO encoded = {0};
    TRY(borsh_encode(&type_member_set, set, &encoded));
    return sha256(buf_bytes(&encoded), out);
}

// The order of members is the order of some folder's listing, and decides nothing.
static enum q_err check_manifest_set(const struct forward_terms *t, struct arena *a,
                                     struct protocol_error *why)
{
    struct member_set ours, theirs;
    uint8_t expected[SHA256_SIZE], actual[SHA256_SIZE];
    TRY(sorted(&t->ours->manifest_set, a, &ours));
    TRY(sorted(&t->theirs->manifest.manifest_set, a, &theirs));
    if (member_set_equal(&ours, &theirs))
        return Q_OK;
    TRY(set_hash(&ours, expected));
    TRY(set_hash(&theirs, actual));
    return refuse_different_bytes(why, PE_DIFFERENT_MANIFEST_SET, "hash of the manifest set",
                                  BYTES_OF(expected), BYTES_OF(actual), a);
}

static enum q_err check_namespace(const struct forward_terms *t, struct protocol_error *why)
{
    const struct difference names = {.expected = t->ours->namespace.name,
                                     .actual = t->theirs->manifest.namespace.name};
    if (bytes_equal(names.expected, names.actual))
        return Q_OK;
    return refuse_different(why, PE_DIFFERENT_NAMESPACE_NAME, "namespace", &names);
}

static enum q_err check_same_manifest(const struct forward_terms *t, struct arena *a,
                                      struct protocol_error *why)
{
    uint8_t ours[SHA256_SIZE], theirs[SHA256_SIZE];
    TRY(manifest_hash(t->ours, ours));
    TRY(manifest_hash(&t->theirs->manifest, theirs));
    if (bytes_equal(BYTES_OF(ours), BYTES_OF(theirs)))
        return Q_OK;
    return refuse_different_bytes(why, PE_DIFFERENT_MANIFEST,
                                  "hash of the manifest with the same nonce", BYTES_OF(ours),
                                  BYTES_OF(theirs), a);
}

static enum q_err check_nonce(const struct forward_terms *t, struct arena *a,
                              struct protocol_error *why)
{
    uint32_t ours = t->ours->namespace.nonce, theirs = t->theirs->manifest.namespace.nonce;
    if (theirs == ours)
        return check_same_manifest(t, a, why);
    if (theirs > ours)
        return Q_OK;
    enum q_err err = refuse(why, PE_LOW_NONCE, "nonce: expected at least %u, got %u", ours, theirs);
    if (why != NULL)
        why->low_nonce = (struct low_nonce){.expected = ours, .actual = theirs};
    return err;
}

enum q_err forward_check_manifests(const struct forward_terms *t, struct arena *a,
                                   struct protocol_error *why)
{
    TRY(check_envelope(t->theirs, why));
    TRY(check_quorum_key(t, a, why));
    TRY(check_manifest_set(t, a, why));
    TRY(check_namespace(t, why));
    return check_nonce(t, a, why);
}

// Whoever runs an enclave in debug mode reads its memory. Where that is so already, by what the people approved
// and by what the TEE says, there is nothing left to lose.
static bool is_debug(const struct forward_terms *t, const struct claims *self)
{
    const struct nitro_config *e = &t->ours->enclave;
    return self->debug && bytes_is_zero(e->pcr0) && bytes_is_zero(e->pcr1) &&
           bytes_is_zero(e->pcr2);
}

enum q_err forward_refuse_evidence(struct arena *a, struct protocol_error *why)
{
    struct bytes cause;
    TRY(arena_copy(a, bytes_str(err_text()), &cause));
    enum q_err err = refuse(why, PE_QOS_ATTEST_ERROR, "the other enclave's evidence: %.*s",
                            (int)cause.n, (const char *)cause.p);
    if (why != NULL)
        why->text = cause;
    return err;
}

static uint32_t lower(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

// The key does not go to firmware that is weaker than what has held it: whoever has a machine with an old one could
// read it there.
static struct policy_tcb firmware_of(const struct claims *self)
{
    const struct tcb *now = &self->platform.tcb, *start = &self->platform.launch;
    return (struct policy_tcb){.product = bytes_str(self->platform.product),
                               .fmc = lower(now->fmc, start->fmc),
                               .bootloader = lower(now->bootloader, start->bootloader),
                               .tee = lower(now->tee, start->tee),
                               .snp = lower(now->snp, start->snp),
                               .microcode = lower(now->microcode, start->microcode)};
}

static enum q_err check_firmware(const struct transfer_sides *sides)
{
    if (sides->self.platform.product == NULL)
        return Q_OK;
    struct policy_tcb ours = firmware_of(&sides->self);
    const struct tee_policy policy = {.minimum_tcb = {.items = &ours, .n = 1}};
    return policy_check(&policy, &sides->peer);
}

enum q_err forward_check_peer(const struct forward_terms *t, const struct transfer_sides *sides,
                              struct arena *a, struct protocol_error *why)
{
    const struct nitro_config *theirs = &t->theirs->manifest.enclave;
    struct expectation e = {
        .measurements = {theirs->pcr0, theirs->pcr1, theirs->pcr2, theirs->pcr3},
        .allow_debug = is_debug(t, &sides->self),
        .committed = true,
        .commitment = COMMITMENT_SETUP,
    };
    TRY(manifest_hash(&t->theirs->manifest, e.manifest_hash));
    e.user_data = BYTES_OF(e.manifest_hash);
    enum q_err err = claims_check(&sides->peer, &e);
    if (err == Q_OK)
        err = check_firmware(sides);
    return err == Q_ATTESTATION || err == Q_REFUSED ? forward_refuse_evidence(a, why) : err;
}

static enum q_err check_role(const struct forward_terms *t, struct arena *a,
                             struct protocol_error *why)
{
    struct bytes ours = t->ours->enclave.pcr3, theirs = t->theirs->manifest.enclave.pcr3;
    if (bytes_equal(ours, theirs))
        return Q_OK;
    return refuse_different_bytes(why, PE_DIFFERENT_PCR3, "PCR3", ours, theirs, a);
}

static enum q_err ask(const void *terms, const struct transfer_sides *sides, struct arena *a,
                      struct protocol_error *why)
{
    const struct forward_terms *t = terms;
    TRY(forward_check_manifests(t, a, why));
    TRY(forward_check_peer(t, sides, a, why));
    TRY(check_role(t, a, why));
    return manifest_check_thresholds(&t->theirs->manifest, why);
}

struct transfer_policy forward_policy(const struct forward_terms *t)
{
    return (struct transfer_policy){.ask = ask, .terms = t};
}
