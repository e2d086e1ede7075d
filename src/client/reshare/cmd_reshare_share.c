// reshare wrap-share, reshare post-share: a member of the old share set approves the plan by giving the own share
// to the enclave that is committed to it (docs/resharing.md).
#include "client/command.h"

#include "client/host_link.h"
#include "client/member_key.h"
#include "client/manifest/member_signature.h"
#include "client/reshare/reshare_evidence.h"
#include "client/reshare/reshare_review.h"
#include "client/share/share_plain.h"
#include "protocol/manifest.h"
#include "protocol/share.h"

#include <stdio.h>

struct wrap {
    struct reshare_paths paths;
    struct planned planned;
    const char *alias;
    struct member_key *key;
    size_t index; // of the member in the old share set
};

static void wrap_end(struct wrap *w)
{
    member_key_free(&w->key);
}

static enum q_err find_self(struct wrap *w)
{
    const struct member me = member_of(w->alias, w->key);
    return reshare_find_self(&w->planned.plan, &me, &w->index);
}

// The enclave would refuse another share; here the reason can be told without it.
static enum q_err open_own(const struct options *o, const struct wrap *w, struct secret *share)
{
    BUF_AUTO file = {0};
    uint8_t hash[SHA512_SIZE];
    const char *path = options_value(o, "share-path");
    TRY(file_read(path, SHARE_FILE_MAX, &file));
    TRY(share_open(w->key, buf_bytes(&file), path, share));
    TRY(sha512(secret_bytes(share), hash));
    if (bytes_equal(BYTES_OF(hash),
                    BYTES_OF(w->planned.plan.old_share_hashes.items[w->index].bytes)))
        return Q_OK;
    return fail(Q_REFUSED,
                "InvalidShare: %s: expected the share of the epoch before the plan's, found one of "
                "another epoch or genesis",
                path);
}

static enum q_err verify_enclave(const struct options *o, const struct wrap *w, struct arena *a,
                                 struct p256_public *key)
{
    VERIFICATION_AUTO v = {0};
    BUF_AUTO document = {0};
    struct claims claims;
    TRY(file_read_regular(w->paths.document, ATTESTATION_MAX_SIZE, &document));
    TRY(verification_start(o, &v));
    TRY(reshare_check_setup(&v, buf_bytes(&document), &w->planned, a, &claims));
    return evidence_public_key(&claims, key);
}

static enum q_err sign(const struct wrap *w, const struct buf *message,
                       uint8_t signature[static P256_SIGNATURE_SIZE])
{
    return member_key_sign(w->key, buf_bytes(message), signature);
}

static enum q_err write_wrapped(const struct wrap *w, struct bytes ciphertext,
                                const struct p256_public *setup, struct arena *a)
{
    OUTPUT_AUTO out = {0};
    BUF_AUTO plan = {0}, binding = {0}, file = {0};
    uint8_t approved[P256_SIGNATURE_SIZE], bound[P256_SIGNATURE_SIZE];
    const char *path;
    TRY(reshare_approval_message(RESHARE_ROLE_SHARE, w->planned.hash, &plan));
    TRY(share_binding_message(w->planned.hash, p256_public_bytes(setup), ciphertext, &binding));
    TRY(sign(w, &plan, approved));
    TRY(sign(w, &binding, bound));
    const struct bound_provision_request wrapped = {
        .share = ciphertext,
        .approval = {.signature = BYTES_OF(approved), .member = member_of(w->alias, w->key)},
        .binding = BYTES_OF(bound)};
    TRY(reshare_share_write(&wrapped, &file));
    TRY(reshare_member_path(&w->paths, bytes_str(w->alias), RESHARE_SHARE_SUFFIX, a, &path));
    TRY(output_stage(&out, "Wrapped share and approval", path, buf_bytes(&file), OUTPUT_REMADE));
    return output_publish(&out);
}

static enum q_err wrap(const struct options *o, struct wrap *w, struct arena *a)
{
    SECRET_AUTO share = {0};
    BUF_AUTO ciphertext = {0};
    struct bytes role;
    struct p256_public setup;
    TRY(find_self(w));
    TRY(reshare_compare(o, &w->planned.plan, a, &role));
    TRY(verify_enclave(o, w, a, &setup));
    TRY(open_own(o, w, &share));
    TRY(reshare_review(o, &w->planned, role));
    TRY(p256_seal(&setup, secret_bytes(&share), &ciphertext));
    TRY(write_wrapped(w, buf_bytes(&ciphertext), &setup, a));
    reshare_warn(&w->planned.plan);
    return Q_OK;
}

