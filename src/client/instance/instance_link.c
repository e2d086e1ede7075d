// REST over HTTP (see instance_link.h).
#include "client/instance/instance_link.h"

#include "base/clock.h"
#include "base/text.h"
#include "client/http.h"
#include "client/instance/request_signature.h"
#include "client/json_tree.h"
#include "client/key_file.h"
#include "codec/json.h"
#include "protocol/instance.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_WITHIN_S 120L
#define SHOWN_BODY 256
#define HTTP_SCHEME "http://"

// ---- where it is

enum q_err instance_link_to(const char *option, const char *url, struct instance_link *out)
{
    size_t scheme = sizeof HTTP_SCHEME - 1, n = strlen(url);
    *out = (struct instance_link){0};
    if (strncmp(url, HTTP_SCHEME, scheme) != 0)
        return fail(Q_BAD_INPUT, "--%s: expected " HTTP_SCHEME "HOST:PORT, found %s", option, url);
    TRY(http_check_part(option, url + scheme, HTTP_LETTERS_AND_DIGITS ".-_:[]/"));
    while (n > scheme && url[n - 1] == '/')
        n--;
    if (n == scheme)
        return fail(Q_BAD_INPUT, "--%s: expected " HTTP_SCHEME "HOST:PORT, found %s", option, url);
    if (n >= sizeof out->base)
        return fail(Q_LIMIT, "--%s: too long", option);
    memcpy(out->base, url, n);
    return Q_OK;
}

enum q_err instance_link_open(const struct options *o, struct instance_link *out)
{
    const char *url = options_value(o, "url"), *ip = options_value(o, "host-ip");
    uint32_t port;
    if (url != NULL)
        return instance_link_to("url", url, out);
    if (ip == NULL)
        return fail(Q_BAD_INPUT,
                    "--url: expected the instance's URL (or --host-ip and --host-port), "
                    "found nothing");
    *out = (struct instance_link){0};
    TRY(http_check_part("host-ip", ip, HTTP_LETTERS_AND_DIGITS ".-_:[]"));
    TRY(options_u32(o, "host-port", 1, 65535, &port));
    bool bare_ipv6 = strchr(ip, ':') != NULL && *ip != '[';
    int n = snprintf(out->base, sizeof out->base, HTTP_SCHEME "%s%s%s:%u", bare_ipv6 ? "[" : "", ip,
                     bare_ipv6 ? "]" : "", port);
    if (n < 0 || (size_t)n >= sizeof out->base)
        return fail(Q_LIMIT, "--host-ip: too long");
    return Q_OK;
}

enum q_err instance_key_read(const struct options *o, const char *option, struct p256_pair **out)
{
    const char *path = options_value(o, option);
    const struct bytes format = bytes_str(options_value(o, "key-format"));
    bool raw = bytes_is(format, "sec1-65");
    if (!raw && !bytes_is(format, "qos-130"))
        return fail(Q_BAD_INPUT, "--key-format: expected qos-130 or sec1-65, found %s",
                    options_value(o, "key-format"));
    if (path == NULL)
        return Q_OK;
    return seed_file_read_suite(o, path, raw ? P256_SUITE_RENCLAVE : P256_SUITE_QOS, out);
}

static bool is_enclave_id(const char *id)
{
    return *id != '\0' && strlen(id) <= ENCLAVE_ID_MAX &&
           id[strspn(id, HTTP_LETTERS_AND_DIGITS "-")] == '\0';
}

enum q_err instance_link_sign(const struct options *o, const struct p256_pair *key,
                              struct instance_link *l)
{
    const char *id = options_value(o, "enclave-id");
    l->key = key;
    if (id == NULL)
        return Q_OK;
    if (!is_enclave_id(id))
        return fail(Q_BAD_INPUT,
                    "--enclave-id: expected 1 to %d letters, digits and -, found something else",
                    ENCLAVE_ID_MAX);
    (void)snprintf(l->enclave_id, sizeof l->enclave_id, "%s", id);
    return Q_OK;
}

// ---- one exchange

static enum q_err exchange(const struct instance_link *l, const struct instance_call *c,
                           const char *authorization, long *status, struct buf *answer)
{
    BUF_AUTO url = {.limit = HTTP_URL_MAX};
    struct http_answer got;
    TRY(err_context(buf_printf(&url, "%s%s", l->base, c->path), "URL"));
    const struct http_request request = {
        .url = buf_text(&url),
        .body = c->body,
        .content_type = "application/json",
        .authorization = authorization,
        .whole_s = ANSWER_WITHIN_S,
    };
    if (request.url == NULL)
        return Q_NOMEM;
    answer->limit = INSTANCE_ANSWER_MAX;
    TRY(http_exchange(&request, &got, answer));
    *status = got.status;
    return Q_OK;
}

// Unproven: a host may name the id of another enclave, where the signature is then good. Whoever has the same key for
// several gives --enclave-id.
static enum q_err learn_enclave_id(struct instance_link *l)
{
    static const struct instance_call call = {.method = "GET", .path = "/enclave/info"};
    BUF_AUTO answer = {0};
    JSON_AUTO *root = NULL;
    long status;
    if (l->enclave_id[0] != '\0')
        return Q_OK;
    TRY(exchange(l, &call, NULL, &status, &answer));
    if (status == 200)
        TRY(err_context(json_parse(buf_bytes(&answer), &root), "%s/enclave/info", l->base));
    const char *id = json_string_value(json_object_get(root, "enclave_id"));
    if (id == NULL || !is_enclave_id(id))
        return fail(Q_BAD_INPUT,
                    "%s/enclave/info: expected the enclave's id, which a signature names, found "
                    "none (HTTP %ld)",
                    l->base, status);
    (void)snprintf(l->enclave_id, sizeof l->enclave_id, "%s", id);
    return Q_OK;
}

