// instance up and instance status: waiting for an instance, and how it is (docs/instances.md).
#include "client/command.h"

#include "base/clock.h"
#include "base/text.h"
#include "client/instance/instance_link.h"
#include "client/output.h"
#include "protocol/instance.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#define BETWEEN_TRIES_MS 200
#define LONGEST_WAIT_S 3600

// ---- instance up

static enum q_err ask_info(struct instance_link *l, struct arena *a, struct api_info_reply *info)
{
    static const struct instance_call health = {.method = "GET", .path = "/health"};
    BUF_AUTO body = {0};
    TRY(instance_ask(l, &health, &body)); // its body may be empty (renclave 1.2)
    return instance_get(l, "/enclave/info", &type_api_info_reply, a, info);
}

// Nothing tells when a program elsewhere is ready: it is asked again and again.
static void pause_between_tries(void)
{
    while (poll(NULL, 0, BETWEEN_TRIES_MS) < 0 && errno == EINTR)
        continue;
}

static enum q_err wait_until_up(struct instance_link *l, uint32_t wait_s, struct arena *a,
                                struct api_info_reply *info)
{
    int64_t deadline_ms = clock_monotonic_ms() + (int64_t)wait_s * 1000;
    enum q_err err;
    while ((err = ask_info(l, a, info)) != Q_OK && clock_monotonic_ms() < deadline_ms)
        pause_between_tries();
    return err_context(err, "instance: not up after %" PRIu32 " s", wait_s);
}

static void say_simulated(const struct instance_link *l, bool simulated)
{
    if (simulated)
        fprintf(stderr, "SIMULATED: the instance at %s runs on no hardware that protects it\n",
                l->base);
}

static enum q_err instance_up(const struct options *o)
{
    ARENA_AUTO a = {0};
    BUF_AUTO phase = {0}, id = {0};
    struct instance_link link;
    struct api_info_reply info = {0};
    uint32_t wait_s = 0;
    TRY(instance_link_open(o, &link));
    TRY(options_u32(o, "wait", 0, LONGEST_WAIT_S, &wait_s));
    TRY(wait_until_up(&link, wait_s, &a, &info));
    say_simulated(&link, info.simulated);
    printf("Instance %s: up\nEnclave id: %s\nPhase: %s\n", link.base,
           output_shown(info.enclave_id, &id),
           info.phase.p == NULL ? "not said" : output_shown(info.phase, &phase));
    return Q_OK;
}

static const struct option up_options[] = {
    OPTIONS_INSTANCE,
    {.name = "wait",
     .kind = OPTION_VALUE,
     .fallback = "60",
     .help = "Seconds to wait until it is up"},
};

const struct command command_instance_up = {
    .name = "instance up",
    .run = instance_up,
    .help = "Wait until an instance answers, and say in which phase it is",
    COMMAND_OPTIONS(up_options),
};

// ---- instance status

static void say(const char *what, struct bytes text)
{
    BUF_AUTO shown = {0};
    if (text.p != NULL)
        printf("%s: %s\n", what, output_shown(text, &shown));
}

static void say_list(const char *what, const struct bytes *items, size_t n)
{
    if (n == 0)
        return;
    printf("%s:", what);
    for (size_t i = 0; i < n; i++) {
        BUF_AUTO shown = {0};
        printf("%s %s", i == 0 ? "" : ",", output_shown(items[i], &shown));
    }
    printf("\n");
}

static void say_manifest(const struct api_status_reply *s)
{
    BUF_AUTO name = {0};
    if (s->manifest_hash.p == NULL) {
        printf("Manifest: none\n");
        return;
    }
    if (s->namespace_name.p != NULL && s->namespace_nonce != NULL)
        printf("Namespace: %s, nonce %" PRIu64 "\n", output_shown(s->namespace_name, &name),
               *s->namespace_nonce);
    say("Manifest hash", s->manifest_hash);
    printf("Share set: %" PRIu32 " of %zu\n", s->threshold, s->members.n);
    say_list("Members", s->members.items, s->members.n);
    say_list("Shares posted by", s->shares_received.items, s->shares_received.n);
    say_list("Manifest approved by", s->manifest_approved_by.items, s->manifest_approved_by.n);
}

static enum q_err instance_status(const struct options *o)
{
    ARENA_AUTO a = {0};
    struct instance_link link;
    struct api_status_reply s;
    TRY(instance_link_open(o, &link));
    TRY(instance_get(&link, "/enclave/application-status", &type_api_status_reply, &a, &s));
    say_simulated(&link, s.simulated);
    say("Phase", s.phase);
    printf("Quorum key: %s\n", s.has_quorum_key ? "yes" : "no");
    say("TEE", s.tee);
    say_manifest(&s);
    say("Share mode", s.share_mode);
    say("PCR0", s.measurements.pcr0);
    say("PCR1", s.measurements.pcr1);
    say("PCR2", s.measurements.pcr2);
    say("PCR3", s.measurements.pcr3);
    for (size_t i = 0; i < s.warnings.n; i++) {
        BUF_AUTO shown = {0};
        fprintf(stderr, "**WARNING:** %s\n", output_shown(s.warnings.items[i], &shown));
    }
    return Q_OK;
}

static const struct option status_options[] = {OPTIONS_INSTANCE};

const struct command command_instance_status = {
    .name = "instance status",
    .run = instance_status,
    .help = "Print an instance's phase, namespace, members, share mode and warnings",
    COMMAND_OPTIONS(status_options),
};
