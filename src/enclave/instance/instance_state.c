// The state file of a TEE instance (see instance_state.h).
#include "enclave/instance/instance_state.h"

#include "base/log.h"
#include "codec/json.h"
#include "enclave/instance/api_forward.h"
#include "enclave/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_VERSION "quorate-instance-state-v1"

struct instance_state {
    struct bytes version;
    struct api_manifest_envelope manifest_envelope;
    LIST_OF(struct bytes) share_hashes; // of the share set's members, in their order
    struct bytes signature;             // by the quorum key, over state_message()
};

static const struct type type_hash_list = {LIST("list of hashes", &type_bytes),
                                           .limit = SHAMIR_MAX_SHARES};
static const struct field state_fields[] = {
    FIELD(struct instance_state, version, "version", &type_text),
    FIELD(struct instance_state, manifest_envelope, "manifest_envelope",
          &type_api_manifest_envelope),
    FIELD(struct instance_state, share_hashes, "share_hashes", &type_hash_list),
    FIELD(struct instance_state, signature, "signature", &type_bytes),
};
static const struct type type_instance_state = {
    STRUCT(struct instance_state, "instance state", state_fields), .closed = true};

// What the quorum key signs: version || manifest hash || share hashes.
static enum q_err state_message(const struct booted *b, struct buf *out)
{
    size_t n = b->envelope.manifest.share_set.members.n;
    TRY(buf_append(out, BYTES_LIT(STATE_VERSION)));
    TRY(buf_append(out, BYTES_OF(b->manifest_hash)));
    return buf_append(out, bytes_of(b->share_hashes, n * sizeof *b->share_hashes));
}

static enum q_err state_path(const struct enclave *e, struct arena *a, const char **out)
{
    return file_join(a, e->policy.state_dir, INSTANCE_STATE_NAME, out);
}

// A folder that nobody else can read or write, made when it is not there.
static enum q_err check_folder(const char *path)
{
    struct stat s;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fail_os(errno, "state folder %s: cannot be made", path);
    if (lstat(path, &s) != 0)
        return fail_os(errno, "state folder %s: cannot be examined", path);
    if (!S_ISDIR(s.st_mode))
        return fail(Q_BAD_INPUT, "state folder %s: expected a folder, found something else", path);
    if (s.st_uid != geteuid() || (s.st_mode & 077) != 0)
        return fail(Q_BAD_INPUT,
                    "state folder %s: expected one of uid %u with mode 0700, found one of uid %u "
                    "with mode %04o",
                    path, (unsigned)geteuid(), (unsigned)s.st_uid, (unsigned)(s.st_mode & 07777));
    return Q_OK;
}

