// libquorate-app: what an application needs inside an enclave, and what others need to check what
// it says. Keys, signatures, envelopes, the manifest, app proofs (QuorumOS formats:
// docs/applications.md).
//
// How to call it
// - app_start() comes first, once, before the program has a second thread.
// - A function that can fail returns enum app_status. On failure nothing it should have written is
//   written, and app_error() is one sentence: the thing, what was expected, what was found.
// - Sizes are bytes. Bytes go in as pointer and size; size 0 allows a NULL pointer. Text is UTF-8
//   with a terminating NUL. A handle or output pointer that is NULL is APP_BAD_INPUT, unless said
//   otherwise.
// - Handles (struct app_key, app_manifest, app_proof) never change after they are made: several
//   threads may use one at the same time. Freeing one is for the last user. app_error() is per
//   thread.
// - C11 and C++11. Symbols have the version QUORATE_APP_0.1 in the shared library; a later release
//   keeps what is here and adds under a new version.
#ifndef QUORATE_APP_H
#define QUORATE_APP_H

#include <stddef.h>
#include <stdint.h>
#ifndef __cplusplus
#include <stdbool.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define APP_API __attribute__((visibility("default")))
#define APP_CHECKED __attribute__((visibility("default"), warn_unused_result))
#else
#define APP_API
#define APP_CHECKED
#endif

enum app_status {
    APP_OK = 0,
    APP_NO_MEMORY = 1,   // memory is used up, or cannot be locked
    APP_IO = 2,          // a file is not there or cannot be read
    APP_BAD_INPUT = 3,   // malformed bytes, text or arguments
    APP_TOO_LARGE = 4,   // well-formed, but more than is accepted
    APP_CRYPTO = 5,      // a key, signature or ciphertext does not hold
    APP_ATTESTATION = 6, // a document does not prove what it must
    APP_REFUSED = 7,     // a rule says no: approvals, roots, measurements
    APP_INTERNAL = 8     // a defect of the library, or the system failed it
};

// Sizes in bytes.
#define APP_PUBLIC_KEY_SIZE 130   // encryption point || signing point, uncompressed (qos-wire 1.2)
#define APP_SIGNATURE_SIZE 64     // r || s, big-endian (qos-wire 1.3)
#define APP_HASH_SIZE 32          // SHA-256
#define APP_ENVELOPE_OVERHEAD 97  // an envelope is that much longer than its plaintext (1.4)
#define APP_SYMMETRIC_OVERHEAD 32 // so is a symmetric envelope (1.5)
#define APP_LABEL_MAX 255         // of a label
#define APP_PAYLOAD_MAX (16u << 20) // of an app proof's payload

// With its NUL, the first 15 bytes of everything that is signed under a label.
#define APP_LABEL_DOMAIN "quorate-app-v1"

// Where the enclave puts its files unless it is told otherwise (qos-wire 6.1).
#define APP_QUORUM_KEY_PATH "/qos.quorum.key"
#define APP_EPHEMERAL_KEY_PATH "/qos.ephemeral.key"
#define APP_MANIFEST_PATH "/qos.manifest"

// -- Start and errors

// Readies this process for secrets: OpenSSL without a configuration file and with a secure heap,
// libsodium, no core dumps (RLIMIT_CORE 0, PR_SET_DUMPABLE 0), jansson's hash seed and memory
// functions (which are malloc's and free's). *locked (may be NULL) tells whether memory can be
// locked. Where it cannot (RLIMIT_MEMLOCK below about 512 KiB), APP_NO_MEMORY, unless
// allow_unlocked: then keys may be written to swap, and the caller should say so to its operator.
// An enclave has no swap. Not thread-safe.
APP_CHECKED enum app_status app_start(bool allow_unlocked, bool *locked);

// The sentence of this thread's last failure, "" before the first one. Valid until the next call of
// this library in the same thread. Contains nothing secret and no control characters.
APP_API const char *app_error(void);

// Release of the library: "0.1.0".
APP_API const char *app_version(void);

// Releases text that a function of this library gave through a char **; NULL is fine.
APP_API void app_text_free(char *text);

// -- Keys (qos-wire 1.1, 6.1)

// A key pair: its seed and what is derived from it, in locked memory, zeroed when released.
struct app_key;

// The key of the namespace, the same in every enclave that the quorum approved. path NULL:
// APP_QUORUM_KEY_PATH. The file holds 64 hexadecimal characters. APP_IO: not there or not readable;
// APP_BAD_INPUT, APP_CRYPTO: not a key; APP_REFUSED: app_start() was not called.
APP_CHECKED enum app_status app_quorum_key_read(const char *path, struct app_key **out);
// The key of this one boot, which the enclave's live attestation document commits to. path NULL:
// APP_EPHEMERAL_KEY_PATH. Errors as above.
APP_CHECKED enum app_status app_ephemeral_key_read(const char *path, struct app_key **out);
APP_API void app_key_free(struct app_key *key); // NULL is fine
// Its public key: APP_PUBLIC_KEY_SIZE bytes that live as long as key. NULL for NULL.
APP_API const uint8_t *app_key_public(const struct app_key *key);

