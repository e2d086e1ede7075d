// Requests to the Nitro security module: encoding, the exchange, and what the device can fail with
// (nitro 2.1, 2.2). Answers are read in nsm_answer.c.
#include "tee/nsm.h"

#include "codec/cbor.h"
#include "tee/document.h"

#include <errno.h>
#include <inttypes.h>

#define INTERRUPTED_MOST 100 // in a row, before something else must be wrong

static enum q_err device_failed(int why)
{
    if (why == ETIMEDOUT)
        return fail(Q_TEE, "expected an answer within the driver's deadline, found none");
    if (why == EMSGSIZE)
        return fail(Q_TEE, "InputTooLarge: the driver does not take a request of this size");
    (void)fail_os(why, "device");
    return Q_TEE;
}

// A call that was interrupted has not reached the module: the driver waits for its turn, and then
// without interruption for the answer.
static enum q_err call(struct nsm_port *p, struct nsm_raw *raw)
{
    const struct nsm_raw asked = *raw;
    int why = EINTR;
    for (int i = 0; i < INTERRUPTED_MOST && why == EINTR; i++) {
        *raw = asked;
        why = p->call(p, raw);
    }
    return why == 0 ? Q_OK : device_failed(why);
}

static enum q_err exchange(struct nsm_port *p, const struct buf *request, struct buf *answer)
{
    if (request->n > NSM_REQUEST_MAX)
        return fail(Q_LIMIT, "InputTooLarge: expected a request of at most %zu bytes, found %zu",
                    NSM_REQUEST_MAX, request->n);
    TRY(buf_reserve(answer, NSM_RESPONSE_MAX));
    struct nsm_raw raw = {
        .request = {(uint64_t)(uintptr_t)request->p, request->n},
        .response = {(uint64_t)(uintptr_t)answer->p, NSM_RESPONSE_MAX},
    };
    TRY(call(p, &raw));
    if (raw.response.length == 0 || raw.response.length > NSM_RESPONSE_MAX)
        return fail(Q_TEE, "InvalidResponse: expected an answer of 1 to %zu bytes, found %" PRIu64,
                    NSM_RESPONSE_MAX, raw.response.length);
    answer->n = (size_t)raw.response.length;
    return Q_OK;
}

// {operation: {...}} with entries still to be written.
static enum q_err begin(struct buf *request, const char *operation, uint64_t entries)
{
    TRY(cbor_write_map(request, 1));
    TRY(cbor_write_text(request, bytes_str(operation)));
    return cbor_write_map(request, entries);
}

static enum q_err entry_number(struct buf *request, const char *key, uint64_t value)
{
    TRY(cbor_write_text(request, bytes_str(key)));
    return cbor_write_uint(request, value);
}

static enum q_err entry_bytes(struct buf *request, const char *key, struct bytes value)
{
    TRY(cbor_write_text(request, bytes_str(key)));
    return value.p == NULL ? cbor_write_null(request) : cbor_write_bytes(request, value);
}

static enum q_err ask_description(struct nsm_port *p, struct tee_description *out)
{
    BUF_AUTO request = {0}, answer = {0};
    TRY(cbor_write_text(&request, BYTES_LIT("DescribeNSM")));
    TRY(exchange(p, &request, &answer));
    return nsm_read_description(buf_bytes(&answer), out);
}

enum q_err nsm_describe(struct nsm_port *p, struct tee_description *out)
{
    return err_context(ask_description(p, out), "NSM DescribeNSM");
}

static enum q_err ask_register(struct nsm_port *p, unsigned index, struct register_state *out)
{
    BUF_AUTO request = {0}, answer = {0};
    TRY(begin(&request, "DescribePCR", 1));
    TRY(entry_number(&request, "index", index));
    TRY(exchange(p, &request, &answer));
    return nsm_read_register(buf_bytes(&answer), out);
}

