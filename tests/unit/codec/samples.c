// The descriptions of the sample types (see samples.h).
#include "samples.h"

#include "codec/borsh.h"
#include "codec/json.h"

#include <jansson.h>

static const struct type type_fixed = {FIXED("four bytes", 4)};
static const struct field scalars_fields[] = {
    FIELD(struct scalars, flag, "flag", &type_bool),
    FIELD(struct scalars, small, "small", &type_u16),
    FIELD(struct scalars, medium, "medium", &type_u32),
    FIELD(struct scalars, large, "large", &type_u64),
    FIELD(struct scalars, text, "text", &type_text),
    FIELD(struct scalars, blob, "blob", &type_bytes),
    FIELD(struct scalars, fixed, "fixed", &type_fixed),
};
const struct type type_scalars = {STRUCT(struct scalars, "scalars", scalars_fields)};

static const struct field inner_fields[] = {
    FIELD(struct inner, number, "zeta", &type_u32),
    FIELD(struct inner, name, "alpha", &type_text),
};
const struct type type_inner = {STRUCT(struct inner, "inner", inner_fields)};
const struct type type_inner_closed = {STRUCT(struct inner, "closed", inner_fields),
                                       .closed = true};

static const struct field pair_fields[] = {
    FIELD(struct pair, left, "left", &type_u32),
    FIELD_MAYBE(struct pair, right, "right", &type_text),
};
const struct type type_pair = {STRUCT(struct pair, "pair", pair_fields), .tuple = true};

static const struct variant color_variants[] = {{"DarkRed", 0, NULL}, {"Blue", 7, NULL}};
const struct type type_color = {UNITS(struct color, "color", color_variants), .camel_too = true};

static const struct variant sum_variants[] = {
    {"nothing", 0, NULL},    {"inner", 1, &type_inner}, {"text", 2, &type_text},
    {"pair", 3, &type_pair}, {NULL, 4, &type_inner},
};
const struct type type_sum = {VARIANTS(struct sum, inner, "sum", sum_variants)};

static const struct field near_fields[] = {
    FIELD(struct near, port, "port", &type_u16),
    FIELD(struct near, host, "host", &type_text),
};
static const struct field far_fields[] = {
    FIELD(struct near, port, "port", &type_u16),
    FIELD_MAYBE(struct near, host, "host", &type_text),
};
static const struct type type_near = {STRUCT(struct near, "near", near_fields), .closed = true};
static const struct type type_far = {STRUCT(struct near, "far", far_fields)};
static const struct variant link_variants[] = {
    {"near", 0, &type_near}, {"far", 1, &type_far}, {"none", 2, NULL}};
const struct type type_link = {TAGGED(struct link, near, "link", "type", link_variants)};

// A number that is the text "#5" in JSON and a u32 in Borsh.
static enum q_err custom_borsh_encode(const void *value, struct buf *out)
{
    return borsh_encode(&type_u32, value, out);
}

static enum q_err custom_borsh_decode(struct reader *in, struct arena *a, void *value)
{
    return borsh_read(&type_u32, in, a, value);
}

static enum q_err custom_json_encode(const void *value, struct json_writer *w)
{
    const uint32_t *number = value;
    TRY(json_write_raw(w, json_writer_style(w) == JSON_PLAIN ? "{\"#\":" : "{\"canonical\":"));
    TRY(json_write(w, &type_u32, number));
    TRY(json_write_raw(w, ",\"text\":"));
    TRY(json_write_text(w, BYTES_LIT("\"")));
    return json_write_raw(w, "}");
}

static enum q_err custom_json_decode(const struct json_t *in, struct arena *a, void *value)
{
    const json_t *plain = json_object_get(in, "#");
    return json_read(&type_u32, plain != NULL ? plain : json_object_get(in, "canonical"), a, value);
}

const struct type type_custom = {
    .name = "custom",
    .shape = SHAPE_CUSTOM,
    .size = sizeof(uint32_t),
    .hooks = {custom_borsh_encode, custom_borsh_decode, custom_json_encode, custom_json_decode},
};
const struct type type_borsh_only = {
    .name = "borsh only",
    .shape = SHAPE_CUSTOM,
    .size = sizeof(uint32_t),
    .hooks = {.borsh_encode = custom_borsh_encode, .borsh_decode = custom_borsh_decode},
};
const struct type type_json_only = {
    .name = "JSON only",
    .shape = SHAPE_CUSTOM,
    .size = sizeof(uint32_t),
    .hooks = {.json_encode = custom_json_encode, .json_decode = custom_json_decode},
};

static const struct field options_fields[] = {
    FIELD_MAYBE(struct options_of_all, text, "text", &type_text),
    FIELD_MAYBE(struct options_of_all, blob, "blob", &type_bytes),
    FIELD_MAYBE(struct options_of_all, inner, "inner", &type_inner),
    FIELD_MAYBE(struct options_of_all, number, "number", &type_u32),
    FIELD_MAYBE(struct options_of_all, sum, "sum", &type_sum),
    FIELD_MAYBE(struct options_of_all, custom, "custom", &type_custom),
};
const struct type type_options = {STRUCT(struct options_of_all, "options", options_fields)};

static const struct type type_inners = {LIST("inners", &type_inner)};
static const struct type type_shorts = {LIST("shorts", &type_u16)};
static const struct type type_nested = {LIST("nested", &type_shorts)};
static const struct type type_texts = {LIST("texts", &type_text)};
static const struct type type_colors = {LIST("colors", &type_color)};

static const struct type type_plain_customs = {LIST("customs", &type_custom)};
static enum q_err customs_borsh_encode(const void *value, struct buf *out)
{
    return borsh_encode(&type_plain_customs, value, out);
}
static enum q_err customs_borsh_decode(struct reader *in, struct arena *a, void *value)
{
    return borsh_read(&type_plain_customs, in, a, value);
}
static enum q_err customs_json_encode(const void *value, struct json_writer *w)
{
    return json_write(w, &type_plain_customs, value);
}
static enum q_err customs_json_decode(const struct json_t *in, struct arena *a, void *value)
{
    return json_read(&type_plain_customs, in, a, value);
}
static const struct type type_customs = {
    .name = "customs",
    .shape = SHAPE_CUSTOM,
    .size = sizeof(struct list),
    .hooks = {customs_borsh_encode, customs_borsh_decode, customs_json_encode, customs_json_decode},
};

static const struct field lists_fields[] = {
    FIELD(struct lists, inners, "inners", &type_inners),
    FIELD(struct lists, nested, "nested", &type_nested),
    FIELD_OR_EMPTY(struct lists, texts, "texts", &type_texts),
    FIELD(struct lists, colors, "colors", &type_colors),
    FIELD_OR_EMPTY(struct lists, customs, "customs", &type_customs),
};
const struct type type_lists = {STRUCT(struct lists, "lists", lists_fields)};

static const struct field node_fields[] = {FIELD_MAYBE(struct node, next, "next", &type_node)};
const struct type type_node = {STRUCT(struct node, "node", node_fields)};

const struct type type_limited_text = {
    .name = "short text", .shape = SHAPE_TEXT, .size = sizeof(struct bytes), .limit = 3};
const struct type type_limited_list = {LIST("short list", &type_u16), .limit = 2};

static const struct type type_empty_unit = {
    .name = "empty", .shape = SHAPE_STRUCT, .size = sizeof(struct empty_unit)};
const struct type type_empty_units = {LIST("empties", &type_empty_unit)};
