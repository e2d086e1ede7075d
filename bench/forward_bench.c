// How long a key forward takes: two enclaves over the simulated TEE, asked as their sockets would be. The export has all
// its checks, the injection all its files; medians.
#include "base/clock.h"
#include "base/log.h"
#include "crypto/shamir.h"
#include "enclave/dispatch.h"
#include "protocol/manifest.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 21
#define MEMBERS 3
#define THRESHOLD 2

static struct people {
    char folder[64];
    struct p256_pair *pairs[MEMBERS], *quorum;
    struct member members[MEMBERS];
    uint8_t signatures[MEMBERS][P256_SIGNATURE_SIZE];
    struct approval approvals[MEMBERS];
    struct manifest_envelope envelope;
    struct secret shares;
} people;

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *ms)
{
    qsort(ms, ROUNDS, sizeof *ms, by_value);
    return ms[ROUNDS / 2];
}

static const struct bytes pivot = {(const uint8_t *)"pivot", 5};

static enum q_err make_manifest(struct manifest *m)
{
    static const uint8_t zero[SHA384_SIZE]; // as a mock enclave measures
    const struct bytes none = BYTES_OF(zero), empty = BYTES_LIT("");
    m->version = MANIFEST_V1;
    m->namespace = (struct namespace){.name = BYTES_LIT("bench"), .nonce = 1};
    m->namespace.quorum_key = p256_public_bytes(p256_pair_public(people.quorum));
    m->manifest_set.threshold = m->share_set.threshold = THRESHOLD;
    m->manifest_set.members.items = m->share_set.members.items = people.members;
    m->manifest_set.members.n = m->share_set.members.n = MEMBERS;
    m->enclave = (struct nitro_config){none, none, none, none, empty, empty};
    return sha256(pivot, m->pivot.hash);
}

static enum q_err make_people(void)
{
    static const char *const names[MEMBERS] = {"alice", "bob", "carol"};
    struct manifest_envelope *e = &people.envelope;
    uint8_t hash[SHA256_SIZE];
    TRY(p256_pair_generate(&people.quorum));
    TRY(shamir_split(p256_pair_seed(people.quorum), MEMBERS, THRESHOLD, &people.shares));
    for (size_t i = 0; i < MEMBERS; i++) {
        TRY(p256_pair_generate(&people.pairs[i]));
        people.members[i] =
            (struct member){.alias = bytes_str(names[i]),
                            .pub_key = p256_public_bytes(p256_pair_public(people.pairs[i]))};
    }
    TRY(make_manifest(&e->manifest));
    TRY(manifest_hash(&e->manifest, hash));
    for (size_t i = 0; i < MEMBERS; i++) {
        TRY(p256_sign(people.pairs[i], BYTES_OF(hash), people.signatures[i]));
        people.approvals[i] = (struct approval){.signature = BYTES_OF(people.signatures[i]),
                                                .member = people.members[i]};
    }
    e->manifest_set_approvals.items = people.approvals;
    e->manifest_set_approvals.n = THRESHOLD;
    return Q_OK;
}

struct machine {
    struct tee *tee;
    struct enclave *enclave;
    char paths[PUBLISHED_COUNT][96];
};

static void machine_end(struct machine *m)
{
    enclave_close(&m->enclave);
    tee_close(&m->tee);
}
#define MACHINE_AUTO __attribute__((cleanup(machine_end))) struct machine

static enum q_err machine_start(struct machine *m, const char *name)
{
    char sim[80];
    (void)snprintf(sim, sizeof sim, "%s/sim", people.folder);
    const struct tee_options tee = {
        .provider = "sim", .sim_dir = sim, .mock = true, .clock = &clock_wall};
    TRY(tee_open(&tee, &m->tee));
    struct enclave_options options = {.tee = m->tee, .published = {.app_uid = geteuid()}};
    for (size_t i = 0; i < PUBLISHED_COUNT; i++) {
        (void)snprintf(m->paths[i], sizeof m->paths[i], "%s/%s/%zu", people.folder, name, i);
        options.published.paths[i] = m->paths[i];
    }
    return enclave_open(&options, &m->enclave);
}