// -- Signatures: ECDSA over P-256 and SHA-256, deterministic (RFC 6979; qos-wire 1.3)
//
// Signatures of QuorumOS carry no sign of what they are for. A labelled one does: what is signed is
//     "quorate-app-v1" 00 || u32 little-endian length of label || label || message
// so that a signature made for one label is never good for another, nor as a plain one: app_sign()
// and app_verify() refuse (APP_REFUSED) a message that begins with those 15 bytes, and app_sign() one that
// begins with "quorate-handover-v1", as the enclave's own word for another quorum key does. Prefer labels,
// one for each kind of statement: "acme-withdrawal-v1".

// label: 1 to APP_LABEL_MAX bytes of text. APP_TOO_LARGE: a message of more than 255 MiB.
APP_CHECKED enum app_status app_sign_with_label(const struct app_key *key, const char *label,
                                                const void *message, size_t message_size,
                                                uint8_t signature[APP_SIGNATURE_SIZE]);
// APP_CRYPTO: the signature is not this key's over this label and message, or malformed, or
// public_key is not a key.
APP_CHECKED enum app_status app_verify_with_label(const uint8_t public_key[APP_PUBLIC_KEY_SIZE],
                                                  const char *label, const void *message,
                                                  size_t message_size,
                                                  const uint8_t signature[APP_SIGNATURE_SIZE]);
// The message's own bytes, as applications of QuorumOS sign them.
APP_CHECKED enum app_status app_sign(const struct app_key *key, const void *message,
                                     size_t message_size, uint8_t signature[APP_SIGNATURE_SIZE]);
APP_CHECKED enum app_status app_verify(const uint8_t public_key[APP_PUBLIC_KEY_SIZE],
                                       const void *message, size_t message_size,
                                       const uint8_t signature[APP_SIGNATURE_SIZE]);

// -- Envelopes (AES-256-GCM)
//
// A plaintext has at most 255 MiB (APP_TOO_LARGE). room is how many bytes the output has place for;
// how many are written follows from the input's size. Too little room is APP_BAD_INPUT. Input and
// output may overlap.

// Seals to a public key (qos-wire 1.4): writes size + APP_ENVELOPE_OVERHEAD bytes.
APP_CHECKED enum app_status app_seal(const uint8_t public_key[APP_PUBLIC_KEY_SIZE],
                                     const void *plaintext, size_t size, void *envelope,
                                     size_t room);
// Opens with the pair it was sealed to: writes size - APP_ENVELOPE_OVERHEAD bytes. APP_CRYPTO:
// sealed to another key, changed, or not an envelope.
APP_CHECKED enum app_status app_open(const struct app_key *key, const void *envelope, size_t size,
                                     void *plaintext, size_t room);
// Seals under the pair's own AES key (qos-wire 1.5), which only its holder can open: writes size +
// APP_SYMMETRIC_OVERHEAD bytes. Nonces are random, 96 bits: at most 2^32 envelopes for one key.
APP_CHECKED enum app_status app_seal_symmetric(const struct app_key *key, const void *plaintext,
                                               size_t size, void *envelope, size_t room);
// Writes size - APP_SYMMETRIC_OVERHEAD bytes; errors as app_open().
APP_CHECKED enum app_status app_open_symmetric(const struct app_key *key, const void *envelope,
                                               size_t size, void *plaintext, size_t room);

// -- The manifest (qos-wire 4.2, 6.1): what this enclave was approved to be

// What the getters return lives as long as the manifest; they return NULL or 0 for NULL.
struct app_manifest;

// The manifest envelope in a file, of any version. path NULL: APP_MANIFEST_PATH. At most 64 MiB.
// APP_BAD_INPUT also when a name, argument or variable contains a NUL, or the quorum key is no key.
APP_CHECKED enum app_status app_manifest_read(const char *path, struct app_manifest **out);
// The same from memory, for those who check an enclave from outside.
APP_CHECKED enum app_status app_manifest_parse(const void *envelope, size_t size,
                                               struct app_manifest **out);
APP_API void app_manifest_free(struct app_manifest *manifest); // NULL is fine

// Whether enough members of the manifest's own manifest set signed it (qos-behaviour 2.6, step 1):
// APP_REFUSED when not. Says nothing about who they are: compare the set, or the hash, with one you
// know. The enclave checked this before it ran the application.
APP_CHECKED enum app_status app_manifest_check_approvals(const struct app_manifest *manifest);

