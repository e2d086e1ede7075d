// Points in time as people type and read them: seconds since 1970, RFC 3339 in UTC, and ages.
#ifndef QUORATE_CLIENT_TIME_TEXT_H
#define QUORATE_CLIENT_TIME_TEXT_H

#include "base/bytes.h"

#define TIME_LAST_S INT64_C(253402300799) // 9999-12-31T23:59:59Z

// "1700000000", "2023-11-14T22:13:20Z" or "...+00:00"; a fraction of a second is dropped. Refuses
// other offsets (a member must not wonder whose clock is meant), days that no month has, and leap
// seconds.
enum q_err time_parse(const char *text, int64_t *seconds);
// Appends "2023-11-14T22:13:20Z".
enum q_err time_show(int64_t seconds, struct buf *out);
// Appends "12 s", "5 min", "3 h 5 min", "4 days"; "in the future by ..." when negative.
enum q_err age_show(int64_t seconds, struct buf *out);
enum q_err time_now_s(int64_t *seconds); // this machine's clock

#endif
