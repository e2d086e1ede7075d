// attestation verify: every check of any attestation document, offline, each with its result.
#include "client/command.h"

#include "base/file.h"
#include "base/hex.h"
#include "client/attestation/attestation_checks.h"
#include "client/attestation/claims_view.h"
#include "client/genesis/genesis_files.h"
#include "client/manifest/manifest_parts.h"
#include "client/output.h"
#include "client/time_text.h"
#include "client/attestation/trust_root.h"

#include <stdio.h>
#include <string.h>

#define NONCE_MAX 512 // bytes, as in a document

// What the options name, read.
struct expected {
    struct release release;
    struct manifest_envelope envelope;
    struct genesis_output genesis;
    struct tee_policy policy;
    struct attestation_wish wish;
};

static enum q_err read_nonce(const char *value, struct arena *a, struct bytes *out)
{
    BUF_AUTO nonce = {.limit = NONCE_MAX};
    if (value == NULL)
        return Q_OK;
    TRY(err_context(hex_decode(bytes_str(value), &nonce), "--nonce"));
    return arena_copy(a, buf_bytes(&nonce), out);
}

static enum q_err read_genesis(const char *folder, struct arena *a, struct expected *e)
{
    struct genesis_paths paths;
    TRY(genesis_paths_in(folder, a, &paths));
    TRY(genesis_files_read(&paths, a, &e->genesis));
    e->wish.genesis = &e->genesis;
    return Q_OK;
}

static enum q_err read_policy(const char *path, struct arena *a, struct tee_policy *out)
{
    BUF_AUTO json = {0};
    TRY(file_read(path, POLICY_MAX_SIZE, &json));
    return err_context(policy_read(buf_bytes(&json), a, out), "%s", path);
}

static enum q_err read_expected(const struct options *o, struct arena *a, struct expected *e)
{
    const char *release = options_value(o, "qos-release-dir");
    const char *role = options_value(o, "pcr3-preimage-path");
    const char *envelope = options_value(o, "manifest-envelope-path");
    const char *genesis = options_value(o, "namespace-dir");
    const char *policy = options_value(o, "policy-path");
    *e = (struct expected){
        .wish = {.allow_debug = options_given(o, "unsafe-allow-debug"),
                 .commitment = options_given(o, "live") ? COMMITMENT_LIVE : COMMITMENT_SETUP}};
    TRY(read_nonce(options_value(o, "nonce"), a, &e->wish.nonce));
    if (release != NULL) {
        TRY(release_read(release, false, &e->release));
        e->wish.release = &e->release;
    }
    if (role != NULL)
        TRY(role_read(role, a, &e->wish.role));
    if (envelope != NULL) {
        TRY(envelope_file_read(envelope, a, &e->envelope));
        e->wish.envelope = &e->envelope;
    }
    if (policy != NULL) {
        TRY(read_policy(policy, a, &e->policy));
        e->wish.policy = &e->policy;
    }
    return genesis == NULL ? Q_OK : read_genesis(genesis, a, e);
}

// --at: a time, "document" for the one in the document, by default now.
static enum q_err choose_time(const char *value, struct bytes document, int64_t *at_s)
{
    ARENA_AUTO a = {0};
    struct claims c;
    if (value == NULL)
        return time_now_s(at_s);
    if (strcmp(value, "document") != 0)
        return err_context(time_parse(value, at_s), "--at");
    TRY(err_context(attestation_read(document, &a, &c), "--at document"));
    if (c.timestamp_ms == 0)
        return fail(Q_BAD_INPUT, "--at document: expected a document that says when it was made, "
                                 "found one that does not, as SEV-SNP's");
    *at_s = c.timestamp_ms / 1000;
    return Q_OK;
}

static void print_checks(const struct check_list *checks)
{
    for (size_t i = 0; i < checks->n; i++) {
        BUF_AUTO detail = {0};
        const struct check *c = &checks->items[i];
        printf("%-8s  %-16s  %s\n",
               c->result == CHECK_FAILED ? "FAILED" : check_result_names[c->result], c->name,
               output_shown(c->detail, &detail));
    }
}

