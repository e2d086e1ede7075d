// boot-genesis: has an enclave make the quorum key and keeps what it answers, once all of it is
// verified (qos-behaviour 1.6).
#include "client/command.h"

#include "client/attestation/evidence.h"
#include "client/genesis/genesis_files.h"
#include "client/host_link.h"
#include "client/key_file.h"
#include "client/manifest/set_directory.h"
#include "protocol/genesis.h"
#include "protocol/manifest.h"

// Everything that is known before the enclave is asked.
struct plan {
    struct genesis_paths paths;
    struct genesis_set set;
    struct p256_public dr_public;
    struct bytes dr_key; // absent without --dr-key-path
    struct release release;
    struct bytes role;
    bool force;
};

static enum q_err read_set(const char *folder, struct arena *a, struct genesis_set *out)
{
    struct member_set set;
    TRY(set_directory_read(folder, a, &set));
    *out = (struct genesis_set){.members = {.items = set.members.items, .n = set.members.n},
                                .threshold = set.threshold};
    return err_context(genesis_set_check(out, NULL), "%s", folder);
}

static enum q_err read_dr_key(const struct options *o, struct plan *p)
{
    const char *path = options_value(o, "dr-key-path");
    if (path == NULL)
        return Q_OK;
    TRY(err_context(public_key_read(path, &p->dr_public), "FailedToReadDrKey"));
    p->dr_key = p256_public_bytes(&p->dr_public);
    return dr_key_announce(p->dr_key);
}

static enum q_err prepare(const struct options *o, const struct verification *v, struct arena *a,
                          struct plan *p)
{
    p->force = options_given(o, "force");
    TRY(genesis_paths_in(options_value(o, "namespace-dir"), a, &p->paths));
    TRY(genesis_files_check(&p->paths, options_given(o, "dr-key-path"), p->force));
    TRY(read_set(options_value(o, "share-set-dir"), a, &p->set));
    TRY(read_dr_key(o, p));
    TRY(release_read(options_value(o, "qos-release-dir"), v->skip, &p->release));
    return v->skip ? Q_OK : role_read(options_value(o, "pcr3-preimage-path"), a, &p->role);
}

static enum q_err ask_enclave(const struct options *o, const struct plan *p, struct arena *a,
                              struct message *reply)
{
    struct host_link host;
    TRY(host_link_open(o, &host));
    const struct message request = {
        .tag = MSG_BOOT_GENESIS_REQUEST,
        .genesis = {.set = p->set, .dr_key = p->dr_key},
    };
    TRY(host_send(&host, &request, ENCODING_JSON, a, reply));
    return reply_expect(reply, MSG_BOOT_GENESIS_RESPONSE);
}

static enum q_err check_reply(const struct plan *p, const struct verification *v,
                              const struct genesis_reply *reply, struct arena *a,
                              struct bytes *document)
{
    struct p256_public quorum_key;
    struct claims claims;
    const struct genesis_output *g = &reply->genesis_output;
    TRY(genesis_output_matches(g, &p->set, p->dr_key));
    if ((g->dr_key_wrapped_quorum_key.p != NULL) != (p->dr_key.p != NULL))
        return fail(Q_REFUSED, "GenesisOutputDoesNotMatchRequest: expected a wrapped quorum key "
                               "exactly when a DR key was sent");
    TRY(err_context(p256_public_parse(g->quorum_key, &quorum_key), "genesis output: quorum key"));
    TRY(reply_document(&reply->nsm_response, document));
    TRY(evidence_read(v, *document, a, &claims));
    TRY(evidence_check_genesis(v, &claims, g, &p->release, p->role));
    return evidence_check_fresh(v, &claims);
}

static enum q_err boot_genesis(const struct options *o)
{
    ARENA_AUTO a = {0};
    VERIFICATION_AUTO v = {0};
    struct plan p = {.dr_key = BYTES_NONE};
    struct message reply;
    struct bytes document;
    TRY(verification_start(o, &v));
    TRY(prepare(o, &v, &a, &p));
    TRY(ask_enclave(o, &p, &a, &reply));
    TRY(check_reply(&p, &v, &reply.genesis_reply, &a, &document));
    return genesis_files_write(&p.paths, &reply.genesis_reply.genesis_output, document, p.force);
}

static const struct option boot_genesis_options[] = {
    OPTIONS_HOST,
    OPTION_REQUIRED("namespace-dir", "Folder for the files of the genesis"),
    OPTION_REQUIRED("share-set-dir", "Folder with the members' public keys and quorum_threshold"),
    OPTION_REQUIRED("pcr3-preimage-path", "File with the role behind PCR3"),
    OPTION_REQUIRED("qos-release-dir", "Folder with aws-x86_64.pcrs"),
    OPTION_OPTIONAL("dr-key-path", "Public key that gets the WHOLE quorum key, for recovery"),
    OPTIONS_VERIFY,
    OPTION_FORCE,
    OPTION_AUDIT,
};

const struct command command_boot_genesis = {
    .name = "boot-genesis",
    .run = boot_genesis,
    .help = "Have an enclave make the quorum key and share it among the members",
    COMMAND_OPTIONS(boot_genesis_options),
    .audited = true,
};
