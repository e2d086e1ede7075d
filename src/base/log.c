// The log (see log.h).
#include "base/log.h"

#include "base/text.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// Text doubles at most when it is quoted; a line of this size is one write to a pipe, whole or not at all.
#define JSON_LINE_SIZE 4096

static const char *log_program = "quorate";
static enum log_level log_lowest = LOG_INFO;
static bool log_console;
static bool log_json;

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

void log_start_json(const char *program, enum log_level lowest)
{
    log_start(program, lowest);
    log_json = true;
}

// "2026-01-31T12:00:00.000000Z"
static void show_time(char *out, size_t size)
{
    struct timespec now = {0};
    struct tm utc = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(out + n, size - n, ".%06ldZ", now.tv_nsec / 1000);
}

// text has no control characters, so that only two characters are left to escape.
static size_t quote(const char *text, char *out)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            out[n++] = '\\';
        out[n++] = *text;
    }
    out[n] = '\0';
    return n;
}

// text: at most LOG_FOREIGN_MAX bytes.
static void write_json(enum log_level level, const char *part, const char *text)
{
    static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    char line[JSON_LINE_SIZE], when[48], quoted[2 * LOG_FOREIGN_MAX + 1];
    show_time(when, sizeof when);
    (void)quote(text, quoted);
    int n = snprintf(line, sizeof line,
                     "{\"timestamp\":\"%s\",\"level\":\"%s\",\"fields\":{\"message\":\"%s\"},"
                     "\"target\":\"%s%s%s\"}\n",
                     when, names[level], quoted, log_program,
                     part == NULL ? "" : "::", part == NULL ? "" : part);
    ssize_t written = n > 0 && (size_t)n < sizeof line ? write(STDOUT_FILENO, line, (size_t)n) : -1;
    (void)written; // nobody is left to tell
}

static bool stdout_takes_a_line(void)
{
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
}

bool log_foreign(const char *part, struct bytes text)
{
    char line[LOG_FOREIGN_MAX + 1];
    size_t n = text.n < LOG_FOREIGN_MAX ? text.n : LOG_FOREIGN_MAX;
    if (n > 0)
        memcpy(line, text.p, n);
    for (size_t i = 0; i < n; i++) {
        if (line[i] == '\0')
            line[i] = '?';
    }
    line[n] = '\0';
    text_tidy(line);
    if (!stdout_takes_a_line())
        return false;
    write_json(LOG_INFO, part, line);
    return true;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"debug: ", "", "warning: ", "error: "};
    if (level < log_lowest)
        return;
    char line[2048];
    int begun = log_json ? 0 : head(line, sizeof line, names[level]);
    size_t n = begun < 0 ? 0 : (size_t)begun;
    va_list args;
    va_start(args, format);
    int text = vsnprintf(line + n, sizeof line - n - 1, format, args);
    va_end(args);
    if (text > 0)
        n += (size_t)text < sizeof line - n - 1 ? (size_t)text : sizeof line - n - 2;
    line[n] = '\0';
    if (log_json)
        line[LOG_FOREIGN_MAX] = '\0';
    text_tidy(line);
    if (log_json) {
        write_json(level, NULL, line);
        return;
    }
    line[n++] = '\n';
    // One write per line, so that lines of several processes do not mix.
    ssize_t written = write(STDERR_FILENO, line, n);
    (void)written; // nobody is left to tell
}
