// inject-shares (renclave 1.3, 3.1, 8.2 C8): shares of the booted manifest in any of three forms, told apart by what
// they are. All that a request brings is checked before anything is held, so a refused one changes nothing but the
// acknowledgements, which end with it.
//   P  the share as its member decrypted it, 33 bytes; the host sees it
//   E  an envelope to the setup key, with or without the member's approval
//   A  the envelope that the genesis issued, shown to the simulated TEE that still holds the share
#include "enclave/instance/api.h"

#include "base/log.h"
#include "base/text.h"
#include "enclave/completion.h"
#include "protocol/share.h"

#include <string.h>

static const uint8_t no_signature[P256_SIGNATURE_SIZE];

// What one request brings.
struct injection {
    struct api_call *call;
    struct held_share *posted[SHAMIR_MAX_SHARES]; // by member
    struct contribution sent[SHAMIR_MAX_SHARES];  // by member
};
#define INJECTION_AUTO __attribute__((cleanup(injection_end))) struct injection

static void injection_end(struct injection *i)
{
    for (size_t m = 0; m < SHAMIR_MAX_SHARES; m++)
        held_share_free(&i->posted[m]);
}

static bool plaintext_is_taken(const struct enclave *e)
{
    return tee_relaxed(e->tee) || e->policy.unsafe_plaintext_shares;
}

const char *api_share_forms(const struct enclave *e)
{
    if (genesis_held_lasts(e->held))
        return SHARE_MODE_ACKNOWLEDGED;
    return plaintext_is_taken(e) ? "plaintext or envelope" : "envelope";
}

const char *api_share_mode(const struct enclave *e)
{
    return e->birth == BIRTH_GENESIS_HELD ? api_share_forms(e) : NULL;
}

void api_expire_shares(struct enclave *e)
{
    if (e->held == NULL || genesis_held_lasts(e->held))
        return;
    genesis_held_free(&e->held);
    log_info("genesis: its shares are held no longer");
}

static const struct member_set *share_set(const struct enclave *e)
{
    return &e->booted->envelope.manifest.share_set;
}

// The member's alias as people may see it.
static const char *shown(const struct enclave *e, size_t member, struct buf *storage)
{
    buf_clear(storage);
    if (text_display(share_set(e)->members.items[member].alias, storage) != Q_OK)
        return "?";
    const char *text = buf_text(storage);
    return text != NULL ? text : "?";
}

static enum q_err refuse_share(struct injection *i, const struct enclave *e, size_t member,
                               const char *sentence)
{
    BUF_AUTO alias = {0};
    return api_refuse(i->call, 400, "share of %s: %s", shown(e, member, &alias), sentence);
}

static enum q_err check_request(const struct enclave *e, struct api_call *c)
{
    const struct api_inject_request *r = c->body;
    const struct namespace *n = &e->booted->envelope.manifest.namespace;
    if (r->shares.n == 0)
        return api_refuse(c, 400, "At least one share is required");
    if (!bytes_equal(r->namespace_name, n->name))
        return api_refuse(c, 400, "namespace_name: expected the manifest's, found another");
    if (r->namespace_nonce != n->nonce)
        return api_refuse(c, 400, "namespace_nonce: expected the manifest's, %u, found %llu",
                          n->nonce, (unsigned long long)r->namespace_nonce);
    if (r->shares.n > share_set(e)->members.n)
        return api_refuse(c, 400, "shares: expected at most one of each of %zu members, found %zu",
                          share_set(e)->members.n, r->shares.n);
    return Q_OK;
}

// At most 255 by 255 comparisons of short texts. from: where the last one was found; requests are mostly in order.
static enum q_err find_member(const struct enclave *e, struct api_call *c, struct bytes alias,
                              size_t *at)
{
    const struct member_set *set = share_set(e);
    for (size_t step = 0; step < set->members.n; step++) {
        *at = (*at + 1) % set->members.n;
        if (bytes_equal(set->members.items[*at].alias, alias))
            return Q_OK;
    }
    return api_refuse(c, 400, "shares: expected aliases of the share set, found another");
}

static bool is_issued(const struct enclave *e, size_t member, struct bytes sent)
{
    const struct api_genesis_reply *genesis = e->booted->genesis;
    return genesis != NULL &&
           bytes_equal(genesis->encrypted_shares.items[member].encrypted_quorum_key_share, sent);
}

static enum q_err take_plaintext(struct injection *i, const struct enclave *e, size_t member,
                                 struct bytes sent, struct secret *out)
{
    if (!plaintext_is_taken(e))
        return refuse_share(i, e, member,
                            "expected an envelope to the setup key (ephemeral_key), found a share "
                            "in clear, which the host can read");
    return secret_copy(out, sent);
}

static enum q_err take_acknowledged(struct injection *i, const struct enclave *e, size_t member,
                                    struct secret *out)
{
    if (genesis_held_lasts(e->held))
        return secret_copy(out, genesis_held_share(e->held, member));
    if (!tee_relaxed(e->tee))
        return refuse_share(i, e, member,
                            "is as the genesis issued it, and on hardware the genesis keeps "
                            "nothing: open it with the member's key and send it in an envelope to "
                            "the setup key (ephemeral_key)");
    return refuse_share(i, e, member,
                        "is as the genesis issued it, which is not taken (--require-member-"
                        "decryption) or not any more (ten minutes, one refused injection): open it "
                        "with the member's key and send it, best in an envelope to the setup key");
}

