// The simulated TEE (design "TEE providers"): a Nitro security module in this process, with real
// extend and lock rules, that signs genuine-looking documents with a local PKI and never hides that
// it is SIMULATED.
#include "base/log.h"
#include "base/random.h"
#include "crypto/hkdf.h"
#include "tee/document.h"
#include "tee/registers.h"
#include "tee/seal.h"
#include "tee/sim_dir.h"
#include "tee/sim_measure.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sim {
    struct tee tee; // first, see provider.h
    struct sim_pki pki;
    const struct clock *clock;
    char module_id[80];
    bool mock;
    int binary; // the running program, until it is measured; -1 then, and for a mock
    struct registers registers;
};

static struct sim *sim_of(struct tee *t)
{
    return (struct sim *)t;
}

// Hashing the program takes milliseconds, so it waits until somebody looks.
static enum q_err measure(struct sim *s)
{
    if (s->binary < 0)
        return Q_OK;
    TRY(sim_measure_binary(s->binary, s->registers.value));
    (void)close(s->binary);
    s->binary = -1;
    return Q_OK;
}

static enum q_err sim_describe(struct tee *t, struct tee_description *out)
{
    registers_describe(&sim_of(t)->registers, out);
    return Q_OK;
}

static enum q_err sim_read(struct tee *t, unsigned index, struct register_state *out)
{
    struct sim *s = sim_of(t);
    TRY(registers_check_index(index));
    TRY(measure(s));
    return registers_read(&s->registers, index, out);
}

static enum q_err sim_extend(struct tee *t, unsigned index, struct bytes data,
                             struct register_value *after)
{
    struct sim *s = sim_of(t);
    TRY(registers_check_index(index));
    TRY(measure(s));
    return registers_extend(&s->registers, index, data, after);
}

static enum q_err sim_lock(struct tee *t, unsigned end)
{
    return registers_lock(&sim_of(t)->registers, end);
}

static enum q_err sim_attest(struct tee *t, struct bytes user_data, struct bytes nonce,
                             struct bytes public_key, struct buf *document)
{
    struct sim *s = sim_of(t);
    TRY(measure(s));
    struct document d = {
        .module_id = bytes_str(s->module_id),
        .register_count = TEE_REGISTERS,
        .certificate = buf_bytes(&s->pki.leaf),
        .cabundle = {buf_bytes(&s->pki.root), buf_bytes(&s->pki.intermediate)},
        .cabundle_count = 2,
        .public_key = public_key,
        .user_data = user_data,
        .nonce = nonce,
    };
    memcpy(d.registers, s->registers.value, sizeof s->registers.value);
    TRY(clock_ms(s->clock, &d.timestamp_ms));
    if (d.timestamp_ms <= 0)
        return fail(Q_TEE, "clock: expected a time after 1970, found %" PRId64 " ms",
                    d.timestamp_ms);
    return document_write(&d, secret_bytes(&s->pki.leaf_key), document);
}

// All that is measured of the program, in one; the machine is whoever has this PKI.
static enum q_err sim_seal_identity(struct tee *t, struct seal_identity *out)
{
    struct sim *s = sim_of(t);
    BUF_AUTO measured = {0};
    *out = (struct seal_identity){0};
    TRY(measure(s));
    for (unsigned i = 0; i < MEASUREMENT_ROLE; i++)
        TRY(buf_append(&measured, bytes_of(s->registers.value[i].value, s->registers.value[i].n)));
    TRY(sha384(buf_bytes(&measured), out->image));
    return sha256(buf_bytes(&s->pki.root), out->machine);
}

// As a processor would: from a key that never leaves the PKI, and what runs.
static enum q_err sim_seal_key(struct tee *t, uint64_t firmware, struct secret *out)
{
    struct seal_identity self;
    (void)firmware;
    TRY(sim_seal_identity(t, &self));
    TRY(secret_new(out, SEAL_KEY_SIZE));
    return hkdf_sha512(secret_bytes(&sim_of(t)->pki.leaf_key),
                       BYTES_LIT("quorate simulated sealing key"), BYTES_OF(self.image), out->p,
                       out->n);
}

