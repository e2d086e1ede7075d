// GET /health and /info: what the enclave says of itself, and what the host adds (see rest.h; renclave 1.3,
// 3.5).
#include "codec/json.h"
#include "host/rest.h"
#include "protocol/instance.h"

#include <stdio.h>
#include <stdlib.h>

struct looking {
    struct rest *rest;
    struct http_request *request;
    char id[REQUEST_ID_SIZE];
};

static enum q_err read_says(enum q_err result, unsigned status, struct bytes body, struct arena *a,
                            struct api_info_reply *out)
{
    *out = (struct api_info_reply){0};
    TRY(result);
    if (status != 200)
        return fail(Q_REFUSED, "enclave: asked for its info, answered with status %u", status);
    return json_decode(&type_api_info_reply, body, a, out);
}

static enum q_err member(struct buf *out, const char *name, struct bytes value, const char *instead)
{
    struct bytes text = value.p == NULL ? bytes_str(instead) : value;
    TRY(buf_printf(out, ",\"%s\":", name));
    if (text.p == NULL)
        return buf_append_str(out, "null");
    return json_encode(&type_text, &text, JSON_PLAIN, out);
}

static enum q_err write_health(const struct api_info_reply *says, struct buf *out)
{
    TRY(buf_append_str(out, "{\"status\":\"healthy\""));
    TRY(member(out, "phase", says->phase, NULL));
    return buf_u8(out, '}');
}

static void health_known(void *context, enum q_err result, unsigned status, struct bytes body)
{
    struct looking *l = context;
    ARENA_AUTO arena = {0};
    BUF_AUTO out = {0};
    struct api_info_reply says;
    result = read_says(result, status, body, &arena, &says);
    if (result == Q_OK) {
        rest_answer_made(l->request, write_health(&says, &out), &out);
    } else {
        char text[Q_ERR_TEXT_SIZE + 64];
        (void)snprintf(text, sizeof text, "Enclave communication failed: %s", err_text());
        rest_answer_error(l->request, &(struct rest_error){.status = 503,
                                                           .request_id = l->id,
                                                           .text = text,
                                                           .more = ",\"status\":\"unhealthy\""});
    }
    free(l);
}

// Whatever the enclave does, this is answered with 200: that it is away is one of the things to know.
static enum q_err write_info(struct rest *rest, bool answered, const struct api_info_reply *says,
                             struct buf *out)
{
    const struct network_state *network = network_now(&rest->network);
    TRY(buf_append_str(out, "{\"service\":\"QEMU Host API Gateway\""));
    TRY(member(out, "version", says->version, QUORATE_VERSION));
    TRY(member(out, "enclave_id", says->enclave_id, answered ? "unknown" : "unavailable"));
    TRY(buf_append_str(out, ",\"capabilities\":[\"seed_generation\",\"seed_validation\","
                            "\"quorum_key_generation\",\"quorum_key_export\",\"quorum_key_inject\","
                            "\"network_connectivity\",\"enclave_communication\"]"));
    TRY(member(out, "network_status", bytes_str(network_status_name(network)), NULL));
    TRY(buf_printf(out, ",\"healthy\":%s", answered ? "true" : "false"));
    TRY(member(out, "phase", says->phase, NULL));
    return buf_u8(out, '}');
}

static void info_known(void *context, enum q_err result, unsigned status, struct bytes body)
{
    struct looking *l = context;
    ARENA_AUTO arena = {0};
    BUF_AUTO out = {0};
    struct api_info_reply says;
    bool answered = read_says(result, status, body, &arena, &says) == Q_OK;
    rest_answer_made(l->request, write_info(l->rest, answered, &says, &out), &out);
    free(l);
}

static void look(struct rest *rest, struct http_request *r, api_answered known)
{
    struct looking *l = calloc(1, sizeof *l);
    if (l == NULL) {
        rest_answer_error(r, &(struct rest_error){.status = 503, .text = "host: no memory"});
        return;
    }
    *l = (struct looking){.rest = rest, .request = r};
    if (!rest_request_id(r, l->id)) {
        free(l);
        return;
    }
    const struct api_question q = {.method = "GET", .path = "/enclave/info", .request_id = l->id};
    enclave_api_ask(rest->host->link, NULL, &q, known, l);
}

void rest_health(void *rest, struct http_request *r)
{
    look(rest, r, health_known);
}

void rest_info(void *rest, struct http_request *r)
{
    look(rest, r, info_known);
}
