// Talking to an instance's REST routes (renclave 1): requests signed where a key is given, answers bounded, errors in
// the enclave's own words.
#ifndef QUORATE_CLIENT_INSTANCE_LINK_H
#define QUORATE_CLIENT_INSTANCE_LINK_H

#include "base/options.h"
#include "codec/describe.h"
#include "crypto/p256.h"

#define INSTANCE_ANSWER_MAX ((size_t)16 << 20)
#define ENCLAVE_ID_MAX 64

struct instance_link {
    char base[512];              // "http://127.0.0.1:9000"
    const struct p256_pair *key; // signs the requests; NULL: they are not signed
    char enclave_id[ENCLAVE_ID_MAX +
                    1]; // of --enclave-id, else asked for before the first signature
    uint64_t nonce;     // of the last signature
    // Signs the answers to signed requests; NULL: they are taken as they come.
    const struct p256_public *quorum_key;
};

// Where the instance is: --url, or --host-ip and --host-port.
#define OPTIONS_INSTANCE                                                                           \
    {.name = "url",                                                                                \
     .kind = OPTION_VALUE,                                                                         \
     .forbids = "host-ip,host-port",                                                               \
     .help = "The instance: http://HOST:PORT"},                                                    \
        {.name = "host-ip",                                                                        \
         .kind = OPTION_VALUE,                                                                     \
         .requires_ = "host-port",                                                                 \
         .help = "Address or name of the machine qos_host runs on, in place of --url"},            \
    {                                                                                              \
        .name = "host-port", .kind = OPTION_VALUE, .requires_ = "host-ip",                         \
        .help = "Port qos_host listens on"                                                         \
    }
#define OPTIONS_ADMIN                                                                              \
    OPTION_OPTIONAL("admin-key", "Secret that signs the requests: a file, FIFO or /dev/fd/N"),     \
    {                                                                                              \
        .name = "key-format", .kind = OPTION_VALUE, .fallback = "qos-130",                         \
        .help = "Form of that key: qos-130 (generate-file-key's) or sec1-65"                       \
    }

#define OPTION_ENCLAVE_ID                                                                          \
    OPTION_OPTIONAL("enclave-id", "Id of the enclave that the signatures are for [default: what "  \
                                  "the instance says, unproven]")

enum q_err instance_link_open(const struct options *o, struct instance_link *out);
// Of an URL that the option --name gave.
enum q_err instance_link_to(const char *option, const char *url, struct instance_link *out);
// The secret in the file that an option names, in the form of --key-format; no option: *out stays NULL.
enum q_err instance_key_read(const struct options *o, const char *option, struct p256_pair **out);

// Requests from here on are signed with key (NULL: they are not), for the enclave of --enclave-id where that is given.
enum q_err instance_link_sign(const struct options *o, const struct p256_pair *key,
                              struct instance_link *l);

struct instance_call {
    const char *method, *path;
    struct bytes body; // of a POST, JSON
    const struct p256_public *reply_key;
};
// Any status is an answer. Without the signature of the quorum key, where the link has one, nothing is.
enum q_err instance_exchange(struct instance_link *l, const struct instance_call *c, long *status,
                             struct buf *answer);
// Q_REFUSED with the instance's own sentence for any status but 2xx.
enum q_err instance_ask(struct instance_link *l, const struct instance_call *c, struct buf *answer);
// The same, decoded into out, which points into the arena.
enum q_err instance_get(struct instance_link *l, const char *path, const struct type *type,
                        struct arena *a, void *out);
enum q_err instance_post(struct instance_link *l, const char *path, const struct type *sent,
                         const void *request, const struct type *type, struct arena *a, void *out);

#endif