enum q_err nsm_describe_register(struct nsm_port *p, unsigned index, struct register_state *out)
{
    return err_context(ask_register(p, index, out), "NSM DescribePCR");
}

static enum q_err ask_extend(struct nsm_port *p, unsigned index, struct bytes data,
                             struct register_value *after)
{
    BUF_AUTO request = {0}, answer = {0};
    TRY(begin(&request, "ExtendPCR", 2));
    TRY(entry_number(&request, "index", index));
    TRY(entry_bytes(&request, "data", data));
    TRY(exchange(p, &request, &answer));
    return nsm_read_extended(buf_bytes(&answer), after);
}

enum q_err nsm_extend(struct nsm_port *p, unsigned index, struct bytes data,
                      struct register_value *after)
{
    return err_context(ask_extend(p, index, data, after), "NSM ExtendPCR");
}

// The two locks differ in two words.
static enum q_err ask_lock(struct nsm_port *p, const char *operation, const char *key,
                           unsigned value)
{
    BUF_AUTO request = {0}, answer = {0};
    TRY(begin(&request, operation, 1));
    TRY(entry_number(&request, key, value));
    TRY(exchange(p, &request, &answer));
    return nsm_read_done(buf_bytes(&answer), operation);
}

enum q_err nsm_lock(struct nsm_port *p, unsigned index)
{
    return err_context(ask_lock(p, "LockPCR", "index", index), "NSM LockPCR");
}

enum q_err nsm_lock_range(struct nsm_port *p, unsigned end)
{
    return err_context(ask_lock(p, "LockPCRs", "range", end), "NSM LockPCRs");
}

static enum q_err ask_random(struct nsm_port *p, struct buf *out)
{
    BUF_AUTO request = {0}, answer = {.wipe = true};
    struct bytes random;
    TRY(cbor_write_text(&request, BYTES_LIT("GetRandom")));
    TRY(exchange(p, &request, &answer));
    TRY(nsm_read_random(buf_bytes(&answer), &random));
    return buf_append(out, random);
}

enum q_err nsm_random(struct nsm_port *p, struct buf *out)
{
    return err_context(ask_random(p, out), "NSM GetRandom");
}

static enum q_err check_length(const char *what, struct bytes value, size_t lowest, size_t highest)
{
    if (value.p != NULL && (value.n < lowest || value.n > highest))
        return fail(Q_LIMIT, "InputTooLarge: %s: expected %zu to %zu bytes, found %zu", what,
                    lowest, highest, value.n);
    return Q_OK;
}

// The real module has these limits; others that speak its language may not.
static enum q_err check_lengths(struct bytes user_data, struct bytes nonce, struct bytes public_key)
{
    TRY(check_length("user data", user_data, 0, DOCUMENT_MAX_USER_DATA));
    TRY(check_length("nonce", nonce, 0, DOCUMENT_MAX_NONCE));
    return check_length("public key", public_key, 1, DOCUMENT_MAX_PUBLIC_KEY);
}

static enum q_err ask_document(struct nsm_port *p, struct bytes user_data, struct bytes nonce,
                               struct bytes public_key, struct buf *document)
{
    BUF_AUTO request = {0}, answer = {0};
    struct bytes found;
    TRY(check_lengths(user_data, nonce, public_key));
    TRY(begin(&request, "Attestation", 3));
    TRY(entry_bytes(&request, "user_data", user_data));
    TRY(entry_bytes(&request, "nonce", nonce));
    TRY(entry_bytes(&request, "public_key", public_key));
    TRY(exchange(p, &request, &answer));
    TRY(nsm_read_document(buf_bytes(&answer), &found));
    return buf_append(document, found);
}

enum q_err nsm_attest(struct nsm_port *p, struct bytes user_data, struct bytes nonce,
                      struct bytes public_key, struct buf *document)
{
    return err_context(ask_document(p, user_data, nonce, public_key, document), "NSM Attestation");
}
