// A protocol error as one phrase for people, near to how the original's Debug prints it. Text of
// others is quoted and escaped.
#include "protocol/message.h"

#include "base/text.h"
#include "protocol/types_internal.h"

static enum q_err show_text(struct bytes text, struct buf *out)
{
    TRY(buf_append_str(out, "("));
    TRY(text_debug(text, out));
    return buf_append_str(out, ")");
}

static enum q_err show_difference(const struct difference *d, struct buf *out)
{
    TRY(buf_append_str(out, " { expected: "));
    TRY(text_debug(d->expected, out));
    TRY(buf_append_str(out, ", actual: "));
    TRY(text_debug(d->actual, out));
    return buf_append_str(out, " }");
}

static enum q_err show_p256(const struct p256_error_value *e, struct buf *out)
{
    if (e->tag >= type_p256_error.count)
        return buf_append_str(out, "(unknown)");
    const struct variant *v = &type_p256_error.variants[e->tag];
    TRY(buf_printf(out, "(%s", v->name));
    if (v->type != NULL)
        TRY(show_text(e->text, out));
    return buf_append_str(out, ")");
}

static enum q_err show_payload(const struct type *payload, const struct protocol_error *e,
                               struct buf *out)
{
    if (payload == &type_text)
        return show_text(e->text, out);
    if (payload == &type_difference)
        return show_difference(&e->difference, out);
    if (payload == &type_p256_error)
        return show_p256(&e->p256, out);
    if (payload == &type_approval)
        return show_text(e->approval.member.alias, out);
    if (payload == &type_phase)
        return buf_printf(out, "(%s)", phase_name((enum phase)e->phase.tag));
    if (payload == &type_phase_pair)
        return buf_printf(out, "(%s, %s)", phase_name((enum phase)e->transition.from.tag),
                          phase_name((enum phase)e->transition.to.tag));
    if (payload == &type_low_nonce)
        return buf_printf(out, " { expected: %u, actual: %u }", e->low_nonce.expected,
                          e->low_nonce.actual);
    return fail(Q_INTERNAL, "protocol error: no display for a payload of type %s", payload->name);
}

enum q_err protocol_error_display(const struct protocol_error *e, struct buf *out)
{
    TRY(buf_append_str(out, protocol_error_name((enum protocol_error_kind)e->tag)));
    if (e->tag >= type_protocol_error.count)
        return buf_printf(out, " %u", e->tag);
    const struct type *payload = type_protocol_error.variants[e->tag].type;
    return payload == NULL ? Q_OK : show_payload(payload, e, out);
}
