// store-data and get-data (renclave 1.3; findings 34, 38): owners, limits, files that come back with the key, and files
// that do not.
#include "instance.h"

#include "codec/json.h"
#include "enclave/instance/api_application.h"
#include "enclave/instance/api_store.h"
#include "enclave/instance/query.h"
#include "enclave/instance/stored_data.h"

#include <sys/stat.h>
#include <unistd.h>

static void store(struct ceremony *c, const char *key, const char *array)
{
    REPLY_AUTO r = post(c, "/enclave/store-data", "{\"key\":\"%s\",\"data\":%s}", key, array);
    assert_success(&r);
    assert_true(json_is_true(vector_field(r.json, "success")));
}

static struct reply get(struct ceremony *c, const char *query)
{
    return call(c, "GET", "/enclave/get-data", query, "");
}

static void assert_stored(struct ceremony *c, const char *query, struct bytes expected)
{
    REPLY_AUTO r = get(c, query);
    assert_success(&r);
    assert_bytes(byte_array(c, &r, "data"), expected);
}

static void assert_absent(struct ceremony *c, const char *query)
{
    REPLY_AUTO r = get(c, query);
    assert_success(&r);
    assert_true(json_is_null(vector_field(r.json, "data")));
}

static void what_was_stored_comes_back(void **state)
{
    struct ceremony *c = *state;
    assert_absent(c, "key=k");
    store(c, "k", "[1,2,255]");
    store(c, "empty", "[]");
    store(c, "a b&c=d/\xc3\xa4", "[7]");
    assert_stored(c, "key=k", BYTES_LIT("\1\2\xff"));
    assert_stored(c, "key=empty", BYTES_LIT(""));
    assert_stored(c, "key=a+b%26c%3Dd/%c3%A4", BYTES_LIT("\7"));
    assert_absent(c, "key=missing");
    assert_int_equal(c->enclave->data_count, 3);
    store(c, "k", "[9]");
    assert_stored(c, "key=k", BYTES_LIT("\x09"));
    assert_int_equal(c->enclave->data_count, 3);
}

static void a_query_is_read_strictly(void **state)
{
    static const char *const bad[] = {
        "",        "k=1",     "key",     "key=",        "key=%",      "key=%4",
        "key=%zz", "key=%+1", "key=%ff", "key=a&key=a", "key=%c0%80", "%=1&key=a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REPLY_AUTO r = get(*state, bad[i]);
        assert_failure(&r, 400, "query");
    }
    store(*state, "k", "[1]");
    assert_stored(*state, "other=1&key=k&more", BYTES_LIT("\1"));
    assert_stored(*state, "k%65y=%6b", BYTES_LIT("\1"));
}

// Straight to the handler, as this caller.
static unsigned as(struct ceremony *c, const struct api_caller *caller, const char *key,
                   struct bytes value, struct bytes *found)
{
    ARENA_AUTO arena = {0};
    BUF_AUTO answer = {0};
    const struct api_store_request body = {bytes_str(key), value};
    struct api_request request = {.query = BYTES_LIT("key=k")};
    struct api_call call = {
        .request = &request, .caller = *caller, .body = &body, .arena = &arena, .reply = &answer};
    enum q_err err =
        found != NULL ? api_get_data(c->enclave, &call) : api_store_data(c->enclave, &call);
    if (err != Q_OK)
        return call.status;
    if (found != NULL)
        assert_ok(arena_copy(&c->arena, buf_bytes(&answer), found));
    return call.status;
}

static struct api_caller client(const struct p256_pair *pair)
{
    return (struct api_caller){.kind = API_CALLER_CLIENT,
                               .key = *p256_pair_public(pair),
                               .has_reply_key = true,
                               .reply_key = *p256_pair_public(pair)};
}

