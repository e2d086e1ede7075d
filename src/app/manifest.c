// The manifest for applications (qos-wire 4.1, 4.2): read once, every text made then.
#include "app/manifest.h"

#include "base/file.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

#define MANIFEST_FILE_MAX ((size_t)64 << 20)

struct member_sets {
    struct member_set manifest_set, share_set;
};
static const struct field member_sets_fields[] = {
    FIELD(struct member_sets, manifest_set, "manifestSet", &type_member_set),
    FIELD(struct member_sets, share_set, "shareSet", &type_member_set),
};
static const struct type type_member_sets = {
    STRUCT(struct member_sets, "member sets", member_sets_fields)};

// Text as C has it; what the caller would not see all of is refused.
static enum q_err text_of(struct bytes text, const char *what, struct arena *a, const char **out)
{
    void *copy;
    if (text.n > 0 && memchr(text.p, 0, text.n) != NULL)
        return fail(Q_BAD_INPUT, "%s: expected text without NUL characters, found one", what);
    TRY(arena_alloc(a, text.n + 1, &copy));
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    *out = copy;
    return Q_OK;
}

static enum q_err json_of(const struct type *t, const void *value, struct arena *a,
                          const char **out)
{
    BUF_AUTO json = {0};
    TRY(json_encode(t, value, JSON_PLAIN, &json));
    return text_of(buf_bytes(&json), "JSON", a, out);
}

static enum q_err texts_of_args(struct app_manifest *m)
{
    const struct pivot_config *pivot = &m->envelope.manifest.pivot;
    void *texts;
    TRY(arena_array(&m->arena, pivot->args.n, sizeof(char *), &texts));
    m->args = texts;
    for (size_t i = 0; i < pivot->args.n; i++)
        TRY(text_of(pivot->args.items[i], "argument", &m->arena, &m->args[i]));
    return Q_OK;
}

static enum q_err texts_of_env(struct app_manifest *m)
{
    const struct pivot_config *pivot = &m->envelope.manifest.pivot;
    void *texts;
    TRY(arena_array(&m->arena, pivot->env.n, 2 * sizeof(char *), &texts));
    m->env = texts;
    for (size_t i = 0; i < pivot->env.n; i++) {
        const struct env_var *v = &pivot->env.items[i];
        TRY(text_of(v->name, "environment variable", &m->arena, &m->env[2 * i]));
        TRY(text_of(v->value, "environment variable", &m->arena, &m->env[2 * i + 1]));
    }
    return Q_OK;
}

static enum q_err fill(struct bytes file, struct app_manifest *m)
{
    struct p256_public quorum;
    const struct manifest *manifest = &m->envelope.manifest;
    TRY(envelope_read(file, &m->arena, &m->envelope));
    TRY(err_context(p256_public_parse(manifest->namespace.quorum_key, &quorum), "quorum key"));
    TRY(manifest_hash(manifest, m->hash));
    TRY(text_of(manifest->namespace.name, "namespace", &m->arena, &m->namespace_name));
    TRY(texts_of_args(m));
    TRY(texts_of_env(m));
    const struct member_sets sets = {manifest->manifest_set, manifest->share_set};
    TRY(json_of(&type_member_sets, &sets, &m->arena, &m->members_json));
    return json_of(&type_manifest_envelope, &m->envelope, &m->arena, &m->json);
}

// A manifest that is not what it should be is bad input to applications, whatever is wrong with it.
static enum q_err parse(struct bytes file, const char *what, struct app_manifest **out)
{
    struct app_manifest *m = calloc(1, sizeof *m);
    if (m == NULL)
        return fail(Q_NOMEM, "%s: no memory for a manifest", what);
    enum q_err err = err_context(fill(file, m), "%s", what);
    if (err == Q_OK)
        *out = m;
    else
        app_manifest_free(m);
    return err == Q_CRYPTO ? Q_BAD_INPUT : err;
}

static enum q_err read_file(const char *path, struct app_manifest **out)
{
    BUF_AUTO file = {0};
    TRY(needs(out, "manifest"));
    *out = NULL;
    TRY(file_read(path, MANIFEST_FILE_MAX, &file));
    return parse(buf_bytes(&file), path, out);
}

static enum q_err read_memory(const void *envelope, size_t size, struct app_manifest **out)
{
    struct bytes view;
    TRY(needs(out, "manifest"));
    *out = NULL;
    TRY(view_of(envelope, size, "manifest", &view));
    if (size > MANIFEST_FILE_MAX)
        return fail(Q_LIMIT, "manifest: expected at most %zu bytes, found %zu", MANIFEST_FILE_MAX,
                    size);
    return parse(view, "manifest", out);
}

static enum q_err check_approvals(const struct app_manifest *m)
{
    TRY(needs(m, "manifest"));
    return envelope_check_approvals(&m->envelope, NULL);
}

enum app_status app_manifest_read(const char *path, struct app_manifest **out)
{
    return status_of(read_file(path != NULL ? path : APP_MANIFEST_PATH, out));
}

enum app_status app_manifest_parse(const void *envelope, size_t size, struct app_manifest **out)
{
    return status_of(read_memory(envelope, size, out));
}

void app_manifest_free(struct app_manifest *manifest)
{
    if (manifest == NULL)
        return;
    arena_free(&manifest->arena);
    free(manifest);
}

enum app_status app_manifest_check_approvals(const struct app_manifest *manifest)
{
    return status_of(check_approvals(manifest));
}

const uint8_t *app_manifest_hash(const struct app_manifest *m)
{
    return m != NULL ? m->hash : NULL;
}

const char *app_manifest_namespace(const struct app_manifest *m)
{
    return m != NULL ? m->namespace_name : NULL;
}

uint32_t app_manifest_nonce(const struct app_manifest *m)
{
    return m != NULL ? m->envelope.manifest.namespace.nonce : 0;
}

const uint8_t *app_manifest_quorum_key(const struct app_manifest *m)
{
    return m != NULL ? m->envelope.manifest.namespace.quorum_key.p : NULL;
}

const uint8_t *app_manifest_pivot_hash(const struct app_manifest *m)
{
    return m != NULL ? m->envelope.manifest.pivot.hash : NULL;
}

size_t app_manifest_arg_count(const struct app_manifest *m)
{
    return m != NULL ? m->envelope.manifest.pivot.args.n : 0;
}

const char *app_manifest_arg(const struct app_manifest *m, size_t index)
{
    return index < app_manifest_arg_count(m) ? m->args[index] : NULL;
}

size_t app_manifest_env_count(const struct app_manifest *m)
{
    return m != NULL ? m->envelope.manifest.pivot.env.n : 0;
}

const char *app_manifest_env_name(const struct app_manifest *m, size_t index)
{
    return index < app_manifest_env_count(m) ? m->env[2 * index] : NULL;
}

const char *app_manifest_env(const struct app_manifest *m, const char *name)
{
    for (size_t i = 0; name != NULL && i < app_manifest_env_count(m); i++) {
        if (strcmp(m->env[2 * i], name) == 0)
            return m->env[2 * i + 1];
    }
    return NULL;
}

const char *app_manifest_members_json(const struct app_manifest *m)
{
    return m != NULL ? m->members_json : NULL;
}

const char *app_manifest_json(const struct app_manifest *m)
{
    return m != NULL ? m->json : NULL;
}
