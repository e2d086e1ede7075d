// Images of our own under tests/vectors/eif, made by an independent model (tests/vectors/make_eif.py).
#ifndef QUORATE_TESTS_EIF_VECTORS_H
#define QUORATE_TESTS_EIF_VECTORS_H

#include "../vector_file.h"

#include "tee/eif/eif_signature.h"

// The row of that name.
VECTOR_HELPER const json_t *eif_case(const struct vector_file *f, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(f->root, i, row)
    {
        if (strcmp(vector_text(row, "name"), name) == 0)
            return row;
    }
    fail_msg("images.json: no case %s", name);
    return NULL;
}

VECTOR_HELPER struct bytes eif_case_file(struct vector_file *f, const char *name)
{
    return vector_hex(f, eif_case(f, name), "eif");
}

#endif
