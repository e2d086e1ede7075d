// The other enclave of a forward in a fuzzed session: documents under a PKI that the enclave's small TEE has too, one right
// and one for each way to be wrong. Made once; signing them is slow.
#ifndef QUORATE_TESTS_FUZZ_PEER_H
#define QUORATE_TESTS_FUZZ_PEER_H

#include "tee/provider.h"

enum peer_document {
    PEER_RIGHT,
    PEER_FLIPPED,     // one bit of its signature
    PEER_OTHER_IMAGE, // another PCR0
    PEER_UNCOMMITTED, // nothing in PCR16
    PEER_KEYLESS,
    PEER_OTHER_ROOT,
};
#define PEER_DOCUMENTS 6

struct peer {
    struct buf root; // DER
    struct buf own;  // what the enclave's own TEE says of itself: its registers are zero
    struct buf documents[PEER_DOCUMENTS];
};

// Of an enclave that has booted the manifest with this hash, and has this setup key.
void peer_make(const uint8_t hash[static SHA256_SIZE], struct bytes key, struct peer *out);

#endif
