// The manifest of a development boot: accepted by the one exception of the thresholds, and by
// nothing else (client/boot/dev_manifest.h).
#include "../cmocka_setup.h"

#include "client/boot/dev_manifest.h"
#include "protocol/manifest.h"
#include "tee/attestation.h"

#include <stdlib.h>

struct made {
    struct arena a;
    struct p256_pair *quorum, *member;
    struct manifest m;
};

static int make(void **state)
{
    struct made *d = calloc(1, sizeof *d);
    assert_non_null(d);
    assert_ok(p256_pair_generate(&d->quorum));
    assert_ok(p256_pair_generate(&d->member));
    d->m.pivot.restart.tag = RESTART_ALWAYS;
    assert_ok(dev_manifest_make(p256_pair_public(d->quorum), p256_pair_public(d->member),
                                BYTES_LIT("pivot"), &d->a, &d->m));
    *state = d;
    return 0;
}

static int release(void **state)
{
    struct made *d = *state;
    p256_pair_free(&d->quorum);
    p256_pair_free(&d->member);
    arena_free(&d->a);
    free(d);
    return 0;
}

static void it_names_the_keys_the_application_and_no_measurement(void **state)
{
    const struct made *d = *state;
    uint8_t hash[SHA256_SIZE];
    assert_ok(sha256(BYTES_LIT("pivot"), hash));
    assert_memory_equal(d->m.pivot.hash, hash, sizeof hash);
    assert_int_equal(d->m.pivot.restart.tag, RESTART_ALWAYS);
    assert_true(
        bytes_equal(d->m.namespace.quorum_key, p256_public_bytes(p256_pair_public(d->quorum))));
    assert_true(bytes_equal(d->m.share_set.members.items[0].pub_key,
                            p256_public_bytes(p256_pair_public(d->member))));
    const struct bytes pcrs[] = {d->m.enclave.pcr0, d->m.enclave.pcr1, d->m.enclave.pcr2,
                                 d->m.enclave.pcr3};
    for (size_t i = 0; i < sizeof pcrs / sizeof pcrs[0]; i++)
        assert_true(pcrs[i].n == SHA384_SIZE && bytes_is_zero(pcrs[i]));
    assert_true(bytes_equal(d->m.enclave.root_certificate, attestation_aws_root));
}

static void it_passes_as_a_development_boot_only(void **state)
{
    struct made *d = *state;
    assert_true(share_set_is_development(&d->m.share_set));
    assert_ok(manifest_check_thresholds(&d->m, NULL));
    d->m.share_set.threshold = DEV_SHARES + 1;
    assert_false(share_set_is_development(&d->m.share_set));
    assert_int_equal(manifest_check_thresholds(&d->m, NULL), Q_REFUSED);
}

static void it_is_read_back_as_it_was(void **state)
{
    struct made *d = *state;
    BUF_AUTO json = {0};
    struct manifest back;
    uint8_t hash[SHA256_SIZE], again[SHA256_SIZE];
    assert_ok(manifest_store(&d->m, &json));
    assert_ok(manifest_read(buf_bytes(&json), &d->a, &back));
    assert_int_equal(back.version, MANIFEST_V1);
    assert_ok(manifest_hash(&d->m, hash));
    assert_ok(manifest_hash(&back, again));
    assert_memory_equal(hash, again, sizeof hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_names_the_keys_the_application_and_no_measurement, make,
                                        release),
        cmocka_unit_test_setup_teardown(it_passes_as_a_development_boot_only, make, release),
        cmocka_unit_test_setup_teardown(it_is_read_back_as_it_was, make, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
