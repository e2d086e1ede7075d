// instance genesis: has an instance make the quorum key, and keeps what it answers once all of it is verified
// (docs/instances.md).
#include "client/command.h"

#include "client/audit_trail.h"
#include "client/genesis/genesis_files.h"
#include "client/instance/genesis_evidence.h"
#include "client/output.h"
#include "protocol/manifest.h"

#include <inttypes.h>
#include <stdio.h>

// A folder without room, or without leave to write, is seen before there is a key.
static enum q_err check_writable(const struct output *out, const char *path)
{
    struct staged_file probe;
    TRY(output_check(out, path));
    TRY(file_stage(path, BYTES_LIT("probe"), 0600, FILE_OWNER_UNCHANGED, FILE_REPLACE, &probe));
    file_discard(&probe);
    return Q_OK;
}

static enum q_err check_request(const struct api_genesis_request *r, struct arena *a)
{
    struct genesis_set shares = {.threshold = *r->share_threshold};
    struct member_set members = {0};
    TRY(api_members_to_core("share_members", &r->share_members, a, &members));
    shares.members.items = members.members.items;
    shares.members.n = members.members.n;
    TRY(err_context(genesis_set_check(&shares, NULL), "share_members"));
    TRY(api_members_to_core("manifest_members", &r->manifest_members, a, &members));
    members.threshold = *r->manifest_threshold;
    return manifest_set_check("manifest_members", &members, NULL);
}

static enum q_err read_request(const char *path, struct arena *a, struct buf *text,
                               struct api_genesis_request *out)
{
    TRY(file_read(path, GENESIS_ANSWER_MAX, text));
    TRY(err_context(genesis_request_parse(buf_bytes(text), a, out), "%s", path));
    TRY(err_context(check_request(out, a), "%s", path));
    return dr_key_announce(out->dr_key);
}

static enum q_err check_answer(const struct options *o, const struct verification *v,
                               const struct api_genesis_request *request, struct bytes answer,
                               struct arena *a, struct genesis_answer *g)
{
    TRY(genesis_answer_parse(answer, a, g));
    TRY(genesis_answer_match(g, request, a));
    audit_note_manifest(&g->envelope.manifest);
    TRY(instance_check_manifest(o, v, &g->envelope.manifest));
    TRY(genesis_answer_check_binding(v, g));
    return genesis_answer_verify(v, g, !options_given(o, "earlier"), a);
}

// Of an earlier run it is at least the genesis that the instance holds now.
static enum q_err check_held(const struct options *o, const struct verification *v,
                             struct instance_link *l, const struct genesis_answer *g,
                             struct arena *a)
{
    struct bytes document;
    struct p256_public key;
    if (v->skip || !options_given(o, "earlier"))
        return Q_OK;
    TRY(instance_attest(l, v, &g->envelope.manifest, false, a, &document, &key));
    if (bytes_equal(p256_public_bytes(&key), p256_public_bytes(&g->setup_key)))
        return Q_OK;
    return fail(Q_REFUSED, "ephemeral_key: expected the key that the instance attests now, found "
                           "another");
}

static void say_result(const struct genesis_answer *g, const char *path)
{
    const struct member_set *set = &g->envelope.manifest.share_set;
    BUF_AUTO mode = {0};
    printf("%" PRIu32 " of %zu members open the quorum key; each needs this file and the own "
           "secret.\n",
           set->threshold, set->members.n);
    if (g->reply.share_mode.p != NULL)
        printf("Share mode: %s\n", output_shown(g->reply.share_mode, &mode));
    printf("Next: qos_client instance inject --url URL --response %s --secret FILE ...\n", path);
}

static enum q_err instance_genesis(const struct options *o)
{
    ARENA_AUTO a = {0};
    VERIFICATION_AUTO v = {0};
    P256_PAIR_AUTO *admin = NULL;
    OUTPUT_AUTO out = {.force = options_given(o, "force")};
    BUF_AUTO request_text = {0}, answer_text = {0};
    struct instance_link link;
    struct api_genesis_request request;
    struct genesis_answer g;
    const char *path = options_value(o, "out");
    TRY(instance_link_open(o, &link));
    TRY(instance_key_read(o, "admin-key", &admin));
    TRY(instance_link_sign(o, admin, &link));
    TRY(verification_start(o, &v));
    TRY(check_writable(&out, path));
    TRY(read_request(options_value(o, "request"), &a, &request_text, &request));
    const struct instance_call call = {
        .method = "POST", .path = "/enclave/genesis-boot", .body = buf_bytes(&request_text)};
    TRY(instance_ask(&link, &call, &answer_text));
    TRY(err_context(check_answer(o, &v, &request, buf_bytes(&answer_text), &a, &g),
                    "%s/enclave/genesis-boot: answer", link.base));
    TRY(check_held(o, &v, &link, &g, &a));
    TRY(output_stage(&out, "Genesis response", path, buf_bytes(&answer_text), OUTPUT_SECRET));
    TRY(output_publish(&out));
    say_result(&g, path);
    return Q_OK;
}

static const struct option genesis_options[] = {
    OPTIONS_INSTANCE,
    OPTION_REQUIRED("request", "The request, from genesis_key_generator"),
    OPTION_REQUIRED("out", "File for the answer: the manifest and the members' encrypted shares"),
    OPTION_SWITCH("earlier", "Accept a genesis made before this run, whose answer was lost"),
    OPTIONS_RELEASE,
    OPTIONS_VERIFY,
    OPTIONS_ADMIN,
    OPTION_ENCLAVE_ID,
    OPTION_PASSPHRASE,
    OPTION_UNLOCKED,
    OPTION_FORCE,
    OPTION_AUDIT,
};

const struct command command_instance_genesis = {
    .name = "instance genesis",
    .run = instance_genesis,
    .help = "Have an instance make the quorum key, and keep its answer once it is verified",
    COMMAND_OPTIONS(genesis_options),
    .audited = true,
    .secrets = true,
};
