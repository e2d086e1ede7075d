// The SEV-SNP provider on a recorded machine, through both doors of the kernel: what it attests
// verifies, and what firmware, hypervisor, kernel or another process do wrong is refused and said.
#include "snp_machine.h"

static void verify(struct bytes document, struct arena *a, struct claims *out)
{
    TRUST_AUTO trust = {0};
    snp_trust("ark_milan", &trust);
    assert_ok(attestation_verify(document, &trust, SNP_AT, a, out));
}

static void what_it_attests_verifies(void **state)
{
    (void)state;
    MACHINE_AUTO m;
    TEE_AUTO *t = NULL;
    BUF_AUTO document = {0};
    ARENA_AUTO a = {0};
    struct claims c;
    machine_start(&m);
    assert_ok(machine_open(&m, NULL, &t));
    assert_string_equal(tee_name(t), "snp");
    assert_false(tee_simulated(t) || tee_relaxed(t));
    assert_string_equal(attestation_amd_product(tee_root(t)), "Milan");
    assert_ok(tee_attest(t, BYTES_LIT("user"), BYTES_LIT("nonce"), BYTES_LIT("key"), &document));
    verify(buf_bytes(&document), &a, &c);
    assert_bytes(c.user_data, BYTES_LIT("user"));
    assert_bytes(c.nonce, BYTES_LIT("nonce"));
    assert_bytes(c.public_key, BYTES_LIT("key"));
    assert_bytes(bytes_of(c.registers[0].value, 48), BYTES_OF(m.measurement));
    assert_true(document.n < 8192); // the table's room is not part of it
}

static void a_committed_manifest_is_shown_and_no_other(void **state)
{
    (void)state;
    MACHINE_AUTO m;
    TEE_AUTO *t = NULL;
    BUF_AUTO document = {0};
    ARENA_AUTO a = {0};
    struct claims c;
    bool begun;
    uint8_t setup[SHA384_SIZE], live[SHA384_SIZE];
    struct expectation e = {.committed = true, .commitment = COMMITMENT_SETUP};
    memset(e.manifest_hash, 0x77, sizeof e.manifest_hash);
    e.user_data = BYTES_OF(e.manifest_hash);
    machine_start(&m);
    assert_ok(machine_open(&m, NULL, &t));
    assert_ok(commitment_make(COMMITMENT_SETUP, e.manifest_hash, BYTES_LIT("setup"), setup));
    assert_ok(commitment_make(COMMITMENT_LIVE, e.manifest_hash, BYTES_LIT("live"), live));
    assert_ok(tee_commit(t, setup, live, &begun));
    assert_refused(tee_commit(t, setup, live, &begun), Q_TEE, "locked");
    assert_false(begun);
    assert_ok(tee_attest(t, e.user_data, BYTES_NONE, BYTES_LIT("setup"), &document));
    verify(buf_bytes(&document), &a, &c);
    for (size_t i = 0; i < MEASUREMENT_COUNT; i++)
        e.measurements[i] = bytes_of(c.registers[i].value, c.registers[i].n);
    assert_ok(claims_check(&c, &e));
    e.commitment = COMMITMENT_LIVE;
    assert_refused(claims_check(&c, &e), Q_ATTESTATION, "DifferentPcr");
    e.commitment = COMMITMENT_SETUP;
    e.manifest_hash[0] ^= 1;
    assert_refused(claims_check(&c, &e), Q_ATTESTATION, "DifferentUserData");
}

static void the_role_must_be_the_host_datas(void **state)
{
    (void)state;
    MACHINE_AUTO m;
    TEE_AUTO *t = NULL, *none = NULL;
    BUF_AUTO document = {0}, unexplained = {0};
    ARENA_AUTO a = {0};
    struct claims c;
    uint8_t measured[SHA384_SIZE];
    machine_start(&m);
    assert_ok(sha256(BYTES_LIT("the role"), m.host_data));
    assert_refused(machine_open(&m, "another", &t), Q_TEE, "host data");
    assert_ok(machine_open(&m, "the role", &t));
    assert_ok(tee_attest(t, BYTES_NONE, BYTES_NONE, BYTES_NONE, &document));
    verify(buf_bytes(&document), &a, &c);
    assert_ok(role_measurement(BYTES_LIT("the role"), measured));
    assert_bytes(bytes_of(c.registers[3].value, c.registers[3].n), BYTES_OF(measured));
    assert_bytes(c.platform.host_data, BYTES_OF(m.host_data));
    assert_ok(machine_open(&m, NULL, &none));
    assert_ok(tee_attest(none, BYTES_NONE, BYTES_NONE, BYTES_NONE, &unexplained));
    verify(buf_bytes(&unexplained), &a, &c);
    assert_false(c.registers[3].present);
}

