// Reading without verifying, what a document's claims are made of, and that they outlive the bytes.
#include "tee_vectors.h"

#include "tee/document.h"

static void read_gives_the_claims_but_never_verified(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO document = {0}, root = {0};
    struct claims c;
    own_file("good", ".cose", &document);
    own_file("root.der", "", &root);
    assert_ok(attestation_read(buf_bytes(&document), &a, &c));
    memset(document.p, 0, document.n); // the claims live in the arena
    assert_false(c.verified);
    assert_true(c.simulated);
    assert_false(c.debug);
    assert_string_equal(c.provider, "nitro");
    assert_bytes(c.module_id, BYTES_LIT("i-0123456789abcdef0-enc0123456789abcdef"));
    assert_int_equal(c.register_count, 16);
    assert_true(c.registers[4].present && c.registers[4].n == 48);
    assert_false(c.registers[16].present);
    assert_int_equal(c.public_key.n, 65);
    assert_int_equal(c.user_data.n, 32);
    assert_null(c.nonce.p);
    assert_bytes(c.root, buf_bytes(&root));
}

static void read_takes_a_document_whose_signature_is_wrong(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO document = {0};
    struct claims c;
    own_file("signature_zero", ".cose", &document);
    assert_ok(attestation_read(buf_bytes(&document), &a, &c));
    assert_false(c.verified);
}

static void read_refuses_what_is_malformed(void **state)
{
    (void)state;
    static const char *const names[] = {"key_twice",   "trailing",     "protected_es256",
                                        "timestamp_0", "registers_33", "too_large",
                                        "empty"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ARENA_AUTO a = {0};
        BUF_AUTO document = {0};
        struct claims c;
        own_file(names[i], ".cose", &document);
        assert_int_not_equal(attestation_read(buf_bytes(&document), &a, &c), Q_OK);
    }
}

static void read_keeps_within_the_arena_budget(void **state)
{
    (void)state;
    ARENA_AUTO a = {.budget = 1024};
    BUF_AUTO document = {0};
    struct claims c;
    own_file("good", ".cose", &document);
    assert_int_equal(attestation_read(buf_bytes(&document), &a, &c), Q_NOMEM);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    BUF_AUTO document = {0};
    own_file("good", ".cose", &document);
    for (size_t n = 0; n < document.n; n++) {
        ARENA_AUTO a = {0};
        struct claims c;
        assert_int_not_equal(attestation_read(bytes_of(document.p, n), &a, &c), Q_OK);
    }
}

static void public_cose_example_verifies_with_its_key_only(void **state)
{
    (void)state;
    char path[1024];
    shared_path("vectors/qos/nsm/cose_es384.bin", path, sizeof path);
    BUF_AUTO example = {0}, signed_bytes = {0};
    VECTOR_FILE_AUTO facts = {0};
    struct cose cose;
    vector_file_shared(&facts, "vectors/qos/nsm/cose_es384.json");
    assert_ok(file_read(path, 4096, &example));
    assert_ok(cose_read(buf_bytes(&example), &cose));
    assert_bytes(cose.payload, bytes_str(vector_text(facts.root, "payload_text")));
    assert_ok(cose_signed_bytes(&cose, &signed_bytes));
    struct bytes point = vector_hex(&facts, facts.root, "p384_public_sec1");
    assert_ok(p384_verify(point, buf_bytes(&signed_bytes), cose.signature));
    signed_bytes.p[signed_bytes.n - 1] ^= 1;
    assert_int_equal(p384_verify(point, buf_bytes(&signed_bytes), cose.signature), Q_CRYPTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_gives_the_claims_but_never_verified),
        cmocka_unit_test(read_takes_a_document_whose_signature_is_wrong),
        cmocka_unit_test(read_refuses_what_is_malformed),
        cmocka_unit_test(read_keeps_within_the_arena_budget),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(public_cose_example_verifies_with_its_key_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
