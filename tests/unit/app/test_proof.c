// App proofs: made, written, read again, and verified against the enclave they come from.
#include "app_fixture.h"

#include <jansson.h>
#include <stdlib.h>

#define PAYLOAD "balance of bob is 5", 19
#define LATER (NOW_S + 60)

static struct app_proof *make_proof(const struct enclave *e)
{
    struct app_proof *proof = NULL;
    struct app_key *key = read_ephemeral(e);
    assert_app_ok(app_proof_make(key, PAYLOAD, &proof));
    app_key_free(key);
    return proof;
}

static void a_proof_survives_its_json(void **state)
{
    struct enclave *e = *state;
    size_t size = 0;
    struct app_proof *proof = make_proof(e), *again = NULL;
    const char *json = app_proof_json(proof);
    assert_int_equal(strncmp(json, "{\"signature\":\"", 14), 0);
    assert_non_null(strstr(json, "\",\"public_key\":\"04"));
    assert_non_null(strstr(json, "\",\"payload\":\"62616c616e6365206f6620626f622069732035\"}"));
    assert_app_ok(app_proof_parse(json, strlen(json), &again));
    assert_string_equal(app_proof_json(again), json);
    assert_memory_equal(app_proof_payload(again, &size), "balance of bob is 5", 19);
    assert_int_equal(size, 19);
    assert_memory_equal(app_proof_public_key(again), p256_pair_public(e->live)->bytes,
                        APP_PUBLIC_KEY_SIZE);
    // Signed as applications of QuorumOS do: the payload's own bytes.
    assert_app_ok(app_verify(app_proof_public_key(again), PAYLOAD, app_proof_signature(again)));
    app_proof_free(proof);
    app_proof_free(again);
}

static void proofs_are_made_by_the_ephemeral_key_alone(void **state)
{
    struct enclave *e = *state;
    struct app_proof *proof = (struct app_proof *)e;
    struct app_key *quorum = read_quorum(e), *live = read_ephemeral(e);
    assert_status(app_proof_make(quorum, PAYLOAD, &proof), APP_REFUSED, "ephemeral key");
    assert_null(proof);
    assert_int_equal(app_proof_make(NULL, PAYLOAD, &proof), APP_BAD_INPUT);
    assert_int_equal(app_proof_make(live, NULL, 1, &proof), APP_BAD_INPUT);
    assert_int_equal(app_proof_make(live, PAYLOAD, NULL), APP_BAD_INPUT);
    assert_int_equal(app_proof_make(live, APP_LABEL_DOMAIN, sizeof APP_LABEL_DOMAIN, &proof),
                     APP_REFUSED);
    uint8_t *large = calloc(1, APP_PAYLOAD_MAX + 1);
    assert_non_null(large);
    assert_status(app_proof_make(live, large, APP_PAYLOAD_MAX + 1, &proof), APP_TOO_LARGE,
                  "payload");
    free(large);
    assert_null(proof);
    assert_app_ok(app_proof_make(live, NULL, 0, &proof));
    app_proof_free(proof);
    app_key_free(quorum);
    app_key_free(live);
}

static void assert_no_proof(const char *json, enum app_status expected)
{
    struct app_proof *proof = (struct app_proof *)(uintptr_t)json;
    assert_int_equal(app_proof_parse(json, strlen(json), &proof), expected);
    assert_null(proof);
}

// The JSON of a good proof with one string replaced.
static char *changed(const char *json, const char *from, const char *to)
{
    const char *at = strstr(json, from);
    assert_non_null(at);
    size_t room = strlen(json) + strlen(to) + 1;
    char *out = calloc(1, room);
    assert_non_null(out);
    (void)snprintf(out, room, "%.*s%s%s", (int)(at - json), json, to, at + strlen(from));
    return out;
}

static void malformed_proofs_are_refused(void **state)
{
    struct enclave *e = *state;
    struct app_proof *proof = make_proof(e);
    const char *json = app_proof_json(proof);
    static const struct {
        const char *from, *to;
        enum app_status expected;
    } changes[] = {
        {"\"signature\":\"", "\"signature\":\"00", APP_BAD_INPUT},
        {"\"signature\":\"", "\"signature\":\"0", APP_BAD_INPUT},
        {"\"signature\":\"", "\"signature\":\"zz", APP_BAD_INPUT},
        {"\"signature\"", "\"Signature\"", APP_BAD_INPUT},
        {"\"public_key\":\"04", "\"public_key\":\"05", APP_CRYPTO},
        {"\"public_key\":\"04", "\"public_key\":\"0404", APP_CRYPTO},
        {"\"payload\":", "\"payload\":\"\",\"payload\":", APP_BAD_INPUT},
        {"\"payload\":", "\"more\":\"\",\"payload\":", APP_BAD_INPUT},
        {"{", "", APP_BAD_INPUT},
        {"}", "} x", APP_BAD_INPUT},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char *bad = changed(json, changes[i].from, changes[i].to);
        assert_no_proof(bad, changes[i].expected);
        free(bad);
    }
    assert_no_proof("", APP_BAD_INPUT);
    assert_no_proof("{}", APP_BAD_INPUT);
    struct app_proof *none = proof;
    assert_int_equal(app_proof_parse(json, SIZE_MAX, &none), APP_TOO_LARGE);
    assert_null(none);
    assert_int_equal(app_proof_parse(NULL, 1, &none), APP_BAD_INPUT);
    assert_int_equal(app_proof_parse("{}", 2, NULL), APP_BAD_INPUT);
    app_proof_free(proof);
}

