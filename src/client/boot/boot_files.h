// What an enclave is booted with, for every command that boots one: the manifest envelope and the application, checked
// before the enclave is asked.
#ifndef QUORATE_CLIENT_BOOT_FILES_H
#define QUORATE_CLIENT_BOOT_FILES_H

#include "client/attestation/evidence.h"

// From --manifest-envelope-path and --pivot-path: all that can be known before the enclave is asked, for a refusal
// would cost an original enclave its life. Root and measurements of the manifest, its role where
// --pcr3-preimage-path is given, approvals, hash of the application, which stays in pivot.
enum q_err boot_files_read(const struct options *o, const struct verification *v, struct arena *a,
                           struct boot_request *boot, struct buf *pivot);

#endif
