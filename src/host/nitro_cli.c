// The answers and errors of nitro-cli (see nitro_cli.h).
#include "host/nitro_cli.h"

#include "codec/json.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_SHOWN_MAX 700

static void release_json(json_t **j)
{
    json_decref(*j);
}
#define JSON_AUTO __attribute__((cleanup(release_json))) json_t

static const struct {
    int code;
    const char *remedy;
} remedies[] = {
    {18, "run as root or as a member of the group ne"},
    {19, "look at EIF_PATH and at who may read it"},
    {20, "lower CPU_COUNT, or raise cpu_count in /etc/nitro_enclaves/allocator.yaml"},
    {21, "lower CPU_COUNT, or raise cpu_count in /etc/nitro_enclaves/allocator.yaml"},
    {22, "lower CPU_COUNT, or raise cpu_count in /etc/nitro_enclaves/allocator.yaml and restart "
         "nitro-enclaves-allocator.service"},
    {26, "raise MEMORY_MIB: an enclave needs at least four times the size of its image"},
    {27, "raise memory_mib in /etc/nitro_enclaves/allocator.yaml and restart "
         "nitro-enclaves-allocator.service, or terminate what runs (nitro-cli describe-enclaves)"},
    {29, "look at /dev/nitro_enclaves, and whether an enclave with this CID runs: nitro-cli "
         "describe-enclaves"},
    {35, "EIF_PATH is not an image that this nitro-cli can read: build it again"},
    {36, "the image did not start: run with DEBUG=true and LOGS=true to see its console"},
    {39, "look at /var/log/nitro_enclaves and at who may write to /run/nitro_enclaves"},
    {44, "only an enclave in debug mode has a console: DEBUG=true"},
};

// The document begins at the first line that begins with a bracket; before it there may be messages.
static struct bytes document_of(struct bytes out)
{
    bool at_line = true;
    for (size_t i = 0; i < out.n; i++) {
        if (at_line && (out.p[i] == '{' || out.p[i] == '['))
            return bytes_of(out.p + i, out.n - i);
        at_line = out.p[i] == '\n';
    }
    return bytes_of(out.p, 0);
}

static bool is_id(const char *text, size_t n)
{
    if (n == 0 || n >= ENCLAVE_ID_SIZE || text[0] == '-')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)text[i]) && text[i] != '-')
            return false;
    }
    return true;
}

enum q_err nitro_read_started(struct bytes out, char id[static ENCLAVE_ID_SIZE])
{
    JSON_AUTO *answer = NULL;
    TRY(err_context(json_parse(document_of(out), &answer), "nitro-cli run-enclave: its answer"));
    const json_t *value = json_object_get(answer, "EnclaveID");
    const char *text = json_string_value(value);
    if (text == NULL || !is_id(text, json_string_length(value)))
        return fail(Q_BAD_INPUT, "nitro-cli run-enclave: expected an answer with an EnclaveID of "
                                 "letters, digits and dashes, found none");
    memcpy(id, text, json_string_length(value) + 1);
    return Q_OK;
}

static bool text_is(const json_t *object, const char *key, const char *expected)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL && strcmp(text, expected) == 0;
}

enum q_err nitro_read_running(struct bytes out, const char *id, bool *running)
{
    JSON_AUTO *answer = NULL;
    *running = false;
    TRY(err_context(json_parse(document_of(out), &answer),
                    "nitro-cli describe-enclaves: its answer"));
    if (!json_is_array(answer))
        return fail(Q_BAD_INPUT, "nitro-cli describe-enclaves: expected an array, found another "
                                 "JSON value");
    for (size_t i = 0; i < json_array_size(answer); i++) {
        const json_t *enclave = json_array_get(answer, i);
        if (text_is(enclave, "EnclaveID", id) && text_is(enclave, "State", "RUNNING"))
            *running = true;
    }
    return Q_OK;
}

// The number in the first "[ E26 ]"; -1: there is none.
static int code_of(struct bytes text)
{
    for (size_t i = 0; i + 5 < text.n; i++) {
        const char *at = (const char *)text.p + i;
        if (memcmp(at, "[ E", 3) == 0 && isdigit((unsigned char)at[3]) &&
            isdigit((unsigned char)at[4]))
            return (at[3] - '0') * 10 + (at[4] - '0');
    }
    return -1;
}

enum q_err nitro_error_text(struct bytes err, struct buf *out)
{
    struct bytes text = bytes_trim(err);
    if (text.n > ERROR_SHOWN_MAX)
        text.n = ERROR_SHOWN_MAX;
    for (size_t i = 0; i < text.n; i++)
        TRY(buf_u8(out, text.p[i] == '\n' ? ' ' : text.p[i]));
    if (text.n == 0)
        TRY(buf_append_str(out, "it gave no reason"));
    int code = code_of(err);
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++) {
        if (remedies[i].code == code)
            return buf_printf(out, " (%s)", remedies[i].remedy);
    }
    return Q_OK;
}
