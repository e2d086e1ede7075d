// The environment variables and options of qos_enclave (see launcher_settings.h).
#include "host/launcher_settings.h"

#include "base/text.h"

#include <string.h>

// Below 4 are the hypervisor, this machine and the parent; the last is "any".
#define CID_FIRST 4u
#define CID_LAST 4294967294u
#define MEMORY_LAST_MIB (16u << 20)
#define CPUS_LAST 4096u

static const struct option table[] = {
    {.name = "nitro-cli",
     .kind = OPTION_VALUE,
     .fallback = "nitro-cli",
     .help = "the nitro-cli program: a path, or a name in PATH"},
    {.name = "health-ip",
     .kind = OPTION_VALUE,
     .fallback = "0.0.0.0",
     .help = "IPv4 address of the health service"},
    {.name = "health-port",
     .kind = OPTION_VALUE,
     .fallback = "8080",
     .help = "TCP port of the health service (0: any; a line in the log names it)"},
    {.name = "ask-timeout",
     .kind = OPTION_VALUE,
     .fallback = "5000",
     .help = "milliseconds that nitro-cli describe-enclaves may take"},
    {.name = "stop-timeout",
     .kind = OPTION_VALUE,
     .fallback = "8000",
     .help = "milliseconds that the end may take after a signal"},
    {.name = "run-folder",
     .kind = OPTION_VALUE,
     .fallback = "/run/nitro_enclaves",
     .help = "folder of nitro-cli's sockets, made when it is missing"},
    {.name = "qemu",
     .kind = OPTION_VALUE,
     .fallback = "qemu-system-x86_64",
     .help = "QEMU, for QUORATE_LAUNCHER=qemu"},
    {.name = "vhost-device-vsock",
     .kind = OPTION_VALUE,
     .fallback = "vhost-device-vsock",
     .help = "vhost-device-vsock, for QUORATE_LAUNCHER=qemu"},
};
#define COUNT (sizeof table / sizeof *table)

static const char variables[] =
    "\nEnvironment:\n"
    "\tEIF_PATH          image to run [default: /aws-x86_64.eif]\n"
    "\tENCLAVE_CID       vsock context id of the enclave [default: 16]\n"
    "\tMEMORY_MIB        its memory [default: 1024]\n"
    "\tCPU_COUNT         its processors [default: 2]\n"
    "\tDEBUG             true: debug mode, all measurements zero [default: false]\n"
    "\tLOGS              true: log the enclave's console, with DEBUG=true only [default: false]\n"
    "\tENCLAVE_NAME      [default: nitro]\n"
    "\tRUST_LOG          lowest level that is logged: off, error, warn, info, debug or trace "
    "[default: info]\n"
    "\tQUORATE_LAUNCHER  nitro, or qemu for development, which protects nothing [default: nitro]\n";

struct environment {
    char *(*get)(const char *name);
};

static const char *value_of(struct environment e, const char *name, const char *fallback)
{
    const char *value = e.get(name);
    return value != NULL ? value : fallback;
}

static enum q_err read_number(struct environment e, const char *name, uint32_t fallback,
                              uint32_t lowest, uint32_t highest, uint32_t *out)
{
    const char *value = e.get(name);
    uint32_t v = fallback;
    if (value != NULL && text_u32(bytes_str(value), &v) != Q_OK)
        v = 0;
    if (v < lowest || v > highest)
        return fail(Q_BAD_INPUT, "%s: expected a number from %u to %u, found \"%s\"", name, lowest,
                    highest, value);
    *out = v;
    return Q_OK;
}

static enum q_err read_bool(struct environment e, const char *name, bool *out)
{
    const char *value = value_of(e, name, "false");
    *out = strcmp(value, "true") == 0;
    if (!*out && strcmp(value, "false") != 0)
        return fail(Q_BAD_INPUT, "%s: expected true or false, found \"%s\"", name, value);
    return Q_OK;
}

