// The simulated TEE (design "TEE providers"): a Nitro security module in this process, with real
// extend and lock rules, that signs genuine-looking documents with a local PKI and never hides that
// it is SIMULATED.
#include "base/log.h"
#include "base/random.h"
#include "tee/document.h"
#include "tee/provider.h"
#include "tee/sim_dir.h"
#include "tee/sim_measure.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOOT_REGISTERS 16 // locked from the start, as on Nitro

struct sim {
    struct tee tee; // first, see provider.h
    struct sim_pki pki;
    const struct clock *clock;
    char module_id[80];
    int binary; // the running program, until it is measured; -1 then, and for a mock
    uint64_t locked;
    struct register_value registers[TEE_REGISTERS];
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
    TRY(sim_measure_binary(s->binary, s->registers));
    (void)close(s->binary);
    s->binary = -1;
    return Q_OK;
}

static enum q_err check_index(unsigned index)
{
    if (index >= TEE_REGISTERS)
        return fail(Q_TEE, "InvalidIndex: expected a register below %d, found %u", TEE_REGISTERS,
                    index);
    return Q_OK;
}

static enum q_err sim_describe(struct tee *t, struct tee_description *out)
{
    *out = (struct tee_description){
        .sha384 = true, .register_count = TEE_REGISTERS, .locked = sim_of(t)->locked};
    return Q_OK;
}

static enum q_err sim_read(struct tee *t, unsigned index, struct register_state *out)
{
    struct sim *s = sim_of(t);
    TRY(check_index(index));
    TRY(measure(s));
    out->value = s->registers[index];
    out->locked = (s->locked >> index & 1U) != 0;
    return Q_OK;
}

static enum q_err sim_extend(struct tee *t, unsigned index, struct bytes data,
                             struct register_value *after)
{
    struct sim *s = sim_of(t);
    TRY(check_index(index));
    if ((s->locked >> index & 1U) != 0)
        return fail(Q_TEE, "ReadOnlyIndex: expected an unlocked register, found PCR%u locked",
                    index);
    TRY(measure(s));
    struct register_value *r = &s->registers[index];
    uint8_t extended[SHA384_SIZE];
    TRY(sha384_pair(bytes_of(r->value, r->n), data, extended));
    *r = (struct register_value){.present = true, .n = SHA384_SIZE};
    memcpy(r->value, extended, SHA384_SIZE);
    *after = *r;
    return Q_OK;
}

static enum q_err sim_lock(struct tee *t, unsigned end)
{
    if (end > TEE_REGISTERS)
        return fail(Q_TEE, "InvalidIndex: expected to lock at most %d registers, found %u",
                    TEE_REGISTERS, end);
    if (end > 0)
        sim_of(t)->locked |= UINT64_MAX >> (64 - end);
    return Q_OK;
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
    memcpy(d.registers, s->registers, sizeof s->registers);
    TRY(clock_ms(s->clock, &d.timestamp_ms));
    if (d.timestamp_ms <= 0)
        return fail(Q_TEE, "clock: expected a time after 1970, found %" PRId64 " ms",
                    d.timestamp_ms);
    return document_write(&d, secret_bytes(&s->pki.leaf_key), document);
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

static const struct tee_ops sim_ops = {
    .describe = sim_describe,
    .read = sim_read,
    .extend = sim_extend,
    .lock = sim_lock,
    .attest = sim_attest,
    .close = sim_close,
};

// Like "i-0f73a4b4cb74cc9f2-enc0192e4188fef781d", but nobody takes it for one.
static enum q_err name_module(struct sim *s, bool mock)
{
    uint64_t enclave = 0;
    uint8_t instance[SHA256_SIZE];
    TRY(random_bytes((uint8_t *)&enclave, sizeof enclave));
    TRY(sha256(buf_bytes(&s->pki.root), instance));
    if (mock)
        (void)snprintf(s->module_id, sizeof s->module_id, "mock_module_id");
    else
        (void)snprintf(s->module_id, sizeof s->module_id,
                       "i-%02x%02x%02x%02x-enc%016" PRIx64 "-simulated", instance[0], instance[1],
                       instance[2], instance[3], enclave);
    return Q_OK;
}

static enum q_err measure_role(struct sim *s, const struct tee_options *o,
                               const struct sim_dir *dir)
{
    ARENA_AUTO a = {0};
    struct bytes role = bytes_str(o->role);
    if (role.p == NULL)
        TRY(sim_dir_role(dir, &a, &role));
    return role_measurement(role, s->registers[MEASUREMENT_ROLE].value);
}

static enum q_err start_registers(struct sim *s, const struct tee_options *o,
                                  const struct sim_dir *dir)
{
    for (unsigned i = 0; i < TEE_REGISTERS; i++)
        s->registers[i] = (struct register_value){.present = true, .n = SHA384_SIZE};
    TRY(sim_lock(&s->tee, BOOT_REGISTERS));
    if (o->mock_pcrs != NULL)
        return sim_seed_registers(o->mock_pcrs, s->registers);
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
    TRY(name_module(s, o->mock || o->mock_pcrs != NULL));
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
