// Manifests and envelopes as files, their hash, and their conversion to version 1 (qos-wire 4.1,
// 6.2).
#include "protocol/manifest.h"

#include "codec/borsh.h"
#include "codec/json.h"
#include "protocol/versions.h"

#include <jansson.h>
#include <stdio.h>

// JSON first, whatever it is; then Borsh. What begins like JSON gets the sentence about JSON.
static enum q_err read_file(const struct versions *v, struct bytes file, struct arena *a, void *out)
{
    struct json_t *json = NULL;
    enum q_err as_json = json_parse(file, &json);
    if (as_json == Q_OK)
        as_json = versions_read_json(v, json, true, a, out);
    json_decref(json);
    if (as_json == Q_OK)
        return Q_OK;
    char sentence[Q_ERR_TEXT_SIZE];
    (void)snprintf(sentence, sizeof sentence, "%s", err_text());
    enum q_err as_borsh = versions_read_borsh(v, file, a, out);
    struct bytes text = bytes_trim(file);
    if (as_borsh == Q_OK || text.n == 0 || text.p[0] != '{')
        return as_borsh;
    return fail(as_json, "%s", sentence);
}

enum q_err manifest_read(struct bytes file, struct arena *a, struct manifest *out)
{
    return read_file(&manifest_versions, file, a, out);
}

enum q_err envelope_read(struct bytes file, struct arena *a, struct manifest_envelope *out)
{
    return read_file(&envelope_versions, file, a, out);
}

static enum json_style storage_style(const struct manifest *m)
{
    return m->version == MANIFEST_V2 ? JSON_CANONICAL : JSON_PLAIN;
}

enum q_err manifest_store(const struct manifest *m, struct buf *out)
{
    return json_encode(&type_manifest, m, storage_style(m), out);
}

enum q_err envelope_store(const struct manifest_envelope *e, struct buf *out)
{
    return json_encode(&type_manifest_envelope, e, storage_style(&e->manifest), out);
}

enum q_err envelope_plain(const struct manifest_envelope *e, struct buf *out)
{
    return json_encode(&type_manifest_envelope, e, JSON_PLAIN, out);
}

enum q_err approval_read(struct bytes file, struct arena *a, struct approval *out)
{
    return json_decode(&type_approval, file, a, out);
}

enum q_err manifest_to_v1(const struct manifest *m, struct manifest *out)
{
    if (m->version == MANIFEST_V2)
        return fail(Q_UNSUPPORTED,
                    "ManifestV2NotConvertibleToBorsh: expected a manifest of version "
                    "0 or 1, got version 2");
    *out = *m;
    if (m->version == MANIFEST_V0) {
        out->pivot.debug_mode = false;
        out->pivot.bridges.items = NULL;
        out->pivot.bridges.n = 0;
    }
    out->version = MANIFEST_V1;
    return Q_OK;
}

enum q_err envelope_to_v1(const struct manifest_envelope *e, struct manifest_envelope *out)
{
    struct manifest manifest;
    TRY(manifest_to_v1(&e->manifest, &manifest));
    *out = *e;
    out->manifest = manifest;
    return Q_OK;
}

enum q_err manifest_hash(const struct manifest *m, uint8_t out[static SHA256_SIZE])
{
    BUF_AUTO encoded = {0};
    if (m->version == MANIFEST_V2)
        TRY(json_encode(&type_manifest_v2, m, JSON_CANONICAL, &encoded));
    else
        TRY(borsh_encode(&type_manifest, m, &encoded));
    return sha256(buf_bytes(&encoded), out);
}