static void assert_theirs(struct ceremony *c, size_t person, const char *expected)
{
    const struct api_caller caller = client(c->pairs[person]);
    ARENA_AUTO arena = {0};
    SECRET_AUTO opened = {0};
    struct bytes found = BYTES_NONE;
    struct api_sealed_reply sealed = {0};
    assert_int_equal(as(c, &caller, "k", BYTES_NONE, &found), 200);
    if (strstr(expected, "null") != NULL) {
        assert_bytes(found, bytes_str(expected));
        return;
    }
    assert_ok(json_decode(&type_api_sealed_reply, found, &arena, &sealed));
    assert_ok(p256_open(c->pairs[person], sealed.sealed, &opened));
    assert_bytes(secret_bytes(&opened), bytes_str(expected));
}

static void finding_38_each_client_has_a_map_of_its_own(void **state)
{
    struct ceremony *c = *state;
    const struct api_caller alice = client(c->pairs[0]), bob = client(c->pairs[1]);
    store(c, "k", "[1]");
    assert_int_equal(as(c, &alice, "k", BYTES_LIT("\2"), NULL), 200);
    assert_theirs(c, 1, "{\"success\":true,\"data\":null}");
    assert_int_equal(as(c, &bob, "k", BYTES_LIT("\3"), NULL), 200);
    assert_theirs(c, 0, "{\"success\":true,\"data\":[2]}");
    assert_theirs(c, 1, "{\"success\":true,\"data\":[3]}");
    assert_stored(c, "key=k", BYTES_LIT("\1"));
    assert_int_equal(c->enclave->data_count, 3);
}

static void finding_38_a_signed_request_without_reply_key_gets_nothing(void **state)
{
    struct ceremony *c = *state;
    struct api_caller alice = client(c->pairs[0]);
    struct bytes found = BYTES_NONE;
    assert_int_equal(as(c, &alice, "k", BYTES_LIT("\2"), NULL), 200);
    alice.has_reply_key = false;
    assert_int_equal(as(c, &alice, "k", BYTES_NONE, &found), 400);
}

static void finding_34_keys_and_values_have_limits(void **state)
{
    static uint8_t large[STORED_VALUE_MAX + 1];
    char key[STORED_KEY_MAX + 2];
    struct ceremony *c = *state;
    const struct api_caller nobody = {.kind = API_CALLER_NONE};
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    REPLY_AUTO long_key = post(c, "/enclave/store-data", "{\"key\":\"%s\",\"data\":[]}", key);
    assert_failure(&long_key, 400, "Application data storage failed: key");
    REPLY_AUTO no_key = post(c, "/enclave/store-data", "{\"key\":\"\",\"data\":[]}");
    assert_failure(&no_key, 400, "Application data storage failed: key");
    (void)as(c, &nobody, "k", BYTES_OF(large), NULL);
    assert_non_null(strstr(err_text(), "Application data storage failed: data"));
    assert_int_equal(c->enclave->data_count, 0);
    key[STORED_KEY_MAX] = '\0';
    store(c, key, "[]");
    assert_int_equal(as(c, &nobody, "k", bytes_of(large, STORED_VALUE_MAX), NULL), 200);
    assert_int_equal(c->enclave->data_count, 2);
}

static void finding_34_the_number_of_keys_is_limited(void **state)
{
    struct ceremony *c = *state;
    char key[16];
    for (unsigned i = 0; i < STORED_RECORDS_MAX; i++) {
        (void)snprintf(key, sizeof key, "k%u", i);
        store(c, key, "[1]");
        arena_free(&c->arena);
    }
    REPLY_AUTO r = post(c, "/enclave/store-data", "{\"key\":\"one more\",\"data\":[]}");
    assert_failure(&r, 409, "expected at most 512 keys");
    store(c, "k7", "[8]"); // replacing is no more
    assert_stored(c, "key=k7", BYTES_LIT("\x08"));
    assert_int_equal(c->enclave->data_count, STORED_RECORDS_MAX);
}

