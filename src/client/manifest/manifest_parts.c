// Reading the parts of a manifest (see manifest_parts.h).
#include "client/manifest/manifest_parts.h"

#include "base/file.h"
#include "client/audit_trail.h"
#include "client/key_file.h"
#include "client/manifest/set_directory.h"
#include "client/text_file.h"
#include "client/attestation/trust_root.h"
#include "protocol/manifest.h"

#include <string.h>

enum q_err patch_set_rule(const struct options *o, enum manifest_version version)
{
    bool given = options_given(o, "patch-set-dir");
    if (version == MANIFEST_V2 && given)
        return fail(Q_BAD_INPUT, "ManifestV2DoesNotSupportPatchSet: a manifest of version 2 has no "
                                 "patch set; leave --patch-set-dir out");
    if (version != MANIFEST_V2 && !given)
        return fail(Q_BAD_INPUT, "ManifestV1RequiresPatchSet: a manifest of version 1 has a patch "
                                 "set; name its folder with --patch-set-dir");
    return Q_OK;
}

// Whether an option names the part; it comes from there then.
static bool named(const struct options *o, const char *option, enum manifest_part part,
                  struct manifest_parts *out)
{
    const char *path = options_value(o, option);
    if (path != NULL)
        out->from[part] = path;
    return path != NULL;
}

static enum q_err read_release(const struct options *o, const char *folder, struct arena *a,
                               struct nitro_config *out)
{
    struct release release;
    TRY(release_read(folder, options_given(o, "unsafe-placeholder-pcrs"), &release));
    TRY(arena_copy(a, BYTES_OF(release.pcrs[0]), &out->pcr0));
    TRY(arena_copy(a, BYTES_OF(release.pcrs[1]), &out->pcr1));
    return arena_copy(a, BYTES_OF(release.pcrs[2]), &out->pcr2);
}

static enum q_err measure_role(struct bytes role, struct arena *a, struct manifest_parts *out)
{
    uint8_t pcr3[SHA384_SIZE];
    out->role = role;
    TRY(role_measurement(role, pcr3));
    return arena_copy(a, BYTES_OF(pcr3), &out->enclave.pcr3);
}

static enum q_err read_role(const char *path, struct arena *a, struct manifest_parts *out)
{
    struct bytes role;
    TRY(role_read(path, a, &role));
    return measure_role(role, a, out);
}

static enum q_err read_quorum_key(const char *path, struct arena *a, struct bytes *out)
{
    struct p256_public key;
    TRY(public_key_read(path, &key));
    return arena_copy(a, p256_public_bytes(&key), out);
}

enum q_err manifest_parts_trust(const struct options *o, struct arena *a,
                                struct manifest_parts *out)
{
    TRUST_AUTO trust = {0};
    TRY(trust_root_load(o, &trust));
    return arena_copy(a, buf_bytes(&trust.root), &out->enclave.root_certificate);
}

static enum q_err read_named(const struct options *o, enum manifest_version version,
                             struct arena *a, struct manifest_parts *out)
{
    if (named(o, "qos-release-dir", PART_MEASUREMENTS, out))
        TRY(read_release(o, out->from[PART_MEASUREMENTS], a, &out->enclave));
    if (named(o, "pcr3-preimage-path", PART_ROLE, out))
        TRY(read_role(out->from[PART_ROLE], a, out));
    if (named(o, "pivot-hash-path", PART_PIVOT_HASH, out))
        TRY(pivot_hash_read(out->from[PART_PIVOT_HASH], out->pivot_hash));
    if (named(o, "manifest-set-dir", PART_MANIFEST_SET, out))
        TRY(set_directory_read(out->from[PART_MANIFEST_SET], a, &out->manifest_set));
    if (named(o, "share-set-dir", PART_SHARE_SET, out))
        TRY(set_directory_read(out->from[PART_SHARE_SET], a, &out->share_set));
    if (version != MANIFEST_V2 && named(o, "patch-set-dir", PART_PATCH_SET, out))
        TRY(set_directory_read_patch(out->from[PART_PATCH_SET], a, &out->patch_set));
    if (named(o, "quorum-key-path", PART_QUORUM_KEY, out))
        TRY(read_quorum_key(out->from[PART_QUORUM_KEY], a, &out->quorum_key));
    return Q_OK;
}

// No commit, as the original.
enum q_err manifest_parts_read(const struct options *o, enum manifest_version version,
                               struct arena *a, struct manifest_parts *out)
{
    *out = (struct manifest_parts){.enclave = {.qos_commit = BYTES_LIT("")}};
    TRY(read_named(o, version, a, out));
    return manifest_parts_trust(o, a, out);
}

enum q_err manifest_parts_given(const struct options *o, const struct manifest *m,
                                struct bytes role, struct arena *a, struct manifest_parts *out)
{
    if (options_given(o, "patch-set-dir"))
        TRY(patch_set_rule(o, m->version));
    *out = (struct manifest_parts){.manifest_set = m->manifest_set,
                                   .share_set = m->share_set,
                                   .patch_set = m->patch_set,
                                   .enclave = m->enclave,
                                   .quorum_key = m->namespace.quorum_key};
    memcpy(out->pivot_hash, m->pivot.hash, sizeof out->pivot_hash);
    out->enclave.qos_commit = BYTES_LIT("");
    TRY(measure_role(role, a, out));
    return read_named(o, m->version, a, out);
}

enum q_err manifest_file_read(const char *path, struct arena *a, struct manifest *out)
{
    BUF_AUTO file = {0};
    TRY(file_read(path, FILE_OF_MANIFEST_MAX, &file));
    TRY(err_context(manifest_read(buf_bytes(&file), a, out), "%s", path));
    audit_note_manifest(out);
    return Q_OK;
}

enum q_err envelope_file_read(const char *path, struct arena *a, struct manifest_envelope *out)
{
    BUF_AUTO file = {0};
    TRY(file_read(path, FILE_OF_MANIFEST_MAX, &file));
    TRY(err_context(envelope_read(buf_bytes(&file), a, out), "%s", path));
    audit_note_manifest(&out->manifest);
    return Q_OK;
}

enum q_err envelope_path(const struct options *o, const char **out)
{
    *out = options_value(o, "manifest-envelope-path");
    if (*out == NULL)
        return fail(Q_BAD_INPUT, "Missing `--manifest-envelope-path`");
    return Q_OK;
}
