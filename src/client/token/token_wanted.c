// Options that name a token (see token_wanted.h).
#include "client/token/token_wanted.h"

#include "base/file.h"
#include "base/hex.h"
#include "client/terminal.h"

#include <string.h>

#define PIN_MAX 255
#define PIN_FILE_MAX 4096

#define ID_PREFIX "id:"
// PIV's slots as ykcs11 numbers them.
#define PIV_SIGNATURE "id:02"
#define PIV_KEY_MANAGEMENT "id:03"

static enum q_err parse_id(const char *option, struct token_key_name *name)
{
    BUF_AUTO id = {0};
    enum q_err err = hex_decode(bytes_str(name->text + sizeof ID_PREFIX - 1), &id);
    if (err == Q_OK && (id.n == 0 || id.n > TOKEN_NAME_MAX))
        err = fail(Q_BAD_INPUT, "expected from 1 to %d bytes, found %zu", TOKEN_NAME_MAX, id.n);
    TRY(err_context(err, "--%s", option));
    memcpy(name->value, id.p, id.n);
    name->n = id.n;
    name->by = CKA_ID;
    return Q_OK;
}

static enum q_err parse_label(const char *option, struct token_key_name *name)
{
    struct bytes label = bytes_str(name->text);
    if (label.n == 0 || label.n > TOKEN_NAME_MAX || !bytes_is_utf8(label))
        return fail(Q_BAD_INPUT, "--%s: expected a label of 1 to %d bytes of UTF-8, or id:HEX",
                    option, TOKEN_NAME_MAX);
    memcpy(name->value, label.p, label.n);
    name->n = label.n;
    name->by = CKA_LABEL;
    return Q_OK;
}

static enum q_err name_parse(const char *option, const char *text, struct token_key_name *out)
{
    *out = (struct token_key_name){.text = text};
    if (strncmp(text, ID_PREFIX, sizeof ID_PREFIX - 1) == 0)
        return parse_id(option, out);
    return parse_label(option, out);
}

static enum q_err names_read(const char *encryption, const char *signing, struct token_wanted *out)
{
    TRY(name_parse("encryption-key", encryption, &out->encryption));
    TRY(name_parse("signing-key", signing, &out->signing));
    const struct token_key_name *e = &out->encryption, *s = &out->signing;
    if (e->by == s->by && bytes_equal(bytes_of(e->value, e->n), bytes_of(s->value, s->n)))
        return fail(Q_BAD_INPUT, "--signing-key: expected another key than --encryption-key, found "
                                 "the same");
    return Q_OK;
}

enum q_err token_wanted_read(const struct options *o, struct token_wanted *out)
{
    *out = (struct token_wanted){.module = options_value(o, "pkcs11-module"),
                                 .uri = options_value(o, "token-uri"),
                                 .pin_path = options_value(o, "current-pin-path")};
    return names_read(options_value(o, "encryption-key"), options_value(o, "signing-key"), out);
}

enum q_err token_wanted_yubikey(const struct options *o, struct token_wanted *out)
{
    const char *module = options_value(o, "yubikey-module");
    *out = (struct token_wanted){.module = module != NULL ? module : YKCS11_MODULE,
                                 .pin_path = options_value(o, "current-pin-path"),
                                 .tap = stderr};
    return names_read(PIV_KEY_MANAGEMENT, PIV_SIGNATURE, out);
}

static enum q_err from_file(const char *path, struct secret *out)
{
    SECRET_AUTO file = {0};
    TRY(file_read_secret(path, PIN_FILE_MAX, &file));
    struct bytes line = bytes_first_line(secret_bytes(&file));
    if (line.n == 0)
        return fail(Q_BAD_INPUT, "%s: expected a PIN, found an empty line", path);
    return secret_copy(out, line);
}

// The terminal's own sentences speak of passphrases.
static enum q_err from_terminal(const char *question, struct secret *out)
{
    enum q_err err = terminal_ask(question, PIN_MAX, out);
    if (err == Q_MISSING)
        return fail(err, "PIN: expected a terminal to ask on, found none (a file, FIFO or "
                         "/dev/fd/N can hold it: --current-pin-path)");
    if (err == Q_BAD_INPUT)
        return fail(err, "PIN: expected one, found an empty line");
    return err;
}

enum q_err pin_read(const char *path, const char *question, struct secret *out)
{
    TRY(path != NULL ? from_file(path, out) : from_terminal(question, out));
    const char *from = path != NULL ? path : "PIN";
    if (out->n > PIN_MAX)
        return fail(Q_LIMIT, "%s: expected a PIN of at most %d bytes, found more", from, PIN_MAX);
    if (memchr(out->p, 0, out->n) != NULL)
        return fail(Q_BAD_INPUT, "%s: expected a PIN without zero bytes, found one", from);
    return Q_OK;
}
