// The audit log: one line of canonical JSON per event of a ceremony, each with the SHA-256 of the line
// before it, so that nothing in it can be changed, taken out or put elsewhere unseen. This file is the
// chain; custody/audit_log.h keeps it in a file. The form is in docs/formats.md.
#ifndef QUORATE_CUSTODY_AUDIT_H
#define QUORATE_CUSTODY_AUDIT_H

#include "codec/describe.h"
#include "crypto/hash.h"

#define AUDIT_LINE_MAX 4096 // bytes of a line without its end
#define AUDIT_WHO_MAX 256
#define AUDIT_EVENT_MAX 64
#define AUDIT_DETAILS_MAX 1024

// What happened, without its place in the chain. Text is shown safe (text_display) and cut at the
// limits above.
struct audit_event {
    struct bytes who, event, details;
    struct bytes manifest_hash;   // SHA256_SIZE bytes; p == NULL: no manifest
    struct bytes document_digest; // SHA-256 of an attestation document; p == NULL: none
};

struct audit_record {
    uint64_t seq;      // 1, 2, 3, ...
    struct bytes time; // RFC 3339, UTC
    struct bytes who, event, details, manifest_hash, document_digest;
    uint8_t prev[SHA256_SIZE]; // SHA-256 of the line before, without its end; zeros in the first
};
extern const struct type type_audit_record;

// How far a log was followed. Zero-initialise it: an empty log.
struct audit_chain {
    uint64_t count;            // of lines
    uint8_t head[SHA256_SIZE]; // SHA-256 of the last one; zeros when there is none
    uint64_t size;             // bytes of all of them, with their ends
};

// Takes the next line (without its end) into the chain, or says why it is not the next one.
enum q_err audit_follow(struct audit_chain *chain, struct bytes line);
// Appends to out the line (with its end) that says this at this time (Unix seconds) after the chain.
enum q_err audit_extend(const struct audit_chain *chain, const struct audit_event *e,
                        int64_t time_s, struct buf *out);

#endif
