// Messages, manifests and genesis outputs (those of the fuzz corpora) when memory, an arena's budget or the room of a
// reply runs out: at every byte of room, at every allocation. What fails says so, and leaves nothing behind.
#include "../failing/failing_calls.h"
#include "../failing/scarce_room.h"

#include "base/file.h"
#include "codec/borsh.h"
#include "codec/json.h"
#include "crypto/p256.h"
#include "protocol/genesis.h"
#include "protocol/manifest.h"
#include "protocol/message.h"
#include "protocol/share.h"
#include "protocol/types_internal.h"

#include <jansson.h>
#include <sys/stat.h>

#define CORPUS SOURCE_ROOT "/tests/fuzz/corpus/"
#define SMALL ((off_t)3000)
#define BUDGET ((size_t)1 << 16)
#define BUDGET_STEP 64

// Calls act for each small file of a corpus.
static size_t each_file(const char *folder, void (*act)(struct bytes file))
{
    ARENA_AUTO a = {0};
    struct file_list list;
    size_t count = 0;
    assert_ok(file_list(folder, &a, &list));
    for (size_t i = 0; i < list.n; i++) {
        BUF_AUTO file = {0};
        const char *path;
        struct stat s;
        assert_ok(file_join(&a, folder, list.names[i], &path));
        assert_int_equal(stat(path, &s), 0);
        if (s.st_size > SMALL)
            continue;
        assert_ok(file_read(path, BUDGET, &file));
        act(buf_bytes(&file));
        count++;
    }
    return count;
}

struct reply {
    const struct message *message;
    enum encoding as;
};

static enum q_err encode(const void *value, struct buf *out)
{
    const struct reply *r = value;
    struct protocol_error why;
    return message_encode(r->message, r->as, out, &why);
}

static enum q_err display(const void *value, struct buf *out)
{
    return protocol_error_display(value, out);
}

static void message_in_scarce_room(struct bytes file)
{
    ARENA_AUTO a = {0};
    BUF_AUTO plenty = {0};
    struct message m;
    struct protocol_error why = {0};
    struct reply r = {.message = &m};
    if (message_decode(file, &a, &m, &r.as, &why) != Q_OK)
        return;
    for (int as = 0; as < 2; as++) {
        r.as = (enum encoding)as;
        buf_clear(&plenty);
        if (encode(&r, &plenty) == Q_OK)
            (void)needs_room(encode, &r, LEAVES_NOTHING);
    }
    if (m.tag == MSG_PROTOCOL_ERROR_RESPONSE)
        (void)needs_room(display, &m.error, LEAVES_A_PART);
}

static void message_in_scarce_memory(struct bytes file)
{
    enum q_err err = Q_NOMEM;
    struct message m;
    struct protocol_error why;
    enum encoding as;
    ARENA_AUTO plenty = {0};
    enum q_err expected = message_decode(file, &plenty, &m, &as, &why);
    for (size_t budget = 1; err != expected && budget < BUDGET; budget += BUDGET_STEP) {
        ARENA_AUTO a = {.budget = budget};
        err = message_decode(file, &a, &m, &as, &why);
    }
    assert_int_equal(err, expected);
}

struct work {
    struct bytes file;
    bool done;
};

static bool decode_and_encode(void *context)
{
    struct work *w = context;
    ARENA_AUTO a = {0};
    BUF_AUTO out = {0}, shown = {0};
    struct message m;
    struct protocol_error why = {0};
    enum encoding as;
    if (message_decode(w->file, &a, &m, &as, &why) != Q_OK)
        return protocol_error_display(&why, &shown) == Q_OK;
    w->done = message_encode(&m, as, &out, &why) == Q_OK;
    return w->done;
}

static bool read_and_store(void *context)
{
    struct work *w = context;
    ARENA_AUTO a = {0};
    BUF_AUTO out = {0};
    struct manifest m;
    struct manifest_envelope e;
    uint8_t hash[SHA256_SIZE];
    if (manifest_read(w->file, &a, &m) == Q_OK)
        w->done = manifest_store(&m, &out) == Q_OK && manifest_hash(&m, hash) == Q_OK &&
                  manifest_check_thresholds(&m, NULL) == Q_OK;
    if (envelope_read(w->file, &a, &e) == Q_OK)
        w->done = envelope_store(&e, &out) == Q_OK && envelope_plain(&e, &out) == Q_OK &&
                  envelope_check_approvals(&e, NULL) == Q_OK;
    return w->done;
}

