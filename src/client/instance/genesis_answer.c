// Reading a genesis answer (see genesis_answer.h).
#include "client/instance/genesis_answer.h"

#include "base/file.h"
#include "base/hex.h"
#include "client/share/share_plain.h"
#include "codec/json.h"
#include "protocol/genesis.h"
#include "protocol/manifest.h"

#include <inttypes.h>
#include <string.h>

// ---- the parts of an answer

static enum q_err parse_keys(struct genesis_answer *g)
{
    const struct namespace *n = &g->envelope.manifest.namespace;
    TRY(err_context(p256_public_parse_short(g->reply.quorum_public_key, &g->quorum_key),
                    "quorum_public_key"));
    TRY(err_context(p256_public_parse_short(g->reply.ephemeral_key, &g->setup_key),
                    "ephemeral_key"));
    if (!bytes_equal(p256_public_bytes(&g->quorum_key), n->quorum_key))
        return fail(Q_REFUSED, "quorum_public_key: expected the quorum key of the manifest, found "
                               "another");
    return Q_OK;
}

static enum q_err parse_manifest(struct genesis_answer *g, struct arena *a)
{
    const struct manifest *m = &g->envelope.manifest;
    BUF_AUTO hex = {0};
    TRY(err_context(api_manifest_to_core(&g->reply.manifest_envelope, a, &g->envelope),
                    "manifest_envelope"));
    TRY(err_context(manifest_check_thresholds(m, NULL), "manifest_envelope"));
    TRY(manifest_hash(m, g->hash));
    TRY(hex_encode(BYTES_OF(g->hash), &hex));
    if (g->reply.manifest_hash.p != NULL && !bytes_equal(g->reply.manifest_hash, buf_bytes(&hex)))
        return fail(Q_REFUSED, "manifest_hash: expected that of manifest_envelope, found another");
    return Q_OK;
}

static enum q_err parse_share(const struct api_encrypted_share *in, const struct member *expected,
                              struct arena *a, struct genesis_member_output *out)
{
    const size_t size = SHARE_PLAIN_SIZE + P256_ENVELOPE_OVERHEAD;
    TRY(api_member_to_core(&in->share_set_member, a, &out->share_set_member));
    if (!member_equal(&out->share_set_member, expected))
        return fail(Q_REFUSED, "expected the share set's member in that place, found another");
    if (in->encrypted_quorum_key_share.n != size)
        return fail(Q_BAD_INPUT,
                    "encrypted_quorum_key_share: expected %zu bytes (a share encrypted to its "
                    "member), found %zu",
                    size, in->encrypted_quorum_key_share.n);
    if (in->share_hash.n != SHA512_SIZE)
        return fail(Q_BAD_INPUT, "share_hash: expected %d bytes, found %zu", SHA512_SIZE,
                    in->share_hash.n);
    out->encrypted_share = in->encrypted_quorum_key_share;
    memcpy(out->share_hash, in->share_hash.p, SHA512_SIZE);
    return Q_OK;
}

static enum q_err parse_shares(struct genesis_answer *g, struct arena *a)
{
    const struct member_set *set = &g->envelope.manifest.share_set;
    void *items;
    if (g->reply.encrypted_shares.n != set->members.n)
        return fail(Q_REFUSED, "encrypted_shares: expected one for each of %zu members, found %zu",
                    set->members.n, g->reply.encrypted_shares.n);
    TRY(arena_array(a, set->members.n, sizeof *g->output.member_outputs.items, &items));
    g->output.member_outputs.items = items;
    g->output.member_outputs.n = set->members.n;
    for (size_t i = 0; i < set->members.n; i++)
        TRY(err_context(parse_share(&g->reply.encrypted_shares.items[i], &set->members.items[i], a,
                                    &g->output.member_outputs.items[i]),
                        "encrypted_shares[%zu]", i));
    return Q_OK;
}

static enum q_err parse_test_message(const struct genesis_answer *g)
{
    const struct api_genesis_reply *r = &g->reply;
    if (r->test_message.p == NULL && r->test_message_signature.p == NULL)
        return Q_OK;
    return err_context(p256_verify(&g->quorum_key, r->test_message, r->test_message_signature),
                       "test_message_signature");
}

// The output of the genesis, of which the answer is another form (8.2 C12).
static void assemble_output(struct genesis_answer *g)
{
    const struct api_genesis_reply *r = &g->reply;
    const struct member_set *set = &g->envelope.manifest.share_set;
    struct genesis_output *o = &g->output;
    g->has_output = r->quorum_key_hash.n == SHA512_SIZE && r->test_message.p != NULL &&
                    r->test_message_signature.p != NULL && r->test_message_ciphertext.p != NULL;
    if (!g->has_output)
        return;
    o->set.members.items = set->members.items;
    o->set.members.n = set->members.n;
    o->set.threshold = set->threshold;
    o->quorum_key = g->envelope.manifest.namespace.quorum_key;
    o->dr_key_wrapped_quorum_key = r->dr_key_wrapped_quorum_key;
    memcpy(o->quorum_key_hash, r->quorum_key_hash.p, SHA512_SIZE);
    o->test_message = r->test_message;
    o->test_message_signature = r->test_message_signature;
    o->test_message_ciphertext = r->test_message_ciphertext;
}

