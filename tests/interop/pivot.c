// The application of the interop scenarios, static so that it runs wherever an enclave starts it: writes a
// message to a file beside it, waits for ever, or echoes bytes on ports of this machine.
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, p, n);
        if (written <= 0)
            return 1;
        p += written;
        n -= (size_t)written;
    }
    return 0;
}

// The message, then what stands in our environment: a reader sees either nothing or all of it.
static int say(const char *message)
{
    int fd = open("pivot_works.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write_all(fd, message, strlen(message)) != 0)
        return 1;
    for (char **e = environ; *e != NULL; e++) {
        if (write_all(fd, "\n", 1) != 0 || write_all(fd, *e, strlen(*e)) != 0)
            return 1;
    }
    return close(fd) != 0 || rename("pivot_works.tmp", "pivot_works") != 0;
}

_Noreturn static void wait_for_ever(void)
{
    for (;;)
        (void)pause();
}

static void echo(int peer)
{
    char bytes[4096];
    ssize_t n;
    while ((n = read(peer, bytes, sizeof bytes)) > 0 && write_all(peer, bytes, (size_t)n) == 0)
        ;
    (void)close(peer);
}

static int listen_on(const char *port)
{
    struct sockaddr_in where = {.sin_family = AF_INET};
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    where.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(listener, (struct sockaddr *)&where, sizeof where) != 0 || listen(listener, 64) != 0)
        _exit(1);
    return listener;
}

// A process for each connection and each port, that end with the one that made them.
static bool child(void)
{
    pid_t made = fork();
    if (made < 0)
        _exit(1);
    return made == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
}

_Noreturn static void serve(int listener)
{
    for (;;) {
        int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (peer < 0)
            continue;
        if (child()) {
            echo(peer);
            _exit(0);
        }
        (void)close(peer);
    }
}

_Noreturn static void serve_all(char **ports)
{
    (void)signal(SIGCHLD, SIG_IGN); // nobody waits for them
    for (; ports[1] != NULL; ports++) {
        if (child())
            break;
    }
    serve(listen_on(ports[0]));
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--msg") == 0)
        return say(argv[2]);
    if (argc >= 3 && strcmp(argv[1], "--echo") == 0)
        serve_all(argv + 2);
    if (argc == 2 && strcmp(argv[1], "--abort") == 0)
        abort();
    if (argc == 2 && strcmp(argv[1], "--wait") == 0)
        wait_for_ever();
    return 2;
}
