// dangerous-dev-boot: boots and provisions an enclave in one go, with a quorum key made here and
// thrown away, for development only (qos-behaviour 1.6).
#include "client/command.h"

#include "base/file.h"
#include "client/boot/boot_post.h"
#include "client/boot/dev_manifest.h"
#include "client/attestation/evidence.h"
#include "client/manifest/manifest_parts.h"
#include "client/manifest/member_signature.h"
#include "crypto/shamir.h"
#include "protocol/manifest.h"

#include <stdio.h>

// The one person, and what they approve.
struct development {
    struct p256_pair *quorum;
    struct member_key *member;
    struct buf pivot;
    struct boot_request request;
    struct approval approval; // of the manifest, and of both shares
    uint8_t signature[P256_SIGNATURE_SIZE];
};
#define DEVELOPMENT_AUTO __attribute__((cleanup(development_free))) struct development

static void development_free(struct development *d)
{
    p256_pair_free(&d->quorum);
    member_key_free(&d->member);
    buf_free(&d->pivot);
}

static void announce(void)
{
    fprintf(stderr,
            "**WARNING:** DANGEROUS, FOR DEVELOPMENT ONLY: the quorum key is made on this machine, "
            "and one person holds all of its shares.\n"
            "**WARNING:** No attestation is verified: the enclave may be anybody's. Never let this "
            "key guard anything.\n");
}

static enum q_err make_keys(struct development *d)
{
    P256_PAIR_AUTO *member = NULL;
    TRY(p256_pair_generate(&d->quorum));
    TRY(p256_pair_generate(&member));
    return member_key_from_pair(&member, &d->member);
}

static enum q_err read_pivot(const struct options *o, struct arena *a, struct development *d)
{
    struct pivot_config *config = &d->request.manifest_envelope.manifest.pivot;
    TRY(restart_policy_parse(options_value(o, "restart-policy"), &config->restart));
    TRY(pivot_args_parse(options_value(o, "pivot-args"), a, config));
    TRY(err_context(file_read(options_value(o, "pivot-path"), MESSAGE_MAX_SIZE, &d->pivot),
                    "FailedToReadPivot"));
    d->request.pivot = buf_bytes(&d->pivot);
    return Q_OK;
}

static enum q_err approve(struct development *d)
{
    uint8_t hash[SHA256_SIZE];
    struct manifest_envelope *e = &d->request.manifest_envelope;
    TRY(manifest_hash(&e->manifest, hash));
    TRY(approval_sign(d->member, "DANGEROUS_DEV_BOOT_MEMBER", hash, d->signature, &d->approval));
    e->manifest_set_approvals.items = &d->approval;
    e->manifest_set_approvals.n = 1;
    return Q_OK;
}

static enum q_err prepare(const struct options *o, struct arena *a, struct development *d)
{
    TRY(read_pivot(o, a, d));
    TRY(make_keys(d));
    TRY(dev_manifest_make(p256_pair_public(d->quorum), member_key_public(d->member),
                          d->request.pivot, a, &d->request.manifest_envelope.manifest));
    return approve(d);
}

static enum q_err post_share(const struct host_link *host, const struct development *d,
                             const struct p256_public *setup, struct bytes share, bool last)
{
    ARENA_AUTO a = {0};
    BUF_AUTO envelope = {0};
    struct message reply;
    TRY(p256_seal(setup, share, &envelope));
    const struct message request = {
        .tag = MSG_PROVISION_REQUEST,
        .provision = {.share = buf_bytes(&envelope), .approval = d->approval},
    };
    TRY(host_post(host, &request, &a, &reply));
    TRY(reply_expect(&reply, MSG_PROVISION_RESPONSE));
    if (reply.provision_reply.reconstructed == last)
        return Q_OK;
    return fail(Q_REFUSED, "enclave: expected the quorum key to be reconstructed %s, found it %s",
                last ? "with the last share" : "with the last share only",
                last ? "was not" : "was with the first");
}

static enum q_err provision(const struct host_link *host, const struct development *d,
                            const struct p256_public *setup)
{
    SECRET_AUTO shares = {0};
    TRY(shamir_split(p256_pair_seed(d->quorum), DEV_SHARES, DEV_SHARES, &shares));
    size_t size = shares.n / DEV_SHARES;
    for (size_t i = 0; i < DEV_SHARES; i++)
        TRY(post_share(host, d, setup, bytes_of(shares.p + i * size, size), i + 1 == DEV_SHARES));
    return Q_OK;
}

static enum q_err dangerous_dev_boot(const struct options *o)
{
    ARENA_AUTO a = {0};
    DEVELOPMENT_AUTO d = {.quorum = NULL};
    struct host_link host;
    struct claims claims;
    struct p256_public setup;
    struct bytes document;
    announce();
    TRY(host_link_open(o, &host));
    TRY(prepare(o, &a, &d));
    TRY(boot_post(&host, &d.request, &a, &document));
    TRY(attestation_read(document, &a, &claims));
    TRY(evidence_setup_key(o, &claims, &setup));
    TRY(provision(&host, &d, &setup));
    printf("Enclave is provisioned!\n");
    return Q_OK;
}

static const struct option dangerous_dev_boot_options[] = {
    OPTIONS_HOST,
    OPTION_REQUIRED("pivot-path", "The application's binary"),
    OPTION_REQUIRED("restart-policy", "never or always: what happens when the application ends"),
    {.name = "pivot-args",
     .kind = OPTION_VALUE,
     .fallback = "[]",
     .help = "Arguments of the application, as [a,b]"},
    OPTION_OPTIONAL("unsafe-eph-path-override",
                    "Encrypt to the public key of this secret, whatever the enclave is"),
    OPTION_PASSPHRASE,
    OPTION_IGNORED("pool-size"),
    OPTION_IGNORED("client-timeout"),
    OPTION_UNLOCKED,
    OPTION_AUDIT,
};

const struct command command_dangerous_dev_boot = {
    .name = "dangerous-dev-boot",
    .run = dangerous_dev_boot,
    .help = "FOR DEVELOPMENT ONLY: boot and provision an enclave with a key made here",
    COMMAND_OPTIONS(dangerous_dev_boot_options),
    .audited = true,
    .secrets = true,
};
