// Signatures, plain and under a label: what they cover, and that none stands for another.
#include "app_fixture.h"

#include "protocol/reshare.h"

#include <pthread.h>

static const uint8_t message[] = "pay 5 to bob";
#define MESSAGE message, sizeof message - 1
static const uint8_t domain[] = APP_LABEL_DOMAIN; // with its NUL

static void a_labelled_signature_covers_domain_length_label_and_message(void **state)
{
    struct enclave *e = *state;
    static const uint8_t covered[] = "quorate-app-v1\0\x07\0\0\0"
                                     "pay-out"
                                     "pay 5 to bob";
    uint8_t signature[APP_SIGNATURE_SIZE], expected[APP_SIGNATURE_SIZE];
    struct app_key *key = read_quorum(e);
    assert_int_equal(sizeof covered - 1, 15 + 4 + 7 + 12);
    assert_app_ok(app_sign_with_label(key, "pay-out", MESSAGE, signature));
    assert_ok(p256_sign(e->quorum, bytes_of(covered, sizeof covered - 1), expected));
    assert_memory_equal(signature, expected, sizeof expected);
    assert_app_ok(app_verify_with_label(app_key_public(key), "pay-out", MESSAGE, signature));
    app_key_free(key);
}

static void a_labelled_signature_holds_for_nothing_else(void **state)
{
    struct enclave *e = *state;
    uint8_t signature[APP_SIGNATURE_SIZE];
    struct app_key *key = read_quorum(e);
    const uint8_t *public_key = app_key_public(key);
    const uint8_t *other_key = p256_pair_public(e->live)->bytes;
    assert_app_ok(app_sign_with_label(key, "pay-out", MESSAGE, signature));
    assert_status(app_verify_with_label(public_key, "pay-in", MESSAGE, signature), APP_CRYPTO,
                  "FailedSignatureVerification");
    assert_int_equal(app_verify_with_label(public_key, "pay-out", "", 0, signature), APP_CRYPTO);
    assert_int_equal(app_verify_with_label(other_key, "pay-out", MESSAGE, signature), APP_CRYPTO);
    assert_int_equal(app_verify(public_key, MESSAGE, signature), APP_CRYPTO);
    // The boundary between label and message cannot be moved.
    assert_app_ok(app_sign_with_label(key, "ab", "c", 1, signature));
    assert_int_equal(app_verify_with_label(public_key, "a", "bc", 2, signature), APP_CRYPTO);
    assert_int_equal(app_verify_with_label(public_key, "abc", "", 0, signature), APP_CRYPTO);
    app_key_free(key);
}

static void every_bit_of_a_signature_counts(void **state)
{
    struct enclave *e = *state;
    uint8_t signature[APP_SIGNATURE_SIZE];
    struct app_key *key = read_quorum(e);
    assert_app_ok(app_sign_with_label(key, "l", MESSAGE, signature));
    for (size_t i = 0; i < sizeof signature; i++) {
        signature[i] ^= 1;
        assert_int_equal(app_verify_with_label(app_key_public(key), "l", MESSAGE, signature),
                         APP_CRYPTO);
        signature[i] ^= 1;
    }
    memset(signature, 0, sizeof signature);
    assert_status(app_verify_with_label(app_key_public(key), "l", MESSAGE, signature), APP_CRYPTO,
                  "FailedToDeserializeSignature");
    app_key_free(key);
}

static void labels_have_1_to_255_bytes(void **state)
{
    struct enclave *e = *state;
    char label[APP_LABEL_MAX + 2];
    uint8_t signature[APP_SIGNATURE_SIZE];
    struct app_key *key = read_quorum(e);
    memset(label, 'l', sizeof label);
    label[APP_LABEL_MAX] = '\0';
    assert_app_ok(app_sign_with_label(key, label, NULL, 0, signature));
    assert_app_ok(app_verify_with_label(app_key_public(key), label, NULL, 0, signature));
    label[APP_LABEL_MAX] = 'l';
    label[APP_LABEL_MAX + 1] = '\0';
    assert_status(app_sign_with_label(key, label, NULL, 0, signature), APP_BAD_INPUT, "label");
    assert_status(app_sign_with_label(key, "", NULL, 0, signature), APP_BAD_INPUT, "label");
    assert_status(app_sign_with_label(key, NULL, NULL, 0, signature), APP_BAD_INPUT, "label");
    assert_status(app_verify_with_label(app_key_public(key), "", NULL, 0, signature), APP_BAD_INPUT,
                  "label");
    app_key_free(key);
}

static void a_plain_signature_is_over_the_message_alone(void **state)
{
    struct enclave *e = *state;
    uint8_t signature[APP_SIGNATURE_SIZE], expected[APP_SIGNATURE_SIZE];
    struct app_key *key = read_quorum(e);
    assert_app_ok(app_sign(key, MESSAGE, signature));
    assert_ok(p256_sign(e->quorum, bytes_of(MESSAGE), expected));
    assert_memory_equal(signature, expected, sizeof expected);
    assert_app_ok(app_verify(app_key_public(key), MESSAGE, signature));
    assert_int_equal(app_verify(app_key_public(key), message, 1, signature), APP_CRYPTO);
    assert_int_equal(app_verify(p256_pair_public(e->live)->bytes, MESSAGE, signature), APP_CRYPTO);
    assert_app_ok(app_sign(key, NULL, 0, signature));
    assert_app_ok(app_verify(app_key_public(key), "", 0, signature));
    app_key_free(key);
}

