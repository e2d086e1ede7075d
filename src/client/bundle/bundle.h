// Bundles: everything a member needs to approve a manifest or to encrypt a share to a booted enclave,
// in one file for a machine without a network, and the one file that comes back. Canonical JSON of
// the types below; the form is in docs/formats.md. There is never a secret in either.
#ifndef QUORATE_CLIENT_BUNDLE_H
#define QUORATE_CLIENT_BUNDLE_H

#include "crypto/p256.h"
#include "protocol/types.h"

#define BUNDLE_FORMAT "quorate-bundle-v1"
#define ANSWER_FORMAT "quorate-answer-v1"
#define BUNDLE_MAX ((size_t)16 << 20)
#define ANSWER_MAX ((size_t)64 << 10)

enum bundle_kind { BUNDLE_APPROVE_MANIFEST, BUNDLE_RE_ENCRYPT_SHARE };

struct booted_enclave {
    struct manifest_envelope envelope;
    struct bytes document;
};
struct bundle_task {
    uint32_t tag; // enum bundle_kind
    union {
        struct manifest manifest;
        struct booted_enclave enclave;
    };
};
// What is asked. Sets, measurements, pivot hash and quorum key are those of the manifest.
struct bundle {
    struct bytes format, alias; // alias: of the member who is asked
    uint64_t made_s;
    uint8_t manifest_hash[SHA256_SIZE];
    struct bytes role; // behind PCR3
    struct bundle_task task;
};
const struct manifest *bundle_manifest(const struct bundle *b);

struct sealed_share {
    struct bytes share; // encrypted to the enclave
    uint8_t binding[P256_SIGNATURE_SIZE];
};
struct answer_result {
    uint32_t tag; // enum bundle_kind
    struct sealed_share sealed;
};
// What the member made of it.
struct bundle_answer {
    struct bytes format;
    uint8_t bundle_hash[SHA256_SIZE]; // SHA-256 of the bundle's file
    struct approval approval;
    struct answer_result result;
};

extern const struct type type_bundle, type_bundle_answer;

// Refuse other formats, anything but the canonical form, and a manifest that has another hash than
// the bundle says. what names the file in errors.
enum q_err bundle_read(struct bytes file, const char *what, struct arena *a, struct bundle *out);
enum q_err answer_read(struct bytes file, const char *what, struct arena *a,
                       struct bundle_answer *out);
enum q_err bundle_write(const struct bundle *b, struct buf *out);
enum q_err answer_write(const struct bundle_answer *answer, struct buf *out);

// Everything that can be known without the enclave: the answer is for this bundle (the file with
// this hash), by its member, over its manifest; the share is for the key in its document.
enum q_err answer_check(const struct bundle_answer *answer, const struct bundle *b,
                        const uint8_t bundle_hash[static SHA256_SIZE]);

#endif
