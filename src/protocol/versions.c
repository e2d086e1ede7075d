// The untagged, versioned manifest and envelope: telling versions apart, and the hooks by which the
// codecs do (qos-wire 4.1, 4.3).
#include "protocol/versions.h"

#include "codec/borsh.h"
#include "codec/json.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

_Static_assert(offsetof(struct manifest, version) == 0, "a manifest begins with its version");
_Static_assert(offsetof(struct manifest_envelope, manifest) == 0, "an envelope, with its manifest");

const struct versions manifest_versions = {
    .what = "manifest",
    .types = {&type_manifest_v0, &type_manifest_v1, &type_manifest_v2},
    .size = sizeof(struct manifest),
};
const struct versions envelope_versions = {
    .what = "manifest envelope",
    .types = {&type_envelope_v0, &type_envelope_v1, &type_envelope_v2},
    .size = sizeof(struct manifest_envelope),
    .manifest_key = "manifest",
};

static enum q_err read_json_as(const struct versions *v, enum manifest_version version,
                               const struct json_t *in, struct arena *a, void *value)
{
    memset(value, 0, v->size);
    enum q_err err = json_read(v->types[version], in, a, value);
    *(enum manifest_version *)value = version;
    return err;
}

static enum q_err read_borsh_as(const struct versions *v, enum manifest_version version,
                                struct bytes in, struct arena *a, void *value)
{
    memset(value, 0, v->size);
    enum q_err err = borsh_decode(v->types[version], in, a, value);
    *(enum manifest_version *)value = version;
    return err;
}

static enum manifest_version looks_like(const struct json_t *manifest)
{
    if (json_object_get(manifest, "version") != NULL)
        return MANIFEST_V2;
    const struct json_t *pivot = json_object_get(manifest, "pivot");
    bool newer = json_object_get(pivot, "bridgeConfig") != NULL ||
                 json_object_get(pivot, "debugMode") != NULL;
    return newer || pivot == NULL ? MANIFEST_V1 : MANIFEST_V0;
}

enum q_err versions_read_json(const struct versions *v, const struct json_t *in, bool guarded,
                              struct arena *a, void *value)
{
    const struct json_t *manifest =
        v->manifest_key != NULL ? json_object_get(in, v->manifest_key) : in;
    enum manifest_version likely = looks_like(manifest);
    if (guarded && likely == MANIFEST_V2)
        return err_context(read_json_as(v, MANIFEST_V2, in, a, value), "%s of version 2", v->what);
    for (unsigned i = MANIFEST_VERSIONS; i-- > 0;)
        if (read_json_as(v, (enum manifest_version)i, in, a, value) == Q_OK)
            return Q_OK;
    return err_context(read_json_as(v, likely, in, a, value), "%s of version %u", v->what,
                       (unsigned)likely);
}

enum q_err versions_read_borsh(const struct versions *v, struct bytes in, struct arena *a,
                               void *value)
{
    bool older = read_borsh_as(v, MANIFEST_V0, in, a, value) == Q_OK;
    enum q_err newer = read_borsh_as(v, MANIFEST_V1, in, a, value);
    if (older && newer == Q_OK)
        return fail(
            Q_BAD_INPUT,
            "%s: ambiguous borsh encoding: expected one that only version 0 or only version 1 "
            "accepts, got one that both accept",
            v->what);
    if (older)
        return read_borsh_as(v, MANIFEST_V0, in, a, value);
    return newer;
}

static enum q_err encode_borsh(const struct versions *v, const void *value, struct buf *out)
{
    enum manifest_version version = *(const enum manifest_version *)value;
    if (version == MANIFEST_V2)
        return fail(Q_UNSUPPORTED,
                    "ManifestV2NotConvertibleToBorsh: %s: version 2 has no Borsh form", v->what);
    return borsh_encode(v->types[version], value, out);
}

static enum q_err decode_borsh(const struct versions *v, struct reader *in, struct arena *a,
                               void *value)
{
    struct bytes rest;
    TRY(reader_take(in, reader_left(in), &rest));
    return versions_read_borsh(v, rest, a, value);
}

static enum q_err manifest_borsh_encode(const void *value, struct buf *out)
{
    return encode_borsh(&manifest_versions, value, out);
}

static enum q_err manifest_borsh_decode(struct reader *in, struct arena *a, void *value)
{
    return decode_borsh(&manifest_versions, in, a, value);
}

static enum q_err manifest_json_encode(const void *value, struct json_writer *w)
{
    return json_write(w, manifest_versions.types[*(const enum manifest_version *)value], value);
}

static enum q_err manifest_json_decode(const struct json_t *in, struct arena *a, void *value)
{
    return versions_read_json(&manifest_versions, in, false, a, value);
}

const struct type type_manifest = {
    .name = "manifest",
    .shape = SHAPE_CUSTOM,
    .size = sizeof(struct manifest),
    .hooks = {manifest_borsh_encode, manifest_borsh_decode, manifest_json_encode,
              manifest_json_decode},
};

static enum q_err envelope_borsh_encode(const void *value, struct buf *out)
{
    return encode_borsh(&envelope_versions, value, out);
}

// Takes all that is left: the envelope says neither its length nor its version, so it can only
// stand last in a message.
static enum q_err envelope_borsh_decode(struct reader *in, struct arena *a, void *value)
{
    return decode_borsh(&envelope_versions, in, a, value);
}

static enum q_err envelope_json_encode(const void *value, struct json_writer *w)
{
    return json_write(w, envelope_versions.types[*(const enum manifest_version *)value], value);
}

static enum q_err envelope_json_decode(const struct json_t *in, struct arena *a, void *value)
{
    return versions_read_json(&envelope_versions, in, false, a, value);
}

const struct type type_manifest_envelope = {
    .name = "manifest envelope",
    .shape = SHAPE_CUSTOM,
    .size = sizeof(struct manifest_envelope),
    .hooks = {envelope_borsh_encode, envelope_borsh_decode, envelope_json_encode,
              envelope_json_decode},
};
