// signed-echo: an application for the enclave that signs what it is told with the quorum key
// (qos-behaviour 7). Start it by hand against any key file, or let qos_core start it as the pivot.
#include "http.h"

#include <errno.h>
#include <pthread.h>
#include <quorate/app.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST, PORT, QUORUM_FILE, OPTIONS };

static const char *const names[OPTIONS] = {"--host", "--port", "--quorum-file"};

static const char help[] =
    "Required CLI inputs:\n"
    "\n"
    "Optional CLI inputs:\n"
    "\t--help                      Print this help\n"
    "\t--host <host>               IPv4 address [default: 127.0.0.1]\n"
    "\t--port <port>               TCP port [default: 3000]\n"
    "\t--quorum-file <quorum-file> where the quorum key is [default: /qos.quorum.key]\n"
    "\t--version                   Print the version\n";

static int find_option(const char *word)
{
    for (int i = 0; i < OPTIONS; i++) {
        if (strcmp(word, names[i]) == 0)
            return i;
    }
    return OPTIONS;
}

// "--name value", any order, each once; a name without a value keeps the default.
static bool read_options(int count, char **words, const char *values[OPTIONS])
{
    bool given[OPTIONS] = {false};
    for (int i = 0; i < count; i++) {
        int at = find_option(words[i]);
        if (at == OPTIONS) {
            fprintf(stderr, "signed-echo: error: found %s, which was not an expected argument\n",
                    words[i]);
            return false;
        }
        if (given[at]) {
            fprintf(stderr,
                    "signed-echo: error: found argument %s more then once, but only one "
                    "instance was expected\n",
                    names[at] + 2);
            return false;
        }
        given[at] = true;
        if (i + 1 < count && strncmp(words[i + 1], "--", 2) != 0)
            values[at] = words[++i];
    }
    return true;
}

static bool read_port(const char *text, uint16_t *out)
{
    char *end = NULL;
    errno = 0;
    unsigned long port = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || port < 1 || port > 65535) {
        fprintf(stderr, "signed-echo: error: --port: expected a number from 1 to 65535, found %s\n",
                text);
        return false;
    }
    *out = (uint16_t)port;
    return true;
}

static bool start_library(void)
{
    bool locked;
    // An application lives with the limits it is given; the enclave has no swap.
    if (app_start(true, &locked) != APP_OK) {
        fprintf(stderr, "signed-echo: error: %s\n", app_error());
        return false;
    }
    if (!locked)
        fprintf(stderr, "signed-echo: warning: memory cannot be locked here: the key may be "
                        "written to swap (raise RLIMIT_MEMLOCK)\n");
    return true;
}

static int serve(const char *const values[OPTIONS])
{
    uint16_t port;
    if (!read_port(values[PORT], &port) || !start_library())
        return EXIT_FAILURE;
    sigset_t ends;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGINT);
    (void)sigaddset(&ends, SIGTERM);
    // Blocked before the server's thread exists, so that only sigwait takes them.
    if (pthread_sigmask(SIG_BLOCK, &ends, NULL) != 0)
        return EXIT_FAILURE;
    struct MHD_Daemon *daemon = http_start(values[HOST], port, values[QUORUM_FILE]);
    if (daemon == NULL)
        return EXIT_FAILURE;
    fprintf(stderr, "signed-echo: version " APP_VERSION ", listening on %s:%u\n", values[HOST],
            (unsigned)port);
    int number;
    (void)sigwait(&ends, &number);
    http_stop(daemon);
    return EXIT_SUCCESS;
}

static bool has_word(int count, char **words, const char *word)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], word) == 0)
            return true;
    }
    return false;
}

static int print(const char *text)
{
    return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const char *values[OPTIONS] = {"127.0.0.1", "3000", APP_QUORUM_KEY_PATH};
    (void)signal(SIGPIPE, SIG_IGN);
    if (has_word(argc - 1, argv + 1, "--help"))
        return print(help);
    if (has_word(argc - 1, argv + 1, "--version"))
        return print("signed-echo version " APP_VERSION "\n");
    return read_options(argc - 1, argv + 1, values) ? serve(values) : EXIT_FAILURE;
}
