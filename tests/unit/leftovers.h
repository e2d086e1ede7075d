// Looks for secrets in the memory of this process after they were used (design: Secrets): patterns of them are kept
// masked, and every writable mapping is searched.
#ifndef QUORATE_TESTS_LEFTOVERS_H
#define QUORATE_TESTS_LEFTOVERS_H

#include "cmocka_setup.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define LEFTOVERS_HELPER static inline __attribute__((unused))

#define PATTERN_SIZE 16 // half of a secret is enough to be one
#define PATTERNS_MAX 16
#define MASK 0xaa // patterns are kept masked, so that they do not find themselves

struct patterns {
    uint8_t masked[PATTERNS_MAX][PATTERN_SIZE];
    size_t count;
};

LEFTOVERS_HELPER void add_pattern(struct patterns *p, const uint8_t *secret)
{
    assert_true(p->count < PATTERNS_MAX);
    for (size_t i = 0; i < PATTERN_SIZE; i++)
        p->masked[p->count][i] = secret[i] ^ MASK;
    p->count++;
}

LEFTOVERS_HELPER bool is_pattern(const uint8_t *at, const uint8_t *masked)
{
    size_t i = 0;
    while (i < PATTERN_SIZE && (at[i] ^ MASK) == masked[i])
        i++;
    return i == PATTERN_SIZE;
}

LEFTOVERS_HELPER size_t count_in(const struct patterns *p, const uint8_t *memory, size_t n)
{
    size_t found = 0;
    for (size_t i = 0; i + PATTERN_SIZE <= n; i++) {
        for (size_t j = 0; j < p->count; j++)
            found += is_pattern(memory + i, p->masked[j]);
    }
    return found;
}

LEFTOVERS_HELPER size_t count_in_region(const struct patterns *p, int memory, unsigned long start,
                                        size_t n)
{
    uint8_t *copy = malloc(n + 1);
    assert_non_null(copy);
    ssize_t got = pread(memory, copy, n, (off_t)start);
    size_t found = got == (ssize_t)n ? count_in(p, copy, n) : 0; // guard pages cannot be read
    wipe(copy, n);
    free(copy);
    return found;
}

struct count {
    size_t dumped, hidden, regions;
};

struct mapping {
    unsigned long start, end;
    char mode[8];
};

// "7f00-7f10 rw-p ..." begins a mapping; the lines after it ("Size: ...") do not look like that.
LEFTOVERS_HELPER bool read_header(const char *line, struct mapping *out)
{
    struct mapping m = {0};
    if (sscanf(line, "%lx-%lx %7s", &m.start, &m.end, m.mode) != 3) // NOLINT(cert-err34-c)
        return false;
    *out = m;
    return true;
}

// Every writable mapping of /proc/self/smaps; "dd" among its flags keeps it out of core dumps.
LEFTOVERS_HELPER struct count count_everywhere(const struct patterns *p)
{
    struct count count = {0};
    struct mapping at = {0};
    char line[512];
    FILE *maps = fopen("/proc/self/smaps", "re");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    assert_true(maps != NULL && memory >= 0);
    while (fgets(line, sizeof line, maps) != NULL) {
        if (read_header(line, &at))
            continue;
        if (strncmp(line, "VmFlags:", 8) != 0 || strncmp(at.mode, "rw", 2) != 0)
            continue;
        size_t found = count_in_region(p, memory, at.start, at.end - at.start);
        *(strstr(line, " dd") != NULL ? &count.hidden : &count.dumped) += found;
        count.regions++;
    }
    (void)fclose(maps);
    (void)close(memory);
    return count;
}

#endif
