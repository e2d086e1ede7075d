// The metadata of an EIF (nitro 1.1): JSON that says what an image is called and how it was made. It is
// not measured, so it proves nothing.
#ifndef QUORATE_TEE_EIF_EIF_METADATA_H
#define QUORATE_TEE_EIF_EIF_METADATA_H

#include "base/bytes.h"

struct json_t;

struct eif_metadata {
    const char *name, *version; // of the image
    const char *build_time;     // RFC 3339
    const char *system;         // operating system of the image
    const char *kernel;         // its version
};

// Appends the JSON, with the keys that AWS's tools expect, always in the same order.
enum q_err eif_metadata_write(const struct eif_metadata *m, struct buf *out);
// Parses the metadata of an image; Q_BAD_INPUT when it is no JSON object. The caller releases it with
// json_decref.
enum q_err eif_metadata_read(struct bytes in, struct json_t **out);

#endif