static bool read_genesis(void *context)
{
    struct work *w = context;
    ARENA_AUTO a = {0};
    BUF_AUTO out = {0};
    struct genesis_output g;
    uint8_t hash[SHA256_SIZE];
    w->done = genesis_output_read(w->file, &a, &g) == Q_OK &&
              genesis_output_write(&g, &out) == Q_OK && genesis_output_hash(&g, hash) == Q_OK;
    return w->done;
}

static bool canonical(void *context)
{
    struct work *w = context;
    BUF_AUTO out = {0};
    json_t *tree;
    if (json_parse(w->file, &tree) != Q_OK)
        return false;
    w->done = json_canonical(tree, &out) == Q_OK;
    json_decref(tree);
    return w->done;
}

// After all its failures the same work succeeds if it did before.
static void with_failing_calls(bool (*act)(void *context), struct bytes file)
{
    struct work before = {.file = file}, during = {.file = file}, after = {.file = file};
    (void)act(&before);
    (void)failing_each(FAILING_MEMORY, act, &during);
    (void)failing_each(FAILING_CRYPTO, act, &during);
    (void)act(&after);
    assert_int_equal(before.done, after.done);
}

static void message_with_failing_calls(struct bytes file)
{
    with_failing_calls(decode_and_encode, file);
}

static void manifest_with_failing_calls(struct bytes file)
{
    with_failing_calls(read_and_store, file);
}

static void genesis_with_failing_calls(struct bytes file)
{
    with_failing_calls(read_genesis, file);
}

static void json_with_failing_calls(struct bytes file)
{
    with_failing_calls(canonical, file);
}

static enum q_err write_manifest(const void *value, struct buf *out)
{
    return manifest_store(value, out);
}

static enum q_err write_envelope(const void *value, struct buf *out)
{
    return envelope_plain(value, out);
}

static enum q_err write_genesis(const void *value, struct buf *out)
{
    return genesis_output_write(value, out);
}

static enum q_err write_canonical(const void *value, struct buf *out)
{
    return json_canonical(value, out);
}

static void file_in_scarce_room(struct bytes file)
{
    ARENA_AUTO a = {0};
    struct manifest m;
    struct manifest_envelope e;
    struct genesis_output g;
    json_t *tree;
    BUF_AUTO out = {0};
    if (manifest_read(file, &a, &m) == Q_OK)
        (void)needs_room(write_manifest, &m, LEAVES_NOTHING);
    if (envelope_read(file, &a, &e) == Q_OK)
        (void)needs_room(write_envelope, &e, LEAVES_NOTHING);
    if (genesis_output_read(file, &a, &g) == Q_OK)
        (void)needs_room(write_genesis, &g, LEAVES_NOTHING);
    if (json_parse(file, &tree) != Q_OK)
        return;
    if (json_canonical(tree, &out) == Q_OK)
        (void)needs_room(write_canonical, tree, LEAVES_NOTHING);
    json_decref(tree);
}

static void every_message_meets_a_reply_without_room(void **state)
{
    (void)state;
    assert_true(each_file(CORPUS "protocol_message", message_in_scarce_room) > 5);
}

static void every_message_meets_an_arena_without_room(void **state)
{
    (void)state;
    assert_true(each_file(CORPUS "protocol_message", message_in_scarce_memory) > 5);
}

static void every_message_meets_calls_that_fail(void **state)
{
    (void)state;
    assert_true(each_file(CORPUS "protocol_message", message_with_failing_calls) > 5);
}

static void every_file_meets_a_buffer_without_room(void **state)
{
    (void)state;
    assert_true(each_file(CORPUS "protocol_manifest", file_in_scarce_room) > 2);
    assert_true(each_file(CORPUS "protocol_genesis", file_in_scarce_room) > 0);
    assert_true(each_file(CORPUS "codec_json", file_in_scarce_room) > 5);
}

static void every_file_meets_calls_that_fail(void **state)
{
    (void)state;
    assert_true(each_file(CORPUS "protocol_manifest", manifest_with_failing_calls) > 2);
    assert_true(each_file(CORPUS "protocol_genesis", genesis_with_failing_calls) > 0);
    assert_true(each_file(CORPUS "codec_json", json_with_failing_calls) > 5);
}

static enum q_err bind(const void *value, struct buf *out)
{
    static const uint8_t hash[SHA256_SIZE];
    (void)value;
    return share_binding_message(hash, BYTES_LIT("key"), BYTES_LIT("ciphertext"), out);
}

static void a_binding_meets_a_buffer_without_room(void **state)
{
    (void)state;
    assert_true(needs_room(bind, NULL, LEAVES_A_PART) > SHA256_SIZE);
}