static void no_proof_says_nothing(void **state)
{
    (void)state;
    size_t size = 1;
    assert_null(app_proof_json(NULL));
    assert_null(app_proof_payload(NULL, &size));
    assert_int_equal(size, 0);
    assert_null(app_proof_payload(NULL, NULL));
    assert_null(app_proof_public_key(NULL));
    assert_null(app_proof_signature(NULL));
}

static struct app_evidence evidence_of(const struct enclave *e, const struct app_manifest *m)
{
    return (struct app_evidence){
        .document = e->document.p,
        .document_size = e->document.n,
        .manifest = m,
        .root = e->root.p,
        .root_size = e->root.n,
        .at = LATER,
    };
}

static void a_proof_of_an_attested_enclave_holds(void **state)
{
    struct enclave *e = *state;
    char *claims = NULL;
    struct app_proof *proof = make_proof(e);
    struct app_manifest *m = parse_manifest(e);
    const struct app_evidence evidence = evidence_of(e, m);
    assert_app_ok(app_proof_verify(proof, &evidence, &claims));
    json_t *read = json_loads(claims, JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(json_string_value(json_object_get(read, "provider")), "SIMULATED nitro");
    assert_true(json_is_true(json_object_get(read, "simulated")));
    assert_int_equal(json_integer_value(json_object_get(read, "timestampMs")), NOW_S * 1000);
    assert_int_equal(json_array_size(json_object_get(read, "registers")), 32);
    assert_int_equal(strlen(json_string_value(json_object_get(read, "rootSha256"))), 64);
    assert_int_equal(strlen(json_string_value(json_object_get(read, "publicKey"))), 260);
    assert_int_equal(strlen(json_string_value(json_object_get(read, "manifestHash"))), 64);
    assert_true(json_integer_value(json_object_get(read, "validFrom")) <= NOW_S);
    assert_true(json_integer_value(json_object_get(read, "validUntil")) >= LATER);
    json_decref(read);
    app_text_free(claims);
    assert_app_ok(app_proof_verify(proof, &evidence, NULL));
    app_manifest_free(m);
    app_proof_free(proof);
}

static void the_live_key_of_verified_evidence_can_be_sealed_to(void **state)
{
    struct enclave *e = *state;
    uint8_t live[APP_PUBLIC_KEY_SIZE], sealed[1 + APP_ENVELOPE_OVERHEAD], opened[1];
    struct app_manifest *m = parse_manifest(e);
    const struct app_evidence evidence = evidence_of(e, m);
    struct app_key *key = read_ephemeral(e);
    assert_app_ok(app_evidence_verify(&evidence, live, NULL));
    assert_app_ok(app_seal(live, "x", 1, sealed, sizeof sealed));
    assert_app_ok(app_open(key, sealed, sizeof sealed, opened, 1));
    assert_int_equal(opened[0], 'x');
    app_key_free(key);
    app_manifest_free(m);
}

static void a_changed_proof_is_refused(void **state)
{
    struct enclave *e = *state;
    struct app_proof *good = make_proof(e), *bad = NULL;
    struct app_manifest *m = parse_manifest(e);
    const struct app_evidence evidence = evidence_of(e, m);
    char *claims = (char *)e;
    char *other = changed(app_proof_json(good), "\"payload\":\"62", "\"payload\":\"63");
    assert_app_ok(app_proof_parse(other, strlen(other), &bad));
    assert_status(app_proof_verify(bad, &evidence, &claims), APP_CRYPTO,
                  "FailedSignatureVerification");
    assert_null(claims);
    free(other);
    app_proof_free(bad);
    app_proof_free(good);
    app_manifest_free(m);
}

static void a_proof_by_another_key_is_refused(void **state)
{
    struct enclave *e = *state;
    struct app_proof *proof = NULL;
    struct app_key *key = NULL;
    struct app_manifest *m = parse_manifest(e);
    const struct app_evidence evidence = evidence_of(e, m);
    assert_app_ok(app_ephemeral_key_read(e->quorum_path, &key)); // any other key in the file
    assert_app_ok(app_proof_make(key, PAYLOAD, &proof));
    assert_status(app_proof_verify(proof, &evidence, NULL), APP_ATTESTATION, "public key");
    assert_int_equal(app_proof_verify(NULL, &evidence, NULL), APP_BAD_INPUT);
    assert_int_equal(app_proof_verify(proof, NULL, NULL), APP_BAD_INPUT);
    app_proof_free(proof);
    app_key_free(key);
    app_manifest_free(m);
}

static int start(void **state)
{
    (void)state;
    return app_start(true, NULL) == APP_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENCLAVE_TEST(a_proof_survives_its_json),
        ENCLAVE_TEST(proofs_are_made_by_the_ephemeral_key_alone),
        ENCLAVE_TEST(malformed_proofs_are_refused),
        cmocka_unit_test(no_proof_says_nothing),
        ENCLAVE_TEST(a_proof_of_an_attested_enclave_holds),
        ENCLAVE_TEST(the_live_key_of_verified_evidence_can_be_sealed_to),
        ENCLAVE_TEST(a_changed_proof_is_refused),
        ENCLAVE_TEST(a_proof_by_another_key_is_refused),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
