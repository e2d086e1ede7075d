// The application ("pivot") and its life: started once the quorum key is there, restarted as its manifest
// says, its orphans reaped, its output shown in debug mode (qos-behaviour 2.11, 7; design "Processes").
#ifndef QUORATE_ENCLAVE_SUPERVISOR_H
#define QUORATE_ENCLAVE_SUPERVISOR_H

#include "net/loop.h"
#include "protocol/egress.h"

#include <sys/types.h>

// What is started, and how. The strings must stay valid while the supervisor runs.
struct application {
    const char *path;
    char **arguments;       // with the path in front, ends with NULL
    char **environment;     // all of it; ends with NULL
    bool restart;           // whatever its exit status
    bool debug;             // show its output on ours, else it goes nowhere
    struct bytes filter;    // of its system calls (syscall_filter.h); set by the supervisor
    uid_t uid;              // and gid; ours: no change
    const uint16_t *served; // ports that bridges bring connections to
    size_t served_n;
    struct egress_rules outgoing; // where it may connect to
};

#define RESTART_FIRST_MS 50
#define RESTART_LONGEST_MS 5000
#define RESTART_PROVEN_MS 10000 // ran this long: the next restart is a first one again

struct supervisor;
enum q_err supervisor_new(struct loop *l, struct supervisor **out);
// Where the application's bridges are opened when it is started; not owned, NULL (as at first): nowhere. They
// stay open, also while it restarts and after it ended, until they are freed.
struct bridges;
void supervisor_bridge(struct supervisor *s, struct bridges *b);
// The same for its outgoing connections.
struct egress;
void supervisor_egress(struct supervisor *s, struct egress *e);
// Lets an application in debug mode make any system call: for those who trace one. Others stay filtered.
void supervisor_unfiltered_debug(struct supervisor *s);
// ended is called when the application has ended, or could not be started, and its policy is never to restart.
void supervisor_on_end(struct supervisor *s, void (*ended)(void *context), void *context);
// Starts the application. A failure to start is logged and counts as an exit: a restart policy that says
// always tries again.
void supervisor_start(struct supervisor *s, const struct application *a);
bool supervisor_running(const struct supervisor *s);
// Ends the application (SIGTERM, SIGKILL to its process group after STOP_GRACE_MS, at once when this is
// called again) and never restarts it; then calls stopped, at once when nothing runs.
#define STOP_GRACE_MS 1000
void supervisor_stop(struct supervisor *s, void (*stopped)(void *context), void *context);
void supervisor_free(struct supervisor **s); // kills what still runs; safe on NULL

#endif
