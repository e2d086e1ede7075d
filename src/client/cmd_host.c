// host-health, enclave-status, enclave-version: how the host and the enclave are
// (qos-behaviour 1.6).
#include "client/command.h"

#include "client/host_link.h"
#include "client/output.h"

#include <stdio.h>

static const struct option host_options[] = {OPTIONS_HOST};

static enum q_err host_health(const struct options *o)
{
    BUF_AUTO body = {0}, shown = {0};
    struct host_link host;
    TRY(host_link_open(o, &host));
    TRY(host_get(&host, "host-health", &body));
    printf("%s\n", output_shown(buf_bytes(&body), &shown));
    return Q_OK;
}

const struct command command_host_health = {
    .name = "host-health",
    .run = host_health,
    .help = "Ask qos_host how it is",
    COMMAND_OPTIONS(host_options),
};

static enum q_err ask(const struct options *o, enum message_kind question, enum message_kind answer,
                      struct arena *a, struct message *reply)
{
    struct host_link host;
    const struct message request = {.tag = (uint32_t)question};
    TRY(host_link_open(o, &host));
    TRY(host_post(&host, &request, a, reply));
    return reply_expect(reply, answer);
}

static enum q_err enclave_status(const struct options *o)
{
    ARENA_AUTO a = {0};
    struct message reply;
    TRY(ask(o, MSG_STATUS_REQUEST, MSG_STATUS_RESPONSE, &a, &reply));
    printf("Enclave phase: %s\n", phase_name((enum phase)reply.status.tag));
    return Q_OK;
}

const struct command command_enclave_status = {
    .name = "enclave-status",
    .run = enclave_status,
    .help = "Print the enclave's phase",
    COMMAND_OPTIONS(host_options),
};

static enum q_err enclave_version(const struct options *o)
{
    ARENA_AUTO a = {0};
    BUF_AUTO version = {0}, commit = {0};
    struct message reply;
    TRY(ask(o, MSG_VERSION_REQUEST, MSG_VERSION_RESPONSE, &a, &reply));
    printf("QOS version: %s\nGit commit:  %s\n", output_shown(reply.version.version, &version),
           output_shown(reply.version.commit, &commit));
    return Q_OK;
}

const struct command command_enclave_version = {
    .name = "enclave-version",
    .run = enclave_version,
    .help = "Print the enclave's version and commit",
    COMMAND_OPTIONS(host_options),
};
