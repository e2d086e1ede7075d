// genesis_key_generator: the keys of a genesis' members, each secret in a file of its own, and the request with
// their public halves (renclave 3.3, 4.1).
#include "client/instance/programs.h"

#include "base/hex.h"
#include "client/instance/genesis_plan.h"
#include "client/instance/member_secrets.h"

#include <inttypes.h>
#include <stdio.h>

// One run: what it makes, and where it goes.
struct run {
    struct genesis_plan plan;
    struct secret_place place;
    struct output out;
    struct kept_secrets kept;
    struct arena a;
};
#define RUN_AUTO __attribute__((cleanup(run_end))) struct run

static void run_end(struct run *r)
{
    output_discard(&r->out);
    kept_secrets_undo(&r->kept);
    secret_place_unlock(&r->place);
    arena_free(&r->a);
}

static enum q_err stage_secret(struct run *r, struct planned_member *m)
{
    P256_PAIR_AUTO *pair = NULL;
    SECRET_AUTO seed = {0};
    struct bytes item;
    const char *path;
    TRY(secret_path(&r->place, m->alias, &r->a, &path));
    TRY(arena_printf(&r->a, &item, "Secret of %s", m->alias));
    TRY(p256_pair_generate_suite(r->plan.suite, &pair));
    m->public = *p256_pair_public(pair);
    TRY(hex_encode_secret(p256_pair_seed(pair), &seed));
    return output_stage(&r->out, (const char *)item.p, path, secret_bytes(&seed), OUTPUT_RENEWED);
}

// The secrets come first: there is never a request whose secrets are not there.
static enum q_err stage_all(struct run *r, const char *request_path)
{
    BUF_AUTO request = {0};
    for (uint32_t i = 0; i < r->plan.count; i++)
        TRY(stage_secret(r, &r->plan.members[i]));
    TRY(genesis_plan_write(&r->plan, &request));
    return output_stage(&r->out, "Genesis request", request_path, buf_bytes(&request),
                        OUTPUT_REMADE);
}

static void say_what_next(const struct genesis_plan *p, const char *request_path)
{
    printf(
        "%" PRIu32 " of %" PRIu32 " members, namespace %s, nonce %" PRIu32 ", keys of %zu bytes\n",
        p->threshold, p->count, p->namespace, p->nonce, p256_public_short(&p->members[0].public).n);
    printf("Give each member the own secret over a channel you trust, then remove it here: %" PRIu32
           " of these files open the quorum key, and without %" PRIu32
           " of them nobody recovers it.\n",
           p->threshold, p->threshold);
    printf("Next: qos_client instance genesis --url http://HOST:PORT --request %s --out FILE\n",
           request_path);
}

static enum q_err generate(const struct options *o)
{
    RUN_AUTO r = {.place = {.lock = -1}, .out = {.force = options_given(o, "force")}};
    const char *request_path = options_value(o, "output");
    TRY(genesis_plan_read(o, &r.plan));
    TRY(secret_place_choose(request_path, options_value(o, "keys-dir"), &r.a, &r.place));
    TRY(secret_place_lock(&r.place, &r.a));
    TRY(stage_all(&r, request_path));
    if (!r.out.force)
        TRY(secrets_keep(&r.place, r.plan.count, &r.a, &r.kept));
    TRY(output_publish(&r.out));
    TRY(kept_secrets_done(&r.kept));
    say_what_next(&r.plan, request_path);
    return Q_OK;
}

static const struct option generator_options[] = {
    {.name = "member-count",
     .kind = OPTION_VALUE,
     .fallback = "2",
     .help = "Members, 2 to 255, of the manifest set and of the share set"},
    OPTION_OPTIONAL("threshold", "Members that are needed, 2 to all [default: all]"),
    {.name = "output",
     .kind = OPTION_VALUE,
     .fallback = "/tmp/genesis_request.json",
     .help = "File for the request"},
    {.name = "namespace",
     .kind = OPTION_VALUE,
     .fallback = "qos-namespace",
     .help = "Name of the namespace"},
    {.name = "nonce", .kind = OPTION_VALUE, .fallback = "12345", .help = "Nonce of the namespace"},
    OPTION_OPTIONAL("pivot-hash", "SHA-256 of the application, in hex [default: 0102..20]"),
    {.name = "pivot-arg",
     .kind = OPTION_VALUE,
     .multiple = true,
     .help = "Argument of the application, as often as needed [default: arg1 arg2]"},
    OPTION_OPTIONAL("dr-key", "File with a public key in hex that gets the WHOLE quorum key"),
    OPTION_OPTIONAL("keys-dir", "Folder for the secrets [default: beside the request]"),
    {.name = "key-format",
     .kind = OPTION_VALUE,
     .fallback = "sec1-65",
     .help = "Members' keys: sec1-65 (as the original's) or qos-130 (as QuorumOS's)"},
    OPTION_SWITCH("force", "Replace secrets of an earlier run instead of keeping them"),
    OPTION_UNLOCKED,
};

const struct command command_genesis_key_generator = {
    .name = "genesis_key_generator",
    .run = generate,
    .help = "Make the keys of a genesis' members, and the request for it",
    COMMAND_OPTIONS(generator_options),
    .secrets = true,
};
