// The trusted execution environment this process runs in, behind one interface. Providers: nitro,
// snp, and sim, which runs on any Linux machine and says SIMULATED.
#ifndef QUORATE_TEE_TEE_H
#define QUORATE_TEE_TEE_H

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/hash.h"

// The two commitments of a booted manifest (qos-wire 7.2): to the setup key (PCR16 on Nitro) and to
// the live key (PCR17).
enum commitment { COMMITMENT_SETUP, COMMITMENT_LIVE };
#define COMMITMENT_COUNT 2

// SHA-384 of canonical JSON {"domain","ephemeralPublicKey","manifestHash"}.
enum q_err commitment_make(enum commitment which, const uint8_t manifest_hash[static SHA256_SIZE],
                           struct bytes ephemeral_public, uint8_t out[static SHA384_SIZE]);
// What the register holds after the commitment is extended into 48 zero bytes.
enum q_err commitment_register(enum commitment which,
                               const uint8_t manifest_hash[static SHA256_SIZE],
                               struct bytes ephemeral_public, uint8_t out[static SHA384_SIZE]);
// Measurement of a role: SHA-384(48 zero bytes || role).
enum q_err role_measurement(struct bytes role, uint8_t out[static SHA384_SIZE]);

struct tee_options {
    const char *provider;   // "nitro", "snp", "sim", or NULL: the device that is present
    const char *nsm_device; // of nitro; NULL: /dev/nsm
    const char *sim_dir;    // NULL: $XDG_STATE_HOME/quorate/sim or ~/.local/state/quorate/sim
    const char *role;       // sim: NULL: role.txt in sim_dir, a default written there on first use;
                            // snp: its SHA-256 must be the host data; NULL: none
    bool mock;              // sim with zero PCRs and module id "mock_module_id"
    const char *mock_pcrs;  // file of "<hex> PCR<n>" lines; NULL: none
    const struct clock *clock;
};

struct tee;
#define TEE_AUTO __attribute__((cleanup(tee_close))) struct tee
enum q_err tee_open(const struct tee_options *options, struct tee **out);
void tee_close(struct tee **t);
const char *tee_name(const struct tee *t); // "sim"
bool tee_simulated(const struct tee *t);
// Whether rules that only hardware makes worth anything may be left out: of the simulated provider alone. A test build
// of the Nitro provider is simulated by its root, but keeps them.
bool tee_relaxed(const struct tee *t);
// DER of the root that this provider's own documents chain to: what export trusts.
struct bytes tee_root(const struct tee *t);

// Both commitments, in the order of qos-wire 7.2: describe, check unlocked and zero, extend, check,
// lock all, check. *begun becomes true before the first extend: a failure after that cannot be
// undone.
enum q_err tee_commit(struct tee *t, const uint8_t setup[static SHA384_SIZE],
                      const uint8_t live[static SHA384_SIZE], bool *begun);
// Evidence over user data (<= 512 bytes), nonce (<= 512) and public key (1..1024); each may be
// absent.
enum q_err tee_attest(struct tee *t, struct bytes user_data, struct bytes nonce,
                      struct bytes public_key, struct buf *document);
// Appends what register 0, 1, 2 or 3 measures now.
enum q_err tee_measurement(struct tee *t, unsigned index, struct buf *out);
// As if its machine had been switched off and on: measured as before, but no commitment stands any more, and its
// documents name another machine. Q_UNSUPPORTED where only the machine's owner can do that: all but the simulated one.
enum q_err tee_restart(struct tee *t);
// Registers 0 to 3 now, as "<hex> PCR<n>" lines: --print-pcrs.
enum q_err tee_print_measurements(struct tee *t, struct buf *out);

#endif
