// What "doctor" finds: what is wrong, where, and the remedy, as a list for people and programs.
#ifndef QUORATE_CLIENT_FINDINGS_H
#define QUORATE_CLIENT_FINDINGS_H

#include "base/arena.h"
#include "client/json_tree.h"

enum finding_level {
    FINDING_ERROR,   // something does not work, or protects nothing
    FINDING_WARNING, // it works, and is not as it should be
    FINDING_NOTE,    // worth knowing; also what could not be found out
};
#define FINDING_LEVEL_COUNT 3

struct finding {
    enum finding_level level;
    const char *id;                   // stable: "placeholder-pcrs"
    struct bytes where, what, remedy; // text from others may be in it
};

#define FINDINGS_MAX 512
struct findings {
    struct arena *arena;
    struct finding items[FINDINGS_MAX];
    size_t n, counts[FINDING_LEVEL_COUNT];
};

// where and remedy are copied; remedy: an instruction, best a command; what: a sentence. What comes
// after FINDINGS_MAX is only counted.
enum q_err finding_add(struct findings *f, enum finding_level level, const char *id,
                       const char *where, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
bool finding_is_there(const struct findings *f, const char *id);

// Errors first. Then one line with the counts.
enum q_err findings_print(const struct findings *f);
// {"errors", "warnings", "findings": [{"level", "id", "where", "what", "remedy"}]}
enum q_err findings_print_json(const struct findings *f);
// Q_REFUSED when there is an error among them.
enum q_err findings_verdict(const struct findings *f);

#endif
