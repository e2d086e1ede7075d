// What the files of this room share and nobody else sees.
#ifndef QUORATE_PROTOCOL_TYPES_INTERNAL_H
#define QUORATE_PROTOCOL_TYPES_INTERNAL_H

#include "protocol/types.h"

#include <stddef.h>

// The alias as people may see it; the text lives in b, which the caller frees. Never NULL.
const char *alias_shown(const struct member *m, struct buf *b);

// True when the Borsh file has the genesis layout of release 0.13.0 or older.
bool genesis_output_is_legacy(struct bytes file);

extern const struct type type_hash32, type_hash64; // fixed bytes
extern const struct type type_member_list, type_approval_list;
extern const struct type type_ip;  // struct bytes: an address as text, normalised
extern const struct type type_env; // list of struct env_var
// A payload of the protocol error.
extern const struct type type_difference, type_low_nonce, type_phase_pair;
// Variant 23: struct boot_request whose envelope is plain JSON inside Borsh.
extern const struct type type_boot_request_json;

#endif
