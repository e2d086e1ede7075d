// Lines of the application on our stdout (see console.h).
#include "enclave/console.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct console {
    int fd;
    const char *prefix;
    struct watch *watch;
    uint8_t line[CONSOLE_LINE_MAX];
    size_t n;
};

static void show(const struct console *r, struct bytes line)
{
    BUF_AUTO text = {0};
    if (text_display(line, &text) != Q_OK || buf_text(&text) == NULL)
        return;
    (void)printf("%s: %s\n", r->prefix, (const char *)text.p);
    (void)fflush(stdout);
}

static void show_whole_lines(struct console *r)
{
    size_t start = 0;
    const uint8_t *newline;
    while ((newline = memchr(r->line + start, '\n', r->n - start)) != NULL) {
        size_t n = (size_t)(newline - r->line) - start;
        show(r, bytes_of(r->line + start, n));
        start += n + 1;
    }
    r->n -= start;
    memmove(r->line, r->line + start, r->n);
    if (r->n == sizeof r->line) {
        show(r, bytes_of(r->line, r->n));
        r->n = 0;
    }
}

static void end(struct console *r)
{
    watch_end(&r->watch);
    if (r->fd >= 0)
        (void)close(r->fd);
    r->fd = -1;
    if (r->n > 0)
        show(r, bytes_of(r->line, r->n));
    r->n = 0;
}

// One read a turn, so that a talkative application does not keep the loop from its other work.
static ssize_t take(struct console *r)
{
    ssize_t n = read(r->fd, r->line + r->n, sizeof r->line - r->n);
    if (n > 0) {
        r->n += (size_t)n;
        show_whole_lines(r);
    }
    return n;
}

static void ready(void *context, unsigned events)
{
    (void)events;
    struct console *r = context;
    ssize_t n = take(r);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        end(r);
}

enum q_err console_new(struct loop *l, int fd, const char *prefix, struct console **out)
{
    struct console *r = calloc(1, sizeof *r);
    if (r == NULL) {
        (void)close(fd);
        return fail(Q_NOMEM, "application's output: no memory");
    }
    r->fd = fd;
    r->prefix = prefix;
    enum q_err err = loop_watch(l, fd, LOOP_READ, ready, r, &r->watch);
    if (err != Q_OK) {
        console_free(&r);
        return err;
    }
    *out = r;
    return Q_OK;
}

void console_free(struct console **r)
{
    if (*r == NULL)
        return;
    // At most what the pipe still holds (64 KiB), even if a descendant goes on writing.
    for (int turn = 0; turn < 16 && (*r)->fd >= 0 && take(*r) > 0; turn++)
        ;
    end(*r);
    free(*r);
    *r = NULL;
}
