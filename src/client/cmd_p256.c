// p256-sign, p256-verify, p256-asymmetric-encrypt and p256-asymmetric-decrypt: the key pairs of
// this product on files of the user's own (qos-behaviour 1.6, qos-wire 1.3, 1.4).
#include "client/command.h"

#include "base/hex.h"
#include "client/key_file.h"
#include "client/manifest/member_signature.h"
#include "client/output.h"
#include "protocol/message.h"

#include <stdio.h>

#define SIGNATURE_FILE_MAX 4096

static enum q_err sign(const struct options *o)
{
    OUTPUT_AUTO out = {0};
    P256_PAIR_AUTO *pair = NULL;
    BUF_AUTO payload = {0}, hex = {0};
    uint8_t signature[P256_SIGNATURE_SIZE];
    TRY(seed_file_read(o, options_value(o, "master-seed-path"), &pair));
    TRY(file_read(options_value(o, "payload-path"), MESSAGE_MAX_SIZE, &payload));
    statement_warn(buf_bytes(&payload));
    TRY(p256_sign(pair, buf_bytes(&payload), signature));
    TRY(hex_encode(BYTES_OF(signature), &hex));
    TRY(output_stage(&out, "p256 signature", options_value(o, "signature-path"), buf_bytes(&hex),
                     OUTPUT_REMADE));
    return output_publish(&out);
}

static const struct option sign_options[] = {
    OPTION_REQUIRED("payload-path", "The file to sign"),
    OPTION_REQUIRED("signature-path", "File for the signature in hex"),
    OPTION_REQUIRED("master-seed-path", "Master seed of the signer, a file, FIFO or /dev/fd/N"),
    OPTION_PASSPHRASE,
    OPTION_UNLOCKED,
    OPTION_AUDIT,
};

const struct command command_p256_sign = {
    .name = "p256-sign",
    .run = sign,
    .help = "Sign a file with a key pair",
    COMMAND_OPTIONS(sign_options),
    .audited = true,
    .secrets = true,
};

static enum q_err signature_read(const char *path, struct buf *out)
{
    BUF_AUTO hex = {0};
    TRY(file_read(path, SIGNATURE_FILE_MAX, &hex));
    return err_context(hex_decode(bytes_trim(buf_bytes(&hex)), out), "%s", path);
}

static enum q_err verify(const struct options *o)
{
    BUF_AUTO payload = {0}, signature = {0};
    struct p256_public key;
    const char *path = options_value(o, "signature-path");
    TRY(public_key_read(options_value(o, "pub-path"), &key));
    TRY(file_read(options_value(o, "payload-path"), MESSAGE_MAX_SIZE, &payload));
    TRY(signature_read(path, &signature));
    enum q_err err = p256_verify(&key, buf_bytes(&payload), buf_bytes(&signature));
    if (err == Q_OK)
        printf("Valid signature!\n");
    else
        printf("Signature not valid: %s\n", err_text());
    return err_context(err, "%s", path);
}

static const struct option verify_options[] = {
    OPTION_REQUIRED("payload-path", "The file that was signed"),
    OPTION_REQUIRED("signature-path", "Its signature in hex"),
    OPTION_REQUIRED("pub-path", "Public key of the signer"),
};

const struct command command_p256_verify = {
    .name = "p256-verify",
    .run = verify,
    .help = "Check the signature of a file",
    COMMAND_OPTIONS(verify_options),
};

static enum q_err encrypt(const struct options *o)
{
    OUTPUT_AUTO out = {.force = options_given(o, "force")};
    BUF_AUTO plaintext = {.wipe = true}, envelope = {0};
    struct p256_public to;
    const char *path = options_value(o, "ciphertext-path");
    TRY(output_check(&out, path));
    TRY(public_key_read(options_value(o, "pub-path"), &to));
    TRY(file_read(options_value(o, "plaintext-path"), MESSAGE_MAX_SIZE, &plaintext));
    TRY(p256_seal(&to, buf_bytes(&plaintext), &envelope));
    TRY(output_stage(&out, "Ciphertext", path, buf_bytes(&envelope), OUTPUT_LASTING));
    return output_publish(&out);
}

