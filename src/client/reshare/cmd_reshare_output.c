// reshare output, reshare take: what the enclave made is fetched and verified, and each new member takes the own
// share from it (docs/resharing.md).
#include "client/command.h"

#include "base/hex.h"
#include "client/genesis/genesis_files.h"
#include "client/host_link.h"
#include "client/member_key.h"
#include "client/reshare/reshare_evidence.h"
#include "client/reshare/reshare_review.h"
#include "client/share/share_proof.h"
#include "client/share/share_result.h"
#include "client/time_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum q_err check_fetched(const struct options *o, const struct planned *planned,
                                const struct reshare_output *output, struct bytes document,
                                struct arena *a)
{
    VERIFICATION_AUTO v = {0};
    struct claims claims;
    uint8_t hash[SHA256_SIZE];
    TRY(reshare_output_check(output));
    TRY(reshare_plan_hash(&output->plan, hash));
    if (!bytes_equal(BYTES_OF(hash), BYTES_OF(planned->hash)))
        return fail(Q_REFUSED, "reshare output: expected that of this plan, found that of another");
    TRY(verification_start(o, &v));
    TRY(reshare_check_output(&v, document, output, a, &claims));
    return evidence_check_fresh(&v, &claims);
}

static enum q_err write_output(const struct options *o, const struct reshare_paths *paths,
                               const struct reshare_output *output, struct bytes document)
{
    OUTPUT_AUTO out = {.force = options_given(o, "force")};
    BUF_AUTO file = {0}, key = {0};
    const struct genesis_output *shares = &output->shares;
    TRY(reshare_output_write(output, &file));
    TRY(hex_encode(shares->quorum_key, &key));
    TRY(reshare_stage_lasting(&out, "Reshare output", paths->output, buf_bytes(&file)));
    TRY(reshare_stage_lasting(&out, "quorum_key.pub", paths->quorum_key, buf_bytes(&key)));
    if (shares->dr_key_wrapped_quorum_key.p != NULL)
        TRY(reshare_stage_lasting(&out, "DR Wrapped Quorum Key", paths->wrapped_key,
                                  shares->dr_key_wrapped_quorum_key));
    TRY(output_stage(&out, "COSE Sign1 Attestation Doc", paths->output_document, document,
                     OUTPUT_REMADE));
    return output_publish(&out);
}

static enum q_err say_made(const struct reshare_output *output)
{
    uint8_t hash[SHA256_SIZE];
    TRY(reshare_output_hash(output, hash));
    TRY(reshare_show_hash("Reshare output hash", hash));
    reshare_warn(&output->plan);
    printf("Epoch %" PRIu64
           ": %u of %zu shares bring %s quorum key back. Next: each new member runs "
           "reshare take; when enough have, each old member runs reshare destroyed.\n",
           output->plan.epoch, output->plan.new_share_set.threshold,
           output->plan.new_share_set.members.n, output->plan.new_key ? "the NEW" : "the same");
    return Q_OK;
}

static enum q_err reshare_output(const struct options *o)
{
    ARENA_AUTO a = {0};
    struct host_link host;
    struct reshare_paths paths;
    struct planned planned;
    struct bytes document;
    struct message reply;
    const struct message request = {.tag = MSG_QUORATE_RESHARE_OUTPUT_REQUEST};
    TRY(reshare_paths_in(options_value(o, "reshare-dir"), &a, &paths));
    TRY(reshare_plan_load(&paths, &a, &planned));
    TRY(host_link_open(o, &host));
    TRY(host_send(&host, &request, ENCODING_JSON, &a, &reply));
    TRY(reply_expect(&reply, MSG_QUORATE_RESHARE_OUTPUT_RESPONSE));
    TRY(reply_document(&reply.reshare_output.nsm_response, &document));
    TRY(check_fetched(o, &planned, &reply.reshare_output.output, document, &a));
    TRY(write_output(o, &paths, &reply.reshare_output.output, document));
    return say_made(&reply.reshare_output.output);
}

static const struct option reshare_output_options[] = {
    OPTION_RESHARE_DIR,   OPTIONS_HOST, OPTIONS_TRUST,
    OPTION_RESHARE_DEBUG, OPTION_FORCE, OPTION_AUDIT,
};

const struct command command_reshare_output = {
    .name = "reshare output",
    .run = reshare_output,
    .help = "Fetch and verify the new shares; as often as wanted while the enclave runs",
    COMMAND_OPTIONS(reshare_output_options),
    .audited = true,
};

