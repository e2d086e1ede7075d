// What a TEE instance leaves in its state folder (renclave 8.2 C18; 3.1 last line): the manifest envelope and the
// hashes of its shares, signed by the quorum key, in one file. Never a share, never a key: after a restart the members
// bring their shares again.
#ifndef QUORATE_ENCLAVE_INSTANCE_STATE_H
#define QUORATE_ENCLAVE_INSTANCE_STATE_H

#include "enclave/state.h"

#define INSTANCE_STATE_NAME "instance.json"
#define INSTANCE_STATE_MAX ((size_t)2 << 20)

// Ready to be published, 0600, never over a file that is there (Q_EXISTS when it is published, and refused here
// already when one is seen). Without a state folder out stays zeroed. pair: the quorum key.
enum q_err instance_state_stage(const struct enclave *e, const struct booted *b,
                                const struct p256_pair *pair, struct staged_file *out);
// At start: verified, and booted as GenesisBooted with a fresh setup key. A file that cannot be used is named in the
// log with the reason, and stays; so does WaitingForBootInstruction. Fails only where the folder is no private one.
enum q_err instance_restore(struct enclave *e);
// For a reset: the file goes.
enum q_err instance_state_forget(const struct enclave *e);

#endif
