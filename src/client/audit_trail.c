// Recording what a command did (see audit_trail.h).
#include "client/audit_trail.h"

#include "base/log.h"
#include "custody/audit_log.h"
#include "protocol/manifest.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    bool manifest, document;
    uint8_t manifest_hash[SHA256_SIZE], document_digest[SHA256_SIZE];
    char who[AUDIT_WHO_MAX];
    size_t who_size;
} noted;

void audit_note_manifest(const struct manifest *m)
{
    noted.manifest = manifest_hash(m, noted.manifest_hash) == Q_OK;
}

void audit_note_plan(const uint8_t hash[static SHA256_SIZE])
{
    noted.manifest = true;
    memcpy(noted.manifest_hash, hash, sizeof noted.manifest_hash);
}

void audit_note_document(struct bytes document)
{
    noted.document = sha256(document, noted.document_digest) == Q_OK;
}

void audit_note_who(struct bytes alias)
{
    noted.who_size = alias.n < sizeof noted.who ? alias.n : sizeof noted.who;
    if (noted.who_size > 0)
        memcpy(noted.who, alias.p, noted.who_size);
}

static const char *chosen_path(const struct command *c, const struct options *o)
{
    if (!c->audited)
        return NULL;
    const char *path = options_value(o, "audit-log");
    if (path == NULL)
        path = secure_getenv(AUDIT_LOG_VARIABLE);
    return path == NULL || *path == '\0' ? NULL : path;
}

// How it ended, and what was not checked or was overridden.
static enum q_err write_details(const struct options *o, enum q_err result, const char *why,
                                struct buf *out)
{
    TRY(buf_append_str(out, result == Q_OK ? "done" : "refused"));
    for (size_t i = 0; i < o->count; i++) {
        const char *name = o->table[i].name;
        if (o->given[i] && (strncmp(name, "unsafe-", 7) == 0 || strcmp(name, "force") == 0))
            TRY(buf_printf(out, ", with --%s", name));
    }
    return result == Q_OK ? Q_OK : buf_printf(out, ": %s", why);
}

static enum q_err record(struct audit_log *log, const struct command *c, const struct options *o,
                         enum q_err result, const char *why)
{
    BUF_AUTO details = {0};
    const char *alias = options_value(o, "alias");
    struct bytes who = noted.who_size > 0 ? bytes_of(noted.who, noted.who_size)
                                          : bytes_str(alias == NULL ? "operator" : alias);
    TRY(write_details(o, result, why, &details));
    const struct audit_event event = {
        .who = who,
        .event = bytes_str(c->name),
        .details = buf_bytes(&details),
        .manifest_hash = noted.manifest ? BYTES_OF(noted.manifest_hash) : BYTES_NONE,
        .document_digest = noted.document ? BYTES_OF(noted.document_digest) : BYTES_NONE,
    };
    return audit_log_append(log, &clock_wall, &event);
}

// The command's own error stays the one that is told.
static enum q_err run_and_record(struct audit_log *log, const struct command *c,
                                 const struct options *o)
{
    char why[Q_ERR_TEXT_SIZE];
    enum q_err result = c->run(o);
    (void)snprintf(why, sizeof why, "%s", err_text());
    enum q_err recorded = record(log, c, o, result, why);
    if (recorded == Q_OK && result == Q_OK)
        return Q_OK;
    if (result == Q_OK)
        return err_context(recorded, "%s: was done, but is not in the audit log", c->name);
    if (recorded != Q_OK)
        log_error("not in the audit log: %s", err_text());
    err_record(-1, "%s", why);
    return result;
}

enum q_err audited_run(const struct command *c, const struct options *o)
{
    AUDIT_LOG_AUTO log = {.fd = -1};
    const char *path = chosen_path(c, o);
    if (path == NULL)
        return c->run(o);
    (void)signal(SIGXFSZ, SIG_IGN); // a limit on file sizes is an error like a full disk
    TRY(audit_log_open(path, &log));
    return run_and_record(&log, c, o);
}