static void finding_34_all_values_together_are_limited(void **state)
{
    static const uint8_t large[STORED_VALUE_MAX];
    struct ceremony *c = *state;
    const struct api_caller nobody = {.kind = API_CALLER_NONE};
    char key[16];
    unsigned status = 200, stored = 0;
    for (; stored < 64 && status == 200; stored += status == 200) {
        (void)snprintf(key, sizeof key, "k%u", stored);
        status = as(c, &nobody, key, BYTES_OF(large), NULL);
    }
    assert_int_equal(status, 409);
    assert_int_equal(stored, STORED_TOTAL_MAX / STORED_VALUE_MAX - 1);
    assert_int_equal(as(c, &nobody, "k0", BYTES_OF(large), NULL), 200);
    assert_int_equal(as(c, &nobody, "small", BYTES_LIT("x"), NULL), 200);
}

// With a folder for files.

static char state_dir[128];

static int setup_files(void **state)
{
    if (instance_setup_renclave(state) != 0)
        return -1;
    struct ceremony *c = *state;
    (void)snprintf(state_dir, sizeof state_dir, "%s/state", c->folder);
    c->enclave->policy.state_dir = state_dir;
    return mkdir(state_dir, 0700);
}

// A new life of the enclave, to which the key comes back.
static void live_again(struct ceremony *c)
{
    enclave_close(&c->enclave);
    ceremony_open_enclave(c);
    c->enclave->policy.state_dir = state_dir;
    instance_ready(c, SUITE_RENCLAVE_P256);
}

static struct file_list files_of(struct ceremony *c)
{
    struct file_list list;
    assert_ok(file_list(state_dir, &c->arena, &list));
    return list;
}

static const char *file_at(struct ceremony *c, size_t i)
{
    const char *path;
    struct file_list list = files_of(c);
    assert_true(i < list.n);
    assert_ok(file_join(&c->arena, state_dir, list.names[i], &path));
    return path;
}

static void stored_data_is_there_again_with_the_key(void **state)
{
    struct ceremony *c = *state;
    const struct api_caller alice = client(c->pairs[0]);
    store(c, "k", "[1,2]");
    store(c, "other", "[]");
    store(c, "k", "[3]");
    assert_int_equal(as(c, &alice, "k", BYTES_LIT("\2"), NULL), 200);
    assert_int_equal(files_of(c).n, 3);
    live_again(c);
    assert_ok(api_store_open(c->enclave));
    assert_int_equal(c->enclave->data_count, 3);
    assert_stored(c, "key=k", BYTES_LIT("\3"));
    assert_stored(c, "key=other", BYTES_LIT(""));
    assert_theirs(c, 0, "{\"success\":true,\"data\":[2]}");
    store(c, "k", "[4]");
    assert_int_equal(files_of(c).n, 3);
    live_again(c);
    assert_stored(c, "key=k", BYTES_LIT("\4"));
}

static void without_a_folder_nothing_is_there_again(void **state)
{
    struct ceremony *c = *state;
    store(c, "k", "[1]");
    enclave_close(&c->enclave);
    ceremony_open_enclave(c);
    instance_ready(c, SUITE_RENCLAVE_P256);
    assert_absent(c, "key=k");
}

static void files_tell_nothing_and_are_private(void **state)
{
    struct ceremony *c = *state;
    BUF_AUTO contents = {0};
    struct stat s;
    store(c, "a-telling-key", "[115,101,99,114,101,116,45,118,97,108,117,101]");
    const char *path = file_at(c, 0);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 07777, 0600);
    assert_null(strstr(path, "telling"));
    assert_ok(file_read(path, 4096, &contents));
    assert_null(memmem(contents.p, contents.n, "telling", 7));
    assert_null(memmem(contents.p, contents.n, "secret-value", 12));
    REPLY_AUTO r = post(c, "/enclave/decrypt-data", "{\"encrypted_data\":%s}",
                        as_array(c, buf_bytes(&contents)));
    assert_failure(&r, 400, "Data decryption failed");
}

