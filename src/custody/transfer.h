// Passing a key on, the one act of every kind of it (design "The one idea", 3): verify the other enclave's
// evidence into claims, ask the policy, hand the labelled payload to the sink. Which enclave may have the key is
// the policy's to say; how it leaves is the sink's. The act knows no protocol, no socket and no file.
#ifndef QUORATE_CUSTODY_TRANSFER_H
#define QUORATE_CUSTODY_TRANSFER_H

#include "custody/keyring.h"
#include "protocol/refuse.h"
#include "tee/attestation.h"

// Who hands over and who receives. What self says comes from our own TEE as the act begins, and its timestamp
// is the time at which the peer's evidence must hold: a host cannot turn back that clock.
struct transfer_sides {
    struct claims self, peer; // the peer's are verified
};

// Pure: whether a key may pass between these sides, on these terms. Sets *why, whose texts live in the arena,
// where it says no.
struct transfer_policy {
    enum q_err (*ask)(const void *terms, const struct transfer_sides *sides, struct arena *a,
                      struct protocol_error *why);
    const void *terms;
};

// A key of a ring: its label is its description there, and only custody_use makes it leave.
struct transfer_payload {
    const struct keyring *keyring;
    uint32_t key;
};

// Called only after the policy said yes.
struct transfer_sink {
    enum q_err (*take)(void *context, const struct transfer_sides *sides,
                       const struct transfer_payload *payload, struct protocol_error *why);
    void *context;
};

struct transfer {
    struct tee *tee;       // of this enclave: whose root the peer must chain to
    struct bytes evidence; // of the peer
    struct transfer_policy policy;
    struct transfer_payload payload;
    struct transfer_sink sink;
};

// Q_ATTESTATION or Q_TEE: no true evidence from a TEE of our own kind. Else what the policy or the sink says;
// a simulated enclave and a real one never pass anything to each other.
enum q_err transfer(const struct transfer *t, struct arena *a, struct protocol_error *why);

// A sink: the payload sealed to the key in the peer's evidence, and signed by the payload itself, so that who
// carries it can neither read nor replace it. MissingEphemeralKey, InvalidEphemeralKey.
struct transfer_envelope {
    struct secret sealed;                   // an asymmetric envelope (qos-wire 1.4) over the seed
    uint8_t signature[P256_SIGNATURE_SIZE]; // over all of it
};
#define TRANSFER_ENVELOPE_AUTO                                                                     \
    __attribute__((cleanup(transfer_envelope_free))) struct transfer_envelope
struct transfer_sink transfer_to_envelope(struct transfer_envelope *out);
void transfer_envelope_free(struct transfer_envelope *e); // a zeroed struct is fine

#endif