static enum q_err take_envelope(struct injection *i, const struct enclave *e, size_t member,
                                struct bytes sent, struct secret *out)
{
    if (custody_use(e->keyring, KEY_SETUP, USE_OPEN, sent, out) == Q_OK)
        return Q_OK;
    return refuse_share(i, e, member,
                        "expected 33 bytes in clear or an envelope to this enclave's setup key "
                        "(ephemeral_key of genesis-boot, public key of its attestation), found "
                        "neither");
}

static enum q_err take(struct injection *i, const struct enclave *e, size_t member,
                       struct bytes sent, struct secret *out)
{
    if (sent.n == SHARE_SIZE)
        return take_plaintext(i, e, member, sent, out);
    if (is_issued(e, member, sent))
        return take_acknowledged(i, e, member, out);
    return take_envelope(i, e, member, sent, out);
}

static enum q_err check_hash(struct injection *i, const struct enclave *e, size_t member,
                             struct bytes share)
{
    uint8_t hash[SHA512_SIZE];
    TRY(sha512(share, hash));
    if (secret_equal(BYTES_OF(hash), BYTES_OF(e->booted->share_hashes[member])))
        return Q_OK;
    return refuse_share(i, e, member, "expected the one that the genesis gave out, found another");
}

static enum q_err check_share(struct injection *i, const struct enclave *e, size_t member,
                              struct bytes share)
{
    if (share.n != SHARE_SIZE)
        return refuse_share(i, e, member, "expected 33 bytes, found another length");
    if (share.p[0] != member + 1)
        return refuse_share(i, e, member, "expected x to be the member's place, found another");
    return check_hash(i, e, member, share);
}

// Of the member himself, over the manifest's hash.
static enum q_err check_approval(struct injection *i, const struct enclave *e, size_t member,
                                 const struct api_approval *approval)
{
    const struct member *expected = &share_set(e)->members.items[member];
    struct member m;
    struct p256_public key;
    TRY(api_member_to_core(&approval->member, i->call->arena, &m));
    if (!member_equal(&m, expected))
        return refuse_share(i, e, member, "approval: expected the same member, found another");
    TRY(p256_public_parse(expected->pub_key, &key));
    if (p256_verify(&key, BYTES_OF(e->booted->manifest_hash), approval->signature) != Q_OK)
        return refuse_share(
            i, e, member, "approval: expected a signature over this manifest by the member's key");
    return Q_OK;
}

static enum q_err take_one(struct injection *i, const struct enclave *e, size_t member,
                           const struct api_share *share)
{
    SECRET_AUTO plaintext = {0};
    const struct api_approval *approval = share->approval;
    if (i->sent[member].given)
        return refuse_share(i, e, member, "expected one, found two");
    i->sent[member].given = true;
    TRY(sha256(share->decrypted_share, i->sent[member].sent));
    TRY(take(i, e, member, share->decrypted_share, &plaintext));
    TRY(check_share(i, e, member, secret_bytes(&plaintext)));
    if (approval != NULL)
        TRY(check_approval(i, e, member, approval));
    return held_share_new(member, approval != NULL,
                          approval != NULL ? approval->signature.p : no_signature, &plaintext,
                          &i->posted[member], &i->call->why);
}

static enum q_err take_all(struct injection *i, const struct enclave *e)
{
    const struct api_inject_request *r = i->call->body;
    size_t member = share_set(e)->members.n - 1;
    TRY(check_request(e, i->call));
    for (size_t s = 0; s < r->shares.n; s++) {
        TRY(find_member(e, i->call, r->shares.items[s].member_alias, &member));
        TRY(take_one(i, e, member, &r->shares.items[s]));
    }
    return Q_OK;
}

// All hashes were right, so two shares of one member are the same share; the one with an approval is worth more.
static void join(const struct enclave *e, const struct injection *i, struct share_list *next)
{
    struct held_share *best[SHAMIR_MAX_SHARES] = {NULL};
    for (size_t s = 0; s < e->shares.n; s++)
        best[e->shares.items[s]->member] = e->shares.items[s];
    next->n = 0;
    for (size_t m = 0; m < SHAMIR_MAX_SHARES; m++) {
        struct held_share *posted = i->posted[m];
        if (posted != NULL && (best[m] == NULL || (posted->bound && !best[m]->bound)))
            best[m] = posted;
        if (best[m] != NULL)
            next->items[next->n++] = best[m];
    }
}

// *e->shares becomes next; what is in neither is released.
static void keep(struct enclave *e, struct injection *i, const struct share_list *next)
{
    struct held_share *kept[SHAMIR_MAX_SHARES] = {NULL};
    for (size_t s = 0; s < next->n; s++)
        kept[next->items[s]->member] = next->items[s];
    for (size_t s = 0; s < e->shares.n; s++)
        if (kept[e->shares.items[s]->member] != e->shares.items[s])
            held_share_free(&e->shares.items[s]);
    for (size_t m = 0; m < SHAMIR_MAX_SHARES; m++)
        if (i->posted[m] == kept[m])
            i->posted[m] = NULL;
    e->shares = *next;
}