static enum q_err reshare_wrap_share(const struct options *o)
{
    ARENA_AUTO a = {0};
    __attribute__((cleanup(wrap_end))) struct wrap w = {.alias = options_value(o, "alias")};
    TRY(member_key_read(o, &w.key));
    TRY(reshare_paths_in(options_value(o, "reshare-dir"), &a, &w.paths));
    TRY(reshare_plan_load(&w.paths, &a, &w.planned));
    return wrap(o, &w, &a);
}

static const struct option reshare_wrap_share_options[] = {
    OPTION_RESHARE_DIR,
    OPTION_REQUIRED("alias", "Name of the member"),
    OPTION_REQUIRED("share-path", "The member's share of the epoch before"),
    OPTION_REQUIRED("previous-dir", "Folder of the genesis, or of the resharing before"),
    OPTION_OPTIONAL("share-set-dir", "Folder of the members who shall get the new shares"),
    OPTIONS_RESHARE_PARTS,
    OPTION_RESHARE_DEBUG,
    OPTIONS_KEY,
    OPTION_SWITCH("unsafe-auto-confirm", "Do not ask; the comparisons are still made"),
    OPTION_AUDIT,
};

const struct command command_reshare_wrap_share = {
    .name = "reshare wrap-share",
    .run = reshare_wrap_share,
    .help =
        "As a member with an old share, verify the enclave, approve the plan and encrypt the share",
    COMMAND_OPTIONS(reshare_wrap_share_options),
    .audited = true,
    .secrets = true,
};

// What the enclave's error means to somebody who wonders what to do; NULL: it says so itself.
static const char *meaning_of(const struct protocol_error *e)
{
    if (e->tag == PE_NO_MATCHING_ROUTE && e->phase.tag == PHASE_GENESIS_BOOTED)
        return "the new shares are made already: fetch them with reshare output";
    if (e->tag == PE_DECRYPTION_FAILED)
        return "the share is not wrapped for this boot of the enclave: fetch its document with "
               "reshare attestation and wrap the share again";
    if (e->tag == PE_COULD_NOT_VERIFY_APPROVAL)
        return "the share was wrapped for another plan or boot, or somebody changed the file";
    return NULL;
}

static enum q_err reshare_post_share(const struct options *o)
{
    ARENA_AUTO a = {0};
    struct host_link host;
    struct reshare_paths paths;
    struct message request = {.tag = MSG_QUORATE_RESHARE_SHARE_REQUEST}, reply;
    TRY(reshare_paths_in(options_value(o, "reshare-dir"), &a, &paths));
    TRY(reshare_share_load(&paths, bytes_str(options_value(o, "alias")), &a,
                           &request.reshare_share));
    TRY(host_link_open(o, &host));
    TRY(host_send(&host, &request, ENCODING_JSON, &a, &reply));
    enum q_err err = reply_expect(&reply, MSG_QUORATE_RESHARE_SHARE_RESPONSE);
    const char *meaning =
        reply.tag == MSG_PROTOCOL_ERROR_RESPONSE ? meaning_of(&reply.error) : NULL;
    if (meaning != NULL)
        return err_context(err, "%s", meaning);
    TRY(err);
    printf("%s\n", reply.reshare_share_reply.complete
                       ? "The new shares have been made. Next: reshare output."
                       : "The new shares have *not* been made: more old shares are needed.");
    return Q_OK;
}

static const struct option reshare_post_share_options[] = {
    OPTION_RESHARE_DIR,
    OPTION_REQUIRED("alias", "Name of the member whose wrapped share is posted"),
    OPTIONS_HOST,
    OPTION_AUDIT,
};

const struct command command_reshare_post_share = {
    .name = "reshare post-share",
    .run = reshare_post_share,
    .help = "Give a wrapped old share to the enclave it was wrapped for",
    COMMAND_OPTIONS(reshare_post_share_options),
    .audited = true,
};
