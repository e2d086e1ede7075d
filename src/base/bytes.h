// Bytes that are read (struct bytes), walked with bounds checks (struct reader) and grown (struct buf).
// Every byte that comes in or goes out of a Quorate program passes through one of these.
#ifndef QUORATE_BASE_BYTES_H
#define QUORATE_BASE_BYTES_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A view of n bytes owned by somebody else. p == NULL means "absent" where a value is optional; an
// empty value that is present has p != NULL and n == 0.
struct bytes {
    const uint8_t *p;
    size_t n;
};

#define BYTES_NONE ((struct bytes){NULL, 0})
// A view of a whole array variable, or of a string literal without its terminator.
#define BYTES_OF(array) ((struct bytes){(const uint8_t *)(array), sizeof(array)})
#define BYTES_LIT(literal) ((struct bytes){(const uint8_t *)("" literal), sizeof(literal) - 1})

struct bytes bytes_of(const void *p, size_t n);
struct bytes bytes_str(const char *text); // NULL gives BYTES_NONE
bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_is(struct bytes a, const char *text);
bool bytes_begin_with(struct bytes a, struct bytes start);
// Order by unsigned byte value, a prefix first: <0, 0, >0. Not for secrets.
int bytes_compare(struct bytes a, struct bytes b);
// Without white space (ASCII) at both ends.
struct bytes bytes_trim(struct bytes a);
// The first line, without its "\n" or "\r\n".
struct bytes bytes_first_line(struct bytes a);
bool bytes_is_zero(struct bytes a); // true for the empty view
bool bytes_is_utf8(struct bytes a); // RFC 3629: no surrogates, no overlong forms

// Reads from the front of a view; a short input is an error and leaves the reader where it was.
struct reader {
    struct bytes in;
    size_t at;
    const char *what; // names the input in errors ("genesis_output")
};

struct reader reader_of(struct bytes in, const char *what);
size_t reader_left(const struct reader *r);
enum q_err reader_take(struct reader *r, size_t n, struct bytes *out);
enum q_err reader_u8(struct reader *r, uint8_t *out);
enum q_err reader_u16le(struct reader *r, uint16_t *out);
enum q_err reader_u32le(struct reader *r, uint32_t *out);
enum q_err reader_u64le(struct reader *r, uint64_t *out);
enum q_err reader_end(const struct reader *r); // refuses trailing bytes

// A buffer that grows up to limit bytes (0: BUF_DEFAULT_LIMIT). Zero-initialise it.
// A buffer with wipe set zeroes what it releases, also when it grows.
#define BUF_DEFAULT_LIMIT ((size_t)256 << 20)
struct buf {
    uint8_t *p;
    size_t n, cap, limit;
    bool wipe;
};

#define BUF_AUTO __attribute__((cleanup(buf_free))) struct buf

enum q_err buf_reserve(struct buf *b, size_t more);
enum q_err buf_append(struct buf *b, struct bytes in);
enum q_err buf_append_str(struct buf *b, const char *text);
enum q_err buf_u8(struct buf *b, uint8_t v);
enum q_err buf_u16le(struct buf *b, uint16_t v);
enum q_err buf_u32le(struct buf *b, uint32_t v);
enum q_err buf_u64le(struct buf *b, uint64_t v);
enum q_err buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Terminates with a NUL that is not counted in n and returns the text; NULL when memory is used up.
const char *buf_text(struct buf *b);
struct bytes buf_bytes(const struct buf *b); // never p == NULL
void buf_clear(struct buf *b);               // keeps the memory
void buf_free(struct buf *b);

// Overwrites n bytes with zeros in a way the compiler keeps.
void wipe(void *p, size_t n);

#endif
