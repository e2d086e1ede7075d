// instance inject: members open their shares and give them to the instance's enclave, sealed to it (renclave 3.1,
// form E); with --acknowledge, nothing but a receipt of the genesis (form A).
#include "client/command.h"

#include "client/audit_trail.h"
#include "client/instance/genesis_evidence.h"
#include "client/instance/share_opening.h"
#include "crypto/shamir.h"

#include <inttypes.h>
#include <stdio.h>

struct task {
    const struct options *o;
    struct genesis_answer g;
    struct p256_public setup_key; // as attested
    struct arena *a;
    struct api_share shares[SHAMIR_MAX_SHARES];
    size_t n;
};

static enum q_err add(struct task *t, size_t index, struct bytes share)
{
    const struct member *m = &t->g.envelope.manifest.share_set.members.items[index];
    for (size_t i = 0; i < t->n; i++) {
        if (bytes_equal(t->shares[i].member_alias, m->alias))
            return fail(Q_BAD_INPUT, "--secret: expected each member once, found one twice");
    }
    if (t->n == SHAMIR_MAX_SHARES)
        return fail(Q_LIMIT, "--secret: expected at most %d", SHAMIR_MAX_SHARES);
    struct api_share *s = &t->shares[t->n++];
    *s = (struct api_share){.member_alias = m->alias};
    return arena_copy(t->a, share, &s->decrypted_share);
}

// The member's signature over the manifest's hash: it approves the manifest as well, so only when asked for.
static enum q_err approve(struct task *t, size_t index, const struct p256_pair *pair)
{
    const struct member *m = &t->g.envelope.manifest.share_set.members.items[index];
    uint8_t signature[P256_SIGNATURE_SIZE];
    void *p;
    TRY(p256_sign(pair, BYTES_OF(t->g.hash), signature));
    TRY(arena_alloc(t->a, sizeof(struct api_approval), &p));
    struct api_approval *approval = p;
    TRY(arena_copy(t->a, BYTES_OF(signature), &approval->signature));
    t->shares[t->n - 1].approval = approval;
    return api_member_from_core(m, t->a, &approval->member);
}

static enum q_err add_secret(struct task *t, const char *path)
{
    P256_PAIR_AUTO *pair = NULL;
    SECRET_AUTO share = {0};
    BUF_AUTO sealed = {0};
    size_t index;
    TRY(share_owner(t->o, path, &t->g, NULL, &pair, &index));
    TRY(share_of(&t->g, index, pair, &share));
    TRY(p256_seal(&t->setup_key, secret_bytes(&share), &sealed));
    TRY(add(t, index, buf_bytes(&sealed)));
    return options_given(t->o, "approve") ? approve(t, index, pair) : Q_OK;
}

static enum q_err add_acknowledgements(struct task *t)
{
    const struct member_set *set = &t->g.envelope.manifest.share_set;
    for (size_t i = 0; i < set->threshold && i < set->members.n; i++)
        TRY(add(t, i, t->g.output.member_outputs.items[i].encrypted_share));
    return Q_OK;
}

// Before any share is opened for it; or, live, that it needs none any more.
static enum q_err verify(struct task *t, struct instance_link *l, bool live)
{
    VERIFICATION_AUTO v = {0};
    struct bytes document;
    const struct manifest *m = &t->g.envelope.manifest;
    TRY(verification_start(t->o, &v));
    TRY(instance_check_manifest(t->o, &v, m));
    TRY(genesis_answer_check_binding(&v, &t->g));
    if (!live)
        TRY(genesis_answer_check_holders(t->o, &v, &t->g, t->a));
    return instance_attest(l, &v, m, live, t->a, &document, &t->setup_key);
}

static enum q_err check_options(const struct options *o)
{
    bool acknowledge = options_given(o, "acknowledge");
    if (acknowledge != (o->values_count > 0))
        return Q_OK;
    return fail(Q_BAD_INPUT,
                "--secret: expected members' secrets, or --acknowledge instead, found %s",
                acknowledge ? "both" : "neither");
}

static enum q_err collect(struct task *t, struct instance_link *l)
{
    if (options_given(t->o, "acknowledge"))
        return add_acknowledgements(t);
    TRY(verify(t, l, false));
    for (size_t i = 0; i < t->o->values_count; i++)
        TRY(add_secret(t, t->o->values[i]));
    return Q_OK;
}

