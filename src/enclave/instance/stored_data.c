// Stored records, in memory and in files (see stored_data.h). A record, as it lies in both:
//   id[16] || owner[32] || u32le key length || key || value
// Its file is "data-" and the id in hex: a name that tells nothing, and a file under another name is not taken. In it
// is an envelope to the quorum key, which anybody can make, behind the quorum key's signature, which nobody else can:
//   signature[64] || envelope, signed: API_PURPOSE_STORED_DATA || 00 || envelope
#include "enclave/instance/stored_data.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/random.h"
#include "protocol/instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_SIZE 16
#define KEY_AT (ID_SIZE + STORED_OWNER_SIZE + 4)
#define RECORD_MAX (KEY_AT + STORED_KEY_MAX + STORED_VALUE_MAX)
#define FILE_MAX (P256_SIGNATURE_SIZE + P256_ENVELOPE_OVERHEAD + RECORD_MAX)
#define NAME_PREFIX "data-"
#define NAME_SIZE (sizeof NAME_PREFIX + 2 * (size_t)ID_SIZE) // with a NUL

struct stored_data {
    const char *folder; // not owned; NULL: memory only
    bool loaded;
    struct secret records[STORED_RECORDS_MAX];
    size_t count, total;
    size_t unreadable; // files
    char first_unreadable[NAME_SIZE];
};

struct record {
    struct bytes id;
    struct stored_name name;
    struct bytes value;
};

static enum q_err record_read(struct bytes in, struct record *out)
{
    struct reader r = reader_of(in, "stored data");
    struct bytes owner;
    uint32_t key_size;
    TRY(reader_take(&r, ID_SIZE, &out->id));
    TRY(reader_take(&r, STORED_OWNER_SIZE, &owner));
    TRY(reader_u32le(&r, &key_size));
    TRY(reader_take(&r, key_size, &out->name.key));
    memcpy(out->name.owner, owner.p, owner.n);
    out->value = bytes_of(in.p + r.at, reader_left(&r));
    if (out->name.key.n == 0 || out->name.key.n > STORED_KEY_MAX || out->value.n > STORED_VALUE_MAX)
        return fail(Q_BAD_INPUT, "stored data: a key of %zu and a value of %zu bytes",
                    out->name.key.n, out->value.n);
    return Q_OK;
}

// Of a record that was read before, or made here.
static struct record record_of(const struct secret *memory)
{
    struct record r = {0};
    (void)record_read(secret_bytes(memory), &r);
    return r;
}

static enum q_err record_make(const uint8_t id[static ID_SIZE], const struct stored_name *name,
                              struct bytes value, struct secret *out)
{
    uint32_t n = (uint32_t)name->key.n;
    const uint8_t length[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16),
                               (uint8_t)(n >> 24)};
    TRY(secret_new(out, KEY_AT + name->key.n + value.n));
    memcpy(out->p, id, ID_SIZE);
    memcpy(out->p + ID_SIZE, name->owner, STORED_OWNER_SIZE);
    memcpy(out->p + ID_SIZE + STORED_OWNER_SIZE, length, sizeof length);
    memcpy(out->p + KEY_AT, name->key.p, name->key.n);
    if (value.n > 0)
        memcpy(out->p + KEY_AT + name->key.n, value.p, value.n);
    return Q_OK;
}

// The count when there is none.
static size_t find(const struct stored_data *d, const struct stored_name *name)
{
    size_t i = 0;
    for (; i < d->count; i++) {
        struct record r = record_of(&d->records[i]);
        if (memcmp(r.name.owner, name->owner, STORED_OWNER_SIZE) == 0 &&
            bytes_equal(r.name.key, name->key))
            break;
    }
    return i;
}

enum q_err stored_data_new(const char *folder, struct stored_data **out)
{
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return fail(Q_NOMEM, "stored data: no memory");
    (*out)->folder = folder;
    (*out)->loaded = folder == NULL;
    return Q_OK;
}

static void forget_records(struct stored_data *d)
{
    for (size_t i = 0; i < d->count; i++)
        secret_free(&d->records[i]);
    d->count = d->total = 0;
}

void stored_data_free(struct stored_data **d)
{
    if (*d == NULL)
        return;
    forget_records(*d);
    free(*d);
    *d = NULL;
}

size_t stored_data_count(const struct stored_data *d)
{
    return d->count;
}

