// after-genesis and verify-genesis: what a member and what the holder of a recovered quorum key
// check about a genesis (qos-behaviour 1.6).
#include "client/command.h"

#include "base/hex.h"
#include "client/attestation/evidence.h"
#include "client/genesis/genesis_files.h"
#include "client/key_file.h"
#include "client/member_key.h"
#include "client/share/share_plain.h"
#include "protocol/genesis.h"

#include <stdio.h>
#include <string.h>

// The files of the genesis, verified by its attestation document.
static enum q_err read_genesis(const struct options *o, struct arena *a, struct genesis_output *g)
{
    VERIFICATION_AUTO v = {0};
    BUF_AUTO document = {0};
    struct genesis_paths paths;
    struct release release;
    struct claims claims;
    struct bytes role = BYTES_NONE;
    TRY(verification_start(o, &v));
    TRY(genesis_paths_in(options_value(o, "namespace-dir"), a, &paths));
    TRY(release_read(options_value(o, "qos-release-dir"), v.skip, &release));
    TRY(file_read_regular(paths.document, ATTESTATION_MAX_SIZE, &document));
    TRY(evidence_read(&v, buf_bytes(&document), a, &claims));
    TRY(genesis_files_read(&paths, a, g));
    if (!v.skip)
        TRY(role_read(options_value(o, "pcr3-preimage-path"), a, &role));
    return evidence_check_genesis(&v, &claims, g, &release, role);
}

static enum q_err find_own(const struct genesis_output *g, const char *alias,
                           const struct member_key *key, const struct genesis_member_output **own)
{
    const struct member me = {.alias = bytes_str(alias),
                              .pub_key = p256_public_bytes(member_key_public(key))};
    return err_context(genesis_output_find(g, &me, own),
                       "Could not find a member output associated with the setup key");
}

static enum q_err check_share(const struct genesis_member_output *own, const struct member_key *key)
{
    SECRET_AUTO share = {0};
    uint8_t hash[SHA512_SIZE];
    TRY(share_open(key, own->encrypted_share, "genesis output: own share", &share));
    TRY(sha512(secret_bytes(&share), hash));
    if (!bytes_equal(BYTES_OF(hash), BYTES_OF(own->share_hash)))
        return fail(Q_CRYPTO, "genesis output: own share: expected the hash the output names for "
                              "it, found another");
    return Q_OK;
}

static enum q_err after_genesis(const struct options *o)
{
    ARENA_AUTO a = {0};
    MEMBER_KEY_AUTO *key = NULL;
    OUTPUT_AUTO out = {.force = options_given(o, "force")};
    struct genesis_output g;
    const struct genesis_member_output *own;
    const char *share_path = options_value(o, "share-path");
    TRY(output_check(&out, share_path));
    TRY(member_key_read(o, &key));
    TRY(read_genesis(o, &a, &g));
    TRY(dr_key_announce(g.dr_key));
    TRY(find_own(&g, options_value(o, "alias"), key, &own));
    TRY(check_share(own, key));
    TRY(output_stage(&out, "Encrypted Quorum Share", share_path, own->encrypted_share,
                     OUTPUT_LASTING));
    return output_publish(&out);
}

static const struct option after_genesis_options[] = {
    OPTION_REQUIRED("share-path", "File for the member's share, still encrypted to the member"),
    OPTION_REQUIRED("alias", "Name of the member"),
    OPTION_REQUIRED("namespace-dir", "Folder with the files of the genesis"),
    OPTION_REQUIRED("qos-release-dir", "Folder with aws-x86_64.pcrs"),
    OPTION_REQUIRED("pcr3-preimage-path", "File with the role behind PCR3"),
    OPTION_OPTIONAL("validation-time-override",
                    "Unix seconds at which to check the attestation document's certificates"),
    OPTIONS_KEY,
    OPTIONS_VERIFY,
    OPTION_FORCE,
    OPTION_AUDIT,
};

const struct command command_after_genesis = {
    .name = "after-genesis",
    .run = after_genesis,
    .help = "As a member, verify the genesis and take the own share from it",
    COMMAND_OPTIONS(after_genesis_options),
    .audited = true,
    .secrets = true,
};

// SHA-512 of the seed's 64 hex characters is in the output, and so is the public key.
static enum q_err check_seed(const struct genesis_output *g, const struct p256_pair *quorum)
{
    SECRET_AUTO hex = {0};
    uint8_t hash[SHA512_SIZE];
    TRY(hex_encode_secret(p256_pair_seed(quorum), &hex));
    TRY(sha512(secret_bytes(&hex), hash));
    if (!bytes_equal(BYTES_OF(hash), BYTES_OF(g->quorum_key_hash)))
        return fail(Q_REFUSED,
                    "SecretDoesNotMatch: the seed is not the quorum key of this genesis");
    printf("Quorum key hash is correct\n");
    if (bytes_equal(p256_public_bytes(p256_pair_public(quorum)), g->quorum_key))
        return Q_OK;
    return fail(Q_REFUSED, "SecretDoesNotMatch: the seed has another public key than the genesis");
}

static enum q_err check_signature(const struct genesis_output *g, const struct p256_pair *quorum)
{
    uint8_t signature[P256_SIGNATURE_SIZE];
    TRY(err_context(
        p256_verify(p256_pair_public(quorum), g->test_message, g->test_message_signature),
        "InvalidSignature: test message"));
    printf("Quorum key signature over test message successfully verifies\n");
    TRY(p256_sign(quorum, g->test_message, signature));
    if (!bytes_equal(BYTES_OF(signature), g->test_message_signature))
        return fail(Q_REFUSED, "CouldNotReproduceSignature: test message: expected the signature "
                               "of the genesis, found another");
    printf("Quorum key signature over test message was deterministically reproduced\n");
    return Q_OK;
}

static enum q_err check_decryption(const struct genesis_output *g, const struct p256_pair *quorum)
{
    SECRET_AUTO plaintext = {0};
    TRY(err_context(p256_open(quorum, g->test_message_ciphertext, &plaintext),
                    "BadDecryption: test message"));
    if (!bytes_equal(secret_bytes(&plaintext), g->test_message))
        return fail(Q_REFUSED, "BadDecryption: expected the test message, found another text");
    printf("Successfully decrypted test message ciphertext\n");
    return Q_OK;
}

static enum q_err verify_genesis(const struct options *o)
{
    ARENA_AUTO a = {0};
    P256_PAIR_AUTO *quorum = NULL;
    struct genesis_paths paths;
    struct genesis_output g;
    TRY(genesis_paths_in(options_value(o, "namespace-dir"), &a, &paths));
    TRY(genesis_files_read(&paths, &a, &g));
    TRY(dr_key_announce(g.dr_key));
    TRY(err_context(seed_file_read(o, options_value(o, "master-seed-path"), &quorum),
                    "ErrorReadingSeed"));
    TRY(check_seed(&g, quorum));
    TRY(check_signature(&g, quorum));
    TRY(check_decryption(&g, quorum));
    printf("verify-genesis successful\n");
    return Q_OK;
}

static const struct option verify_genesis_options[] = {
    OPTION_REQUIRED("namespace-dir", "Folder with the files of the genesis"),
    OPTION_REQUIRED("master-seed-path", "The recovered quorum key"),
    OPTION_PASSPHRASE,
    OPTION_UNLOCKED,
    OPTION_AUDIT,
};

const struct command command_verify_genesis = {
    .name = "verify-genesis",
    .run = verify_genesis,
    .help = "Check a recovered quorum key against the files of its genesis",
    COMMAND_OPTIONS(verify_genesis_options),
    .audited = true,
    .secrets = true,
};
