// Canonical JSON for applications (qos-wire 3): one text for what is to be signed.
#include "app/boundary.h"
#include "codec/json.h"

#include <jansson.h>

static void json_release(json_t **json)
{
    json_decref(*json);
}

static enum q_err canonical(const void *json, size_t size, char **out)
{
    struct bytes view;
    BUF_AUTO text = {0};
    __attribute__((cleanup(json_release))) json_t *tree = NULL;
    TRY(needs(out, "canonical JSON"));
    *out = NULL;
    TRY(view_of(json, size, "JSON", &view));
    TRY(json_parse(view, &tree));
    TRY(json_canonical(tree, &text));
    return give_text(&text, out);
}

enum app_status app_canonical_json(const void *json, size_t size, char **out)
{
    return status_of(canonical(json, size, out));
}
