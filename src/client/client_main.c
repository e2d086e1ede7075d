// What happens to the words on the command line: help, version, the command, and its error
// (qos-behaviour 0.2, 1.1).
#include "client/audit_trail.h"

#include "base/log.h"
#include "base/secret.h"
#include "codec/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QOS_RELEASE "0.13.0" // the release of the original whose commands and formats these are

static int finish(enum q_err err)
{
    // What could not be printed was not said: a script must not take it for success.
    if (err == Q_OK && (fflush(stdout) != 0 || ferror(stdout) != 0))
        err = fail(Q_IO, "standard output: cannot be written");
    if (err == Q_OK)
        return EXIT_SUCCESS;
    (void)fflush(stdout);
    fprintf(stderr, "error: %s\n", err_text());
    return EXIT_FAILURE;
}

static enum q_err print_text(struct buf *text)
{
    const char *t = buf_text(text);
    if (t == NULL)
        return Q_NOMEM;
    (void)fputs(t, stdout);
    return Q_OK;
}

static enum q_err print_help(const struct command *c)
{
    BUF_AUTO text = {0};
    TRY(c == NULL ? command_help_all(&text) : command_help_one(c, &text));
    return print_text(&text);
}

static enum q_err print_version(void)
{
    printf("version: %s\nquorate: %s\n", QOS_RELEASE, QUORATE_VERSION);
    return Q_OK;
}

// What was typed as a name: both words when the second is no option.
static enum q_err unknown(int words_count, char *const *words)
{
    BUF_AUTO both = {0};
    const char *typed = words[0];
    if (command_is_unreleased(typed))
        return fail(Q_UNSUPPORTED,
                    "%s: is of a branch of QuorumOS that was never released (v0.4.1), and is not "
                    "understood; a share set is changed with the reshare commands of "
                    "qos_client --help",
                    typed);
    const struct command *nearest = NULL;
    if (words_count > 1 && strncmp(words[1], "--", 2) != 0) {
        TRY(buf_printf(&both, "%s %s", words[0], words[1]));
        nearest = command_nearest((const char *)both.p);
    }
    if (nearest != NULL)
        typed = (const char *)both.p;
    else
        nearest = command_nearest(typed);
    if (nearest != NULL)
        return fail(Q_BAD_INPUT, "Unrecognized command %s; did you mean %s?", typed, nearest->name);
    return fail(Q_BAD_INPUT, "Unrecognized command %s; qos_client --help lists the commands",
                typed);
}

static enum q_err find(int words_count, char *const *words, const struct command **out, int *taken)
{
    *out = command_match(words_count, words, taken);
    return *out == NULL ? unknown(words_count, words) : Q_OK;
}

static int invalid_input(void)
{
    printf("Invalid input: %s\n", err_text());
    (void)fflush(stdout);
    return EXIT_FAILURE;
}

// Whoever looks over a shoulder, or reads a log, sees what was not checked.
static void warn_unsafe(const struct options *o)
{
    static const char prefix[] = "unsafe-";
    for (size_t i = 0; i < o->count; i++) {
        const struct option *option = &o->table[i];
        if (o->given[i] && strncmp(option->name, prefix, sizeof prefix - 1) == 0)
            fprintf(stderr, "**WARNING:** --%s: %s\n", option->name, option->help);
    }
}

static enum q_err start(const struct command *c, const struct options *o)
{
    warn_unsafe(o);
    TRY(secret_init(!c->secrets || options_given(o, "allow-unlocked-memory")));
    TRY(json_start());
    return audited_run(c, o);
}

int client_run(const struct command *c, int words_count, char *const *words)
{
    struct options *o = calloc(1, sizeof *o);
    if (o == NULL)
        return finish(fail(Q_NOMEM, "no memory for the options"));
    int exit_code;
    if (options_parse(c->options, c->count, words_count, words, o) != Q_OK)
        exit_code = invalid_input();
    else if (o->help)
        exit_code = finish(print_help(c));
    else if (o->version)
        exit_code = finish(print_version());
    else
        exit_code = finish(start(c, o));
    free(o);
    return exit_code;
}

// "help", "help COMMAND"
static enum q_err help(int argc, char *const *argv)
{
    const struct command *c = NULL;
    int taken;
    if (argc > 2)
        TRY(find(argc - 2, argv + 2, &c, &taken));
    return print_help(c);
}

void client_begin(const char *program)
{
    // Scripts answer prompts line by line, through a pipe.
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    log_start(program, LOG_INFO);
}

int client_main(int argc, char *const *argv)
{
    client_begin("qos_client");
    if (argc < 2) {
        (void)fail(Q_BAD_INPUT, "argument No command provided is required but was not found");
        return invalid_input();
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return finish(help(argc, argv));
    if (strcmp(argv[1], "--version") == 0)
        return finish(print_version());
    const struct command *c;
    int taken;
    if (find(argc - 1, argv + 1, &c, &taken) != Q_OK)
        return finish(Q_BAD_INPUT);
    return client_run(c, argc - 1 - taken, argv + 1 + taken);
}
