// What nitro-cli prints, read: the answers of run-enclave and describe-enclaves, and its errors with the
// remedy. Nothing it prints is trusted to be well-formed.
#ifndef QUORATE_HOST_NITRO_CLI_H
#define QUORATE_HOST_NITRO_CLI_H

#include "base/bytes.h"

#define ENCLAVE_ID_SIZE 128 // with the NUL

// Of run-enclave: EnclaveID, which is letters, digits and dashes (it becomes a word of later commands).
enum q_err nitro_read_started(struct bytes out, char id[static ENCLAVE_ID_SIZE]);
// Of describe-enclaves: whether the enclave with this id is there with the State RUNNING.
enum q_err nitro_read_running(struct bytes out, const char *id, bool *running);
// Appends what it said of an error, on one line, and a remedy when one is known for its code ("[ E26 ]").
enum q_err nitro_error_text(struct bytes err, struct buf *out);

#endif
