// A folder of its own for each test of the simulated TEE, and a clock that stands still.
#ifndef QUORATE_TESTS_SIM_FIXTURE_H
#define QUORATE_TESTS_SIM_FIXTURE_H

#include "../cmocka_setup.h"

#include "base/file.h"
#include "tee/provider.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW_S ((int64_t)1767225600) // 2026-01-01
#define FIXTURE_HELPER static inline __attribute__((unused))

static enum q_err stand_still(void *context, struct clock_reading *out)
{
    *out = (struct clock_reading){.ms = *(const int64_t *)context, .source = CLOCK_SOURCE_GIVEN};
    return Q_OK;
}

struct fixture {
    char folder[64], dir[80]; // dir: inside folder, not made yet
    int64_t now_ms;
    struct clock clock;
    struct tee_options options;
};

FIXTURE_HELPER int start(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/quorate-sim-XXXXXX");
    if (mkdtemp(f->folder) == NULL)
        return -1;
    (void)snprintf(f->dir, sizeof f->dir, "%s/state/sim", f->folder);
    f->now_ms = NOW_S * 1000 + 123;
    f->clock = (struct clock){stand_still, &f->now_ms};
    f->options = (struct tee_options){.provider = "sim", .sim_dir = f->dir, .clock = &f->clock};
    *state = f;
    return 0;
}

static inline int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

FIXTURE_HELPER int stop(void **state)
{
    struct fixture *f = *state;
    int result = nftw(f->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return result;
}

// dir/name.
FIXTURE_HELPER const char *inside(const struct fixture *f, const char *name, char out[static 160])
{
    (void)snprintf(out, 160, "%s/%s", f->dir, name);
    return out;
}

FIXTURE_HELPER void put(const struct fixture *f, const char *name, const char *text)
{
    char path[160];
    assert_ok(file_make_parents(inside(f, name, path), 0700));
    assert_ok(file_write(path, bytes_str(text), 0600, FILE_REPLACE));
}

FIXTURE_HELPER mode_t mode_of(const struct fixture *f, const char *name)
{
    char path[160];
    struct stat st;
    assert_int_equal(stat(inside(f, name, path), &st), 0);
    return st.st_mode & 07777;
}

FIXTURE_HELPER void measurement(struct tee *t, unsigned index, uint8_t out[static SHA384_SIZE])
{
    struct register_state state;
    assert_ok(t->ops->read(t, index, &state));
    assert_int_equal(state.value.n, SHA384_SIZE);
    memcpy(out, state.value.value, SHA384_SIZE);
}

#define SIM_TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

#endif
