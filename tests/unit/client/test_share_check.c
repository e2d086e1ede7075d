// What a member proves about the own share, and a drill of all (client/share/share_proof.h, share_result.h,
// share_drill.h).
#include "quorum.h"

#include "client/share/share_drill.h"
#include "client/share/share_proof.h"
#include "client/share/share_result.h"
#include "protocol/genesis.h"

#define NOW ((int64_t)1700000000)

static struct bytes share_of(const struct quorum *q, size_t i)
{
    return q->genesis.member_outputs.items[i].encrypted_share;
}

static void own_share_opens_and_has_the_members_number(void **state)
{
    const struct quorum *q = *state;
    for (size_t i = 0; i < QUORUM_MEMBERS; i++) {
        unsigned number = 0;
        assert_ok(share_proof(&q->genesis, quorum_aliases[i], q->keys[i], share_of(q, i), "share",
                              &number));
        assert_int_equal(number, i + 1);
    }
}

static void a_share_sealed_again_to_its_member_is_the_same_share(void **state)
{
    const struct quorum *q = *state;
    SECRET_AUTO plain = {0};
    BUF_AUTO again = {0};
    unsigned number;
    assert_ok(p256_open(q->pairs[1], share_of(q, 1), &plain));
    assert_ok(p256_seal(p256_pair_public(q->pairs[1]), secret_bytes(&plain), &again));
    assert_ok(share_proof(&q->genesis, "bob", q->keys[1], buf_bytes(&again), "share", &number));
}

static void other_shares_keys_and_names_are_refused(void **state)
{
    const struct quorum *q = *state;
    unsigned number;
    assert_refused(share_proof(&q->genesis, "bob", q->keys[0], share_of(q, 0), "f", &number),
                   Q_MISSING, "bob");
    assert_refused(share_proof(&q->genesis, "ann", q->stranger_key, share_of(q, 0), "f", &number),
                   Q_MISSING, "ann");
    assert_refused(share_proof(&q->genesis, "ann", q->keys[0], share_of(q, 1), "f", &number),
                   Q_CRYPTO, "f: Failed to decrypt share with personal key");
    assert_refused(share_proof(&q->genesis, "ann", q->keys[0], BYTES_LIT(""), "f", &number),
                   Q_CRYPTO, "f");
}

// Seals plain to ann and has it judged.
static enum q_err judge(const struct quorum *q, struct bytes plain)
{
    BUF_AUTO sealed = {0};
    unsigned number;
    assert_ok(p256_seal(p256_pair_public(q->pairs[0]), plain, &sealed));
    return share_proof(&q->genesis, "ann", q->keys[0], buf_bytes(&sealed), "f", &number);
}

static void wrong_lengths_numbers_and_contents_are_refused(void **state)
{
    const struct quorum *q = *state;
    SECRET_AUTO plain = {0};
    uint8_t wrong[34];
    assert_ok(p256_open(q->pairs[0], share_of(q, 0), &plain));
    assert_ok(judge(q, secret_bytes(&plain)));
    memcpy(wrong, plain.p, 33);
    wrong[33] = 7;
    assert_refused(judge(q, bytes_of(wrong, 34)), Q_CRYPTO, "expected 33 bytes, found 34");
    assert_refused(judge(q, bytes_of(wrong, 32)), Q_CRYPTO, "expected 33 bytes, found 32");
    wrong[0] = 0;
    assert_refused(judge(q, bytes_of(wrong, 33)), Q_CRYPTO, "above 0");
    wrong[0] = 2;
    assert_refused(judge(q, bytes_of(wrong, 33)), Q_CRYPTO, "expected share number 1");
    wrong[0] = 1;
    wrong[32] ^= 1;
    assert_refused(judge(q, bytes_of(wrong, 33)), Q_CRYPTO, "of another genesis, or damaged");
    for (size_t i = 1; i < 33; i++) { // nothing of the share is in what was said
        char byte[8];
        (void)snprintf(byte, sizeof byte, "%02x%02x", plain.p[i], plain.p[i - 1]);
        assert_null(strstr(err_text(), byte));
    }
}

static void make_result(const struct quorum *q, size_t i, int64_t time_s, struct buf *out)
{
    uint8_t hash[SHA256_SIZE];
    assert_ok(genesis_output_hash(&q->genesis, hash));
    assert_ok(share_result_make(q->keys[i], quorum_aliases[i], hash, time_s, out));
}

static enum q_err check_result(const struct quorum *q, const struct share_result *r, size_t i,
                               int64_t now_s)
{
    uint8_t hash[SHA256_SIZE];
    assert_ok(genesis_output_hash(&q->genesis, hash));
    return share_result_check(r, &q->members[i], hash, now_s);
}

static void a_result_holds_for_its_member_its_genesis_and_the_past(void **state)
{
    struct quorum *q = *state;
    BUF_AUTO file = {0};
    struct share_result r, changed;
    make_result(q, 0, NOW, &file);
    assert_ok(share_result_read(buf_bytes(&file), &q->arena, &r));
    assert_ok(check_result(q, &r, 0, NOW));
    assert_ok(check_result(q, &r, 0, NOW + 86400));
    assert_ok(check_result(q, &r, 0, NOW - 300));
    assert_refused(check_result(q, &r, 0, NOW - 301), Q_REFUSED, "time in the past");
    assert_refused(check_result(q, &r, 1, NOW), Q_CRYPTO, "share result");
    uint8_t other[SHA256_SIZE] = {1};
    assert_refused(share_result_check(&r, &q->members[0], other, NOW), Q_REFUSED, "another");
    changed = r;
    changed.time_s += 1;
    assert_refused(check_result(q, &changed, 0, NOW + 9), Q_CRYPTO, "share result");
    changed = r;
    changed.alias = BYTES_LIT("bob");
    assert_refused(check_result(q, &changed, 0, NOW), Q_CRYPTO, "share result");
    changed = r;
    changed.genesis[0] ^= 1;
    assert_refused(check_result(q, &changed, 0, NOW), Q_CRYPTO, "share result");
}

