// What people read and answer before they sign anything of a resharing.
#ifndef QUORATE_CLIENT_RESHARE_REVIEW_H
#define QUORATE_CLIENT_RESHARE_REVIEW_H

#include "base/options.h"
#include "client/reshare/reshare_folder.h"

// Name, epoch, both share sets, role, key, recovery key, and what becomes of the old shares: Q_REFUSED at the
// first no. With --unsafe-auto-confirm nothing is asked; who gets shares or the whole key must have been compared
// (reshare_compare) then.
enum q_err reshare_review(const struct options *o, const struct planned *plan, struct bytes role);

// That old shares keep their power, and what to do about it: on stderr.
void reshare_warn(const struct reshare_plan *p);
// "reshare plan: <hash>": what members compare with each other; on stderr.
enum q_err reshare_show_hash(const char *what, const uint8_t hash[static SHA256_SIZE]);

#endif