static void damage(const char *path, struct bytes contents)
{
    assert_ok(file_write(path, contents, 0600, FILE_REPLACE));
}

// The other record is there; of any key that is not, it is said that nobody knows.
static void assert_one_is_left_out(struct ceremony *c)
{
    live_again(c);
    REPLY_AUTO one = get(c, "key=one");
    REPLY_AUTO two = get(c, "key=two");
    assert_int_equal((one.status == 200) + (two.status == 200), 1);
    assert_failure(one.status == 200 ? &two : &one, 500,
                   "cannot be opened, the first of them data-");
    REPLY_AUTO three = get(c, "key=three");
    assert_failure(&three, 500, "Application data retrieval failed");
    assert_int_equal(c->enclave->data_count, 1);
}

static void a_damaged_file_is_named_and_not_taken_for_none(void **state)
{
    struct ceremony *c = *state;
    BUF_AUTO whole = {0};
    store(c, "one", "[1]");
    store(c, "two", "[2]");
    const char *path = file_at(c, 0);
    assert_ok(file_read(path, 4096, &whole));
    damage(path, BYTES_LIT(""));
    assert_one_is_left_out(c);
    damage(path, bytes_of(whole.p, whole.n - 1));
    assert_one_is_left_out(c);
    whole.p[whole.n - 1] ^= 1;
    damage(path, buf_bytes(&whole));
    assert_one_is_left_out(c);
    assert_int_equal(files_of(c).n, 2); // and left where it is
    whole.p[whole.n - 1] ^= 1;
    damage(path, buf_bytes(&whole));
    live_again(c);
    assert_stored(c, "key=one", BYTES_LIT("\1"));
    assert_stored(c, "key=two", BYTES_LIT("\2"));
}

static void a_file_that_stands_for_another_is_left_out(void **state)
{
    struct ceremony *c = *state;
    BUF_AUTO whole = {0};
    store(c, "one", "[1]");
    store(c, "two", "[2]");
    assert_ok(file_read(file_at(c, 1), 4096, &whole));
    damage(file_at(c, 0), buf_bytes(&whole));
    assert_one_is_left_out(c);
}

// Everybody knows the quorum key's public half, and that is all that sealing takes.
static void finding_38_a_host_puts_no_record_of_its_own_among_them(void **state)
{
    struct ceremony *c = *state;
    uint8_t record[16 + STORED_OWNER_SIZE + 4 + 1 + 1] = {0};
    BUF_AUTO whole = {0}, forged = {0};
    char name[] = "data-00000000000000000000000000000000";
    const char *path;
    store(c, "one", "[1]");
    assert_ok(file_read(file_at(c, 0), 4096, &whole));
    record[16 + STORED_OWNER_SIZE] = 1; // length of the key
    memcpy(record + sizeof record - 2, "k\x42", 2);
    const struct p256_binding binding = {.long_lengths = true,
                                         .purpose = BYTES_LIT(API_PURPOSE_STORED_DATA)};
    assert_ok(file_join(&c->arena, state_dir, name, &path));
    for (size_t signature = 0; signature <= P256_SIGNATURE_SIZE; signature += P256_SIGNATURE_SIZE) {
        buf_clear(&forged);
        assert_ok(buf_append(&forged, bytes_of(whole.p, signature))); // none, and another file's
        assert_ok(p256_seal_bound(keyring_public(c->enclave->keyring, KEY_QUORUM), binding,
                                  BYTES_OF(record), &forged));
        assert_ok(file_write(path, buf_bytes(&forged), 0600, FILE_REPLACE));
        live_again(c);
        REPLY_AUTO r = get(c, "key=k");
        assert_failure(&r, 500, "cannot be opened, the first of them data-000");
        assert_stored(c, "key=one", BYTES_LIT("\1"));
    }
}

