// The log: one line per event on stderr, "program: level: text", control characters shown as '?'.
// Never give it a secret. A program whose log is collected as JSON starts it with log_start_json.
#ifndef QUORATE_BASE_LOG_H
#define QUORATE_BASE_LOG_H

#include "base/bytes.h"

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_start(const char *program, enum log_level lowest); // program must stay valid
// From now on lines begin with the time since boot instead of the program's name: "[    1.70321] text", seconds
// and, not padded, microseconds (qos-behaviour 5).
void log_as_console(void);
// Lines on stdout, each an object: {"timestamp","level","fields":{"message"},"target"}.
void log_start_json(const char *program, enum log_level lowest);
// Of somebody else's text, in JSON: a line under the target "program::part", cut at LOG_FOREIGN_MAX bytes.
// It is dropped, and false returned, rather than waiting for a reader of stdout that does not read.
#define LOG_FOREIGN_MAX 1900
bool log_foreign(const char *part, struct bytes text);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

#endif
