// Fuzz target: every described type through every codec. Either the input is an encoding of the type it chooses:
// what decodes must encode, and decode and encode to the same again. Or a value is made from the input along the
// type's description: each codec must give it back.
#include "codec/borsh.h"
#include "codec/describe_internal.h"
#include "codec/json.h"
#include "protocol/types_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct type *const types[] = {
    &type_bool,
    &type_u16,
    &type_u32,
    &type_u64,
    &type_text,
    &type_bytes,
    &type_namespace,
    &type_restart,
    &type_bridge,
    &type_pivot_config_v0,
    &type_pivot_config_v1,
    &type_pivot_config_v2,
    &type_member,
    &type_member_set,
    &type_patch_set,
    &type_nitro_config,
    &type_dns_config,
    &type_manifest_v0,
    &type_manifest_v1,
    &type_manifest_v2,
    &type_manifest,
    &type_env,
    &type_ip,
    &type_approval,
    &type_envelope_v0,
    &type_envelope_v1,
    &type_envelope_v2,
    &type_manifest_envelope,
    &type_genesis_set,
    &type_genesis_member_output,
    &type_genesis_output,
    &type_encrypted_quorum_key,
    &type_nsm_response,
    &type_phase,
    &type_p256_error,
    &type_protocol_error,
    &type_boot_request_json,
    &type_message,
};
#define TYPES (sizeof types / sizeof *types)

enum form { BORSH, CANONICAL, PLAIN, FORMS };

static void must(bool holds)
{
    if (holds)
        return;
    (void)fprintf(stderr, "the last error was: %s\n", err_text());
    abort();
}

static enum q_err encode(const struct type *t, const void *value, enum form form, struct buf *out)
{
    if (form == BORSH)
        return borsh_encode(t, value, out);
    return json_encode(t, value, form == CANONICAL ? JSON_CANONICAL : JSON_PLAIN, out);
}

static enum q_err decode(const struct type *t, struct bytes in, enum form form, struct arena *a,
                         void *out)
{
    return form == BORSH ? borsh_decode(t, in, a, out) : json_decode(t, in, a, out);
}

static void *room(const struct type *t, struct arena *a)
{
    void *value;
    must(arena_alloc(a, t->size, &value) == Q_OK);
    return value;
}

static bool is_hooked(const struct type *t)
{
    return t->shape == SHAPE_CUSTOM;
}

// In Borsh a manifest does not say its version: what two versions accept is refused, and where something comes
// after it nothing can be read (qos-wire 4.3).
static bool is_untagged(const struct type *t)
{
    return t == &type_manifest || t == &type_manifest_envelope;
}

static bool has(const struct type *t, bool (*is)(const struct type *t))
{
    if (is(t))
        return true;
    if (t->shape == SHAPE_LIST)
        return has(t->element, is);
    for (size_t i = 0; i < t->count; i++) {
        const struct type *below =
            t->shape == SHAPE_STRUCT ? t->fields[i].type : t->variants[i].type;
        if (below != NULL && has(below, is))
            return true;
    }
    return false;
}

// The encoding of a value that has one is decoded, and encoded as the same bytes.
static void comes_back(const struct type *t, const void *value, enum form form, struct arena *a)
{
    BUF_AUTO once = {0}, twice = {0};
    void *again = room(t, a);
    if (encode(t, value, form, &once) != Q_OK) {
        must(once.n == 0);
        return;
    }
    if (decode(t, buf_bytes(&once), form, a, again) != Q_OK) {
        must(form == BORSH && has(t, is_untagged));
        return;
    }
    must(encode(t, again, form, &twice) == Q_OK);
    must(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
}

// ---- from encodings

static void from_encoding(const struct type *t, enum form form, struct bytes in)
{
    ARENA_AUTO a = {.budget = (size_t)16 << 20};
    BUF_AUTO same = {0};
    void *value = room(t, &a);
    if (decode(t, in, form, &a, value) != Q_OK)
        return;
    // Borsh says a thing in one way; hooks also read what others write differently.
    if (form == BORSH && !has(t, is_hooked)) {
        must(encode(t, value, BORSH, &same) == Q_OK);
        must(bytes_equal(buf_bytes(&same), in));
    }
    comes_back(t, value, form, &a);
    comes_back(t, value, CANONICAL, &a);
}

// ---- from descriptions

static void make(const struct type *t, struct reader *in, struct arena *a, void *out);

static uint8_t next_byte(struct reader *in)
{
    uint8_t value = 0;
    (void)reader_u8(in, &value);
    return value;
}

static void fill(struct reader *in, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = next_byte(in);
}

// ASCII for text: what is no UTF-8 has no encoding.
static void make_bytes(struct reader *in, struct arena *a, bool text, void *out)
{
    size_t n = next_byte(in) % 24;
    void *p;
    must(arena_alloc(a, n, &p) == Q_OK);
    fill(in, p, n);
    for (size_t i = 0; text && i < n; i++)
        ((uint8_t *)p)[i] &= 0x7f;
    *(struct bytes *)out = bytes_of(p, n);
}

static void make_list(const struct type *t, struct reader *in, struct arena *a, void *out)
{
    struct list *list = out;
    list->n = next_byte(in) % 4;
    must(arena_array(a, list->n, t->element->size, &list->items) == Q_OK);
    for (size_t i = 0; i < list->n; i++)
        make(t->element, in, a, (uint8_t *)list->items + i * t->element->size);
}

static void make_struct(const struct type *t, struct reader *in, struct arena *a, void *out)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct field *f = &t->fields[i];
        void *value;
        if (f->presence == FIELD_OPTIONAL && (next_byte(in) & 1) == 0)
            continue;
        must(field_prepare(f, member_at_mut(out, f->offset), a, &value) == Q_OK);
        make(f->type, in, a, value);
    }
}

