// Makes them from fixed seeds (see people.h).
#include "people.h"

#include "base/hex.h"
#include "base/random.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct bytes people_pivot = {(const uint8_t *)"pivot", 5};

static struct {
    uint64_t state;
    unsigned fails_at;
    bool failed;
} source;

void must(bool holds)
{
    if (holds)
        return;
    (void)fprintf(stdout, "the last error was: %s\n", err_text());
    (void)fflush(stdout);
    abort();
}

void must_ok(enum q_err err)
{
    must(err == Q_OK);
}

// Not random at all (xorshift64*), but different each time and the same in each run.
static enum q_err next_random(uint8_t *out, size_t n)
{
    if (source.fails_at != 0 && --source.fails_at == 0) {
        source.failed = true;
        return fail(Q_IO, "random bytes: fail as asked");
    }
    for (size_t i = 0; i < n; i++) {
        source.state ^= source.state >> 12;
        source.state ^= source.state << 25;
        source.state ^= source.state >> 27;
        out[i] = (uint8_t)(source.state * UINT64_C(0x2545f4914f6cdd1d) >> 56);
    }
    return Q_OK;
}

void random_restart(void)
{
    source.state = 1;
    random_fails_at(0);
    random_set_source(next_random);
}

void random_fails_at(unsigned n)
{
    source.fails_at = n;
    source.failed = false;
}

bool random_failed(void)
{
    return source.failed;
}

static char *folder_to_remove;

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_folder(void)
{
    (void)nftw(folder_to_remove, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

// In memory where the machine has such a place: every session syncs files to their disk.
static void make_folder(struct people *p)
{
    static const char *const names[PUBLISHED_COUNT] = {"ephemeral", "quorum", "pivot", "manifest"};
    const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(p->folder, sizeof p->folder, "%s/quorate-fuzz-XXXXXX", place);
    must(mkdtemp(p->folder) != NULL);
    folder_to_remove = p->folder;
    must(atexit(remove_folder) == 0);
    for (size_t i = 0; i < PUBLISHED_COUNT; i++)
        (void)snprintf(p->files[i], sizeof p->files[i], "%s/%s", p->folder, names[i]);
}

static void make_pair(uint8_t fill, struct p256_pair **out)
{
    uint8_t seed[P256_SEED_SIZE];
    memset(seed, fill, sizeof seed);
    must_ok(p256_pair_from_seed(BYTES_OF(seed), out));
}

static void make_people(struct people *p)
{
    static const char *const names[PEOPLE] = {"alice", "bob", "carol", "mallory"};
    for (size_t i = 0; i < PEOPLE; i++) {
        make_pair((uint8_t)(i + 1), &p->pairs[i]);
        p->members[i].alias = bytes_str(names[i]);
        p->members[i].pub_key = p256_public_bytes(p256_pair_public(p->pairs[i]));
    }
    make_pair(99, &p->quorum);
    must_ok(shamir_split(p256_pair_seed(p->quorum), MEMBERS, THRESHOLD, &p->shares));
    must_ok(hex_encode_secret(p256_pair_seed(p->quorum), &p->seed_text));
}

static void make_manifest(const struct people *p, struct member *members, struct manifest *m)
{
    m->version = MANIFEST_V1;
    m->namespace = (struct namespace){.name = BYTES_LIT("fuzz"), .nonce = 1};
    m->namespace.quorum_key = p256_public_bytes(p256_pair_public(p->quorum));
    must_ok(sha256(people_pivot, m->pivot.hash));
    m->manifest_set.threshold = m->share_set.threshold = THRESHOLD;
    m->manifest_set.members.items = m->share_set.members.items = members;
    m->manifest_set.members.n = m->share_set.members.n = MEMBERS;
    static const uint8_t zero[SHA384_SIZE]; // as the small TEE starts
    const struct bytes none = BYTES_OF(zero), empty = BYTES_LIT("");
    m->enclave = (struct nitro_config){none, none, none, none, empty, empty};
}

static void make_approvals(struct people *p)
{
    must_ok(manifest_hash(&p->envelope.manifest, p->hash));
    for (size_t i = 0; i < PEOPLE; i++) {
        must_ok(p256_sign(p->pairs[i], BYTES_OF(p->hash), p->signatures[i]));
        p->approvals[i] =
            (struct approval){.signature = BYTES_OF(p->signatures[i]), .member = p->members[i]};
    }
    p->envelope.manifest_set_approvals.items = p->approvals;
    p->envelope.manifest_set_approvals.n = THRESHOLD;
}

void people_make(struct people *out)
{
    must_ok(secret_init(true));
    random_restart();
    make_folder(out);
    make_people(out);
    make_manifest(out, out->members, &out->envelope.manifest);
    make_approvals(out);
}

struct bytes people_share(const struct people *p, size_t index)
{
    return bytes_of(p->shares.p + index * SHARE_SIZE, SHARE_SIZE);
}

static void add_file(const char *folder, const char *name, struct buf *out)
{
    char path[512];
    struct stat s;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    must(lstat(path, &s) == 0);
    must_ok(buf_printf(out, "%s %o\n", name, (unsigned)s.st_mode));
    must_ok(file_read(path, (size_t)1 << 20, out));
}

void people_snapshot(const struct people *p, bool manifest_too, struct buf *out)
{
    ARENA_AUTO a = {0};
    struct file_list list;
    must_ok(file_list(p->folder, &a, &list));
    for (size_t i = 0; i < list.n; i++)
        if (manifest_too || strcmp(list.names[i], "manifest") != 0)
            add_file(p->folder, list.names[i], out);
}