static const struct option encrypt_options[] = {
    OPTION_REQUIRED("plaintext-path", "The file to encrypt"),
    OPTION_REQUIRED("ciphertext-path", "File for the ciphertext"),
    OPTION_REQUIRED("pub-path", "Public key of the reader"),
    OPTION_FORCE,
};

const struct command command_p256_asymmetric_encrypt = {
    .name = "p256-asymmetric-encrypt",
    .run = encrypt,
    .help = "Encrypt a file to a public key",
    COMMAND_OPTIONS(encrypt_options),
};

// A plaintext of a seed's size may be what dr_wrapped_quorum_key holds. Nothing in the envelope
// says so; the public key tells the reader which key it would be.
static enum q_err announce_seed(const struct secret *plaintext)
{
    P256_PAIR_AUTO *pair = NULL;
    BUF_AUTO hex = {0};
    uint8_t hash[SHA256_SIZE];
    if (plaintext->n != P256_SEED_SIZE ||
        p256_pair_from_seed(secret_bytes(plaintext), &pair) != Q_OK)
        return Q_OK;
    TRY(sha256(p256_public_bytes(p256_pair_public(pair)), hash));
    TRY(hex_encode(BYTES_OF(hash), &hex));
    const char *fingerprint = buf_text(&hex);
    if (fingerprint == NULL)
        return Q_NOMEM;
    fprintf(stderr,
            "**WARNING:** A WHOLE KEY: the plaintext has the size of a master seed (SHA-256 of its "
            "public key: %s).\n"
            "**WARNING:** If it comes from dr_wrapped_quorum_key, it is the quorum key, and "
            "whoever holds this file holds it ALONE, without any other member. Keep it offline.\n",
            fingerprint);
    return Q_OK;
}

static enum q_err stage_plaintext(struct output *out, const struct options *o,
                                  const struct secret *plaintext)
{
    SECRET_AUTO hex = {0};
    struct bytes contents = plaintext->n == 0 ? BYTES_LIT("") : secret_bytes(plaintext);
    if (options_given(o, "output-hex") && plaintext->n > 0) {
        TRY(hex_encode_secret(contents, &hex));
        contents = secret_bytes(&hex);
    }
    return output_stage(out, "Plaintext", options_value(o, "plaintext-path"), contents,
                        OUTPUT_SECRET);
}

static enum q_err decrypt(const struct options *o)
{
    OUTPUT_AUTO out = {.force = options_given(o, "force")};
    P256_PAIR_AUTO *pair = NULL;
    SECRET_AUTO plaintext = {0};
    BUF_AUTO envelope = {0};
    const char *path = options_value(o, "ciphertext-path");
    TRY(output_check(&out, options_value(o, "plaintext-path")));
    TRY(seed_file_read(o, options_value(o, "master-seed-path"), &pair));
    TRY(file_read(path, MESSAGE_MAX_SIZE, &envelope));
    TRY(err_context(p256_open(pair, buf_bytes(&envelope), &plaintext), "%s", path));
    TRY(announce_seed(&plaintext));
    TRY(stage_plaintext(&out, o, &plaintext));
    return output_publish(&out);
}

static const struct option decrypt_options[] = {
    OPTION_REQUIRED("ciphertext-path", "The file to decrypt, such as dr_wrapped_quorum_key"),
    OPTION_REQUIRED("plaintext-path", "File for the plaintext (secret)"),
    OPTION_REQUIRED("master-seed-path", "Master seed of the reader, a file, FIFO or /dev/fd/N"),
    OPTION_SWITCH("output-hex", "Write the plaintext in hex, as a master seed is"),
    OPTION_PASSPHRASE,
    OPTION_FORCE,
    OPTION_UNLOCKED,
    OPTION_AUDIT,
};

const struct command command_p256_asymmetric_decrypt = {
    .name = "p256-asymmetric-decrypt",
    .run = decrypt,
    .help = "Decrypt a file that was encrypted to a public key",
    COMMAND_OPTIONS(decrypt_options),
    .audited = true,
    .secrets = true,
};
