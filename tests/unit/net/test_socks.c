// SOCKS5 handshakes, byte by byte and in pieces: what is taken, what is refused, and that nothing beyond the
// message is touched.
#include "../cmocka_setup.h"

#include "net/socks.h"

// Feeds all of text one byte at a time; what is left is in *rest.
static enum socks_step drip(struct socks *s, struct bytes text, struct bytes *rest)
{
    while (text.n > 0 && socks_wants(s) > 0) {
        struct bytes one = bytes_of(text.p, 1);
        (void)socks_take(s, &one);
        assert_int_equal(one.n, 0);
        text = bytes_of(text.p + 1, text.n - 1);
    }
    *rest = text;
    return s->step;
}

static enum socks_step whole(struct socks *s, struct bytes text)
{
    enum socks_step step = socks_take(s, &text);
    assert_int_equal(text.n, 0);
    return step;
}

static void to_request(struct socks *s)
{
    *s = (struct socks){0};
    assert_int_equal(whole(s, BYTES_LIT("\5\1\0")), SOCKS_CHOOSE);
    assert_int_equal(socks_wants(s), 0);
    socks_chosen(s);
    assert_int_equal(s->step, SOCKS_ASKING);
}

// Whole and byte by byte give the same step.
static enum socks_step ask(struct socks *s, struct bytes request)
{
    struct socks dripped;
    struct bytes rest;
    to_request(s);
    to_request(&dripped);
    struct bytes left = request;
    enum socks_step step = socks_take(s, &left);
    assert_int_equal(drip(&dripped, request, &rest), step);
    return step;
}

static void a_greeting_that_offers_no_authentication_is_accepted(void **state)
{
    (void)state;
    struct socks s = {0};
    assert_int_equal(socks_wants(&s), 2);
    assert_int_equal(whole(&s, BYTES_LIT("\5\3\2\1\0")), SOCKS_CHOOSE);
    uint8_t choice[SOCKS_CHOICE_SIZE];
    socks_choice(true, choice);
    assert_bytes(BYTES_OF(choice), BYTES_LIT("\5\0"));
}

static void a_greeting_without_that_method_is_answered_and_ends(void **state)
{
    (void)state;
    uint8_t choice[SOCKS_CHOICE_SIZE];
    struct socks s = {0};
    assert_int_equal(whole(&s, BYTES_LIT("\5\2\1\2")), SOCKS_NO_METHOD);
    s = (struct socks){0};
    assert_int_equal(whole(&s, BYTES_LIT("\5\0")), SOCKS_NO_METHOD);
    socks_choice(false, choice);
    assert_bytes(BYTES_OF(choice), BYTES_LIT("\5\xff"));
}

static void all_256_methods_fit(void **state)
{
    (void)state;
    uint8_t greeting[257] = {5, 255};
    memset(greeting + 2, 7, 255);
    struct socks s = {0};
    assert_int_equal(whole(&s, BYTES_OF(greeting)), SOCKS_NO_METHOD);
    greeting[256] = 0;
    s = (struct socks){0};
    assert_int_equal(whole(&s, BYTES_OF(greeting)), SOCKS_CHOOSE);
}

static void another_version_is_not_socks5(void **state)
{
    (void)state;
    const struct bytes texts[] = {BYTES_LIT("\4\1"), BYTES_LIT("\6"), BYTES_LIT("GET "),
                                  BYTES_LIT("\0")};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct socks s = {0};
        struct bytes text = texts[i];
        assert_int_equal(socks_take(&s, &text), SOCKS_NOT_SOCKS5);
        assert_int_equal(socks_wants(&s), 0);
    }
    struct socks s;
    assert_int_equal(ask(&s, BYTES_LIT("\4\1\0\1\177\0\0\1\0\120")), SOCKS_NOT_SOCKS5);
    assert_int_equal(ask(&s, BYTES_LIT("\5\1\1\1\177\0\0\1\0\120")), SOCKS_NOT_SOCKS5);
}

static void a_request_by_ipv4_is_read(void **state)
{
    (void)state;
    struct socks s;
    assert_int_equal(ask(&s, BYTES_LIT("\5\1\0\1\177\0\0\1\1\273")), SOCKS_ASKED);
    assert_int_equal(s.request.type, SOCKS_IPV4);
    assert_bytes(s.request.address, BYTES_LIT("\177\0\0\1"));
    assert_int_equal(s.request.port, 443);
}

