// Test vectors from JSON files: our own under tests/vectors/, and those of ../shared, whose absence
// skips the test with a printed reason. A field that is missing or not hex fails the test.
#ifndef QUORATE_TESTS_VECTOR_FILE_H
#define QUORATE_TESTS_VECTOR_FILE_H

#include "cmocka_setup.h"

#include "base/arena.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// One file: its JSON and the memory of everything read from it.
struct vector_file {
    json_t *root;
    struct arena arena;
};

#define VECTOR_FILE_AUTO __attribute__((cleanup(vector_file_close))) struct vector_file
#define VECTOR_HELPER static inline __attribute__((unused))

VECTOR_HELPER void vector_file_close(struct vector_file *f)
{
    json_decref(f->root);
    arena_free(&f->arena);
    *f = (struct vector_file){0};
}

// Where the shared vectors and guides are: QUORATE_SHARED, else ../shared beside the source.
VECTOR_HELPER const char *shared_root(void)
{
    const char *named = getenv("QUORATE_SHARED");
    return named != NULL ? named : SOURCE_ROOT "/../shared";
}

// The path of a file of ../shared ("vectors/qos/crypto/shamir.json"); skips the test when it is
// absent. Call it before anything is allocated: skipping leaves the test at once.
VECTOR_HELPER void shared_path(const char *name, char *out, size_t size)
{
    int n = snprintf(out, size, "%s/%s", shared_root(), name);
    assert_true(n > 0 && (size_t)n < size);
    if (access(out, R_OK) == 0)
        return;
    print_message("skipped: %s is not there\n", out);
    skip();
}

VECTOR_HELPER void vector_file_load(struct vector_file *f, const char *path)
{
    json_error_t why;
    *f = (struct vector_file){.root = json_load_file(path, JSON_REJECT_DUPLICATES, &why)};
    if (f->root == NULL)
        fail_msg("%s: line %d: %s", path, why.line, why.text);
}

// tests/vectors/<name>; its absence fails the test.
VECTOR_HELPER void vector_file_own(struct vector_file *f, const char *name)
{
    char path[1024];
    int n = snprintf(path, sizeof path, "%s/tests/vectors/%s", SOURCE_ROOT, name);
    assert_true(n > 0 && (size_t)n < sizeof path);
    vector_file_load(f, path);
}

// ../shared/<name>; its absence skips the test.
VECTOR_HELPER void vector_file_shared(struct vector_file *f, const char *name)
{
    char path[1024];
    shared_path(name, path, sizeof path);
    vector_file_load(f, path);
}

VECTOR_HELPER const json_t *vector_field(const json_t *object, const char *field)
{
    const json_t *value = json_object_get(object, field);
    if (value == NULL)
        fail_msg("vector field %s is missing", field);
    return value;
}

VECTOR_HELPER const char *vector_text(const json_t *object, const char *field)
{
    const char *text = json_string_value(vector_field(object, field));
    if (text == NULL) {
        fail_msg("vector field %s is not text", field);
        abort(); // not reached; tells the compiler that no NULL is returned
    }
    return text;
}

VECTOR_HELPER unsigned vector_number(const json_t *object, const char *field)
{
    const json_t *value = vector_field(object, field);
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > 0x7fffffff)
        fail_msg("vector field %s is not a small number", field);
    return (unsigned)json_integer_value(value);
}

// The bytes a JSON string names in hex, by libsodium (so that base/hex.h is not judged by itself).
VECTOR_HELPER struct bytes vector_hex_value(struct vector_file *f, const json_t *value)
{
    const char *text = json_string_value(value);
    if (text == NULL) {
        fail_msg("vector value is not text");
        abort(); // not reached, as above
    }
    size_t length = strlen(text), n = 0;
    void *out = NULL;
    assert_int_equal(arena_alloc(&f->arena, length / 2 + 1, &out), Q_OK);
    if (sodium_hex2bin(out, length / 2, text, length, NULL, &n, NULL) != 0 || 2 * n != length)
        fail_msg("vector value is not hex: %s", text);
    return (struct bytes){out, n};
}

VECTOR_HELPER struct bytes vector_hex(struct vector_file *f, const json_t *object,
                                      const char *field)
{
    return vector_hex_value(f, vector_field(object, field));
}

#endif
