// post-share: gives a wrapped share to the enclave it was wrapped for (qos-behaviour 1.6).
#include "client/command.h"

#include "base/file.h"
#include "client/audit_trail.h"
#include "client/share/share_binding_file.h"
#include "client/share/share_plain.h"
#include "client/share/share_post.h"
#include "protocol/manifest.h"

struct post {
    struct approval approval;
    struct buf share;
    uint8_t binding[P256_SIGNATURE_SIZE];
    bool bound;
};

static enum q_err read_files(const struct options *o, struct arena *a, struct post *p)
{
    BUF_AUTO approval = {0};
    const char *approval_path = options_value(o, "approval-path");
    const char *share_path = options_value(o, "eph-wrapped-share-path");
    TRY(file_read(approval_path, SHARE_FILE_MAX, &approval));
    TRY(err_context(approval_read(buf_bytes(&approval), a, &p->approval), "%s", approval_path));
    audit_note_who(p->approval.member.alias);
    TRY(file_read(share_path, SHARE_FILE_MAX, &p->share));
    return share_binding_read(share_path, p->binding, &p->bound);
}

static enum q_err post(const struct options *o, struct post *p)
{
    ARENA_AUTO a = {0};
    struct host_link host;
    TRY(host_link_open(o, &host));
    TRY(read_files(o, &a, p));
    return share_post(&host, &p->approval, buf_bytes(&p->share),
                      p->bound ? BYTES_OF(p->binding) : BYTES_NONE);
}

static enum q_err post_share(const struct options *o)
{
    struct post p = {.bound = false};
    enum q_err err = post(o, &p);
    buf_free(&p.share);
    return err;
}

static const struct option post_share_options[] = {
    OPTIONS_HOST,
    OPTION_REQUIRED("eph-wrapped-share-path", "The share encrypted to the enclave"),
    OPTION_REQUIRED("approval-path", "The member's approval, from proxy-re-encrypt-share"),
    OPTION_AUDIT,
};

const struct command command_post_share = {
    .name = "post-share",
    .run = post_share,
    .help = "Give a member's wrapped share to the enclave",
    COMMAND_OPTIONS(post_share_options),
    .audited = true,
};
