// What an attestation document says, for people and for programs. Text in it is from others.
#ifndef QUORATE_CLIENT_CLAIMS_VIEW_H
#define QUORATE_CLIENT_CLAIMS_VIEW_H

#include "client/json_tree.h"
#include "tee/attestation.h"

// Prints lines "name  value". Validity is left out where it is not known (not_after_s 0).
enum q_err claims_print(const struct claims *c, int64_t now_s);
// {"moduleId", "timestamp", "ageSeconds", "notBefore", "notAfter", "debug", "simulated",
// "rootSha256", "publicKey", "userData", "nonce", "platform" (SEV-SNP only), "pcrs": {"0": hex,
// ...}}
enum q_err claims_json(const struct claims *c, int64_t now_s, json_t **out);

#endif
