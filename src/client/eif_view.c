// Reading images and showing their measurements (see eif_view.h).
#include "client/eif_view.h"

#include "base/file.h"
#include "base/hex.h"

#include <stdio.h>

enum q_err eif_file_examine(struct eif_file *f)
{
    TRY(eif_read(buf_bytes(&f->file), &f->image));
    TRY(eif_measure(&f->image.parts, &f->measurements));
    f->is_signed = f->image.parts.signature.p != NULL;
    if (f->is_signed)
        TRY(eif_signature_verify(f->image.parts.signature, &f->measurements, &f->signer));
    return Q_OK;
}

enum q_err eif_file_read(const char *path, struct eif_file *out)
{
    *out = (struct eif_file){.file = {.limit = EIF_MAX_SIZE + 1}};
    enum q_err err = file_read(path, EIF_MAX_SIZE, &out->file);
    if (err == Q_OK)
        err = err_context(eif_file_examine(out), "%s", path);
    if (err != Q_OK)
        eif_file_free(out);
    return err;
}

void eif_file_free(struct eif_file *f)
{
    buf_free(&f->file);
}

static enum q_err put_register(json_t *object, unsigned index,
                               const uint8_t value[static SHA384_SIZE])
{
    char name[sizeof "PCR4294967295"];
    (void)snprintf(name, sizeof name, "PCR%u", index);
    return json_put(object, name, json_hex(bytes_of(value, SHA384_SIZE)));
}

static enum q_err fill_measurements(const struct eif_file *f, json_t *object)
{
    TRY(json_put(object, "HashAlgorithm", json_text("Sha384 { ... }")));
    for (unsigned i = 0; i < EIF_REGISTERS; i++)
        TRY(put_register(object, i, f->measurements.pcr[i]));
    return f->is_signed ? put_register(object, 8, f->signer.pcr8) : Q_OK;
}

enum q_err eif_measurements_json(const struct eif_file *f, json_t **out)
{
    TRY(json_tree_object(out));
    enum q_err err = fill_measurements(f, *out);
    if (err != Q_OK)
        json_tree_release(out);
    return err;
}

enum q_err eif_register_line(unsigned index, const uint8_t value[static SHA384_SIZE],
                             struct buf *out)
{
    TRY(hex_encode(bytes_of(value, SHA384_SIZE), out));
    return buf_printf(out, " PCR%u\n", index);
}

enum q_err eif_measurements_lines(const struct eif_file *f, struct buf *out)
{
    for (unsigned i = 0; i < EIF_REGISTERS; i++)
        TRY(eif_register_line(i, f->measurements.pcr[i], out));
    return f->is_signed ? eif_register_line(8, f->signer.pcr8, out) : Q_OK;
}

enum q_err eif_stage_lines(const struct options *o, const struct eif_file *f, struct output *out)
{
    BUF_AUTO lines = {0};
    const char *path = options_value(o, "pcrs-path");
    if (path == NULL)
        return Q_OK;
    TRY(eif_measurements_lines(f, &lines));
    return output_stage(out, options_given(o, "json") ? NULL : "Measurements", path,
                        buf_bytes(&lines), OUTPUT_REMADE);
}

static enum q_err print_json(const struct eif_file *f)
{
    JSON_AUTO *object = NULL;
    json_t *measurements = NULL;
    TRY(json_tree_object(&object));
    TRY(eif_measurements_json(f, &measurements));
    TRY(json_put(object, "Measurements", measurements));
    return json_print(object, false);
}

enum q_err eif_print_measurements(const struct options *o, const struct eif_file *f)
{
    BUF_AUTO lines = {0};
    if (options_given(o, "json"))
        return print_json(f);
    TRY(eif_measurements_lines(f, &lines));
    if (buf_text(&lines) == NULL)
        return Q_NOMEM;
    (void)fputs((const char *)lines.p, stdout);
    return Q_OK;
}
