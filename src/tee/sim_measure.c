// What a simulated enclave measures: its own binary, or registers seeded from a file (see
// sim_measure.h).
#include "tee/sim_measure.h"

#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MAX_SEED_FILE ((size_t)64 << 10)

static const char *const domains[] = {
    "quorate-simulated-image-v1",
    "quorate-simulated-boot-v1",
    "quorate-simulated-application-v1",
};

static enum q_err hash_file(int fd, uint8_t out[static SHA384_SIZE])
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size <= 0)
        return fail_os(errno, "enclave binary: cannot be measured");
    size_t n = (size_t)st.st_size;
    void *contents = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (contents == MAP_FAILED)
        return fail_os(errno, "enclave binary: cannot be mapped");
    enum q_err err = sha384(bytes_of(contents, n), out);
    (void)munmap(contents, n);
    return err;
}

enum q_err sim_measure_binary(int fd, struct register_value registers[static TEE_REGISTERS])
{
    uint8_t digest[SHA384_SIZE];
    TRY(hash_file(fd, digest));
    for (size_t i = 0; i < sizeof domains / sizeof domains[0]; i++)
        TRY(sha384_pair(bytes_str(domains[i]), BYTES_OF(digest), registers[i].value));
    return Q_OK;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

// Splits "<hex> PCR<n>" at its white space.
static bool split(struct bytes line, struct bytes *value, struct bytes *name)
{
    size_t n = 0;
    while (n < line.n && !is_blank(line.p[n]))
        n++;
    *value = bytes_of(line.p, n);
    *name = bytes_trim(bytes_of(line.p + n, line.n - n));
    return name->n > 3 && memcmp(name->p, "PCR", 3) == 0;
}

static enum q_err seed_one(struct bytes line, uint32_t *seeded,
                           struct register_value registers[static TEE_REGISTERS])
{
    struct bytes value, name;
    uint32_t index = 0;
    if (!split(line, &value, &name))
        return fail(Q_BAD_INPUT, "expected \"<hex> PCR<n>\", found another line");
    TRY(text_u32(bytes_of(name.p + 3, name.n - 3), &index));
    if (index >= TEE_REGISTERS || (*seeded >> index & 1U) != 0)
        return fail(Q_BAD_INPUT, "expected each of PCR0 to PCR31 at most once, found PCR%u",
                    (unsigned)index);
    BUF_AUTO decoded = {0};
    TRY(hex_decode(value, &decoded));
    if (decoded.n != SHA256_SIZE && decoded.n != SHA384_SIZE && decoded.n != SHA512_SIZE)
        return fail(Q_BAD_INPUT, "PCR%u: expected 32, 48 or 64 bytes, found %zu", (unsigned)index,
                    decoded.n);
    *seeded |= UINT32_C(1) << index;
    memcpy(registers[index].value, decoded.p, decoded.n);
    registers[index].n = decoded.n;
    return Q_OK;
}

static struct bytes take_line(struct bytes *rest)
{
    const uint8_t *end = memchr(rest->p, '\n', rest->n);
    size_t n = end == NULL ? rest->n : (size_t)(end - rest->p);
    struct bytes line = bytes_trim(bytes_of(rest->p, n));
    size_t used = end == NULL ? n : n + 1;
    *rest = bytes_of(rest->p + used, rest->n - used);
    return line;
}

enum q_err sim_seed_registers(const char *path,
                              struct register_value registers[static TEE_REGISTERS])
{
    BUF_AUTO contents = {0};
    TRY(file_read(path, MAX_SEED_FILE, &contents));
    struct bytes rest = buf_bytes(&contents);
    uint32_t seeded = 0;
    for (unsigned number = 1; rest.n > 0; number++) {
        struct bytes line = take_line(&rest);
        if (line.n > 0)
            TRY(err_context(seed_one(line, &seeded, registers), "%s: line %u", path, number));
    }
    return Q_OK;
}
