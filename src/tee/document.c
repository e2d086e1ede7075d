// Reads the Nitro attestation document (nitro 4, qos-wire 7.1 and 7.3 steps 1 and 2): every size is
// bounded before anything is done with what it measures.
#include "tee/document.h"

#include "codec/cbor.h"

#include <inttypes.h>
#include <string.h>

#define COSE_SIGN1_TAG 18
#define MAX_UNKNOWN_KEYS 16
#define MAX_TIMESTAMP_MS ((uint64_t)253402300799999) // the end of year 9999

static const uint8_t es384_header[] = {0xa1, 0x01, 0x38, 0x22};
const struct bytes cose_es384_header = {es384_header, sizeof es384_header};

// An item of kind BYTES whose length lies in [lowest, highest].
static enum q_err read_string(struct reader *r, const char *what, size_t lowest, size_t highest,
                              struct bytes *out)
{
    struct cbor_item item;
    TRY(err_context(cbor_expect(r, CBOR_BYTES, &item), "%s", what));
    if (lowest == highest && item.string.n != lowest)
        return fail(Q_BAD_INPUT, "%s: expected %zu bytes, found %zu", what, lowest, item.string.n);
    if (item.string.n < lowest || item.string.n > highest)
        return fail(Q_BAD_INPUT, "%s: expected %zu to %zu bytes, found %zu", what, lowest, highest,
                    item.string.n);
    *out = item.string.p == NULL ? BYTES_LIT("") : item.string;
    return Q_OK;
}

// The unprotected header decides nothing here, but it must be one well-formed map.
static enum q_err skip_unprotected(struct reader *r)
{
    struct reader peek = *r;
    struct cbor_item item;
    TRY(err_context(cbor_expect(&peek, CBOR_MAP, &item), "unprotected header"));
    return err_context(cbor_skip(r), "unprotected header");
}

static enum q_err cose_head(struct reader *r)
{
    struct cbor_item item;
    TRY(cbor_next(r, &item));
    if (item.kind == CBOR_TAG) {
        if (item.number != COSE_SIGN1_TAG)
            return fail(Q_BAD_INPUT, "COSE_Sign1: expected tag 18 or none, found tag %" PRIu64,
                        item.number);
        TRY(cbor_next(r, &item));
    }
    if (item.kind != CBOR_ARRAY || item.indefinite || item.number != 4)
        return fail(Q_BAD_INPUT, "COSE_Sign1: expected an array of 4, found something else");
    return Q_OK;
}

enum q_err cose_read(struct bytes in, struct cose *out)
{
    if (in.n > ATTESTATION_MAX_SIZE)
        return fail(Q_LIMIT, "COSE_Sign1: expected at most %zu bytes, found %zu",
                    ATTESTATION_MAX_SIZE, in.n);
    struct reader r = reader_of(in, "COSE_Sign1");
    TRY(cose_head(&r));
    TRY(read_string(&r, "protected header", 0, DOCUMENT_MAX_PAYLOAD, &out->protected_header));
    if (!bytes_equal(out->protected_header, cose_es384_header))
        return fail(Q_BAD_INPUT,
                    "protected header: expected {1: -35} (ES384) alone, found another");
    TRY(skip_unprotected(&r));
    TRY(read_string(&r, "payload", 1, DOCUMENT_MAX_PAYLOAD, &out->payload));
    TRY(read_string(&r, "signature", P384_SIGNATURE_SIZE, P384_SIGNATURE_SIZE, &out->signature));
    return reader_end(&r);
}

// Whether a map or array has another entry; counts it. The end of an indefinite one is consumed.
static bool more_entries(struct reader *r, const struct cbor_item *head, uint64_t *count)
{
    bool more = head->indefinite ? !cbor_break(r) : *count < head->number;
    *count += more;
    return more;
}

static enum q_err read_module_id(struct reader *r, struct document *d)
{
    struct cbor_item item;
    TRY(cbor_expect(r, CBOR_TEXT, &item));
    if (item.string.n == 0)
        return fail(Q_BAD_INPUT, "expected a text, found an empty one");
    d->module_id = item.string;
    return Q_OK;
}

static enum q_err read_digest(struct reader *r, struct document *d)
{
    (void)d;
    struct cbor_item item;
    TRY(cbor_expect(r, CBOR_TEXT, &item));
    if (!bytes_is(item.string, "SHA384"))
        return fail(Q_BAD_INPUT, "expected SHA384, found another digest");
    return Q_OK;
}

static enum q_err read_timestamp(struct reader *r, struct document *d)
{
    struct cbor_item item;
    TRY(cbor_expect(r, CBOR_UINT, &item));
    if (item.number == 0 || item.number > MAX_TIMESTAMP_MS)
        return fail(Q_BAD_INPUT, "expected milliseconds since 1970, found %" PRIu64, item.number);
    d->timestamp_ms = (int64_t)item.number;
    return Q_OK;
}

static enum q_err read_register(struct reader *r, struct document *d)
{
    struct cbor_item index;
    TRY(cbor_expect(r, CBOR_UINT, &index));
    if (index.number > DOCUMENT_MAX_REGISTER_INDEX)
        return fail(Q_BAD_INPUT, "expected indices up to %d, found %" PRIu64,
                    DOCUMENT_MAX_REGISTER_INDEX, index.number);
    struct register_value *reg = &d->registers[index.number];
    if (reg->present)
        return fail(Q_BAD_INPUT, "index %" PRIu64 " is there twice", index.number);
    struct bytes value;
    TRY(read_string(r, "value", SHA256_SIZE, SHA512_SIZE, &value));
    if (value.n != SHA256_SIZE && value.n != SHA384_SIZE && value.n != SHA512_SIZE)
        return fail(Q_BAD_INPUT, "expected values of 32, 48 or 64 bytes, found %zu", value.n);
    memcpy(reg->value, value.p, value.n);
    reg->n = value.n;
    reg->present = true;
    return Q_OK;
}

