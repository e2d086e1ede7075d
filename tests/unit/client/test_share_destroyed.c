// The word of a member that the old share is gone: what is signed, whose it is, and about which share.
#include "../cmocka_setup.h"

#include "../reshare_scene.h"

#include "client/reshare/share_destroyed.h"
#include "client/share/share_result.h"
#include "protocol/reshare.h"
#include "protocol/share.h"

#define NOW INT64_C(1700000000)

static void make(const struct reshare_scene *s, struct arena *a, struct buf *file,
                 struct share_destroyed *out)
{
    P256_PAIR_AUTO *copy = NULL;
    MEMBER_KEY_AUTO *key = NULL;
    assert_ok(p256_pair_from_seed(p256_pair_seed(s->pairs[1]), &copy));
    assert_ok(member_key_from_pair(&copy, &key));
    assert_ok(share_destroyed_make(key, "bob", &s->plan, s->hash, NOW, file));
    assert_ok(share_destroyed_read(buf_bytes(file), a, out));
}

// What the keys of members and the quorum key sign begins with these, but for 32 bytes of a manifest's hash.
static void no_signed_words_begin_like_others(void **state)
{
    (void)state;
    static const char *const domains[] = {SHARE_BINDING_DOMAIN,   RESHARE_MANIFEST_DOMAIN,
                                          RESHARE_SHARE_DOMAIN,   RESHARE_HANDOVER_DOMAIN,
                                          SHARE_DESTROYED_DOMAIN, SHARE_RESULT_DOMAIN,
                                          GENESIS_TEST_MESSAGE,   "quorate-app-v1"};
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
        for (size_t k = 0; k < sizeof domains / sizeof *domains; k++)
            assert_true(i == k || !bytes_begin_with(bytes_str(domains[i]), bytes_str(domains[k])));
}

static void it_is_read_as_it_was_made_and_signs_all_of_it(void **state)
{
    struct reshare_scene *s = *state;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0}, expected = {0}, message = {0};
    struct share_destroyed d;
    make(s, &a, &file, &d);
    assert_ok(share_destroyed_check(&d, &s->people[1], &s->plan, s->hash));
    assert_int_equal(d.epoch, 0);
    assert_int_equal(d.time_s, NOW);
    assert_ok(buf_append_str(&expected, "quorate-share-destroyed-v1"));
    assert_ok(buf_append(&expected, BYTES_OF(s->hash)));
    assert_ok(buf_u64le(&expected, 0));
    assert_ok(buf_append(&expected, s->plan.quorum_key));
    assert_ok(buf_u32le(&expected, 3));
    assert_ok(buf_append_str(&expected, "bob"));
    assert_ok(buf_u64le(&expected, (uint64_t)NOW));
    assert_ok(share_destroyed_message(&d, &message));
    assert_bytes(buf_bytes(&message), buf_bytes(&expected));
}

static void it_is_nobody_elses_and_of_no_other_share_or_time(void **state)
{
    struct reshare_scene *s = *state;
    ARENA_AUTO a = {0};
    BUF_AUTO file = {0};
    struct share_destroyed d, c;
    struct reshare_plan later = s->plan;
    struct member other_key = s->people[1];
    uint8_t other_hash[SHA256_SIZE] = {0};
    make(s, &a, &file, &d);
    assert_int_equal(share_destroyed_check(&d, &s->people[0], &s->plan, s->hash), Q_REFUSED);
    other_key.pub_key = s->people[0].pub_key;
    assert_int_equal(share_destroyed_check(&d, &other_key, &s->plan, s->hash), Q_CRYPTO);
    later.epoch = 2;
    assert_int_equal(share_destroyed_check(&d, &s->people[1], &later, s->hash), Q_REFUSED);
    later = s->plan;
    later.quorum_key = s->people[0].pub_key;
    assert_int_equal(share_destroyed_check(&d, &s->people[1], &later, s->hash), Q_REFUSED);
    assert_int_equal(share_destroyed_check(&d, &s->people[1], &s->plan, other_hash), Q_REFUSED);
    c = d;
    c.time_s++;
    assert_int_equal(share_destroyed_check(&c, &s->people[1], &s->plan, s->hash), Q_CRYPTO);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    static const char *const files[] = {
        "", "{}", "[]", "{\"domain\":\"quorate-share-destroyed-v1\"}",
        "{\"domain\":\"quorate-share-check-v1\",\"alias\":\"a\",\"quorumKey\":\"00\",\"epoch\":0,"
        "\"plan\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"time\":1,"
        "\"signature\":\"00\"}"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        ARENA_AUTO a = {0};
        struct share_destroyed d;
        assert_int_equal(share_destroyed_read(bytes_str(files[i]), &a, &d), Q_BAD_INPUT);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
    if (secret_init(true) != Q_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        TEST(no_signed_words_begin_like_others),
        TEST(it_is_read_as_it_was_made_and_signs_all_of_it),
        TEST(it_is_nobody_elses_and_of_no_other_share_or_time),
        cmocka_unit_test(other_files_are_refused),
    };
    return cmocka_run_group_tests_name("client/share_destroyed", tests, NULL, NULL);
}
