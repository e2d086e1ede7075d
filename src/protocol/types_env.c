// The environment of an application: a sorted map of name to {"plain":{"value":"..."}} with limits
// (qos-wire 4.2, PivotConfigV2).
#include "protocol/types_internal.h"

#include "codec/borsh.h"
#include "codec/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef LIST_OF(struct env_var) env_list;

#define ENV_PLAIN 0 // the only variant of a value

struct env_value {
    uint32_t tag;
    struct bytes plain;
};
static const struct field plain_fields[] = {{"value", &type_text, 0, FIELD_REQUIRED}};
static const struct type type_plain = {STRUCT(struct bytes, "plain value", plain_fields)};
static const struct variant env_value_variants[] = {{"plain", ENV_PLAIN, &type_plain}};
static const struct type type_env_value = {
    VARIANTS(struct env_value, plain, "environment value", env_value_variants)};

static bool name_is_valid(struct bytes name)
{
    if (name.n == 0 || name.n > ENV_MAX_NAME)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

static enum q_err check_count(size_t n)
{
    if (n > ENV_MAX_VARS)
        return fail(Q_LIMIT, "env: expected at most %d variables, got %zu", ENV_MAX_VARS, n);
    return Q_OK;
}

static enum q_err check_var(const struct env_var *v)
{
    if (!name_is_valid(v->name))
        return fail(
            Q_BAD_INPUT,
            "env: expected a name of 1 to %d letters, digits and _ that does not begin with a "
            "digit, got another of %zu bytes",
            ENV_MAX_NAME, v->name.n);
    if (v->value.n > ENV_MAX_VALUE)
        return fail(Q_LIMIT, "env: %.*s: expected a value of at most %d bytes, got %zu",
                    (int)v->name.n, (const char *)v->name.p, ENV_MAX_VALUE, v->value.n);
    if (v->value.n > 0 && memchr(v->value.p, 0, v->value.n) != NULL)
        return fail(Q_BAD_INPUT, "env: %.*s: expected a value without NUL, got one", (int)v->name.n,
                    (const char *)v->name.p);
    return Q_OK;
}

static int order_by_name(const void *a, const void *b)
{
    const struct env_var *x = a, *y = b;
    return bytes_compare(x->name, y->name);
}

static enum q_err sort_unique(env_list *env)
{
    if (env->n > 1)
        qsort(env->items, env->n, sizeof env->items[0], order_by_name);
    for (size_t i = 1; i < env->n; i++)
        if (bytes_equal(env->items[i - 1].name, env->items[i].name))
            return fail(Q_BAD_INPUT, "env: %.*s: expected each name once, got it twice",
                        (int)env->items[i].name.n, (const char *)env->items[i].name.p);
    return Q_OK;
}

static enum q_err env_alloc(struct arena *a, size_t n, env_list *env)
{
    void *items;
    TRY(check_count(n));
    TRY(arena_array(a, n, sizeof(struct env_var), &items));
    env->items = items;
    env->n = n;
    return Q_OK;
}

// u32 count, then per variable: name, 0, value.
static enum q_err env_borsh_encode(const void *value, struct buf *out)
{
    const env_list *env = value;
    TRY(check_count(env->n));
    TRY(buf_u32le(out, (uint32_t)env->n));
    for (size_t i = 0; i < env->n; i++) {
        TRY(borsh_encode(&type_text, &env->items[i].name, out));
        TRY(buf_u8(out, ENV_PLAIN));
        TRY(borsh_encode(&type_text, &env->items[i].value, out));
    }
    return Q_OK;
}

static enum q_err env_borsh_decode(struct reader *in, struct arena *a, void *value)
{
    env_list *env = value;
    uint32_t count;
    TRY(reader_u32le(in, &count));
    TRY(env_alloc(a, count, env));
    for (size_t i = 0; i < env->n; i++) {
        struct env_value read = {0};
        TRY(borsh_read(&type_text, in, a, &env->items[i].name));
        TRY(borsh_read(&type_env_value, in, a, &read));
        env->items[i].value = read.plain;
        TRY(check_var(&env->items[i]));
    }
    return sort_unique(env);
}

// Names need no escapes; they are ASCII and sorted, so canonical and plain JSON have the same
// order.
static enum q_err env_json_encode(const void *value, struct json_writer *w)
{
    const env_list *env = value;
    TRY(json_write_raw(w, "{"));
    for (size_t i = 0; i < env->n; i++) {
        struct env_value one = {.tag = ENV_PLAIN, .plain = env->items[i].value};
        if (i > 0)
            TRY(json_write_raw(w, ","));
        TRY(json_write_text(w, env->items[i].name));
        TRY(json_write_raw(w, ":"));
        TRY(json_write(w, &type_env_value, &one));
    }
    return json_write_raw(w, "}");
}

static enum q_err read_json_var(const char *key, size_t key_size, const struct json_t *in,
                                struct arena *a, struct env_var *out)
{
    struct env_value read = {0};
    TRY(json_read(&type_env_value, in, a, &read));
    TRY(arena_copy(a, bytes_of(key, key_size), &out->name));
    out->value = read.plain;
    return check_var(out);
}

static enum q_err env_json_decode(const struct json_t *in, struct arena *a, void *value)
{
    env_list *env = value;
    if (!json_is_object(in))
        return fail(Q_BAD_INPUT, "env: expected an object of variables, got another kind of value");
    TRY(env_alloc(a, json_object_size(in), env));
    // jansson iterates over a non-const object but does not change it.
    json_t *object = (json_t *)(uintptr_t)in;
    size_t i = 0;
    for (void *at = json_object_iter(object); at != NULL && i < env->n;
         at = json_object_iter_next(object, at), i++) {
        const char *key = json_object_iter_key(at);
        TRY(read_json_var(key, json_object_iter_key_len(at), json_object_iter_value(at), a,
                          &env->items[i]));
    }
    return sort_unique(env);
}

const struct type type_env = {
    .name = "env",
    .shape = SHAPE_CUSTOM,
    .size = sizeof(env_list),
    .hooks = {env_borsh_encode, env_borsh_decode, env_json_encode, env_json_decode},
};
