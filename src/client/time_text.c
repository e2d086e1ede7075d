// RFC 3339 in UTC, both ways, and ages (see time_text.h).
#include "client/time_text.h"

#include "base/clock.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define MINUTE_S INT64_C(60)
#define HOUR_S INT64_C(3600)
#define DAY_S INT64_C(86400)

static enum q_err unreadable(const char *text)
{
    return fail(Q_BAD_INPUT,
                "time: expected seconds since 1970 or 2023-11-14T22:13:20Z, found %.40s", text);
}

// Exactly n digits.
static bool digits(const char *text, size_t n, int *out)
{
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *out = *out * 10 + (text[i] - '0');
    }
    return true;
}

// "YYYY-MM-DDTHH:MM:SS", 19 characters.
static bool read_fields(const char *t, struct tm *tm)
{
    bool read = digits(t, 4, &tm->tm_year) && t[4] == '-' && digits(t + 5, 2, &tm->tm_mon) &&
                t[7] == '-' && digits(t + 8, 2, &tm->tm_mday) && t[10] == 'T' &&
                digits(t + 11, 2, &tm->tm_hour) && t[13] == ':' && digits(t + 14, 2, &tm->tm_min) &&
                t[16] == ':' && digits(t + 17, 2, &tm->tm_sec);
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    return read;
}

// After the seconds: an optional fraction, then UTC.
static bool is_utc(const char *rest)
{
    if (*rest == '.') {
        size_t n = strspn(rest + 1, "0123456789");
        if (n == 0)
            return false;
        rest += n + 1;
    }
    return strcmp(rest, "Z") == 0 || strcmp(rest, "+00:00") == 0;
}

// timegm carries what is too large into the next field: a date it changed was none.
static bool is_date(const struct tm *given, int64_t *seconds)
{
    struct tm kept = *given;
    time_t t = timegm(&kept);
    *seconds = (int64_t)t;
    return kept.tm_year == given->tm_year && kept.tm_mon == given->tm_mon &&
           kept.tm_mday == given->tm_mday && kept.tm_hour == given->tm_hour &&
           kept.tm_min == given->tm_min && kept.tm_sec == given->tm_sec;
}

enum q_err time_parse(const char *text, int64_t *seconds)
{
    uint64_t number;
    struct tm tm = {0};
    if (strlen(text) == strspn(text, "0123456789")) {
        if (text_u64(bytes_str(text), &number) != Q_OK || number > (uint64_t)TIME_LAST_S)
            return unreadable(text);
        *seconds = (int64_t)number;
        return Q_OK;
    }
    if (!read_fields(text, &tm) || !is_utc(text + 19) || !is_date(&tm, seconds) || *seconds < 0)
        return unreadable(text);
    return Q_OK;
}

enum q_err time_show(int64_t seconds, struct buf *out)
{
    struct tm tm = {0};
    char text[32];
    time_t t = (time_t)seconds;
    if (gmtime_r(&t, &tm) == NULL || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return buf_printf(out, "%" PRId64 " s", seconds);
    return buf_append_str(out, text);
}

enum q_err age_show(int64_t seconds, struct buf *out)
{
    if (seconds < 0) {
        TRY(buf_append_str(out, "in the future by "));
        seconds = seconds == INT64_MIN ? INT64_MAX : -seconds;
    }
    if (seconds < MINUTE_S)
        return buf_printf(out, "%" PRId64 " s", seconds);
    if (seconds < HOUR_S)
        return buf_printf(out, "%" PRId64 " min", seconds / MINUTE_S);
    if (seconds < 2 * DAY_S)
        return buf_printf(out, "%" PRId64 " h %" PRId64 " min", seconds / HOUR_S,
                          seconds / MINUTE_S % 60);
    return buf_printf(out, "%" PRId64 " days", seconds / DAY_S);
}

enum q_err time_now_s(int64_t *seconds)
{
    int64_t ms;
    TRY(clock_ms(&clock_wall, &ms));
    *seconds = ms / 1000;
    return Q_OK;
}
