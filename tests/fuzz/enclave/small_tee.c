// The registers and what can be done with them (see small_tee.h).
#include "small_tee.h"

#include <string.h>

static struct small_tee *small(struct tee *t)
{
    return (struct small_tee *)t;
}

static enum q_err called(struct small_tee *t)
{
    if (t->fails_at == 0 || --t->fails_at > 0)
        return Q_OK;
    t->failed = true;
    return fail(Q_TEE, "small TEE: fails as asked");
}

static bool lies(struct small_tee *t)
{
    if (t->lies_at == 0 || --t->lies_at > 0)
        return false;
    t->lied = true;
    return true;
}

static enum q_err describe(struct tee *t, struct tee_description *out)
{
    struct small_tee *s = small(t);
    TRY(called(s));
    *out = (struct tee_description){
        .sha384 = true, .register_count = TEE_REGISTERS, .locked = s->locked};
    if (lies(s))
        out->locked ^= UINT64_C(1) << 16;
    return Q_OK;
}

static enum q_err read_register(struct tee *t, unsigned index, struct register_state *out)
{
    struct small_tee *s = small(t);
    TRY(called(s));
    out->value = s->registers[index];
    out->locked = (s->locked >> index & 1U) != 0;
    out->value.value[0] ^= lies(s) ? 1 : 0;
    return Q_OK;
}

static enum q_err extend(struct tee *t, unsigned index, struct bytes data,
                         struct register_value *after)
{
    struct small_tee *s = small(t);
    uint8_t extended[SHA384_SIZE];
    TRY(called(s));
    TRY(sha384_pair(bytes_of(s->registers[index].value, SHA384_SIZE), data, extended));
    memcpy(s->registers[index].value, extended, sizeof extended);
    *after = s->registers[index];
    after->value[0] ^= lies(s) ? 1 : 0;
    return Q_OK;
}

static enum q_err lock(struct tee *t, unsigned end)
{
    struct small_tee *s = small(t);
    TRY(called(s));
    s->locked = lies(s) ? 0 : UINT64_MAX >> (64 - end);
    return Q_OK;
}

// Everything that was to be said, so that a secret that leaks into it is seen.
static enum q_err attest(struct tee *t, struct bytes user_data, struct bytes nonce,
                         struct bytes public_key, struct buf *document)
{
    TRY(called(small(t)));
    if (user_data.p == NULL && nonce.p == NULL && public_key.p == NULL)
        return buf_append(document, small(t)->about_itself);
    TRY(buf_append(document, user_data));
    TRY(buf_append(document, nonce));
    return buf_append(document, public_key);
}

static void no_close(struct tee *t)
{
    (void)t;
}

void small_tee_reset(struct small_tee *t)
{
    static const struct tee_ops ops = {.describe = describe,
                                       .read = read_register,
                                       .extend = extend,
                                       .lock = lock,
                                       .attest = attest,
                                       .close = no_close};
    *t = (struct small_tee){.tee = {.ops = &ops, .name = "small", .simulated = true}};
    for (size_t i = 0; i < TEE_REGISTERS; i++)
        t->registers[i] = (struct register_value){.present = true, .n = SHA384_SIZE};
}

void small_tee_believe(struct small_tee *t, struct buf root, struct bytes about_itself)
{
    t->tee.root = root;
    t->about_itself = about_itself;
}