static void make_variant(const struct type *t, struct reader *in, struct arena *a, void *out)
{
    const struct variant *v = &t->variants[next_byte(in) % t->count];
    uint32_t tag = v->index;
    memcpy(out, &tag, sizeof tag);
    if (v->type != NULL)
        make(v->type, in, a, member_at_mut(out, t->payload_offset));
}

static void make_manifest(struct reader *in, struct arena *a, struct manifest *out)
{
    static const struct type *const versions[] = {&type_manifest_v0, &type_manifest_v1,
                                                  &type_manifest_v2};
    unsigned version = next_byte(in) % 3;
    make(versions[version], in, a, out);
    out->version = (enum manifest_version)version;
    out->version_text = version == MANIFEST_V2 ? BYTES_LIT("v2") : BYTES_NONE;
}

static void make_envelope(struct reader *in, struct arena *a, struct manifest_envelope *out)
{
    static const struct type *const versions[] = {&type_envelope_v0, &type_envelope_v1,
                                                  &type_envelope_v2};
    unsigned version = next_byte(in) % 3;
    make(versions[version], in, a, out);
    out->manifest.version = (enum manifest_version)version;
    out->manifest.version_text = version == MANIFEST_V2 ? BYTES_LIT("v2") : BYTES_NONE;
}

// Hooks know what their values are made of; here it is known once more.
static void make_custom(const struct type *t, struct reader *in, struct arena *a, void *out)
{
    const struct bytes addresses[] = {BYTES_LIT("127.0.0.1"), BYTES_LIT("::1"),
                                      BYTES_LIT("2001:db8::2")};
    if (t == &type_ip) {
        *(struct bytes *)out = addresses[next_byte(in) % 3];
    } else if (t == &type_manifest) {
        make_manifest(in, a, out);
    } else if (t == &type_manifest_envelope) {
        make_envelope(in, a, out);
    } else if (t == &type_boot_request_json) {
        struct boot_request *boot = out;
        make_envelope(in, a, &boot->manifest_envelope);
        make_bytes(in, a, false, &boot->pivot);
    } // type_env: none
}

static void make(const struct type *t, struct reader *in, struct arena *a, void *out)
{
    switch (t->shape) {
    case SHAPE_BOOL:
        *(bool *)out = (next_byte(in) & 1) != 0;
        return;
    case SHAPE_U16:
    case SHAPE_U32:
    case SHAPE_FIXED:
        fill(in, out, t->size);
        return;
    case SHAPE_U64: // plain JSON has no larger ones, see codec/json.h
        fill(in, out, t->size);
        *(uint64_t *)out &= INT64_MAX;
        return;
    case SHAPE_TEXT:
    case SHAPE_BYTES:
        make_bytes(in, a, t->shape == SHAPE_TEXT, out);
        return;
    case SHAPE_LIST:
        make_list(t, in, a, out);
        return;
    case SHAPE_STRUCT:
        make_struct(t, in, a, out);
        return;
    case SHAPE_VARIANTS:
    case SHAPE_TAGGED:
        make_variant(t, in, a, out);
        return;
    case SHAPE_CUSTOM:
        make_custom(t, in, a, out);
        return;
    }
}

static void from_description(const struct type *t, struct bytes choices)
{
    ARENA_AUTO a = {.budget = (size_t)16 << 20};
    struct reader in = reader_of(choices, "choices");
    void *value = room(t, &a);
    make(t, &in, &a, value);
    for (int form = 0; form < FORMS; form++)
        comes_back(t, value, (enum form)form, &a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const struct type *t = types[data[0] % TYPES];
    struct bytes rest = bytes_of(data + 2, size - 2);
    unsigned how = data[1] % 3;
    if (how == 2)
        from_description(t, rest);
    else
        from_encoding(t, how == 0 ? BORSH : PLAIN, rest);
    return 0;
}
