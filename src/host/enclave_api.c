// The message of a request, and the reply's answer (see enclave_api.h).
#include "host/enclave_api.h"

#include "base/random.h"

#include <stdlib.h>

struct asking {
    struct buf frame;
    api_answered done;
    void *context;
};

enum q_err request_id_new(char out[static REQUEST_ID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t random[16];
    TRY(random_bytes(random, sizeof random));
    random[6] = (uint8_t)((random[6] & 0x0f) | 0x40); // version 4
    random[8] = (uint8_t)((random[8] & 0x3f) | 0x80); // variant
    size_t at = 0;
    for (size_t i = 0; i < sizeof random; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = digits[random[i] >> 4];
        out[at++] = digits[random[i] & 0x0f];
    }
    out[at] = '\0';
    return Q_OK;
}

static void end(struct asking *a, enum q_err result, unsigned status, struct bytes body)
{
    api_answered done = a->done;
    void *context = a->context;
    buf_free(&a->frame);
    free(a);
    done(context, result, status, body);
}

static enum q_err read_answer(struct bytes reply, struct arena *a, struct message *m)
{
    enum encoding was;
    struct protocol_error why;
    TRY(message_decode(reply, a, m, &was, &why));
    if (m->tag != MSG_QUORATE_API_RESPONSE)
        return fail(Q_BAD_INPUT, "enclave: expected the answer to a request of the REST API, found "
                                 "another message");
    if (m->api_response.status < 200 || m->api_response.status > 599)
        return fail(Q_BAD_INPUT, "enclave: expected a status from 200 to 599, found %u",
                    m->api_response.status);
    return Q_OK;
}

static void replied(void *context, enum q_err result, struct bytes reply)
{
    struct asking *a = context;
    ARENA_AUTO arena = {0};
    struct message m = {0};
    if (result == Q_OK)
        result = read_answer(reply, &arena, &m);
    if (result == Q_OK)
        end(a, Q_OK, m.api_response.status, m.api_response.body);
    else
        end(a, result, 0, bytes_of("", 0));
}

static struct bytes or_empty(struct bytes text)
{
    return text.p == NULL ? bytes_of("", 0) : text;
}

static enum q_err pass(struct asking *a, struct enclave_link *l, struct audit_log *log,
                       const struct api_question *q)
{
    struct protocol_error why;
    struct message m = {.tag = MSG_QUORATE_API_REQUEST};
    m.api_request = (struct api_request){.method = bytes_str(q->method),
                                         .path = bytes_str(q->path),
                                         .query = or_empty(q->query),
                                         .authorization = or_empty(q->authorization),
                                         .request_id = bytes_str(q->request_id),
                                         .body = or_empty(q->body)};
    // In one piece: the walkers write byte by byte.
    TRY(buf_reserve(&a->frame, 2 * q->body.n + q->query.n + q->authorization.n + 256));
    TRY(message_encode(&m, ENCODING_JSON, &a->frame, &why));
    return audited_forward(l, log, q->event, buf_bytes(&a->frame), replied, a);
}

void enclave_api_ask(struct enclave_link *l, struct audit_log *log,
                     const struct api_question *question, api_answered done, void *context)
{
    struct asking *a = calloc(1, sizeof *a);
    if (a == NULL) {
        done(context, fail(Q_NOMEM, "enclave: no memory for a call"), 0, bytes_of("", 0));
        return;
    }
    a->done = done;
    a->context = context;
    enum q_err result = pass(a, l, log, question);
    if (result != Q_OK)
        end(a, result, 0, bytes_of("", 0));
}
