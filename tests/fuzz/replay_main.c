// Runs a fuzz target over the files of a folder: what libFuzzer does with a corpus, without libFuzzer. Also
// over the first bytes of each file, for what a truncated input does.
#include "base/arena.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX ((size_t)1 << 20)
#define SKIPPED 77 // what meson takes for "skipped"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A copy of exactly this size, so that a sanitizer sees a byte too many being read.
static enum q_err run_on(struct bytes in)
{
    uint8_t *exact = malloc(in.n == 0 ? 1 : in.n);
    if (exact == NULL)
        return fail(Q_NOMEM, "input: no memory for %zu bytes", in.n);
    for (size_t i = 0; i < in.n; i++)
        exact[i] = in.p[i];
    (void)LLVMFuzzerTestOneInput(exact, in.n);
    free(exact);
    return Q_OK;
}

static enum q_err replay(const char *path)
{
    BUF_AUTO input = {0};
    TRY(file_read(path, INPUT_MAX, &input));
    struct bytes whole = buf_bytes(&input);
    TRY(run_on(whole));
    return run_on(bytes_of(whole.p, whole.n / 2));
}

static enum q_err replay_all(const char *folder, size_t *count)
{
    ARENA_AUTO a = {0};
    struct file_list list;
    TRY(file_list(folder, &a, &list));
    for (size_t i = 0; i < list.n; i++) {
        const char *path;
        TRY(file_join(&a, folder, list.names[i], &path));
        TRY(replay(path));
    }
    *count = list.n;
    return Q_OK;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: replay FOLDER\n");
        return EXIT_FAILURE;
    }
    if (!file_exists(argv[1])) {
        printf("no corpus in %s yet\n", argv[1]);
        return SKIPPED;
    }
    size_t count = 0;
    if (replay_all(argv[1], &count) != Q_OK || count == 0) {
        (void)fprintf(stderr, "%s: %s\n", argv[1], count == 0 ? "no inputs" : err_text());
        return EXIT_FAILURE;
    }
    printf("%zu inputs\n", count);
    return EXIT_SUCCESS;
}