static bool is_file_name(const char *name)
{
    return strlen(name) == NAME_SIZE - 1 &&
           strncmp(name, NAME_PREFIX, sizeof NAME_PREFIX - 1) == 0 &&
           strspn(name + sizeof NAME_PREFIX - 1, "0123456789abcdef") == 2 * (size_t)ID_SIZE;
}

static enum q_err file_name(struct bytes id, char out[static NAME_SIZE])
{
    BUF_AUTO hex = {0};
    TRY(hex_encode(id, &hex));
    (void)snprintf(out, NAME_SIZE, "%s%s", NAME_PREFIX, buf_text(&hex));
    return Q_OK;
}

static enum q_err signed_text(struct bytes envelope, struct buf *out)
{
    TRY(buf_append_str(out, API_PURPOSE_STORED_DATA));
    TRY(buf_u8(out, 0));
    return buf_append(out, envelope);
}

static enum q_err sign_envelope(const struct keyring *k, struct bytes envelope, struct buf *out)
{
    BUF_AUTO text = {0};
    SECRET_AUTO signature = {0};
    TRY(signed_text(envelope, &text));
    TRY(custody_use(k, KEY_QUORUM, USE_SIGN, buf_bytes(&text), &signature));
    TRY(buf_append(out, secret_bytes(&signature)));
    return buf_append(out, envelope);
}

static enum q_err check_envelope(const struct keyring *k, struct bytes file, struct bytes *out)
{
    BUF_AUTO text = {0};
    struct reader r = reader_of(file, "stored data");
    struct bytes signature;
    const struct p256_public *key = keyring_public(k, KEY_QUORUM);
    if (key == NULL)
        return fail(Q_MISSING, "stored data: there is no quorum key");
    TRY(reader_take(&r, P256_SIGNATURE_SIZE, &signature));
    TRY(reader_take(&r, reader_left(&r), out));
    TRY(signed_text(*out, &text));
    return p256_verify(key, buf_bytes(&text), signature);
}

static enum q_err read_file(const struct stored_data *d, const struct keyring *k, struct arena *a,
                            const char *name, struct secret *out)
{
    BUF_AUTO file = {0};
    struct bytes envelope;
    const char *path;
    struct record r;
    char expected[NAME_SIZE];
    TRY(file_join(a, d->folder, name, &path));
    TRY(file_read_no_link(path, FILE_MAX, &file));
    TRY(check_envelope(k, buf_bytes(&file), &envelope));
    TRY(custody_use_for(k, KEY_QUORUM, USE_OPEN, BYTES_LIT(API_PURPOSE_STORED_DATA), envelope,
                        out));
    TRY(record_read(secret_bytes(out), &r));
    TRY(file_name(r.id, expected));
    if (strcmp(name, expected) != 0)
        return fail(Q_BAD_INPUT, "it is the contents of %s", expected);
    if (find(d, &r.name) < d->count)
        return fail(Q_BAD_INPUT, "another file holds data of the same owner and key");
    if (d->count == STORED_RECORDS_MAX || d->total + out->n > STORED_TOTAL_MAX)
        return fail(Q_LIMIT, "more data than %d records or %zu bytes", STORED_RECORDS_MAX,
                    STORED_TOTAL_MAX);
    return Q_OK;
}

static void adopt(struct stored_data *d, size_t at, struct secret *record)
{
    d->total += record->n;
    if (at < d->count) {
        d->total -= d->records[at].n;
        secret_free(&d->records[at]);
    } else {
        d->count++;
    }
    d->records[at] = *record;
    *record = (struct secret){NULL, 0};
}

static enum q_err load_file(struct stored_data *d, const struct keyring *k, struct arena *a,
                            const char *name)
{
    SECRET_AUTO record = {0};
    enum q_err err = read_file(d, k, a, name, &record);
    if (err == Q_NOMEM || err == Q_MISSING ||
        err == Q_REFUSED) // our memory, our key: not the file's fault
        return err;
    if (err == Q_OK) {
        adopt(d, d->count, &record);
        return Q_OK;
    }
    log_error("stored data: %s/%s: left out: %s", d->folder, name, err_text());
    if (d->unreadable++ == 0)
        (void)snprintf(d->first_unreadable, sizeof d->first_unreadable, "%s", name);
    return Q_OK;
}

static enum q_err load_all(struct stored_data *d, const struct keyring *k)
{
    ARENA_AUTO arena = {0};
    struct file_list list = {0};
    TRY(file_list(d->folder, &arena, &list));
    for (size_t i = 0; i < list.n; i++)
        if (is_file_name(list.names[i]))
            TRY(load_file(d, k, &arena, list.names[i]));
    return Q_OK;
}

