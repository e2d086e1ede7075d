// The provider of AWS Nitro Enclaves (design "TEE providers", nitro 2 and 7): registers and
// evidence of /dev/nsm. What holds for every provider, such as the commit sequence, is not here.
#include "base/log.h"
#include "tee/nitro.h"

#include <stdlib.h>

struct nitro {
    struct tee tee; // first, see provider.h
    struct nsm_port *port;
};

static struct nsm_port *port_of(struct tee *t)
{
    return ((struct nitro *)t)->port;
}

static enum q_err nitro_describe(struct tee *t, struct tee_description *out)
{
    return nsm_describe(port_of(t), out);
}

static enum q_err nitro_read(struct tee *t, unsigned index, struct register_state *out)
{
    return nsm_describe_register(port_of(t), index, out);
}

static enum q_err nitro_extend(struct tee *t, unsigned index, struct bytes data,
                               struct register_value *after)
{
    return nsm_extend(port_of(t), index, data, after);
}

static enum q_err nitro_lock(struct tee *t, unsigned end)
{
    return nsm_lock_range(port_of(t), end);
}

static enum q_err nitro_attest(struct tee *t, struct bytes user_data, struct bytes nonce,
                               struct bytes public_key, struct buf *document)
{
    return nsm_attest(port_of(t), user_data, nonce, public_key, document);
}

static void nitro_close(struct tee *t)
{
    struct nsm_port *port = port_of(t);
    port->close(port);
    buf_free(&t->root);
    free(t);
}

static const struct tee_ops nitro_ops = {
    .describe = nitro_describe,
    .read = nitro_read,
    .extend = nitro_extend,
    .lock = nitro_lock,
    .attest = nitro_attest,
    .close = nitro_close,
};

static enum q_err say_debug_mode(struct tee *t)
{
    struct register_state image;
    TRY(nitro_read(t, MEASUREMENT_IMAGE, &image));
    if (bytes_is_zero(bytes_of(image.value.value, image.value.n)))
        log_warn("DEBUG MODE: PCR0 is zero; whoever runs this machine can read the enclave, and "
                 "clients refuse it");
    return Q_OK;
}

static enum q_err start(struct nitro *n, const char *pool)
{
    TRY(nitro_root(&n->tee.root, &n->tee.simulated));
    TRY(say_debug_mode(&n->tee));
    return nsm_fold_randomness(n->port, pool);
}

enum q_err nitro_open_port(struct nsm_port *port, const char *pool, struct tee **out)
{
    struct nitro *n = calloc(1, sizeof *n);
    if (n == NULL) {
        port->close(port);
        return fail(Q_NOMEM, "no memory for the Nitro provider");
    }
    *n = (struct nitro){.tee = {.ops = &nitro_ops, .name = "nitro", .in_machine = true},
                        .port = port};
    enum q_err err = start(n, pool);
    if (err != Q_OK)
        nitro_close(&n->tee);
    else
        *out = &n->tee;
    return err;
}

enum q_err nitro_open(const struct tee_options *options, struct tee **out)
{
    struct nsm_port *port;
    TRY(nsm_port_open(options->nsm_device != NULL ? options->nsm_device : NSM_DEVICE, &port));
    return nitro_open_port(port, "/dev/random", out);
}
