// Wording and order of the questions, as the original asks them (see review.h).
#include "client/manifest/review.h"

#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>

enum q_err review_ask(const struct prompt *p, struct buf *question)
{
    const char *text = buf_text(question);
    if (text == NULL)
        return Q_NOMEM;
    if (prompt_yes(p, text))
        return Q_OK;
    for (size_t i = 0; i < question->n; i++) { // the error is one line
        if (question->p[i] == '\n' || question->p[i] == '\t')
            question->p[i] = ' ';
    }
    return fail(Q_REFUSED, "not confirmed: %s", text);
}

static enum q_err ask_version(const struct prompt *p, const struct manifest *m)
{
    BUF_AUTO q = {0};
    TRY(buf_printf(&q, "Is this the correct manifest schema version: v%d? (y/n)", (int)m->version));
    return review_ask(p, &q);
}

// Letters of other scripts can look like those of the namespace one knows. The question is the original's, so
// this goes beside it, to stderr.
static void warn_of_other_letters(struct bytes name)
{
    BUF_AUTO shown = {0}, plain = {0};
    if (text_display(name, &shown) != Q_OK || text_display_ascii(name, &plain) != Q_OK)
        return;
    const char *text = buf_text(&plain);
    if (text != NULL && !bytes_equal(buf_bytes(&shown), bytes_str(text)))
        log_warn("namespace: has letters beyond ASCII, which may look like others: %s", text);
}

static enum q_err ask_namespace(const struct prompt *p, const struct namespace *n)
{
    BUF_AUTO q = {0};
    warn_of_other_letters(n->name);
    TRY(buf_append_str(&q, "Is this the correct namespace name: "));
    TRY(text_display(n->name, &q));
    TRY(buf_append_str(&q, "? (y/n)"));
    return review_ask(p, &q);
}

static enum q_err ask_nonce(const struct prompt *p, const struct namespace *n)
{
    BUF_AUTO q = {0};
    TRY(buf_printf(&q, "Is this the correct namespace nonce: %u? (y/n)", n->nonce));
    return review_ask(p, &q);
}

static enum q_err ask_restart(const struct prompt *p, const struct pivot_config *c)
{
    BUF_AUTO q = {0};
    TRY(buf_printf(&q, "Is this the correct pivot restart policy: RestartPolicy::%s? (y/n)",
                   c->restart.tag == RESTART_ALWAYS ? "Always" : "Never"));
    return review_ask(p, &q);
}

static enum q_err ask_args(const struct prompt *p, const struct pivot_config *c)
{
    BUF_AUTO q = {0};
    TRY(buf_append_str(&q, "Are these the correct pivot args:\n["));
    for (size_t i = 0; i < c->args.n; i++) {
        TRY(buf_append_str(&q, i == 0 ? "" : ", "));
        TRY(text_debug(c->args.items[i], &q));
    }
    TRY(buf_append_str(&q, "]?\n(y/n)"));
    return review_ask(p, &q);
}

static enum q_err ask_debug_mode(const struct prompt *p, const struct pivot_config *c)
{
    BUF_AUTO q = {0};
    TRY(buf_printf(&q, "Is this the correct pivot debug mode: %s? (y/n)",
                   c->debug_mode ? "true" : "false"));
    return review_ask(p, &q);
}

static enum q_err show_bridge(const struct bridge *b, struct buf *q)
{
    if (b->tag == BRIDGE_SERVER) {
        TRY(buf_printf(q, "Server { port: %u, host: ", b->server.port));
        TRY(text_debug(b->server.host, q));
        return buf_append_str(q, " }");
    }
    TRY(buf_printf(q, "Client { port: %u, host: ", b->client.port));
    if (b->client.host.p == NULL)
        return buf_append_str(q, "None }");
    TRY(buf_append_str(q, "Some("));
    TRY(text_debug(b->client.host, q));
    return buf_append_str(q, ") }");
}

