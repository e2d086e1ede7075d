// Making and printing JSON (see json_tree.h).
#include "client/json_tree.h"

#include "base/hex.h"
#include "base/text.h"
#include "client/time_text.h"
#include "codec/json.h"

#include <stdio.h>
#include <stdlib.h>

void json_tree_release(json_t **tree)
{
    json_decref(*tree);
    *tree = NULL;
}

static enum q_err no_memory(void)
{
    return fail(Q_NOMEM, "json: no memory for the output");
}

enum q_err json_tree_object(json_t **out)
{
    *out = json_object();
    return *out == NULL ? no_memory() : Q_OK;
}

enum q_err json_tree_array(json_t **out)
{
    *out = json_array();
    return *out == NULL ? no_memory() : Q_OK;
}

enum q_err json_put(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0 ? Q_OK : no_memory();
}

enum q_err json_push(json_t *array, json_t *value)
{
    return json_array_append_new(array, value) == 0 ? Q_OK : no_memory();
}

static json_t *text_of(enum q_err made, struct buf *b)
{
    return made == Q_OK ? json_stringn((const char *)buf_bytes(b).p, b->n) : NULL;
}

json_t *json_shown(struct bytes text)
{
    BUF_AUTO shown = {0};
    return text.p == NULL ? json_null() : text_of(text_display(text, &shown), &shown);
}

json_t *json_hex(struct bytes value)
{
    BUF_AUTO hex = {0};
    return value.p == NULL ? json_null() : text_of(hex_encode(value, &hex), &hex);
}

json_t *json_text(const char *text)
{
    return json_shown(bytes_str(text));
}

json_t *json_time(int64_t seconds)
{
    BUF_AUTO text = {0};
    return text_of(time_show(seconds, &text), &text);
}

json_t *json_yes(bool known, bool value)
{
    return known ? json_boolean(value) : json_null();
}

// Escaped to ASCII. DEL is the one control character jansson leaves as it is.
enum q_err json_print(const json_t *tree, bool compact)
{
    size_t layout = compact ? JSON_COMPACT : JSON_INDENT(2);
    BUF_AUTO text = {0};
    TRY(json_write_tree(tree, JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII | layout, &text));
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == 0x7f)
            (void)fputs("\\u007f", stdout);
        else
            (void)putchar(text.p[i]);
    }
    (void)putchar('\n');
    return Q_OK;
}
