// qos_core: the enclave's program. Options, start, signals, end (qos-behaviour 2.1; design "Processes").
#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "codec/json.h"
#include "enclave/instance/api.h"
#include "enclave/dispatch.h"
#include "enclave/egress.h"
#include "enclave/init.h"
#include "net/frame.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION_TEXT "version: 0.13.0\nquorate " QUORATE_VERSION " (" QUORATE_GIT ")\n"

// The application's uid when we are root and nothing else is said. From the range that Debian keeps
// reserved, so that no account, service or container has it.
#define APP_UID_DEFAULT 65433

#define CONNECTIONS_MAX 64
#define IDLE_MS 30000
#define FRAME_MS 30000
#define FINISH_MS 3000
#define EXPIRY_MS 1000   // between looks at what a simulated genesis holds
#define CONTROL_PORT "3" // as PID 1
#define LARGE_BLOCK (128 << 10)

static const struct option table[] = {
    {.name = "cid",
     .kind = OPTION_VALUE,
     .requires_ = "port",
     .forbids = "usock",
     .help = "vsock context id to listen on"},
    {.name = "port",
     .kind = OPTION_VALUE,
     .requires_ = "cid",
     .forbids = "usock",
     .help = "vsock port to listen on"},
    {.name = "usock",
     .kind = OPTION_VALUE,
     .forbids = "cid,port",
     .help = "unix socket to listen on"},
    {.name = "tee",
     .kind = OPTION_VALUE,
     .help = "trusted execution environment: nitro, snp or sim (the one that is present)"},
    {.name = "nsm-device",
     .kind = OPTION_VALUE,
     .help = "device of the Nitro security module (/dev/nsm)"},
    {.name = "sim-dir", .kind = OPTION_VALUE, .help = "folder of the simulated TEE"},
    {.name = "role",
     .kind = OPTION_VALUE,
     .help = "role that PCR3 measures: of the simulated TEE (role.txt in its folder), or what the "
             "host data of an SEV-SNP guest is the SHA-256 of"},
    {.name = "mock",
     .kind = OPTION_FLAG,
     .help = "simulated TEE with zero PCRs and module id mock_module_id"},
    {.name = "mock-pcrs",
     .kind = OPTION_VALUE,
     .requires_ = "mock",
     .help = "file of \"<hex> PCR<n>\" lines for the mock's PCRs"},
    {.name = "print-pcrs", .kind = OPTION_FLAG, .help = "print PCR0 to PCR3 and exit"},
    {.name = "quorum-file",
     .kind = OPTION_VALUE,
     .fallback = "/qos.quorum.key",
     .help = "where the quorum key is published"},
    {.name = "pivot-file",
     .kind = OPTION_VALUE,
     .fallback = "/qos.pivot.bin",
     .help = "where the application is published"},
    {.name = "ephemeral-file",
     .kind = OPTION_VALUE,
     .fallback = "/qos.ephemeral.key",
     .help = "where the ephemeral key is published"},
    {.name = "manifest-file",
     .kind = OPTION_VALUE,
     .fallback = "/qos.manifest",
     .help = "where the manifest envelope is published"},
    {.name = "app-user",
     .kind = OPTION_VALUE,
     .help = "uid and gid of the application (as root: 65433, else our own)"},
    {.name = "egress-listen",
     .kind = OPTION_VALUE,
     .fallback = "127.0.0.1:1080",
     .help = "where the application finds its SOCKS5 proxy, when its manifest has client entries"},
    {.name = "egress-cid",
     .kind = OPTION_VALUE,
     .fallback = "3",
     .requires_ = "cid",
     .help = "vsock context id of the host that connects out"},
    {.name = "egress-port",
     .kind = OPTION_VALUE,
     .fallback = "1000",
     .requires_ = "cid",
     .help = "vsock port of the host that connects out"},
    {.name = "unsafe-unfiltered-app",
     .kind = OPTION_FLAG,
     .help = "do not filter the system calls of an application in debug mode"},
    {.name = "allow-unlocked-memory",
     .kind = OPTION_FLAG,
     .help = "start although secrets could be swapped out (development only)"},
    {.name = "client-key",
     .kind = OPTION_VALUE,
     .help =
         "file of public keys (hex, one a line) that may use the REST API's application routes"},
    {.name = "admin-key",
     .kind = OPTION_VALUE,
     .help = "file of public keys (hex, one a line) that may use the REST API's administration"},
    {.name = "bearer-token",
     .kind = OPTION_VALUE,
     .help = "file with a token that may use the application routes (simulated TEE only)"},
    {.name = "state-dir",
     .kind = OPTION_VALUE,
     .help = "folder in which a TEE instance's manifest and stored data survive a restart"},
    {.name = "pinned-quorum-key",
     .kind = OPTION_VALUE,
     .help = "file with the one quorum key (hex) that may come here, by whatever route"},
    {.name = "require-member-decryption",
     .kind = OPTION_FLAG,
     .help = "take no share that was not opened by its member (inject-shares, simulated TEE)"},
    {.name = "unsafe-plaintext-shares",
     .kind = OPTION_FLAG,
     .help = "take shares in clear, which the host sees (inject-shares, not on a simulated TEE)"},
    {.name = "app-usock", .kind = OPTION_VALUE, .help = "of an older release", .ignored = true},
    {.name = "pool-size", .kind = OPTION_VALUE, .help = "of an older release", .ignored = true},
};

