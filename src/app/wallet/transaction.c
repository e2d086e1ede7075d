// Signing with a derived key (see transaction.h).
#include "app/wallet/transaction.h"
#include "app/wallet/curve_rules.h"

enum q_err wallet_sign(enum wallet_curve curve, struct bytes private_key, enum signed_as as,
                       struct bytes message, struct wallet_signature *out)
{
    const struct curve_rules *rules = curve_rules_of(curve);
    *out = (struct wallet_signature){0};
    if (private_key.n != WALLET_PRIVATE_SIZE)
        return fail(Q_CRYPTO, "%s private key: expected %d bytes, found %zu", rules->name,
                    WALLET_PRIVATE_SIZE, private_key.n);
    if (as == SIGNED_AS_TRANSACTION && message.n == 0)
        return fail(Q_BAD_INPUT, "transaction: expected at least one byte, found none");
    bool fits = false;
    TRY(rules->fits(private_key.p, &fits));
    if (!fits)
        return fail(Q_CRYPTO, "%s private key: expected one from 1 to n - 1, found 0 or one >= n",
                    rules->name);
    struct wallet_signature made = {.public_size = rules->public_size};
    TRY(rules->public_key(private_key.p, made.public_key));
    TRY(rules->sign(private_key.p, as, message, &made));
    *out = made;
    return Q_OK;
}
