// generate-file-key and pivot-hash: what members and operators make before anything else
// (qos-behaviour 1.6).
#include "client/command.h"

#include "base/hex.h"
#include "client/output.h"
#include "client/passphrase.h"
#include "client/protected_file.h"
#include "crypto/p256.h"
#include "protocol/message.h"

// passphrase: n == 0 writes the seed as it is.
static enum q_err stage_seed(struct output *out, const char *path, const struct p256_pair *pair,
                             const struct secret *passphrase)
{
    SECRET_AUTO seed = {0};
    BUF_AUTO box = {0};
    TRY(hex_encode_secret(p256_pair_seed(pair), &seed));
    if (passphrase->n == 0)
        return output_stage(out, "Master Seed", path, secret_bytes(&seed), OUTPUT_SECRET);
    TRY(protected_seal(&protected_cost_usual, secret_bytes(&seed), secret_bytes(passphrase), &box));
    return output_stage(out, "Protected Master Seed", path, buf_bytes(&box), OUTPUT_SECRET);
}

static enum q_err stage_public(struct output *out, const char *path, const struct p256_pair *pair)
{
    BUF_AUTO public = {0};
    TRY(hex_encode(p256_public_bytes(p256_pair_public(pair)), &public));
    return output_stage(out, "File Key Public", path, buf_bytes(&public), OUTPUT_LASTING);
}

static enum q_err generate_file_key(const struct options *o)
{
    OUTPUT_AUTO out = {.force = options_given(o, "force")};
    P256_PAIR_AUTO *pair = NULL;
    SECRET_AUTO passphrase = {0};
    const char *seed_path = options_value(o, "master-seed-path");
    const char *public_path = options_value(o, "pub-path");
    TRY(output_check(&out, seed_path)); // before anybody types a passphrase
    TRY(output_check(&out, public_path));
    if (options_given(o, "protect"))
        TRY(passphrase_choose(o, seed_path, &passphrase));
    TRY(p256_pair_generate(&pair));
    TRY(stage_seed(&out, seed_path, pair, &passphrase));
    TRY(stage_public(&out, public_path, pair));
    return output_publish(&out);
}

static const struct option generate_file_key_options[] = {
    OPTION_REQUIRED("master-seed-path", "File for the new master seed (secret)"),
    OPTION_REQUIRED("pub-path", "File for the public key"),
    OPTION_SWITCH("protect", "Write the seed encrypted under a passphrase"),
    {.name = "passphrase-path",
     .kind = OPTION_VALUE,
     .requires_ = "protect",
     .help = "That passphrase: a file, FIFO or /dev/fd/N [default: asked for, twice]"},
    OPTION_FORCE,
    OPTION_UNLOCKED,
    OPTION_AUDIT,
};

const struct command command_generate_file_key = {
    .name = "generate-file-key",
    .run = generate_file_key,
    .help = "Make a key pair for a member, in two files",
    COMMAND_OPTIONS(generate_file_key_options),
    .audited = true,
    .secrets = true,
};

static enum q_err pivot_hash(const struct options *o)
{
    OUTPUT_AUTO out = {0};
    BUF_AUTO pivot = {0}, hex = {0};
    uint8_t hash[SHA256_SIZE];
    TRY(file_read(options_value(o, "pivot-path"), MESSAGE_MAX_SIZE, &pivot));
    TRY(sha256(buf_bytes(&pivot), hash));
    TRY(hex_encode(BYTES_OF(hash), &hex));
    TRY(output_stage(&out, NULL, options_value(o, "output-path"), buf_bytes(&hex), OUTPUT_REMADE));
    return output_publish(&out);
}

static const struct option pivot_hash_options[] = {
    OPTION_REQUIRED("pivot-path", "The application's binary"),
    OPTION_REQUIRED("output-path", "File for its SHA-256 in hex"),
};

const struct command command_pivot_hash = {
    .name = "pivot-hash",
    .run = pivot_hash,
    .help = "Write the hash of an application's binary",
    COMMAND_OPTIONS(pivot_hash_options),
};