static void a_guest_that_others_can_look_into_does_not_start(void **state)
{
    (void)state;
    MACHINE_AUTO m;
    TEE_AUTO *t = NULL;
    machine_start(&m);
    m.policy = 0xb0000;
    assert_refused(machine_open(&m, NULL, &t), Q_TEE, "DEBUG");
    m.policy = 0x70000;
    assert_refused(machine_open(&m, NULL, &t), Q_TEE, "migration");
    assert_null(t);
}

static void without_a_certificate_it_starts_and_its_evidence_is_refused(void **state)
{
    (void)state;
    MACHINE_AUTO m;
    TEE_AUTO *t = NULL;
    BUF_AUTO document = {0};
    ARENA_AUTO a = {0};
    TRUST_AUTO trust = {0};
    struct claims c;
    machine_start(&m);
    memset(m.table.p, 0, 24);
    assert_ok(machine_open(&m, NULL, &t));
    assert_ok(tee_attest(t, BYTES_NONE, BYTES_NONE, BYTES_NONE, &document));
    assert_ok(trust_amd("Milan", &trust));
    assert_refused(attestation_verify(buf_bytes(&document), &trust, SNP_AT, &a, &c), Q_ATTESTATION,
                   "VCEK certificate, found none");
}

static void refusals_of_firmware_and_hypervisor_are_said(void **state)
{
    (void)state;
    struct {
        struct machine wrong;
        const char *text;
    } const rows[] = {
        {{.os_error = ENOTTY}, "extended report: Inappropriate"},
        {{.firmware_error = 0x16}, "firmware error 16"},
        {{.vmm_error = 2}, "busy"},
        {{.vmm_error = 1, .needed_room = 0x8000}, "at most 16384 bytes from the host, found 32768"},
        {{.status = 0x16}, "status 0, found 22"},
        {{.size = 1183}, "1184 bytes, found 1183"},
        {{.other_data = true}, "data that was asked for"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        MACHINE_AUTO m;
        TEE_AUTO *t = NULL;
        BUF_AUTO document = {0};
        const struct machine *w = &rows[i].wrong;
        machine_start(&m);
        assert_ok(machine_open(&m, NULL, &t));
        m.os_error = w->os_error;
        m.firmware_error = w->firmware_error;
        m.vmm_error = w->vmm_error;
        m.needed_room = w->needed_room;
        m.status = w->status;
        m.size = w->size != 0 ? w->size : m.size;
        m.other_data = w->other_data;
        assert_refused(tee_attest(t, BYTES_NONE, BYTES_NONE, BYTES_NONE, &document), Q_TEE,
                       rows[i].text);
        assert_int_equal(document.n, 0);
    }
}

static void another_measurement_than_at_the_start_is_refused(void **state)
{
    (void)state;
    MACHINE_AUTO m;
    TEE_AUTO *t = NULL;
    BUF_AUTO document = {0};
    machine_start(&m);
    assert_ok(machine_open(&m, NULL, &t));
    m.measurement[0] ^= 1;
    assert_refused(tee_attest(t, BYTES_NONE, BYTES_NONE, BYTES_NONE, &document), Q_TEE,
                   "measurement of the start");
}

// configfs-tsm.
static enum q_err tsm_make(void *context, const char *name)
{
    struct machine *m = context;
    assert_int_equal(m->entries, 0);
    m->entries++;
    (void)snprintf(m->entry, sizeof m->entry, "%s/", name);
    return Q_OK;
}

static const char *of_entry(const struct machine *m, const char *name)
{
    size_t n = strlen(m->entry);
    assert_int_equal(strncmp(name, m->entry, n), 0);
    return name + n;
}

static enum q_err tsm_write(void *context, const char *name, struct bytes value)
{
    struct machine *m = context;
    const char *attribute = of_entry(m, name);
    m->generation++;
    if (strcmp(attribute, "privlevel") == 0) {
        m->vmpl = (uint32_t)(value.p[0] - '0');
        return Q_OK;
    }
    assert_string_equal(attribute, "inblob");
    assert_int_equal(value.n, SNP_DATA_SIZE);
    buf_clear(&m->inblob);
    return buf_append(&m->inblob, value);
}

static enum q_err tsm_read(void *context, const char *name, size_t limit, struct buf *out)
{
    struct machine *m = context;
    const char *attribute = of_entry(m, name);
    uint8_t report[SNP_REPORT_SIZE];
    if (strcmp(attribute, "provider") == 0)
        return buf_append_str(out, m->provider);
    if (strcmp(attribute, "privlevel_floor") == 0)
        return buf_append_str(out, m->floor);
    if (strcmp(attribute, "generation") == 0)
        return buf_printf(out, "%lu\n", m->generation);
    if (strcmp(attribute, "auxblob") == 0) {
        m->generation += m->intruder;
        return buf_append(out, buf_bytes(&m->table));
    }
    assert_string_equal(attribute, "outblob");
    assert_true(limit >= SNP_REPORT_SIZE);
    if (m->os_error != 0)
        return fail_os(m->os_error, "%s", name);
    machine_report(m, m->inblob.p, report);
    return buf_append(out, bytes_of(report, m->size));
}

static void tsm_remove(void *context, const char *name)
{
    struct machine *m = context;
    assert_int_equal(strncmp(m->entry, name, strlen(name)), 0);
    m->entries--;
}

static enum q_err open_tsm(struct machine *m, bool with_keys, struct tee **out)
{
    static const struct tsm_calls calls = {tsm_make, tsm_write, tsm_read, tsm_remove};
    struct snp_device *tsm = NULL, *keys = NULL;
    const struct tee_options options = {.provider = "snp"};
    assert_ok(tsm_over(&calls, m, &tsm));
    if (with_keys)
        assert_ok(sev_guest_over(machine_ioctl, m, &keys));
    *out = NULL;
    return snp_open_over(&options, tsm, keys, out);
}

static void configfs_gives_the_same_evidence(void **state)
{
    (void)state;
    static const char *const floors[] = {"0\n", "2\n"};
    for (uint32_t i = 0; i < 2; i++) {
        MACHINE_AUTO m;
        TEE_AUTO *t = NULL;
        BUF_AUTO document = {0};
        ARENA_AUTO a = {0};
        struct claims c;
        machine_start(&m);
        m.floor = floors[i];
        assert_ok(open_tsm(&m, false, &t));
        assert_ok(tee_attest(t, BYTES_LIT("user"), BYTES_NONE, BYTES_LIT("key"), &document));
        assert_int_equal(m.entries, 0);
        verify(buf_bytes(&document), &a, &c);
        assert_bytes(c.public_key, BYTES_LIT("key"));
        assert_int_equal(c.platform.vmpl, i * 2);
    }
}

static void configfs_that_answers_wrongly_is_refused_and_left_clean(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        static const char *const texts[] = {"sev_guest", "generation", "1184",
                                            "outblob",   "text",       "data that was asked for"};
        MACHINE_AUTO m;
        TEE_AUTO *t = NULL;
        machine_start(&m);
        m.provider = i == 0 ? "tdx_guest\n" : m.provider;
        m.intruder = i == 1;
        m.size = i == 2 ? 1100 : m.size;
        m.os_error = i == 3 ? ETIMEDOUT : 0;
        m.floor = i == 4 ? "text\n" : m.floor;
        m.other_data = i == 5;
        assert_int_not_equal(open_tsm(&m, false, &t), Q_OK);
        if (i != 4 && strstr(err_text(), texts[i]) == NULL)
            fail_msg("row %u: %s", i, err_text());
        assert_int_equal(m.entries, 0);
        assert_null(t);
    }
}

