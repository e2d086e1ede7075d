// What the tests of this room share: rows of our own vectors, files of ../shared, JSON changed on
// purpose.
#ifndef QUORATE_TESTS_PROTOCOL_VECTORS_H
#define QUORATE_TESTS_PROTOCOL_VECTORS_H

#include "../vector_file.h"

#include "base/file.h"
#include "codec/borsh.h"
#include "codec/json.h"
#include "protocol/manifest.h"
#include "protocol/message.h"

VECTOR_HELPER struct bytes text_field(const json_t *object, const char *field)
{
    return bytes_str(vector_text(object, field));
}

// The whole of a file of ../shared/vectors/qos; skips the test when it is absent.
VECTOR_HELPER void shared_bytes(const char *name, struct buf *out)
{
    char inside[256], path[1024];
    (void)snprintf(inside, sizeof inside, "vectors/qos/%s", name);
    shared_path(inside, path, sizeof path);
    assert_ok(file_read(path, (size_t)1 << 20, out));
}

// Row i of manifests.json; its index is its version.
VECTOR_HELPER const json_t *manifest_row(const struct vector_file *f, unsigned version)
{
    const json_t *row = json_array_get(vector_field(f->root, "rows"), version);
    assert_int_equal(vector_number(row, "version"), version);
    return row;
}

// The text of a parsed document, in memory of f.
VECTOR_HELPER struct bytes dumped(struct vector_file *f, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_non_null(text);
    struct bytes out;
    assert_ok(arena_copy(&f->arena, bytes_str(text), &out));
    free(text);
    return out;
}

// The storage form of a manifest or an envelope as a document that a test may change; json_decref
// it.
VECTOR_HELPER json_t *stored_json(const struct vector_file *f, unsigned version, const char *kind)
{
    json_t *json =
        json_loads(vector_text(vector_field(manifest_row(f, version), kind), "storage"), 0, NULL);
    assert_non_null(json);
    return json;
}

#endif
