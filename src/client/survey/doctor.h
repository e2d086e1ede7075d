// The examinations of "doctor": each looks at one part of a survey, or of this machine, and adds
// what it finds. They fail only when memory is used up or the arguments are no good.
#ifndef QUORATE_CLIENT_DOCTOR_H
#define QUORATE_CLIENT_DOCTOR_H

#include "base/options.h"
#include "client/survey/findings.h"
#include "client/survey/survey.h"

#include <sys/types.h>

// What the examinations share.
struct patient {
    const struct options *o;
    const struct survey *survey;
    const struct trust *trust;     // NULL: it could not be loaded
    const struct release *release; // NULL: not named or not readable
    struct bytes role;             // absent: not named or not readable
    struct arena *arena;
    struct findings *out;
};

// doctor_machine.c: memory that can be locked; the trusted root.
enum q_err doctor_memory(struct findings *out, bool lockable, uint64_t limit);
enum q_err doctor_memory_here(struct findings *out);
enum q_err doctor_root(const struct patient *p, const char *why_not_loaded);
// doctor_files.c: permissions of secrets and shares; the release's measurements; the role.
enum q_err doctor_mode(struct findings *out, const char *path, mode_t mode, uint64_t size);
enum q_err doctor_permissions(const struct patient *p);
enum q_err doctor_release(const struct options *o, struct release *out, bool *readable,
                          struct findings *findings);
enum q_err doctor_role(const struct options *o, struct arena *a, struct bytes *out,
                       struct findings *findings);
// doctor_sets.c
enum set_kind { SHARE_SET, MANIFEST_SET };
enum q_err doctor_set(const struct patient *p, enum set_kind kind, const struct set_survey *set);
enum q_err doctor_sets(const struct patient *p);
// doctor_ceremony.c: genesis, manifests, approvals, documents.
enum q_err doctor_genesis(const struct patient *p);
enum q_err doctor_manifest(const struct patient *p, const struct manifest *m, const char *where);
enum q_err doctor_manifests(const struct patient *p);
enum q_err doctor_documents(const struct patient *p);
// doctor_host.c: host, enclave, clocks.
enum q_err doctor_clock(struct findings *out, const char *whose, int64_t theirs_s, int64_t ours_s);
enum q_err doctor_host(const struct patient *p);
// doctor_enclave_host.c: with --enclave-host, what qos_enclave needs of this machine.
enum q_err doctor_enclave_host(const struct patient *p);

#endif