struct program {
    struct address address;
    uid_t app_uid;
    bool is_init;
    struct loop *loop;
    struct timer *finish, *expiry;
    struct tee *tee;
    struct frame_server *server;
    struct supervisor *supervisor;
    struct bridges *bridges;
    struct egress *egress;
    char egress_path[ADDRESS_PATH_SIZE];
    struct enclave *enclave;
};

// What a simulated genesis holds goes when its time is over, also when nobody asks for anything any more.
static void look_for_expiry(void *context)
{
    struct program *p = context;
    api_expire_shares(p->enclave);
    if (p->enclave->held != NULL)
        timer_set(p->expiry, clock_monotonic_ms() + EXPIRY_MS);
}

static enum q_err handle(void *context, struct bytes frame, struct buf *reply)
{
    struct program *p = context;
    enum q_err err = dispatch(p->enclave, frame, reply);
    look_for_expiry(p);
    return err;
}

static size_t frame_limit(void *context)
{
    const struct program *p = context;
    return dispatch_frame_limit(p->enclave);
}

static enum q_err listen_for_messages(struct program *p)
{
    const struct frame_server_options options = {
        .address = p->address,
        .connections_max = CONNECTIONS_MAX,
        .idle_ms = IDLE_MS,
        .frame_ms = FRAME_MS,
        .frame_limit = frame_limit,
        .handle = handle,
        .context = p,
    };
    TRY(frame_server_start(p->loop, &options, &p->server));
    BUF_AUTO where = {0};
    TRY(address_display(&options.address, &where));
    if (buf_text(&where) != NULL)
        log_info("listening on %s, tee %s%s; Ctrl-C to quit", (const char *)where.p,
                 tee_name(p->tee), tee_simulated(p->tee) ? " (SIMULATED)" : "");
    return Q_OK;
}

static enum q_err application_uid(const struct options *o, uid_t *out)
{
    uid_t own = geteuid();
    *out = own == 0 ? APP_UID_DEFAULT : own;
    if (!options_given(o, "app-user"))
        return Q_OK;
    uint32_t uid;
    TRY(options_u32(o, "app-user", 0, UINT32_MAX - 1, &uid));
    if (own != 0 && uid != own)
        return fail(Q_BAD_INPUT,
                    "--app-user: expected our own uid %u (only root can use another), "
                    "found %u",
                    (unsigned)own, uid);
    *out = uid;
    return Q_OK;
}

static enum q_err open_tee(const struct options *o, struct tee **out)
{
    const struct tee_options options = {
        .provider = options_value(o, "tee"),
        .nsm_device = options_value(o, "nsm-device"),
        .sim_dir = options_value(o, "sim-dir"),
        .role = options_value(o, "role"),
        .mock = options_given(o, "mock"),
        .mock_pcrs = options_value(o, "mock-pcrs"),
        .clock = &clock_wall,
    };
    return tee_open(&options, out);
}

