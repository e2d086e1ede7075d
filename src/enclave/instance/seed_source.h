// Where a seed comes from in a request: a phrase in clear, or hex of an envelope to the quorum key, of ours or of the
// original's (renclave 2.7; 8.2 C2).
#ifndef QUORATE_ENCLAVE_SEED_SOURCE_H
#define QUORATE_ENCLAVE_SEED_SOURCE_H

#include "app/wallet/mnemonic.h"
#include "enclave/instance/api.h"

enum seed_form { SEED_IN_CLEAR, SEED_SEALED };

// Q_REFUSED (503): the text is an envelope, and there is no key to open it with. Other failures that
// seed_is_unusable() knows say what the text is not.
enum q_err seed_source_read(const struct enclave *e, struct api_call *c, struct bytes text,
                            enum seed_form *form, struct seed_phrase *out);
// The same for entropy (hex inside an envelope), into locked memory.
enum q_err seed_source_entropy(const struct enclave *e, struct api_call *c, struct bytes text,
                               struct secret *out);
// Whether a failure judges the text, and nothing of ours.
bool seed_is_unusable(enum q_err err);

#endif