// Every kind with every kind of payload, also the p256 errors that carry text.
static void every_error_is_shown_in_whatever_room_there_is(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind <= PE_COUNT; kind++)
        for (uint32_t p256 = 0; p256 <= P256_ERROR_COUNT; p256++) {
            const struct variant *v = kind < PE_COUNT ? &type_protocol_error.variants[kind] : NULL;
            struct protocol_error e = {.tag = kind};
            if (v != NULL && v->type == &type_p256_error)
                e.p256 = (struct p256_error_value){.tag = p256, .text = BYTES_LIT("te\nxt")};
            else if (v != NULL && v->type == &type_text)
                e.text = BYTES_LIT("te\"xt");
            else if (v != NULL && v->type == &type_difference)
                e.difference = (struct difference){BYTES_LIT("a"), BYTES_LIT("b")};
            assert_true(needs_room(display, &e, LEAVES_A_PART) > 2);
            if (v == NULL || v->type != &type_p256_error)
                break;
        }
}

static void a_p256_refusal_carries_what_crypto_said(void **state)
{
    (void)state;
    for (int detail = -1; detail <= P256_ERROR_COUNT; detail++) {
        struct protocol_error why = {0};
        uint32_t expected =
            detail < 0 || detail == P256_ERROR_COUNT ? P256_IO_ERROR : (uint32_t)detail;
        err_record(detail, "cause");
        assert_refused(refuse_p256(&why, PE_P256_ERROR, "context"), Q_REFUSED, "context: cause");
        assert_int_equal(why.p256.tag, expected);
        err_record(detail, "cause");
        assert_int_equal(refuse_p256(NULL, PE_P256_ERROR, "context"), Q_REFUSED);
    }
    assert_int_equal(refuse(NULL, PE_IO_ERROR, "x"), Q_REFUSED);
}

struct described {
    const struct type *type;
    const void *value;
    bool borsh;
};

static enum q_err write_described(const void *value, struct buf *out)
{
    const struct described *d = value;
    return d->borsh ? borsh_encode(d->type, d->value, out)
                    : json_encode(d->type, d->value, JSON_CANONICAL, out);
}

static void environments_and_addresses_meet_scarcity(void **state)
{
    (void)state;
    struct env_var vars[] = {{BYTES_LIT("A"), BYTES_LIT("1")}, {BYTES_LIT("B"), BYTES_LIT("2")}};
    const struct list env = {vars, 2};
    const char *const texts[] = {"127.0.0.1", "::1", "2001:db8::1:2", "1:2:3:4:5:6:7:8"};
    const struct bytes env_json =
        BYTES_LIT("{\"A\":{\"plain\":{\"value\":\"1\"}},\"B\":{\"plain\":{\"value\":\"2\"}}}");
    for (int borsh = 0; borsh < 2; borsh++) {
        struct described d = {&type_env, &env, borsh != 0};
        assert_true(needs_room(write_described, &d, LEAVES_A_PART) > 10);
        for (size_t i = 0; i < 4; i++) {
            struct bytes address = bytes_str(texts[i]);
            d = (struct described){&type_ip, &address, false};
            assert_true(needs_room(write_described, &d, LEAVES_A_PART) > 3);
        }
    }
    struct boot_request boot = {.pivot = BYTES_LIT("pivot")};
    struct bytes empty = BYTES_LIT("");
    boot.manifest_envelope.manifest.version = MANIFEST_V1;
    boot.manifest_envelope.manifest.namespace = (struct namespace){empty, 1, empty};
    boot.manifest_envelope.manifest.enclave =
        (struct nitro_config){empty, empty, empty, empty, empty, empty};
    struct described d = {&type_boot_request_json, &boot, true};
    assert_true(needs_room(write_described, &d, LEAVES_A_PART) > 100);
    enum q_err err = Q_NOMEM;
    for (size_t budget = 1; err != Q_OK; budget += 8) {
        ARENA_AUTO a = {.budget = budget};
        struct list read;
        err = json_decode(&type_env, env_json, &a, &read);
        assert_true(budget < 10000);
    }
}

int main(void)
{
    assert_ok(json_start());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_meets_a_reply_without_room),
        cmocka_unit_test(every_message_meets_an_arena_without_room),
        cmocka_unit_test(every_message_meets_calls_that_fail),
        cmocka_unit_test(every_file_meets_a_buffer_without_room),
        cmocka_unit_test(every_file_meets_calls_that_fail),
        cmocka_unit_test(every_error_is_shown_in_whatever_room_there_is),
        cmocka_unit_test(a_p256_refusal_carries_what_crypto_said),
        cmocka_unit_test(environments_and_addresses_meet_scarcity),
        cmocka_unit_test(a_binding_meets_a_buffer_without_room),
    };
    return cmocka_run_group_tests_name("protocol/scarce", tests, NULL, NULL);
}
