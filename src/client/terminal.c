// The controlling terminal with its echo switched off (see terminal.h; termios(3)).
#include "client/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

// While it is silent, signals are held back: they would leave the user with a terminal that does
// not echo. signals is readable when one waits.
struct terminal {
    int fd, signals;
    bool silent;
    struct termios before;
    sigset_t mask_before;
};
#define TERMINAL_AUTO __attribute__((cleanup(terminal_close))) struct terminal

static void echo_again(struct terminal *t)
{
    if (!t->silent)
        return;
    t->silent = false;
    (void)tcsetattr(t->fd, TCSAFLUSH, &t->before);
    (void)sigprocmask(SIG_SETMASK, &t->mask_before, NULL); // what was held back happens here
}

static void terminal_close(struct terminal *t)
{
    echo_again(t);
    if (t->signals >= 0)
        (void)close(t->signals);
    if (t->fd >= 0)
        (void)close(t->fd);
}

static enum q_err terminal_open(struct terminal *t)
{
    t->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (t->fd >= 0)
        return Q_OK;
    return fail(Q_MISSING, "passphrase: expected a terminal to ask on, found none (give the "
                           "passphrase with --passphrase-path)");
}

static enum q_err silence(struct terminal *t)
{
    static const int held[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    sigset_t mask;
    struct termios quiet;
    (void)sigemptyset(&mask);
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
        (void)sigaddset(&mask, held[i]);
    if (tcgetattr(t->fd, &t->before) != 0 || sigprocmask(SIG_BLOCK, &mask, &t->mask_before) != 0)
        return fail_os(errno, "terminal: cannot be set up");
    t->silent = true;
    quiet = t->before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    quiet.c_lflag |= ICANON | ISIG;
    int signals = signalfd(t->signals, &mask, SFD_CLOEXEC);
    if (signals < 0 || tcsetattr(t->fd, TCSAFLUSH, &quiet) != 0)
        return fail_os(errno, "terminal: its echo cannot be switched off");
    t->signals = signals;
    return Q_OK;
}

static enum q_err say(const struct terminal *t, const char *text)
{
    size_t n = strlen(text);
    if (write(t->fd, text, n) != (ssize_t)n)
        return fail_os(errno, "terminal: cannot be written to");
    return Q_OK;
}

// *signalled: something other than a line came; nothing is read then.
static enum q_err wait_for_line(const struct terminal *t, bool *signalled)
{
    struct pollfd waits[] = {{.fd = t->fd, .events = POLLIN}, {.fd = t->signals, .events = POLLIN}};
    while (poll(waits, 2, -1) < 0) {
        if (errno != EINTR)
            return fail_os(errno, "terminal: cannot be waited for");
    }
    *signalled = waits[1].revents != 0;
    return Q_OK;
}

static enum q_err read_line(const struct terminal *t, size_t limit, struct secret *out)
{
    SECRET_AUTO room = {0};
    TRY(secret_new(&room, limit + 2)); // one byte too many, and the line's end
    ssize_t got = read(t->fd, room.p, room.n);
    if (got < 0)
        return fail_os(errno, "terminal: cannot be read");
    size_t n = (size_t)got;
    if (n > 0 && room.p[n - 1] == '\n')
        n--;
    if (n == 0)
        return fail(Q_BAD_INPUT, "passphrase: expected one, found an empty line");
    if (n > limit)
        return fail(Q_LIMIT, "passphrase: expected at most %zu bytes, found more", limit);
    return secret_copy(out, bytes_of(room.p, n));
}

enum q_err terminal_ask(const char *question, size_t limit, struct secret *out)
{
    TERMINAL_AUTO t = {.fd = -1, .signals = -1};
    bool signalled = true;
    TRY(terminal_open(&t));
    while (signalled) { // asks again when the program was stopped and goes on
        TRY(silence(&t));
        TRY(say(&t, question));
        TRY(wait_for_line(&t, &signalled));
        if (!signalled)
            TRY(read_line(&t, limit, out));
        TRY(say(&t, "\n"));
        echo_again(&t);
    }
    return Q_OK;
}