// Frame to reply, as the enclave's socket does; took: without our own encoding and decoding.
static enum q_err ask(struct machine *m, const struct message *request, enum message_kind kind,
                      struct arena *a, struct message *reply, double *took)
{
    BUF_AUTO frame = {0}, raw = {0};
    struct bytes kept;
    enum encoding as;
    TRY(message_encode(request, ENCODING_JSON, &frame, NULL));
    double start = now_ms();
    TRY(dispatch(m->enclave, buf_bytes(&frame), &raw));
    *took = now_ms() - start;
    TRY(arena_copy(a, buf_bytes(&raw), &kept));
    TRY(message_decode(kept, a, reply, &as, NULL));
    return reply->tag == (uint32_t)kind
               ? Q_OK
               : fail(Q_INTERNAL, "message %u is refused: %s", request->tag, err_text());
}

static enum q_err provision(struct machine *m)
{
    ARENA_AUTO a = {0};
    struct message reply, boot = {.tag = MSG_BOOT_STANDARD_REQUEST,
                                  .boot = {.manifest_envelope = people.envelope, .pivot = pivot}};
    double took;
    TRY(ask(m, &boot, MSG_BOOT_STANDARD_RESPONSE, &a, &reply, &took));
    const struct p256_public *setup = keyring_public(m->enclave->keyring, KEY_SETUP);
    for (size_t i = 0; i < THRESHOLD; i++) {
        BUF_AUTO sealed = {0};
        TRY(p256_seal(setup, bytes_of(people.shares.p + i * SHARE_SIZE, SHARE_SIZE), &sealed));
        const struct message post = {
            .tag = MSG_PROVISION_REQUEST,
            .provision = {.share = buf_bytes(&sealed), .approval = people.approvals[i]}};
        TRY(ask(m, &post, MSG_PROVISION_RESPONSE, &a, &reply, &took));
    }
    return Q_OK;
}

struct figures {
    double boot[ROUNDS], export[ROUNDS], inject[ROUNDS], both[ROUNDS];
};

static enum q_err forward(struct machine *old, struct figures *f, size_t round)
{
    ARENA_AUTO a = {0};
    MACHINE_AUTO new = {.tee = NULL};
    struct message reply, key;
    const struct message boot = {.tag = MSG_BOOT_KEY_FORWARD_REQUEST,
                                 .boot = {.manifest_envelope = people.envelope, .pivot = pivot}};
    TRY(machine_start(&new, "new"));
    TRY(ask(&new, &boot, MSG_BOOT_KEY_FORWARD_RESPONSE, &a, &reply, &f->boot[round]));
    const struct message export = {
        .tag = MSG_EXPORT_KEY_REQUEST,
        .export_key = {.manifest_envelope = people.envelope,
                       .cose_sign1_attestation_doc = reply.nsm.nsm_response.attestation.data}};
    TRY(ask(old, &export, MSG_EXPORT_KEY_RESPONSE, &a, &key, &f->export[round]));
    key.tag = MSG_INJECT_KEY_REQUEST;
    TRY(ask(&new, &key, MSG_INJECT_KEY_RESPONSE, &a, &reply, &f->inject[round]));
    f->both[round] = f->export[round] + f->inject[round];
    return Q_OK;
}

static enum q_err run(void)
{
    static struct figures f;
    MACHINE_AUTO old = {.tee = NULL};
    TRY(secret_init(true));
    TRY(make_people());
    TRY(machine_start(&old, "old"));
    TRY(provision(&old));
    for (size_t i = 0; i < ROUNDS; i++)
        TRY(forward(&old, &f, i));
    printf("boot_key_forward %.2f ms\nexport_key %.2f ms\ninject_key %.2f ms\n"
           "export_and_inject %.2f ms\n",
           median(f.boot), median(f.export), median(f.inject), median(f.both));
    return Q_OK;
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s;
    (void)kind;
    (void)at;
    return remove(path);
}

int main(void)
{
    (void)snprintf(people.folder, sizeof people.folder, "/tmp/quorate-bench-XXXXXX");
    if (mkdtemp(people.folder) == NULL) {
        (void)fprintf(stderr, "forward_bench: no temporary folder\n");
        return EXIT_FAILURE;
    }
    log_start("forward_bench", LOG_ERROR);
    enum q_err err = run();
    if (err != Q_OK)
        (void)fprintf(stderr, "forward_bench: %s\n", err_text());
    (void)nftw(people.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return err == Q_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
