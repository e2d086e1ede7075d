// Chooses the provider, and what holds for all of them (design "TEE providers").
#include "base/hex.h"
#include "tee/document.h"
#include "tee/provider.h"

#include <string.h>
#include <unistd.h>

static const struct provider {
    const char *name;
    const char *device; // whose presence chooses it; NULL: chosen by name only
    enum q_err (*open)(const struct tee_options *options, struct tee **out);
} providers[] = {
    {"nitro", "/dev/nsm", nitro_open},
    {"snp", "/dev/sev-guest", snp_open},
    {"sim", NULL, sim_open},
};
#define PROVIDER_COUNT (sizeof providers / sizeof providers[0])

static enum q_err choose_by_name(const char *name, const struct provider **out)
{
    for (size_t i = 0; i < PROVIDER_COUNT; i++) {
        if (strcmp(providers[i].name, name) == 0) {
            *out = &providers[i];
            return Q_OK;
        }
    }
    return fail(Q_BAD_INPUT, "--tee: expected nitro, snp or sim, found %s", name);
}

static enum q_err choose_by_device(const struct provider **out)
{
    for (size_t i = 0; i < PROVIDER_COUNT; i++) {
        if (providers[i].device != NULL && access(providers[i].device, F_OK) == 0) {
            *out = &providers[i];
            return Q_OK;
        }
    }
    return fail(Q_TEE,
                "no trusted execution environment: expected /dev/nsm or /dev/sev-guest, found "
                "neither; for a simulated one, which protects nothing, give --tee sim");
}

static enum q_err choose(const struct tee_options *options, const struct provider **out)
{
    bool mock = options->mock || options->mock_pcrs != NULL;
    if (mock && options->provider != NULL && strcmp(options->provider, "sim") != 0)
        return fail(Q_BAD_INPUT, "--mock: expected --tee sim or none, found --tee %s",
                    options->provider);
    if (mock)
        return choose_by_name("sim", out);
    return options->provider != NULL ? choose_by_name(options->provider, out)
                                     : choose_by_device(out);
}

enum q_err tee_open(const struct tee_options *options, struct tee **out)
{
    *out = NULL;
    const struct provider *provider = NULL;
    TRY(choose(options, &provider));
    return err_context(provider->open(options, out), "TEE provider %s", provider->name);
}

void tee_close(struct tee **t)
{
    if (*t != NULL)
        (*t)->ops->close(*t);
    *t = NULL;
}

const char *tee_name(const struct tee *t)
{
    return t->name;
}

bool tee_simulated(const struct tee *t)
{
    return t->simulated;
}

bool tee_relaxed(const struct tee *t)
{
    return t->simulated && !t->in_machine;
}

struct bytes tee_root(const struct tee *t)
{
    return buf_bytes(&t->root);
}

static enum q_err check_length(const char *what, struct bytes value, size_t lowest, size_t highest)
{
    if (value.p != NULL && (value.n < lowest || value.n > highest))
        return fail(Q_LIMIT, "attestation: %s: expected %zu to %zu bytes, found %zu", what, lowest,
                    highest, value.n);
    return Q_OK;
}

enum q_err tee_attest(struct tee *t, struct bytes user_data, struct bytes nonce,
                      struct bytes public_key, struct buf *document)
{
    TRY(check_length("user data", user_data, 0, DOCUMENT_MAX_USER_DATA));
    TRY(check_length("nonce", nonce, 0, DOCUMENT_MAX_NONCE));
    TRY(check_length("public key", public_key, 1, DOCUMENT_MAX_PUBLIC_KEY));
    return t->ops->attest(t, user_data, nonce, public_key, document);
}

enum q_err tee_measurement(struct tee *t, unsigned index, struct buf *out)
{
    struct register_state state;
    TRY(t->ops->read(t, index, &state));
    return buf_append(out, bytes_of(state.value.value, state.value.n));
}

enum q_err tee_restart(struct tee *t)
{
    if (t->ops->restart == NULL)
        return fail(Q_UNSUPPORTED, "TEE %s: only whoever started this machine can start it anew",
                    t->name);
    return t->ops->restart(t);
}

enum q_err tee_print_measurements(struct tee *t, struct buf *out)
{
    for (unsigned i = 0; i < MEASUREMENT_COUNT; i++) {
        BUF_AUTO value = {0};
        TRY(tee_measurement(t, i, &value));
        TRY(hex_encode(buf_bytes(&value), out));
        TRY(buf_printf(out, " PCR%u\n", i));
    }
    return Q_OK;
}