static void a_link_and_a_fifo_are_not_followed(void **state)
{
    struct ceremony *c = *state;
    char target[160];
    store(c, "one", "[1]");
    store(c, "two", "[2]");
    const char *path = file_at(c, 0);
    (void)snprintf(target, sizeof target, "%s/elsewhere", c->folder);
    assert_int_equal(rename(path, target), 0);
    assert_int_equal(symlink(target, path), 0);
    assert_one_is_left_out(c);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_one_is_left_out(c);
}

static void another_quorum_key_opens_none_of_it(void **state)
{
    struct ceremony *c = *state;
    store(c, "k", "[1]");
    enclave_close(&c->enclave);
    ceremony_open_enclave(c);
    c->enclave->policy.state_dir = state_dir;
    instance_ready(c, SUITE_QOS_P256);
    REPLY_AUTO r = get(c, "key=k");
    assert_failure(&r, 500, "cannot be opened, the first of them data-");
    live_again(c);
    assert_stored(c, "key=k", BYTES_LIT("\1"));
}

static void what_cannot_be_written_is_not_stored(void **state)
{
    struct ceremony *c = *state;
    store(c, "k", "[1]");
    char away[160];
    (void)snprintf(away, sizeof away, "%s.away", state_dir);
    assert_int_equal(rename(state_dir, away), 0);
    REPLY_AUTO again = post(c, "/enclave/store-data", "{\"key\":\"k\",\"data\":[2]}");
    assert_failure(&again, 500, "Application data storage failed");
    REPLY_AUTO other = post(c, "/enclave/store-data", "{\"key\":\"other\",\"data\":[2]}");
    assert_failure(&other, 500, "Application data storage failed");
    assert_stored(c, "key=k", BYTES_LIT("\1"));
    assert_absent(c, "key=other");
    assert_int_equal(c->enclave->data_count, 1);
    assert_int_equal(rename(away, state_dir), 0);
    store(c, "k", "[2]");
    assert_stored(c, "key=k", BYTES_LIT("\2"));
}

static void an_erased_store_leaves_no_file(void **state)
{
    struct ceremony *c = *state;
    char note[160];
    (void)snprintf(note, sizeof note, "%s/manifest", state_dir);
    assert_ok(file_write(note, BYTES_LIT("somebody else's"), 0600, FILE_NEW));
    store(c, "k", "[1]");
    store(c, "l", "[1]");
    damage(file_at(c, 0), BYTES_LIT("damaged"));
    live_again(c); // what was never opened goes too
    assert_ok(api_store_erase(c->enclave));
    assert_int_equal(c->enclave->data_count, 0);
    assert_int_equal(files_of(c).n, 1);
    assert_true(file_exists(note));
    assert_absent(c, "key=k");
}

#define PLAIN(test)                                                                                \
    {                                                                                              \
#test, test, instance_setup_renclave, ceremony_teardown, NULL                              \
    }
#define FILES(test)                                                                                \
    {                                                                                              \
#test, test, setup_files, ceremony_teardown, NULL                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAIN(what_was_stored_comes_back),
        PLAIN(a_query_is_read_strictly),
        PLAIN(finding_38_each_client_has_a_map_of_its_own),
        PLAIN(finding_38_a_signed_request_without_reply_key_gets_nothing),
        PLAIN(finding_34_keys_and_values_have_limits),
        PLAIN(finding_34_the_number_of_keys_is_limited),
        PLAIN(finding_34_all_values_together_are_limited),
        FILES(stored_data_is_there_again_with_the_key),
        PLAIN(without_a_folder_nothing_is_there_again),
        FILES(files_tell_nothing_and_are_private),
        FILES(a_damaged_file_is_named_and_not_taken_for_none),
        FILES(a_file_that_stands_for_another_is_left_out),
        FILES(finding_38_a_host_puts_no_record_of_its_own_among_them),
        FILES(a_link_and_a_fifo_are_not_followed),
        FILES(another_quorum_key_opens_none_of_it),
        FILES(what_cannot_be_written_is_not_stored),
        FILES(an_erased_store_leaves_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
