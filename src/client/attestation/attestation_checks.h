// Every check of one attestation document, each with its result: the steps of verification itself,
// then what the document says against what its reader expects (nitro 4, qos-wire 7.3). The commands
// that release secrets use evidence.h, which stops at the first failure; this is for looking.
#ifndef QUORATE_CLIENT_ATTESTATION_CHECKS_H
#define QUORATE_CLIENT_ATTESTATION_CHECKS_H

#include "client/text_file.h"
#include "protocol/types.h"
#include "tee/policy.h"

enum check_result {
    CHECK_OK,
    CHECK_FAILED,
    CHECK_NOT_MADE, // something it needs has failed
};
#define CHECK_RESULT_COUNT 3
extern const char *const check_result_names[CHECK_RESULT_COUNT]; // "ok", "failed", "not made"

struct check {
    const char *name; // stable: "signature", "pcr0.release"
    enum check_result result;
    struct bytes detail; // what was found, or why it failed; may hold text from others
};

#define CHECKS_MAX 32
struct check_list {
    struct check items[CHECKS_MAX];
    size_t n;
};

// What the reader expects beyond a true document. NULL or absent: not asked.
struct attestation_wish {
    struct bytes nonce; // absent: the document must have none
    bool allow_debug;
    const struct tee_policy *policy;          // allowed providers, images, firmware
    const struct release *release;            // PCR0 to PCR2
    struct bytes role;                        // PCR3
    const struct manifest_envelope *envelope; // hash, PCR0 to PCR3, root, approvals, commitment
    enum commitment commitment;               // of the envelope's manifest
    const struct genesis_output *genesis;     // its hash is the user data
};

// Q_OK also when checks fail: ask checks_hold. claims: as far as the document could be read. Both
// live in the arena, the wish must outlive neither.
enum q_err attestation_checks_make(struct bytes document, const struct trust *trust, int64_t at_s,
                                   const struct attestation_wish *wish, struct arena *a,
                                   struct claims *claims, struct check_list *out);
bool checks_hold(const struct check_list *checks); // all of them CHECK_OK
// Q_ATTESTATION with the names of those that did not hold.
enum q_err checks_verdict(const struct check_list *checks);

#endif