static void a_result_of_another_domain_or_form_is_no_result(void **state)
{
    struct quorum *q = *state;
    BUF_AUTO file = {0};
    struct share_result r;
    make_result(q, 0, NOW, &file);
    char *at = strstr((char *)(uintptr_t)buf_text(&file), "check-v1");
    assert_non_null(at);
    at[7] = '2';
    assert_refused(share_result_read(buf_bytes(&file), &q->arena, &r), Q_BAD_INPUT, "domain");
    assert_int_not_equal(share_result_read(BYTES_LIT("{}"), &q->arena, &r), Q_OK);
    assert_int_not_equal(share_result_read(BYTES_LIT(""), &q->arena, &r), Q_OK);
    at[7] = '1';
    file.p[file.n - 1] = ','; // one field more than there may be
    assert_ok(buf_append_str(&file, "\"more\":1}"));
    assert_int_not_equal(share_result_read(buf_bytes(&file), &q->arena, &r), Q_OK);
}

static void put_result(struct quorum *q, const char *name, size_t i, int64_t time_s)
{
    BUF_AUTO file = {0};
    make_result(q, i, time_s, &file);
    folder_file(q->folder, name, buf_text(&file));
}

static void put_share(struct quorum *q, size_t i, size_t whose)
{
    BUF_AUTO name = {0}, hex = {0};
    assert_ok(buf_printf(&name, "%s.secret", quorum_aliases[i]));
    assert_ok(hex_encode(p256_pair_seed(q->pairs[i]), &hex));
    folder_file(q->folder, buf_text(&name), buf_text(&hex));
    buf_clear(&name);
    assert_ok(buf_printf(&name, "%s.share", quorum_aliases[i]));
    assert_ok(file_write(folder_path(q->folder, buf_text(&name)), share_of(q, whose), 0644,
                         FILE_REPLACE));
}

static void run(struct quorum *q, struct drill *d)
{
    static const struct options none = {.count = 0};
    assert_ok(drill_run(&none, &q->genesis, q->folder->path, NOW, &q->arena, d));
    assert_int_equal(d->entries.n, QUORUM_MEMBERS);
    assert_int_equal(d->passed + d->failed + d->missing, QUORUM_MEMBERS);
}

static void a_drill_counts_results_and_shares_and_says_who_is_missing(void **state)
{
    struct quorum *q = *state;
    struct drill d;
    run(q, &d);
    assert_int_equal(d.missing, 3);
    assert_refused(drill_verdict(&d), Q_REFUSED, "at least 2 shares that open, found 0");
    put_result(q, "ann.result", 0, NOW - 60);
    put_share(q, 2, 2);
    run(q, &d);
    assert_int_equal(d.entries.items[0].state, DRILL_PASSED);
    assert_int_equal(d.entries.items[0].time_s, NOW - 60);
    assert_int_equal(d.entries.items[1].state, DRILL_MISSING);
    assert_int_equal(d.entries.items[2].state, DRILL_PASSED);
    assert_ok(drill_verdict(&d)); // two are needed
    assert_ok(drill_print(&d, NOW));
}

static void one_failing_share_fails_the_drill(void **state)
{
    struct quorum *q = *state;
    struct drill d;
    put_result(q, "ann.result", 0, NOW);
    put_result(q, "bob.result", 1, NOW);
    put_share(q, 2, 1); // cyd has bob's
    run(q, &d);
    assert_int_equal(d.passed, 2);
    assert_int_equal(d.entries.items[2].state, DRILL_FAILED);
    assert_refused(drill_verdict(&d), Q_REFUSED, "found 1 that did");
    put_result(q, "cyd.result", 0, NOW); // ann's word for cyd
    run(q, &d);
    assert_int_equal(d.entries.items[2].state, DRILL_FAILED);
}

static void aliases_that_are_paths_are_never_opened(void **state)
{
    struct quorum *q = *state;
    struct drill d;
    struct genesis_output hostile = q->genesis;
    static const struct options none = {.count = 0};
    struct genesis_member_output outputs[1] = {q->genesis.member_outputs.items[0]};
    outputs[0].share_set_member.alias = BYTES_LIT("../../etc/passwd");
    hostile.member_outputs.items = outputs;
    hostile.member_outputs.n = 1;
    assert_ok(drill_run(&none, &hostile, q->folder->path, NOW, &q->arena, &d));
    assert_int_equal(d.entries.items[0].state, DRILL_FAILED);
    assert_non_null(memmem(d.entries.items[0].detail.p, d.entries.items[0].detail.n, "alias", 5));
}

#define QUORUM_TEST(f) cmocka_unit_test_setup_teardown(f, quorum_make, quorum_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUORUM_TEST(own_share_opens_and_has_the_members_number),
        QUORUM_TEST(a_share_sealed_again_to_its_member_is_the_same_share),
        QUORUM_TEST(other_shares_keys_and_names_are_refused),
        QUORUM_TEST(wrong_lengths_numbers_and_contents_are_refused),
        QUORUM_TEST(a_result_holds_for_its_member_its_genesis_and_the_past),
        QUORUM_TEST(a_result_of_another_domain_or_form_is_no_result),
        QUORUM_TEST(a_drill_counts_results_and_shares_and_says_who_is_missing),
        QUORUM_TEST(one_failing_share_fails_the_drill),
        QUORUM_TEST(aliases_that_are_paths_are_never_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