static void keys_come_from_the_device_alone(void **state)
{
    (void)state;
    MACHINE_AUTO m;
    TEE_AUTO *t = NULL, *with = NULL;
    SECRET_AUTO key = {0};
    machine_start(&m);
    assert_ok(open_tsm(&m, false, &t));
    assert_refused(t->ops->seal_key(t, m.committed, &key), Q_UNSUPPORTED, "/dev/sev-guest");
    assert_ok(open_tsm(&m, true, &with));
    assert_ok(with->ops->seal_key(with, m.committed, &key));
    assert_int_equal(key.n, SNP_KEY_SIZE);
    SECRET_AUTO none = {0};
    m.key_of_zeros = true;
    assert_refused(with->ops->seal_key(with, m.committed, &none), Q_TEE, "found zeros");
    m.status = 0x16;
    assert_refused(with->ops->seal_key(with, m.committed, &none), Q_TEE, "derived key: expected");
}

static void the_device_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct snp_device *d = NULL;
    assert_refused(sev_guest_open("/nonexistent/sev-guest", &d), Q_IO, "/nonexistent/sev-guest");
    assert_null(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_attests_verifies),
        cmocka_unit_test(a_committed_manifest_is_shown_and_no_other),
        cmocka_unit_test(the_role_must_be_the_host_datas),
        cmocka_unit_test(a_guest_that_others_can_look_into_does_not_start),
        cmocka_unit_test(without_a_certificate_it_starts_and_its_evidence_is_refused),
        cmocka_unit_test(refusals_of_firmware_and_hypervisor_are_said),
        cmocka_unit_test(another_measurement_than_at_the_start_is_refused),
        cmocka_unit_test(configfs_gives_the_same_evidence),
        cmocka_unit_test(configfs_that_answers_wrongly_is_refused_and_left_clean),
        cmocka_unit_test(keys_come_from_the_device_alone),
        cmocka_unit_test(the_device_that_is_not_there_is_named),
    };
    if (secret_init(true) != Q_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
