// genesis-boot (renclave 1.3, 2.3, 3.1, 3.2, 3.4): a quorum key is born, its shares leave sealed to the members, and
// the manifest of the request, with what this platform measured, is booted at once. Nothing of the key stays on
// hardware; on the simulated TEE the shares wait for their acknowledgement (custody/genesis_held.h).
#include "enclave/instance/api.h"

#include "base/hex.h"
#include "base/log.h"
#include "base/text.h"
#include "custody/genesis.h"
#include "enclave/boot.h"
#include "enclave/instance/instance_state.h"
#include "enclave/platform.h"
#include "protocol/genesis.h"

#include <string.h>

// A request with its members found, wherever they stood.
struct wish {
    struct manifest manifest; // but for quorum key and platform
    struct bytes dr_key;      // in its long form
    uint8_t hash[SHA256_SIZE];
};

struct birth_under_way {
    struct api_call *call;
    const struct wish *wish;
    struct genesis_output output;
    struct bytes document; // of the output
    struct secret shares;
    struct staged_file state;
    struct api_genesis_reply *reply; // in the memory of what is booted
};

static void birth_end(struct birth_under_way *b)
{
    secret_free(&b->shares);
    file_discard(&b->state);
}

// Flat members win whenever they are there (3.4).
static struct api_genesis_request choose(const struct api_genesis_request *r)
{
    struct api_genesis_request chosen = *r;
    const struct api_genesis_parameters *p = r->parameters;
    if (p == NULL)
        return chosen;
    if (chosen.namespace_name.p == NULL)
        chosen.namespace_name = p->namespace_name;
    if (chosen.namespace_nonce == NULL)
        chosen.namespace_nonce = p->namespace_nonce;
    if (chosen.manifest_members.items == NULL)
        chosen.manifest_members = p->manifest_members;
    if (chosen.share_members.items == NULL)
        chosen.share_members = p->share_members;
    if (chosen.manifest_threshold == NULL)
        chosen.manifest_threshold =
            p->manifest_threshold != NULL ? p->manifest_threshold : p->threshold;
    if (chosen.share_threshold == NULL)
        chosen.share_threshold = p->share_threshold != NULL ? p->share_threshold : p->threshold;
    if (chosen.pivot_hash.p == NULL && p->pivot != NULL) {
        chosen.pivot_hash = p->pivot->hash;
        chosen.pivot_args.items = p->pivot->args.items;
        chosen.pivot_args.n = p->pivot->args.n;
    }
    if (chosen.dr_key.p == NULL)
        chosen.dr_key = p->dr_key;
    return chosen;
}

static enum q_err check_shape(struct api_call *c, const struct api_genesis_request *r)
{
    const struct {
        const char *name;
        bool there;
    } members[] = {
        {"namespace_name", r->namespace_name.p != NULL},
        {"namespace_nonce", r->namespace_nonce != NULL},
        {"manifest_members", r->manifest_members.items != NULL},
        {"manifest_threshold", r->manifest_threshold != NULL},
        {"share_members", r->share_members.items != NULL},
        {"share_threshold", r->share_threshold != NULL},
        {"pivot_hash", r->pivot_hash.p != NULL},
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (!members[i].there)
            return api_refuse(c, 422, "genesis request: expected a member %s, found none",
                              members[i].name);
    }
    if (r->pivot_hash.n != SHA256_SIZE)
        return api_refuse(c, 422, "genesis request: pivot_hash: expected %d bytes, found %zu",
                          SHA256_SIZE, r->pivot_hash.n);
    return Q_OK;
}

static enum q_err check_threshold(struct api_call *c, const char *whose, uint32_t threshold,
                                  size_t members)
{
    if (threshold >= 1 && threshold <= members)
        return Q_OK;
    return api_refuse(c, 400, "Invalid %s threshold: expected from 1 to %zu, found %u", whose,
                      members, threshold);
}

// The original's checks, in its order and its words (1.3).
static enum q_err check_as_the_original(struct api_call *c, const struct api_genesis_request *r)
{
    if (r->manifest_members.n == 0)
        return api_refuse(c, 400, "At least one manifest member is required");
    if (r->share_members.n == 0)
        return api_refuse(c, 400, "At least one share member is required");
    TRY(check_threshold(c, "manifest", *r->manifest_threshold, r->manifest_members.n));
    return check_threshold(c, "share", *r->share_threshold, r->share_members.n);
}

