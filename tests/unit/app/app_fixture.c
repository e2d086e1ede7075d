// The enclave of the tests (see app_fixture.h).
#include "app_fixture.h"

#include "base/file.h"
#include "base/hex.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

static enum q_err stand_still(void *context, struct clock_reading *out)
{
    *out = (struct clock_reading){.ms = *(const int64_t *)context, .source = CLOCK_SOURCE_GIVEN};
    return Q_OK;
}

void write_text(const char *path, struct bytes text)
{
    assert_ok(file_write(path, text, 0600, FILE_REPLACE));
}

static void write_seed(const char *path, const struct p256_pair *pair)
{
    BUF_AUTO hex = {.wipe = true};
    assert_ok(hex_encode(p256_pair_seed(pair), &hex));
    write_text(path, buf_bytes(&hex));
}

static struct p256_pair *pair_of(uint8_t number)
{
    uint8_t seed[P256_SEED_SIZE];
    struct p256_pair *pair = NULL;
    memset(seed, number, sizeof seed);
    assert_ok(p256_pair_from_seed(BYTES_OF(seed), &pair));
    return pair;
}

static struct bytes public_bytes(const struct p256_pair *pair)
{
    return p256_public_bytes(p256_pair_public(pair));
}

static struct bytes copied(struct enclave *e, struct bytes in)
{
    struct bytes out;
    assert_ok(arena_copy(&e->arena, in, &out));
    return out;
}

static void open_folder(struct enclave *e)
{
    strcpy(e->folder, "/tmp/quorate-app-XXXXXX");
    assert_non_null(mkdtemp(e->folder));
    (void)snprintf(e->quorum_path, sizeof e->quorum_path, "%s/qos.quorum.key", e->folder);
    (void)snprintf(e->ephemeral_path, sizeof e->ephemeral_path, "%s/qos.ephemeral.key", e->folder);
    (void)snprintf(e->manifest_path, sizeof e->manifest_path, "%s/qos.manifest", e->folder);
}

static void open_tee(struct enclave *e)
{
    char dir[80];
    (void)snprintf(dir, sizeof dir, "%s/sim", e->folder);
    e->now_ms = NOW_S * 1000;
    e->clock = (struct clock){stand_still, &e->now_ms};
    const struct tee_options options = {
        .provider = "sim", .sim_dir = dir, .role = "arn:test", .clock = &e->clock};
    assert_ok(tee_open(&options, &e->tee));
    assert_ok(buf_append(&e->root, tee_root(e->tee)));
}

static void make_keys(struct enclave *e)
{
    e->quorum = pair_of(0x11);
    e->setup = pair_of(0x22);
    e->live = pair_of(0x33);
    for (size_t i = 0; i < MEMBERS; i++)
        e->members[i] = pair_of((uint8_t)(0x41 + i));
    write_seed(e->quorum_path, e->quorum);
    write_seed(e->ephemeral_path, e->live);
}

static struct member_set set_of(struct enclave *e)
{
    static const char *const aliases[MEMBERS] = {"alice", "bob", "carol"};
    struct member_set set = {.threshold = 2};
    void *members;
    assert_ok(arena_array(&e->arena, MEMBERS, sizeof(struct member), &members));
    set.members.items = members;
    set.members.n = MEMBERS;
    for (size_t i = 0; i < MEMBERS; i++)
        set.members.items[i] =
            (struct member){bytes_str(aliases[i]), copied(e, public_bytes(e->members[i]))};
    return set;
}

static void make_manifest(struct enclave *e)
{
    static struct bytes args[] = {{(const uint8_t *)"--port", 6}, {(const uint8_t *)"3000", 4}};
    static struct env_var env[] = {
        {{(const uint8_t *)"EMPTY", 5}, {(const uint8_t *)"", 0}},
        {{(const uint8_t *)"GREETING", 8}, {(const uint8_t *)"hello", 5}}};
    struct manifest *m = &e->envelope.manifest;
    *m = (struct manifest){
        .version = MANIFEST_V2,
        .version_text = BYTES_LIT("v2"),
        .namespace = {BYTES_LIT("production-v1"), 7, copied(e, public_bytes(e->quorum))},
        .pivot = {.args = {args, 2}, .env = {env, 2}},
        .manifest_set = set_of(e),
        .share_set = set_of(e),
        .enclave = {.qos_commit = BYTES_LIT("none")},
    };
    memset(m->pivot.hash, 0x5a, sizeof m->pivot.hash);
}

