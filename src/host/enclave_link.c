// Calls to the enclave and what they tell about it (see enclave_link.h).
#include "host/enclave_link.h"

#include "base/log.h"

#include <stdlib.h>

#define STATUS_EVERY_MS 5000
#define STATUS_TIMEOUT_MS 5000

struct enclave_link {
    struct loop *loop;
    struct frame_client *client;
    int64_t timeout_ms;
    struct timer *status_timer;
    struct link_state state;
    bool contact; // there was one, good or bad
    bool stopping;
};

struct forward {
    struct enclave_link *link;
    frame_done done;
    void *context;
};

struct ask {
    struct enclave_link *link;
    struct buf request;
    link_reply done;
    void *context;
};

const char *link_error_name(enum link_error e)
{
    static const char *const names[LINK_ERROR_COUNT] = {"timeout",  "closed",      "unreachable",
                                                        "oversize", "undecodable", "other"};
    return names[e];
}

static enum link_error error_kind(enum q_err result)
{
    if (result == Q_TIMEOUT)
        return LINK_TIMEOUT;
    if (result == Q_CLOSED)
        return LINK_CLOSED;
    if (result == Q_IO)
        return LINK_UNREACHABLE;
    return result == Q_LIMIT ? LINK_OVERSIZE : LINK_OTHER;
}

// Says once that the enclave went or came back.
static void contact(struct enclave_link *l, enum q_err result)
{
    bool up = result == Q_OK;
    if (!up)
        l->state.errors[error_kind(result)]++;
    if (!l->stopping && (!l->contact || l->state.up != up)) {
        if (up)
            log_info("the enclave answers");
        else
            log_warn("the enclave does not answer: %s", err_text());
    }
    l->contact = true;
    l->state.up = up;
}

static void forwarded(void *context, enum q_err result, struct bytes reply)
{
    struct forward f = *(struct forward *)context;
    free(context);
    contact(f.link, result);
    f.done(f.context, result, reply);
}

enum q_err link_forward(struct enclave_link *l, struct bytes request, frame_done done,
                        void *context)
{
    struct forward *f = malloc(sizeof *f);
    if (f == NULL)
        return fail(Q_NOMEM, "enclave: no memory for a call");
    *f = (struct forward){l, done, context};
    enum q_err result = frame_call(l->client, request, l->timeout_ms, forwarded, f);
    if (result != Q_OK) {
        l->state.errors[error_kind(result)]++;
        free(f);
    }
    return result;
}

static void learn(struct link_state *state, const struct message *m)
{
    if (m->tag != MSG_STATUS_RESPONSE && m->tag != MSG_QUORATE_STATE_RESPONSE)
        return;
    state->phase_known = true;
    state->phase = (enum phase)(m->tag == MSG_STATUS_RESPONSE ? m->status.tag : m->state.phase.tag);
}

static void answer(struct ask *a, enum q_err result, const struct message *m)
{
    link_reply done = a->done;
    void *context = a->context;
    buf_free(&a->request);
    free(a);
    done(context, result, m);
}

static void asked(void *context, enum q_err result, struct bytes reply)
{
    struct ask *a = context;
    ARENA_AUTO arena = {0};
    struct message m = {0};
    enum encoding encoding;
    struct protocol_error why;
    contact(a->link, result);
    if (result == Q_OK) {
        result = message_decode(reply, &arena, &m, &encoding, &why);
        if (result == Q_OK)
            learn(&a->link->state, &m);
        else
            a->link->state.errors[LINK_UNDECODABLE]++;
    }
    answer(a, result, result == Q_OK ? &m : NULL);
}

static enum q_err send_ask(struct ask *a, enum message_kind request, int64_t timeout_ms)
{
    struct message m = {.tag = request};
    struct protocol_error why;
    TRY(message_encode(&m, ENCODING_JSON, &a->request, &why));
    return frame_call(a->link->client, buf_bytes(&a->request), timeout_ms, asked, a);
}

static void ask_within(struct enclave_link *l, enum message_kind request, int64_t timeout_ms,
                       link_reply done, void *context)
{
    struct ask *a = calloc(1, sizeof *a);
    if (a == NULL) {
        done(context, fail(Q_NOMEM, "enclave: no memory for a call"), NULL);
        return;
    }
    *a = (struct ask){.link = l, .done = done, .context = context};
    enum q_err result = send_ask(a, request, timeout_ms);
    if (result != Q_OK)
        answer(a, result, NULL);
}

void link_ask(struct enclave_link *l, enum message_kind request, link_reply done, void *context)
{
    ask_within(l, request, l->timeout_ms, done, context);
}

static void status_known(void *context, enum q_err result, const struct message *reply)
{
    struct enclave_link *l = context;
    (void)result;
    (void)reply;
    timer_set(l->status_timer, loop_now_ms(l->loop) + STATUS_EVERY_MS);
}

static void status_due(void *context)
{
    struct enclave_link *l = context;
    int64_t timeout_ms = l->timeout_ms < STATUS_TIMEOUT_MS ? l->timeout_ms : STATUS_TIMEOUT_MS;
    ask_within(l, MSG_STATUS_REQUEST, timeout_ms, status_known, l);
}

enum q_err link_new(struct loop *l, const struct address *address, unsigned connections_max,
                    int64_t timeout_ms, struct enclave_link **out)
{
    struct enclave_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return fail(Q_NOMEM, "enclave: no memory");
    link->loop = l;
    link->timeout_ms = timeout_ms;
    enum q_err result = frame_client_new(l, address, connections_max, &link->client);
    if (result == Q_OK)
        result = loop_timer(l, status_due, link, &link->status_timer);
    if (result != Q_OK) {
        link_free(&link);
        return result;
    }
    timer_set(link->status_timer, loop_now_ms(l));
    *out = link;
    return Q_OK;
}

const struct link_state *link_state(const struct enclave_link *l)
{
    return &l->state;
}

void link_free(struct enclave_link **l)
{
    if (*l == NULL)
        return;
    (*l)->stopping = true;
    frame_client_free(&(*l)->client);
    timer_end(&(*l)->status_timer);
    free(*l);
    *l = NULL;
}
