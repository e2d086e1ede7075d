// Fuzz target: what an instance answers to a genesis and on the routes between instances, and the request files that
// operators give qos_client. The first byte chooses the reader. What is accepted must keep its promise.
#include "client/instance/genesis_answer.h"
#include "client/share/share_plain.h"
#include "codec/json.h"
#include "protocol/manifest.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void answer(struct bytes in)
{
    ARENA_AUTO a = {0};
    struct genesis_answer g;
    if (genesis_answer_parse(in, &a, &g) != Q_OK)
        return;
    const struct manifest *m = &g.envelope.manifest;
    must(m->share_set.threshold >= 2 && m->share_set.threshold <= m->share_set.members.n);
    must(g.output.member_outputs.n == m->share_set.members.n);
    for (size_t i = 0; i < m->share_set.members.n; i++) {
        const struct genesis_member_output *o = &g.output.member_outputs.items[i];
        must(member_equal(&o->share_set_member, &m->share_set.members.items[i]));
        must(o->encrypted_share.n == SHARE_PLAIN_SIZE + P256_ENVELOPE_OVERHEAD);
    }
    must(bytes_equal(p256_public_bytes(&g.quorum_key), m->namespace.quorum_key));
}

static void request(struct bytes in)
{
    ARENA_AUTO a = {0};
    struct api_genesis_request r;
    if (genesis_request_parse(in, &a, &r) != Q_OK)
        return;
    must(r.namespace_name.p != NULL && r.namespace_nonce != NULL && r.share_threshold != NULL &&
         r.manifest_threshold != NULL && r.pivot_hash.p != NULL);
}

static void sealed(struct bytes in)
{
    ARENA_AUTO a = {0};
    struct api_sealed_reply reply;
    if (json_decode_up_to(&type_api_sealed_reply, in, API_MAX_VALUES, &a, &reply) == Q_OK)
        must(reply.sealed.p != NULL);
}

// What the quorum key signs is taken for its answer, and what came from elsewhere is not.
static void signed_answer(struct bytes in)
{
    static const uint8_t seed[P256_SEED_SIZE] = {[P256_SEED_SIZE - 1] = 7};
    static struct p256_pair *pair;
    const struct bytes text = BYTES_LIT("what the request signed");
    BUF_AUTO message = {0}, made = {0};
    uint8_t request_hash[SHA256_SIZE], signature[P256_SIGNATURE_SIZE];
    if (pair == NULL)
        must(secret_init(true) == Q_OK && p256_pair_from_seed(BYTES_OF(seed), &pair) == Q_OK);
    must(api_answer_verify(p256_pair_public(pair), text, 200, in) != Q_OK);
    if (in.n < 3 || in.p[in.n - 1] != '}')
        return;
    must(sha256(text, request_hash) == Q_OK);
    must(api_answer_message(request_hash, 200, in, &message) == Q_OK);
    must(p256_sign(pair, buf_bytes(&message), signature) == Q_OK);
    must(buf_append(&made, in) == Q_OK && api_answer_attach(BYTES_OF(signature), &made) == Q_OK);
    must(api_answer_verify(p256_pair_public(pair), text, 200, buf_bytes(&made)) == Q_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct bytes) = {answer, request, sealed, signed_answer};
    if (size == 0)
        return 0;
    readers[data[0] % (sizeof readers / sizeof *readers)](bytes_of(data + 1, size - 1));
    return 0;
}
