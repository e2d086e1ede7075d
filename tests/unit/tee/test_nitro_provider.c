// The Nitro provider over a scripted security module: the whole commit request by request, opening,
// randomness, and the root it trusts; also when memory runs out or a file fails.
#include "fake_nsm.h"

#include "../failing/failing_calls.h"

#include "base/file.h"
#include "tee/nitro.h"
#include "tee/provider.h"

#include <sys/stat.h>

#define SOME_PCR0                                                                                  \
    "\xa1\x6b"                                                                                     \
    "DescribePCR\xa2\x64"                                                                          \
    "lock\xf5\x64"                                                                                 \
    "data\x58\x30\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
    "\0\0\0\0\0\0\0\1"
#define RANDOM                                                                                     \
    "\xa1\x69"                                                                                     \
    "GetRandom\xa1\x66"                                                                            \
    "random\x48"                                                                                   \
    "\x01\x02\x03\x04\x05\x06\x07\x08"

static const uint8_t random_bytes_given[] = {1, 2, 3, 4, 5, 6, 7, 8};

struct scene {
    struct fake_nsm nsm;
    char pool[64];
};

static int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    (void)snprintf(s->pool, sizeof s->pool, "/tmp/quorate-test-XXXXXX");
    int fd = mkstemp(s->pool);
    assert_true(fd >= 0);
    (void)close(fd);
    s->nsm = fake_nsm_of(BYTES_LIT(SOME_PCR0));
    s->nsm.answers[s->nsm.answers_n++] = BYTES_LIT(RANDOM);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    (void)unlink(s->pool);
    free(s);
    return 0;
}

static void opening_folds_the_modules_randomness_into_the_pool(void **state)
{
    struct scene *s = *state;
    TEE_AUTO *t = NULL;
    assert_ok(nitro_open_port(&s->nsm.port, s->pool, &t));
    BUF_AUTO pool = {0};
    assert_ok(file_read(s->pool, 4096, &pool));
    assert_bytes(buf_bytes(&pool), BYTES_OF(random_bytes_given));
    assert_string_equal(tee_name(t), "nitro");
    assert_false(tee_simulated(t) || tee_relaxed(t));
    t->simulated = true; // as a test build has it
    assert_false(tee_relaxed(t));
    assert_bytes(tee_root(t), attestation_aws_root);
    assert_int_equal(s->nsm.closed, 0); // one descriptor, as long as the provider lives
    tee_close(&t);
    assert_int_equal(s->nsm.closed, 1);
}

static void opening_fails_without_the_modules_randomness(void **state)
{
    struct scene *s = *state;
    TEE_AUTO *t = NULL;
    s->nsm.answers[1] = BYTES_LIT("\xa1\x65"
                                  "Error\x6d"
                                  "InternalError");
    assert_refused(nitro_open_port(&s->nsm.port, s->pool, &t), Q_TEE,
                   "NSM GetRandom: InternalError");
    assert_null(t);
    assert_int_equal(s->nsm.closed, 1);
}

static void opening_fails_without_a_pool(void **state)
{
    struct scene *s = *state;
    TEE_AUTO *t = NULL;
    assert_refused(nitro_open_port(&s->nsm.port, "/nowhere/random", &t), Q_IO, "/nowhere/random");
    assert_int_equal(s->nsm.closed, 1);
}

static struct buf heard;

static void hear(const void *p, size_t n)
{
    assert_ok(buf_append(&heard, bytes_of(p, n)));
}

static const char *said_at_opening(struct scene *s)
{
    TEE_AUTO *t = NULL;
    buf_clear(&heard);
    failing_listen(hear);
    enum q_err err = nitro_open_port(&s->nsm.port, s->pool, &t);
    failing_listen(NULL);
    assert_int_equal(err, Q_OK);
    return buf_text(&heard);
}

static void an_enclave_in_debug_mode_says_so(void **state)
{
    struct scene *s = *state;
    assert_string_equal(said_at_opening(s), "");
    uint8_t zero[sizeof SOME_PCR0 - 1] = SOME_PCR0;
    zero[sizeof zero - 1] = 0;
    s->nsm.answers[0] = BYTES_OF(zero);
    s->nsm.at = 0;
    assert_non_null(strstr(said_at_opening(s), "DEBUG MODE: PCR0 is zero"));
    buf_free(&heard);
}

