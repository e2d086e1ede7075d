// Messages: every kind in both encodings, what is refused and under which name, errors for people.
#include "protocol_vectors.h"

#include "crypto/p256.h"

// Decodes and checks the encoding that was recognised.
static enum q_err decode(struct bytes in, struct arena *a, struct message *out,
                         enum encoding expected, struct protocol_error *why)
{
    enum encoding was;
    enum q_err err = message_decode(in, a, out, &was, why);
    if (err == Q_OK)
        assert_int_equal(was, expected);
    return err;
}

static void encodes_to(const struct message *m, enum encoding as, struct bytes expected)
{
    BUF_AUTO out = {0};
    struct protocol_error why;
    assert_ok(message_encode(m, as, &out, &why));
    assert_bytes(buf_bytes(&out), expected);
}

// One row of messages.json, or of the shared list: canonical JSON, Borsh, and how Borsh is refused.
static void check_row(struct vector_file *f, const json_t *row, const char *json_key,
                      const char *borsh_key, const char *borsh_error)
{
    ARENA_AUTO a = {0};
    struct message from_json = {0}, from_borsh = {0};
    struct protocol_error why = {0};
    const char *canonical = json_string_value(json_object_get(row, json_key));
    bool has_borsh = json_is_string(json_object_get(row, borsh_key));
    struct bytes borsh = has_borsh ? vector_hex(f, row, borsh_key) : BYTES_NONE;
    if (canonical != NULL) {
        assert_ok(decode(bytes_str(canonical), &a, &from_json, ENCODING_JSON, &why));
        encodes_to(&from_json, ENCODING_JSON, bytes_str(canonical));
    }
    if (has_borsh && borsh_error != NULL) {
        assert_int_equal(decode(borsh, &a, &from_borsh, ENCODING_BORSH, &why), Q_REFUSED);
        assert_string_equal(protocol_error_name((enum protocol_error_kind)why.tag), borsh_error);
    } else if (has_borsh) {
        assert_ok(decode(borsh, &a, &from_borsh, ENCODING_BORSH, &why));
        encodes_to(&from_borsh, ENCODING_BORSH, borsh);
    }
    bool genesis = borsh_error != NULL && strcmp(borsh_error, "LegacyGenesisNotSupported") == 0;
    if (canonical != NULL && has_borsh && !genesis)
        encodes_to(&from_json, ENCODING_BORSH, borsh);
    if (canonical != NULL && has_borsh && borsh_error == NULL)
        encodes_to(&from_borsh, ENCODING_JSON, bytes_str(canonical));
}

static void every_message_has_exactly_these_bytes(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "protocol/messages.json");
    bool seen[256] = {0};
    size_t i;
    json_t *row;
    json_array_foreach(f.root, i, row)
    {
        check_row(&f, row, "canonical", "borsh",
                  json_string_value(json_object_get(row, "borsh_error")));
        seen[vector_number(row, "index") & 0xff] = true;
    }
    for (size_t v = 0; v < type_message.count; v++)
        if (!seen[type_message.variants[v].index])
            fail_msg("message %d has no vector", type_message.variants[v].index);
}

static void every_message_survives_plain_json(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "protocol/messages.json");
    size_t i;
    json_t *row;
    json_array_foreach(f.root, i, row)
    {
        ARENA_AUTO a = {0};
        BUF_AUTO plain = {0};
        struct message m = {0};
        const char *canonical = json_string_value(json_object_get(row, "canonical"));
        if (canonical == NULL)
            continue;
        assert_ok(decode(bytes_str(canonical), &a, &m, ENCODING_JSON, NULL));
        assert_ok(json_encode(&type_message, &m, JSON_PLAIN, &plain));
        assert_ok(decode(buf_bytes(&plain), &a, &m, ENCODING_JSON, NULL));
        encodes_to(&m, ENCODING_JSON, bytes_str(canonical));
    }
}

