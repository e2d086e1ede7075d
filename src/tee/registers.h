// Registers that a provider keeps in this process, with the rules of a Nitro security module (nitro
// 2.2): 32 of SHA-384, which can be extended until they are locked. Internal to this room.
#ifndef QUORATE_TEE_REGISTERS_H
#define QUORATE_TEE_REGISTERS_H

#include "tee/provider.h"

struct registers {
    struct register_value value[TEE_REGISTERS];
    uint64_t locked; // bit i: register i
};

#define REGISTERS_LOCKED_AT_BOOT 16

// All zero, the first 16 locked.
void registers_start(struct registers *r);
// As registers_start, but with what those 16 measured.
void registers_restart(struct registers *r);
void registers_describe(const struct registers *r, struct tee_description *out);
enum q_err registers_check_index(unsigned index); // InvalidIndex
// All three refuse an index that is not there; extend also what is locked (ReadOnlyIndex).
enum q_err registers_read(const struct registers *r, unsigned index, struct register_state *out);
enum q_err registers_extend(struct registers *r, unsigned index, struct bytes data,
                            struct register_value *after);
enum q_err registers_lock(struct registers *r, unsigned end);

#endif
