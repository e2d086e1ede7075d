// The people of a fuzzed session, their quorum key and its shares, and the manifest they approved: made once,
// always the same. Also the folder their enclave publishes in.
#ifndef QUORATE_TESTS_FUZZ_PEOPLE_H
#define QUORATE_TESTS_FUZZ_PEOPLE_H

#include "custody/shares.h"
#include "enclave/published.h"

#define MEMBERS ((size_t)3)
#define PEOPLE 4 // the last one is nobody
#define THRESHOLD 2

struct people {
    char folder[64], files[PUBLISHED_COUNT][80];
    struct p256_pair *pairs[PEOPLE], *quorum;
    struct member members[PEOPLE];
    struct secret shares, seed_text;
    struct manifest_envelope envelope;
    struct approval approvals[PEOPLE];
    uint8_t signatures[PEOPLE][P256_SIGNATURE_SIZE], hash[SHA256_SIZE];
};

extern const struct bytes people_pivot;

// Random bytes that are the same in every session that begins with random_restart; the n-th call from then
// on fails (0: none).
void random_restart(void);
void random_fails_at(unsigned n);
bool random_failed(void);

void people_make(struct people *out);
struct bytes people_share(const struct people *p, size_t index);
// All files of the folder, by name, with modes and contents; without the manifest unless asked.
void people_snapshot(const struct people *p, bool manifest_too, struct buf *out);

// Ends the program where it does not hold.
void must(bool holds);
void must_ok(enum q_err err);

#endif
