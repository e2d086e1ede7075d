// The commands of qos_client. A command is one struct beside the function that runs it, in the file
// of its family; commands.c has the table of them all, and main.c what happens to the words on the
// command line.
#ifndef QUORATE_CLIENT_COMMAND_H
#define QUORATE_CLIENT_COMMAND_H

#include "base/options.h"

struct command {
    const char *name; // "boot-genesis", or two words: "share check"
    enum q_err (*run)(const struct options *o);
    const char *help; // one line
    const struct option *options;
    size_t count;
    bool secrets; // holds keys or shares: starts only where memory can be locked
    bool audited; // a step of a ceremony: leaves an event in the audit log (client/audit_trail.h)
};

#define COMMAND_OPTIONS(table) .options = table, .count = sizeof table / sizeof table[0]

extern const struct command command_generate_file_key, command_pivot_hash, command_boot_genesis,
    command_after_genesis, command_verify_genesis, command_generate_manifest,
    command_approve_manifest, command_generate_manifest_envelope, command_boot_standard,
    command_get_attestation_doc, command_proxy_re_encrypt_share, command_post_share,
    command_host_health, command_enclave_status, command_enclave_version, command_display,
    command_ceremony_status, command_share_check, command_attestation_verify,
    command_attestation_show, command_doctor, command_bundle_out, command_bundle_sign,
    command_bundle_in, command_audit_verify;
extern const struct command command_boot_key_fwd, command_export_key, command_inject_key;

extern const struct command command_reshare_plan, command_reshare_approve, command_reshare_boot,
    command_reshare_attestation, command_reshare_wrap_share, command_reshare_post_share,
    command_reshare_output, command_reshare_take, command_reshare_verify, command_reshare_destroyed,
    command_reshare_status;

extern const struct command command_get_ephemeral_key_hex, command_dangerous_dev_boot,
    command_shamir_split, command_shamir_reconstruct, command_json_to_borsh, command_p256_sign,
    command_p256_verify, command_p256_asymmetric_encrypt, command_p256_asymmetric_decrypt;
extern const struct command command_token_list, command_token_provision, command_token_public,
    command_provision_yubikey, command_advanced_provision_yubikey, command_yubikey_sign,
    command_yubikey_public, command_yubikey_change_pin, command_yubikey_piv_reset;
extern const struct command command_eif_build, command_eif_describe, command_eif_initramfs,
    command_eif_sign, command_eif_pcr3, command_eif_pcr4;

extern const struct command command_instance_up, command_instance_status, command_instance_genesis,
    command_instance_inject, command_instance_approve, command_instance_share_to,
    command_instance_call;

extern const struct command *const commands[];
extern const size_t commands_count;

const struct command *command_find(const char *name); // NULL: there is none
// The command that the first word names, or the first two together; *taken says how many. NULL:
// there is none.
const struct command *command_match(int words_count, char *const *words, int *taken);
// The command whose name is nearest to what was typed, or the first one that begins with that word;
// NULL when none is near.
const struct command *command_nearest(const char *typed);
// Whether QuorumOS's branch v0.4.1, which was never released, had a command of this name.
bool command_is_unreleased(const char *typed);

// "help" of the whole program, and of one command ("Command: BootGenesis", then its options).
enum q_err command_help_all(struct buf *out);
enum q_err command_help_one(const struct command *c, struct buf *out);

// Runs the program; what main returns.
int client_main(int argc, char *const *argv);
// The same for a program that is one command; words come after its name.
int client_run(const struct command *c, int words_count, char *const *words);
void client_begin(const char *program); // the log, and how standard output is buffered

// Groups of options that several commands share (qos-behaviour 1.2).
#define OPTION_REQUIRED(option_name, text)                                                         \
    {                                                                                              \
        .name = option_name, .kind = OPTION_VALUE, .required = true, .help = text                  \
    }
#define OPTION_OPTIONAL(option_name, text)                                                         \
    {                                                                                              \
        .name = option_name, .kind = OPTION_VALUE, .help = text                                    \
    }
#define OPTION_SWITCH(option_name, text)                                                           \
    {                                                                                              \
        .name = option_name, .kind = OPTION_FLAG, .help = text                                     \
    }
#define OPTIONS_HOST                                                                               \
    OPTION_REQUIRED("host-ip", "Address or name of the machine qos_host runs on"),                 \
        OPTION_REQUIRED("host-port", "Port qos_host listens on"),                                  \
    {                                                                                              \
        .name = "endpoint-base-path", .kind = OPTION_VALUE, .fallback = "qos",                     \
        .help = "First part of the path in qos_host's URLs"                                        \
    }