APP_API const uint8_t *app_manifest_hash(const struct app_manifest *m);       // APP_HASH_SIZE bytes
APP_API const char *app_manifest_namespace(const struct app_manifest *m);     // its name
APP_API uint32_t app_manifest_nonce(const struct app_manifest *m);            // grows with updates
APP_API const uint8_t *app_manifest_quorum_key(const struct app_manifest *m); // APP_PUBLIC_KEY_SIZE
APP_API const uint8_t *app_manifest_pivot_hash(const struct app_manifest *m); // of this program
APP_API size_t app_manifest_arg_count(const struct app_manifest *m);
// Arguments without the program's name; NULL when index is not below the count.
APP_API const char *app_manifest_arg(const struct app_manifest *m, size_t index);
// Environment (version 2 of the manifest), sorted by name.
APP_API size_t app_manifest_env_count(const struct app_manifest *m);
APP_API const char *app_manifest_env_name(const struct app_manifest *m, size_t index);
APP_API const char *app_manifest_env(const struct app_manifest *m,
                                     const char *name); // NULL: not set
// {"manifestSet":{"threshold":2,"members":[{"alias":"...","pubKey":"<hex>"}]},"shareSet":{...}}
APP_API const char *app_manifest_members_json(const struct app_manifest *m);
// The whole envelope, approvals too, as plain JSON.
APP_API const char *app_manifest_json(const struct app_manifest *m);

// -- App proofs (qos-behaviour 7): a payload, signed by the live ephemeral key, that anybody can
// trace to an attested enclave and its manifest

struct app_proof;

// Signs payload (at most APP_PAYLOAD_MAX bytes; see app_sign()) with the ephemeral key.
// APP_REFUSED: key is a quorum key, which no attestation document names.
APP_CHECKED enum app_status app_proof_make(const struct app_key *ephemeral, const void *payload,
                                           size_t payload_size, struct app_proof **out);
// Reads what app_proof_json() wrote: {"signature":"<hex>","public_key":"<hex>","payload":"<hex>"},
// these fields and no others. Checks the form alone.
APP_CHECKED enum app_status app_proof_parse(const void *json, size_t size, struct app_proof **out);
APP_API void app_proof_free(struct app_proof *proof); // NULL is fine
// These live as long as the proof; NULL for NULL. size may be NULL.
APP_API const char *app_proof_json(const struct app_proof *proof);
APP_API const uint8_t *app_proof_payload(const struct app_proof *proof, size_t *size);
APP_API const uint8_t *app_proof_public_key(const struct app_proof *proof);
APP_API const uint8_t *app_proof_signature(const struct app_proof *proof);

// What an enclave is checked against. Zero what you do not set.
struct app_evidence {
    // The live attestation document (qos_client get-attestation-doc): COSE_Sign1, or evidence of
    // SEV-SNP.
    const void *document;
    size_t document_size;
    const struct app_manifest *manifest; // the one you believe in: the caller's responsibility
    const void *root; // DER of the trusted root; NULL: AWS Nitro Enclaves Root-G1
    size_t root_size;
    int64_t at; // seconds since 1970 UTC at which the certificates must hold; 0: now
};

// Verifies that the document is of an enclave that runs this manifest and holds the live key it
// names (qos-wire 7.3): the manifest names the trusted root and measurements that are not zero;
// certificate chain at that time and signature; user data is the manifest's hash; no nonce; PCR0 to
// PCR3 are the manifest's; all of PCR0 to PCR31 are there; PCR17 commits to manifest and key. A
// root given must be AWS's or one of AMD's, or carry the critical extension quorate-simulated;
// documents of debug mode are refused, and of SEV-SNP all that do not come from VMPL 0.
//
// live_key (may be NULL) gets the key: what is sealed to it, only this boot of this enclave can
// open. *claims (may be NULL) gets JSON for people and logs, to be released with app_text_free():
// provider ("SIMULATED nitro" for a simulated one), simulated, moduleId, timestampMs, validFrom,
// validUntil, rootSha256, manifestHash, publicKey, registers. The certificates' validity (hours) is
// the only bound on a document's age: compare timestampMs where that is too much. With SEV-SNP they
// are years and timestampMs is 0: nothing bounds the age.
APP_CHECKED enum app_status app_evidence_verify(const struct app_evidence *evidence,
                                                uint8_t live_key[APP_PUBLIC_KEY_SIZE],
                                                char **claims);
// app_evidence_verify(), then: the proof's public key is the attested one (APP_ATTESTATION when
// not), and its signature over the payload holds (APP_CRYPTO). A proof says who signed, not when:
// put a challenge or a counter into the payload.
APP_CHECKED enum app_status app_proof_verify(const struct app_proof *proof,
                                             const struct app_evidence *evidence, char **claims);

// -- JSON to be signed

// The canonical form of a JSON document (qos-wire 3): keys sorted, no white space, integers as
// strings, null members dropped. APP_BAD_INPUT: not JSON, duplicate keys, fractions; APP_TOO_LARGE:
// more than 128 levels or 65,536 values. *out is released with app_text_free().
APP_CHECKED enum app_status app_canonical_json(const void *json, size_t size, char **out);

#ifdef __cplusplus
}
#endif

#endif
