// Puts the two commitments of a booted manifest into their registers and locks all registers, in
// the order of qos-wire 7.2. The same for every provider that has registers.
#include "tee/provider.h"

#include <inttypes.h>

#define FIRST_COMMITMENT_REGISTER 16

static const uint8_t zero_register[SHA384_SIZE];

static enum q_err describe(struct tee *t, struct tee_description *out)
{
    TRY(t->ops->describe(t, out));
    if (!out->sha384)
        return fail(Q_TEE, "TEE: expected registers of SHA384, found another digest");
    if (out->register_count < TEE_REGISTERS || out->register_count > 64)
        return fail(Q_TEE, "TEE: expected %d to 64 registers, found %u", TEE_REGISTERS,
                    out->register_count);
    return Q_OK;
}

static bool holds(const struct register_value *r, struct bytes expected)
{
    return r->present && bytes_equal(bytes_of(r->value, r->n), expected);
}

static enum q_err check_fresh(struct tee *t, const struct tee_description *before, unsigned index)
{
    struct register_state state;
    TRY(t->ops->read(t, index, &state));
    if ((before->locked >> index & 1U) != 0 || state.locked)
        return fail(Q_TEE, "PCR%u: expected it unlocked before boot, found it locked", index);
    if (!holds(&state.value, BYTES_OF(zero_register)))
        return fail(Q_TEE, "PCR%u: expected zeros before boot, found another value", index);
    return Q_OK;
}

static enum q_err extend(struct tee *t, unsigned index, struct bytes commitment,
                         uint8_t expected[static SHA384_SIZE], bool *begun)
{
    TRY(sha384_pair(BYTES_OF(zero_register), commitment, expected));
    struct register_value after;
    *begun = true;
    TRY(t->ops->extend(t, index, commitment, &after));
    if (!holds(&after, bytes_of(expected, SHA384_SIZE)))
        return fail(Q_TEE, "PCR%u: expected the commitment after extending, found another value",
                    index);
    return Q_OK;
}

static enum q_err lock_all(struct tee *t, const struct tee_description *before)
{
    TRY(t->ops->lock(t, before->register_count));
    struct tee_description after;
    TRY(describe(t, &after));
    if (after.register_count != before->register_count)
        return fail(Q_TEE, "TEE: expected %u registers after locking, found %u",
                    before->register_count, after.register_count);
    uint64_t all = UINT64_MAX >> (64 - after.register_count);
    if ((after.locked & all) != all)
        return fail(Q_TEE, "TEE: expected all %u registers locked, found locked set %" PRIx64,
                    after.register_count, after.locked);
    return Q_OK;
}

static enum q_err check_final(struct tee *t, unsigned index, struct bytes expected)
{
    struct register_state state;
    TRY(t->ops->read(t, index, &state));
    if (!state.locked || !holds(&state.value, expected))
        return fail(Q_TEE, "PCR%u: expected the locked commitment after boot, found another state",
                    index);
    return Q_OK;
}

enum q_err tee_commit(struct tee *t, const uint8_t setup[static SHA384_SIZE],
                      const uint8_t live[static SHA384_SIZE], bool *begun)
{
    *begun = false;
    const struct bytes commitments[COMMITMENT_COUNT] = {
        [COMMITMENT_SETUP] = bytes_of(setup, SHA384_SIZE),
        [COMMITMENT_LIVE] = bytes_of(live, SHA384_SIZE),
    };
    struct tee_description before;
    TRY(describe(t, &before));
    // Both are checked before either is touched, so that a refusal leaves the registers as they
    // were.
    for (unsigned i = 0; i < COMMITMENT_COUNT; i++)
        TRY(check_fresh(t, &before, FIRST_COMMITMENT_REGISTER + i));
    uint8_t expected[COMMITMENT_COUNT][SHA384_SIZE];
    for (unsigned i = 0; i < COMMITMENT_COUNT; i++)
        TRY(extend(t, FIRST_COMMITMENT_REGISTER + i, commitments[i], expected[i], begun));
    TRY(lock_all(t, &before));
    for (unsigned i = 0; i < COMMITMENT_COUNT; i++)
        TRY(check_final(t, FIRST_COMMITMENT_REGISTER + i, BYTES_OF(expected[i])));
    return Q_OK;
}
