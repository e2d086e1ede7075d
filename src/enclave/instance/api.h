// One request of the REST API being answered, and its handlers (renclave 1 and 3). As everywhere, a handler
// stages, answers, commits and publishes; when it fails before it commits, nothing has changed.
#ifndef QUORATE_ENCLAVE_API_H
#define QUORATE_ENCLAVE_API_H

#include "base/uuid.h"
#include "enclave/instance/api_auth.h"
#include "enclave/state.h"
#include "protocol/refuse.h"

#define API_ADDED_MAX 4

struct api_call {
    const struct api_request *request;
    enum api_operation operation;
    struct api_caller caller;
    struct bytes request_id;   // the host's, else one of our own
    const void *body;          // as the operation's request is described; NULL: it has none
    struct arena *arena;       // of this request
    struct buf *reply;         // JSON, by api_answer
    unsigned status;           // of HTTP; set by api_answer and api_refuse
    struct protocol_error why; // set by the core where it refuses (Q_REFUSED)
    struct {
        const char *name, *text;
    } added[API_ADDED_MAX]; // by api_add
    size_t added_n;
};

// Encodes the answer, status 200.
enum q_err api_answer(struct api_call *c, const struct type *type, const void *value);
// The same for an answer in which plaintext stands (decrypted data, clear entropy): a signed request gets it sealed
// to its reply key, and is refused without one.
enum q_err api_answer_plaintext(const struct enclave *e, struct api_call *c,
                                const struct type *type, const void *value);
// The same in the form of the five TEE-to-TEE routes: {"id", "result": {"<variant>": value}}.
enum q_err api_answer_result(struct api_call *c, const char *variant, const struct type *type,
                             const void *value);
// A text member at the end of the answer, be it a success or an error, that its description does not have
// ("warning"); the last one of a name counts. Both texts must stay valid.
void api_add(struct api_call *c, const char *name, const char *text);

// Q_REFUSED with this status (400, 403, 409, ...) and this sentence for the caller. Nothing that may be secret goes
// into a sentence: neither a request's contents nor a key.
enum q_err api_refuse(struct api_call *c, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
// 503, in the original's words: "Cannot generate seed: Quorum key not provisioned. ..."
enum q_err api_refuse_unprovisioned(struct api_call *c);
// The status that a failure of the core means, when nobody has said one: 400 for what is wrong with the request, 500
// for what is wrong with us.
unsigned api_status_of(enum q_err err);

// What genesis-boot, inject-shares and application-status say of the forms of shares that are taken now (renclave
// 3.1). NULL: nothing to say, as on an enclave that never ran a genesis of this API. While it is SHARE_MODE_ACKNOWLEDGED,
// every other answer says it too.
#define SHARE_MODE_ACKNOWLEDGED "acknowledgement (SIMULATED TEE only), plaintext or envelope"
const char *api_share_mode(const struct enclave *e);
const char *api_share_forms(const struct enclave *e); // the same whoever asks
// Ends what the genesis holds when its time is over; for a timer.
void api_expire_shares(struct enclave *e);

// Whether this caller may do this: 401 or 403, or c->caller.
enum q_err api_authorise(struct enclave *e, struct api_call *c);
// Whether a key of this role is configured, at start or in the manifest.
bool api_auth_has_key(struct enclave *e, enum api_role role);

enum q_err api_enclave_info(struct enclave *e, struct api_call *c);
enum q_err api_application_status(struct enclave *e, struct api_call *c);
enum q_err api_reset(struct enclave *e, struct api_call *c);
enum q_err api_genesis_boot(struct enclave *e, struct api_call *c);
enum q_err api_genesis_again(struct enclave *e, struct api_call *c); // the one that was executed
enum q_err api_inject_shares(struct enclave *e, struct api_call *c);
enum q_err api_inject_again(struct enclave *e, struct api_call *c); // in ApplicationReady

#endif