// They become words of another program's command line, where a leading dash has a meaning.
static enum q_err read_word(struct environment e, const char *name, const char *fallback,
                            const char **out)
{
    *out = value_of(e, name, fallback);
    if (**out == '\0' || **out == '-')
        return fail(Q_BAD_INPUT, "%s: expected text that does not begin with a dash, found \"%s\"",
                    name, *out);
    return Q_OK;
}

static enum q_err read_level(struct environment e, enum log_level *out)
{
    static const struct {
        const char *name;
        enum log_level level;
    } levels[] = {{"off", LOG_ERROR}, {"error", LOG_ERROR}, {"warn", LOG_WARN},  {"info", LOG_INFO},
                  {"", LOG_INFO},     {"debug", LOG_DEBUG}, {"trace", LOG_DEBUG}};
    const char *value = value_of(e, "RUST_LOG", "info");
    *out = LOG_INFO; // filters by module are the original's own matter
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (strcmp(value, levels[i].name) == 0)
            *out = levels[i].level;
    }
    return Q_OK;
}

static enum q_err read_machine(struct environment e, enum machine_kind *out)
{
    const char *value = value_of(e, "QUORATE_LAUNCHER", "nitro");
    *out = strcmp(value, "qemu") == 0 ? MACHINE_QEMU : MACHINE_NITRO;
    if (*out == MACHINE_NITRO && strcmp(value, "nitro") != 0)
        return fail(Q_BAD_INPUT, "QUORATE_LAUNCHER: expected nitro or qemu, found \"%s\"", value);
    return Q_OK;
}

static enum q_err read_environment(struct environment e, struct launcher_settings *out)
{
    TRY(read_word(e, "EIF_PATH", "/aws-x86_64.eif", &out->eif_path));
    TRY(read_number(e, "ENCLAVE_CID", 16, CID_FIRST, CID_LAST, &out->cid));
    TRY(read_number(e, "MEMORY_MIB", 1024, 1, MEMORY_LAST_MIB, &out->memory_mib));
    TRY(read_number(e, "CPU_COUNT", 2, 1, CPUS_LAST, &out->cpu_count));
    TRY(read_bool(e, "DEBUG", &out->debug));
    TRY(read_bool(e, "LOGS", &out->logs));
    TRY(read_word(e, "ENCLAVE_NAME", "nitro", &out->name));
    TRY(text_check_name("ENCLAVE_NAME", bytes_str(out->name), false));
    TRY(read_level(e, &out->log_level));
    return read_machine(e, &out->machine);
}

static enum q_err read_options(const struct options *o, struct launcher_settings *out)
{
    out->health.kind = ADDRESS_TCP;
    TRY(err_context(address_ipv4(options_value(o, "health-ip"), &out->health.ip), "--health-ip"));
    TRY(options_u32(o, "health-port", 0, UINT16_MAX, &out->health.port));
    TRY(options_u32(o, "ask-timeout", 1, 600000, &out->ask_ms));
    TRY(options_u32(o, "stop-timeout", 1, 600000, &out->stop_ms));
    out->run_folder = options_value(o, "run-folder");
    out->nitro_cli = options_value(o, "nitro-cli");
    out->qemu = options_value(o, "qemu");
    out->vsock_device = options_value(o, "vhost-device-vsock");
    return Q_OK;
}

enum q_err launcher_settings_read(int words_count, char *const *words,
                                  char *(*environment)(const char *name),
                                  struct launcher_settings *out)
{
    struct options o;
    *out = (struct launcher_settings){.log_level = LOG_INFO};
    TRY(options_parse(table, COUNT, words_count, words, &o));
    out->help = o.help;
    out->version = o.version;
    if (o.help || o.version)
        return Q_OK;
    TRY(read_options(&o, out));
    return read_environment((struct environment){environment}, out);
}

enum q_err launcher_settings_help(struct buf *out)
{
    TRY(options_help(table, COUNT, out));
    return buf_append_str(out, variables);
}
