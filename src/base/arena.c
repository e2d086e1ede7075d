// The arena: a list of blocks, released and zeroed together (see arena.h).
#include "base/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)16 << 10)

struct arena_block {
    struct arena_block *next;
    size_t used, cap;
    alignas(max_align_t) uint8_t data[];
};

static enum q_err add_block(struct arena *a, size_t need, struct arena_block **out)
{
    size_t cap = need > BLOCK_SIZE ? need : BLOCK_SIZE;
    struct arena_block *block = malloc(sizeof *block + cap);
    if (block == NULL)
        return fail(Q_NOMEM, "arena: no memory for %zu bytes", need);
    *block = (struct arena_block){.cap = cap};
    *out = block;
    // A block of its own for something large goes behind the one that still has room.
    if (need > BLOCK_SIZE && a->blocks != NULL) {
        block->next = a->blocks->next;
        a->blocks->next = block;
        return Q_OK;
    }
    block->next = a->blocks;
    a->blocks = block;
    return Q_OK;
}

static struct arena_block *block_with(struct arena *a, size_t n)
{
    struct arena_block *b = a->blocks;
    if (b != NULL && b->cap - b->used < n)
        b = b->next;
    return b != NULL && b->cap - b->used >= n ? b : NULL;
}

enum q_err arena_alloc(struct arena *a, size_t n, void **out)
{
    size_t budget = a->budget == 0 ? ARENA_DEFAULT_BUDGET : a->budget;
    const size_t align = alignof(max_align_t);
    if (n > budget || a->used > budget - n)
        return fail(Q_NOMEM, "message: decoding needs more than its budget of %zu bytes", budget);
    size_t need = (n + align - 1) / align * align;
    if (need == 0)
        need = align;
    struct arena_block *b = block_with(a, need);
    if (b == NULL)
        TRY(add_block(a, need, &b));
    *out = b->data + b->used;
    memset(*out, 0, need);
    b->used += need;
    a->used += need;
    return Q_OK;
}

enum q_err arena_array(struct arena *a, size_t count, size_t size, void **out)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n))
        return fail(Q_NOMEM, "message: %zu elements of %zu bytes do not fit in memory", count,
                    size);
    return arena_alloc(a, n, out);
}

enum q_err arena_copy(struct arena *a, struct bytes in, struct bytes *out)
{
    void *p;
    TRY(arena_alloc(a, in.n, &p));
    if (in.n > 0)
        memcpy(p, in.p, in.n);
    *out = bytes_of(p, in.n);
    return Q_OK;
}

enum q_err arena_printf(struct arena *a, struct bytes *out, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    void *p = NULL;
    enum q_err err = n < 0 ? fail(Q_INTERNAL, "arena: text that cannot be formatted")
                           : arena_alloc(a, (size_t)n + 1, &p);
    if (err == Q_OK) {
        (void)vsnprintf(p, (size_t)n + 1, format, again);
        *out = bytes_of(p, (size_t)n);
    }
    va_end(again);
    return err;
}

void arena_free(struct arena *a)
{
    struct arena_block *b = a->blocks;
    while (b != NULL) {
        struct arena_block *next = b->next;
        wipe(b->data, b->used);
        free(b);
        b = next;
    }
    *a = (struct arena){.budget = a->budget};
}