// The same for commands that also work without a host.
#define OPTIONS_HOST_MAYBE                                                                         \
    {.name = "host-ip",                                                                            \
     .kind = OPTION_VALUE,                                                                         \
     .requires_ = "host-port",                                                                     \
     .help = "Address or name of the machine qos_host runs on"},                                   \
        {.name = "host-port",                                                                      \
         .kind = OPTION_VALUE,                                                                     \
         .requires_ = "host-ip",                                                                   \
         .help = "Port qos_host listens on"},                                                      \
    {                                                                                              \
        .name = "endpoint-base-path", .kind = OPTION_VALUE, .fallback = "qos",                     \
        .help = "First part of the path in qos_host's URLs"                                        \
    }
#define OPTIONS_TRUST                                                                              \
    OPTION_OPTIONAL(                                                                               \
        "attestation-root-path",                                                                   \
        "Root certificate of AMD or of a simulated TEE, not the AWS Nitro root (also: "            \
        "QUORATE_ATTESTATION_ROOT)"),                                                              \
        OPTION_SWITCH("unsafe-any-attestation-root",                                               \
                      "Accept that root even when it does not say that it is simulated")
#define OPTIONS_VERIFY                                                                             \
    OPTIONS_TRUST,                                                                                 \
        OPTION_SWITCH("unsafe-skip-attestation", "Do not verify the attestation document at all"), \
        OPTION_SWITCH("unsafe-allow-debug",                                                        \
                      "Accept an enclave in debug mode, whose memory its operator can read")
#define OPTION_UNLOCKED                                                                            \
    OPTION_SWITCH("allow-unlocked-memory",                                                         \
                  "Work on where memory that holds secrets cannot be locked")
#define OPTION_PASSPHRASE                                                                          \
    {                                                                                              \
        .name = "passphrase-path", .kind = OPTION_VALUE,                                           \
        .help = "Passphrase of a protected secret: a file, FIFO or /dev/fd/N [default: asked for]" \
    }
#define OPTION_PIN                                                                                 \
    OPTION_OPTIONAL("current-pin-path",                                                            \
                    "PIN of the token: the first line of a file, FIFO or /dev/fd/N [default: "     \
                    "asked for]")
// Which token, and which of its keys, beside --pkcs11-module.
#define OPTIONS_TOKEN_KEYS                                                                         \
    {.name = "token-uri",                                                                          \
     .kind = OPTION_VALUE,                                                                         \
     .requires_ = "pkcs11-module",                                                                 \
     .help = "The token, as a PKCS#11 URI (RFC 7512); needed when there are several"},             \
        {.name = "encryption-key",                                                                 \
         .kind = OPTION_VALUE,                                                                     \
         .requires_ = "pkcs11-module",                                                             \
         .fallback = "quorum-encryption",                                                          \
         .help = "Label, or id:HEX, of the key that decrypts"},                                    \
    {                                                                                              \
        .name = "signing-key", .kind = OPTION_VALUE, .requires_ = "pkcs11-module",                 \
        .fallback = "quorum-signing", .help = "Label, or id:HEX, of the key that signs"            \
    }
#define YUBIKEY_MODULE_HELP "PKCS#11 module that reaches a YubiKey [default: ykcs11]"
#define OPTIONS_KEY                                                                                \
    {.name = "secret-path",                                                                        \
     .kind = OPTION_VALUE,                                                                         \
     .forbids = "yubikey,pkcs11-module",                                                           \
     .help = "Master seed of the member, a file, FIFO or /dev/fd/N"},                              \
        {.name = "yubikey",                                                                        \
         .kind = OPTION_FLAG,                                                                      \
         .forbids = "secret-path,pkcs11-module",                                                   \
         .help = "Use the member's YubiKey, PIV slots 9c and 9d"},                                 \
        {.name = "pkcs11-module",                                                                  \
         .kind = OPTION_VALUE,                                                                     \
         .forbids = "secret-path,yubikey",                                                         \
         .help = "Use the member's token that this PKCS#11 module (a shared library) reaches"},    \
        {.name = "yubikey-module",                                                                 \
         .kind = OPTION_VALUE,                                                                     \
         .requires_ = "yubikey",                                                                   \
         .help = YUBIKEY_MODULE_HELP},                                                             \
        OPTIONS_TOKEN_KEYS, OPTION_PIN, OPTION_PASSPHRASE, OPTION_UNLOCKED
#define OPTION_AUDIT                                                                               \
    OPTION_OPTIONAL("audit-log", "Record what is done in this file (also: QUORATE_AUDIT_LOG)")
#define OPTION_FORCE OPTION_SWITCH("force", "Replace files that are there already")
#define OPTION_IGNORED(option_name)                                                                \
    {                                                                                              \
        .name = option_name, .kind = OPTION_VALUE, .fallback = "none", .ignored = true,            \
        .help = "Of an older release; has no effect"                                               \
    }

#endif
