// The log (see log.h).
#include "base/log.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *log_program = "quorate";
static enum log_level log_lowest = LOG_INFO;
static bool log_console;

void log_start(const char *program, enum log_level lowest)
{
    log_program = program;
    log_lowest = lowest;
}

void log_as_console(void)
{
    log_console = true;
}

static int head(char *out, size_t n, const char *level)
{
    struct timespec now = {0};
    if (!log_console)
        return snprintf(out, n, "%s: %s", log_program, level);
    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return snprintf(out, n, "[ %4lld.%ld] %s", (long long)now.tv_sec, now.tv_nsec / 1000, level);
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"debug: ", "", "warning: ", "error: "};
    if (level < log_lowest)
        return;
    char line[2048];
    int begun = head(line, sizeof line, names[level]);
    size_t n = begun < 0 ? 0 : (size_t)begun;
    va_list args;
    va_start(args, format);
    int text = vsnprintf(line + n, sizeof line - n - 1, format, args);
    va_end(args);
    if (text > 0)
        n += (size_t)text < sizeof line - n - 1 ? (size_t)text : sizeof line - n - 2;
    line[n] = '\0';
    text_tidy(line);
    line[n++] = '\n';
    // One write per line, so that lines of several processes do not mix.
    ssize_t written = write(STDERR_FILENO, line, n);
    (void)written; // nobody is left to tell
}
