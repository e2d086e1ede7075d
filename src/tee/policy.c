// The policy over claims, and its file (see policy.h).
#include "tee/policy.h"

#include "base/hex.h"
#include "codec/json.h"
#include "tee/amd_chain.h"

#include <stdio.h>

#define MAX_ROWS 1024

static const struct field image_fields[] = {
    FIELD(struct policy_image, value[MEASUREMENT_IMAGE], "image", &type_bytes),
    FIELD_MAYBE(struct policy_image, value[MEASUREMENT_BOOT], "boot", &type_bytes),
    FIELD_MAYBE(struct policy_image, value[MEASUREMENT_APPLICATION], "application", &type_bytes),
    FIELD_MAYBE(struct policy_image, value[MEASUREMENT_ROLE], "role", &type_bytes),
};
static const struct type type_image = {STRUCT(struct policy_image, "measurements", image_fields),
                                       .closed = true};

static const struct field tcb_fields[] = {
    FIELD(struct policy_tcb, product, "product", &type_text),
    FIELD(struct policy_tcb, bootloader, "bootloader", &type_u32),
    FIELD(struct policy_tcb, tee, "tee", &type_u32),
    FIELD(struct policy_tcb, snp, "snp", &type_u32),
    FIELD(struct policy_tcb, microcode, "microcode", &type_u32),
    FIELD(struct policy_tcb, fmc, "fmc", &type_u32),
};
static const struct type type_tcb = {STRUCT(struct policy_tcb, "minimum TCB", tcb_fields),
                                     .closed = true};

static const struct type type_texts = {LIST("providers", &type_text), .limit = MAX_ROWS};
static const struct type type_images = {LIST("measurements", &type_image), .limit = MAX_ROWS};
static const struct type type_tcbs = {LIST("minimumTcb", &type_tcb), .limit = MAX_ROWS};
static const struct type type_values = {LIST("hostData", &type_bytes), .limit = MAX_ROWS};

static const struct field policy_fields[] = {
    FIELD_OR_EMPTY(struct tee_policy, providers, "providers", &type_texts),
    FIELD_OR_EMPTY(struct tee_policy, measurements, "measurements", &type_images),
    FIELD_OR_EMPTY(struct tee_policy, minimum_tcb, "minimumTcb", &type_tcbs),
    FIELD_OR_EMPTY(struct tee_policy, host_data, "hostData", &type_values),
    FIELD_MAYBE(struct tee_policy, vmpl, "vmpl", &type_u32),
};
const struct type type_tee_policy = {STRUCT(struct tee_policy, "policy", policy_fields),
                                     .closed = true};

static enum q_err check_providers(const struct tee_policy *p)
{
    for (size_t i = 0; i < p->providers.n; i++) {
        struct bytes name = p->providers.items[i];
        if (!bytes_is(name, "nitro") && !bytes_is(name, "snp") && !bytes_is(name, "sim"))
            return fail(Q_BAD_INPUT,
                        "policy: providers[%zu]: expected nitro, snp or sim, found "
                        "another",
                        i);
    }
    return Q_OK;
}

static bool is_digest(struct bytes value)
{
    return value.n == SHA256_SIZE || value.n == SHA384_SIZE || value.n == SHA512_SIZE;
}

static enum q_err check_values(const struct tee_policy *p)
{
    for (size_t i = 0; i < p->measurements.n; i++) {
        for (size_t m = 0; m < MEASUREMENT_COUNT; m++) {
            struct bytes value = p->measurements.items[i].value[m];
            if (value.p != NULL && !is_digest(value))
                return fail(Q_BAD_INPUT,
                            "policy: measurements[%zu]: expected 32, 48 or 64 bytes, "
                            "found %zu",
                            i, value.n);
        }
    }
    for (size_t i = 0; i < p->host_data.n; i++) {
        if (p->host_data.items[i].n != SHA256_SIZE)
            return fail(Q_BAD_INPUT, "policy: hostData[%zu]: expected 32 bytes, found %zu", i,
                        p->host_data.items[i].n);
    }
    return Q_OK;
}

static const struct policy_tcb *row_of(const struct tee_policy *p, struct bytes product, size_t end)
{
    for (size_t i = 0; i < end; i++) {
        if (bytes_equal(p->minimum_tcb.items[i].product, product))
            return &p->minimum_tcb.items[i];
    }
    return NULL;
}

static enum q_err check_rows(const struct tee_policy *p)
{
    for (size_t i = 0; i < p->minimum_tcb.n; i++) {
        struct bytes product = p->minimum_tcb.items[i].product;
        if (amd_chain_of_product(product) == NULL)
            return fail(Q_BAD_INPUT,
                        "policy: minimumTcb[%zu]: expected Milan, Genoa or Turin, "
                        "found another product",
                        i);
        if (row_of(p, product, i) != NULL)
            return fail(Q_BAD_INPUT,
                        "policy: minimumTcb[%zu]: expected each product once, found "
                        "one twice",
                        i);
    }
    return Q_OK;
}

// One that is there and empty would be met by nothing, or by everything: its reader must not guess.
static enum q_err check_list(const char *name, const void *items, size_t n)
{
    if (items == NULL || n > 0)
        return Q_OK;
    return fail(Q_BAD_INPUT,
                "policy: %s: expected at least one, found none; leave it out to ask "
                "for nothing",
                name);
}

