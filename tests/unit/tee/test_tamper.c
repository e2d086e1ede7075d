// A genuine document is refused after any single-bit change. Tens of thousands of verifications on
// all processors at once, which also shows that a struct trust can be shared between threads.
#include "tee_vectors.h"

#include <pthread.h>
#include <stdatomic.h>

#define MAX_THREADS 16

struct work {
    struct bytes original;
    const struct trust *trust;
    int64_t at;
    atomic_size_t next;     // bit
    atomic_size_t accepted; // 0, or 1 + the bit whose change went unnoticed
};

static void *flip_bits(void *argument)
{
    struct work *w = argument;
    BUF_AUTO changed = {0};
    if (buf_append(&changed, w->original) != Q_OK) {
        atomic_store(&w->accepted, SIZE_MAX);
        return NULL;
    }
    for (size_t bit; (bit = atomic_fetch_add(&w->next, 1)) < 8 * changed.n;) {
        ARENA_AUTO a = {0};
        struct claims c;
        changed.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (attestation_verify(buf_bytes(&changed), w->trust, w->at, &a, &c) == Q_OK || c.verified)
            atomic_store(&w->accepted, 1 + bit);
        changed.p[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    return NULL;
}

static void check_every_bit(struct bytes document, const struct trust *trust, int64_t at)
{
    struct work work = {.original = document, .trust = trust, .at = at};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int threads = processors < 1 ? 1 : processors > MAX_THREADS ? MAX_THREADS : (int)processors;
    pthread_t thread[MAX_THREADS];
    for (int i = 0; i < threads; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, flip_bits, &work), 0);
    for (int i = 0; i < threads; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    size_t accepted = atomic_load(&work.accepted);
    if (accepted != 0)
        fail_msg("the document was accepted with bit %zu changed", accepted - 1);
}

static void every_single_bit_change_of_a_genuine_document_is_refused(void **state)
{
    (void)state;
#ifndef LONG_TESTS
    print_message("skipped: too slow in a build with sanitizers\n");
    skip();
#endif
    char path[1024];
    shared_path("vectors/nitro/attestation/evervault-beta-valid.cose", path, sizeof path);
    BUF_AUTO document = {0};
    TRUST_AUTO trust = {0};
    ARENA_AUTO a = {0};
    struct claims c;
    assert_ok(file_read(path, ATTESTATION_MAX_SIZE, &document));
    assert_ok(trust_aws(&trust));
    const int64_t at = 1665651482;
    assert_ok(attestation_verify(buf_bytes(&document), &trust, at, &a, &c));
    check_every_bit(buf_bytes(&document), &trust, at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_single_bit_change_of_a_genuine_document_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