static void one_byte_more_or_less_is_refused(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "protocol/messages.json");
    size_t i;
    json_t *row;
    json_array_foreach(f.root, i, row)
    {
        ARENA_AUTO a = {0};
        BUF_AUTO longer = {0};
        struct message m;
        const char *canonical = json_string_value(json_object_get(row, "canonical"));
        if (json_is_string(json_object_get(row, "borsh"))) {
            struct bytes borsh = vector_hex(&f, row, "borsh");
            assert_ok(buf_append(&longer, borsh));
            assert_ok(buf_u8(&longer, 0));
            assert_int_not_equal(decode(buf_bytes(&longer), &a, &m, ENCODING_BORSH, NULL), Q_OK);
            borsh.n--;
            assert_int_not_equal(decode(borsh, &a, &m, ENCODING_BORSH, NULL), Q_OK);
        }
        if (canonical == NULL)
            continue;
        buf_clear(&longer);
        assert_ok(buf_append_str(&longer, canonical));
        assert_ok(buf_append_str(&longer, "1"));
        assert_int_not_equal(decode(buf_bytes(&longer), &a, &m, ENCODING_JSON, NULL), Q_OK);
        longer.n -= 2;
        assert_int_not_equal(decode(buf_bytes(&longer), &a, &m, ENCODING_JSON, NULL), Q_OK);
    }
}

static void refused_as(struct bytes in, enum protocol_error_kind kind, const char *sentence)
{
    ARENA_AUTO a = {0};
    struct message m;
    struct protocol_error why = {0};
    enum encoding was;
    assert_refused(message_decode(in, &a, &m, &was, &why), Q_REFUSED, sentence);
    assert_int_equal(why.tag, kind);
}

static void unreadable(struct bytes in, const char *sentence)
{
    refused_as(in, PE_PROTOCOL_MSG_DESERIALIZATION, sentence);
}

static void malformed_borsh_is_refused(void **state)
{
    (void)state;
    unreadable(BYTES_NONE, "at least 1 byte");
    unreadable(BYTES_LIT("\x18"), "ProtocolMsgDeserialization");     // no such message
    unreadable(BYTES_LIT("\x01\x00"), "ProtocolMsgDeserialization"); // trailing byte
    unreadable(BYTES_LIT("\x02\x06"), "ProtocolMsgDeserialization"); // no such phase
    unreadable(BYTES_LIT("\x08\x02"), "ProtocolMsgDeserialization"); // neither true nor false
    unreadable(BYTES_LIT("\x14\x02"), "ProtocolMsgDeserialization"); // neither none nor some
    unreadable(BYTES_LIT("\x00\x3d"), "ProtocolMsgDeserialization"); // no such error
    unreadable(BYTES_LIT("\x09\xff\xff\xff\xff\x01"), "ProtocolMsgDeserialization"); // too long
    unreadable(BYTES_LIT("\x00\x13\x02\x00\x00\x00\xc3\x28"),
               "ProtocolMsgDeserialization"); // UTF-8
    unreadable(
        BYTES_LIT("\x04\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff"),
        "ProtocolMsgDeserialization"); // more PCRs than bytes
}

static void our_own_messages_have_no_borsh(void **state)
{
    (void)state;
    unreadable(BYTES_LIT("\x81"), "got 129");
    struct message m = {.tag = MSG_QUORATE_STATE_REQUEST};
    struct protocol_error why = {0};
    BUF_AUTO out = {0};
    assert_refused(message_encode(&m, ENCODING_BORSH, &out, &why), Q_REFUSED, "InvalidMsg");
    assert_int_equal(why.tag, PE_INVALID_MSG);
    encodes_to(&m, ENCODING_JSON, BYTES_LIT("\"quorateStateRequest\""));
}

static void malformed_json_is_refused_with_a_sentence_about_json(void **state)
{
    (void)state;
    unreadable(BYTES_LIT("\"noSuchRequest\""), "ProtocolMsgDeserialization");
    unreadable(BYTES_LIT("\"StatusRequest\""), "ProtocolMsgDeserialization");
    unreadable(BYTES_LIT("{\"statusRequest\":null,\"versionRequest\":null}"),
               "ProtocolMsgDeserialization");
    unreadable(BYTES_LIT("{\"statusRequest\":null} x"), "ProtocolMsgDeserialization");
    unreadable(BYTES_LIT("{\"provisionResponse\":{\"reconstructed\":true,\"reconstructed\":true}}"),
               "ProtocolMsgDeserialization");
    unreadable(BYTES_LIT("{\"provisionResponse\":{\"reconstructed\":1}}"), "reconstructed");
    unreadable(BYTES_LIT("{\"provisionResponse\":{}}"), "reconstructed");
    unreadable(BYTES_LIT("{\"proxyRequest\":{\"data\":\"0\"}}"), "LengthOne");
    unreadable(BYTES_LIT("[\"statusRequest\"]"), "ProtocolMsgDeserialization");
    unreadable(BYTES_LIT("{\"statusRequest\""), "ProtocolMsgDeserialization");
    unreadable(BYTES_LIT(" \t\r\n"), "ProtocolMsgDeserialization");
    unreadable(BYTES_LIT("true"), "ProtocolMsgDeserialization");
    unreadable(
        BYTES_LIT("{\"protocolErrorResponse\":{\"InvalidStateTransition\":[\"GenesisBooted\"]}}"),
        "ProtocolMsgDeserialization");
    unreadable(BYTES_LIT("{\"bootStandardJsonEnvelopeRequest\":{}}"), "ProtocolMsgDeserialization");
}