static void a_request_by_ipv6_is_read(void **state)
{
    (void)state;
    struct socks s;
    assert_int_equal(ask(&s, BYTES_LIT("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\377\377")),
                     SOCKS_ASKED);
    assert_int_equal(s.request.type, SOCKS_IPV6);
    assert_bytes(s.request.address, BYTES_LIT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"));
    assert_int_equal(s.request.port, 65535);
}

static void a_request_by_name_is_read_with_every_byte_of_it(void **state)
{
    (void)state;
    struct socks s;
    assert_int_equal(ask(&s, BYTES_LIT("\5\1\0\3\4a\0.b\0\120")), SOCKS_ASKED);
    assert_int_equal(s.request.type, SOCKS_NAME);
    assert_bytes(s.request.address, BYTES_LIT("a\0.b"));
    assert_int_equal(s.request.port, 80);
}

static void the_longest_name_fits_exactly(void **state)
{
    (void)state;
    uint8_t request[SOCKS_MESSAGE_MAX] = {5, 1, 0, 3, 255};
    memset(request + 5, 'x', 255);
    request[261] = 9;
    struct socks s;
    assert_int_equal(ask(&s, BYTES_OF(request)), SOCKS_ASKED);
    assert_int_equal(s.request.address.n, 255);
    assert_int_equal(s.request.port, 9);
}

static void an_empty_name_is_refused(void **state)
{
    (void)state;
    struct socks s;
    assert_int_equal(ask(&s, BYTES_LIT("\5\1\0\3\0\0\120")), SOCKS_UNSERVED);
    assert_int_equal(s.refusal, SOCKS_FAILED);
}

static void other_commands_and_address_types_get_their_own_reply(void **state)
{
    (void)state;
    struct socks s;
    for (unsigned command = 0; command < 256; command++) {
        uint8_t request[10] = {5, (uint8_t)command, 0, 1};
        enum socks_step step = ask(&s, BYTES_OF(request));
        assert_int_equal(step, command == 1 ? SOCKS_ASKED : SOCKS_UNSERVED);
        assert_true(command == 1 || s.refusal == SOCKS_NO_SUCH_COMMAND);
    }
    for (unsigned type = 0; type < 256; type++) {
        uint8_t request[5] = {5, 1, 0, (uint8_t)type, 1};
        enum socks_step step = ask(&s, BYTES_OF(request));
        bool known = type == 1 || type == 3 || type == 4;
        assert_int_equal(step, known ? SOCKS_ASKING : SOCKS_UNSERVED);
        assert_true(known || s.refusal == SOCKS_NO_SUCH_ADDRESS_TYPE);
    }
}

static void every_truncation_asks_for_more(void **state)
{
    (void)state;
    const struct bytes texts[] = {BYTES_LIT("\5\1\0\1\177\0\0\1\0\120"),
                                  BYTES_LIT("\5\1\0\3\3abc\0\120"),
                                  BYTES_LIT("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\120")};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (size_t n = 0; n < texts[i].n; n++) {
            struct socks s;
            assert_int_equal(ask(&s, bytes_of(texts[i].p, n)), SOCKS_ASKING);
            assert_true(socks_wants(&s) > 0 && socks_wants(&s) <= texts[i].n - n);
        }
    }
}

static void what_follows_a_message_is_left(void **state)
{
    (void)state;
    struct socks s = {0};
    struct bytes in = BYTES_LIT("\5\1\0\5\1\0\1\177\0\0\1\0\120GET /");
    assert_int_equal(socks_take(&s, &in), SOCKS_CHOOSE);
    assert_int_equal(socks_take(&s, &in), SOCKS_CHOOSE);
    socks_chosen(&s);
    assert_int_equal(socks_take(&s, &in), SOCKS_ASKED);
    assert_bytes(in, BYTES_LIT("GET /"));
    assert_int_equal(socks_take(&s, &in), SOCKS_ASKED);
    assert_bytes(in, BYTES_LIT("GET /"));
}

static void answers_have_the_form_of_rfc_1928(void **state)
{
    (void)state;
    uint8_t answer[SOCKS_REPLY_SIZE];
    socks_answer(SOCKS_NOT_ALLOWED, answer);
    assert_bytes(BYTES_OF(answer), BYTES_LIT("\5\2\0\1\0\0\0\0\0\0"));
    socks_answer(SOCKS_NO_SUCH_ADDRESS_TYPE, answer);
    assert_int_equal(answer[1], 8);
    socks_answer(SOCKS_SUCCEEDED, answer);
    assert_int_equal(answer[1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_greeting_that_offers_no_authentication_is_accepted),
        cmocka_unit_test(a_greeting_without_that_method_is_answered_and_ends),
        cmocka_unit_test(all_256_methods_fit),
        cmocka_unit_test(another_version_is_not_socks5),
        cmocka_unit_test(a_request_by_ipv4_is_read),
        cmocka_unit_test(a_request_by_ipv6_is_read),
        cmocka_unit_test(a_request_by_name_is_read_with_every_byte_of_it),
        cmocka_unit_test(the_longest_name_fits_exactly),
        cmocka_unit_test(an_empty_name_is_refused),
        cmocka_unit_test(other_commands_and_address_types_get_their_own_reply),
        cmocka_unit_test(every_truncation_asks_for_more),
        cmocka_unit_test(what_follows_a_message_is_left),
        cmocka_unit_test(answers_have_the_form_of_rfc_1928),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
