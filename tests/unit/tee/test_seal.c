// Sealed secrets: opened by the same image on the same machine, and by nobody else; each refusal
// says which of them it is.
#include "sim_fixture.h"

#include "snp_machine.h"

#include "tee/seal.h"

#define SECRET BYTES_LIT("the quorum key's thirty-two bytes")

static int start_sealing(void **state)
{
    return secret_init(true) == Q_OK ? start(state) : -1;
}
#define SEAL_TEST(f) cmocka_unit_test_setup_teardown(f, start_sealing, stop)

static void on_one_machine_what_is_sealed_opens(void **state)
{
    (void)state;
    MACHINE_AUTO m;
    TEE_AUTO *t = NULL, *again = NULL;
    BUF_AUTO sealed = {0}, other = {0};
    SECRET_AUTO opened = {0};
    machine_start(&m);
    assert_ok(machine_open(&m, NULL, &t));
    assert_ok(tee_seal(t, "quorum key", SECRET, &sealed));
    assert_ok(tee_seal(t, "quorum key", SECRET, &other));
    assert_false(bytes_equal(buf_bytes(&sealed), buf_bytes(&other)));
    assert_null(memmem(sealed.p, sealed.n, SECRET.p, 8));
    assert_ok(machine_open(&m, NULL, &again));
    assert_ok(tee_unseal(again, "quorum key", buf_bytes(&sealed), &opened));
    assert_bytes(secret_bytes(&opened), SECRET);
}

static void another_image_and_another_machine_are_told_apart(void **state)
{
    (void)state;
    MACHINE_AUTO m;
    TEE_AUTO *t = NULL, *image = NULL, *machine = NULL, *chip = NULL;
    BUF_AUTO sealed = {0};
    SECRET_AUTO opened = {0};
    machine_start(&m);
    assert_ok(machine_open(&m, NULL, &t));
    assert_ok(tee_seal(t, "quorum key", SECRET, &sealed));
    m.measurement[47] ^= 1;
    assert_ok(machine_open(&m, NULL, &image));
    assert_refused(tee_unseal(image, "quorum key", buf_bytes(&sealed), &opened), Q_REFUSED,
                   "wrong image: sealed by 7158862b");
    m.measurement[47] ^= 1;
    m.chip[0] ^= 1;
    assert_ok(machine_open(&m, NULL, &machine));
    assert_refused(tee_unseal(machine, "quorum key", buf_bytes(&sealed), &opened), Q_REFUSED,
                   "wrong machine: sealed by ");
    // A chip that hides its id, or a host that lies about it, has still its own key.
    m.chip[0] ^= 1;
    m.key_root[0] ^= 1;
    assert_ok(machine_open(&m, NULL, &chip));
    assert_refused(tee_unseal(chip, "quorum key", buf_bytes(&sealed), &opened), Q_CRYPTO,
                   "damaged");
    assert_null(opened.p);
}

static void newer_firmware_opens_what_older_sealed(void **state)
{
    (void)state;
    MACHINE_AUTO m;
    TEE_AUTO *old = NULL, *new = NULL;
    BUF_AUTO sealed = {0};
    SECRET_AUTO opened = {0};
    machine_start(&m);
    assert_ok(machine_open(&m, NULL, &old));
    assert_ok(tee_seal(old, "quorum key", SECRET, &sealed));
    m.committed += 1;
    assert_ok(machine_open(&m, NULL, &new));
    assert_ok(tee_unseal(new, "quorum key", buf_bytes(&sealed), &opened));
    assert_bytes(secret_bytes(&opened), SECRET);
}

static void no_byte_can_be_changed_or_left_out(void **state)
{
    (void)state;
    MACHINE_AUTO m;
    TEE_AUTO *t = NULL;
    BUF_AUTO sealed = {0};
    machine_start(&m);
    assert_ok(machine_open(&m, NULL, &t));
    assert_ok(tee_seal(t, "quorum key", SECRET, &sealed));
    for (size_t i = 0; i < sealed.n; i++) {
        SECRET_AUTO opened = {0};
        sealed.p[i] ^= 0x40;
        assert_int_not_equal(tee_unseal(t, "quorum key", buf_bytes(&sealed), &opened), Q_OK);
        sealed.p[i] ^= 0x40;
        assert_int_not_equal(tee_unseal(t, "quorum key", bytes_of(sealed.p, i), &opened), Q_OK);
        assert_null(opened.p);
    }
    SECRET_AUTO opened = {0};
    assert_ok(buf_u8(&sealed, 0));
    assert_int_not_equal(tee_unseal(t, "quorum key", buf_bytes(&sealed), &opened), Q_OK);
}

static void another_purpose_and_another_provider_are_refused(void **state)
{
    struct fixture *f = *state;
    MACHINE_AUTO m;
    TEE_AUTO *t = NULL, *sim = NULL;
    BUF_AUTO sealed = {0}, simulated = {0};
    SECRET_AUTO opened = {0};
    machine_start(&m);
    assert_ok(machine_open(&m, NULL, &t));
    assert_ok(tee_open(&f->options, &sim));
    assert_ok(tee_seal(t, "quorum key", SECRET, &sealed));
    assert_ok(tee_seal(sim, "quorum key", SECRET, &simulated));
    assert_refused(tee_unseal(t, "share", buf_bytes(&sealed), &opened), Q_REFUSED,
                   "another purpose");
    assert_refused(tee_unseal(t, "quorum key", buf_bytes(&simulated), &opened), Q_REFUSED,
                   "wrong TEE: expected it sealed by snp");
    assert_refused(tee_unseal(sim, "quorum key", buf_bytes(&sealed), &opened), Q_REFUSED,
                   "wrong TEE: expected it sealed by sim");
}