static void units_may_be_objects_and_json_may_have_space_around_it(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    struct message m;
    assert_ok(decode(BYTES_LIT("{\"statusRequest\":null}"), &a, &m, ENCODING_JSON, NULL));
    assert_int_equal(m.tag, MSG_STATUS_REQUEST);
    assert_ok(decode(BYTES_LIT(" \r\n\t\"versionRequest\" \n"), &a, &m, ENCODING_JSON, NULL));
    assert_int_equal(m.tag, MSG_VERSION_REQUEST);
    assert_ok(
        decode(BYTES_LIT("{\"statusResponse\":\"genesisBooted\"}"), &a, &m, ENCODING_JSON, NULL));
    assert_int_equal(m.status.tag, PHASE_GENESIS_BOOTED);
}

// {"x": [[[...]]]} with a field that would be ignored.
static void nested(struct buf *out, size_t depth)
{
    assert_ok(buf_append_str(out, "{\"provisionResponse\":{\"reconstructed\":true,\"x\":"));
    for (size_t i = 0; i < depth; i++)
        assert_ok(buf_u8(out, '['));
    for (size_t i = 0; i < depth; i++)
        assert_ok(buf_u8(out, ']'));
    assert_ok(buf_append_str(out, "}}"));
}

static void json_is_bounded_in_depth_and_number_of_values(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO text = {0};
    struct message m;
    nested(&text, 64);
    assert_ok(decode(buf_bytes(&text), &a, &m, ENCODING_JSON, NULL));
    buf_clear(&text);
    nested(&text, JSON_MAX_DEPTH);
    unreadable(buf_bytes(&text), "ProtocolMsgDeserialization");
    buf_clear(&text);
    nested(&text, 1000000);
    unreadable(buf_bytes(&text), "ProtocolMsgDeserialization");
    buf_clear(&text);
    assert_ok(buf_append_str(&text, "{\"provisionResponse\":{\"reconstructed\":true,\"x\":[0"));
    for (size_t i = 0; i < JSON_MAX_VALUES; i++)
        assert_ok(buf_append_str(&text, ",0"));
    assert_ok(buf_append_str(&text, "]}}"));
    unreadable(buf_bytes(&text), "ProtocolMsgDeserialization");
}

static void too_large_payloads_are_refused_by_name(void **state)
{
    (void)state;
    uint8_t *memory = calloc(1, MESSAGE_MAX_SIZE + 1);
    assert_non_null(memory);
    memory[0] = '{';
    refused_as(bytes_of(memory, MESSAGE_MAX_SIZE + 1), PE_OVERSIZED_PAYLOAD,
               "at most 134217728 bytes");
    unreadable(bytes_of(memory, MESSAGE_MAX_JSON + 1), "at most 67108864 bytes of JSON");
    free(memory);
}

static void borsh_that_begins_like_json_is_borsh(void **state)
{
    (void)state;
    ARENA_AUTO a = {0};
    BUF_AUTO in = {0};
    struct message m;
    // Index 9 and 10 are a tab and a line feed; the length 123 is "{", 34 is a quote.
    for (uint8_t index = MSG_PROXY_REQUEST; index <= MSG_PROXY_RESPONSE; index++) {
        for (int n = 0; n < 256; n++) {
            buf_clear(&in);
            assert_ok(buf_u8(&in, index));
            assert_ok(buf_u32le(&in, (uint32_t)n));
            for (int i = 0; i < n; i++)
                assert_ok(buf_u8(&in, '}'));
            assert_ok(decode(buf_bytes(&in), &a, &m, ENCODING_BORSH, NULL));
            assert_int_equal(m.tag, index);
            assert_int_equal(m.proxy.data.n, n);
        }
    }
}

