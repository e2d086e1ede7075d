// The command line of qos_host (qos-behaviour 3.1).
#ifndef QUORATE_HOST_HOST_OPTIONS_H
#define QUORATE_HOST_HOST_OPTIONS_H

#include "host/http_origin.h"
#include "net/address.h"

#define HOST_TEST_TARGETS_MAX 32

struct host_options {
    bool help, version;  // then nothing else is set
    struct address http; // port 0: any
    struct address enclave;
    const char *base_path;         // "qos"
    uint32_t timeout_ms;           // of a call to the enclave, waiting included
    uint32_t connections;          // to the enclave at a time
    const char *certificate, *key; // PEM files, NULL: plain HTTP
    const char *audit_log;         // NULL: none
    struct origin_rules origin;
    const char
        *test_targets[HOST_TEST_TARGETS_MAX]; // "host:port" of /network/test; must stay valid
    size_t test_targets_n;
};

enum q_err host_options_parse(int words_count, char *const *words, struct host_options *out);
enum q_err host_options_help(struct buf *out);

#endif
