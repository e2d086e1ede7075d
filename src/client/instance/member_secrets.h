// The members' secrets that the generator writes: where they lie, and how those of an earlier run are kept
// (renclave 3.3, 4.1). Each is a seed in 64 hex characters, as everywhere in qos_client.
#ifndef QUORATE_CLIENT_MEMBER_SECRETS_H
#define QUORATE_CLIENT_MEMBER_SECRETS_H

#include "base/arena.h"
#include "client/output.h"
#include "crypto/shamir.h"

// Names are "<stem>memberN.secret".
struct secret_place {
    const char *stem; // "/tmp/genesis_request." or "keys/"
    int lock;         // on its folder, -1: none
};
// Beside the request (without its ".json"), or in keys_dir, which is made when it is not there; NULL: beside.
enum q_err secret_place_choose(const char *request, const char *keys_dir, struct arena *a,
                               struct secret_place *out);
// One run at a time in a folder: two of them at once would each keep what lay there before, and then replace each
// other's secrets. Waits, and says so.
enum q_err secret_place_lock(struct secret_place *p, struct arena *a);
void secret_place_unlock(struct secret_place *p);
enum q_err secret_path(const struct secret_place *p, const char *alias, struct arena *a,
                       const char **out);

// Secrets of an earlier run that got a second name, "<stem>memberN.<16 hex>.secret"; the hex are the first bytes of
// the SHA-256 of the public key that the secret is the scalar of, so that no two secrets share a name.
struct kept_secret {
    const char *path, *kept;
    bool made; // the second name is of this run
    bool gone; // no new secret takes the place of the first name
};
struct kept_secrets {
    struct kept_secret items[SHAMIR_MAX_SHARES];
    size_t n;
    bool done; // what was kept stays so
};
#define KEPT_SECRETS_AUTO __attribute__((cleanup(kept_secrets_undo))) struct kept_secrets

// Gives what is at memberN's path, for each N from 1 to SHAMIR_MAX_SHARES, its second name. Q_EXISTS for what is
// not a secret of ours, which is left alone. count: members that get a new secret.
enum q_err secrets_keep(const struct secret_place *p, uint32_t count, struct arena *a,
                        struct kept_secrets *out);
// After publication: first names that nothing new took are removed, and each kept secret is told.
enum q_err kept_secrets_done(struct kept_secrets *k);
void kept_secrets_undo(struct kept_secrets *k); // unless done

#endif
