// member_decryptor: a member opens the own share of a genesis, and prints it, or the same sealed to the enclave that
// is to have it (renclave 3.1, 4.4).
#include "client/instance/programs.h"

#include "client/instance/genesis_evidence.h"
#include "client/instance/share_opening.h"

#include <stdio.h>

static void print_array(struct bytes b)
{
    for (size_t i = 0; i < b.n; i++)
        printf("%c%u", i == 0 ? '[' : ',', b.p[i]);
    printf("]\n");
}

// By the documents in the file, or by one that the instance makes now.
static enum q_err verified_setup_key(const struct options *o, const struct genesis_answer *g,
                                     struct arena *a, struct p256_public *out)
{
    VERIFICATION_AUTO v = {0};
    struct instance_link link;
    struct bytes document;
    const struct manifest *m = &g->envelope.manifest;
    TRY(verification_start(o, &v));
    TRY(instance_check_manifest(o, &v, m));
    TRY(genesis_answer_check_binding(&v, g));
    *out = g->setup_key;
    if (options_value(o, "url") == NULL)
        return genesis_answer_verify(&v, g, false, a);
    TRY(genesis_answer_check_holders(o, &v, g, a));
    TRY(instance_link_to("url", options_value(o, "url"), &link));
    return instance_attest(&link, &v, m, false, a, &document, out);
}

static enum q_err decrypt(const struct options *o)
{
    ARENA_AUTO a = {0};
    P256_PAIR_AUTO *pair = NULL;
    SECRET_AUTO share = {0};
    BUF_AUTO sealed = {0};
    struct genesis_answer g;
    struct p256_public setup_key;
    size_t index;
    bool to_setup_key = options_given(o, "to-setup-key");
    TRY(genesis_answer_read(options_value(o, "response"), &a, &g));
    TRY(genesis_answer_match_file(&g, options_value(o, "request"), &a));
    if (to_setup_key)
        TRY(verified_setup_key(o, &g, &a, &setup_key));
    TRY(share_owner(o, options_value(o, "secret"), &g, options_value(o, "alias"), &pair, &index));
    TRY(share_of(&g, index, pair, &share));
    if (!to_setup_key) {
        print_array(secret_bytes(&share));
        return Q_OK;
    }
    TRY(p256_seal(&setup_key, secret_bytes(&share), &sealed));
    print_array(buf_bytes(&sealed));
    return Q_OK;
}

static const struct option decryptor_options[] = {
    OPTION_REQUIRED("secret", "The member's secret: a file, FIFO or /dev/fd/N"),
    OPTION_REQUIRED("response", "File with the answer to genesis-boot"),
    OPTION_REQUIRED("alias", "Name of the member"),
    OPTION_OPTIONAL("request", "The request that the response must be the answer to"),
    OPTION_SWITCH("to-setup-key", "Print the share sealed to the enclave, once it is verified"),
    OPTION_OPTIONAL("url", "Verify the instance that runs there, not the documents in --response"),
    OPTIONS_RELEASE,
    OPTIONS_VERIFY,
    OPTION_PASSPHRASE,
    OPTION_UNLOCKED,
};

const struct command command_member_decryptor = {
    .name = "member_decryptor",
    .run = decrypt,
    .help = "As a member, open the own share of a genesis",
    COMMAND_OPTIONS(decryptor_options),
    .secrets = true,
};
