// reshare status: how far a resharing has come, and what comes next (docs/resharing.md).
#include "client/command.h"

#include "client/host_link.h"
#include "client/reshare/reshare_progress.h"
#include "client/reshare/reshare_review.h"
#include "client/time_text.h"

#include <inttypes.h>
#include <stdio.h>

static void print_list(const char *what, const progress_list *list, uint32_t needed)
{
    printf("%s: %zu of %zu, %u needed\n", what, progress_count(list), list->n, needed);
    for (size_t i = 0; i < list->n; i++) {
        BUF_AUTO shown = {0};
        printf("  %-7s %s\n", list->items[i].done ? "done" : "missing",
               output_shown(list->items[i].member->alias, &shown));
    }
}

static enum q_err print_enclave(const struct options *o, struct arena *a)
{
    struct host_link host;
    struct message reply;
    const struct message request = {.tag = MSG_QUORATE_STATE_REQUEST};
    if (!options_given(o, "host-ip"))
        return Q_OK;
    TRY(host_link_open(o, &host));
    TRY(host_send(&host, &request, ENCODING_JSON, a, &reply));
    TRY(reply_expect(&reply, MSG_QUORATE_STATE_RESPONSE));
    printf("Enclave (unverified): %s, %u of %u shares\n",
           phase_name((enum phase)reply.state.phase.tag), reply.state.shares_held,
           reply.state.shares_needed);
    return Q_OK;
}

// How many members would have to have lied for the old shares to make the key again.
static void print_old_power(const struct reshare_progress *p)
{
    uint32_t k = p->planned.plan.old_share_set.threshold;
    size_t left = p->destroyed.n - progress_count(&p->destroyed);
    printf("Old shares that nobody has signed away: %zu; any %u of them make the %squorum key "
           "again.\n",
           left, k, p->planned.plan.new_key ? "OLD " : "");
}

static const char *next_step(const struct reshare_progress *p)
{
    const struct reshare_plan *plan = &p->planned.plan;
    if (!p->made && progress_count(&p->approved) < plan->manifest_set.threshold)
        return "reshare approve, by members of the manifest set";
    if (!p->made && progress_count(&p->wrapped) < plan->old_share_set.threshold)
        return "reshare boot, then reshare wrap-share by members of the old share set";
    if (!p->made)
        return "reshare post-share for each wrapped share, then reshare output";
    if (progress_count(&p->taken) < p->taken.n)
        return "reshare take, by each member of the new share set";
    if (progress_count(&p->destroyed) < p->destroyed.n)
        return "reshare destroyed, by each member of the old share set";
    return "nothing: the resharing is complete";
}

static enum q_err reshare_status(const struct options *o)
{
    ARENA_AUTO a = {0};
    BUF_AUTO name = {0};
    struct reshare_paths paths;
    struct reshare_progress p;
    int64_t now;
    TRY(time_now_s(&now));
    TRY(reshare_paths_in(options_value(o, "reshare-dir"), &a, &paths));
    TRY(reshare_progress_read(&paths, now, &a, &p));
    const struct reshare_plan *plan = &p.planned.plan;
    printf("Resharing of %s to epoch %" PRIu64 "%s\n", output_shown(plan->namespace, &name),
           plan->epoch, plan->new_key ? ", with a NEW quorum key" : "");
    TRY(reshare_show_hash("Reshare plan hash", p.planned.hash));
    print_list("Approved by the manifest set", &p.approved, plan->manifest_set.threshold);
    print_list("Old shares wrapped", &p.wrapped, plan->old_share_set.threshold);
    TRY(print_enclave(o, &a));
    if (p.made) {
        print_list("New shares taken", &p.taken, plan->new_share_set.threshold);
        print_list("Old shares destroyed", &p.destroyed, (uint32_t)p.destroyed.n);
        print_old_power(&p);
    }
    printf("Next: %s\n", next_step(&p));
    return Q_OK;
}

static const struct option reshare_status_options[] = {
    OPTION_RESHARE_DIR,
    OPTIONS_HOST_MAYBE,
};

const struct command command_reshare_status = {
    .name = "reshare status",
    .run = reshare_status,
    .help = "Show who approved, gave, took and destroyed shares, and what comes next",
    COMMAND_OPTIONS(reshare_status_options),
};
