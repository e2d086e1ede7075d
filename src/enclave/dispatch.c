// Frames in, replies out (see dispatch.h).
#include "enclave/dispatch.h"

#include "base/log.h"
#include "enclave/handlers.h"

// What decoding may allocate beyond the size of the frame itself.
#define DECODING_BUDGET ((size_t)32 << 20)

static struct bytes recorded_sentence(struct arena *a)
{
    struct bytes text;
    return arena_copy(a, bytes_str(err_text()), &text) == Q_OK ? text : BYTES_LIT("no memory");
}

enum q_err refuse_recorded(struct arena *a, struct protocol_error *why,
                           enum protocol_error_kind kind)
{
    struct bytes cause = recorded_sentence(a);
    enum q_err err = refuse(why, kind, "%.*s", (int)cause.n, (const char *)cause.p);
    why->text = cause;
    return err;
}

enum q_err refuse_with_cause(struct exchange *x, enum protocol_error_kind kind)
{
    return refuse_recorded(x->arena, &x->why, kind);
}

enum q_err answer(struct exchange *x, const struct message *reply)
{
    struct protocol_error why = {0};
    buf_clear(x->reply);
    enum q_err err = message_encode(reply, x->encoding, x->reply, &why);
    if (err == Q_OK || err == Q_NOMEM)
        return err;
    x->reply_in_json = true;
    return refuse(&x->why, PE_INVALID_MSG, "the reply has no form in the request's encoding");
}

// The wire's word for a failure that is nobody's refusal.
static struct protocol_error error_of(enum q_err err, struct arena *a)
{
    if (err == Q_EXISTS)
        return (struct protocol_error){.tag = PE_CANNOT_MODIFY_POST_PIVOT_STATIC};
    if (err == Q_TEE || err == Q_ATTESTATION)
        return (struct protocol_error){.tag = PE_QOS_ATTEST_ERROR, .text = recorded_sentence(a)};
    if (err == Q_CRYPTO)
        return (struct protocol_error){.tag = PE_QOS_CRYPTO, .text = recorded_sentence(a)};
    return (struct protocol_error){.tag = PE_IO_ERROR};
}

static enum q_err answer_error(struct exchange *x, const struct protocol_error *error)
{
    struct message reply = {.tag = MSG_PROTOCOL_ERROR_RESPONSE, .error = *error};
    if (answer(x, &reply) == Q_OK)
        return Q_OK;
    x->encoding = ENCODING_JSON;
    reply.error = (struct protocol_error){.tag = PE_INVALID_MSG};
    return answer(x, &reply);
}

static enum q_err no_route(const struct enclave *e, struct exchange *x)
{
    enum q_err err = refuse(&x->why, PE_NO_MATCHING_ROUTE, "message %u: not taken in phase %s",
                            x->request->tag, phase_name(e->phase));
    x->why.phase.tag = phase_on_wire(e->phase);
    return err;
}

static enum q_err handle(struct enclave *e, struct exchange *x)
{
    handler h = route_find(e->phase, e->birth, x->request->tag);
    enum q_err err = h != NULL ? h(e, x) : no_route(e, x);
    if (err == Q_OK)
        return Q_OK;
    log_warn("refused: %s", err_text());
    struct protocol_error error = err == Q_REFUSED ? x->why : error_of(err, x->arena);
    if (x->reply_in_json)
        x->encoding = ENCODING_JSON;
    return answer_error(x, &error);
}

enum q_err dispatch(struct enclave *e, struct bytes frame, struct buf *reply)
{
    ARENA_AUTO arena = {.budget = frame.n + DECODING_BUDGET};
    struct message request = {0};
    struct exchange x = {
        .request = &request, .encoding = ENCODING_JSON, .arena = &arena, .reply = reply};
    struct protocol_error why = {.tag = PE_PROTOCOL_MSG_DESERIALIZATION};
    if (message_decode(frame, &arena, &request, &x.encoding, &why) == Q_OK)
        return handle(e, &x);
    log_warn("refused: %s", err_text());
    x.encoding = ENCODING_JSON;
    return answer_error(&x, &why);
}

size_t dispatch_frame_limit(const struct enclave *e)
{
    if (e->phase == PHASE_WAITING_FOR_BOOT_INSTRUCTION)
        return MESSAGE_MAX_SIZE;
    return e->phase == PHASE_QUORUM_KEY_PROVISIONED ? DISPATCH_EXPORT_FRAME : DISPATCH_SMALL_FRAME;
}
