// Answers of the Nitro security module (nitro 2.2), hostile bytes: {operation: {fields}}, the
// operation's name alone, or {"Error": name}. Fields are matched by name, in any order.
#include "codec/cbor.h"
#include "tee/nsm.h"

#include <inttypes.h>
#include <string.h>

#define REGISTERS_MOST 64 // as many as a description can hold

struct answer {
    struct reader r;
    struct cbor_item outer;
};

static const char *const error_names[] = {
    "InvalidArgument",  "InvalidIndex",   "InvalidResponse", "ReadOnlyIndex",
    "InvalidOperation", "BufferTooSmall", "InputTooLarge",   "InternalError",
};

static enum q_err read_error(struct reader *r)
{
    struct cbor_item name;
    TRY(err_context(cbor_expect(r, CBOR_TEXT, &name), "Error"));
    for (size_t i = 0; i < sizeof error_names / sizeof *error_names; i++) {
        if (bytes_is(name.string, error_names[i]))
            return fail(Q_TEE, "%s", error_names[i]);
    }
    return fail(Q_TEE, "InvalidResponse: expected one of the module's errors, found another");
}

// Up to the operation's own map; an error the module reports becomes ours.
static enum q_err answer_open(struct bytes in, const char *operation, struct answer *a)
{
    a->r = reader_of(in, "answer");
    TRY(cbor_expect(&a->r, CBOR_MAP, &a->outer));
    if (!a->outer.indefinite && a->outer.number != 1)
        return fail(Q_TEE, "InvalidResponse: expected a map of 1 entry, found %" PRIu64,
                    a->outer.number);
    struct cbor_item key;
    TRY(cbor_expect(&a->r, CBOR_TEXT, &key));
    if (bytes_is(key.string, "Error"))
        return read_error(&a->r);
    if (!bytes_is(key.string, operation))
        return fail(Q_TEE, "InvalidResponse: expected an answer to %s, found another", operation);
    return Q_OK;
}

static enum q_err answer_end(struct answer *a)
{
    if (a->outer.indefinite && !cbor_break(&a->r))
        return fail(Q_TEE, "InvalidResponse: expected a map of 1 entry, found more");
    return reader_end(&a->r);
}

// A field that must be there.
struct field {
    const char *name;
    enum q_err (*read)(struct reader *r, void *out);
};
#define FIELDS_MOST 4

static bool more_entries(struct reader *r, const struct cbor_item *head, uint64_t *count)
{
    bool more = head->indefinite ? !cbor_break(r) : *count < head->number;
    *count += more;
    return more;
}

// What the module may say beyond what is asked here is read over.
static enum q_err read_entry(struct reader *r, const struct cbor_item *key,
                             const struct field *fields, size_t n, bool *seen, void *out)
{
    for (size_t i = 0; i < n; i++) {
        if (key->kind == CBOR_TEXT && bytes_is(key->string, fields[i].name)) {
            seen[i] = true;
            return err_context(fields[i].read(r, out), "%s", fields[i].name);
        }
    }
    return cbor_skip(r);
}

static enum q_err read_fields(struct reader *r, const struct field *fields, size_t n, void *out)
{
    struct cbor_item map, key;
    struct cbor_keys keys = {0};
    bool seen[FIELDS_MOST] = {false};
    uint64_t count = 0;
    TRY(cbor_expect(r, CBOR_MAP, &map));
    while (more_entries(r, &map, &count)) {
        TRY(cbor_key(r, &keys, &key));
        TRY(read_entry(r, &key, fields, n, seen, out));
    }
    for (size_t i = 0; i < n; i++) {
        if (!seen[i])
            return fail(Q_TEE, "InvalidResponse: expected the field %s, found none",
                        fields[i].name);
    }
    return Q_OK;
}

static enum q_err read_whole(struct bytes in, const char *operation, const struct field *fields,
                             size_t n, void *out)
{
    struct answer a;
    TRY(answer_open(in, operation, &a));
    TRY(read_fields(&a.r, fields, n, out));
    return answer_end(&a);
}

// Whatever is wrong with an answer is the module's failure.
static enum q_err read_answer(struct bytes in, const char *operation, const struct field *fields,
                              size_t n, void *out)
{
    return read_whole(in, operation, fields, n, out) == Q_OK ? Q_OK : Q_TEE;
}

static enum q_err read_digest(struct reader *r, void *out)
{
    struct tee_description *d = out;
    struct cbor_item item;
    TRY(cbor_expect(r, CBOR_TEXT, &item));
    d->sha384 = bytes_is(item.string, "SHA384");
    return Q_OK;
}

static enum q_err read_count(struct reader *r, void *out)
{
    struct tee_description *d = out;
    struct cbor_item item;
    TRY(cbor_expect(r, CBOR_UINT, &item));
    if (item.number > REGISTERS_MOST)
        return fail(Q_TEE, "InvalidResponse: expected at most %d registers, found %" PRIu64,
                    REGISTERS_MOST, item.number);
    d->register_count = (unsigned)item.number;
    return Q_OK;
}

