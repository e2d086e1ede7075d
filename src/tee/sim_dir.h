// The folder that holds the simulated TEE: its PKI and role.txt. Two processes may meet here on
// first use, so whoever reads or fills it holds its lock. Internal to this room.
#ifndef QUORATE_TEE_SIM_DIR_H
#define QUORATE_TEE_SIM_DIR_H

#include "base/arena.h"
#include "base/secret.h"

struct sim_dir {
    const char *path;
    int lock; // the folder itself, locked; -1: none
};
#define SIM_DIR_AUTO __attribute__((cleanup(sim_dir_close))) struct sim_dir

// path NULL: $XDG_STATE_HOME/quorate/sim, else ~/.local/state/quorate/sim. Made (0700) when it is
// not there. Waits for another process that holds the lock.
enum q_err sim_dir_open(const char *path, struct arena *a, struct sim_dir *out);
void sim_dir_close(struct sim_dir *d);

// The role: the first line of role.txt, which is written with the default when it is not there.
#define SIM_DEFAULT_ROLE "arn:aws:iam::000000000000:role/quorate-simulated"
enum q_err sim_dir_role(const struct sim_dir *d, struct arena *a, struct bytes *out);

// The PKI: certificates in DER and the leaf's P-384 scalar. Generated when none of it is there; an
// error when only a part is. A PKI made elsewhere needs no keys but the leaf's.
struct sim_pki {
    struct buf root, intermediate, leaf;
    struct secret leaf_key;
};
enum q_err sim_pki_load(const struct sim_dir *d, int64_t now_s, struct sim_pki *out);
void sim_pki_free(struct sim_pki *p);

// A new one: root (10 years, critical quorate-simulated extension), intermediate, leaf. Also with
// the keys of both authorities, so that tests can issue certificates.
struct sim_pki_new {
    struct sim_pki pki;
    struct secret root_key, intermediate_key;
};
enum q_err sim_pki_generate(int64_t now_s, struct sim_pki_new *out);
void sim_pki_new_free(struct sim_pki_new *p);

#endif
