// Envelopes into the caller's memory: sizes, room, and that only the right key opens an unchanged one.
#include "app_fixture.h"

#define N 33 // bytes of the plaintext
static const uint8_t plaintext[N] = "a share is thirty-three bytes ok";
#define SEALED (N + APP_ENVELOPE_OVERHEAD)
#define SEALED_SYMMETRIC (N + APP_SYMMETRIC_OVERHEAD)

static void sealed_to_a_public_key_opens_with_its_pair(void **state)
{
    struct enclave *e = *state;
    uint8_t sealed[SEALED], opened[N] = {0};
    struct app_key *key = read_ephemeral(e);
    assert_app_ok(app_seal(app_key_public(key), plaintext, N, sealed, sizeof sealed));
    assert_app_ok(app_open(key, sealed, sizeof sealed, opened, sizeof opened));
    assert_memory_equal(opened, plaintext, N);
    // The core's own reader agrees on the format.
    SECRET_AUTO by_core = {0};
    assert_ok(p256_open(e->live, BYTES_OF(sealed), &by_core));
    assert_bytes(secret_bytes(&by_core), BYTES_OF(plaintext));
    app_key_free(key);
}

static void sealed_under_a_pair_opens_with_it_alone(void **state)
{
    struct enclave *e = *state;
    uint8_t sealed[SEALED_SYMMETRIC], again[SEALED_SYMMETRIC], opened[N] = {0};
    struct app_key *key = read_ephemeral(e), *other = read_quorum(e);
    assert_app_ok(app_seal_symmetric(key, plaintext, N, sealed, sizeof sealed));
    assert_app_ok(app_seal_symmetric(key, plaintext, N, again, sizeof again));
    assert_memory_not_equal(sealed, again, sizeof sealed);
    assert_app_ok(app_open_symmetric(key, sealed, sizeof sealed, opened, sizeof opened));
    assert_memory_equal(opened, plaintext, N);
    assert_status(app_open_symmetric(other, sealed, sizeof sealed, opened, N), APP_CRYPTO,
                  "AesGcm256DecryptError");
    SECRET_AUTO by_core = {0};
    assert_ok(p256_open_symmetric(e->live, BYTES_OF(sealed), &by_core));
    assert_bytes(secret_bytes(&by_core), BYTES_OF(plaintext));
    app_key_free(key);
    app_key_free(other);
}

static void every_byte_of_an_envelope_counts(void **state)
{
    struct enclave *e = *state;
    uint8_t sealed[SEALED], symmetric[SEALED_SYMMETRIC], opened[N], untouched[N];
    struct app_key *key = read_ephemeral(e);
    memset(opened, 0xaa, N);
    memset(untouched, 0xaa, N);
    assert_app_ok(app_seal(app_key_public(key), plaintext, N, sealed, sizeof sealed));
    assert_app_ok(app_seal_symmetric(key, plaintext, N, symmetric, sizeof symmetric));
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        assert_int_equal(app_open(key, sealed, sizeof sealed, opened, N), APP_CRYPTO);
        sealed[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof symmetric; i++) {
        symmetric[i] ^= 1;
        assert_int_equal(app_open_symmetric(key, symmetric, sizeof symmetric, opened, N),
                         APP_CRYPTO);
        symmetric[i] ^= 1;
    }
    for (size_t n = 0; n < sizeof sealed; n++)
        assert_int_equal(app_open(key, sealed, n, opened, N), APP_CRYPTO);
    for (size_t n = 0; n < sizeof symmetric; n++)
        assert_int_equal(app_open_symmetric(key, symmetric, n, opened, N), APP_CRYPTO);
    assert_memory_equal(opened, untouched, N);
    app_key_free(key);
}

static void another_key_does_not_open(void **state)
{
    struct enclave *e = *state;
    uint8_t sealed[SEALED], opened[N];
    struct app_key *key = read_ephemeral(e), *other = read_quorum(e);
    assert_app_ok(app_seal(app_key_public(key), plaintext, N, sealed, sizeof sealed));
    assert_status(app_open(other, sealed, sizeof sealed, opened, N), APP_CRYPTO,
                  "AesGcm256DecryptError");
    app_key_free(key);
    app_key_free(other);
}