static void sim_close(struct tee *t)
{
    struct sim *s = sim_of(t);
    if (s->binary >= 0)
        (void)close(s->binary);
    sim_pki_free(&s->pki);
    buf_free(&s->tee.root);
    free(s);
}

// Like "i-0f73a4b4cb74cc9f2-enc0192e4188fef781d", but nobody takes it for one.
static enum q_err name_module(struct sim *s)
{
    uint64_t enclave = 0;
    uint8_t instance[SHA256_SIZE];
    TRY(random_bytes((uint8_t *)&enclave, sizeof enclave));
    TRY(sha256(buf_bytes(&s->pki.root), instance));
    if (s->mock)
        (void)snprintf(s->module_id, sizeof s->module_id, "mock_module_id");
    else
        (void)snprintf(s->module_id, sizeof s->module_id,
                       "i-%02x%02x%02x%02x-enc%016" PRIx64 "-simulated", instance[0], instance[1],
                       instance[2], instance[3], enclave);
    return Q_OK;
}

// As if the machine had been switched off: no document says that it is the one from before.
static enum q_err sim_restart(struct tee *t)
{
    struct sim *s = sim_of(t);
    TRY(measure(s));
    TRY(name_module(s));
    registers_restart(&s->registers);
    return Q_OK;
}

static const struct tee_ops sim_ops = {
    .describe = sim_describe,
    .read = sim_read,
    .extend = sim_extend,
    .lock = sim_lock,
    .attest = sim_attest,
    .seal_identity = sim_seal_identity,
    .seal_key = sim_seal_key,
    .restart = sim_restart,
    .close = sim_close,
};

static enum q_err measure_role(struct sim *s, const struct tee_options *o,
                               const struct sim_dir *dir)
{
    ARENA_AUTO a = {0};
    struct bytes role = bytes_str(o->role);
    if (role.p == NULL)
        TRY(sim_dir_role(dir, &a, &role));
    return role_measurement(role, s->registers.value[MEASUREMENT_ROLE].value);
}

static enum q_err start_registers(struct sim *s, const struct tee_options *o,
                                  const struct sim_dir *dir)
{
    registers_start(&s->registers);
    if (o->mock_pcrs != NULL)
        return sim_seed_registers(o->mock_pcrs, s->registers.value);
    if (o->mock)
        return Q_OK;
    s->binary = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (s->binary < 0)
        return fail_os(errno, "/proc/self/exe: cannot be opened to measure it");
    return measure_role(s, o, dir);
}

static enum q_err start(struct sim *s, const struct tee_options *o)
{
    ARENA_AUTO a = {0};
    SIM_DIR_AUTO dir = {.lock = -1};
    int64_t now_ms = 0;
    TRY(clock_ms(s->clock, &now_ms));
    TRY(sim_dir_open(o->sim_dir, &a, &dir));
    TRY(sim_pki_load(&dir, now_ms / 1000, &s->pki));
    TRY(buf_append(&s->tee.root, buf_bytes(&s->pki.root)));
    s->mock = o->mock || o->mock_pcrs != NULL;
    TRY(name_module(s));
    TRY(start_registers(s, o, &dir));
    log_warn("SIMULATED TEE: no hardware protects the keys of this process (PKI in %s)", dir.path);
    return Q_OK;
}

enum q_err sim_open(const struct tee_options *options, struct tee **out)
{
    struct sim *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fail(Q_NOMEM, "no memory for the simulated TEE");
    s->tee = (struct tee){.ops = &sim_ops, .name = "sim", .simulated = true};
    s->clock = options->clock != NULL ? options->clock : &clock_wall;
    s->binary = -1;
    enum q_err err = start(s, options);
    if (err != Q_OK)
        sim_close(&s->tee);
    else
        *out = &s->tee;
    return err;
}
