// Fuzz target: the small files and folder entries that members give each other, as qos_client reads
// them. The first byte chooses the reader, the rest is the file (or its name). What is accepted
// must keep its promise.
#include "client/boot/encrypted_key.h"
#include "client/key_file.h"
#include "client/manifest/set_directory.h"
#include "client/text_file.h"
#include "protocol/manifest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void entry_name(struct bytes in)
{
    char name[256];
    struct bytes alias;
    size_t n = in.n < sizeof name - 1 ? in.n : sizeof name - 1;
    memcpy(name, in.p, n);
    name[n] = '\0';
    if (!set_entry_is_member(name, &alias))
        return;
    must(alias.n + 4 <= strlen(name) && name[alias.n] == '.');
    must(alias.n == 0 || memchr(alias.p, '.', alias.n) == NULL);
}

static void threshold(struct bytes in)
{
    uint32_t k;
    (void)set_threshold_parse(in, "threshold", &k);
}

static void member_key(struct bytes in)
{
    struct p256_public key, again;
    if (public_key_parse(in, "key", &key) == Q_OK)
        must(p256_public_parse(p256_public_bytes(&key), &again) == Q_OK);
}

static void measurements(struct bytes in)
{
    struct release strict, lenient;
    bool real = release_parse(in, "pcrs", false, &strict) == Q_OK;
    bool any = release_parse(in, "pcrs", true, &lenient) == Q_OK;
    must(!real || (any && !lenient.placeholders && !strict.placeholders));
    must(!any || real || lenient.placeholders);
}

static void pivot_hash(struct bytes in)
{
    uint8_t hash[SHA256_SIZE];
    (void)pivot_hash_parse(in, "hash", hash);
}

static void role(struct bytes in)
{
    struct bytes line;
    if (role_parse(in, "role", &line) == Q_OK)
        must(line.n > 0 && memchr(line.p, '\n', line.n) == NULL);
}

static void approval(struct bytes in)
{
    ARENA_AUTO a = {0};
    struct approval read;
    (void)approval_read(in, &a, &read);
}

// What is read can be written, and reads as the same.
static void encrypted_key(struct bytes in)
{
    ARENA_AUTO a = {0};
    BUF_AUTO written = {0};
    struct encrypted_quorum_key read, again;
    struct manifest m = {.namespace = {.quorum_key = in}};
    if (encrypted_key_read(in, &a, &read) != Q_OK)
        return;
    must(encrypted_key_write(&read, &written) == Q_OK);
    must(encrypted_key_read(buf_bytes(&written), &a, &again) == Q_OK);
    must(bytes_equal(read.encrypted_quorum_key, again.encrypted_quorum_key) &&
         bytes_equal(read.signature, again.signature));
    must(encrypted_key_check(&read, &m) != Q_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct bytes) = {
        entry_name, threshold, member_key, measurements, pivot_hash, role, approval, encrypted_key,
    };
    if (size == 0)
        return 0;
    readers[data[0] % (sizeof readers / sizeof readers[0])](bytes_of(data + 1, size - 1));
    return 0;
}
