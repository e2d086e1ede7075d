// Following and extending the file of the audit log (see audit_log.h).
#include "custody/audit_log.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)16 * AUDIT_LINE_MAX)

// Follows the whole lines in text; *used: their bytes.
static enum q_err follow_lines(struct audit_chain *chain, struct bytes text, size_t *used)
{
    *used = 0;
    for (;;) {
        struct bytes rest = bytes_of(text.p + *used, text.n - *used);
        const uint8_t *end = rest.n == 0 ? NULL : memchr(rest.p, '\n', rest.n);
        if (end == NULL)
            return Q_OK;
        size_t n = (size_t)(end - rest.p);
        TRY(audit_follow(chain, bytes_of(rest.p, n)));
        *used += n + 1;
    }
}

static enum q_err read_at(int fd, uint64_t at, uint8_t out[static CHUNK], size_t *got)
{
    ssize_t n;
    do
        n = pread(fd, out, CHUNK, (off_t)at);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fail_os(errno, "cannot be read");
    *got = (size_t)n;
    return Q_OK;
}

static enum q_err cut_line(const char *path, const struct audit_chain *chain)
{
    return fail(Q_REFUSED,
                "the last line, %" PRIu64 ", is cut: a write was interrupted; to go on, take it "
                "off: truncate -s %" PRIu64 " %s",
                chain->count + 1, chain->size, path);
}

// From where the chain ends to the end of the file.
static enum q_err follow_rest(int fd, const char *path, struct audit_chain *chain)
{
    BUF_AUTO room = {0};
    size_t got, used;
    TRY(buf_reserve(&room, CHUNK));
    for (;;) {
        TRY(read_at(fd, chain->size, room.p, &got));
        if (got == 0)
            return Q_OK;
        TRY(follow_lines(chain, bytes_of(room.p, got), &used));
        if (used == 0 && got < CHUNK)
            return cut_line(path, chain);
        if (used == 0)
            return fail(Q_REFUSED, "line %" PRIu64 " is no record: it has no end",
                        chain->count + 1);
    }
}

static enum q_err file_size(int fd, uint64_t *out)
{
    struct stat s;
    if (fstat(fd, &s) != 0)
        return fail_os(errno, "cannot be examined");
    if (!S_ISREG(s.st_mode))
        return fail(Q_BAD_INPUT, "expected a regular file, found something else");
    *out = (uint64_t)s.st_size;
    return Q_OK;
}

static enum q_err lock(int fd, int how)
{
    while (flock(fd, how) != 0) {
        if (errno != EINTR)
            return fail_os(errno, "cannot be locked");
    }
    return Q_OK;
}

// Under the lock: what is new since the chain was followed last.
static enum q_err catch_up(struct audit_log *log)
{
    uint64_t size;
    TRY(file_size(log->fd, &size));
    if (size < log->chain.size)
        return fail(Q_REFUSED, "is shorter than it was: lines were taken off its end");
    return follow_rest(log->fd, log->path, &log->chain);
}

static enum q_err open_file(const char *path, int flags, int *fd)
{
    *fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
    return *fd < 0 ? fail_os(errno, "cannot be opened") : Q_OK;
}

static enum q_err open_and_follow(struct audit_log *log)
{
    if (!file_exists(log->path)) {
        enum q_err made = file_write(log->path, BYTES_LIT(""), 0600, FILE_NEW);
        if (made != Q_OK && made != Q_EXISTS) // somebody else may have made it just now
            return made;
    }
    TRY(open_file(log->path, O_RDWR | O_APPEND, &log->fd));
    TRY(lock(log->fd, LOCK_EX));
    enum q_err err = catch_up(log);
    (void)flock(log->fd, LOCK_UN);
    return err;
}

enum q_err audit_log_open(const char *path, struct audit_log *out)
{
    *out = (struct audit_log){.path = path, .fd = -1};
    return err_context(open_and_follow(out), "audit log %s", path);
}

void audit_log_close(struct audit_log *log)
{
    if (log->path != NULL && log->fd >= 0)
        (void)close(log->fd); // releases the lock too
    *log = (struct audit_log){.fd = -1};
}

// All of it or nothing: half a line would break the log for everybody.
static enum q_err write_line(const struct audit_log *log, struct bytes line)
{
    ssize_t n;
    do
        n = write(log->fd, line.p, line.n);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)line.n && fsync(log->fd) == 0)
        return Q_OK;
    enum q_err err = n >= 0 && (size_t)n < line.n
                         ? fail(Q_IO, "the disk is full, or the file may not grow")
                         : fail_os(errno, "cannot be written");
    if (n > 0 && ftruncate(log->fd, (off_t)log->chain.size) != 0)
        return err_context(err, "line %" PRIu64 " is cut, and cannot be taken off",
                           log->chain.count + 1);
    return err;
}

static enum q_err append_locked(struct audit_log *log, const struct clock *clock,
                                const struct audit_event *e)
{
    BUF_AUTO line = {0};
    int64_t now_ms;
    TRY(catch_up(log));
    TRY(clock_ms(clock, &now_ms));
    TRY(audit_extend(&log->chain, e, now_ms / 1000, &line));
    TRY(write_line(log, buf_bytes(&line)));
    return audit_follow(&log->chain, bytes_of(line.p, line.n - 1));
}

enum q_err audit_log_append(struct audit_log *log, const struct clock *clock,
                            const struct audit_event *e)
{
    enum q_err err = lock(log->fd, LOCK_EX);
    if (err == Q_OK) {
        err = append_locked(log, clock, e);
        (void)flock(log->fd, LOCK_UN);
    }
    return err_context(err, "audit log %s", log->path);
}

enum q_err audit_log_verify(const char *path, struct audit_chain *out)
{
    AUDIT_LOG_AUTO log = {.path = path, .fd = -1};
    uint64_t size;
    *out = (struct audit_chain){0};
    enum q_err err = open_file(path, O_RDONLY, &log.fd);
    if (err == Q_OK)
        err = lock(log.fd, LOCK_SH);
    if (err == Q_OK)
        err = file_size(log.fd, &size);
    if (err == Q_OK)
        err = follow_rest(log.fd, path, out);
    return err_context(err, "audit log %s", path);
}
