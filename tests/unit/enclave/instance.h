// A TEE instance in one process whose quorum key is there already (its scalar or seed that of the shared vectors), and
// requests of the REST API to it, through dispatch as the host's come.
#ifndef QUORATE_TESTS_ENCLAVE_INSTANCE_H
#define QUORATE_TESTS_ENCLAVE_INSTANCE_H

#include "../vector_file.h"
#include "ceremony.h"

#include "base/hex.h"

#define INSTANCE_SEED "91bce8caa57a4e17aa8afe6d8c589333b285f3dd2013cbd5ce68b635e25bf3b7"

#define INSTANCE_HELPER static inline __attribute__((unused))

INSTANCE_HELPER void instance_pair(enum key_suite suite, struct p256_pair **out)
{
    SECRET_AUTO seed = {0};
    assert_ok(hex_decode_secret(BYTES_LIT(INSTANCE_SEED), P256_SEED_SIZE, &seed));
    assert_ok(p256_pair_from_seed_suite(key_suite_p256(suite), secret_bytes(&seed), out));
}

INSTANCE_HELPER void instance_ready(struct ceremony *c, enum key_suite suite)
{
    struct p256_pair *pair;
    const struct key_description what = {
        .id = KEY_QUORUM, .suite = suite, .uses = USE_SIGN | USE_OPEN | USE_SEAL};
    instance_pair(suite, &pair);
    assert_ok(keyring_put(c->enclave->keyring, &what, &pair));
    c->enclave->phase = PHASE_APPLICATION_READY;
    c->enclave->birth = BIRTH_GENESIS_HELD;
}

INSTANCE_HELPER int instance_setup_renclave(void **state)
{
    if (ceremony_setup(state) != 0)
        return -1;
    instance_ready(*state, SUITE_RENCLAVE_P256);
    return 0;
}

INSTANCE_HELPER int instance_setup_qos(void **state)
{
    if (ceremony_setup(state) != 0)
        return -1;
    instance_ready(*state, SUITE_QOS_P256);
    return 0;
}

struct reply {
    unsigned status;
    json_t *json;
};
#define REPLY_AUTO __attribute__((cleanup(reply_free))) struct reply
INSTANCE_HELPER void reply_free(struct reply *r)
{
    json_decref(r->json);
    r->json = NULL;
}

INSTANCE_HELPER struct reply call(struct ceremony *c, const char *method, const char *path,
                                  const char *query, const char *body)
{
    struct message m = {.tag = MSG_QUORATE_API_REQUEST};
    m.api_request = (struct api_request){.method = bytes_str(method),
                                         .path = bytes_str(path),
                                         .query = bytes_str(query),
                                         .authorization = BYTES_LIT(""),
                                         .request_id = BYTES_LIT("test"),
                                         .body = bytes_str(body)};
    struct message answer = ceremony_send(c, &m, ENCODING_JSON);
    assert_int_equal(answer.tag, MSG_QUORATE_API_RESPONSE);
    struct reply r = {.status = answer.api_response.status};
    json_error_t why;
    r.json =
        json_loadb((const char *)answer.api_response.body.p, answer.api_response.body.n, 0, &why);
    assert_non_null(r.json);
    return r;
}

INSTANCE_HELPER struct reply post(struct ceremony *c, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
INSTANCE_HELPER struct reply post(struct ceremony *c, const char *path, const char *format, ...)
{
    static char body[256 << 10];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(body, sizeof body, format, arguments);
    va_end(arguments);
    assert_in_range(n, 0, sizeof body - 1);
    return call(c, "POST", path, "", body);
}

INSTANCE_HELPER void assert_success(const struct reply *r)
{
    if (r->status != 200)
        fail_msg("status %u: %s", r->status, vector_text(r->json, "error"));
}

// An error in its one shape, whose sentence contains text.
INSTANCE_HELPER void assert_failure(const struct reply *r, unsigned status, const char *text)
{
    assert_int_equal(r->status, status);
    assert_int_equal(vector_number(r->json, "code"), status);
    const char *sentence = vector_text(r->json, "error");
    if (strstr(sentence, text) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", text, sentence);
}

// A member that is an array of bytes.
INSTANCE_HELPER struct bytes byte_array(struct ceremony *c, const struct reply *r, const char *name)
{
    const json_t *array = vector_field(r->json, name);
    void *out;
    assert_true(json_is_array(array));
    size_t n = json_array_size(array);
    assert_ok(arena_alloc(&c->arena, n, &out));
    for (size_t i = 0; i < n; i++) {
        json_int_t byte = json_integer_value(json_array_get(array, i));
        assert_in_range(byte, 0, 255);
        ((uint8_t *)out)[i] = (uint8_t)byte;
    }
    return bytes_of(out, n);
}

// "[1,2,3]", in arena memory.
INSTANCE_HELPER const char *as_array(struct ceremony *c, struct bytes in)
{
    BUF_AUTO text = {0};
    struct bytes kept;
    assert_ok(buf_append_str(&text, "["));
    for (size_t i = 0; i < in.n; i++)
        assert_ok(buf_printf(&text, i == 0 ? "%u" : ",%u", in.p[i]));
    assert_ok(buf_append_str(&text, "]"));
    assert_non_null(buf_text(&text));
    assert_ok(arena_copy(&c->arena, bytes_of(text.p, text.n + 1), &kept));
    return (const char *)kept.p;
}

INSTANCE_HELPER const char *as_hex(struct ceremony *c, struct bytes in)
{
    BUF_AUTO text = {0};
    struct bytes kept;
    assert_ok(hex_encode(in, &text));
    assert_non_null(buf_text(&text));
    assert_ok(arena_copy(&c->arena, bytes_of(text.p, text.n + 1), &kept));
    return (const char *)kept.p;
}

INSTANCE_HELPER struct bytes of_hex(struct ceremony *c, const char *text)
{
    BUF_AUTO out = {0};
    struct bytes kept;
    assert_ok(hex_decode(bytes_str(text), &out));
    assert_ok(arena_copy(&c->arena, buf_bytes(&out), &kept));
    return kept;
}

// Opens what the quorum key seals, as whoever has the key can: independent of custody.
INSTANCE_HELPER enum q_err open_for(struct ceremony *c, const char *purpose, struct bytes envelope,
                                    struct secret *out)
{
    enum key_suite suite = keyring_describe(c->enclave->keyring, KEY_QUORUM)->suite;
    P256_PAIR_AUTO *pair = NULL;
    instance_pair(suite, &pair);
    const struct p256_binding binding = {.long_lengths = suite == SUITE_RENCLAVE_P256,
                                         .purpose = bytes_str(purpose)};
    return p256_open_bound(pair, binding, envelope, out);
}

#endif