static enum q_err read_registers(struct reader *r, struct document *d)
{
    struct cbor_item map;
    TRY(cbor_expect(r, CBOR_MAP, &map));
    uint64_t count = 0;
    while (more_entries(r, &map, &count)) {
        if (count > DOCUMENT_MAX_REGISTERS)
            return fail(Q_BAD_INPUT, "expected 1 to %d entries, found more",
                        DOCUMENT_MAX_REGISTERS);
        TRY(read_register(r, d));
    }
    if (count == 0)
        return fail(Q_BAD_INPUT, "expected 1 to %d entries, found none", DOCUMENT_MAX_REGISTERS);
    d->register_count = (size_t)count;
    return Q_OK;
}

static enum q_err read_certificate(struct reader *r, struct document *d)
{
    return read_string(r, "DER", 1, DOCUMENT_MAX_CERTIFICATE, &d->certificate);
}

static enum q_err read_cabundle(struct reader *r, struct document *d)
{
    struct cbor_item array;
    TRY(cbor_expect(r, CBOR_ARRAY, &array));
    uint64_t count = 0;
    while (more_entries(r, &array, &count)) {
        if (count > DOCUMENT_MAX_CHAIN)
            return fail(Q_BAD_INPUT, "expected 1 to %d certificates, found more",
                        DOCUMENT_MAX_CHAIN);
        TRY(read_string(r, "DER", 1, DOCUMENT_MAX_CERTIFICATE, &d->cabundle[count - 1]));
    }
    if (count == 0)
        return fail(Q_BAD_INPUT, "expected 1 to %d certificates, found none", DOCUMENT_MAX_CHAIN);
    d->cabundle_count = (size_t)count;
    return Q_OK;
}

// Null means absent; an empty string is present.
static enum q_err read_optional(struct reader *r, size_t lowest, size_t highest, struct bytes *out)
{
    struct reader peek = *r;
    struct cbor_item item;
    TRY(cbor_next(&peek, &item));
    if (item.kind != CBOR_NULL)
        return read_string(r, "value", lowest, highest, out);
    *r = peek;
    return Q_OK;
}

static enum q_err read_public_key(struct reader *r, struct document *d)
{
    return read_optional(r, 1, DOCUMENT_MAX_PUBLIC_KEY, &d->public_key);
}

static enum q_err read_user_data(struct reader *r, struct document *d)
{
    return read_optional(r, 0, DOCUMENT_MAX_USER_DATA, &d->user_data);
}

static enum q_err read_nonce(struct reader *r, struct document *d)
{
    return read_optional(r, 0, DOCUMENT_MAX_NONCE, &d->nonce);
}

static const struct {
    const char *name;
    enum q_err (*read)(struct reader *r, struct document *d);
    bool required;
} fields[] = {
    {"module_id", read_module_id, true},
    {"digest", read_digest, true},
    {"timestamp", read_timestamp, true},
    {"pcrs", read_registers, true},
    {"certificate", read_certificate, true},
    {"cabundle", read_cabundle, true},
    {"public_key", read_public_key, false},
    {"user_data", read_user_data, false},
    {"nonce", read_nonce, false},
};
#define FIELD_COUNT (sizeof fields / sizeof fields[0])

// Which keys were there, so that none comes twice.
struct seen {
    bool field[FIELD_COUNT];
    struct bytes unknown[MAX_UNKNOWN_KEYS];
    size_t unknown_count;
};

static enum q_err skip_unknown(struct reader *r, struct bytes key, struct seen *seen)
{
    for (size_t i = 0; i < seen->unknown_count; i++) {
        if (bytes_equal(seen->unknown[i], key))
            return fail(Q_BAD_INPUT, "key %.*s is there twice", (int)key.n, (const char *)key.p);
    }
    if (seen->unknown_count == MAX_UNKNOWN_KEYS)
        return fail(Q_BAD_INPUT, "expected at most %d unknown keys, found more", MAX_UNKNOWN_KEYS);
    seen->unknown[seen->unknown_count++] = key;
    return cbor_skip(r);
}

static enum q_err read_field(struct reader *r, struct document *d, struct seen *seen)
{
    struct cbor_item key;
    TRY(err_context(cbor_expect(r, CBOR_TEXT, &key), "key"));
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!bytes_is(key.string, fields[i].name))
            continue;
        if (seen->field[i])
            return fail(Q_BAD_INPUT, "key %s is there twice", fields[i].name);
        seen->field[i] = true;
        return err_context(fields[i].read(r, d), "%s", fields[i].name);
    }
    return skip_unknown(r, key.string, seen);
}

enum q_err document_read(struct bytes payload, struct document *out)
{
    *out = (struct document){0};
    struct reader r = reader_of(payload, "payload");
    struct cbor_item map;
    TRY(err_context(cbor_expect(&r, CBOR_MAP, &map), "payload"));
    struct seen seen = {0};
    uint64_t count = 0;
    while (more_entries(&r, &map, &count))
        TRY(read_field(&r, out, &seen));
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (fields[i].required && !seen.field[i])
            return fail(Q_BAD_INPUT, "payload: expected the key %s, found none", fields[i].name);
    }
    return reader_end(&r);
}
