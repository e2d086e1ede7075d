// What an instance answers to genesis-boot: read, and checked against itself and against the request. That an enclave
// said it, genesis_evidence.h shows (renclave 1.3, 2.3; 4.5).
#ifndef QUORATE_CLIENT_GENESIS_ANSWER_H
#define QUORATE_CLIENT_GENESIS_ANSWER_H

#include "base/options.h"
#include "crypto/p256.h"
#include "protocol/instance.h"

#define GENESIS_ANSWER_MAX ((size_t)16 << 20)

struct genesis_answer {
    struct api_genesis_reply reply;
    struct manifest_envelope envelope; // as the core has it: long keys
    uint8_t hash[SHA256_SIZE];         // of the manifest
    struct p256_public quorum_key, setup_key;
    struct genesis_output
        output;      // what its own attestation document is over; shares as the core has them
    bool has_output; // the answer has all of its parts
};

// All that can be seen in the answer alone: keys that are keys, sets that are sets, one share per member of the share
// set and in its order, of the size and with the hash a share has, a test message that the quorum key signed.
enum q_err genesis_answer_parse(struct bytes json, struct arena *a, struct genesis_answer *out);
enum q_err genesis_answer_read(const char *path, struct arena *a, struct genesis_answer *out);

// The request with the members of "parameters" where the flat ones are missing.
enum q_err genesis_request_parse(struct bytes json, struct arena *a,
                                 struct api_genesis_request *out);
enum q_err genesis_request_read(const char *path, struct arena *a, struct api_genesis_request *out);
// GenesisOutputDoesNotMatchRequest, with the part that differs. The answer then knows the request's DR key, which is
// part of what is attested and not of the answer.
enum q_err genesis_answer_match(struct genesis_answer *g, const struct api_genesis_request *request,
                                struct arena *a);
// The same of the request in a file: what a member agreed to. NULL: it is not at hand.
enum q_err genesis_answer_match_file(struct genesis_answer *g, const char *path, struct arena *a);

#endif
