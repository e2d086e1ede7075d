// Showing claims (see claims_view.h).
#include "client/attestation/claims_view.h"

#include "base/hex.h"
#include "client/output.h"
#include "client/time_text.h"

#include <inttypes.h>
#include <stdio.h>

#define REGISTERS (sizeof((struct claims *)0)->registers / sizeof((struct claims *)0)->registers[0])

static struct bytes register_bytes(const struct register_value *r)
{
    return r->present ? bytes_of(r->value, r->n) : BYTES_NONE;
}

static void line(const char *name, const char *value)
{
    printf("%-14s %s\n", name, value == NULL ? "?" : value);
}

static enum q_err hex_line(const char *name, struct bytes value)
{
    BUF_AUTO hex = {0};
    if (value.p != NULL)
        TRY(hex_encode(value, &hex));
    line(name, value.p == NULL ? "none" : value.n == 0 ? "empty" : buf_text(&hex));
    return Q_OK;
}

static enum q_err print_times(const struct claims *c, int64_t now_s)
{
    BUF_AUTO made = {0}, valid = {0};
    if (c->timestamp_ms == 0) {
        TRY(buf_append_str(&made, "none"));
    } else {
        TRY(time_show(c->timestamp_ms / 1000, &made));
        TRY(buf_append_str(&made, ", age "));
        TRY(age_show(now_s - c->timestamp_ms / 1000, &made));
    }
    line("timestamp", buf_text(&made));
    if (c->not_after_s == 0)
        return Q_OK;
    TRY(time_show(c->not_before_s, &valid));
    TRY(buf_append_str(&valid, " to "));
    TRY(time_show(c->not_after_s, &valid));
    line("certificates", buf_text(&valid));
    return Q_OK;
}

static enum q_err root_print(const struct claims *c, struct buf *out)
{
    uint8_t print[SHA256_SIZE];
    TRY(sha256(c->root, print));
    return hex_encode(BYTES_OF(print), out);
}

static enum q_err print_root(const struct claims *c)
{
    BUF_AUTO text = {0};
    TRY(buf_append_str(&text, c->simulated ? "SIMULATED, SHA-256 " : "SHA-256 "));
    TRY(root_print(c, &text));
    line("root", buf_text(&text));
    return Q_OK;
}

static enum q_err print_platform(const struct platform *p)
{
    BUF_AUTO tcb = {0};
    const struct tcb *t = &p->tcb;
    if (p->product == NULL)
        return Q_OK;
    printf("%-14s %s, key of the %s, policy %" PRIx64 ", VMPL %u\n", "platform", p->product,
           p->cloud_key ? "cloud (VLEK)" : "chip (VCEK)", p->policy, p->vmpl);
    TRY(buf_printf(&tcb, "bootloader %u, tee %u, snp %u, microcode %u, fmc %u", t->bootloader,
                   t->tee, t->snp, t->microcode, t->fmc));
    line("TCB", buf_text(&tcb));
    return hex_line("host data", p->host_data);
}

// The registers that hold something, and how many are zero.
static enum q_err print_registers(const struct claims *c)
{
    size_t zero = 0;
    for (size_t i = 0; i < REGISTERS; i++) {
        char name[16];
        struct bytes value = register_bytes(&c->registers[i]);
        if (value.p == NULL)
            continue;
        if (bytes_is_zero(value) && i >= MEASUREMENT_COUNT) {
            zero++;
            continue;
        }
        (void)snprintf(name, sizeof name, "PCR%zu", i);
        TRY(hex_line(name, value));
    }
    printf("%-14s %zu of %zu PCRs are zero\n", "others", zero, c->register_count);
    return Q_OK;
}

enum q_err claims_print(const struct claims *c, int64_t now_s)
{
    BUF_AUTO module = {0};
    line("module", output_shown(c->module_id, &module));
    TRY(print_times(c, now_s));
    TRY(print_root(c));
    TRY(print_platform(&c->platform));
    line("debug mode", !c->debug                     ? "off"
                       : c->platform.product != NULL ? "ON: allowed by the policy"
                                                     : "ON: PCR0 is zero");
    TRY(hex_line("user data", c->user_data));
    TRY(hex_line("public key", c->public_key));
    TRY(hex_line("nonce", c->nonce));
    return print_registers(c);
}

static enum q_err put_registers(const struct claims *c, json_t *object)
{
    json_t *registers = json_object();
    TRY(json_put(object, "pcrs", registers));
    for (size_t i = 0; i < REGISTERS; i++) {
        char name[16];
        struct bytes value = register_bytes(&c->registers[i]);
        (void)snprintf(name, sizeof name, "%zu", i);
        if (value.p != NULL)
            TRY(json_put(registers, name, json_hex(value)));
    }
    return Q_OK;
}

static enum q_err put_platform(const struct platform *p, json_t *object)
{
    const struct tcb *t = &p->tcb;
    char policy[24];
    if (p->product == NULL)
        return Q_OK;
    json_t *platform = json_object();
    TRY(json_put(object, "platform", platform));
    json_t *tcb = json_object();
    TRY(json_put(platform, "tcb", tcb));
    (void)snprintf(policy, sizeof policy, "%016" PRIx64, p->policy);
    TRY(json_put(platform, "product", json_text(p->product)));
    TRY(json_put(platform, "key", json_text(p->cloud_key ? "VLEK" : "VCEK")));
    TRY(json_put(platform, "policy", json_text(policy)));
    TRY(json_put(platform, "vmpl", json_integer(p->vmpl)));
    TRY(json_put(platform, "hostData", json_hex(p->host_data)));
    TRY(json_put(tcb, "bootloader", json_integer(t->bootloader)));
    TRY(json_put(tcb, "tee", json_integer(t->tee)));
    TRY(json_put(tcb, "snp", json_integer(t->snp)));
    TRY(json_put(tcb, "microcode", json_integer(t->microcode)));
    return json_put(tcb, "fmc", json_integer(t->fmc));
}

static enum q_err put_all(const struct claims *c, int64_t now_s, json_t *object)
{
    BUF_AUTO root = {0};
    bool dated = c->not_after_s != 0, made = c->timestamp_ms != 0;
    TRY(root_print(c, &root));
    TRY(json_put(object, "moduleId", json_shown(c->module_id)));
    TRY(json_put(object, "timestamp", made ? json_time(c->timestamp_ms / 1000) : json_null()));
    TRY(json_put(object, "ageSeconds",
                 made ? json_integer(now_s - c->timestamp_ms / 1000) : json_null()));
    TRY(json_put(object, "notBefore", dated ? json_time(c->not_before_s) : json_null()));
    TRY(json_put(object, "notAfter", dated ? json_time(c->not_after_s) : json_null()));
    TRY(json_put(object, "debug", json_boolean(c->debug)));
    TRY(json_put(object, "simulated", json_boolean(c->simulated)));
    TRY(json_put(object, "rootSha256", json_text(buf_text(&root))));
    TRY(json_put(object, "publicKey", json_hex(c->public_key)));
    TRY(json_put(object, "userData", json_hex(c->user_data)));
    TRY(json_put(object, "nonce", json_hex(c->nonce)));
    TRY(put_platform(&c->platform, object));
    return put_registers(c, object);
}

enum q_err claims_json(const struct claims *c, int64_t now_s, json_t **out)
{
    TRY(json_tree_object(out));
    return put_all(c, now_s, *out);
}