static void genesis_has_no_borsh(void **state)
{
    (void)state;
    struct message m = {.tag = MSG_BOOT_GENESIS_REQUEST};
    struct protocol_error why = {0};
    BUF_AUTO out = {0};
    assert_ok(buf_u8(&out, 7));
    assert_refused(message_encode(&m, ENCODING_BORSH, &out, &why), Q_REFUSED,
                   "LegacyGenesisNotSupported");
    assert_int_equal(why.tag, PE_LEGACY_GENESIS_NOT_SUPPORTED);
    assert_int_equal(out.n, 1);
    refused_as(BYTES_LIT("\x05\0\0\0\0\x02\0\0\0\0"), PE_LEGACY_GENESIS_NOT_SUPPORTED, "as JSON");
    unreadable(BYTES_LIT("\x05\0\0\0\0\x02\0\0\0"), "ProtocolMsgDeserialization");
}

static void envelope_of(const struct vector_file *f, unsigned version, struct arena *a,
                        struct manifest_envelope *out)
{
    const json_t *envelope = vector_field(manifest_row(f, version), "envelope");
    assert_ok(envelope_read(text_field(envelope, "storage"), a, out));
}

static void a_reply_that_borsh_cannot_say_is_invalid_msg(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "protocol/manifests.json");
    struct manifest_envelope e;
    envelope_of(&f, 2, &f.arena, &e);
    struct message m = {.tag = MSG_MANIFEST_ENVELOPE_RESPONSE, .envelope = {&e}};
    struct protocol_error why = {0};
    BUF_AUTO out = {0};
    assert_ok(buf_u8(&out, 7));
    assert_refused(message_encode(&m, ENCODING_BORSH, &out, &why), Q_REFUSED,
                   "ManifestV2NotConvertibleToBorsh");
    assert_int_equal(why.tag, PE_INVALID_MSG);
    assert_int_equal(out.n, 1);
}

static void message_23_has_no_json(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "protocol/manifests.json");
    struct message m = {.tag = MSG_BOOT_STANDARD_JSON_ENVELOPE_REQUEST};
    struct protocol_error why = {0};
    BUF_AUTO out = {0};
    envelope_of(&f, 2, &f.arena, &m.boot.manifest_envelope);
    m.boot.pivot = BYTES_LIT("elf");
    assert_refused(message_encode(&m, ENCODING_JSON, &out, &why), Q_REFUSED, "InvalidMsg");
    assert_int_equal(why.tag, PE_INVALID_MSG);
}

static void message_23_refuses_an_envelope_that_is_not_json(void **state)
{
    (void)state;
    unreadable(BYTES_LIT("\x17\0\0\0\0\0\0\0\0"), "ProtocolMsgDeserialization");
    unreadable(BYTES_LIT("\x17\x02\0\0\0{}\0\0\0\0"), "manifest");
    unreadable(BYTES_LIT("\x17\xff\0\0\0{}\0\0\0\0"), "ProtocolMsgDeserialization");
}

// The same application in every version: what variant 23 carries is what variant 3 carries.
static void messages_23_and_3_decode_to_the_same_request(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "protocol/manifests.json");
    for (unsigned version = 0; version < 3; version++) {
        ARENA_AUTO a = {0};
        BUF_AUTO borsh = {0};
        BUF_AUTO json = {0};
        struct message m = {.tag = MSG_BOOT_STANDARD_JSON_ENVELOPE_REQUEST}, read;
        envelope_of(&f, version, &f.arena, &m.boot.manifest_envelope);
        m.boot.pivot = BYTES_LIT("elf");
        assert_ok(message_encode(&m, ENCODING_BORSH, &borsh, NULL));
        assert_ok(decode(buf_bytes(&borsh), &a, &read, ENCODING_BORSH, NULL));
        assert_int_equal(read.boot.manifest_envelope.manifest.version, version);
        assert_bytes(read.boot.pivot, BYTES_LIT("elf"));
        m.tag = read.tag = MSG_BOOT_STANDARD_REQUEST;
        assert_ok(message_encode(&m, ENCODING_JSON, &json, NULL));
        encodes_to(&read, ENCODING_JSON, buf_bytes(&json));
    }
}

static void displays(const struct protocol_error *e, const char *expected)
{
    BUF_AUTO out = {0};
    assert_ok(protocol_error_display(e, &out));
    assert_string_equal(buf_text(&out), expected);
}

