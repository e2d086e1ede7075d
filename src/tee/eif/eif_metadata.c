// Writes and reads the metadata of an image (see eif_metadata.h).
#include "tee/eif/eif_metadata.h"

#include "codec/json.h"

#include <jansson.h>
#include <stdlib.h>

#define BUILD_TOOL "quorate"

static void tree_release(json_t **tree)
{
    json_decref(*tree);
}
#define TREE_AUTO __attribute__((cleanup(tree_release))) json_t

enum q_err eif_metadata_write(const struct eif_metadata *m, struct buf *out)
{
    // {} of DockerInfo and CustomMetadata: there is nothing to say, but readers want the keys.
    TREE_AUTO *tree =
        json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s}, s:{}, s:{}}", "ImageName", m->name,
                  "ImageVersion", m->version, "BuildMetadata", "BuildTime", m->build_time,
                  "BuildTool", BUILD_TOOL, "BuildToolVersion", QUORATE_VERSION, "OperatingSystem",
                  m->system, "KernelVersion", m->kernel, "DockerInfo", "CustomMetadata");
    if (tree == NULL)
        return fail(Q_BAD_INPUT, "metadata: expected texts in UTF-8, found others");
    return err_context(json_write_tree(tree, JSON_COMPACT | JSON_PRESERVE_ORDER, out), "metadata");
}

enum q_err eif_metadata_read(struct bytes in, struct json_t **out)
{
    json_t *tree = NULL;
    TRY(err_context(json_parse(in, &tree), "metadata"));
    if (!json_is_object(tree)) {
        json_decref(tree);
        return fail(Q_BAD_INPUT, "metadata: expected a JSON object, found another value");
    }
    *out = tree;
    return Q_OK;
}
