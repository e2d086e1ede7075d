// share_injector: makes the request that sends all shares of a genesis back as they came (renclave 3.1 form A, 4.2).
#include "client/instance/programs.h"

#include "client/instance/genesis_answer.h"
#include "client/output.h"
#include "codec/json.h"
#include "crypto/shamir.h"

#include <stdio.h>
#include <stdlib.h>

#define RESPONSE_VARIABLE "GENESIS_RESPONSE"

static enum q_err read_response(const struct options *o, struct arena *a,
                                struct genesis_answer *out)
{
    const char *path = options_value(o, "response");
    const char *text = getenv(RESPONSE_VARIABLE);
    if (path != NULL)
        return genesis_answer_read(path, a, out);
    if (text == NULL || *text == '\0')
        return fail(Q_MISSING, RESPONSE_VARIABLE
                    ": expected the answer to genesis-boot in the environment, or "
                    "--response FILE, found neither");
    return err_context(genesis_answer_parse(bytes_str(text), a, out), RESPONSE_VARIABLE);
}

static enum q_err write_request(const struct genesis_answer *g, struct buf *out)
{
    const struct namespace *n = &g->envelope.manifest.namespace;
    struct api_share shares[SHAMIR_MAX_SHARES];
    struct api_inject_request request = {
        .namespace_name = n->name,
        .namespace_nonce = n->nonce,
        .shares = {.items = shares, .n = g->output.member_outputs.n},
    };
    for (size_t i = 0; i < request.shares.n; i++) {
        const struct genesis_member_output *m = &g->output.member_outputs.items[i];
        shares[i] = (struct api_share){.member_alias = m->share_set_member.alias,
                                       .decrypted_share = m->encrypted_share};
    }
    TRY(json_encode(&type_api_inject_request, &request, JSON_PLAIN, out));
    return buf_u8(out, '\n');
}

static enum q_err make(const struct options *o)
{
    ARENA_AUTO a = {0};
    OUTPUT_AUTO out = {0};
    BUF_AUTO request = {0};
    struct genesis_answer g;
    const char *path = options_value(o, "output");
    TRY(read_response(o, &a, &g));
    TRY(write_request(&g, &request));
    TRY(output_stage(&out, "Share injection request", path, buf_bytes(&request), OUTPUT_REMADE));
    TRY(output_publish(&out));
    printf(
        "%zu shares as they came, which only a simulated TEE accepts, and only the one that made "
        "them.\nWith members' secrets: qos_client instance inject, or member_decryptor.\n",
        g.output.member_outputs.n);
    return Q_OK;
}

static const struct option injector_options[] = {
    OPTION_OPTIONAL("response", "File with the answer to genesis-boot [default: the environment's "
                                "GENESIS_RESPONSE]"),
    {.name = "output",
     .kind = OPTION_VALUE,
     .fallback = "/tmp/share_injection_request.json",
     .help = "File for the request"},
};

const struct command command_share_injector = {
    .name = "share_injector",
    .run = make,
    .help = "Make the request that sends all shares of a genesis back as they came",
    COMMAND_OPTIONS(injector_options),
};
