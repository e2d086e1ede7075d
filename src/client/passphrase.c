// Asking for passphrases (see passphrase.h).
#include "client/passphrase.h"

#include "base/file.h"
#include "base/text.h"
#include "client/terminal.h"

#include <string.h>

enum q_err passphrase_line(struct bytes file, const char *path, struct secret *out)
{
    struct bytes line = bytes_first_line(file);
    const uint8_t *end = line.p + line.n;
    size_t rest = file.n - line.n;
    bool ended = rest == 0 || (rest == 1 && end[0] == '\n') || (rest == 2 && end[0] == '\r');
    if (!ended)
        return fail(Q_BAD_INPUT, "%s: expected a passphrase on one line, found more", path);
    if (line.n == 0)
        return fail(Q_BAD_INPUT, "%s: expected a passphrase, found an empty line", path);
    return secret_copy(out, line);
}

static enum q_err from_file(const char *path, struct secret *out)
{
    SECRET_AUTO file = {0};
    TRY(file_read_secret(path, PASSPHRASE_MAX, &file));
    return passphrase_line(secret_bytes(&file), path, out);
}

static enum q_err from_terminal(const char *question, const char *path, struct secret *out)
{
    BUF_AUTO text = {0};
    TRY(buf_append_str(&text, question));
    TRY(text_display(bytes_str(path), &text));
    TRY(buf_append_str(&text, ": "));
    const char *shown = buf_text(&text);
    return shown == NULL ? Q_NOMEM : terminal_ask(shown, PASSPHRASE_MAX, out);
}

enum q_err passphrase_ask(const struct options *o, const char *path, struct secret *out)
{
    const char *source = options_value(o, "passphrase-path");
    return source != NULL ? from_file(source, out) : from_terminal("Passphrase of ", path, out);
}

static enum q_err ask_twice(const char *path, struct secret *out)
{
    SECRET_AUTO again = {0};
    TRY(from_terminal("New passphrase for ", path, out));
    TRY(from_terminal("The same again for ", path, &again));
    if (!secret_equal(secret_bytes(out), secret_bytes(&again)))
        return fail(Q_REFUSED, "passphrase: expected the same one twice, found two");
    return Q_OK;
}

enum q_err passphrase_choose(const struct options *o, const char *path, struct secret *out)
{
    const char *source = options_value(o, "passphrase-path");
    TRY(source != NULL ? from_file(source, out) : ask_twice(path, out));
    if (out->n < PASSPHRASE_NEW_LEAST)
        return fail(Q_REFUSED, "passphrase: expected at least %d bytes, found fewer",
                    PASSPHRASE_NEW_LEAST);
    return Q_OK;
}