enum q_err stored_data_load(struct stored_data *d, const struct keyring *k)
{
    if (d->loaded)
        return Q_OK;
    d->unreadable = 0;
    enum q_err err = load_all(d, k);
    d->loaded = err == Q_OK;
    if (err != Q_OK)
        forget_records(d);
    return err;
}

void stored_change_free(struct stored_change *c)
{
    secret_free(&c->record);
}

static enum q_err check_size(const struct stored_name *name, struct bytes value)
{
    if (name->key.n == 0 || name->key.n > STORED_KEY_MAX)
        return fail(Q_LIMIT, "key: expected from 1 to %d bytes, found %zu", STORED_KEY_MAX,
                    name->key.n);
    if (value.n > STORED_VALUE_MAX)
        return fail(Q_LIMIT, "data: expected at most %zu bytes, found %zu", STORED_VALUE_MAX,
                    value.n);
    return Q_OK;
}

enum q_err stored_data_stage(const struct stored_data *d, const struct stored_name *name,
                             struct bytes value, struct stored_change *out)
{
    uint8_t id[ID_SIZE];
    *out = (struct stored_change){0};
    TRY(check_size(name, value));
    out->at = find(d, name);
    size_t freed = 0;
    if (out->at < d->count) {
        freed = d->records[out->at].n;
        memcpy(id, record_of(&d->records[out->at]).id.p, ID_SIZE);
    } else {
        TRY(random_bytes(id, sizeof id));
    }
    if (out->at == STORED_RECORDS_MAX)
        return fail(Q_REFUSED, "stored data: expected at most %d keys", STORED_RECORDS_MAX);
    if (d->total - freed + KEY_AT + name->key.n + value.n > STORED_TOTAL_MAX)
        return fail(Q_REFUSED, "stored data: expected at most %zu bytes in all", STORED_TOTAL_MAX);
    return record_make(id, name, value, &out->record);
}

static enum q_err write_file(const struct stored_data *d, const struct keyring *k,
                             const struct secret *record)
{
    ARENA_AUTO arena = {0};
    BUF_AUTO envelope = {0};
    BUF_AUTO file = {0};
    char name[NAME_SIZE];
    const char *path;
    TRY(file_name(record_of(record).id, name));
    TRY(file_join(&arena, d->folder, name, &path));
    TRY(custody_seal_for(k, KEY_QUORUM, BYTES_LIT(API_PURPOSE_STORED_DATA), secret_bytes(record),
                         &envelope));
    TRY(sign_envelope(k, buf_bytes(&envelope), &file));
    return file_write(path, buf_bytes(&file), 0600, FILE_REPLACE);
}

enum q_err stored_data_commit(struct stored_data *d, const struct keyring *k,
                              struct stored_change *change)
{
    if (d->folder != NULL)
        TRY(write_file(d, k, &change->record));
    adopt(d, change->at, &change->record);
    return Q_OK;
}

enum q_err stored_data_get(const struct stored_data *d, const struct stored_name *name,
                           struct bytes *value)
{
    size_t at = find(d, name);
    *value = BYTES_NONE;
    if (at < d->count) {
        *value = record_of(&d->records[at]).value;
        return Q_OK;
    }
    if (d->unreadable == 0)
        return Q_OK;
    return fail(Q_IO,
                "stored data: expected to know whether this key is there, found that files (%zu) "
                "cannot be opened, the first of them %s",
                d->unreadable, d->first_unreadable);
}

// One that cannot be removed keeps no other.
static enum q_err erase_files(const struct stored_data *d)
{
    ARENA_AUTO arena = {0};
    struct file_list list = {0};
    const char *path;
    enum q_err failed = Q_OK;
    TRY(file_list(d->folder, &arena, &list));
    for (size_t i = 0; i < list.n; i++) {
        if (!is_file_name(list.names[i]))
            continue;
        enum q_err err = file_join(&arena, d->folder, list.names[i], &path);
        if (err == Q_OK)
            err = file_remove(path);
        if (err != Q_OK)
            failed = err;
    }
    return failed;
}

enum q_err stored_data_erase(struct stored_data *d)
{
    forget_records(d);
    d->unreadable = 0;
    return d->folder != NULL ? erase_files(d) : Q_OK;
}