static enum q_err check_lists(const struct tee_policy *p)
{
    TRY(check_list("providers", p->providers.items, p->providers.n));
    TRY(check_list("measurements", p->measurements.items, p->measurements.n));
    TRY(check_list("minimumTcb", p->minimum_tcb.items, p->minimum_tcb.n));
    TRY(check_list("hostData", p->host_data.items, p->host_data.n));
    if (p->vmpl != NULL && *p->vmpl > 3)
        return fail(Q_BAD_INPUT, "policy: vmpl: expected 0 to 3, found %u", *p->vmpl);
    return Q_OK;
}

enum q_err policy_read(struct bytes json, struct arena *a, struct tee_policy *out)
{
    *out = (struct tee_policy){0};
    if (json.n > POLICY_MAX_SIZE)
        return fail(Q_LIMIT, "policy: expected at most %zu bytes, found %zu", POLICY_MAX_SIZE,
                    json.n);
    TRY(json_decode(&type_tee_policy, json, a, out));
    TRY(check_lists(out));
    TRY(check_providers(out));
    TRY(check_values(out));
    return check_rows(out);
}

static enum q_err check_provider(const struct tee_policy *p, const struct claims *c)
{
    const char *name = c->simulated ? "sim" : c->provider;
    if (p->providers.n == 0)
        return Q_OK;
    for (size_t i = 0; i < p->providers.n; i++) {
        if (bytes_is(p->providers.items[i], name))
            return Q_OK;
    }
    return fail(Q_REFUSED, "policy: expected evidence of an allowed provider, found %s", name);
}

static bool is_image(const struct policy_image *image, const struct claims *c)
{
    for (size_t m = 0; m < MEASUREMENT_COUNT; m++) {
        const struct register_value *found = &c->registers[m];
        if (image->value[m].p == NULL)
            continue;
        if (!found->present || !bytes_equal(image->value[m], bytes_of(found->value, found->n)))
            return false;
    }
    return true;
}

static enum q_err check_measurements(const struct tee_policy *p, const struct claims *c)
{
    BUF_AUTO hex = {0};
    const struct register_value *image = &c->registers[MEASUREMENT_IMAGE];
    if (p->measurements.n == 0)
        return Q_OK;
    for (size_t i = 0; i < p->measurements.n; i++) {
        if (is_image(&p->measurements.items[i], c))
            return Q_OK;
    }
    TRY(hex_encode(bytes_of(image->value, image->n), &hex));
    const char *text = buf_text(&hex);
    return fail(Q_REFUSED, "policy: expected one of %zu images, found another: %s",
                p->measurements.n, text == NULL ? "?" : text);
}

// The first number that is too low.
static enum q_err check_number(const char *name, unsigned found, uint32_t lowest)
{
    if (found >= lowest)
        return Q_OK;
    return fail(Q_REFUSED, "%s: expected at least %u, found %u", name, lowest, found);
}

static enum q_err check_numbers(const struct tcb *found, const struct policy_tcb *lowest)
{
    TRY(check_number("bootloader", found->bootloader, lowest->bootloader));
    TRY(check_number("tee", found->tee, lowest->tee));
    TRY(check_number("snp", found->snp, lowest->snp));
    TRY(check_number("microcode", found->microcode, lowest->microcode));
    return check_number("fmc", found->fmc, lowest->fmc);
}

// Firmware that was replaced while the guest ran is not what measured it: both must do.
static enum q_err check_tcb(const struct tee_policy *p, const struct platform *found)
{
    if (p->minimum_tcb.n == 0)
        return Q_OK;
    const struct policy_tcb *row = row_of(p, bytes_str(found->product), p->minimum_tcb.n);
    if (row == NULL)
        return fail(Q_REFUSED, "policy: TCB: expected a product with a minimum, found %s",
                    found->product);
    TRY(err_context(check_numbers(&found->tcb, row), "policy: TCB"));
    return err_context(check_numbers(&found->launch, row), "policy: TCB at the guest's start");
}

static enum q_err check_host_data(const struct tee_policy *p, const struct platform *found)
{
    if (p->host_data.n == 0)
        return Q_OK;
    for (size_t i = 0; i < p->host_data.n; i++) {
        if (bytes_equal(p->host_data.items[i], found->host_data))
            return Q_OK;
    }
    return fail(Q_REFUSED, "policy: host data: expected one of %zu, found another", p->host_data.n);
}

static enum q_err check_vmpl(const struct tee_policy *p, const struct platform *found)
{
    uint32_t expected = p->vmpl == NULL ? 0 : *p->vmpl;
    if (found->vmpl == expected)
        return Q_OK;
    return fail(Q_REFUSED, "policy: VMPL: expected %u, found %u", expected, found->vmpl);
}

enum q_err policy_check(const struct tee_policy *p, const struct claims *c)
{
    static const struct tee_policy by_default;
    const struct tee_policy *policy = p == NULL ? &by_default : p;
    if (!c->verified)
        return fail(Q_ATTESTATION, "policy: expected verified evidence, found evidence only read");
    TRY(check_provider(policy, c));
    TRY(check_measurements(policy, c));
    if (c->platform.product == NULL) // host data and firmware of which the evidence says nothing
        return Q_OK;
    TRY(check_tcb(policy, &c->platform));
    TRY(check_host_data(policy, &c->platform));
    return check_vmpl(policy, &c->platform);
}
