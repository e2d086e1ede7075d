// Opening a share (see share_plain.h).
#include "client/share/share_plain.h"

enum q_err share_open(const struct member_key *member, struct bytes envelope, const char *what,
                      struct secret *out)
{
    TRY(err_context(member_key_open(member, envelope, out),
                    "%s: Failed to decrypt share with personal key", what));
    if (out->n != SHARE_PLAIN_SIZE)
        return fail(Q_CRYPTO, "%s: InvalidShare: expected %d bytes, found %zu", what,
                    SHARE_PLAIN_SIZE, out->n);
    if (out->p[0] == 0)
        return fail(Q_CRYPTO, "%s: InvalidShare: expected a share number above 0, found 0", what);
    return Q_OK;
}