void enclave_measure(struct enclave *e)
{
    struct nitro_config *n = &e->envelope.manifest.enclave;
    struct bytes *values[] = {&n->pcr0, &n->pcr1, &n->pcr2, &n->pcr3};
    for (unsigned i = 0; i < 4; i++) {
        struct register_state state;
        assert_ok(e->tee->ops->read(e->tee, i, &state));
        *values[i] = copied(e, bytes_of(state.value.value, state.value.n));
    }
    n->root_certificate = copied(e, tee_root(e->tee));
}

void enclave_approve(struct enclave *e)
{
    void *approvals;
    assert_ok(manifest_hash(&e->envelope.manifest, e->hash));
    assert_ok(arena_array(&e->arena, 2, sizeof(struct approval), &approvals));
    e->envelope.manifest_set_approvals.items = approvals;
    e->envelope.manifest_set_approvals.n = 2;
    for (size_t i = 0; i < 2; i++) {
        uint8_t signature[P256_SIGNATURE_SIZE];
        assert_ok(p256_sign(e->members[i], BYTES_OF(e->hash), signature));
        e->envelope.manifest_set_approvals.items[i] = (struct approval){
            copied(e, BYTES_OF(signature)), e->envelope.manifest.manifest_set.members.items[i]};
    }
}

void enclave_store(struct enclave *e)
{
    buf_clear(&e->stored);
    assert_ok(envelope_store(&e->envelope, &e->stored));
    write_text(e->manifest_path, buf_bytes(&e->stored));
}

void enclave_attest(struct enclave *e, struct bytes user_data, struct bytes nonce, struct bytes key)
{
    buf_clear(&e->document);
    assert_ok(tee_attest(e->tee, user_data, nonce, key, &e->document));
}

void enclave_commit(struct enclave *e)
{
    bool begun = false;
    uint8_t setup[SHA384_SIZE], live[SHA384_SIZE];
    assert_ok(commitment_make(COMMITMENT_SETUP, e->hash, public_bytes(e->setup), setup));
    assert_ok(commitment_make(COMMITMENT_LIVE, e->hash, public_bytes(e->live), live));
    assert_ok(tee_commit(e->tee, setup, live, &begun));
    enclave_attest(e, BYTES_OF(e->hash), BYTES_NONE, public_bytes(e->live));
}

int enclave_start(void **state)
{
    struct enclave *e = calloc(1, sizeof *e);
    assert_non_null(e);
    open_folder(e);
    open_tee(e);
    make_keys(e);
    make_manifest(e);
    enclave_measure(e);
    enclave_approve(e);
    enclave_store(e);
    enclave_commit(e);
    *state = e;
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

int enclave_stop(void **state)
{
    struct enclave *e = *state;
    int result = nftw(e->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    struct p256_pair **pairs[] = {&e->quorum,     &e->setup,      &e->live,
                                  &e->members[0], &e->members[1], &e->members[2]};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        p256_pair_free(pairs[i]);
    tee_close(&e->tee);
    arena_free(&e->arena);
    buf_free(&e->stored);
    buf_free(&e->document);
    buf_free(&e->root);
    free(e);
    return result;
}

struct app_key *read_quorum(const struct enclave *e)
{
    struct app_key *key = NULL;
    assert_app_ok(app_quorum_key_read(e->quorum_path, &key));
    return key;
}

struct app_key *read_ephemeral(const struct enclave *e)
{
    struct app_key *key = NULL;
    assert_app_ok(app_ephemeral_key_read(e->ephemeral_path, &key));
    return key;
}

struct app_manifest *parse_manifest(const struct enclave *e)
{
    struct app_manifest *manifest = NULL;
    assert_app_ok(app_manifest_parse(e->stored.p, e->stored.n, &manifest));
    return manifest;
}
