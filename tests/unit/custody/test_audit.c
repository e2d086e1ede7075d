// The chain of the audit log (custody/audit.h): every line in its one form and its one place.
#include "../cmocka_setup.h"

#include "custody/audit.h"

#include <sodium.h>

#define NOON INT64_C(1700000000)
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static struct audit_event plain(void)
{
    return (struct audit_event){.who = BYTES_LIT("member1"),
                                .event = BYTES_LIT("approve-manifest"),
                                .details = BYTES_LIT("done")};
}

// Appends the next line and follows it.
static void extend(struct audit_chain *chain, struct audit_event e, struct buf *log)
{
    size_t start = log->n;
    assert_ok(audit_extend(chain, &e, NOON, log));
    assert_int_equal(log->p[log->n - 1], '\n');
    assert_ok(audit_follow(chain, bytes_of(log->p + start, log->n - start - 1)));
    assert_int_equal(chain->size, log->n);
}

static void a_line_is_canonical_json_that_names_the_line_before(void **state)
{
    (void)state;
    static const char first[] =
        "{\"details\":\"done\",\"event\":\"approve-manifest\",\"prev\":\"" ZEROS
        "\",\"seq\":\"1\",\"time\":\"2023-11-14T22:13:20Z\",\"who\":\"member1\"}";
    struct audit_chain chain = {0};
    BUF_AUTO log = {0};
    extend(&chain, plain(), &log);
    assert_bytes(bytes_of(log.p, log.n - 1), bytes_str(first));
    uint8_t hash[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256(hash, (const uint8_t *)first, sizeof first - 1);
    assert_memory_equal(chain.head, hash, sizeof hash);

    char hex[2 * sizeof hash + 1], second[600];
    (void)sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    size_t start = log.n;
    uint8_t digest[SHA256_SIZE] = {0xab};
    struct audit_event full = plain();
    full.manifest_hash = full.document_digest = BYTES_OF(digest);
    extend(&chain, full, &log);
    (void)snprintf(
        second, sizeof second,
        "{\"details\":\"done\",\"documentDigest\":\"ab%.62s\",\"event\":"
        "\"approve-manifest\",\"manifestHash\":\"ab%.62s\",\"prev\":\"%s\",\"seq\":\"2\","
        "\"time\":\"2023-11-14T22:13:20Z\",\"who\":\"member1\"}",
        ZEROS, ZEROS, hex);
    assert_bytes(bytes_of(log.p + start, log.n - start - 1), bytes_str(second));
    assert_int_equal(chain.count, 2);
}

static void a_line_out_of_its_place_is_refused(void **state)
{
    (void)state;
    struct audit_chain chain = {0}, other = {0};
    struct audit_event changed = plain();
    BUF_AUTO log = {0}, another = {0};
    changed.details = BYTES_LIT("refused");
    extend(&chain, plain(), &log);
    extend(&other, changed, &another);
    const struct audit_chain after_one = chain;
    size_t one = log.n;
    extend(&chain, plain(), &log);
    struct bytes first = bytes_of(log.p, one - 1), second = bytes_of(log.p + one, log.n - one - 1);
    struct audit_chain again = after_one, empty = {0};
    assert_refused(audit_follow(&again, first), Q_REFUSED, "line 2: expected number 2, found 1");
    assert_refused(audit_follow(&empty, second), Q_REFUSED, "line 1: expected number 1, found 2");
    // A good second line after another first one.
    assert_refused(audit_follow(&other, second), Q_REFUSED, "line 2 does not follow");
    assert_int_equal(other.count, 1); // and the chain is as it was
    assert_memory_equal(again.head, after_one.head, sizeof again.head);
}

static void only_the_one_form_of_a_record_is_followed(void **state)
{
    (void)state;
    static const struct {
        const char *details, *more, *prev, *seq;
    } bad[] = {
        {"done", "", ZEROS, "1"},                             // a number is written as text
        {"done\" ", "", ZEROS, "\"1\""},                      // a stray word
        {"done", "\"more\":\"x\",", ZEROS, "\"1\""},          // an unknown field
        {"done", "\"manifestHash\":\"00\",", ZEROS, "\"1\""}, // no digest
        {"done", "", "00", "\"1\""},                          // no hash
        {"done", " ", ZEROS, "\"1\""},                        // a space
        {"d\\u006fne", "", ZEROS, "\"1\""},                   // an escape that is not needed
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct audit_chain chain = {0};
        char line[600];
        (void)snprintf(line, sizeof line,
                       "{\"details\":\"%s\",\"event\":\"e\",%s\"prev\":\"%s\",\"seq\":%s,"
                       "\"time\":\"t\",\"who\":\"w\"}",
                       bad[i].details, bad[i].more, bad[i].prev, bad[i].seq);
        assert_int_not_equal(audit_follow(&chain, bytes_str(line)), Q_OK);
        assert_non_null(strstr(err_text(), "line 1 is no record"));
        assert_int_equal(chain.count, 0);
    }
    char large[AUDIT_LINE_MAX + 1];
    struct audit_chain chain = {0};
    assert_int_not_equal(audit_follow(&chain, BYTES_LIT("")), Q_OK);
    assert_int_not_equal(audit_follow(&chain, BYTES_LIT("{}")), Q_OK);
    memset(large, ' ', sizeof large);
    assert_refused(audit_follow(&chain, BYTES_OF(large)), Q_LIMIT, "at most 4096");
}

static void hostile_and_long_text_stays_one_short_line(void **state)
{
    (void)state;
    struct audit_chain chain = {0};
    BUF_AUTO log = {0}, details = {0};
    for (int i = 0; i < 2000; i++)
        assert_ok(buf_append_str(&details, "\xc3\xa4\n\x1b"));
    assert_ok(buf_append(&details, BYTES_LIT("\xff\xfe")));
    const struct audit_event hostile = {.who = BYTES_LIT("a\nb\x1b[2J\xff"),
                                        .event = buf_bytes(&details),
                                        .details = buf_bytes(&details)};
    extend(&chain, hostile, &log);
    assert_true(log.n <= AUDIT_LINE_MAX);
    assert_ptr_equal(memchr(log.p, '\n', log.n), log.p + log.n - 1);
    assert_null(memchr(log.p, 0x1b, log.n));
    extend(&chain, plain(), &log);
}

static void digests_of_another_size_are_not_written(void **state)
{
    (void)state;
    const struct audit_chain chain = {0};
    BUF_AUTO log = {0};
    struct audit_event e = plain();
    e.manifest_hash = BYTES_LIT("short");
    assert_int_equal(audit_extend(&chain, &e, NOON, &log), Q_BAD_INPUT);
    e = plain();
    assert_int_equal(audit_extend(&chain, &e, INT64_C(1) << 40, &log), Q_BAD_INPUT);
    assert_int_equal(log.n, 0);
}

static void description_fits_its_type(void **state)
{
    (void)state;
    assert_ok(type_check(&type_audit_record));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_canonical_json_that_names_the_line_before),
        cmocka_unit_test(a_line_out_of_its_place_is_refused),
        cmocka_unit_test(only_the_one_form_of_a_record_is_followed),
        cmocka_unit_test(hostile_and_long_text_stays_one_short_line),
        cmocka_unit_test(digests_of_another_size_are_not_written),
        cmocka_unit_test(description_fits_its_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