static void errors_are_shown_as_one_phrase(void **state)
{
    (void)state;
    displays(&(struct protocol_error){.tag = PE_INVALID_SHARE}, "InvalidShare");
    displays(&(struct protocol_error){.tag = PE_LOW_NONCE, .low_nonce = {5, 3}},
             "LowNonce { expected: 5, actual: 3 }");
    displays(&(struct protocol_error){.tag = PE_NO_MATCHING_ROUTE, .phase = {2}},
             "NoMatchingRoute(GenesisBooted)");
    displays(&(struct protocol_error){.tag = PE_INVALID_STATE_TRANSITION, .transition = {{1}, {2}}},
             "InvalidStateTransition(WaitingForBootInstruction, GenesisBooted)");
    displays(&(struct protocol_error){.tag = PE_P256_ERROR, .p256 = {.tag = P256_READ_PUBLIC_KEY}},
             "P256Error(FailedToReadPublicKey)");
    displays(&(struct protocol_error){.tag = PE_FAILED_TO_GET_QUORUM_KEY,
                                      .p256 = {.tag = P256_IO_ERROR, .text = BYTES_LIT("no")}},
             "FailedToGetQuorumKey(IOError(\"no\"))");
    displays(&(struct protocol_error){.tag = PE_DIFFERENT_PCR3,
                                      .difference = {BYTES_LIT("00"), BYTES_LIT("ff")}},
             "DifferentPcr3 { expected: \"00\", actual: \"ff\" }");
    displays(&(struct protocol_error){.tag = PE_INVALID_MANIFEST_APPROVAL,
                                      .approval = {.member = {.alias = BYTES_LIT("ann")}}},
             "InvalidManifestApproval(\"ann\")");
    displays(&(struct protocol_error){.tag = 200}, "unknown error 200");
}

static void text_of_others_is_shown_without_control_characters(void **state)
{
    (void)state;
    BUF_AUTO out = {0};
    struct protocol_error e = {.tag = PE_QOS_ATTEST_ERROR, .text = BYTES_LIT("a\x1b[31m\n\"b")};
    assert_ok(protocol_error_display(&e, &out));
    for (size_t i = 0; i < out.n; i++)
        assert_true(out.p[i] >= 0x20 && out.p[i] != 0x7f);
    assert_non_null(strstr(buf_text(&out), "QosAttestError(\"a"));
}

static void every_error_can_be_shown(void **state)
{
    (void)state;
    for (uint32_t tag = 0; tag < PE_COUNT; tag++) {
        BUF_AUTO out = {0};
        struct protocol_error e = {.tag = tag};
        assert_ok(protocol_error_display(&e, &out));
        const char *name = protocol_error_name((enum protocol_error_kind)tag);
        assert_int_equal(strncmp(buf_text(&out), name, strlen(name)), 0);
    }
}

static bool borsh_is_encode_only(const char *name)
{
    return strncmp(name, "BootStandardRequest", 19) == 0 ||
           strncmp(name, "BootKeyForwardRequest", 21) == 0 ||
           strncmp(name, "ExportKeyRequest", 16) == 0;
}

static void shared_messages_have_exactly_these_bytes(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    vector_file_shared(&f, "vectors/qos/protocol/protocol_msgs.json");
    size_t i;
    json_t *row;
    assert_true(json_array_size(f.root) > 30);
    json_array_foreach(f.root, i, row)
    {
        const char *name = vector_text(row, "name"), *error = NULL;
        if (strncmp(name, "BootGenesis", 11) == 0)
            error = "LegacyGenesisNotSupported";
        else if (borsh_is_encode_only(name))
            error = "ProtocolMsgDeserialization";
        check_row(&f, row, "json_canonical", "borsh_hex", error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_has_exactly_these_bytes),
        cmocka_unit_test(every_message_survives_plain_json),
        cmocka_unit_test(one_byte_more_or_less_is_refused),
        cmocka_unit_test(malformed_borsh_is_refused),
        cmocka_unit_test(our_own_messages_have_no_borsh),
        cmocka_unit_test(malformed_json_is_refused_with_a_sentence_about_json),
        cmocka_unit_test(units_may_be_objects_and_json_may_have_space_around_it),
        cmocka_unit_test(json_is_bounded_in_depth_and_number_of_values),
        cmocka_unit_test(too_large_payloads_are_refused_by_name),
        cmocka_unit_test(borsh_that_begins_like_json_is_borsh),
        cmocka_unit_test(genesis_has_no_borsh),
        cmocka_unit_test(a_reply_that_borsh_cannot_say_is_invalid_msg),
        cmocka_unit_test(message_23_has_no_json),
        cmocka_unit_test(message_23_refuses_an_envelope_that_is_not_json),
        cmocka_unit_test(messages_23_and_3_decode_to_the_same_request),
        cmocka_unit_test(errors_are_shown_as_one_phrase),
        cmocka_unit_test(text_of_others_is_shown_without_control_characters),
        cmocka_unit_test(every_error_can_be_shown),
        cmocka_unit_test(shared_messages_have_exactly_these_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
