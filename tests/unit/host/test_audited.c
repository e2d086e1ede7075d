// Which messages leave an event in the host's audit log (host/audited.h).
#include "../cmocka_setup.h"

#include "host/audited.h"

static void assert_event(const char *request, const char *expected)
{
    const char *event = audited_event(bytes_str(request));
    if (expected == NULL && event != NULL)
        fail_msg("%s: expected no event, found %s", request, event);
    if (expected != NULL && (event == NULL || strcmp(event, expected) != 0))
        fail_msg("%s: expected %s, found %s", request, expected, event == NULL ? "none" : event);
}

static void known_questions_leave_no_event(void **state)
{
    (void)state;
    static const char *const questions[] = {"\"statusRequest\"",
                                            "{\"statusRequest\":null}",
                                            " { \"versionRequest\" : null}",
                                            "\"liveAttestationDocRequest\"",
                                            "{\"quorateStateRequest\":null}",
                                            "\"quorateReshareAttestationRequest\"",
                                            "{\"proxyRequest\":{}}",
                                            "{\"manifestEnvelopeRequest\":null}",
                                            "\x01",
                                            "\x09",
                                            "\x0b",
                                            "\x13",
                                            "\x15"};
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        assert_event(questions[i], NULL);
}

static void what_may_change_something_is_named(void **state)
{
    (void)state;
    assert_event("{\"bootGenesisRequest\":{}}", "bootGenesisRequest");
    assert_event("\n\t{ \"provisionRequest\":{}}", "provisionRequest");
    assert_event("{\"quorateBoundProvisionRequest\":{}}", "quorateBoundProvisionRequest");
    assert_event("\x03 and so on", "bootStandardRequest");
    assert_event("\x05", "bootGenesisRequest");
    assert_event("\x07", "provisionRequest");
    assert_event("\x0d rest", "bootKeyForwardRequest");
    assert_event("\x0d{", "unknown message"); // neither form has such a message
    assert_event("\x11", "injectKeyRequest");
    assert_event("\x17", "bootStandardJsonEnvelopeRequest");
}

// Other spellings of a name must not hide it.
static void whatever_else_it_is_it_leaves_an_event(void **state)
{
    (void)state;
    static const char *const others[] = {"",
                                         "{",
                                         "\"",
                                         "{}",
                                         "[]",
                                         "{\"status\\u0052equest\":null}",
                                         "{\"bootStandard\\u0052equest\":{}}",
                                         "\"statusRequest",
                                         "{\"StatusRequest\":null}",
                                         "\x30",
                                         "\xff\xff",
                                         "  ",
                                         "null"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_event(others[i], "unknown message");
}

static void every_name_of_a_message_is_an_event_or_a_question(void **state)
{
    (void)state;
    size_t questions = 0;
    for (size_t i = 0; i < type_message.count; i++) {
        const struct variant *v = &type_message.variants[i];
        const uint8_t borsh[] = {v->index, 0};
        const char *event = audited_event(BYTES_OF(borsh));
        char json[80];
        questions += event == NULL ? 1 : 0;
        if (v->name == NULL)
            continue;
        (void)snprintf(json, sizeof json, "{\"%s\":", v->name);
        assert_event(json, event);
    }
    assert_int_equal(questions, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_questions_leave_no_event),
        cmocka_unit_test(what_may_change_something_is_named),
        cmocka_unit_test(whatever_else_it_is_it_leaves_an_event),
        cmocka_unit_test(every_name_of_a_message_is_an_event_or_a_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