static void close_auto(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static enum q_err check_file(int fd, const char *path, size_t *size)
{
    struct stat s;
    if (fstat(fd, &s) != 0)
        return fail_os(errno, "%s: cannot be examined", path);
    if (!S_ISREG(s.st_mode))
        return fail(Q_BAD_INPUT, "%s: expected a regular file, found something else", path);
    if (s.st_uid != geteuid() || (s.st_mode & 077) != 0)
        return fail(Q_BAD_INPUT, "%s: expected our own file with mode 0600, found mode %04o", path,
                    (unsigned)(s.st_mode & 07777));
    if (s.st_size < 0 || (uint64_t)s.st_size > INSTANCE_STATE_MAX)
        return fail(Q_LIMIT, "%s: expected at most %zu bytes, found more", path,
                    INSTANCE_STATE_MAX);
    *size = (size_t)s.st_size;
    return Q_OK;
}

static enum q_err read_private(const char *path, struct arena *a, struct bytes *out)
{
    __attribute__((cleanup(close_auto))) int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    void *text;
    size_t size, got = 0;
    if (fd < 0)
        return fail_os(errno, "%s: cannot be opened for reading", path);
    TRY(check_file(fd, path, &size));
    TRY(arena_alloc(a, size, &text));
    while (got < size) {
        ssize_t step = read(fd, (uint8_t *)text + got, size - got);
        if (step < 0 && errno == EINTR)
            continue;
        if (step <= 0)
            return fail(Q_IO, "%s: expected %zu bytes, read %zu", path, size, got);
        got += (size_t)step;
    }
    *out = bytes_of(text, size);
    return Q_OK;
}

static enum q_err list_hashes(const struct booted *b, struct arena *a, struct instance_state *s)
{
    size_t n = b->envelope.manifest.share_set.members.n;
    void *items;
    TRY(arena_array(a, n, sizeof *s->share_hashes.items, &items));
    s->share_hashes.items = items;
    s->share_hashes.n = n;
    for (size_t i = 0; i < n; i++)
        s->share_hashes.items[i] = BYTES_OF(b->share_hashes[i]);
    return Q_OK;
}

static enum q_err decode(struct bytes text, struct arena *a, struct instance_state *out)
{
    if (text.n > INSTANCE_STATE_MAX)
        return fail(Q_LIMIT, "state: expected at most %zu bytes, found %zu", INSTANCE_STATE_MAX,
                    text.n);
    TRY(json_decode_up_to(&type_instance_state, text, API_MAX_VALUES, a, out));
    return bytes_is(out->version, STATE_VERSION)
               ? Q_OK
               : fail(Q_UNSUPPORTED, "version: expected %s, found another", STATE_VERSION);
}

// What could not be read at the next start must not be written: the request that made it had room left, its state may
// have none.
static enum q_err encode(const struct instance_state *s, struct arena *a, struct buf *out)
{
    struct instance_state again = {0};
    TRY(json_encode(&type_instance_state, s, JSON_PLAIN, out));
    return err_context(decode(buf_bytes(out), a, &again), "genesis: its state could not be read");
}

enum q_err instance_state_stage(const struct enclave *e, const struct booted *b,
                                const struct p256_pair *pair, struct staged_file *out)
{
    ARENA_AUTO a = {0};
    BUF_AUTO message = {0}, text = {0};
    uint8_t signature[P256_SIGNATURE_SIZE];
    struct instance_state s = {.version = BYTES_LIT(STATE_VERSION),
                               .signature = BYTES_OF(signature)};
    const char *path;
    if (e->policy.state_dir == NULL)
        return Q_OK;
    TRY(state_path(e, &a, &path));
    if (file_exists(path))
        return fail(Q_EXISTS, "%s: the state of another genesis is there, and is never replaced",
                    path);
    TRY(state_message(b, &message));
    TRY(p256_sign(pair, buf_bytes(&message), signature));
    TRY(api_manifest_from_core(&b->envelope, &a, &s.manifest_envelope));
    s.manifest_envelope.quorum_key_signature = b->quorum_key_signature;
    TRY(list_hashes(b, &a, &s));
    TRY(encode(&s, &a, &text));
    return file_stage(path, buf_bytes(&text), 0600, FILE_OWNER_UNCHANGED, FILE_NEW, out);
}

static enum q_err take_hashes(const struct instance_state *s, struct booted *b)
{
    size_t n = b->envelope.manifest.share_set.members.n;
    void *hashes;
    if (s->share_hashes.n != n)
        return fail(Q_BAD_INPUT, "share_hashes: expected %zu, got %zu", n, s->share_hashes.n);
    TRY(arena_array(&b->memory, n, sizeof *b->share_hashes, &hashes));
    b->share_hashes = hashes;
    for (size_t i = 0; i < n; i++) {
        struct bytes hash = s->share_hashes.items[i];
        if (hash.n != SHA512_SIZE)
            return fail(Q_BAD_INPUT, "share_hashes[%zu]: expected %d bytes, got %zu", i,
                        SHA512_SIZE, hash.n);
        memcpy(b->share_hashes[i], hash.p, SHA512_SIZE);
    }
    return Q_OK;
}

static enum q_err check_signature(const struct instance_state *s, struct booted *b)
{
    struct p256_public key;
    BUF_AUTO message = {0};
    TRY(p256_public_parse(b->envelope.manifest.namespace.quorum_key, &key));
    TRY(state_message(b, &message));
    return err_context(p256_verify(&key, buf_bytes(&message), s->signature), "signature");
}

static enum q_err read_state(const char *path, struct arena *a, struct instance_state *out)
{
    struct bytes text;
    TRY(read_private(path, a, &text));
    return decode(text, a, out);
}

// The file lies where the host can write, so it is worth no more than what another instance would say: whoever can
// make a key can sign a manifest of ours with it, and knows its shares.
static enum q_err restore(struct enclave *e, const char *path)
{
    ARENA_AUTO a = {0};
    BOOT_STAGE_AUTO stage = {0};
    struct instance_state s = {0};
    struct manifest_envelope envelope;
    struct protocol_error why = {0};
    const struct boot_witness nobody = {.arena = &a, .why = &why};
    TRY(read_state(path, &a, &s));
    TRY(api_manifest_to_core(&s.manifest_envelope, &a, &envelope));
    struct bytes own = s.manifest_envelope.quorum_key_signature;
    TRY(instance_check_manifest(e, &envelope, own, &why));
    TRY(boot_stage(e, &envelope, NULL, &stage, &why));
    TRY(take_hashes(&s, stage.booted));
    TRY(check_signature(&s, stage.booted));
    TRY(arena_copy(&stage.booted->memory, own, &stage.booted->quorum_key_signature));
    return boot_commit(e, &stage, &nobody, BIRTH_GENESIS_HELD, PHASE_GENESIS_BOOTED);
}

enum q_err instance_restore(struct enclave *e)
{
    ARENA_AUTO a = {0};
    const char *path;
    if (e->policy.state_dir == NULL)
        return Q_OK;
    TRY(check_folder(e->policy.state_dir));
    TRY(state_path(e, &a, &path));
    if (!file_exists(path))
        return Q_OK;
    if (restore(e, path) == Q_OK)
        log_info("%s: manifest restored, waiting for %u shares", path,
                 e->booted->envelope.manifest.share_set.threshold);
    else
        log_error("%s: cannot be used, and stays as it is: %s", path, err_text());
    return Q_OK;
}

enum q_err instance_state_forget(const struct enclave *e)
{
    ARENA_AUTO a = {0};
    const char *path;
    if (e->policy.state_dir == NULL)
        return Q_OK;
    TRY(state_path(e, &a, &path));
    return file_remove(path);
}