static enum q_err take_sets(struct api_call *c, const struct api_genesis_request *r,
                            struct manifest *m)
{
    m->manifest_set.threshold = *r->manifest_threshold;
    m->share_set.threshold = *r->share_threshold;
    TRY(api_members_to_core("manifest_members", &r->manifest_members, c->arena, &m->manifest_set));
    TRY(api_members_to_core("share_members", &r->share_members, c->arena, &m->share_set));
    TRY(manifest_set_check("manifest set", &m->manifest_set, &c->why));
    return share_set_check("share set", &m->share_set, &c->why);
}

static enum q_err take_dr_key(struct api_call *c, struct bytes key, struct wish *w)
{
    struct p256_public public;
    if (key.p == NULL)
        return Q_OK;
    if (p256_public_parse_short(key, &public) != Q_OK)
        return refuse_p256(&c->why, PE_INVALID_P256_DR_KEY, "disaster recovery key");
    return arena_copy(c->arena, p256_public_bytes(&public), &w->dr_key);
}

// Of all that was asked for: two requests of one hash ask for the same.
static enum q_err hash_wish(struct wish *w)
{
    uint8_t hashes[2][SHA256_SIZE];
    TRY(manifest_hash(&w->manifest, hashes[0]));
    TRY(sha256(w->dr_key, hashes[1]));
    return sha256(BYTES_OF(hashes), w->hash);
}

static enum q_err understand(struct api_call *c, struct wish *w)
{
    const struct api_genesis_request r = choose(c->body);
    struct manifest *m = &w->manifest;
    *m = (struct manifest){.version = MANIFEST_V1, .pivot = {.restart = {.tag = RESTART_NEVER}}};
    TRY(check_shape(c, &r));
    TRY(check_as_the_original(c, &r));
    TRY(api_nonce_to_core(*r.namespace_nonce, &m->namespace.nonce));
    m->namespace.name = r.namespace_name;
    m->namespace.quorum_key = BYTES_LIT("");
    TRY(api_hash_to_core(r.pivot_hash, m->pivot.hash));
    m->pivot.args.items = r.pivot_args.items;
    m->pivot.args.n = r.pivot_args.n;
    TRY(api_auth_check_pivot(&m->pivot));
    TRY(take_sets(c, &r, m));
    TRY(take_dr_key(c, r.dr_key, w));
    return hash_wish(w);
}

// 8.2 C1: QuorumOS's where every member of the share set has a key of that kind.
static enum p256_suite suite_for(const struct member_set *set)
{
    for (size_t i = 0; i < set->members.n; i++) {
        struct p256_public key;
        if (p256_public_parse(set->members.items[i].pub_key, &key) != Q_OK ||
            p256_public_suite(&key) == P256_SUITE_RENCLAVE)
            return P256_SUITE_RENCLAVE;
    }
    return P256_SUITE_QOS;
}

static enum q_err attest_output(struct enclave *e, struct birth_under_way *b)
{
    uint8_t hash[SHA256_SIZE];
    BUF_AUTO document = {0};
    TRY(genesis_output_hash(&b->output, hash));
    TRY(tee_attest(e->tee, BYTES_OF(hash), BYTES_NONE, BYTES_NONE, &document));
    return arena_copy(b->call->arena, buf_bytes(&document), &b->document);
}

// Everything of the key that will ever leave: as QuorumOS's genesis has it, with its attestation.
static enum q_err give_birth(struct enclave *e, const struct p256_pair *pair,
                             struct birth_under_way *b)
{
    struct api_call *c = b->call;
    const struct member_set *set = &b->wish->manifest.share_set;
    struct genesis_set given = {.threshold = set->threshold};
    given.members.items = set->members.items;
    given.members.n = set->members.n;
    TRY(genesis_hand_out_keeping(pair, &given, b->wish->dr_key, c->arena, &b->output, &b->shares,
                                 &c->why));
    return attest_output(e, b);
}

