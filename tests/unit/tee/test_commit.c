// The commit sequence against a security module that lies at one step: each deviation is refused,
// and *begun says whether anything was touched.
#include "../cmocka_setup.h"

#include "tee/provider.h"

enum lie {
    HONEST,
    NOT_SHA384,
    FEW_REGISTERS,
    LOCKED_IN_SET,
    LOCKED_IN_STATE,
    NOT_ZERO,
    SHORT_ZERO,
    EXTEND_FAILS,
    EXTEND_WRONG,
    LOCK_FAILS,
    LOCK_ONLY_SOME,
    COUNT_CHANGES,
    FINAL_UNLOCKED,
    FINAL_WRONG,
};

struct liar {
    struct tee tee;
    enum lie lie;
    unsigned index; // the register the lie is about
    bool locked_all;
    unsigned extended;
    struct register_value registers[TEE_REGISTERS];
};

static enum q_err liar_describe(struct tee *t, struct tee_description *out)
{
    struct liar *l = (struct liar *)t;
    *out = (struct tee_description){.sha384 = l->lie != NOT_SHA384, .register_count = 32};
    out->locked = l->locked_all ? UINT32_MAX : 0xffff;
    if (l->lie == FEW_REGISTERS)
        out->register_count = 31;
    if (l->lie == LOCKED_IN_SET)
        out->locked |= UINT64_C(1) << l->index;
    if (l->locked_all && l->lie == LOCK_ONLY_SOME)
        out->locked &= ~(UINT64_C(1) << 31);
    if (l->locked_all && l->lie == COUNT_CHANGES)
        out->register_count = 33;
    return Q_OK;
}

static enum q_err liar_read(struct tee *t, unsigned index, struct register_state *out)
{
    struct liar *l = (struct liar *)t;
    bool about = index == l->index;
    out->value = l->registers[index];
    out->locked = l->locked_all || (about && l->lie == LOCKED_IN_STATE);
    if (about && l->lie == NOT_ZERO && !l->locked_all)
        out->value.value[47] = 1;
    if (about && l->lie == SHORT_ZERO && !l->locked_all)
        out->value.n = 32;
    if (about && l->lie == FINAL_UNLOCKED && l->locked_all)
        out->locked = false;
    if (about && l->lie == FINAL_WRONG && l->locked_all)
        out->value.value[0] ^= 1;
    return Q_OK;
}

static enum q_err liar_extend(struct tee *t, unsigned index, struct bytes data,
                              struct register_value *after)
{
    struct liar *l = (struct liar *)t;
    if (l->lie == EXTEND_FAILS && index == l->index)
        return fail(Q_TEE, "ReadOnlyIndex");
    struct register_value old = l->registers[index];
    TRY(sha384_pair(bytes_of(old.value, old.n), data, l->registers[index].value));
    l->extended++;
    *after = l->registers[index];
    if (l->lie == EXTEND_WRONG && index == l->index)
        after->value[0] ^= 1;
    return Q_OK;
}

static enum q_err liar_lock(struct tee *t, unsigned end)
{
    struct liar *l = (struct liar *)t;
    assert_int_equal(end, 32);
    if (l->lie == LOCK_FAILS)
        return fail(Q_TEE, "InternalError");
    l->locked_all = true;
    return Q_OK;
}

static const struct tee_ops liar_ops = {
    .describe = liar_describe, .read = liar_read, .extend = liar_extend, .lock = liar_lock};

static const uint8_t setup[SHA384_SIZE] = {1}, live[SHA384_SIZE] = {2};

static enum q_err commit(enum lie lie, unsigned index, struct liar *l, bool *begun)
{
    *l = (struct liar){.tee = {.ops = &liar_ops}, .lie = lie, .index = index};
    for (int i = 0; i < TEE_REGISTERS; i++)
        l->registers[i] = (struct register_value){.present = true, .n = SHA384_SIZE};
    *begun = true;
    return tee_commit(&l->tee, setup, live, begun);
}

static void honest_module_ends_locked_with_both_commitments(void **state)
{
    (void)state;
    struct liar l;
    bool begun;
    static const uint8_t zero[SHA384_SIZE];
    uint8_t expected[SHA384_SIZE];
    assert_ok(commit(HONEST, 0, &l, &begun));
    assert_true(begun && l.locked_all);
    assert_int_equal(l.extended, 2);
    assert_ok(sha384_pair(BYTES_OF(zero), BYTES_OF(setup), expected));
    assert_memory_equal(l.registers[16].value, expected, sizeof expected);
    assert_ok(sha384_pair(BYTES_OF(zero), BYTES_OF(live), expected));
    assert_memory_equal(l.registers[17].value, expected, sizeof expected);
}

static void what_is_wrong_before_is_refused_without_touching_anything(void **state)
{
    (void)state;
    static const enum lie before[] = {NOT_SHA384,      FEW_REGISTERS, LOCKED_IN_SET,
                                      LOCKED_IN_STATE, NOT_ZERO,      SHORT_ZERO};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        for (unsigned index = 16; index <= 17; index++) {
            struct liar l;
            bool begun;
            assert_int_equal(commit(before[i], index, &l, &begun), Q_TEE);
            assert_false(begun);
            assert_int_equal(l.extended, 0);
            assert_false(l.locked_all);
        }
    }
}

static void what_goes_wrong_later_is_refused_as_begun(void **state)
{
    (void)state;
    static const enum lie later[] = {EXTEND_FAILS,  EXTEND_WRONG,   LOCK_FAILS, LOCK_ONLY_SOME,
                                     COUNT_CHANGES, FINAL_UNLOCKED, FINAL_WRONG};
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
        for (unsigned index = 16; index <= 17; index++) {
            struct liar l;
            bool begun;
            assert_int_equal(commit(later[i], index, &l, &begun), Q_TEE);
            assert_true(begun);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_module_ends_locked_with_both_commitments),
        cmocka_unit_test(what_is_wrong_before_is_refused_without_touching_anything),
        cmocka_unit_test(what_goes_wrong_later_is_refused_as_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
