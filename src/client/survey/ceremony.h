// What "ceremony status" makes of a survey: one row per member, what the ceremony waits for, and
// what to type next.
#ifndef QUORATE_CLIENT_CEREMONY_H
#define QUORATE_CLIENT_CEREMONY_H

#include "base/options.h"
#include "client/survey/survey.h"

enum answer { UNKNOWN, NO, YES };

// A member is an alias with a key, so the same alias with two keys has two rows.
struct ceremony_row {
    struct member member;       // from others; the key is absent where its file cannot be read
    enum answer key;            // in the share set folder
    enum answer share;          // has an entry in the genesis output
    bool may_approve, may_post; // of the newest manifest's, or the enclave's, sets
    const struct found_approval *approval; // the best of this member; NULL: none
    enum answer posted;                    // a share to the enclave
};

struct ceremony_step {
    struct bytes who;     // "operator", or an alias, which is from others
    const char *what;     // in words
    struct bytes command; // a whole line for a shell; p == NULL: there is none
};
#define CEREMONY_STEPS_MAX 64
#define CEREMONY_NOTES_MAX 64

struct ceremony {
    const struct survey *survey;
    LIST_OF(struct ceremony_row) rows;
    const char *waits_for;
    struct ceremony_step steps[CEREMONY_STEPS_MAX];
    size_t steps_count;
    struct bytes no_steps_why; // a name that cannot be put into a command; p == NULL: none
    // What else a reader should know; text from others is in it.
    struct bytes notes[CEREMONY_NOTES_MAX];
    size_t notes_count;
    enum answer attested; // what the enclave holds, by its own fresh document
    struct bytes attested_why;
};

// Everything but attested and the notes. o: names folders and files for the commands; what it does not name has
// the names of the provisioning guide.
enum q_err ceremony_make(const struct options *o, const struct survey *s, struct arena *a,
                         struct ceremony *out);
enum q_err ceremony_rows(const struct survey *s, struct arena *a, struct ceremony *out);
enum q_err ceremony_next(const struct options *o, struct arena *a, struct ceremony *c);

enum q_err ceremony_notes(struct arena *a, struct ceremony *c);

enum q_err ceremony_print(const struct ceremony *c);
enum q_err ceremony_print_json(const struct ceremony *c);

// Whether the enclave's manifest is the newest here; UNKNOWN when either is not known.
enum answer ceremony_same_manifest(const struct survey *s);
// Whether the fetched document has the key that the enclave has now.
enum answer ceremony_document_fits(const struct survey *s);

#endif
