// Curves by name (see curve.h).
#include "app/wallet/curve.h"
#include "app/wallet/curve_rules.h"

#include "base/text.h"

#include <strings.h>

#define NAME_SHOWN 40

const struct curve_rules *curve_rules_of(enum wallet_curve curve)
{
    static const struct curve_rules *const rules[] = {
        [CURVE_SECP256K1] = &curve_rules_secp256k1,
        [CURVE_ED25519] = &curve_rules_ed25519,
        [CURVE_P256] = &curve_rules_p256,
    };
    return rules[curve];
}

static bool is_named(struct bytes name, const char *known)
{
    struct bytes text = bytes_str(known);
    return name.n == text.n && strncasecmp((const char *)name.p, known, name.n) == 0;
}

enum q_err curve_parse(struct bytes name, enum wallet_curve *out)
{
    static const struct {
        const char *name;
        enum wallet_curve curve;
    } names[] = {
        {"CURVE_SECP256K1", CURVE_SECP256K1},
        {"secp256k1", CURVE_SECP256K1},
        {"CURVE_ED25519", CURVE_ED25519},
        {"ed25519", CURVE_ED25519},
        {"CURVE_P256", CURVE_P256},
        {"p256", CURVE_P256},
        {"P-256", CURVE_P256},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (is_named(name, names[i].name)) {
            *out = names[i].curve;
            return Q_OK;
        }
    }
    BUF_AUTO shown = {0};
    TRY(text_display(bytes_of(name.p, name.n < NAME_SHOWN ? name.n : NAME_SHOWN), &shown));
    return fail(
        Q_BAD_INPUT,
        "curve: expected CURVE_SECP256K1, secp256k1, CURVE_ED25519, ed25519, CURVE_P256, p256 "
        "or P-256, found \"%s\"",
        buf_text(&shown));
}

const char *curve_name(enum wallet_curve curve)
{
    return curve_rules_of(curve)->name;
}

size_t curve_public_size(enum wallet_curve curve)
{
    return curve_rules_of(curve)->public_size;
}

enum q_err curve_check_public(enum wallet_curve curve, struct bytes public_key)
{
    const struct curve_rules *rules = curve_rules_of(curve);
    if (public_key.n != rules->public_size)
        return fail(Q_CRYPTO, "%s public key: expected %zu bytes, found %zu", rules->name,
                    rules->public_size, public_key.n);
    return rules->check_public(public_key);
}
