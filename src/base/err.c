// The error record: one sentence and one detail per thread (see err.h).
#include "base/err.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct record {
    char text[Q_ERR_TEXT_SIZE];
    int detail;
};

static _Thread_local struct record record = {.detail = -1};

static void __attribute__((format(printf, 2, 0))) set(int detail, const char *format, va_list args)
{
    // Arguments may point into the record itself, so the new text is built aside.
    char text[Q_ERR_TEXT_SIZE];
    (void)vsnprintf(text, sizeof text, format, args);
    text_tidy(text);
    memcpy(record.text, text, sizeof text);
    record.detail = detail;
}

void err_record(int detail, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(detail, format, args);
    va_end(args);
}

static void append(const char *text)
{
    size_t n = strlen(record.text);
    (void)snprintf(record.text + n, sizeof record.text - n, "%s", text);
}

void err_record_os(int os_error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(-1, format, args);
    va_end(args);
    const char *why = strerrordesc_np(os_error);
    append(": ");
    append(why != NULL ? why : "unknown operating system error");
}

enum q_err err_context(enum q_err code, const char *format, ...)
{
    if (code == Q_OK)
        return code;
    char earlier[Q_ERR_TEXT_SIZE];
    memcpy(earlier, record.text, sizeof earlier);
    va_list args;
    va_start(args, format);
    set(record.detail, format, args);
    va_end(args);
    append(": ");
    append(earlier);
    return code;
}

const char *err_text(void)
{
    return record.text;
}

int err_detail(void)
{
    return record.detail;
}

void err_clear(void)
{
    record.text[0] = '\0';
    record.detail = -1;
}
