// The rules of registers kept in this process (see registers.h).
#include "tee/registers.h"

#include <string.h>

void registers_start(struct registers *r)
{
    *r = (struct registers){.locked = UINT64_MAX >> (64 - REGISTERS_LOCKED_AT_BOOT)};
    for (unsigned i = 0; i < TEE_REGISTERS; i++)
        r->value[i] = (struct register_value){.present = true, .n = SHA384_SIZE};
}

void registers_restart(struct registers *r)
{
    struct registers before = *r;
    registers_start(r);
    memcpy(r->value, before.value, REGISTERS_LOCKED_AT_BOOT * sizeof *r->value);
}

void registers_describe(const struct registers *r, struct tee_description *out)
{
    *out = (struct tee_description){
        .sha384 = true, .register_count = TEE_REGISTERS, .locked = r->locked};
}

enum q_err registers_check_index(unsigned index)
{
    if (index >= TEE_REGISTERS)
        return fail(Q_TEE, "InvalidIndex: expected a register below %d, found %u", TEE_REGISTERS,
                    index);
    return Q_OK;
}

enum q_err registers_read(const struct registers *r, unsigned index, struct register_state *out)
{
    TRY(registers_check_index(index));
    out->value = r->value[index];
    out->locked = (r->locked >> index & 1U) != 0;
    return Q_OK;
}

enum q_err registers_extend(struct registers *r, unsigned index, struct bytes data,
                            struct register_value *after)
{
    TRY(registers_check_index(index));
    if ((r->locked >> index & 1U) != 0)
        return fail(Q_TEE, "ReadOnlyIndex: expected an unlocked register, found PCR%u locked",
                    index);
    struct register_value *value = &r->value[index];
    uint8_t extended[SHA384_SIZE];
    TRY(sha384_pair(bytes_of(value->value, value->n), data, extended));
    *value = (struct register_value){.present = true, .n = SHA384_SIZE};
    memcpy(value->value, extended, SHA384_SIZE);
    *after = *value;
    return Q_OK;
}

enum q_err registers_lock(struct registers *r, unsigned end)
{
    if (end > TEE_REGISTERS)
        return fail(Q_TEE, "InvalidIndex: expected to lock at most %d registers, found %u",
                    TEE_REGISTERS, end);
    if (end > 0)
        r->locked |= UINT64_MAX >> (64 - end);
    return Q_OK;
}
