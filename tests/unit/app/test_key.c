// Starting the library, and reading the two keys of an enclave.
#include "app_fixture.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// First of all: nothing else in this program has started the library yet.
static void keys_are_refused_before_start(void **state)
{
    (void)state;
    struct app_key *key = (struct app_key *)state;
    assert_status(app_quorum_key_read("/dev/null", &key), APP_REFUSED, "app_start()");
    assert_null(key);
    assert_app_ok(app_start(true, NULL));
}

#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_IS_NEVER_LOCKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMORY_IS_NEVER_LOCKED 1
#endif
#endif

// In a child, because limits and the start are of a whole process.
static int started_with(rlim_t lockable, bool allow_unlocked)
{
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit limit = {lockable, lockable};
        bool locked = true;
        // Root is not bound by the limit; nobody is.
        bool set = setrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
                   (geteuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0));
        enum app_status status = set ? app_start(allow_unlocked, &locked) : APP_INTERNAL;
        _exit((int)status * 2 + locked);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    return WEXITSTATUS(how);
}

static void memory_that_cannot_be_locked_is_refused_unless_allowed(void **state)
{
    (void)state;
#ifdef MEMORY_IS_NEVER_LOCKED
    print_message("skipped: with AddressSanitizer mlock() does nothing and says it worked\n");
    skip();
#endif
    assert_int_equal(started_with(0, false) / 2, APP_NO_MEMORY);
    // One page could be locked, OpenSSL's heap could not.
    assert_int_equal(started_with((rlim_t)64 << 10, false) / 2, APP_NO_MEMORY);
    assert_int_equal(started_with(0, true), APP_OK * 2 + 0);
}

static void both_keys_are_read(void **state)
{
    struct enclave *e = *state;
    struct app_key *quorum = read_quorum(e), *live = read_ephemeral(e);
    assert_memory_equal(app_key_public(quorum), p256_pair_public(e->quorum)->bytes,
                        APP_PUBLIC_KEY_SIZE);
    assert_memory_equal(app_key_public(live), p256_pair_public(e->live)->bytes,
                        APP_PUBLIC_KEY_SIZE);
    app_key_free(quorum);
    app_key_free(live);
}

static void white_space_and_upper_case_are_accepted(void **state)
{
    struct enclave *e = *state;
    write_text(e->quorum_path,
               BYTES_LIT("ABababababababababababababababababababababababababababababababab\n"));
    struct app_key *key = read_quorum(e);
    assert_non_null(app_key_public(key));
    app_key_free(key);
}

static void other_contents_are_refused(void **state)
{
    struct enclave *e = *state;
    static const char *const contents[] = {
        "",
        "11",
        "111111111111111111111111111111111111111111111111111111111111111",   // 63
        "11111111111111111111111111111111111111111111111111111111111111111", // 65
        "1111111111111111111111111111111111111111111111111111111111111g11",
        "0x11111111111111111111111111111111111111111111111111111111111111",
    };
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        struct app_key *key = (struct app_key *)e;
        write_text(e->quorum_path, bytes_str(contents[i]));
        assert_status(app_quorum_key_read(e->quorum_path, &key), APP_BAD_INPUT, "qos.quorum.key");
        assert_null(key);
    }
    struct app_key *key = (struct app_key *)e;
    char large[4096];
    memset(large, '1', sizeof large);
    write_text(e->quorum_path, BYTES_OF(large));
    assert_int_equal(app_quorum_key_read(e->quorum_path, &key), APP_TOO_LARGE);
    assert_null(key);
}

static void a_file_that_is_not_there_is_told(void **state)
{
    struct enclave *e = *state;
    struct app_key *key = NULL;
    assert_int_equal(unlink(e->ephemeral_path), 0);
    assert_status(app_ephemeral_key_read(e->ephemeral_path, &key), APP_IO, "No such file");
    assert_status(app_quorum_key_read(e->folder, &key), APP_BAD_INPUT, "folder");
    assert_status(app_quorum_key_read(e->quorum_path, NULL), APP_BAD_INPUT, "NULL");
}

static void default_paths_are_those_of_the_enclave(void **state)
{
    (void)state;
    struct app_key *key = NULL;
    struct app_manifest *manifest = NULL;
    if (access(APP_QUORUM_KEY_PATH, F_OK) == 0 || access(APP_EPHEMERAL_KEY_PATH, F_OK) == 0 ||
        access(APP_MANIFEST_PATH, F_OK) == 0) {
        print_message("skipped: this machine has files of an enclave\n");
        skip();
    }
    assert_status(app_quorum_key_read(NULL, &key), APP_IO, "/qos.quorum.key");
    assert_status(app_ephemeral_key_read(NULL, &key), APP_IO, "/qos.ephemeral.key");
    assert_status(app_manifest_read(NULL, &manifest), APP_IO, "/qos.manifest");
}

static void nothing_is_needed_to_release_nothing(void **state)
{
    (void)state;
    app_key_free(NULL);
    app_manifest_free(NULL);
    app_proof_free(NULL);
    app_text_free(NULL);
    assert_null(app_key_public(NULL));
    assert_string_equal(app_version(), QUORATE_VERSION);
}

static void canonical_json_is_canonical(void **state)
{
    (void)state;
    static const char in[] = " {\"b\": [1, true, null], \"a\": \"\\u00fc\\/\", \"c\": null} ";
    char *out = NULL;
    assert_app_ok(app_canonical_json(in, sizeof in - 1, &out));
    assert_string_equal(out, "{\"a\":\"\xc3\xbc/\",\"b\":[\"1\",true,null]}");
    app_text_free(out);
    static const char *const bad[] = {"", "{", "{\"a\":1,\"a\":2}", "1.5", "\"\xff\"", "{} {}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        out = (char *)(uintptr_t)in;
        assert_int_equal(app_canonical_json(bad[i], strlen(bad[i]), &out), APP_BAD_INPUT);
        assert_null(out);
    }
    char deep[300];
    memset(deep, '[', sizeof deep);
    assert_int_equal(app_canonical_json(deep, sizeof deep, &out), APP_TOO_LARGE);
    assert_int_equal(app_canonical_json(NULL, 1, &out), APP_BAD_INPUT);
    assert_int_equal(app_canonical_json("1", 1, NULL), APP_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_cannot_be_locked_is_refused_unless_allowed),
        cmocka_unit_test(keys_are_refused_before_start),
        ENCLAVE_TEST(both_keys_are_read),
        ENCLAVE_TEST(white_space_and_upper_case_are_accepted),
        ENCLAVE_TEST(other_contents_are_refused),
        ENCLAVE_TEST(a_file_that_is_not_there_is_told),
        cmocka_unit_test(default_paths_are_those_of_the_enclave),
        cmocka_unit_test(nothing_is_needed_to_release_nothing),
        cmocka_unit_test(canonical_json_is_canonical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