// The time in milliseconds, so that nobody has to remember the last one.
static enum q_err next_nonce(struct instance_link *l)
{
    int64_t now_ms;
    TRY(clock_ms(&clock_wall, &now_ms));
    uint64_t now = now_ms > 0 ? (uint64_t)now_ms : 0;
    l->nonce = now > l->nonce ? now : l->nonce + 1;
    return Q_OK;
}

static enum q_err check_answer(const struct instance_link *l, const struct instance_call *c,
                               struct bytes signed_text, long status, const struct buf *answer)
{
    if (l->quorum_key == NULL)
        return Q_OK;
    return err_context(
        api_answer_verify(l->quorum_key, signed_text, (unsigned)status, buf_bytes(answer)),
        "%s%s: answer (HTTP %ld)", l->base, c->path, status);
}

static enum q_err exchange_signed(struct instance_link *l, const struct instance_call *c,
                                  long *status, struct buf *answer)
{
    BUF_AUTO signed_text = {0}, header = {0};
    TRY(learn_enclave_id(l));
    TRY(next_nonce(l));
    const struct request_to_sign request = {.method = c->method, .path = c->path, .body = c->body};
    const struct request_signer signer = {
        .pair = l->key, .enclave_id = l->enclave_id, .nonce = l->nonce, .reply_key = c->reply_key};
    TRY(request_signed_text(&request, &signer, &signed_text));
    TRY(request_authorization(&request, &signer, &header));
    const char *text = buf_text(&header);
    if (text == NULL)
        return Q_NOMEM;
    TRY(exchange(l, c, text, status, answer));
    return check_answer(l, c, buf_bytes(&signed_text), *status, answer);
}

enum q_err instance_exchange(struct instance_link *l, const struct instance_call *c, long *status,
                             struct buf *answer)
{
    return l->key == NULL ? exchange(l, c, NULL, status, answer)
                          : exchange_signed(l, c, status, answer);
}

// ---- what came back

static enum q_err refused_as_text(const struct instance_link *l, const struct instance_call *c,
                                  long status, const struct buf *answer)
{
    BUF_AUTO shown = {0};
    size_t n = answer->n < SHOWN_BODY ? answer->n : SHOWN_BODY;
    TRY(text_debug(bytes_of(buf_bytes(answer).p, n), &shown));
    const char *text = buf_text(&shown);
    return fail(Q_REFUSED, "%s%s: HTTP %ld: %s", l->base, c->path, status,
                text == NULL ? "?" : text);
}

static enum q_err refused(const struct instance_link *l, const struct instance_call *c, long status,
                          const struct buf *answer)
{
    JSON_AUTO *root = NULL;
    BUF_AUTO shown = {0}, shown_id = {0};
    if (json_parse(buf_bytes(answer), &root) != Q_OK)
        return refused_as_text(l, c, status, answer);
    const char *why = json_string_value(json_object_get(root, "error"));
    const char *id = json_string_value(json_object_get(root, "request_id"));
    if (why == NULL)
        return refused_as_text(l, c, status, answer);
    TRY(text_display(bytes_str(why), &shown));
    TRY(text_display(bytes_str(id == NULL ? "none" : id), &shown_id));
    const char *text = buf_text(&shown), *id_text = buf_text(&shown_id);
    return fail(Q_REFUSED, "%s%s: %s (HTTP %ld, request %s)", l->base, c->path,
                text == NULL ? "?" : text, status, id_text == NULL ? "?" : id_text);
}

enum q_err instance_ask(struct instance_link *l, const struct instance_call *c, struct buf *answer)
{
    long status;
    TRY(instance_exchange(l, c, &status, answer));
    return status >= 200 && status < 300 ? Q_OK : refused(l, c, status, answer);
}

static enum q_err ask_and_decode(struct instance_link *l, const struct instance_call *c,
                                 const struct type *type, struct arena *a, void *out)
{
    BUF_AUTO answer = {0};
    TRY(instance_ask(l, c, &answer));
    return err_context(json_decode_up_to(type, buf_bytes(&answer), API_MAX_VALUES, a, out),
                       "%s%s: answer", l->base, c->path);
}

enum q_err instance_get(struct instance_link *l, const char *path, const struct type *type,
                        struct arena *a, void *out)
{
    const struct instance_call call = {.method = "GET", .path = path};
    return ask_and_decode(l, &call, type, a, out);
}

enum q_err instance_post(struct instance_link *l, const char *path, const struct type *sent,
                         const void *request, const struct type *type, struct arena *a, void *out)
{
    BUF_AUTO body = {0};
    TRY(err_context(json_encode(sent, request, JSON_PLAIN, &body), "%s: request", path));
    const struct instance_call call = {.method = "POST", .path = path, .body = buf_bytes(&body)};
    return ask_and_decode(l, &call, type, a, out);
}
