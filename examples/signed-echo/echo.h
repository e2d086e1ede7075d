// What the example application says: its health, and a signed copy of a message (qos-behaviour 7).
#ifndef SIGNED_ECHO_ECHO_H
#define SIGNED_ECHO_ECHO_H

#include <stddef.h>

#define ECHO_MESSAGE_MAX ((size_t)1 << 20) // bytes of a message

// What a route answers: an HTTP status and a JSON text of the heap (NULL: no memory for one).
struct reply {
    unsigned status;
    char *json;
};

// {"status":"healthy","app_version":"1"}
struct reply echo_health(void);
// Reads the quorum key from quorum_file, signs canonical JSON {"domain":"echo app signed","message":
// ...,"time":"<unix seconds>"} and answers {"signed_payload_json","signature_hex","public_key_hex"}.
// 400: the message is not UTF-8. 500: the key cannot be read or used.
struct reply echo_sign(const char *quorum_file, const char *message, size_t size);
// {"error":"..."}
struct reply echo_error(unsigned status, const char *text);

#endif