static void a_simulation_seals_for_its_own_pki(void **state)
{
    struct fixture *f = *state;
    TEE_AUTO *one = NULL, *again = NULL, *other = NULL;
    BUF_AUTO sealed = {0};
    SECRET_AUTO opened = {0};
    char elsewhere[100];
    assert_ok(tee_open(&f->options, &one));
    assert_ok(tee_seal(one, "quorum key", SECRET, &sealed));
    assert_ok(tee_open(&f->options, &again));
    assert_ok(tee_unseal(again, "quorum key", buf_bytes(&sealed), &opened));
    assert_bytes(secret_bytes(&opened), SECRET);
    (void)snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", f->folder);
    f->options.sim_dir = elsewhere;
    assert_ok(tee_open(&f->options, &other));
    assert_refused(tee_unseal(other, "quorum key", buf_bytes(&sealed), &opened), Q_REFUSED,
                   "wrong machine");
    f->options.sim_dir = f->dir;
    f->options.mock = true;
    TEE_AUTO *mock = NULL;
    assert_ok(tee_open(&f->options, &mock));
    assert_refused(tee_unseal(mock, "quorum key", buf_bytes(&sealed), &opened), Q_REFUSED,
                   "wrong image");
}

static void files_are_never_replaced_and_are_named(void **state)
{
    struct fixture *f = *state;
    TEE_AUTO *t = NULL;
    SECRET_AUTO opened = {0};
    char path[160], missing[160];
    assert_ok(tee_open(&f->options, &t));
    (void)inside(f, "quorum_key.sealed", path);
    (void)inside(f, "none.sealed", missing);
    assert_ok(tee_seal_file(t, "quorum key", SECRET, path));
    assert_int_equal(mode_of(f, "quorum_key.sealed"), 0600);
    assert_refused(tee_seal_file(t, "quorum key", BYTES_LIT("another"), path), Q_EXISTS, path);
    assert_ok(tee_unseal_file(t, "quorum key", path, &opened));
    assert_bytes(secret_bytes(&opened), SECRET);
    SECRET_AUTO none = {0};
    assert_refused(tee_unseal_file(t, "share", path, &none), Q_REFUSED, path);
    assert_refused(tee_unseal_file(t, "quorum key", missing, &none), Q_IO, missing);
    assert_ok(file_write(path, BYTES_LIT("something else"), 0600, FILE_REPLACE));
    assert_refused(tee_unseal_file(t, "quorum key", path, &none), Q_BAD_INPUT, path);
}

static void sizes_out_of_range_are_refused(void **state)
{
    struct fixture *f = *state;
    TEE_AUTO *t = NULL;
    BUF_AUTO sealed = {0}, large = {0};
    SECRET_AUTO opened = {0};
    assert_ok(tee_open(&f->options, &t));
    assert_ok(buf_reserve(&large, SEAL_MAX_SECRET + 1));
    memset(large.p, 1, SEAL_MAX_SECRET + 1);
    assert_refused(tee_seal(t, "key", BYTES_LIT(""), &sealed), Q_LIMIT, "found 0");
    assert_refused(tee_seal(t, "key", bytes_of(large.p, SEAL_MAX_SECRET + 1), &sealed), Q_LIMIT,
                   "found 65537");
    assert_int_equal(sealed.n, 0);
    assert_ok(tee_seal(t, "key", bytes_of(large.p, SEAL_MAX_SECRET), &sealed));
    assert_ok(tee_unseal(t, "key", buf_bytes(&sealed), &opened));
    assert_int_equal(opened.n, SEAL_MAX_SECRET);
}

static void a_provider_without_a_key_says_so(void **state)
{
    (void)state;
    static const struct tee_ops none = {0};
    struct tee nitro = {.ops = &none, .name = "nitro"};
    BUF_AUTO sealed = {0};
    SECRET_AUTO opened = {0};
    assert_refused(tee_seal(&nitro, "key", SECRET, &sealed), Q_UNSUPPORTED, "found nitro");
    assert_refused(tee_unseal(&nitro, "key", SECRET, &opened), Q_UNSUPPORTED, "found nitro");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SEAL_TEST(on_one_machine_what_is_sealed_opens),
        SEAL_TEST(another_image_and_another_machine_are_told_apart),
        SEAL_TEST(newer_firmware_opens_what_older_sealed),
        SEAL_TEST(no_byte_can_be_changed_or_left_out),
        SEAL_TEST(another_purpose_and_another_provider_are_refused),
        SEAL_TEST(a_simulation_seals_for_its_own_pki),
        SEAL_TEST(files_are_never_replaced_and_are_named),
        SEAL_TEST(sizes_out_of_range_are_refused),
        SEAL_TEST(a_provider_without_a_key_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