static bool open_and_close(void *context)
{
    struct scene *s = context;
    TEE_AUTO *t = NULL;
    unsigned closed = s->nsm.closed;
    s->nsm.at = 0;
    bool opened = nitro_open_port(&s->nsm.port, s->pool, &t) == Q_OK;
    assert_int_equal(opened, t != NULL);
    tee_close(&t);
    assert_int_equal(s->nsm.closed, closed + 1); // whatever failed
    return opened;
}

static void opening_meets_calls_that_fail(void **state)
{
    assert_true(failing_each(FAILING_MEMORY, open_and_close, *state) >= 3);
    assert_true(failing_each(FAILING_FILES, open_and_close, *state) >= 2);
}

// Replays the vectors' conversation from here on.
static void script(struct fake_nsm *f, struct vector_file *v, const json_t *rows)
{
    size_t i;
    json_t *row;
    f->at = f->answers_n = 0;
    json_array_foreach(rows, i, row)
    {
        f->expected[i] = vector_hex(v, row, "request");
        f->answers[f->answers_n++] = vector_hex(v, row, "answer");
    }
}

static void the_commit_is_the_sequence_another_implementation_wrote(void **state)
{
    struct scene *s = *state;
    VECTOR_FILE_AUTO v;
    TEE_AUTO *t = NULL;
    bool begun = false;
    assert_ok(nitro_open_port(&s->nsm.port, s->pool, &t));
    vector_file_own(&v, "nsm/nsm.json");
    const json_t *talk = vector_field(v.root, "conversation");
    script(&s->nsm, &v, vector_field(talk, "rows"));
    assert_ok(
        tee_commit(t, vector_hex(&v, talk, "setup").p, vector_hex(&v, talk, "live").p, &begun));
    assert_true(begun);
    assert_int_equal(s->nsm.at, 9);
}

// A module that stops answering properly: before the first extend nothing has begun, after it it has.
static void a_commit_that_breaks_off_says_whether_it_had_begun(void **state)
{
    struct scene *s = *state;
    VECTOR_FILE_AUTO v;
    TEE_AUTO *t = NULL;
    assert_ok(nitro_open_port(&s->nsm.port, s->pool, &t));
    vector_file_own(&v, "nsm/nsm.json");
    const json_t *talk = vector_field(v.root, "conversation");
    for (size_t broken = 0; broken < 9; broken++) {
        bool begun = false;
        script(&s->nsm, &v, vector_field(talk, "rows"));
        s->nsm.answers[broken] = BYTES_LIT("\xa1\x65"
                                           "Error\x6d"
                                           "InternalError");
        assert_refused(
            tee_commit(t, vector_hex(&v, talk, "setup").p, vector_hex(&v, talk, "live").p, &begun),
            Q_TEE, "InternalError");
        assert_int_equal(begun, broken >= 3);
        assert_int_equal(s->nsm.at, broken + 1); // and nothing more was asked
    }
}

static void evidence_is_the_modules_document(void **state)
{
    struct scene *s = *state;
    VECTOR_FILE_AUTO v;
    TEE_AUTO *t = NULL;
    BUF_AUTO document = {0};
    assert_ok(nitro_open_port(&s->nsm.port, s->pool, &t));
    vector_file_own(&v, "nsm/nsm.json");
    s->nsm.expected[2] = vector_hex(&v, vector_field(v.root, "requests"), "attest");
    s->nsm.answers[2] = BYTES_LIT("\xa1\x6b"
                                  "Attestation\xa1\x68"
                                  "document\x43"
                                  "doc");
    s->nsm.answers_n = 3;
    assert_ok(tee_attest(t, BYTES_LIT("user"), BYTES_LIT("nonce"), BYTES_LIT("key"), &document));
    assert_bytes(buf_bytes(&document), BYTES_LIT("doc"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(opening_folds_the_modules_randomness_into_the_pool),
        TEST(opening_fails_without_the_modules_randomness),
        TEST(opening_fails_without_a_pool),
        TEST(an_enclave_in_debug_mode_says_so),
        TEST(opening_meets_calls_that_fail),
        TEST(the_commit_is_the_sequence_another_implementation_wrote),
        TEST(a_commit_that_breaks_off_says_whether_it_had_begun),
        TEST(evidence_is_the_modules_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
