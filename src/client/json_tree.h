// JSON that commands print for programs (--json): jansson's trees, made without losing an error,
// and printed so that a terminal shows nothing that the text itself does not say.
#ifndef QUORATE_CLIENT_JSON_TREE_H
#define QUORATE_CLIENT_JSON_TREE_H

#include "base/bytes.h"

#include <jansson.h>

#define JSON_AUTO __attribute__((cleanup(json_tree_release))) json_t
void json_tree_release(json_t **tree); // safe on NULL

// A new, empty one; Q_NOMEM.
enum q_err json_tree_object(json_t **out);
enum q_err json_tree_array(json_t **out);
// Both take value over, also when they fail. value NULL: it could not be made, Q_NOMEM.
enum q_err json_put(json_t *object, const char *key, json_t *value);
enum q_err json_push(json_t *array, json_t *value);

// Values; NULL when memory is used up. Text from others as people may see it (text_display), bytes
// in hex; both null when absent.
json_t *json_shown(struct bytes text);
json_t *json_hex(struct bytes value);
json_t *json_text(const char *text);      // our own text; null when NULL
json_t *json_time(int64_t seconds);       // RFC 3339
json_t *json_yes(bool known, bool value); // null when it is not known

// Prints it in ASCII, with a newline; on one line when compact.
enum q_err json_print(const json_t *tree, bool compact);

#endif
