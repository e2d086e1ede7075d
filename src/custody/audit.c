// Lines of the audit log and how they hang together (see audit.h).
#include "custody/audit.h"

#include "base/text.h"
#include "codec/json.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define TIME_SIZE sizeof "2023-11-14T22:13:20Z"

static const struct type type_hash = {FIXED("hash", SHA256_SIZE)};
static const struct type type_digest = {
    .name = "digest", .shape = SHAPE_BYTES, .size = sizeof(struct bytes), .limit = SHA256_SIZE};
#define TEXT_UP_TO(label, most)                                                                    \
    {                                                                                              \
        .name = label, .shape = SHAPE_TEXT, .size = sizeof(struct bytes), .limit = most            \
    }
static const struct type type_time = TEXT_UP_TO("time", TIME_SIZE - 1);
static const struct type type_who = TEXT_UP_TO("who", AUDIT_WHO_MAX);
static const struct type type_event = TEXT_UP_TO("event", AUDIT_EVENT_MAX);
static const struct type type_details = TEXT_UP_TO("details", AUDIT_DETAILS_MAX);

static const struct field record_fields[] = {
    FIELD(struct audit_record, seq, "seq", &type_u64),
    FIELD(struct audit_record, time, "time", &type_time),
    FIELD(struct audit_record, who, "who", &type_who),
    FIELD(struct audit_record, event, "event", &type_event),
    FIELD(struct audit_record, details, "details", &type_details),
    FIELD_MAYBE(struct audit_record, manifest_hash, "manifestHash", &type_digest),
    FIELD_MAYBE(struct audit_record, document_digest, "documentDigest", &type_digest),
    FIELD(struct audit_record, prev, "prev", &type_hash),
};
const struct type type_audit_record = {STRUCT(struct audit_record, "audit record", record_fields),
                                       .closed = true};

static enum q_err check_digest(struct bytes digest)
{
    if (digest.p == NULL || digest.n == SHA256_SIZE)
        return Q_OK;
    return fail(Q_BAD_INPUT, "expected a digest of %d bytes, found %zu", SHA256_SIZE, digest.n);
}

// One record has one form, so that its hash stands for it.
static enum q_err read_record(struct bytes line, struct arena *a, struct audit_record *out)
{
    BUF_AUTO again = {0};
    if (line.n > AUDIT_LINE_MAX)
        return fail(Q_LIMIT, "expected at most %d bytes, found %zu", AUDIT_LINE_MAX, line.n);
    TRY(json_decode(&type_audit_record, line, a, out));
    TRY(check_digest(out->manifest_hash));
    TRY(check_digest(out->document_digest));
    TRY(json_encode(&type_audit_record, out, JSON_CANONICAL, &again));
    if (!bytes_equal(buf_bytes(&again), line))
        return fail(Q_BAD_INPUT, "expected canonical JSON, found another form");
    return Q_OK;
}

enum q_err audit_follow(struct audit_chain *chain, struct bytes line)
{
    ARENA_AUTO a = {0};
    struct audit_record r = {.seq = 0};
    uint64_t number = chain->count + 1;
    TRY(err_context(read_record(line, &a, &r), "line %" PRIu64 " is no record", number));
    if (r.seq != number)
        return fail(Q_REFUSED,
                    "line %" PRIu64 ": expected number %" PRIu64 ", found %" PRIu64
                    ": lines are missing, repeated or in another order",
                    number, number, r.seq);
    if (!bytes_equal(BYTES_OF(r.prev), BYTES_OF(chain->head)))
        return fail(Q_REFUSED,
                    "line %" PRIu64 " does not follow the line before it: one of the two was "
                    "changed",
                    number);
    TRY(sha256(line, chain->head));
    chain->count = number;
    chain->size += line.n + 1;
    return Q_OK;
}

// Text as people may see it, cut where a character ends.
static enum q_err safe_text(struct bytes text, size_t most, struct buf *room, struct bytes *out)
{
    TRY(text_display(text, room));
    struct bytes shown = buf_bytes(room);
    if (shown.n > most)
        shown.n = most;
    while (!bytes_is_utf8(shown))
        shown.n--;
    *out = shown;
    return Q_OK;
}

static enum q_err show_time(int64_t time_s, char out[static TIME_SIZE])
{
    struct tm tm;
    time_t t = (time_t)time_s;
    if (gmtime_r(&t, &tm) == NULL || strftime(out, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return fail(Q_BAD_INPUT, "clock: expected a time before the year 10000, found %" PRId64,
                    time_s);
    return Q_OK;
}

enum q_err audit_extend(const struct audit_chain *chain, const struct audit_event *e,
                        int64_t time_s, struct buf *out)
{
    BUF_AUTO who = {0}, event = {0}, details = {0};
    char time[TIME_SIZE];
    struct audit_record r = {.seq = chain->count + 1,
                             .manifest_hash = e->manifest_hash,
                             .document_digest = e->document_digest};
    memcpy(r.prev, chain->head, sizeof r.prev);
    TRY(check_digest(e->manifest_hash));
    TRY(check_digest(e->document_digest));
    TRY(safe_text(e->who, AUDIT_WHO_MAX, &who, &r.who));
    TRY(safe_text(e->event, AUDIT_EVENT_MAX, &event, &r.event));
    TRY(safe_text(e->details, AUDIT_DETAILS_MAX, &details, &r.details));
    TRY(show_time(time_s, time));
    r.time = bytes_str(time);
    TRY(json_encode(&type_audit_record, &r, JSON_CANONICAL, out));
    return buf_u8(out, '\n');
}
