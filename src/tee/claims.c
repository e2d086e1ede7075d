// Verified claims against what is expected of an enclave, in the original's order and with its
// names in the error texts (qos-wire 7.3).
#include "base/hex.h"
#include "tee/policy.h"

#define LAST_REGISTER 31 // of those a committed enclave must show
#define FIRST_COMMITMENT_REGISTER 16

static struct bytes value_of(const struct register_value *r)
{
    return bytes_of(r->value, r->n);
}

// "Name { expected: "hex", actual: "hex" }"; a note in words may follow.
static enum q_err different(const char *name, struct bytes expected, struct bytes actual,
                            const char *note)
{
    BUF_AUTO expected_hex = {0}, actual_hex = {0};
    TRY(hex_encode(expected, &expected_hex));
    TRY(hex_encode(actual, &actual_hex));
    const char *e = buf_text(&expected_hex), *a = buf_text(&actual_hex);
    if (e == NULL || a == NULL)
        return fail(Q_NOMEM, "%s: no memory for the values", name);
    return fail(Q_ATTESTATION, "%s { expected: \"%s\", actual: \"%s\" }%s", name, e, a, note);
}

static enum q_err check_user_data(const struct claims *c, const struct expectation *e)
{
    if (c->user_data.p == NULL)
        return fail(Q_ATTESTATION, "MissingUserData: expected user data, found none");
    if (!bytes_equal(c->user_data, e->user_data))
        return different("DifferentUserData", e->user_data, c->user_data, "");
    return Q_OK;
}

static enum q_err check_measurement(const struct claims *c, const struct expectation *e,
                                    enum measurement m)
{
    static const char *const names[MEASUREMENT_COUNT] = {"DifferentPcr0", "DifferentPcr1",
                                                         "DifferentPcr2", "DifferentPcr3"};
    const struct register_value *found = &c->registers[m];
    if (!found->present)
        return fail(Q_ATTESTATION, "MissingPcr { index: %d }", (int)m);
    if (bytes_equal(value_of(found), e->measurements[m]))
        return Q_OK;
    return different(names[m], e->measurements[m], value_of(found),
                     c->debug ? " (the enclave runs in debug mode)" : "");
}

static enum q_err check_debug(const struct claims *c, const struct expectation *e)
{
    if (!c->debug || e->allow_debug)
        return Q_OK;
    return fail(Q_ATTESTATION,
                "debug mode: expected an enclave whose image is measured, found PCR0 "
                "all zero");
}

static enum q_err check_committed(const struct claims *c, const struct expectation *e)
{
    for (unsigned i = 0; i <= LAST_REGISTER; i++) {
        if (!c->registers[i].present)
            return fail(Q_ATTESTATION, "MissingPcr { index: %u }", i);
    }
    if (c->public_key.p == NULL)
        return fail(Q_ATTESTATION, "MissingPubKey: expected a public key, found none");
    uint8_t expected[SHA384_SIZE];
    TRY(commitment_register(e->commitment, e->manifest_hash, c->public_key, expected));
    unsigned index = FIRST_COMMITMENT_REGISTER + (unsigned)e->commitment;
    struct bytes found = value_of(&c->registers[index]);
    if (bytes_equal(found, BYTES_OF(expected)))
        return Q_OK;
    return different("DifferentPcr", BYTES_OF(expected), found,
                     index == FIRST_COMMITMENT_REGISTER ? " (PCR16)" : " (PCR17)");
}

enum q_err claims_check(const struct claims *c, const struct expectation *e)
{
    if (!c->verified)
        return fail(Q_ATTESTATION, "claims: expected verified evidence, found evidence only read");
    TRY(check_user_data(c, e));
    if (c->nonce.p != NULL)
        return fail(Q_ATTESTATION, "UnexpectedNonce: expected no nonce, found one of %zu bytes",
                    c->nonce.n);
    for (enum measurement m = MEASUREMENT_IMAGE; m < MEASUREMENT_COUNT; m++)
        TRY(check_measurement(c, e, m));
    TRY(check_debug(c, e));
    TRY(policy_check(e->policy, c));
    return e->committed ? check_committed(c, e) : Q_OK;
}