static enum q_err load_verified(const struct options *o, const struct reshare_paths *paths,
                                struct arena *a, struct reshare_output *output)
{
    VERIFICATION_AUTO v = {0};
    BUF_AUTO document = {0};
    struct bytes role;
    struct claims claims;
    TRY(reshare_output_load(paths, a, output));
    TRY(reshare_compare(o, &output->plan, a, &role));
    TRY(file_read_regular(paths->output_document, ATTESTATION_MAX_SIZE, &document));
    TRY(verification_start(o, &v));
    return reshare_check_output(&v, buf_bytes(&document), output, a, &claims);
}

static enum q_err find_own(const struct options *o, const struct reshare_output *output,
                           const struct member_key *key, const struct genesis_member_output **own,
                           unsigned *number)
{
    const char *alias = options_value(o, "alias");
    const struct member me = {.alias = bytes_str(alias),
                              .pub_key = p256_public_bytes(member_key_public(key))};
    TRY(genesis_output_find(&output->shares, &me, own));
    return share_proof(&output->shares, alias, key, (*own)->encrypted_share, "own share", number);
}

// The share, and the member's signed word that it opens, which old members wait for before they destroy theirs.
static enum q_err write_share(const struct options *o, const struct reshare_paths *paths,
                              const struct reshare_output *output,
                              const struct genesis_member_output *own, const struct member_key *key,
                              struct arena *a)
{
    OUTPUT_AUTO out = {.force = options_given(o, "force")};
    BUF_AUTO result = {0};
    uint8_t hash[SHA256_SIZE];
    int64_t now;
    const char *alias = options_value(o, "alias"), *path;
    TRY(genesis_output_hash(&output->shares, hash));
    TRY(time_now_s(&now));
    TRY(share_result_make(key, alias, hash, now, &result));
    TRY(reshare_member_path(paths, bytes_str(alias), SHARE_RESULT_SUFFIX, a, &path));
    TRY(reshare_stage_lasting(&out, "Encrypted Quorum Share", options_value(o, "share-path"),
                              own->encrypted_share));
    TRY(output_stage(&out, "Share check result", path, buf_bytes(&result), OUTPUT_REMADE));
    return output_publish(&out);
}

static enum q_err reshare_take(const struct options *o)
{
    ARENA_AUTO a = {0};
    MEMBER_KEY_AUTO *key = NULL;
    struct reshare_paths paths;
    struct reshare_output output;
    const struct genesis_member_output *own;
    unsigned number;
    uint8_t hash[SHA256_SIZE];
    TRY(member_key_read(o, &key));
    TRY(reshare_paths_in(options_value(o, "reshare-dir"), &a, &paths));
    TRY(load_verified(o, &paths, &a, &output));
    TRY(dr_key_announce(output.plan.dr_key));
    TRY(find_own(o, &output, key, &own, &number));
    TRY(write_share(o, &paths, &output, own, key, &a));
    TRY(reshare_output_hash(&output, hash));
    TRY(reshare_show_hash("Reshare output hash", hash));
    printf("This is share %u of %zu of epoch %" PRIu64 ". Compare the hash above with the other "
           "members'.\n",
           number, output.shares.member_outputs.n, output.plan.epoch);
    return Q_OK;
}

static const struct option reshare_take_options[] = {
    OPTION_RESHARE_DIR,
    OPTION_REQUIRED("alias", "Name of the member"),
    OPTION_REQUIRED("share-path", "File for the member's new share, still encrypted to the member"),
    OPTION_OPTIONAL("previous-dir", "Folder of the genesis, or of the resharing before"),
    OPTION_OPTIONAL("share-set-dir", "Folder of the members who get the new shares"),
    OPTIONS_RESHARE_PARTS,
    OPTION_OPTIONAL("validation-time-override",
                    "Unix seconds at which to check the attestation document's certificates"),
    OPTION_RESHARE_DEBUG,
    OPTIONS_KEY,
    OPTION_FORCE,
    OPTION_AUDIT,
};

const struct command command_reshare_take = {
    .name = "reshare take",
    .run = reshare_take,
    .help = "As a new member, verify the resharing and take the own share from it",
    COMMAND_OPTIONS(reshare_take_options),
    .audited = true,
    .secrets = true,
};
