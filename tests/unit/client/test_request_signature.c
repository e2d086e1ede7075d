// The text and the header of a signed request to an instance (client/instance/request_signature.h).
#include "../cmocka_setup.h"

#include "base/hex.h"
#include "client/instance/request_signature.h"

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct p256_pair *pair_of(enum p256_suite suite)
{
    static const uint8_t seed[P256_SEED_SIZE] = {[P256_SEED_SIZE - 1] = 7};
    struct p256_pair *pair = NULL;
    assert_ok(p256_pair_from_seed_suite(suite, BYTES_OF(seed), &pair));
    return pair;
}

static void the_text_has_seven_lines_and_no_newline_at_its_end(void **state)
{
    (void)state;
    BUF_AUTO text = {0};
    const struct request_to_sign r = {.method = "GET", .path = "/enclave/get-data?key=a"};
    const struct request_signer s = {.enclave_id = "id-1", .nonce = UINT64_MAX};
    assert_ok(request_signed_text(&r, &s, &text));
    assert_string_equal(buf_text(&text),
                        "quorate-api-v1\nid-1\nGET\n/enclave/get-data?key=a\n" EMPTY_SHA256
                        "\n18446744073709551615\n");
}

// What differs in any part is another text, so that no signature serves for two requests.
static void every_part_of_a_request_changes_the_text(void **state)
{
    (void)state;
    P256_PAIR_AUTO *pair = pair_of(P256_SUITE_QOS);
    const struct request_to_sign requests[] = {{"POST", "/a", BYTES_LIT("{}")},
                                               {"GET", "/a", BYTES_LIT("{}")},
                                               {"POST", "/b", BYTES_LIT("{}")},
                                               {"POST", "/a", BYTES_LIT("{ }")}};
    const struct request_signer signers[] = {
        {.enclave_id = "x", .nonce = 1},
        {.enclave_id = "y", .nonce = 1},
        {.enclave_id = "x", .nonce = 2},
        {.enclave_id = "x", .nonce = 1, .reply_key = p256_pair_public(pair)}};
    BUF_AUTO first = {0};
    assert_ok(request_signed_text(&requests[0], &signers[0], &first));
    for (size_t i = 1; i < 4; i++) {
        BUF_AUTO by_request = {0}, by_signer = {0};
        assert_ok(request_signed_text(&requests[i], &signers[0], &by_request));
        assert_ok(request_signed_text(&requests[0], &signers[i], &by_signer));
        assert_false(bytes_equal(buf_bytes(&first), buf_bytes(&by_request)));
        assert_false(bytes_equal(buf_bytes(&first), buf_bytes(&by_signer)));
    }
}

// The value behind name= in a header, up to the next comma.
static struct bytes field_of(const char *header, const char *name)
{
    const char *at = strstr(header, name);
    assert_non_null(at);
    at += strlen(name);
    return bytes_of(at, strcspn(at, ","));
}

static void check_header(enum p256_suite suite, size_t key_characters, bool reply)
{
    P256_PAIR_AUTO *pair = pair_of(suite);
    BUF_AUTO header = {0}, text = {0};
    uint8_t signature[P256_SIGNATURE_SIZE];
    const struct request_to_sign r = {"POST", "/enclave/reset", BYTES_LIT("{}")};
    const struct request_signer s = {.pair = pair,
                                     .enclave_id = "id",
                                     .nonce = 5,
                                     .reply_key = reply ? p256_pair_public(pair) : NULL};
    assert_ok(request_authorization(&r, &s, &header));
    assert_ok(request_signed_text(&r, &s, &text));
    const char *h = buf_text(&header);
    assert_ptr_equal(strstr(h, "Quorate key="), h);
    assert_int_equal(field_of(h, "Quorate key=").n, key_characters);
    assert_true(bytes_is(field_of(h, ", nonce="), "5"));
    assert_int_equal(strstr(h, ", reply-key=") != NULL, reply);
    assert_ok(hex_decode_fixed(field_of(h, ", signature="), signature, sizeof signature));
    assert_ok(p256_verify(p256_pair_public(pair), buf_bytes(&text), BYTES_OF(signature)));
}

static void the_header_names_the_key_in_its_own_form_and_its_signature_holds(void **state)
{
    (void)state;
    check_header(P256_SUITE_QOS, 260, false);
    check_header(P256_SUITE_QOS, 260, true);
    check_header(P256_SUITE_RENCLAVE, 130, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_has_seven_lines_and_no_newline_at_its_end),
        cmocka_unit_test(every_part_of_a_request_changes_the_text),
        cmocka_unit_test(the_header_names_the_key_in_its_own_form_and_its_signature_holds),
    };
    if (secret_init(true) != Q_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
