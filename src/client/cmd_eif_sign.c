// eif sign, pcr3 and pcr4: the signer of an image, and the registers that no image has (nitro 1.1, 1.2).
#include "client/command.h"

#include "base/file.h"
#include "base/log.h"
#include "client/eif_view.h"
#include "client/text_file.h"
#include "client/time_text.h"

#include <stdio.h>
#include <string.h>

// Nitro starts no image whose certificate is not valid.
static enum q_err check_validity(const char *path, const struct eif_signer *s)
{
    int64_t now;
    BUF_AUTO from = {0}, to = {0};
    TRY(time_now_s(&now));
    if (s->not_before_s <= now && now <= s->not_after_s)
        return Q_OK;
    TRY(time_show(s->not_before_s, &from));
    TRY(time_show(s->not_after_s, &to));
    if (buf_text(&from) == NULL || buf_text(&to) == NULL)
        return Q_NOMEM;
    return fail(Q_REFUSED, "%s: expected a certificate that is valid now, found one from %s to %s",
                path, (const char *)from.p, (const char *)to.p);
}

static enum q_err sign_parts(const struct options *o, const struct eif_file *in,
                             struct buf *signature)
{
    SECRET_AUTO key = {0};
    BUF_AUTO pem = {0};
    struct eif_signer signer;
    const char *path = options_value(o, "certificate-path");
    TRY(file_read(path, EIF_CERTIFICATE_MAX, &pem));
    TRY(eif_signer_read(buf_bytes(&pem), path, &signer));
    TRY(check_validity(path, &signer));
    TRY(file_read_secret(options_value(o, "key-path"), EIF_KEY_MAX, &key));
    return eif_sign(&in->measurements, buf_bytes(&pem), &key, signature);
}

static enum q_err sign_image(const struct options *o, struct eif_file *made)
{
    EIF_FILE_AUTO in = {0};
    BUF_AUTO signature = {0};
    const char *path = options_value(o, "eif-path");
    TRY(eif_file_read(path, &in));
    if (in.is_signed)
        return fail(Q_REFUSED, "%s: expected an image that is not signed, found a signed one",
                    path);
    TRY(sign_parts(o, &in, &signature));
    struct eif_parts parts = in.image.parts;
    parts.signature = buf_bytes(&signature);
    TRY(eif_write(&parts, &made->file));
    return eif_file_examine(made);
}

static enum q_err eif_sign_command(const struct options *o)
{
    OUTPUT_AUTO out = {.force = options_given(o, "force")};
    EIF_FILE_AUTO made = {.file = {.limit = EIF_MAX_SIZE}};
    TRY(output_check(&out, options_value(o, "output-path")));
    TRY(sign_image(o, &made));
    TRY(output_stage(&out, options_given(o, "json") ? NULL : "Signed enclave image",
                     options_value(o, "output-path"), buf_bytes(&made.file), OUTPUT_LASTING));
    TRY(eif_stage_lines(o, &made, &out));
    TRY(output_publish(&out));
    return eif_print_measurements(o, &made);
}

static const struct option eif_sign_options[] = {
    OPTION_REQUIRED("eif-path", "The image, not signed"),
    OPTION_REQUIRED("certificate-path", "The signer's certificate (PEM, a P-384 key)"),
    OPTION_REQUIRED("key-path", "The certificate's private key (PEM), a file, FIFO or /dev/fd/N"),
    OPTION_REQUIRED("output-path", "File for the signed image"),
    OPTION_OPTIONAL("pcrs-path", "File for the measurements (aws-x86_64.pcrs of a release)"),
    OPTION_SWITCH("json", "Print one JSON object, like nitro-cli's"),
    OPTION_FORCE,
    OPTION_UNLOCKED,
};

const struct command command_eif_sign = {
    .name = "eif sign",
    .run = eif_sign_command,
    .help = "Sign an enclave's image; the enclave's documents then name the signer (PCR8)",
    COMMAND_OPTIONS(eif_sign_options),
    .secrets = true,
};

static enum q_err print_json(unsigned index, const uint8_t value[static SHA384_SIZE])
{
    JSON_AUTO *object = NULL;
    TRY(json_tree_object(&object));
    TRY(json_put(object, index == 3 ? "PCR3" : "PCR4", json_hex(bytes_of(value, SHA384_SIZE))));
    return json_print(object, false);
}

static enum q_err print_register(const struct options *o, unsigned index, struct bytes text)
{
    uint8_t value[SHA384_SIZE];
    BUF_AUTO line = {0};
    TRY(eif_extend_zero(text, value));
    if (options_given(o, "json"))
        return print_json(index, value);
    TRY(eif_register_line(index, value, &line));
    if (buf_text(&line) == NULL)
        return Q_NOMEM;
    (void)fputs((const char *)line.p, stdout);
    return Q_OK;
}

static enum q_err eif_pcr3(const struct options *o)
{
    ARENA_AUTO a = {0};
    struct bytes role;
    const char *text = options_value(o, "role"), *path = options_value(o, "pcr3-preimage-path");
    if ((text == NULL) == (path == NULL))
        return fail(Q_BAD_INPUT, "role: expected either --role or --pcr3-preimage-path, found %s",
                    text == NULL ? "neither" : "both");
    TRY(path == NULL ? role_parse(bytes_str(text), "--role", &role) : role_read(path, &a, &role));
    return print_register(o, 3, role);
}

static const struct option eif_pcr3_options[] = {
    OPTION_OPTIONAL("role", "ARN of the IAM role of the parent instance"),
    OPTION_OPTIONAL("pcr3-preimage-path", "File with that ARN, instead"),
    OPTION_SWITCH("json", "Print one JSON object"),
};

const struct command command_eif_pcr3 = {
    .name = "eif pcr3",
    .run = eif_pcr3,
    .help = "Print the PCR3 that a role gives an enclave",
    COMMAND_OPTIONS(eif_pcr3_options),
};

// "i-" and 8 or 17 hexadecimal digits, as AWS names instances.
static enum q_err check_instance(const char *id)
{
    size_t n = strlen(id);
    if (strncmp(id, "i-", 2) == 0 && (n == 10 || n == 19) &&
        strspn(id + 2, "0123456789abcdef") == n - 2)
        return Q_OK;
    BUF_AUTO shown = {0};
    return fail(Q_BAD_INPUT,
                "--instance-id: expected i- and 8 or 17 hexadecimal digits, found \"%s\"",
                output_shown(bytes_str(id), &shown));
}

static enum q_err eif_pcr4(const struct options *o)
{
    const char *id = options_value(o, "instance-id");
    TRY(check_instance(id));
    return print_register(o, 4, bytes_str(id));
}

static const struct option eif_pcr4_options[] = {
    OPTION_REQUIRED("instance-id", "Id of the parent instance, as i-0123456789abcdef0"),
    OPTION_SWITCH("json", "Print one JSON object"),
};

const struct command command_eif_pcr4 = {
    .name = "eif pcr4",
    .run = eif_pcr4,
    .help = "Print the PCR4 that a parent instance gives an enclave",
    COMMAND_OPTIONS(eif_pcr4_options),
};
