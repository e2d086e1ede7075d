// The Nitro security module's seven operations over /dev/nsm (nitro 2.1, 2.2): requests and answers
// in CBOR, one exchange each. Internal to this room; nitro.c makes a provider of it.
#ifndef QUORATE_TEE_NSM_H
#define QUORATE_TEE_NSM_H

#include "tee/provider.h"

#define NSM_DEVICE "/dev/nsm"
#define NSM_REQUEST_MAX ((size_t)0x1000)
#define NSM_RESPONSE_MAX ((size_t)0x3000)
#define NSM_RANDOM_SIZE 256 // what one GetRandom gives, at most

// The kernel's interface (linux/nsm.h, which Debian 12 has not): addresses and sizes of two
// buffers; the answer's real size comes back in response.length.
struct nsm_iovec {
    uint64_t address, length;
};
struct nsm_raw {
    struct nsm_iovec request, response;
};

// How requests reach the module. A test embeds it as the first member of its own module.
struct nsm_port {
    int (*call)(struct nsm_port *p, struct nsm_raw *raw); // 0 or an errno value
    void (*close)(struct nsm_port *p);                    // releases p too
};
// The device, opened once. Refuses what is no character device.
enum q_err nsm_port_open(const char *path, struct nsm_port **out);

// Each of these is Q_TEE when the module refuses (the text has its error's name: ReadOnlyIndex,
// InvalidIndex ...), when its answer is malformed or of another operation, and when the device
// fails; Q_LIMIT when a request would be larger than the module takes. Nothing is asked twice: the
// caller reads registers back.
enum q_err nsm_describe(struct nsm_port *p, struct tee_description *out);
enum q_err nsm_describe_register(struct nsm_port *p, unsigned index, struct register_state *out);
enum q_err nsm_extend(struct nsm_port *p, unsigned index, struct bytes data,
                      struct register_value *after);
enum q_err nsm_lock(struct nsm_port *p, unsigned index);
enum q_err nsm_lock_range(struct nsm_port *p, unsigned end); // registers 0 to end - 1
// 1 to NSM_RANDOM_SIZE bytes; appended to out, which should have wipe set.
enum q_err nsm_random(struct nsm_port *p, struct buf *out);
// user_data and nonce <= 512 bytes, public_key 1..1024; p == NULL: absent. Appends the document.
enum q_err nsm_attest(struct nsm_port *p, struct bytes user_data, struct bytes nonce,
                      struct bytes public_key, struct buf *document);

// Answers alone, hostile bytes: one item, definite or indefinite maps, keys in any order, none
// twice, unknown ones skipped, no trailing bytes (nsm_answer.c). Views point into the answer.
enum q_err nsm_read_description(struct bytes answer, struct tee_description *out);
enum q_err nsm_read_register(struct bytes answer, struct register_state *out);
enum q_err nsm_read_extended(struct bytes answer, struct register_value *out);
enum q_err nsm_read_done(struct bytes answer, const char *operation); // LockPCR, LockPCRs
enum q_err nsm_read_random(struct bytes answer, struct bytes *out);
enum q_err nsm_read_document(struct bytes answer, struct bytes *out);

// Folds the module's randomness into the kernel's pool (/dev/random), waits until getrandom can
// answer, and has the kernel draw from the pool anew where we may ask that. From here on all of
// our randomness depends on both sources.
enum q_err nsm_fold_randomness(struct nsm_port *p, const char *pool);

#endif
