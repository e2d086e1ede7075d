// An enclave as an application meets it: a simulated TEE that booted a manifest, its live attestation
// document, and the files it leaves; in a folder of each test's own.
#ifndef QUORATE_TESTS_APP_FIXTURE_H
#define QUORATE_TESTS_APP_FIXTURE_H

#include "../cmocka_setup.h"

#include "crypto/p256.h"
#include "protocol/manifest.h"
#include "quorate/app.h"
#include "tee/provider.h"

#define NOW_S ((int64_t)1767225600) // 2026-01-01, where the clock of the TEE stands
#define MEMBERS 3

struct enclave {
    char folder[64], quorum_path[96], ephemeral_path[96], manifest_path[96];
    struct arena arena;
    int64_t now_ms;
    struct clock clock;
    struct tee *tee;
    struct p256_pair *quorum, *setup, *live, *members[MEMBERS];
    struct manifest_envelope envelope;
    uint8_t hash[SHA256_SIZE];
    struct buf stored, document, root; // envelope as a file; live attestation document; DER
};

// Setup and teardown of a test; *state is the enclave.
int enclave_start(void **state);
int enclave_stop(void **state);
#define ENCLAVE_TEST(f) cmocka_unit_test_setup_teardown(f, enclave_start, enclave_stop)

// After the test changed the envelope's manifest: its measurements from the TEE, hash and two approvals.
void enclave_measure(struct enclave *e);
void enclave_approve(struct enclave *e);
// Envelope to stored and to manifest_path.
void enclave_store(struct enclave *e);
// Commits and signs the document for the manifest as it is; once for each enclave.
void enclave_commit(struct enclave *e);
void enclave_attest(struct enclave *e, struct bytes user_data, struct bytes nonce,
                    struct bytes key);

void write_text(const char *path, struct bytes text);
struct app_key *read_quorum(const struct enclave *e);
struct app_key *read_ephemeral(const struct enclave *e);
struct app_manifest *parse_manifest(const struct enclave *e);

// Fails with this status and a sentence that contains text.
#define assert_status(expr, status, text)                                                          \
    do {                                                                                           \
        assert_int_equal((expr), (status));                                                        \
        if (strstr(app_error(), (text)) == NULL)                                                   \
            fail_msg("%s: expected \"%s\" in \"%s\"", #expr, (text), app_error());                 \
    } while (0)
#define assert_app_ok(expr)                                                                        \
    do {                                                                                           \
        enum app_status got_ = (expr);                                                             \
        if (got_ != APP_OK)                                                                        \
            fail_msg("%s: status %d: %s", #expr, (int)got_, app_error());                          \
    } while (0)

#endif