static enum q_err put_checks(const struct check_list *checks, json_t *object)
{
    json_t *list = json_array();
    TRY(json_put(object, "checks", list));
    for (size_t i = 0; i < checks->n; i++) {
        const struct check *c = &checks->items[i];
        json_t *one = json_object();
        TRY(json_push(list, one));
        TRY(json_put(one, "name", json_text(c->name)));
        TRY(json_put(one, "result", json_text(check_result_names[c->result])));
        TRY(json_put(one, "detail", json_shown(c->detail)));
    }
    return Q_OK;
}

static enum q_err print_json(const struct check_list *checks, const struct claims *claims,
                             int64_t at_s)
{
    JSON_AUTO *object = NULL;
    json_t *document = NULL;
    int64_t now;
    TRY(time_now_s(&now));
    TRY(json_tree_object(&object));
    TRY(json_put(object, "verified", json_boolean(checks_hold(checks))));
    TRY(json_put(object, "at", json_time(at_s)));
    TRY(put_checks(checks, object));
    if (claims->root.p != NULL) {
        enum q_err made = claims_json(claims, now, &document);
        TRY(json_put(object, "document", document));
        TRY(made);
    } else {
        TRY(json_put(object, "document", json_null()));
    }
    return json_print(object, false);
}

static enum q_err print_text(const struct check_list *checks, const struct claims *claims)
{
    print_checks(checks);
    if (!checks_hold(checks))
        return Q_OK;
    printf("\nThe document holds%s: %zu of %zu checks.\n",
           claims->simulated ? ", and is SIMULATED: no hardware protects this enclave" : "",
           checks->n, checks->n);
    return Q_OK;
}

static enum q_err attestation_verify_command(const struct options *o)
{
    ARENA_AUTO a = {0};
    TRUST_AUTO trust = {0};
    BUF_AUTO document = {0};
    struct expected expected;
    struct claims claims;
    struct check_list checks;
    int64_t at_s;
    TRY(file_read(options_value(o, "attestation-doc-path"), ATTESTATION_MAX_SIZE, &document));
    TRY(read_expected(o, &a, &expected));
    TRY(trust_root_load_for(o, buf_bytes(&document), &trust));
    TRY(choose_time(options_value(o, "at"), buf_bytes(&document), &at_s));
    TRY(attestation_checks_make(buf_bytes(&document), &trust, at_s, &expected.wish, &a, &claims,
                                &checks));
    TRY(options_given(o, "json") ? print_json(&checks, &claims, at_s)
                                 : print_text(&checks, &claims));
    return checks_verdict(&checks);
}

static const struct option attestation_verify_options[] = {
    OPTION_REQUIRED("attestation-doc-path", "The document"),
    OPTION_OPTIONAL("at", "Time at which to check the certificates: seconds since 1970, "
                          "2023-11-14T22:13:20Z, or document for its own [default: now]"),
    OPTION_OPTIONAL("qos-release-dir", "Folder with aws-x86_64.pcrs: compares PCR0 to PCR2"),
    OPTION_OPTIONAL("pcr3-preimage-path", "File with the role behind PCR3: compares PCR3"),
    OPTION_OPTIONAL("manifest-envelope-path",
                    "Manifest of the booted enclave: compares everything that it says"),
    OPTION_SWITCH("live", "With a manifest: expect the key of an enclave that has its quorum key "
                          "(PCR17), not the setup key (PCR16)"),
    OPTION_OPTIONAL("namespace-dir", "Folder with the files of the genesis: compares their hash"),
    OPTION_OPTIONAL("policy-path", "Policy as JSON: allowed providers, measurements and firmware"),
    OPTION_OPTIONAL("nonce", "The nonce that the document must have, in hex [default: none]"),
    OPTION_SWITCH("unsafe-allow-debug",
                  "Accept an enclave in debug mode, whose memory its operator can read"),
    OPTIONS_TRUST,
    OPTION_SWITCH("json", "Print one JSON object"),
};

const struct command command_attestation_verify = {
    .name = "attestation verify",
    .run = attestation_verify_command,
    .help = "Check an attestation document offline, each check with its result",
    COMMAND_OPTIONS(attestation_verify_options),
};
