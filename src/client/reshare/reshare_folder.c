// Finding, reading and writing the files of a resharing (see reshare_folder.h).
#include "client/reshare/reshare_folder.h"

#include "base/log.h"
#include "base/text.h"
#include "client/audit_trail.h"
#include "client/genesis/genesis_files.h"
#include "codec/json.h"
#include "protocol/manifest.h"

#include <stdio.h>
#include <string.h>

#define PLAN_MAX ((size_t)4 << 20)
#define OUTPUT_FILE_MAX ((size_t)16 << 20)
#define APPROVAL_FILE_MAX ((size_t)64 << 10)

enum q_err reshare_paths_in(const char *folder, struct arena *a, struct reshare_paths *out)
{
    out->folder = folder;
    TRY(file_join(a, folder, "reshare_plan", &out->plan));
    TRY(file_join(a, folder, "reshare_attestation_doc", &out->document));
    TRY(file_join(a, folder, "reshare_output", &out->output));
    TRY(file_join(a, folder, "reshare_output_attestation_doc", &out->output_document));
    TRY(file_join(a, folder, "quorum_key.pub", &out->quorum_key));
    return file_join(a, folder, "dr_wrapped_quorum_key", &out->wrapped_key);
}

enum q_err reshare_member_path(const struct reshare_paths *p, struct bytes alias,
                               const char *suffix, struct arena *a, const char **out)
{
    struct bytes name;
    TRY(text_check_name("alias", alias, false));
    TRY(arena_printf(a, &name, "%.*s%s", (int)alias.n, (const char *)alias.p, suffix));
    return file_join(a, p->folder, (const char *)name.p, out);
}

enum q_err reshare_plan_load(const struct reshare_paths *p, struct arena *a, struct planned *out)
{
    BUF_AUTO file = {0};
    TRY(file_read_regular(p->plan, PLAN_MAX, &file));
    TRY(err_context(reshare_plan_read(buf_bytes(&file), a, &out->plan), "%s", p->plan));
    TRY(reshare_plan_hash(&out->plan, out->hash));
    audit_note_plan(out->hash);
    return Q_OK;
}

enum q_err reshare_find_self(const struct reshare_plan *p, const struct member *me, size_t *index)
{
    if (member_set_find(&p->old_share_set, me, index))
        return Q_OK;
    BUF_AUTO alias = {0};
    return fail(
        Q_REFUSED,
        "NotShareSetMember: expected a member of the old share set, found no member %s with "
        "this key",
        output_shown(me->alias, &alias));
}

enum q_err reshare_output_load(const struct reshare_paths *p, struct arena *a,
                               struct reshare_output *out)
{
    BUF_AUTO file = {0};
    TRY(file_read_regular(p->output, OUTPUT_FILE_MAX, &file));
    return err_context(reshare_output_read(buf_bytes(&file), a, out), "%s", p->output);
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n > m && strcmp(name + n - m, suffix) == 0;
}

static enum q_err read_approval(const char *path, const struct planned *plan, struct arena *a,
                                struct approval *out)
{
    BUF_AUTO file = {0};
    TRY(file_read_regular(path, APPROVAL_FILE_MAX, &file));
    TRY(approval_read(buf_bytes(&file), a, out));
    return reshare_approval_check(&plan->plan, plan->hash, RESHARE_ROLE_MANIFEST, out, NULL, NULL);
}

static bool there_already(const struct reshare_boot_request *r, const struct member *m)
{
    for (size_t i = 0; i < r->approvals.n; i++)
        if (member_equal(&r->approvals.items[i].member, m))
            return true;
    return false;
}

enum q_err reshare_approvals_load(const struct reshare_paths *p, const struct planned *plan,
                                  struct arena *a, struct reshare_boot_request *out)
{
    struct file_list files;
    void *room;
    TRY(file_list(p->folder, a, &files));
    TRY(arena_array(a, files.n, sizeof(struct approval), &room));
    *out = (struct reshare_boot_request){.plan = plan->plan, .approvals = {.items = room}};
    for (size_t i = 0; i < files.n; i++) {
        const char *path;
        struct approval approval;
        if (!has_suffix(files.names[i], RESHARE_APPROVAL_SUFFIX))
            continue;
        TRY(file_join(a, p->folder, files.names[i], &path));
        if (read_approval(path, plan, a, &approval) != Q_OK)
            log_warn("%s: skipped: %s", path, err_text());
        else if (there_already(out, &approval.member))
            log_warn("%s: skipped: there is another approval of this member", path);
        else
            out->approvals.items[out->approvals.n++] = approval;
    }
    return Q_OK;
}

enum q_err reshare_share_read(struct bytes file, struct arena *a,
                              struct bound_provision_request *out)
{
    return json_decode_canonical(&type_bound_provision_request, file, a, out);
}

enum q_err reshare_share_load(const struct reshare_paths *p, struct bytes alias, struct arena *a,
                              struct bound_provision_request *out)
{
    const char *path;
    BUF_AUTO file = {0};
    TRY(reshare_member_path(p, alias, RESHARE_SHARE_SUFFIX, a, &path));
    TRY(file_read_regular(path, APPROVAL_FILE_MAX, &file));
    return err_context(reshare_share_read(buf_bytes(&file), a, out), "%s", path);
}

enum q_err reshare_share_write(const struct bound_provision_request *r, struct buf *out)
{
    return json_encode(&type_bound_provision_request, r, JSON_CANONICAL, out);
}

enum q_err previous_load(const char *folder, struct arena *a, struct previous *out)
{
    struct reshare_paths reshare;
    struct genesis_paths genesis;
    TRY(reshare_paths_in(folder, a, &reshare));
    if (file_exists(reshare.output)) {
        TRY(reshare_output_load(&reshare, a, &out->output));
        return share_epoch_of_output(&out->output, &out->epoch);
    }
    TRY(genesis_paths_in(folder, a, &genesis));
    if (!file_exists(genesis.output))
        return fail(Q_MISSING, "%s: expected a file reshare_output or genesis_output", folder);
    TRY(genesis_files_read(&genesis, a, &out->genesis));
    return share_epoch_of_genesis(&out->genesis, &out->epoch);
}

static bool holds(const char *path, struct bytes contents)
{
    BUF_AUTO file = {0};
    return file_exists(path) && file_read_regular(path, contents.n, &file) == Q_OK &&
           bytes_equal(buf_bytes(&file), contents);
}

enum q_err reshare_stage_lasting(struct output *out, const char *item, const char *path,
                                 struct bytes contents)
{
    if (holds(path, contents)) {
        printf("%s is there already: %s\n", item, path);
        return Q_OK;
    }
    return output_stage(out, item, path, contents, OUTPUT_LASTING);
}