static enum q_err read_locked_one(struct reader *r, struct tee_description *d)
{
    struct cbor_item item;
    TRY(cbor_expect(r, CBOR_UINT, &item));
    if (item.number >= REGISTERS_MOST)
        return fail(Q_TEE, "InvalidResponse: expected an index below %d, found %" PRIu64,
                    REGISTERS_MOST, item.number);
    if ((d->locked >> item.number & 1U) != 0)
        return fail(Q_TEE, "InvalidResponse: index %" PRIu64 " is there twice", item.number);
    d->locked |= UINT64_C(1) << item.number;
    return Q_OK;
}

static enum q_err read_locked(struct reader *r, void *out)
{
    struct cbor_item array;
    uint64_t count = 0;
    TRY(cbor_expect(r, CBOR_ARRAY, &array));
    while (more_entries(r, &array, &count))
        TRY(read_locked_one(r, out));
    return Q_OK;
}

enum q_err nsm_read_description(struct bytes answer, struct tee_description *out)
{
    static const struct field fields[] = {
        {"digest", read_digest},
        {"max_pcrs", read_count},
        {"locked_pcrs", read_locked},
    };
    *out = (struct tee_description){0};
    TRY(read_answer(answer, "DescribeNSM", fields, 3, out));
    if (out->register_count < REGISTERS_MOST && out->locked >> out->register_count != 0)
        return fail(Q_TEE, "InvalidResponse: locked_pcrs: expected indices below %u, found others",
                    out->register_count);
    return Q_OK;
}

static enum q_err read_value(struct reader *r, struct register_value *out)
{
    struct cbor_item item;
    TRY(cbor_expect(r, CBOR_BYTES, &item));
    size_t n = item.string.n;
    if (n != SHA256_SIZE && n != SHA384_SIZE && n != SHA512_SIZE)
        return fail(Q_TEE, "InvalidResponse: expected 32, 48 or 64 bytes, found %zu", n);
    *out = (struct register_value){.present = true, .n = n};
    memcpy(out->value, item.string.p, n);
    return Q_OK;
}

static enum q_err read_state_value(struct reader *r, void *out)
{
    struct register_state *s = out;
    return read_value(r, &s->value);
}

static enum q_err read_state_lock(struct reader *r, void *out)
{
    struct register_state *s = out;
    struct cbor_item item;
    TRY(cbor_expect(r, CBOR_BOOL, &item));
    s->locked = item.number != 0;
    return Q_OK;
}

enum q_err nsm_read_register(struct bytes answer, struct register_state *out)
{
    static const struct field fields[] = {{"data", read_state_value}, {"lock", read_state_lock}};
    *out = (struct register_state){0};
    return read_answer(answer, "DescribePCR", fields, 2, out);
}

static enum q_err read_extended_value(struct reader *r, void *out)
{
    return read_value(r, out);
}

enum q_err nsm_read_extended(struct bytes answer, struct register_value *out)
{
    static const struct field fields[] = {{"data", read_extended_value}};
    *out = (struct register_value){0};
    return read_answer(answer, "ExtendPCR", fields, 1, out);
}

static enum q_err read_done(struct bytes answer, const char *operation)
{
    struct reader r = reader_of(answer, "answer");
    struct cbor_item item;
    TRY(cbor_next(&r, &item));
    if (item.kind == CBOR_MAP) {
        struct answer a;
        TRY(answer_open(answer, operation, &a));
    }
    if (item.kind != CBOR_TEXT || !bytes_is(item.string, operation))
        return fail(Q_TEE, "InvalidResponse: expected the text %s, found something else",
                    operation);
    return reader_end(&r);
}

enum q_err nsm_read_done(struct bytes answer, const char *operation)
{
    return read_done(answer, operation) == Q_OK ? Q_OK : Q_TEE;
}

static enum q_err read_string(struct reader *r, size_t highest, struct bytes *out)
{
    struct cbor_item item;
    TRY(cbor_expect(r, CBOR_BYTES, &item));
    if (item.string.n == 0 || item.string.n > highest)
        return fail(Q_TEE, "InvalidResponse: expected 1 to %zu bytes, found %zu", highest,
                    item.string.n);
    *out = item.string;
    return Q_OK;
}

static enum q_err read_random_bytes(struct reader *r, void *out)
{
    return read_string(r, NSM_RANDOM_SIZE, out);
}

enum q_err nsm_read_random(struct bytes answer, struct bytes *out)
{
    static const struct field fields[] = {{"random", read_random_bytes}};
    *out = BYTES_NONE;
    return read_answer(answer, "GetRandom", fields, 1, out);
}

static enum q_err read_document_bytes(struct reader *r, void *out)
{
    return read_string(r, NSM_RESPONSE_MAX, out);
}

enum q_err nsm_read_document(struct bytes answer, struct bytes *out)
{
    static const struct field fields[] = {{"document", read_document_bytes}};
    *out = BYTES_NONE;
    return read_answer(answer, "Attestation", fields, 1, out);
}