static void nothing_can_be_sealed_too(void **state)
{
    struct enclave *e = *state;
    uint8_t sealed[APP_ENVELOPE_OVERHEAD];
    struct app_key *key = read_ephemeral(e);
    assert_app_ok(app_seal(app_key_public(key), NULL, 0, sealed, sizeof sealed));
    assert_app_ok(app_open(key, sealed, sizeof sealed, NULL, 0));
    assert_app_ok(app_seal_symmetric(key, "", 0, sealed, APP_SYMMETRIC_OVERHEAD));
    assert_app_ok(app_open_symmetric(key, sealed, APP_SYMMETRIC_OVERHEAD, NULL, 0));
    app_key_free(key);
}

static void too_little_room_writes_nothing(void **state)
{
    struct enclave *e = *state;
    uint8_t sealed[SEALED], untouched[SEALED], opened[N];
    struct app_key *key = read_ephemeral(e);
    memset(sealed, 0xaa, sizeof sealed);
    memset(untouched, 0xaa, sizeof untouched);
    assert_status(app_seal(app_key_public(key), plaintext, N, sealed, sizeof sealed - 1),
                  APP_BAD_INPUT, "envelope: expected room for 130 bytes, found 129");
    assert_status(app_seal_symmetric(key, plaintext, N, sealed, SEALED_SYMMETRIC - 1),
                  APP_BAD_INPUT, "envelope: expected room for 65 bytes, found 64");
    assert_int_equal(app_seal(app_key_public(key), plaintext, SIZE_MAX, sealed, SIZE_MAX),
                     APP_TOO_LARGE);
    assert_memory_equal(sealed, untouched, sizeof sealed);
    assert_app_ok(app_seal(app_key_public(key), plaintext, N, sealed, sizeof sealed));
    memset(opened, 0xaa, N);
    assert_status(app_open(key, sealed, sizeof sealed, opened, N - 1), APP_BAD_INPUT,
                  "plaintext: expected room for 33 bytes, found 32");
    assert_memory_equal(opened, untouched, N);
    app_key_free(key);
}

static void input_and_output_may_overlap(void **state)
{
    struct enclave *e = *state;
    uint8_t memory[SEALED];
    struct app_key *key = read_ephemeral(e);
    memcpy(memory, plaintext, N);
    assert_app_ok(app_seal(app_key_public(key), memory, N, memory, sizeof memory));
    assert_app_ok(app_open(key, memory, sizeof memory, memory, sizeof memory));
    assert_memory_equal(memory, plaintext, N);
    app_key_free(key);
}

static void missing_pointers_are_refused(void **state)
{
    struct enclave *e = *state;
    uint8_t sealed[SEALED], no_key[APP_PUBLIC_KEY_SIZE] = {0};
    struct app_key *key = read_ephemeral(e);
    assert_int_equal(app_seal(NULL, plaintext, N, sealed, sizeof sealed), APP_BAD_INPUT);
    assert_int_equal(app_seal(no_key, plaintext, N, sealed, sizeof sealed), APP_CRYPTO);
    assert_int_equal(app_seal(app_key_public(key), NULL, N, sealed, sizeof sealed), APP_BAD_INPUT);
    assert_int_equal(app_seal(app_key_public(key), plaintext, N, NULL, SEALED), APP_BAD_INPUT);
    assert_int_equal(app_seal_symmetric(NULL, plaintext, N, sealed, SEALED), APP_BAD_INPUT);
    assert_int_equal(app_open(NULL, sealed, sizeof sealed, sealed, SEALED), APP_BAD_INPUT);
    assert_int_equal(app_open(key, NULL, SEALED, sealed, SEALED), APP_BAD_INPUT);
    assert_int_equal(app_open(key, sealed, sizeof sealed, NULL, SEALED), APP_BAD_INPUT);
    assert_int_equal(app_open_symmetric(NULL, sealed, sizeof sealed, sealed, SEALED),
                     APP_BAD_INPUT);
    app_key_free(key);
}

static int start(void **state)
{
    (void)state;
    return app_start(true, NULL) == APP_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENCLAVE_TEST(sealed_to_a_public_key_opens_with_its_pair),
        ENCLAVE_TEST(sealed_under_a_pair_opens_with_it_alone),
        ENCLAVE_TEST(every_byte_of_an_envelope_counts),
        ENCLAVE_TEST(another_key_does_not_open),
        ENCLAVE_TEST(nothing_can_be_sealed_too),
        ENCLAVE_TEST(too_little_room_writes_nothing),
        ENCLAVE_TEST(input_and_output_may_overlap),
        ENCLAVE_TEST(missing_pointers_are_refused),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
