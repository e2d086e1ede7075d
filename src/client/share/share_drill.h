// A drill: who of a genesis has shown that the own share still opens (share check --all).
#ifndef QUORATE_CLIENT_SHARE_DRILL_H
#define QUORATE_CLIENT_SHARE_DRILL_H

#include "base/options.h"
#include "protocol/types.h"

enum drill_state { DRILL_PASSED, DRILL_FAILED, DRILL_MISSING };

struct drill_entry {
    struct bytes alias; // from others
    enum drill_state state;
    int64_t time_s;      // of a result; 0: opened here and now
    struct bytes detail; // how it was shown, or why not
};

struct drill {
    uint32_t needed;
    size_t passed, failed, missing;
    LIST_OF(struct drill_entry) entries; // in the order of the genesis
};

// For each member, in folder: <alias>.result, signed by the member; else <alias>.secret with
// <alias>.share, in folder itself, in <alias>-dir, or in member<N>-dir for the Nth member.
// o: says how protected secrets are opened (key_file.h).
enum q_err drill_run(const struct options *o, const struct genesis_output *g, const char *folder,
                     int64_t now_s, struct arena *a, struct drill *out);
// As a table; and Q_REFUSED unless nobody failed and as many as are needed passed.
enum q_err drill_print(const struct drill *d, int64_t now_s);
enum q_err drill_verdict(const struct drill *d);

#endif
