// The log: one line per event on stderr, "program: level: text", control characters shown as '?'.
// Never give it a secret.
#ifndef QUORATE_BASE_LOG_H
#define QUORATE_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_start(const char *program, enum log_level lowest); // program must stay valid
// From now on lines begin with the time since boot instead of the program's name: "[    1.70321] text", seconds
// and, not padded, microseconds (qos-behaviour 5).
void log_as_console(void);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

#endif
