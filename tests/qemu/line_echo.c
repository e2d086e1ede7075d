// The application of the machines in QEMU: signed-echo without HTTP, static, as an application that
// comes with a manifest has to be. A connection sends one line and gets one, the signed answer.
#include "signed-echo/echo.h"

#include <arpa/inet.h>
#include <quorate/app.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_SIZE 4096
#define PORT 3000

// The line without its end; -1: the peer sent none.
static ssize_t read_line(int peer, char line[static LINE_MAX_SIZE])
{
    size_t n = 0;
    while (n < LINE_MAX_SIZE) {
        ssize_t got = read(peer, line + n, LINE_MAX_SIZE - n);
        if (got <= 0)
            return -1;
        n += (size_t)got;
        if (line[n - 1] == '\n')
            return (ssize_t)n - 1;
    }
    return -1;
}

static void write_all(int peer, const char *text)
{
    for (size_t n = strlen(text); n > 0;) {
        ssize_t written = send(peer, text, n, MSG_NOSIGNAL);
        if (written <= 0)
            return;
        text += written;
        n -= (size_t)written;
    }
}

static void answer(int peer)
{
    char line[LINE_MAX_SIZE];
    ssize_t n = read_line(peer, line);
    if (n < 0)
        return;
    struct reply reply = echo_sign(APP_QUORUM_KEY_PATH, line, (size_t)n);
    if (reply.json != NULL) {
        write_all(peer, reply.json);
        write_all(peer, "\n");
    }
    free(reply.json);
}

static int listen_here(void)
{
    struct sockaddr_in where = {.sin_family = AF_INET};
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    where.sin_port = htons(PORT);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&where, sizeof where) != 0 ||
        listen(listener, 16) != 0)
        return -1;
    return listener;
}

int main(void)
{
    bool locked;
    int listener = listen_here();
    if (listener < 0 || app_start(true, &locked) != APP_OK) {
        (void)fprintf(stderr, "line_echo: cannot start: expected a free port and a library\n");
        return EXIT_FAILURE;
    }
    for (;;) {
        int peer = accept(listener, NULL, NULL);
        if (peer < 0)
            continue;
        answer(peer);
        (void)close(peer);
    }
}
