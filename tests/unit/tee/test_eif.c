// Images are read, written and measured as an independent model has them; whatever is wrong in one is
// named, and no flipped bit and no lost byte passes.
#include "eif_vectors.h"

#include "base/file.h"

static void read_fully(struct bytes file, struct eif_image *image, struct eif_measurements *m,
                       struct eif_signer *signer, enum q_err *result)
{
    *result = eif_read(file, image);
    if (*result != Q_OK)
        return;
    assert_ok(eif_measure(&image->parts, m));
    if (image->parts.signature.p != NULL)
        *result = eif_signature_verify(image->parts.signature, m, signer);
}

static void check_good(struct vector_file *f, const json_t *row, const struct eif_measurements *m,
                       const struct eif_signer *signer)
{
    const json_t *pcrs = vector_field(row, "pcrs");
    assert_int_equal(json_array_size(pcrs), EIF_REGISTERS);
    for (size_t i = 0; i < EIF_REGISTERS; i++)
        assert_bytes(BYTES_OF(m->pcr[i]), vector_hex_value(f, json_array_get(pcrs, i)));
    if (json_is_string(vector_field(row, "pcr8")))
        assert_bytes(BYTES_OF(signer->pcr8), vector_hex(f, row, "pcr8"));
}

static void check_case(struct vector_file *f, const json_t *row)
{
    struct eif_image image;
    struct eif_measurements m;
    struct eif_signer signer;
    enum q_err result;
    const char *name = vector_text(row, "name");
    err_clear();
    read_fully(vector_hex(f, row, "eif"), &image, &m, &signer, &result);
    if (json_is_true(vector_field(row, "accept"))) {
        if (result != Q_OK)
            fail_msg("%s: refused: %s", name, err_text());
        check_good(f, row, &m, &signer);
        return;
    }
    if (result == Q_OK)
        fail_msg("%s: accepted", name);
    if (strstr(err_text(), vector_text(row, "says")) == NULL || err_text()[0] == '\0')
        fail_msg("%s: expected \"%s\" in \"%s\"", name, vector_text(row, "says"), err_text());
}

static void images_get_the_verdict_and_the_measurements_of_the_model(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    size_t i;
    json_t *row;
    vector_file_own(&f, "eif/images.json");
    assert_true(json_array_size(f.root) > 80);
    json_array_foreach(f.root, i, row) check_case(&f, row);
}

static void assert_rewritten(struct bytes file)
{
    struct eif_image image;
    BUF_AUTO again = {0};
    assert_ok(eif_read(file, &image));
    assert_ok(eif_write(&image.parts, &again));
    assert_bytes(buf_bytes(&again), file);
}

static void the_writer_makes_the_bytes_of_the_model(void **state)
{
    (void)state;
    static const char *const names[] = {"one_ramdisk", "two_ramdisks", "three_ramdisks", "signed",
                                        "cmdline_empty"};
    VECTOR_FILE_AUTO f;
    vector_file_own(&f, "eif/images.json");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_rewritten(eif_case_file(&f, names[i]));
}

static void the_shared_image_has_its_bytes_and_measurements(void **state)
{
    (void)state;
    char path[1024];
    shared_path("vectors/nitro/eif/tiny.eif", path, sizeof path);
    VECTOR_FILE_AUTO pcrs;
    BUF_AUTO file = {0};
    struct eif_image image;
    struct eif_measurements m;
    assert_ok(file_read(path, EIF_MAX_SIZE, &file));
    vector_file_shared(&pcrs, "vectors/nitro/eif/pcr.json");
    assert_rewritten(buf_bytes(&file));
    assert_ok(eif_read(buf_bytes(&file), &image));
    assert_ok(eif_measure(&image.parts, &m));
    assert_bytes(BYTES_OF(m.pcr[0]), vector_hex(&pcrs, pcrs.root, "PCR0"));
    assert_bytes(BYTES_OF(m.pcr[1]), vector_hex(&pcrs, pcrs.root, "PCR1"));
    assert_bytes(BYTES_OF(m.pcr[2]), vector_hex(&pcrs, pcrs.root, "PCR2"));
}

static void metadata_is_not_measured_and_one_ramdisk_gives_the_known_pcr2(void **state)
{
    (void)state;
    static const uint8_t start[] = {0x21, 0xb9, 0xef, 0xbc, 0x18, 0x48, 0x07, 0x66};
    VECTOR_FILE_AUTO f;
    struct eif_image one, two, alone;
    struct eif_measurements a, b, c;
    vector_file_own(&f, "eif/images.json");
    assert_ok(eif_read(eif_case_file(&f, "two_ramdisks"), &one));
    assert_ok(eif_read(eif_case_file(&f, "other_metadata"), &two));
    assert_ok(eif_read(eif_case_file(&f, "one_ramdisk"), &alone));
    assert_ok(eif_measure(&one.parts, &a));
    assert_ok(eif_measure(&two.parts, &b));
    assert_ok(eif_measure(&alone.parts, &c));
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_equal(c.pcr[0], c.pcr[1], SHA384_SIZE);
    assert_memory_equal(c.pcr[2], start, sizeof start);
    assert_memory_equal(a.pcr[1], c.pcr[1], SHA384_SIZE); // the application does not change it
    assert_memory_not_equal(a.pcr[0], c.pcr[0], SHA384_SIZE);
}