static void record(struct enclave *e, const struct injection *i, const struct share_list *next)
{
    struct booted *b = e->booted;
    struct approval approvals[SHAMIR_MAX_SHARES];
    size_t n = 0;
    for (size_t m = 0; m < SHAMIR_MAX_SHARES; m++)
        if (i->sent[m].given)
            b->contributions[m] = i->sent[m];
    for (size_t s = 0; s < next->n; s++)
        if (next->items[s]->bound)
            approvals[n++] =
                (struct approval){.signature = BYTES_OF(next->items[s]->signature),
                                  .member = share_set(e)->members.items[next->items[s]->member]};
    booted_record(b, approvals, n);
}

static enum q_err answer(const struct enclave *e, struct api_call *c, size_t received, bool success,
                         const char *mode)
{
    struct api_inject_reply reply = {.reconstructed_quorum_key = BYTES_LIT(""),
                                     .success = success,
                                     .shares_received = (uint32_t)received,
                                     .threshold = share_set(e)->threshold,
                                     .share_mode = bytes_str(mode)};
    if (success)
        TRY(api_key_from_core(e->booted->envelope.manifest.namespace.quorum_key, c->arena,
                              &reply.reconstructed_quorum_key));
    return api_answer(c, &type_api_inject_reply, &reply);
}

static enum q_err rebuild(const struct enclave *e, struct injection *i,
                          const struct share_list *next, struct p256_pair **out)
{
    const struct manifest *m = &e->booted->envelope.manifest;
    struct share_list enough = *next;
    enough.n = m->share_set.threshold;
    return shares_combine(&enough, &m->share_set, m->namespace.quorum_key, out, &i->call->why);
}

static void begin_waiting(struct enclave *e)
{
    if (e->phase == PHASE_GENESIS_BOOTED)
        enclave_enter(e, PHASE_WAITING_FOR_QUORUM_SHARDS);
}

static enum q_err finish(struct enclave *e, struct injection *i, const struct share_list *next)
{
    P256_PAIR_AUTO *pair = NULL;
    const char *mode = plaintext_is_taken(e) ? "plaintext or envelope" : "envelope";
    TRY(rebuild(e, i, next, &pair));
    TRY(answer(e, i->call, next->n, true, mode));
    begin_waiting(e);
    record(e, i, next);
    enum q_err err = instance_key_complete(e, &pair, "inject-shares");
    if (err == Q_OK)
        shares_release(&e->shares); // and those of this request as it ends
    else
        i->call->status = 500;
    return err;
}

static enum q_err hold(struct enclave *e, struct injection *i, const struct share_list *next)
{
    TRY(answer(e, i->call, next->n, false, api_share_forms(e)));
    begin_waiting(e);
    record(e, i, next);
    keep(e, i, next);
    log_info("inject-shares: %zu of %u", next->n, share_set(e)->threshold);
    return Q_OK;
}

static enum q_err inject(struct enclave *e, struct injection *i)
{
    struct share_list next;
    TRY(take_all(i, e));
    join(e, i, &next);
    return next.n < share_set(e)->threshold ? hold(e, i, &next) : finish(e, i, &next);
}

enum q_err api_inject_shares(struct enclave *e, struct api_call *c)
{
    INJECTION_AUTO i = {.call = c};
    api_expire_shares(e);
    return inject(e, &i);
}

// What contributed then may be shown again; of what did not, only a share in clear can still be told to be one.
static enum q_err check_again(struct injection *i, const struct enclave *e, size_t member,
                              const struct api_share *share)
{
    const struct contribution *then = &e->booted->contributions[member];
    if (i->sent[member].given)
        return refuse_share(i, e, member, "expected one, found two");
    i->sent[member].given = true;
    TRY(sha256(share->decrypted_share, i->sent[member].sent));
    if (then->given && secret_equal(BYTES_OF(then->sent), BYTES_OF(i->sent[member].sent)))
        return Q_OK;
    if (share->decrypted_share.n == SHARE_SIZE && plaintext_is_taken(e))
        return check_share(i, e, member, share->decrypted_share);
    return refuse_share(i, e, member,
                        "the quorum key is here already: expected a share that was taken before");
}

enum q_err api_inject_again(struct enclave *e, struct api_call *c)
{
    INJECTION_AUTO i = {.call = c};
    const struct api_inject_request *r = c->body;
    size_t member = share_set(e)->members.n - 1, received = 0;
    TRY(check_request(e, c));
    for (size_t s = 0; s < r->shares.n; s++) {
        TRY(find_member(e, c, r->shares.items[s].member_alias, &member));
        TRY(check_again(&i, e, member, &r->shares.items[s]));
    }
    for (size_t m = 0; m < SHAMIR_MAX_SHARES; m++)
        received += e->booted->contributions[m].given ? 1 : 0;
    return answer(e, c, received, true, api_share_forms(e));
}
