// instance call: one request to any route, signed, and the answer checked, and opened when it is sealed
// (docs/instances.md; docs/instance-auth.md).
#include "client/command.h"

#include "base/file.h"
#include "client/http.h"
#include "client/instance/genesis_answer.h"
#include "client/instance/genesis_plan.h"
#include "client/instance/instance_link.h"
#include "codec/json.h"
#include "protocol/instance.h"

#include <stdio.h>
#include <string.h>

#define PATH_CHARACTERS HTTP_LETTERS_AND_DIGITS "/-_.~?=&%+:@,"

static enum q_err read_call(const struct options *o, struct buf *body, struct instance_call *out)
{
    const char *file = options_value(o, "body"), *method = options_value(o, "method");
    *out = (struct instance_call){.path = options_value(o, "path")};
    TRY(http_check_part("path", out->path, PATH_CHARACTERS));
    if (out->path[0] != '/')
        return fail(Q_BAD_INPUT, "--path: expected one that begins with /, found %s", out->path);
    out->method = method != NULL ? method : file != NULL ? "POST" : "GET";
    bool post = strcmp(out->method, "POST") == 0;
    if (!post && (file != NULL || strcmp(out->method, "GET") != 0))
        return fail(Q_BAD_INPUT, "--method: expected POST, or GET without --body, found %s",
                    out->method);
    if (file != NULL)
        TRY(file_read(file, API_BODY_MAX, body));
    if (post) // without a file an empty one
        out->body = buf_bytes(body);
    return Q_OK;
}

// What only the holder of the reply key can read. found false: the answer is none of those.
static enum q_err open_sealed(struct bytes answer, const struct p256_pair *reply, bool *found,
                              struct secret *out)
{
    ARENA_AUTO a = {0};
    struct api_sealed_reply sealed;
    *found = json_decode_up_to(&type_api_sealed_reply, answer, API_MAX_VALUES, &a, &sealed) == Q_OK;
    return *found ? err_context(p256_open(reply, sealed.sealed, out), "sealed answer") : Q_OK;
}

static enum q_err print(struct bytes text)
{
    bool whole = fwrite(text.p, 1, text.n, stdout) == text.n;
    bool ended = text.n > 0 && text.p[text.n - 1] == '\n';
    return whole && (ended || putchar('\n') != EOF)
               ? Q_OK
               : fail(Q_IO, "standard output: cannot be written");
}

static enum q_err show(struct bytes answer, const struct p256_pair *reply)
{
    SECRET_AUTO opened = {0};
    bool sealed = false;
    if (reply != NULL)
        TRY(open_sealed(answer, reply, &sealed, &opened));
    return print(sealed ? secret_bytes(&opened) : answer);
}

static enum q_err reply_pair(const struct options *o, struct p256_pair **out)
{
    TRY(instance_key_read(o, "reply-key", out));
    return *out == NULL ? p256_pair_generate(out) : Q_OK;
}

// Whose signature shows that the enclave answers a request that is signed. *given false: nobody's is asked for.
static enum q_err read_quorum_key(const struct options *o, bool is_signed, bool *given,
                                  struct p256_public *out)
{
    ARENA_AUTO a = {0};
    struct genesis_answer g;
    const char *key = options_value(o, "quorum-key"), *response = options_value(o, "response");
    *given = key != NULL || response != NULL;
    if (!*given)
        return Q_OK;
    if (!is_signed)
        return fail(Q_BAD_INPUT,
                    "--%s: expected --client-key or --admin-key too, as only answers to signed "
                    "requests are signed, found neither",
                    key != NULL ? "quorum-key" : "response");
    if (key != NULL)
        return err_context(instance_public_key_read(key, out), "--quorum-key");
    TRY(genesis_answer_read(response, &a, &g));
    *out = g.quorum_key;
    return Q_OK;
}

// A refusal, too, is told by whoever stands between.
static enum q_err ask(struct instance_link *l, const struct instance_call *c, struct buf *answer)
{
    enum q_err err = instance_ask(l, c, answer);
    if (l->quorum_key == NULL && (err == Q_OK || err == Q_REFUSED))
        fprintf(stderr, "note: the answer is the host's word: nothing was checked, as neither "
                        "--quorum-key nor --response is given\n");
    return err;
}

static enum q_err instance_call(const struct options *o)
{
    P256_PAIR_AUTO *key = NULL, *reply = NULL;
    BUF_AUTO body = {0}, answer = {0};
    struct instance_link link;
    struct instance_call call;
    struct p256_public quorum_key;
    bool checked;
    TRY(instance_link_open(o, &link));
    TRY(read_call(o, &body, &call));
    TRY(instance_key_read(o, options_given(o, "admin-key") ? "admin-key" : "client-key", &key));
    TRY(read_quorum_key(o, key != NULL, &checked, &quorum_key));
    TRY(instance_link_sign(o, key, &link));
    link.quorum_key = checked ? &quorum_key : NULL;
    if (key != NULL) {
        TRY(reply_pair(o, &reply));
        call.reply_key = p256_pair_public(reply);
    }
    TRY(ask(&link, &call, &answer));
    return show(buf_bytes(&answer), reply);
}

static const struct option call_options[] = {
    OPTIONS_INSTANCE,
    OPTION_REQUIRED("path", "The route, with its query: /enclave/get-data?key=a"),
    OPTION_OPTIONAL("method", "GET or POST [default: POST with --body, else GET]"),
    OPTION_OPTIONAL("body", "File with the request, JSON"),
    {.name = "client-key",
     .kind = OPTION_VALUE,
     .forbids = "admin-key",
     .help = "Secret that signs the request: a file, FIFO or /dev/fd/N"},
    {.name = "admin-key",
     .kind = OPTION_VALUE,
     .forbids = "client-key",
     .help = "The same, of an administrator"},
    OPTION_ENCLAVE_ID,
    {.name = "quorum-key",
     .kind = OPTION_VALUE,
     .forbids = "response",
     .help = "Public quorum key, hex in a file: the answer must be signed by it"},
    {.name = "response",
     .kind = OPTION_VALUE,
     .forbids = "quorum-key",
     .help = "Genesis response with that key, in place of --quorum-key"},
    OPTION_OPTIONAL("reply-key", "Secret that opens the answer [default: a new one]"),
    {.name = "key-format",
     .kind = OPTION_VALUE,
     .fallback = "qos-130",
     .help = "Form of these keys: qos-130 (generate-file-key's) or sec1-65"},
    OPTION_PASSPHRASE,
    OPTION_UNLOCKED,
};

const struct command command_instance_call = {
    .name = "instance call",
    .run = instance_call,
    .help = "Send a signed request to an instance, and open its answer",
    COMMAND_OPTIONS(call_options),
    .secrets = true,
};
