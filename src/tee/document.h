// The Nitro attestation document (nitro 4, qos-wire 7.1): a COSE_Sign1 (RFC 9052) around a CBOR
// map. Read from hostile bytes, and written for the simulated TEE. Internal to this room.
#ifndef QUORATE_TEE_DOCUMENT_H
#define QUORATE_TEE_DOCUMENT_H

#include "crypto/p384.h"
#include "tee/attestation.h"

#define DOCUMENT_MAX_PAYLOAD ((size_t)16384)
#define DOCUMENT_MAX_CERTIFICATE 1024
#define DOCUMENT_MAX_CHAIN 8 // certificates in cabundle; AWS sends 4
#define DOCUMENT_MAX_PUBLIC_KEY 1024
#define DOCUMENT_MAX_USER_DATA 512
#define DOCUMENT_MAX_NONCE 512
#define DOCUMENT_MAX_REGISTERS 32      // in one document ...
#define DOCUMENT_MAX_REGISTER_INDEX 32 // ... and the highest index, which the original accepts too

struct cose {
    struct bytes protected_header, payload, signature;
};

struct document {
    struct bytes module_id;
    int64_t timestamp_ms;
    struct register_value registers[DOCUMENT_MAX_REGISTER_INDEX + 1];
    size_t register_count;
    struct bytes certificate;                  // DER of the leaf
    struct bytes cabundle[DOCUMENT_MAX_CHAIN]; // DER, root first
    size_t cabundle_count;
    struct bytes public_key, user_data, nonce; // p == NULL: absent
};

extern const struct bytes cose_es384_header; // the protected header {1: -35}, encoded

// All views point into in. cose_read refuses anything but ES384 over a payload that is present.
enum q_err cose_read(struct bytes in, struct cose *out);
enum q_err document_read(struct bytes payload, struct document *out);

// What an ES384 signature covers: RFC 9052 section 4.4, "Signature1", no external data.
enum q_err cose_signed_bytes(const struct cose *c, struct buf *out);
// Appends the signed document, in AWS's key order. key: P-384 scalar. nothing of d is checked.
enum q_err document_write(const struct document *d, struct bytes key, struct buf *out);

#endif
