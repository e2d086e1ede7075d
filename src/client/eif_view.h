// Measurements of an enclave's image as programs and people read them: JSON like nitro-cli's, and the
// lines of a release's aws-x86_64.pcrs (qos-behaviour 1.3).
#ifndef QUORATE_CLIENT_EIF_VIEW_H
#define QUORATE_CLIENT_EIF_VIEW_H

#include "base/options.h"
#include "client/json_tree.h"
#include "client/output.h"
#include "tee/eif/eif_signature.h"

// An image that was read from a file, measured, and, where it is signed, its signature verified. The
// views point into file.
struct eif_file {
    struct buf file;
    struct eif_image image;
    struct eif_measurements measurements;
    struct eif_signer signer; // when signed
    bool is_signed;
};
#define EIF_FILE_AUTO __attribute__((cleanup(eif_file_free))) struct eif_file
enum q_err eif_file_read(const char *path, struct eif_file *out);
enum q_err eif_file_examine(struct eif_file *f); // what read does, of bytes that are there already
void eif_file_free(struct eif_file *f);

// {"HashAlgorithm": "Sha384 { ... }", "PCR0": ..., "PCR1": ..., "PCR2": ..., and "PCR8" when signed}
enum q_err eif_measurements_json(const struct eif_file *f, json_t **out);
// "<96 hex> PCR<n>" lines of the same registers.
enum q_err eif_measurements_lines(const struct eif_file *f, struct buf *out);
enum q_err eif_register_line(unsigned index, const uint8_t value[static SHA384_SIZE],
                             struct buf *out);

// --pcrs-path: stages the lines for it, when it is given.
enum q_err eif_stage_lines(const struct options *o, const struct eif_file *f, struct output *out);
// On stdout: {"Measurements": {...}} with --json, else the lines.
enum q_err eif_print_measurements(const struct options *o, const struct eif_file *f);

#endif
