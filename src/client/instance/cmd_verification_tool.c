// verification_tool: checks the answer to a genesis, and says what held (renclave 4.5).
#include "client/instance/programs.h"

#include "base/clock.h"
#include "client/instance/genesis_evidence.h"
#include "client/json_tree.h"
#include "client/output.h"
#include "codec/json.h"

#include <stdio.h>

enum check { CHECK_ANSWER, CHECK_REQUEST, CHECK_MANIFEST, CHECK_ATTESTATION };
#define CHECKS 4

static const char *const check_names[CHECKS] = {
    [CHECK_ANSWER] = "keys, sets and shares",
    [CHECK_REQUEST] = "the request",
    [CHECK_MANIFEST] = "root, release and role",
    [CHECK_ATTESTATION] = "attestation of genesis and setup key",
};
static const char *const check_keys[CHECKS] = {
    [CHECK_ANSWER] = "answer_valid",
    [CHECK_REQUEST] = "request_matches",
    [CHECK_MANIFEST] = "manifest_valid",
    [CHECK_ATTESTATION] = "attestation_valid",
};

struct findings {
    bool made[CHECKS], held[CHECKS];
    struct bytes why[CHECKS]; // of one that did not hold
    struct arena *a;
};

// Keeps a failure's sentence and goes on; only memory ends everything.
static enum q_err note(struct findings *f, enum check which, enum q_err err)
{
    f->made[which] = true;
    f->held[which] = err == Q_OK;
    if (err == Q_OK || err == Q_NOMEM)
        return err;
    return arena_copy(f->a, bytes_str(err_text()), &f->why[which]);
}

static enum q_err check_request(const struct options *o, struct genesis_answer *g,
                                struct findings *f)
{
    const char *path = options_value(o, "request");
    struct api_genesis_request request;
    if (path == NULL)
        return Q_OK;
    TRY(genesis_request_read(path, f->a, &request));
    return note(f, CHECK_REQUEST, genesis_answer_match(g, &request, f->a));
}

static enum q_err check_manifest(const struct options *o, const struct verification *v,
                                 const struct genesis_answer *g)
{
    TRY(instance_check_manifest(o, v, &g->envelope.manifest));
    return genesis_answer_check_binding(v, g);
}

static enum q_err check_all(const struct options *o, struct findings *f)
{
    VERIFICATION_AUTO v = {0};
    struct genesis_answer g;
    TRY(verification_start(o, &v));
    TRY(note(f, CHECK_ANSWER, genesis_answer_read(options_value(o, "response"), f->a, &g)));
    if (!f->held[CHECK_ANSWER]) // nothing else can be looked at
        return Q_OK;
    TRY(check_request(o, &g, f));
    if (v.skip)
        return Q_OK;
    TRY(note(f, CHECK_MANIFEST, check_manifest(o, &v, &g)));
    return note(f, CHECK_ATTESTATION, genesis_answer_verify(&v, &g, false, f->a));
}

static bool say(const struct findings *f)
{
    bool all = true;
    for (size_t i = 0; i < CHECKS; i++) {
        BUF_AUTO why = {0};
        const char *result = !f->made[i] ? "not made" : f->held[i] ? "ok" : "FAILED";
        printf("%s: %s%s%s\n", check_names[i], result, f->why[i].p == NULL ? "" : ": ",
               f->why[i].p == NULL ? "" : output_shown(f->why[i], &why));
        all = all && (f->held[i] || !f->made[i]);
    }
    return all;
}

static enum q_err put_checks(const struct findings *f, bool all, json_t *object)
{
    json_t *errors = NULL;
    for (size_t i = 0; i < CHECKS; i++)
        TRY(json_put(object, check_keys[i], json_yes(f->made[i], f->held[i])));
    TRY(json_put(object, "overall_valid", json_boolean(all)));
    TRY(json_tree_array(&errors));
    TRY(json_put(object, "errors", errors));
    for (size_t i = 0; i < CHECKS; i++) {
        if (f->why[i].p != NULL)
            TRY(json_push(errors, json_shown(f->why[i])));
    }
    return Q_OK;
}

static enum q_err write_results(const char *path, const struct findings *f, bool all)
{
    JSON_AUTO *root = NULL;
    OUTPUT_AUTO out = {0};
    BUF_AUTO text = {0};
    json_t *checks = NULL;
    int64_t now_ms;
    TRY(clock_ms(&clock_wall, &now_ms));
    TRY(json_tree_object(&root));
    TRY(json_put(root, "timestamp", json_time(now_ms / 1000)));
    TRY(json_tree_object(&checks));
    TRY(json_put(root, "genesis_verification", checks));
    TRY(put_checks(f, all, checks));
    TRY(json_write_tree(root, JSON_PRESERVE_ORDER | JSON_INDENT(2), &text));
    TRY(buf_u8(&text, '\n'));
    TRY(output_stage(&out, "Results", path, buf_bytes(&text), OUTPUT_REMADE));
    return output_publish(&out);
}

static enum q_err verify(const struct options *o)
{
    ARENA_AUTO a = {0};
    struct findings f = {.a = &a};
    const char *path = options_value(o, "output");
    TRY(check_all(o, &f));
    bool all = say(&f);
    if (path != NULL)
        TRY(write_results(path, &f, all));
    return all ? Q_OK : fail(Q_REFUSED, "%s: not every check held", options_value(o, "response"));
}

static const struct option verification_options[] = {
    OPTION_REQUIRED("response", "File with the answer to genesis-boot"),
    OPTION_OPTIONAL("request", "The request that it must be the answer to"),
    OPTION_OPTIONAL("output", "File for the results, JSON"),
    OPTIONS_RELEASE,
    OPTIONS_VERIFY,
};

const struct command command_verification_tool = {
    .name = "verification_tool",
    .run = verify,
    .help = "Check the answer to a genesis, and say what held",
    COMMAND_OPTIONS(verification_options),
};
