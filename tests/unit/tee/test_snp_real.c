// Reports of real machines, of ../shared: each holds at its time against AMD's own root in every
// step but the binding (they were made for others), the one that allows DEBUG is refused, and no
// bit of one can be turned.
#include "../vector_file.h"

#include "base/file.h"
#include "tee/snp_evidence.h"

#include <openssl/pem.h>

#define AT_S ((int64_t)1700000000) // 2023-11-14, inside all certificates' validity
#define REPORTS 4

static const struct real {
    const char *report, *certificate;
    bool debug;
    uint8_t bootloader, snp, microcode;
} reals[REPORTS] = {
    {"virtee-milan-report.bin", "virtee-milan-vcek.der", false, 3, 8, 0x73},
    {"google-milan-report.bin", "google-milan-vcek.der", true, 2, 5, 0x44},
    {"trustee-report.bin", "trustee-vcek.der", false, 3, 8, 0x73},
    {"azure-milan-report.bin", "azure-milan-vcek.pem", false, 3, 8, 0x73},
};

static void load(const char *name, struct buf *out)
{
    char path[1024], relative[200];
    (void)snprintf(relative, sizeof relative, "vectors/snp/%s", name);
    shared_path(relative, path, sizeof path);
    assert_ok(file_read(path, (size_t)1 << 16, out));
}

// DER, or the first certificate of a PEM file, as DER.
static void load_certificate(const char *name, struct buf *out)
{
    BUF_AUTO file = {0};
    load(name, &file);
    if (strstr(name, ".pem") == NULL) {
        assert_ok(buf_append(out, buf_bytes(&file)));
        return;
    }
    BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    uint8_t *der = NULL;
    int n = i2d_X509(x, &der);
    assert_true(n > 0);
    assert_ok(buf_append(out, bytes_of(der, (size_t)n)));
    OPENSSL_free(der);
    X509_free(x);
    BIO_free(bio);
}

// A table with the machine's certificate alone: AMD's authorities are ours.
static void make_evidence(struct bytes report, struct bytes certificate, struct buf *out)
{
    static const uint8_t guid[16] = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
                                     0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd};
    static const uint8_t end[24];
    BUF_AUTO table = {0};
    assert_ok(buf_append(&table, BYTES_OF(guid)));
    assert_ok(buf_u32le(&table, 48));
    assert_ok(buf_u32le(&table, (uint32_t)certificate.n));
    assert_ok(buf_append(&table, BYTES_OF(end)));
    assert_ok(buf_append(&table, certificate));
    struct snp_container c = {.format = BYTES_LIT(SNP_EVIDENCE_FORMAT),
                              .report = report,
                              .certificates = buf_bytes(&table)};
    assert_ok(snp_evidence_write(&c, out));
}

static enum q_err inspect(struct bytes evidence, int64_t at_s, struct claims *c,
                          struct attestation_report *report)
{
    TRUST_AUTO trust = {0};
    ARENA_AUTO a = {0};
    assert_ok(trust_amd("Milan", &trust));
    enum q_err err = attestation_inspect(evidence, &trust, at_s, &a, c, report);
    *c = (struct claims){.debug = c->debug, .platform = c->platform, .verified = c->verified};
    return err;
}

// Which steps failed, as bits.
static unsigned failed(const struct attestation_report *report)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < ATTESTATION_STEPS; i++)
        bits |= report->steps[i].made && report->steps[i].result == Q_OK ? 0 : 1U << i;
    return bits;
}

static void real_reports_hold_but_the_one_that_allows_debug(void **state)
{
    (void)state;
    for (size_t i = 0; i < REPORTS; i++) {
        const struct real *r = &reals[i];
        BUF_AUTO report = {0}, certificate = {0}, evidence = {0};
        struct claims c;
        struct attestation_report steps;
        unsigned expected = 1U << ATTESTATION_BINDING;
        if (r->debug)
            expected |= 1U << ATTESTATION_PLATFORM;
        load(r->report, &report);
        load_certificate(r->certificate, &certificate);
        make_evidence(buf_bytes(&report), buf_bytes(&certificate), &evidence);
        assert_int_not_equal(inspect(buf_bytes(&evidence), AT_S, &c, &steps), Q_OK);
        if (failed(&steps) != expected)
            fail_msg("%s: %x: %s", r->report, failed(&steps), err_text());
        if (r->debug)
            assert_non_null(strstr(err_text(), "DEBUG"));
        assert_int_equal(c.debug, r->debug);
        assert_string_equal(c.platform.product, "Milan");
        assert_int_equal(c.platform.tcb.bootloader, r->bootloader);
        assert_int_equal(c.platform.tcb.snp, r->snp);
        assert_int_equal(c.platform.tcb.microcode, r->microcode);
        assert_memory_equal(&c.platform.launch, &c.platform.tcb, sizeof c.platform.tcb);
        assert_int_equal(c.platform.vmpl, 0);
        assert_false(c.platform.cloud_key);
    }
}

