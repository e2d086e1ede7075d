// Arguments and environment of the application (see application.h).
#include "enclave/application.h"

#include <string.h>

static enum q_err as_text(struct arena *a, struct bytes in, char **out)
{
    void *memory;
    TRY(arena_alloc(a, in.n + 1, &memory));
    if (in.n > 0)
        memcpy(memory, in.p, in.n);
    *out = memory;
    return Q_OK;
}

static bool has_nul(struct bytes text)
{
    return text.n > 0 && memchr(text.p, '\0', text.n) != NULL;
}

// Room for n strings and the NULL that ends them; arenas hand out zeroes.
static enum q_err vector(struct arena *a, size_t n, char ***out)
{
    void *memory;
    TRY(arena_array(a, n + 1, sizeof(char *), &memory));
    *out = memory;
    return Q_OK;
}

static enum q_err arguments(const struct pivot_config *pivot, const char *path, struct arena *a,
                            struct application *out, struct protocol_error *why)
{
    size_t n = pivot->args.n;
    TRY(vector(a, n + 1, &out->arguments));
    TRY(as_text(a, bytes_str(path), &out->arguments[0]));
    for (size_t i = 0; i < n; i++) {
        if (has_nul(pivot->args.items[i]))
            return refuse(why, PE_FAILED_TO_PARSE_FROM_STRING,
                          "manifest: pivot argument %zu: expected no NUL byte in it", i + 1);
        TRY(as_text(a, pivot->args.items[i], &out->arguments[i + 1]));
    }
    return Q_OK;
}

// "name=value"
static enum q_err variable(struct arena *a, const struct env_var *v, char **out)
{
    BUF_AUTO text = {0};
    TRY(buf_append(&text, v->name));
    TRY(buf_u8(&text, '='));
    TRY(buf_append(&text, v->value));
    return as_text(a, buf_bytes(&text), out);
}

static enum q_err environment(const struct pivot_config *pivot, struct arena *a,
                              struct application *out, struct protocol_error *why)
{
    TRY(vector(a, pivot->env.n, &out->environment));
    for (size_t i = 0; i < pivot->env.n; i++) {
        const struct env_var *v = &pivot->env.items[i];
        if (has_nul(v->name) || has_nul(v->value))
            return refuse(why, PE_FAILED_TO_PARSE_FROM_STRING,
                          "manifest: pivot environment: expected no NUL byte in variable %zu",
                          i + 1);
        TRY(variable(a, v, &out->environment[i]));
    }
    return Q_OK;
}

static enum q_err served_ports(const struct pivot_config *pivot, struct arena *a,
                               struct application *out)
{
    void *memory;
    TRY(arena_array(a, pivot->bridges.n, sizeof(uint16_t), &memory));
    uint16_t *ports = memory;
    for (size_t i = 0; i < pivot->bridges.n; i++) {
        if (pivot->bridges.items[i].tag == BRIDGE_SERVER)
            ports[out->served_n++] = pivot->bridges.items[i].server.port;
    }
    out->served = ports;
    return Q_OK;
}

enum q_err application_from(const struct pivot_config *pivot, const char *path, uid_t uid,
                            struct arena *a, struct application *out, struct protocol_error *why)
{
    *out = (struct application){
        .restart = pivot->restart.tag == RESTART_ALWAYS, .debug = pivot->debug_mode, .uid = uid};
    TRY(arguments(pivot, path, a, out, why));
    out->path = out->arguments[0];
    TRY(served_ports(pivot, a, out));
    return environment(pivot, a, out, why);
}