// That it has the key is shown by what it attests, not by what it says.
static enum q_err check_reply(struct task *t, struct instance_link *l,
                              const struct api_inject_reply *reply)
{
    struct p256_public key;
    if (!reply->success) {
        printf("The quorum key has *not* been reconstructed: %" PRIu32 " of %" PRIu32
               " shares are there.\n",
               reply->shares_received, reply->threshold);
        return Q_OK;
    }
    TRY(err_context(p256_public_parse_short(reply->reconstructed_quorum_key, &key),
                    "reconstructed_quorum_key"));
    if (!bytes_equal(p256_public_bytes(&key), p256_public_bytes(&t->g.quorum_key)))
        return fail(Q_REFUSED, "reconstructed_quorum_key: expected the quorum key of the genesis, "
                               "found another");
    if (!options_given(t->o, "acknowledge"))
        TRY(verify(t, l, true));
    printf("The quorum key has been reconstructed.\n");
    return Q_OK;
}

static enum q_err inject(struct task *t, struct instance_link *l)
{
    const struct namespace *n = &t->g.envelope.manifest.namespace;
    struct api_inject_request request = {
        .namespace_name = n->name,
        .namespace_nonce = n->nonce,
        .shares = {.items = t->shares, .n = t->n},
    };
    struct api_inject_reply reply;
    TRY(instance_post(l, "/enclave/inject-shares", &type_api_inject_request, &request,
                      &type_api_inject_reply, t->a, &reply));
    return err_context(check_reply(t, l, &reply), "%s/enclave/inject-shares: answer", l->base);
}

// An answer that was lost does not make the step impossible to repeat.
static enum q_err is_done(struct task *t, struct instance_link *l, bool *done)
{
    struct api_status_reply status;
    TRY(instance_get(l, "/enclave/application-status", &type_api_status_reply, t->a, &status));
    *done = bytes_is(status.phase, "ApplicationReady") && !options_given(t->o, "acknowledge");
    if (!*done)
        return Q_OK;
    TRY(verify(t, l, true));
    printf("The quorum key has been reconstructed already.\n");
    return Q_OK;
}

static enum q_err instance_inject(const struct options *o)
{
    ARENA_AUTO a = {0};
    P256_PAIR_AUTO *admin = NULL;
    struct instance_link link;
    struct task t = {.o = o, .a = &a};
    bool done;
    TRY(check_options(o));
    TRY(instance_link_open(o, &link));
    TRY(instance_key_read(o, "admin-key", &admin));
    TRY(instance_link_sign(o, admin, &link));
    TRY(genesis_answer_read(options_value(o, "response"), &a, &t.g));
    audit_note_manifest(&t.g.envelope.manifest);
    TRY(genesis_answer_match_file(&t.g, options_value(o, "request"), &a));
    TRY(is_done(&t, &link, &done));
    if (done)
        return Q_OK;
    TRY(collect(&t, &link));
    return inject(&t, &link);
}

static const struct option inject_options[] = {
    OPTIONS_INSTANCE,
    OPTION_REQUIRED("response", "The genesis response, from instance genesis"),
    OPTION_OPTIONAL("request", "The request that it must be the answer to"),
    {.name = "secret",
     .kind = OPTION_VALUE,
     .multiple = true,
     .help = "A member's secret, for each member who is here: a file, FIFO or /dev/fd/N"},
    OPTION_SWITCH("acknowledge", "Send the shares back as they came, as the guide does (simulated "
                                 "TEE only)"),
    OPTION_SWITCH("approve", "Also sign the manifest in the members' names"),
    OPTIONS_RELEASE,
    OPTIONS_VERIFY,
    OPTIONS_ADMIN,
    OPTION_ENCLAVE_ID,
    OPTION_PASSPHRASE,
    OPTION_UNLOCKED,
    OPTION_AUDIT,
};

const struct command command_instance_inject = {
    .name = "instance inject",
    .run = instance_inject,
    .help = "As members, give an instance the shares that make its quorum key",
    COMMAND_OPTIONS(inject_options),
    .audited = true,
    .secrets = true,
};