static void an_image_cut_short_anywhere_is_refused(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    struct eif_image image;
    vector_file_own(&f, "eif/images.json");
    struct bytes whole = eif_case_file(&f, "signed");
    for (size_t n = 0; n < whole.n; n++) {
        uint8_t *copy =
            malloc(n == 0 ? 1 : n); // so that a sanitizer sees the first byte read beyond
        assert_non_null(copy);
        memcpy(copy, whole.p, n);
        assert_int_not_equal(eif_read(bytes_of(copy, n), &image), Q_OK);
        free(copy);
    }
}

static void an_image_with_any_bit_flipped_is_refused(void **state)
{
    (void)state;
    VECTOR_FILE_AUTO f;
    struct eif_image image;
    vector_file_own(&f, "eif/images.json");
    struct bytes whole = eif_case_file(&f, "two_ramdisks");
    uint8_t *copy = malloc(whole.n);
    assert_non_null(copy);
    memcpy(copy, whole.p, whole.n);
    for (size_t bit = 0; bit < 8 * whole.n; bit++) {
        // What nobody looks at but the CRC: default memory and processors, and contents.
        copy[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        if (eif_read(bytes_of(copy, whole.n), &image) == Q_OK)
            fail_msg("accepted with bit %zu of byte %zu flipped", bit % 8, bit / 8);
        copy[bit / 8] ^= (uint8_t)(1U << (bit % 8));
    }
    assert_ok(eif_read(bytes_of(copy, whole.n), &image));
    free(copy);
}

static void parts_that_make_no_image_are_refused(void **state)
{
    (void)state;
    static const uint8_t zeros[EIF_MAX_CMDLINE + 1];
    const struct eif_parts good = {.kernel = BYTES_LIT("K"),
                                   .cmdline = BYTES_LIT("c"),
                                   .metadata = BYTES_LIT("{}"),
                                   .ramdisks = {BYTES_LIT("1234")},
                                   .ramdisk_count = 1};
    BUF_AUTO out = {0};
    assert_ok(eif_write(&good, &out));
    size_t n = out.n;
    struct eif_parts p = good;
    p.kernel = BYTES_LIT("");
    assert_refused(eif_write(&p, &out), Q_BAD_INPUT, "kernel: expected one");
    p = good;
    p.cmdline = BYTES_NONE;
    assert_refused(eif_write(&p, &out), Q_BAD_INPUT, "command line");
    p.cmdline = BYTES_LIT("a\0b");
    assert_refused(eif_write(&p, &out), Q_BAD_INPUT, "command line");
    p.cmdline = BYTES_OF(zeros);
    assert_refused(eif_write(&p, &out), Q_BAD_INPUT, "at most 2047");
    p = good;
    p.metadata = BYTES_NONE;
    assert_refused(eif_write(&p, &out), Q_BAD_INPUT, "metadata");
    p = good;
    p.ramdisk_count = 0;
    assert_refused(eif_write(&p, &out), Q_BAD_INPUT, "ramdisks: expected 1 to 28, found 0");
    p.ramdisk_count = 29;
    assert_refused(eif_write(&p, &out), Q_BAD_INPUT, "ramdisks: expected 1 to 28, found 29");
    p = good;
    p.ramdisks[0] = BYTES_LIT("12345");
    assert_refused(eif_write(&p, &out), Q_BAD_INPUT, "ramdisk 1: expected an archive padded");
    p.ramdisks[0] = BYTES_LIT("");
    assert_refused(eif_write(&p, &out), Q_BAD_INPUT, "ramdisk 1: expected an archive padded");
    assert_int_equal(out.n, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_get_the_verdict_and_the_measurements_of_the_model),
        cmocka_unit_test(the_writer_makes_the_bytes_of_the_model),
        cmocka_unit_test(the_shared_image_has_its_bytes_and_measurements),
        cmocka_unit_test(metadata_is_not_measured_and_one_ramdisk_gives_the_known_pcr2),
        cmocka_unit_test(an_image_cut_short_anywhere_is_refused),
        cmocka_unit_test(an_image_with_any_bit_flipped_is_refused),
        cmocka_unit_test(parts_that_make_no_image_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