static enum q_err stage(struct enclave *e, const struct p256_pair *pair, struct birth_under_way *b,
                        struct boot_stage *s)
{
    struct manifest_envelope envelope = {.manifest = b->wish->manifest};
    uint8_t signature[P256_SIGNATURE_SIZE];
    void *hashes;
    size_t n = b->output.member_outputs.n;
    envelope.manifest.namespace.quorum_key = b->output.quorum_key;
    TRY(platform_measure(e->tee, b->call->arena, &envelope.manifest.enclave));
    TRY(boot_stage(e, &envelope, NULL, s, &b->call->why));
    TRY(arena_array(&s->booted->memory, n, sizeof *s->booted->share_hashes, &hashes));
    s->booted->share_hashes = hashes;
    for (size_t i = 0; i < n; i++)
        memcpy(s->booted->share_hashes[i], b->output.member_outputs.items[i].share_hash,
               SHA512_SIZE);
    TRY(p256_sign(pair, BYTES_OF(s->booted->manifest_hash), signature));
    TRY(arena_copy(&s->booted->memory, BYTES_OF(signature), &s->booted->quorum_key_signature));
    memcpy(s->booted->genesis_request, b->wish->hash, SHA256_SIZE);
    return instance_state_stage(e, s->booted, pair, &b->state);
}

static enum q_err list_shares(const struct booted *booted, const struct genesis_output *output,
                              struct arena *a, struct api_genesis_reply *reply)
{
    void *items;
    size_t n = output->member_outputs.n;
    TRY(arena_array(a, n, sizeof *reply->encrypted_shares.items, &items));
    reply->encrypted_shares.items = items;
    reply->encrypted_shares.n = n;
    for (size_t i = 0; i < n; i++) {
        struct api_encrypted_share *share = &reply->encrypted_shares.items[i];
        const struct member *m = &booted->envelope.manifest.share_set.members.items[i];
        TRY(api_member_from_core(m, a, &share->share_set_member));
        TRY(arena_copy(a, output->member_outputs.items[i].encrypted_share,
                       &share->encrypted_quorum_key_share));
        share->share_hash = BYTES_OF(booted->share_hashes[i]);
    }
    return Q_OK;
}

static enum q_err copy_text_of_hash(const struct booted *booted, struct arena *a, struct bytes *out)
{
    BUF_AUTO hex = {0};
    TRY(hex_encode(BYTES_OF(booted->manifest_hash), &hex));
    return arena_copy(a, buf_bytes(&hex), out);
}

static enum q_err copy_proofs(const struct birth_under_way *b, struct arena *a,
                              struct api_genesis_reply *reply)
{
    const struct genesis_output *o = &b->output;
    TRY(arena_copy(a, b->document, &reply->genesis_attestation_doc));
    TRY(arena_copy(a, BYTES_OF(o->quorum_key_hash), &reply->quorum_key_hash));
    TRY(arena_copy(a, o->test_message_signature, &reply->test_message_signature));
    TRY(arena_copy(a, o->test_message_ciphertext, &reply->test_message_ciphertext));
    reply->test_message = BYTES_LIT(GENESIS_TEST_MESSAGE);
    return o->dr_key_wrapped_quorum_key.p == NULL
               ? Q_OK
               : arena_copy(a, o->dr_key_wrapped_quorum_key, &reply->dr_key_wrapped_quorum_key);
}

// All but the attestation of the boot, in memory that lasts as long as what is booted.
static enum q_err prepare_reply(struct birth_under_way *b, const struct boot_stage *s)
{
    struct booted *booted = s->booted;
    struct arena *a = &booted->memory;
    void *memory;
    TRY(arena_alloc(a, sizeof *b->reply, &memory));
    struct api_genesis_reply *reply = b->reply = memory;
    reply->waiting_state = BYTES_LIT("GenesisBooted");
    TRY(api_manifest_from_core(&booted->envelope, a, &reply->manifest_envelope));
    reply->manifest_envelope.quorum_key_signature = booted->quorum_key_signature;
    reply->quorum_public_key = reply->manifest_envelope.manifest.namespace.quorum_key;
    TRY(arena_copy(a, p256_public_bytes(keyring_public(s->keyring, KEY_SETUP)),
                   &reply->ephemeral_key));
    TRY(copy_text_of_hash(booted, a, &reply->manifest_hash));
    TRY(list_shares(booted, &b->output, a, reply));
    return copy_proofs(b, a, reply);
}

