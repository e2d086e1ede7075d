// A manifest or an envelope without a version tag: which of v2, v1, v0 it is (qos-wire 4.1).
#ifndef QUORATE_PROTOCOL_VERSIONS_H
#define QUORATE_PROTOCOL_VERSIONS_H

#include "protocol/types.h"

#define MANIFEST_VERSIONS 3

// Both values begin with enum manifest_version.
struct versions {
    const char *what;
    const struct type *types[MANIFEST_VERSIONS]; // by enum manifest_version
    size_t size;
    const char *manifest_key; // where the manifest is inside the JSON; NULL: it is the JSON
};
extern const struct versions manifest_versions, envelope_versions;

// Tried in the order v2, v1, v0; the sentence of a failure is about the version it looks like.
// guarded: a manifest with the key "version" is v2 or nothing, as in files.
enum q_err versions_read_json(const struct versions *v, const struct json_t *in, bool guarded,
                              struct arena *a, void *value);
// Exactly one of v1 and v0 must accept the whole of in.
enum q_err versions_read_borsh(const struct versions *v, struct bytes in, struct arena *a,
                               void *value);

#endif