static enum q_err ask_bridges(const struct prompt *p, const struct pivot_config *c)
{
    BUF_AUTO q = {0};
    TRY(buf_append_str(&q, "Is this the correct pivot bridge configuration:\n["));
    for (size_t i = 0; i < c->bridges.n; i++) {
        TRY(buf_append_str(&q, i == 0 ? "" : ", "));
        TRY(show_bridge(&c->bridges.items[i], &q));
    }
    TRY(buf_append_str(&q, "]?\n(y/n)"));
    return review_ask(p, &q);
}

static enum q_err ask_dns(const struct prompt *p, const struct dns_config *dns)
{
    BUF_AUTO q = {0};
    if (dns == NULL || dns->resolvers.n == 0) {
        TRY(buf_printf(&q, "Is this the correct DNS configuration: %s? (y/n)",
                       dns == NULL ? "absent" : "configured with no resolvers"));
        return review_ask(p, &q);
    }
    TRY(buf_append_str(&q, "Are these the correct DNS resolvers:\n["));
    for (size_t i = 0; i < dns->resolvers.n; i++) {
        TRY(buf_append_str(&q, i == 0 ? "" : ", "));
        TRY(text_display(dns->resolvers.items[i], &q));
    }
    TRY(buf_append_str(&q, "]?\n(y/n)"));
    return review_ask(p, &q);
}

static enum q_err ask_env(const struct prompt *p, const struct pivot_config *c)
{
    BUF_AUTO q = {0};
    if (c->env.n == 0)
        return Q_OK;
    TRY(buf_append_str(&q, "Is this the correct pivot environment:\n["));
    for (size_t i = 0; i < c->env.n; i++) {
        TRY(buf_append_str(&q, i == 0 ? "" : ", "));
        TRY(text_display(c->env.items[i].name, &q));
        TRY(buf_append_str(&q, ": "));
        TRY(text_debug(c->env.items[i].value, &q));
    }
    TRY(buf_append_str(&q, "]?\n(y/n)"));
    return review_ask(p, &q);
}

enum q_err review_manifest(const struct prompt *p, const struct manifest *m)
{
    TRY(ask_version(p, m));
    TRY(ask_namespace(p, &m->namespace));
    TRY(ask_nonce(p, &m->namespace));
    TRY(ask_restart(p, &m->pivot));
    TRY(ask_args(p, &m->pivot));
    TRY(ask_debug_mode(p, &m->pivot));
    TRY(ask_bridges(p, &m->pivot));
    if (m->version != MANIFEST_V2)
        return Q_OK;
    TRY(ask_dns(p, m->dns));
    return ask_env(p, &m->pivot);
}

static enum q_err ask_role(const struct prompt *p, struct bytes role)
{
    BUF_AUTO q = {0};
    TRY(buf_append_str(&q, "Does this AWS IAM role belong to the intended organization: "));
    TRY(text_display(role, &q));
    TRY(buf_append_str(&q, "? (y/n)"));
    return review_ask(p, &q);
}

static int by_alias(const void *a, const void *b)
{
    const struct bytes *x = a, *y = b;
    return bytes_compare(*x, *y);
}

static enum q_err ask_approvers(const struct prompt *p, const struct manifest_envelope *e)
{
    ARENA_AUTO a = {0};
    BUF_AUTO q = {0};
    void *room;
    size_t n = e->manifest_set_approvals.n;
    TRY(arena_array(&a, n, sizeof(struct bytes), &room));
    struct bytes *aliases = room;
    for (size_t i = 0; i < n; i++)
        aliases[i] = e->manifest_set_approvals.items[i].member.alias;
    if (n > 1)
        qsort(aliases, n, sizeof *aliases, by_alias);
    TRY(buf_append_str(&q, "The following manifest set members approved:\n"));
    for (size_t i = 0; i < n; i++) {
        TRY(buf_append_str(&q, "\talias: "));
        TRY(text_display(aliases[i], &q));
        TRY(buf_append_str(&q, "\n"));
    }
    TRY(buf_append_str(&q, "Is this ok? (y/n)"));
    return review_ask(p, &q);
}

enum q_err review_provision(const struct prompt *p, const struct manifest_envelope *e,
                            struct bytes role)
{
    TRY(ask_namespace(p, &e->manifest.namespace));
    TRY(ask_nonce(p, &e->manifest.namespace));
    TRY(ask_role(p, role));
    return ask_approvers(p, e);
}