static void a_plain_signature_never_stands_for_a_labelled_one(void **state)
{
    struct enclave *e = *state;
    uint8_t signature[APP_SIGNATURE_SIZE];
    static const uint8_t forged[] = "quorate-app-v1\0\x01\0\0\0"
                                    "l"
                                    "forged";
    struct app_key *key = read_quorum(e);
    assert_status(app_sign(key, forged, sizeof forged - 1, signature), APP_REFUSED, "labelled");
    assert_status(app_sign(key, domain, sizeof domain, signature), APP_REFUSED, "labelled");
    assert_app_ok(app_sign(key, domain, sizeof domain - 1, signature)); // without the NUL: another
    assert_app_ok(app_sign_with_label(key, "l", "forged", 6, signature));
    assert_status(app_verify(app_key_public(key), forged, sizeof forged - 1, signature),
                  APP_REFUSED, "labelled");
    app_key_free(key);
}

static void an_application_signs_no_hand_over_of_the_quorum_key(void **state)
{
    struct enclave *e = *state;
    uint8_t signature[APP_SIGNATURE_SIZE];
    static const uint8_t handover[] = RESHARE_HANDOVER_DOMAIN "hash, epoch, old key, new key";
    size_t domain_size = strlen(RESHARE_HANDOVER_DOMAIN);
    struct app_key *key = read_quorum(e);
    assert_status(app_sign(key, handover, sizeof handover - 1, signature), APP_REFUSED,
                  "hand-over");
    assert_status(app_sign(key, handover, domain_size, signature), APP_REFUSED, "hand-over");
    assert_app_ok(app_sign(key, handover, domain_size - 1, signature));
    // To verify one that an enclave signed is an application's right.
    assert_ok(p256_sign(e->quorum, BYTES_OF(handover), signature));
    assert_app_ok(app_verify(app_key_public(key), handover, sizeof handover, signature));
    app_key_free(key);
}

static void keys_that_are_none_and_missing_pointers_are_refused(void **state)
{
    struct enclave *e = *state;
    uint8_t signature[APP_SIGNATURE_SIZE] = {1}, no_key[APP_PUBLIC_KEY_SIZE] = {4};
    struct app_key *key = read_quorum(e);
    assert_status(app_verify(no_key, MESSAGE, signature), APP_CRYPTO, "FailedToReadPublicKey");
    assert_int_equal(app_verify_with_label(no_key, "l", MESSAGE, signature), APP_CRYPTO);
    assert_status(app_sign(NULL, MESSAGE, signature), APP_BAD_INPUT, "key: expected a pointer");
    assert_status(app_sign(key, NULL, 1, signature), APP_BAD_INPUT, "message");
    assert_status(app_sign(key, MESSAGE, NULL), APP_BAD_INPUT, "signature");
    assert_status(app_verify(NULL, MESSAGE, signature), APP_BAD_INPUT, "public key");
    assert_status(app_verify(no_key, MESSAGE, NULL), APP_CRYPTO, "");
    assert_status(app_verify(app_key_public(key), MESSAGE, NULL), APP_BAD_INPUT, "signature");
    assert_int_equal(app_sign_with_label(NULL, "l", MESSAGE, signature), APP_BAD_INPUT);
    assert_int_equal(app_sign_with_label(key, "l", NULL, 1, signature), APP_BAD_INPUT);
    assert_int_equal(app_sign_with_label(key, "l", MESSAGE, NULL), APP_BAD_INPUT);
    assert_int_equal(app_verify_with_label(NULL, "l", MESSAGE, signature), APP_BAD_INPUT);
    assert_int_equal(app_verify_with_label(app_key_public(key), "l", MESSAGE, NULL), APP_BAD_INPUT);
    app_key_free(key);
}

#define THREADS 4
#define ROUNDS 50

struct worker {
    const struct app_key *key;
    uint8_t expected[APP_SIGNATURE_SIZE];
    unsigned wrong;
    bool own_error;
};

static void *sign_often(void *context)
{
    struct worker *w = context;
    for (int i = 0; i < ROUNDS; i++) {
        uint8_t signature[APP_SIGNATURE_SIZE] = {0};
        uint8_t sealed[5 + APP_ENVELOPE_OVERHEAD], opened[5];
        bool right =
            app_sign_with_label(w->key, "thread", MESSAGE, signature) == APP_OK &&
            memcmp(signature, w->expected, sizeof signature) == 0 &&
            app_seal(app_key_public(w->key), "hello", 5, sealed, sizeof sealed) == APP_OK &&
            app_open(w->key, sealed, sizeof sealed, opened, sizeof opened) == APP_OK &&
            memcmp(opened, "hello", 5) == 0;
        w->wrong += !right;
    }
    w->own_error = app_error()[0] == '\0';
    return NULL;
}

static void one_key_serves_several_threads(void **state)
{
    struct enclave *e = *state;
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    struct app_key *key = read_quorum(e);
    assert_int_equal(app_sign(NULL, MESSAGE, NULL), APP_BAD_INPUT); // an error of this thread only
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.key = key};
        assert_app_ok(app_sign_with_label(key, "thread", MESSAGE, workers[i].expected));
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_often, &workers[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
        assert_true(workers[i].own_error);
    }
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
        ENCLAVE_TEST(a_labelled_signature_covers_domain_length_label_and_message),
        ENCLAVE_TEST(a_labelled_signature_holds_for_nothing_else),
        ENCLAVE_TEST(every_bit_of_a_signature_counts),
        ENCLAVE_TEST(labels_have_1_to_255_bytes),
        ENCLAVE_TEST(a_plain_signature_is_over_the_message_alone),
        ENCLAVE_TEST(a_plain_signature_never_stands_for_a_labelled_one),
        ENCLAVE_TEST(an_application_signs_no_hand_over_of_the_quorum_key),
        ENCLAVE_TEST(keys_that_are_none_and_missing_pointers_are_refused),
        ENCLAVE_TEST(one_key_serves_several_threads),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
