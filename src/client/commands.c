// The table of all commands, finding one by name, and help (qos-behaviour 1.1).
#include "client/command.h"

#include <string.h>

const struct command *const commands[] = {
    &command_generate_file_key,
    &command_boot_genesis,
    &command_after_genesis,
    &command_verify_genesis,
    &command_generate_manifest,
    &command_approve_manifest,
    &command_generate_manifest_envelope,
    &command_boot_standard,
    &command_get_attestation_doc,
    &command_proxy_re_encrypt_share,
    &command_post_share,
    &command_pivot_hash,
    &command_display,
    &command_host_health,
    &command_enclave_status,
    &command_enclave_version,
    &command_ceremony_status,
    &command_share_check,
    &command_attestation_verify,
    &command_attestation_show,
    &command_doctor,
    &command_bundle_out,
    &command_bundle_sign,
    &command_bundle_in,
    &command_audit_verify,
    &command_boot_key_fwd,
    &command_export_key,
    &command_inject_key,
    &command_reshare_plan,
    &command_reshare_approve,
    &command_reshare_boot,
    &command_reshare_attestation,
    &command_reshare_wrap_share,
    &command_reshare_post_share,
    &command_reshare_output,
    &command_reshare_take,
    &command_reshare_verify,
    &command_reshare_destroyed,
    &command_reshare_status,
    &command_get_ephemeral_key_hex,
    &command_dangerous_dev_boot,
    &command_shamir_split,
    &command_shamir_reconstruct,
    &command_json_to_borsh,
    &command_p256_sign,
    &command_p256_verify,
    &command_p256_asymmetric_encrypt,
    &command_p256_asymmetric_decrypt,
    &command_token_list,
    &command_token_provision,
    &command_token_public,
    &command_provision_yubikey,
    &command_advanced_provision_yubikey,
    &command_yubikey_sign,
    &command_yubikey_public,
    &command_yubikey_change_pin,
    &command_yubikey_piv_reset,
    &command_eif_build,
    &command_eif_describe,
    &command_eif_initramfs,
    &command_eif_sign,
    &command_eif_pcr3,
    &command_eif_pcr4,
    &command_instance_up,
    &command_instance_status,
    &command_instance_genesis,
    &command_instance_inject,
    &command_instance_approve,
    &command_instance_share_to,
    &command_instance_call,
};
const size_t commands_count = sizeof commands / sizeof commands[0];

#define NAME_MAX_SIZE 48 // of a typed name that is compared with ours

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < commands_count; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static bool is_two_words(const char *name, const char *first, const char *second)
{
    size_t n = strlen(first);
    return strncmp(name, first, n) == 0 && name[n] == ' ' && strcmp(name + n + 1, second) == 0;
}

const struct command *command_match(int words_count, char *const *words, int *taken)
{
    *taken = 1;
    const struct command *c = words_count > 0 ? command_find(words[0]) : NULL;
    if (c != NULL || words_count < 2)
        return c;
    *taken = 2;
    for (size_t i = 0; i < commands_count; i++) {
        if (is_two_words(commands[i]->name, words[0], words[1]))
            return commands[i];
    }
    return NULL;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

// Levenshtein: how many letters must be put in, taken out or changed.
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_SIZE + 1];
    size_t width = strlen(b);
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = smallest(row[j] + 1, row[j - 1] + 1, changed);
        }
    }
    return row[width];
}

const struct command *command_nearest(const char *typed)
{
    const struct command *nearest = NULL;
    size_t best = strlen(typed) / 3 + 1; // farther than that is another word
    size_t n = strlen(typed);
    if (n == 0 || n > NAME_MAX_SIZE)
        return NULL;
    for (size_t i = 0; i < commands_count; i++) {
        if (strncmp(commands[i]->name, typed, n) == 0 && commands[i]->name[n] == ' ')
            return commands[i]; // the first of a family, such as "attestation"
        size_t d = distance(typed, commands[i]->name);
        if (d > best || (d == best && nearest != NULL))
            continue;
        best = d;
        nearest = commands[i];
    }
    return nearest;
}

bool command_is_unreleased(const char *typed)
{
    static const char *const names[] = {
        "boot-reshard",          "generate-reshard-input",   "get-reshard-attestation-doc",
        "get-reshard-output",    "reshard-re-encrypt-share", "reshard-post-share",
        "verify-reshard-output",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], typed) == 0)
            return true;
    }
    return false;
}

enum q_err command_help_all(struct buf *out)
{
    size_t width = 0;
    for (size_t i = 0; i < commands_count; i++) {
        size_t n = strlen(commands[i]->name);
        width = n > width ? n : width;
    }
    TRY(buf_append_str(out, "Usage: qos_client COMMAND [--name value] [--flag]\n"
                            "       qos_client help COMMAND\n\nCommands:\n"));
    for (size_t i = 0; i < commands_count; i++)
        TRY(buf_printf(out, "  %-*s  %s\n", (int)width, commands[i]->name, commands[i]->help));
    return buf_append_str(out, "\nThe manual page qos_client(1) has examples.\n");
}

// "boot-genesis" is shown as "BootGenesis".
static enum q_err camel_case(const char *name, struct buf *out)
{
    bool start = true;
    for (; *name != '\0'; name++) {
        bool lower = *name >= 'a' && *name <= 'z';
        bool joint = *name == '-' || *name == ' ';
        if (!joint)
            TRY(buf_u8(out, (uint8_t)(start && lower ? *name - 'a' + 'A' : *name)));
        start = joint;
    }
    return Q_OK;
}

enum q_err command_help_one(const struct command *c, struct buf *out)
{
    TRY(buf_append_str(out, "Command: "));
    TRY(camel_case(c->name, out));
    TRY(buf_printf(out, "\n%s\n\n", c->help));
    return options_help(c->options, c->count, out);
}