static enum q_err print_measurements(struct tee *tee)
{
    BUF_AUTO text = {0};
    TRY(tee_print_measurements(tee, &text));
    if (fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0)
        return fail(Q_IO, "stdout: cannot be written");
    return Q_OK;
}

static void stopped(void *context)
{
    struct program *p = context;
    loop_stop(p->loop);
}

// The keys go first; then the application has its time to end.
static void stop(void *context, int number)
{
    struct program *p = context;
    log_info("signal %d: stopping", number);
    published_wipe_all(&p->enclave->published);
    frame_server_stop(&p->server);
    supervisor_stop(p->supervisor, stopped, p);
}

static enum q_err open_egress(struct program *p, const struct options *o)
{
    struct egress_options options = egress_defaults();
    uint32_t cid, port;
    TRY(options_u32(o, "egress-cid", 0, UINT32_MAX, &cid));
    TRY(options_u32(o, "egress-port", 0, UINT32_MAX, &port));
    if (address_of_egress(&p->address, cid, port, p->egress_path, &options.host) != Q_OK)
        options.host = (struct address){.kind = p->address.kind}; // a boot that needs it is refused
    TRY(err_context(egress_listen_parse(options_value(o, "egress-listen"), &options.listen),
                    "--egress-listen"));
    TRY(egress_new(p->loop, &options, &p->egress));
    supervisor_egress(p->supervisor, p->egress);
    return Q_OK;
}

// As PID 1, after an application that is not to be restarted: the machine ends, once its last bytes have had
// their time to leave.
static void application_over(void *context)
{
    struct program *p = context;
    log_info("the application has ended and is not to be restarted");
    timer_set(p->finish, clock_monotonic_ms() + FINISH_MS);
}

static void finish_due(void *context)
{
    struct program *p = context;
    published_wipe_all(&p->enclave->published);
    supervisor_stop(p->supervisor, stopped, p);
}

static enum q_err open_supervisor(struct program *p, const struct options *o)
{
    TRY(supervisor_new(p->loop, &p->supervisor));
    if (options_given(o, "unsafe-unfiltered-app"))
        supervisor_unfiltered_debug(p->supervisor);
    if (!p->is_init)
        return Q_OK;
    supervisor_on_end(p->supervisor, application_over, p);
    return loop_timer(p->loop, finish_due, p, &p->finish);
}

static enum q_err open_enclave(struct program *p, const struct options *o)
{
    struct enclave_options options = {
        .tee = p->tee, .supervisor = p->supervisor, .bridges = p->bridges, .egress = p->egress};
    options.published.paths[PUBLISHED_QUORUM] = options_value(o, "quorum-file");
    options.published.paths[PUBLISHED_PIVOT] = options_value(o, "pivot-file");
    options.published.paths[PUBLISHED_EPHEMERAL] = options_value(o, "ephemeral-file");
    options.published.paths[PUBLISHED_MANIFEST] = options_value(o, "manifest-file");
    options.published.app_uid = p->app_uid;
    options.policy = (struct instance_policy){
        .state_dir = options_value(o, "state-dir"),
        .pinned_quorum_key = options_value(o, "pinned-quorum-key"),
        .require_member_decryption = options_given(o, "require-member-decryption"),
        .unsafe_plaintext_shares = options_given(o, "unsafe-plaintext-shares"),
        .keys = {.client_keys = options_value(o, "client-key"),
                 .admin_keys = options_value(o, "admin-key"),
                 .bearer_token = options_value(o, "bearer-token")},
    };
    options.clock = &clock_wall;
    options.resolvers = p->is_init ? "/etc/resolv.conf" : NULL; // another machine's is its own
    return enclave_open(&options, &p->enclave);
}

// Listens first: an enclave that is there already, on the same socket, keeps its files.
static enum q_err serve(struct program *p, const struct options *o)
{
    TRY(loop_new(&p->loop));
    TRY(listen_for_messages(p));
    TRY(open_supervisor(p, o));
    TRY(bridges_new(p->loop, &p->address, &p->bridges));
    supervisor_bridge(p->supervisor, p->bridges);
    TRY(open_egress(p, o));
    TRY(open_enclave(p, o));
    TRY(loop_timer(p->loop, look_for_expiry, p, &p->expiry));
    TRY(loop_signal(p->loop, SIGINT, stop, p));
    TRY(loop_signal(p->loop, SIGTERM, stop, p));
    return loop_run(p->loop);
}

