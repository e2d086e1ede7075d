// token list, token provision and token public: a member's keys on any PKCS#11 token.
#include "client/command.h"

#include "base/hex.h"
#include "client/key_file.h"
#include "client/output.h"
#include "client/token/token_make.h"

// Fields of PKCS#11 are padded with spaces.
static struct bytes field(const unsigned char *text, size_t n)
{
    return bytes_trim(bytes_of(text, n));
}

static const char *pin_text(CK_FLAGS flags)
{
    if ((flags & CKF_USER_PIN_INITIALIZED) == 0)
        return "not set";
    if ((flags & CKF_USER_PIN_LOCKED) != 0)
        return "locked";
    if ((flags & CKF_USER_PIN_FINAL_TRY) != 0)
        return "set, 1 try left";
    if ((flags & CKF_USER_PIN_COUNT_LOW) != 0)
        return "set, few tries left";
    return "set";
}

static enum q_err print_token(CK_SLOT_ID slot, const CK_TOKEN_INFO *info)
{
    BUF_AUTO label = {0}, serial = {0}, model = {0}, uri = {0};
    TRY(token_uri(info, &uri));
    const char *text = buf_text(&uri);
    if (text == NULL)
        return Q_NOMEM;
    printf("%s\n  serial %s, %s, slot %lu, PIN %s\n  %s\n",
           output_shown(field(info->label, sizeof info->label), &label),
           output_shown(field(info->serialNumber, sizeof info->serialNumber), &serial),
           output_shown(field(info->model, sizeof info->model), &model), slot,
           pin_text(info->flags), text);
    return Q_OK;
}

static enum q_err token_list(const struct options *o)
{
    TOKEN_MODULE_AUTO module = {0};
    struct token_found found;
    TRY(token_module_open(options_value(o, "pkcs11-module"), &module));
    TRY(token_search(&module, options_value(o, "token-uri"), &found));
    if (found.n == 0)
        printf("No tokens\n");
    for (size_t i = 0; i < found.n; i++)
        TRY(print_token(found.slots[i], &found.infos[i]));
    return Q_OK;
}

static const struct option token_list_options[] = {
    OPTION_REQUIRED("pkcs11-module", "PKCS#11 module, a shared library"),
    OPTION_OPTIONAL("token-uri", "Only tokens that match this PKCS#11 URI (RFC 7512)"),
};

const struct command command_token_list = {
    .name = "token list",
    .run = token_list,
    .help = "List the tokens that a PKCS#11 module reaches",
    COMMAND_OPTIONS(token_list_options),
};

static enum q_err token_public(const struct options *o)
{
    TOKEN_AUTO token = {.open = false};
    BUF_AUTO hex = {0};
    struct token_wanted wanted;
    struct p256_public public;
    TRY(token_wanted_read(o, &wanted));
    TRY(token_open(&wanted, false, &token));
    TRY(token_key_public(&token, &wanted, &public));
    TRY(hex_encode(p256_public_bytes(&public), &hex));
    const char *text = buf_text(&hex);
    if (text == NULL)
        return Q_NOMEM;
    printf("%s\n", text);
    return Q_OK;
}

static const struct option token_public_options[] = {
    OPTION_REQUIRED("pkcs11-module", "PKCS#11 module, a shared library"),
    OPTIONS_TOKEN_KEYS,
};

const struct command command_token_public = {
    .name = "token public",
    .run = token_public,
    .help = "Print the public key of a member's token",
    COMMAND_OPTIONS(token_public_options),
};

// Keys that nobody has the public half of in a file are taken off again.
static enum q_err write_public(const char *path, const struct p256_public *public,
                               struct output *out)
{
    BUF_AUTO hex = {0};
    TRY(hex_encode(p256_public_bytes(public), &hex));
    TRY(output_stage(out, "Token encrypt+sign public key", path, buf_bytes(&hex), OUTPUT_LASTING));
    return output_publish(out);
}

static enum q_err make(struct token *t, const struct token_wanted *w, const struct p256_pair *seed,
                       const char *path, struct output *out)
{
    struct token_made made = {.n = 0};
    struct p256_public public;
    TRY(token_make(t, w, seed, &made, &public));
    enum q_err err = write_public(path, &public, out);
    if (err != Q_OK)
        token_unmake(t, &made);
    return err;
}

static enum q_err token_provision(const struct options *o)
{
    OUTPUT_AUTO out = {.force = options_given(o, "force")};
    TOKEN_AUTO token = {.open = false};
    P256_PAIR_AUTO *seed = NULL;
    struct token_wanted wanted;
    const char *public_path = options_value(o, "pub-path");
    const char *seed_path = options_value(o, "master-seed-path");
    TRY(token_wanted_read(o, &wanted));
    TRY(output_check(&out, public_path));
    if (seed_path != NULL)
        TRY(seed_file_read(o, seed_path, &seed));
    TRY(token_open(&wanted, true, &token));
    TRY(token_pin(&token, wanted.pin_path, PIN_QUESTION));
    return make(&token, &wanted, seed, public_path, &out);
}

static const struct option token_provision_options[] = {
    OPTION_REQUIRED("pub-path", "File for the public key"),
    OPTION_OPTIONAL("master-seed-path", "Import the keys of this seed instead of making new ones"),
    OPTION_REQUIRED("pkcs11-module", "PKCS#11 module, a shared library"),
    OPTIONS_TOKEN_KEYS,
    OPTION_PIN,
    OPTION_PASSPHRASE,
    OPTION_FORCE,
    OPTION_UNLOCKED,
    OPTION_AUDIT,
};

const struct command command_token_provision = {
    .name = "token provision",
    .run = token_provision,
    .help = "Make a member's two keys on a token, or import them from a seed",
    COMMAND_OPTIONS(token_provision_options),
    .audited = true,
    .secrets = true,
};
