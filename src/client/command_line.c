// Quoting for a POSIX shell (see command_line.h).
#include "client/command_line.h"

#include "base/text.h"

#include <string.h>

enum q_err line_start(struct buf *line, const char *command)
{
    return buf_printf(line, "qos_client %s", command);
}

static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:@%+,=";
    size_t n = strspn(word, plain);
    return n > 0 && word[n] == '\0';
}

// Whether a terminal shows it as it is.
static enum q_err check_visible(const char *word)
{
    BUF_AUTO shown = {0};
    TRY(text_display(bytes_str(word), &shown));
    if (bytes_equal(buf_bytes(&shown), bytes_str(word)))
        return Q_OK;
    return fail(Q_BAD_INPUT, "command line: expected names without control characters, found %s",
                buf_text(&shown));
}

enum q_err line_word(struct buf *line, const char *word)
{
    TRY(check_visible(word));
    if (is_plain(word))
        return buf_printf(line, " %s", word);
    TRY(buf_append_str(line, " '"));
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            TRY(buf_append_str(line, "'\\''"));
        else
            TRY(buf_u8(line, (uint8_t)*word));
    }
    return buf_u8(line, '\'');
}

enum q_err line_option(struct buf *line, const char *name, const char *value)
{
    if (value == NULL)
        return Q_OK;
    TRY(buf_printf(line, " --%s", name));
    return line_word(line, value);
}