// A message is megabytes, and each buffer it passes through is wiped before it is released. Whatever is large goes back
// to the system then, and does not leave holes in a heap that glibc would let grow with every message.
static enum q_err keep_heap_small(void)
{
    return mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK) == 1
               ? Q_OK
               : fail(Q_INTERNAL, "heap: expected to set what a large block is, found a refusal");
}

static enum q_err run(struct program *p, const struct options *o)
{
    bool print = options_given(o, "print-pcrs");
    if (!print)
        TRY(address_from_options(o, &p->address));
    TRY(application_uid(o, &p->app_uid));
    TRY(keep_heap_small());
    TRY(secret_init(options_given(o, "allow-unlocked-memory")));
    TRY(json_start());
    TRY(open_tee(o, &p->tee));
    return print ? print_measurements(p->tee) : serve(p, o);
}

static void end(struct program *p)
{
    if (p->server != NULL)
        frame_server_stop(&p->server);
    supervisor_free(&p->supervisor);
    bridges_free(&p->bridges);
    egress_free(&p->egress);
    enclave_close(&p->enclave);
    timer_end(&p->finish);
    timer_end(&p->expiry);
    loop_free(&p->loop);
    tee_close(&p->tee);
}

static enum q_err print_help(void)
{
    BUF_AUTO text = {0};
    TRY(options_help(table, sizeof table / sizeof *table, &text));
    (void)fwrite(text.p, 1, text.n, stdout);
    return Q_OK;
}

static int failed(void)
{
    (void)fprintf(stderr, "qos_core: %s\n", err_text());
    return EXIT_FAILURE;
}

static enum q_err parse(int argc, char *const *argv, struct options *o)
{
    return options_parse(table, sizeof table / sizeof *table, argc - 1, argv + 1, o);
}

// As PID 1 the machine decides, not whoever wrote a command line: Nitro, our own vsock number and the parent's,
// the default files.
static enum q_err serve_as_init(struct program *p)
{
    struct init_place place;
    struct options o;
    char words[][24] = {"init",         "--tee", "nitro",  "--cid",      "",
                        "--egress-cid", "",      "--port", CONTROL_PORT, "--unsafe-unfiltered-app"};
    char *pointers[sizeof words / sizeof *words];
    int count = sizeof words / sizeof *words;
    p->is_init = true;
    TRY(init_start(&place));
    (void)snprintf(words[4], sizeof words[4], "%u", place.cid);
    (void)snprintf(words[6], sizeof words[6], "%u", place.line.parent_cid);
    for (int i = 0; i < count; i++)
        pointers[i] = words[i];
    TRY(parse(place.line.unsafe_unfiltered_app ? count : count - 1, pointers, &o));
    return run(p, &o);
}

_Noreturn static void main_as_init(void)
{
    struct program p = {0};
    log_as_console();
    enum q_err err = serve_as_init(&p);
    if (err == Q_OK)
        log_info("the end; restarting");
    else
        log_error("%s; switching off", err_text());
    end(&p); // a machine that is switched off may only stand still: no key stays in its memory
    init_end(err == Q_OK);
}

int main(int argc, char **argv)
{
    struct options o;
    struct program p = {0};
    log_start("qos_core", LOG_INFO);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)umask(022);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); // a file over the limit is refused like one on a full disk
    if (init_is_wanted(getpid(), argc > 0 ? argv[0] : NULL))
        main_as_init();
    if (parse(argc, argv, &o) != Q_OK)
        return failed();
    if (o.help)
        return print_help() == Q_OK ? EXIT_SUCCESS : failed();
    if (o.version)
        return fputs(VERSION_TEXT, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    enum q_err err = run(&p, &o);
    int status = err == Q_OK ? EXIT_SUCCESS : failed();
    end(&p);
    return status;
}
