// What the quorum key signs of an answer, and what is taken for such an answer (docs/instance-auth.md, "Checking an
// answer"; renclave 9, finding 13): against answers that an independent model signed.
#include "protocol_vectors.h"

#include "crypto/p256.h"
#include "protocol/instance.h"

#include <ctype.h>

struct signed_answer {
    struct p256_public quorum_key;
    struct bytes signed_text, body, message, signature, answer;
    unsigned status;
};

static size_t rows_of(struct vector_file *f)
{
    vector_file_own(f, "protocol/answers.json");
    return json_array_size(vector_field(f->root, "rows"));
}

static struct signed_answer row_of(struct vector_file *f, size_t i)
{
    const json_t *row = json_array_get(vector_field(f->root, "rows"), i);
    struct signed_answer r = {.signed_text = text_field(row, "signed_text"),
                              .body = text_field(row, "body"),
                              .message = text_field(row, "message"),
                              .signature = vector_hex(f, row, "signature"),
                              .answer = text_field(row, "answer"),
                              .status = vector_number(row, "status")};
    assert_ok(p256_public_parse_short(vector_hex(f, row, "quorum_key"), &r.quorum_key));
    return r;
}

static enum q_err verified(const struct signed_answer *r)
{
    return api_answer_verify(&r->quorum_key, r->signed_text, r->status, r->answer);
}

static void the_model_signs_the_same_text_and_puts_it_at_the_same_place(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    size_t n = rows_of(&f);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++) {
        const struct signed_answer r = row_of(&f, i);
        BUF_AUTO message = {0}, answer = {0};
        uint8_t request[SHA256_SIZE];
        assert_ok(sha256(r.signed_text, request));
        assert_ok(api_answer_message(request, r.status, r.body, &message));
        assert_bytes(buf_bytes(&message), r.message);
        assert_ok(buf_append(&answer, r.body));
        assert_ok(api_answer_attach(r.signature, &answer));
        assert_bytes(buf_bytes(&answer), r.answer);
        assert_ok(verified(&r));
    }
}

static void no_byte_of_an_answer_can_be_changed(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    size_t n = rows_of(&f);
    for (size_t i = 0; i < n; i++) {
        struct signed_answer r = row_of(&f, i);
        BUF_AUTO changed = {0};
        assert_ok(buf_append(&changed, r.answer));
        r.answer = buf_bytes(&changed);
        for (size_t at = 0; at < changed.n; at++) {
            changed.p[at] ^= 1;
            assert_int_not_equal(verified(&r), Q_OK);
            changed.p[at] ^= 1;
        }
        assert_ok(verified(&r));
    }
}

static void an_answer_that_is_cut_extended_or_in_upper_case_is_none(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    (void)rows_of(&f);
    const struct signed_answer whole = row_of(&f, 0);
    struct signed_answer r = whole;
    BUF_AUTO other = {0};
    for (r.answer.n = 0; r.answer.n < whole.answer.n; r.answer.n++)
        assert_int_equal(verified(&r), Q_CRYPTO);
    for (size_t at = 1; at <= whole.answer.n; at++) {
        r.answer = bytes_of(whole.answer.p + at, whole.answer.n - at);
        assert_int_equal(verified(&r), Q_CRYPTO);
    }
    assert_ok(buf_append(&other, whole.answer));
    for (size_t at = other.n - 130; at < other.n - 2; at++)
        other.p[at] = (uint8_t)toupper(other.p[at]);
    r.answer = buf_bytes(&other);
    assert_int_equal(verified(&r), Q_CRYPTO);
    assert_non_null(strstr(err_text(), "lower-case"));
    buf_clear(&other);
    assert_ok(buf_append(&other, whole.answer));
    assert_ok(buf_u8(&other, '\n'));
    r.answer = buf_bytes(&other);
    assert_int_equal(verified(&r), Q_CRYPTO);
    assert_non_null(strstr(err_text(), "found none"));
}

static void the_signature_is_of_one_key_request_and_status(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    P256_PAIR_AUTO *pair = NULL;
    (void)rows_of(&f);
    const struct signed_answer good = row_of(&f, 0), other = row_of(&f, 2);
    struct signed_answer changed[] = {good, good, good, good};
    assert_ok(p256_pair_generate(&pair));
    changed[0].quorum_key = *p256_pair_public(pair);
    changed[1].signed_text = other.signed_text;
    changed[2].status = 201;
    changed[3].answer = other.answer;
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        assert_int_equal(verified(&changed[i]), Q_CRYPTO);
        assert_non_null(strstr(err_text(), "answer_signature: expected the quorum key's"));
    }
    assert_ok(verified(&good));
}

int main(void)
{
    if (secret_init(true) != Q_OK || json_start() != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_model_signs_the_same_text_and_puts_it_at_the_same_place),
        cmocka_unit_test(no_byte_of_an_answer_can_be_changed),
        cmocka_unit_test(an_answer_that_is_cut_extended_or_in_upper_case_is_none),
        cmocka_unit_test(the_signature_is_of_one_key_request_and_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