enum q_err genesis_answer_parse(struct bytes json, struct arena *a, struct genesis_answer *out)
{
    *out = (struct genesis_answer){0};
    TRY(json_decode_up_to(&type_api_genesis_reply, json, API_MAX_VALUES, a, &out->reply));
    TRY(parse_manifest(out, a));
    TRY(parse_keys(out));
    TRY(parse_shares(out, a));
    TRY(parse_test_message(out));
    assemble_output(out);
    return Q_OK;
}

enum q_err genesis_answer_read(const char *path, struct arena *a, struct genesis_answer *out)
{
    BUF_AUTO file = {0};
    TRY(file_read(path, GENESIS_ANSWER_MAX, &file));
    return err_context(genesis_answer_parse(buf_bytes(&file), a, out), "%s", path);
}

// ---- the request

static void take_parameters(struct api_genesis_request *r, const struct api_genesis_parameters *p)
{
    if (r->namespace_name.p == NULL)
        r->namespace_name = p->namespace_name;
    if (r->namespace_nonce == NULL)
        r->namespace_nonce = p->namespace_nonce;
    if (r->manifest_members.n == 0)
        r->manifest_members = p->manifest_members;
    if (r->share_members.n == 0)
        r->share_members = p->share_members;
    if (r->manifest_threshold == NULL)
        r->manifest_threshold =
            p->manifest_threshold != NULL ? p->manifest_threshold : p->threshold;
    if (r->share_threshold == NULL)
        r->share_threshold = p->share_threshold != NULL ? p->share_threshold : p->threshold;
    if (r->dr_key.p == NULL)
        r->dr_key = p->dr_key;
    if (r->pivot_hash.p != NULL || p->pivot == NULL)
        return;
    r->pivot_hash = p->pivot->hash;
    r->pivot_args.items = p->pivot->args.items;
    r->pivot_args.n = p->pivot->args.n;
}

enum q_err genesis_request_parse(struct bytes json, struct arena *a,
                                 struct api_genesis_request *out)
{
    TRY(json_decode_up_to(&type_api_genesis_request, json, API_MAX_VALUES, a, out));
    if (out->parameters != NULL)
        take_parameters(out, out->parameters);
    if (out->namespace_name.p == NULL || out->namespace_nonce == NULL ||
        out->manifest_threshold == NULL || out->share_threshold == NULL ||
        out->pivot_hash.p == NULL)
        return fail(Q_BAD_INPUT,
                    "expected namespace_name, namespace_nonce, manifest_threshold, share_threshold "
                    "and pivot_hash, found one of them missing");
    return Q_OK;
}

enum q_err genesis_request_read(const char *path, struct arena *a, struct api_genesis_request *out)
{
    BUF_AUTO file = {0};
    TRY(file_read(path, GENESIS_ANSWER_MAX, &file));
    return err_context(genesis_request_parse(buf_bytes(&file), a, out), "%s", path);
}

// ---- the answer against the request

static enum q_err differs(const char *part)
{
    return fail(Q_REFUSED,
                "GenesisOutputDoesNotMatchRequest: %s: expected that of the request, found another",
                part);
}

static enum q_err match_set(const char *what, const struct member_set *answered,
                            const api_member_list *asked, uint32_t threshold, struct arena *a)
{
    struct member_set set = {.threshold = threshold};
    TRY(api_members_to_core(what, asked, a, &set));
    return member_set_equal(answered, &set) ? Q_OK : differs(what);
}

static bool same_pivot(const struct pivot_config *p, const struct api_genesis_request *request)
{
    bool same =
        bytes_equal(BYTES_OF(p->hash), request->pivot_hash) && p->args.n == request->pivot_args.n;
    for (size_t i = 0; same && i < p->args.n; i++)
        same = bytes_equal(p->args.items[i], request->pivot_args.items[i]);
    return same;
}

static enum q_err take_dr_key(struct genesis_answer *g, struct bytes dr_key, struct arena *a)
{
    struct p256_public key;
    if ((dr_key.p != NULL) != (g->reply.dr_key_wrapped_quorum_key.p != NULL))
        return differs("dr_key");
    if (dr_key.p == NULL)
        return Q_OK;
    TRY(err_context(p256_public_parse_short(dr_key, &key), "dr_key"));
    return arena_copy(a, p256_public_bytes(&key), &g->output.dr_key);
}

enum q_err genesis_answer_match(struct genesis_answer *g, const struct api_genesis_request *request,
                                struct arena *a)
{
    const struct manifest *m = &g->envelope.manifest;
    if (!bytes_equal(m->namespace.name, request->namespace_name))
        return differs("namespace_name");
    if (m->namespace.nonce != *request->namespace_nonce)
        return differs("namespace_nonce");
    TRY(match_set("manifest_members", &m->manifest_set, &request->manifest_members,
                  *request->manifest_threshold, a));
    TRY(match_set("share_members", &m->share_set, &request->share_members,
                  *request->share_threshold, a));
    if (!same_pivot(&m->pivot, request))
        return differs("pivot_hash, pivot_args");
    return take_dr_key(g, request->dr_key, a);
}

enum q_err genesis_answer_match_file(struct genesis_answer *g, const char *path, struct arena *a)
{
    struct api_genesis_request request;
    if (path == NULL)
        return Q_OK;
    TRY(genesis_request_read(path, a, &request));
    return genesis_answer_match(g, &request, a);
}