static void a_real_report_does_not_hold_beyond_its_certificates_time(void **state)
{
    (void)state;
    BUF_AUTO report = {0}, certificate = {0}, evidence = {0};
    struct claims c;
    struct attestation_report steps;
    load(reals[0].report, &report);
    load_certificate(reals[0].certificate, &certificate);
    make_evidence(buf_bytes(&report), buf_bytes(&certificate), &evidence);
    assert_int_not_equal(inspect(buf_bytes(&evidence), INT64_C(1930000000), &c, &steps), Q_OK);
    assert_int_equal(failed(&steps), 1U << ATTESTATION_BINDING | 1U << ATTESTATION_VALIDITY);
}

static void a_real_report_does_not_hold_with_the_certificate_of_another_machine(void **state)
{
    (void)state;
    static const char *const wrong[] = {"trustee-test-vcek-invalid-legacy.der",
                                        "trustee-test-vcek-invalid-new.der",
                                        "virtee-milan-vcek.der"};
    for (size_t i = 0; i < 3; i++) {
        BUF_AUTO report = {0}, certificate = {0}, evidence = {0};
        struct claims c;
        struct attestation_report steps;
        load("trustee-report.bin", &report);
        load_certificate(wrong[i], &certificate);
        make_evidence(buf_bytes(&report), buf_bytes(&certificate), &evidence);
        assert_int_not_equal(inspect(buf_bytes(&evidence), AT_S, &c, &steps), Q_OK);
        unsigned without_binding = failed(&steps) & ~(1U << ATTESTATION_BINDING);
        assert_int_not_equal(without_binding & 1U << ATTESTATION_PLATFORM, 0);
        assert_int_not_equal(
            without_binding & 1U << (i < 2 ? ATTESTATION_CHAIN : ATTESTATION_SIGNATURE), 0);
    }
}

static void no_bit_of_a_real_report_can_be_turned(void **state)
{
    (void)state;
    BUF_AUTO report = {0}, certificate = {0};
    load(reals[0].report, &report);
    load_certificate(reals[0].certificate, &certificate);
    for (size_t at = 0; at < report.n; at += 3) {
        BUF_AUTO evidence = {0};
        struct claims c;
        struct attestation_report steps;
        report.p[at] ^= 0x10;
        make_evidence(buf_bytes(&report), buf_bytes(&certificate), &evidence);
        (void)inspect(buf_bytes(&evidence), AT_S, &c, &steps);
        report.p[at] ^= 0x10;
        if ((failed(&steps) & ~(1U << ATTESTATION_BINDING)) == 0)
            fail_msg("byte %zu", at);
    }
}

static void a_real_turin_certificate_leads_to_amds_root(void **state)
{
    (void)state;
    BUF_AUTO certificate = {0};
    load_certificate("virtee-turin-vcek.der", &certificate);
    X509 *x = NULL;
    struct snp_key key;
    assert_ok(certificate_parse(buf_bytes(&certificate), "vcek", &x));
    assert_ok(amd_certificate_check(x, "vcek", AMD_KEY));
    assert_ok(snp_key_read(x, &key));
    X509_free(x);
    assert_ptr_equal(key.product, &amd_turin);
    assert_int_equal(key.tcb.microcode, 9);
    assert_int_equal(key.chip[0], 0x1e);
    assert_true(bytes_is_zero(bytes_of(key.chip + 8, 56)));
}

static void the_pinned_roots_are_amds(void **state)
{
    (void)state;
    static const char *const prints[AMD_CHAINS] = {
        "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
        "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
        "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
    };
    for (size_t i = 0; i < AMD_CHAINS; i++) {
        uint8_t hash[SHA256_SIZE];
        char hex[2 * SHA256_SIZE + 1];
        assert_ok(sha256(amd_chains[i]->ark, hash));
        assert_string_equal(sodium_bin2hex(hex, sizeof hex, hash, sizeof hash), prints[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pinned_roots_are_amds),
        cmocka_unit_test(real_reports_hold_but_the_one_that_allows_debug),
        cmocka_unit_test(a_real_report_does_not_hold_beyond_its_certificates_time),
        cmocka_unit_test(a_real_report_does_not_hold_with_the_certificate_of_another_machine),
        cmocka_unit_test(no_bit_of_a_real_report_can_be_turned),
        cmocka_unit_test(a_real_turin_certificate_leads_to_amds_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