static enum q_err answer(const struct enclave *e, struct api_call *c,
                         const struct api_genesis_reply *reply)
{
    struct api_genesis_reply now = *reply;
    now.share_mode = bytes_str(api_share_forms(e));
    return api_answer(c, &type_api_genesis_reply, &now);
}

static enum q_err say(void *context, struct enclave *e, const struct boot_stage *s,
                      struct bytes document)
{
    struct birth_under_way *b = context;
    TRY(arena_copy(&s->booted->memory, document, &b->reply->attestation_doc));
    TRY(answer(e, b->call, b->reply));
    s->booted->genesis = b->reply;
    return b->state.path != NULL ? file_publish(&b->state) : Q_OK;
}

// Where nobody is kept from reading our memory but us, and nobody said that members must decrypt (3.1, form A).
static enum q_err hold(struct enclave *e, struct birth_under_way *b)
{
    if (!tee_relaxed(e->tee) || e->policy.require_member_decryption)
        return Q_OK;
    return genesis_held_new(&b->shares, b->output.member_outputs.n, e->boot_clock, &e->held);
}

static void log_genesis(const struct booted *b, bool held)
{
    BUF_AUTO name = {0};
    const struct manifest *m = &b->envelope.manifest;
    if (text_display(m->namespace.name, &name) == Q_OK && buf_text(&name) != NULL)
        log_info("genesis: namespace %s, nonce %u, quorum key made for %zu members, threshold "
                 "%u%s",
                 (const char *)name.p, m->namespace.nonce, m->share_set.members.n,
                 m->share_set.threshold,
                 held ? "; SIMULATED: their shares are held for ten minutes" : "");
}

static enum q_err found(struct enclave *e, struct birth_under_way *b)
{
    struct api_call *c = b->call;
    BOOT_STAGE_AUTO s = {0};
    P256_PAIR_AUTO *pair = NULL;
    const struct boot_witness witness = {
        .say = say, .context = b, .arena = c->arena, .why = &c->why};
    TRY(p256_pair_generate_suite(suite_for(&b->wish->manifest.share_set), &pair));
    TRY(give_birth(e, pair, b));
    TRY(stage(e, pair, b, &s));
    TRY(prepare_reply(b, &s));
    TRY(hold(e, b));
    enum q_err err = boot_commit(e, &s, &witness, BIRTH_GENESIS_HELD, PHASE_GENESIS_BOOTED);
    if (err != Q_OK)
        genesis_held_free(&e->held);
    return err;
}

enum q_err api_genesis_boot(struct enclave *e, struct api_call *c)
{
    struct wish w = {0};
    __attribute__((cleanup(birth_end))) struct birth_under_way b = {.call = c, .wish = &w};
    if (e->has_pinned_quorum_key)
        return api_refuse(
            c, 409,
            "genesis: expected an enclave that takes any quorum key, found one with a "
            "key pinned at its start (--pinned-quorum-key)");
    TRY(understand(c, &w));
    enum q_err err = found(e, &b);
    if (err == Q_OK) {
        log_genesis(e->booted, e->held != NULL);
        return Q_OK;
    }
    c->status = err == Q_EXISTS ? 409 : err == Q_LIMIT ? 413 : 500; // the request was fine
    return err;
}

enum q_err api_genesis_again(struct enclave *e, struct api_call *c)
{
    struct wish w = {0};
    TRY(understand(c, &w));
    if (e->booted->genesis == NULL)
        return api_refuse(c, 409,
                          "genesis: was made before this enclave was started; its answer "
                          "is not here any more");
    if (!bytes_equal(BYTES_OF(w.hash), BYTES_OF(e->booted->genesis_request)))
        return api_refuse(c, 409,
                          "genesis: another one was made here: expected the same request, or an "
                          "enclave in phase WaitingForBootInstruction");
    return answer(e, c, e->booted->genesis);
}
