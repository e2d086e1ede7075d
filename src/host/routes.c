// Matching of routes (see routes.h).
#include "host/routes.h"

#include <stdio.h>
#include <string.h>

size_t route_count(const struct route_set *set)
{
    size_t n = 0;
    for (size_t i = 0; i < set->count; i++)
        n += set->families[i].count;
    return n;
}

// The part of url below base, or NULL.
static const char *below(const char *base, const char *url)
{
    if (*url++ != '/')
        return NULL;
    size_t n = strlen(base);
    if (n == 0)
        return url;
    return strncmp(url, base, n) == 0 && url[n] == '/' ? url + n + 1 : NULL;
}

static bool method_fits(const struct route *r, const char *method)
{
    return strcmp(r->method, method) == 0 ||
           (strcmp(r->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void allow(struct route_match *m, const char *method)
{
    size_t n = strlen(m->allow);
    (void)snprintf(m->allow + n, sizeof m->allow - n, "%s%s", n == 0 ? "" : ",",
                   strcmp(method, "GET") == 0 ? "GET,HEAD" : method);
}

// The first route with the path of route i.
static size_t first_of_path(const struct route_family *f, size_t i)
{
    size_t n = 0;
    while (strcmp(f->routes[n].path, f->routes[i].path) != 0)
        n++;
    return n;
}

static void try_family(const struct route_family *f, size_t first, const char *method,
                       const char *url, struct route_match *m)
{
    const char *path = below(f->base, url);
    for (size_t i = 0; path != NULL && i < f->count; i++) {
        if (strcmp(f->routes[i].path, path) != 0)
            continue;
        if (method_fits(&f->routes[i], method)) {
            *m = (struct route_match){.result = ROUTE_FOUND,
                                      .route = &f->routes[i],
                                      .family = f,
                                      .number = first + first_of_path(f, i)};
            return;
        }
        m->result = ROUTE_OTHER_METHOD;
        m->family = f;
        allow(m, f->routes[i].method);
    }
}

// Who answers for a path that is nobody's.
static const struct route_family *refuser(const struct route_set *set, const char *url)
{
    const struct route_family *root = NULL;
    for (size_t i = 0; i < set->count; i++) {
        const struct route_family *f = &set->families[i];
        if (f->base[0] != '\0' && below(f->base, url) != NULL)
            return f;
        if (f->base[0] == '\0' && f->refuse != NULL)
            root = f;
    }
    return root;
}

struct route_match route_find(const struct route_set *set, const char *method, const char *url)
{
    struct route_match m = {.result = ROUTE_UNKNOWN};
    size_t first = 0;
    for (size_t i = 0; i < set->count && m.result != ROUTE_FOUND; i++) {
        try_family(&set->families[i], first, method, url, &m);
        first += set->families[i].count;
    }
    if (m.result != ROUTE_FOUND)
        m.number = route_count(set);
    if (m.result == ROUTE_UNKNOWN)
        m.family = refuser(set, url);
    return m;
}

static bool is_below(const struct route_family *f, const char *path)
{
    size_t n = strlen(f->base);
    return n > 0 && strncmp(path, f->base, n) == 0 && path[n] == '/';
}

static enum q_err check_pair(const struct route_family *f, const struct route_family *other)
{
    for (size_t i = 0; f != other && i < other->count; i++) {
        if (other->base[0] == '\0' && is_below(f, other->routes[i].path))
            return fail(Q_BAD_INPUT,
                        "--endpoint-base-path: expected a path without routes of others below it, "
                        "found %s, which has /%s",
                        f->base, other->routes[i].path);
    }
    return Q_OK;
}

enum q_err route_check_set(const struct route_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        for (size_t k = 0; k < set->count; k++)
            TRY(check_pair(&set->families[i], &set->families[k]));
    }
    return Q_OK;
}

enum q_err route_name(const struct route_set *set, size_t number, struct buf *out)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct route_family *f = &set->families[i];
        if (number < f->count)
            return buf_printf(out, "%s%s/%s", f->base[0] == '\0' ? "" : "/", f->base,
                              f->routes[number].path);
        number -= f->count;
    }
    return buf_append_str(out, "other");
}

enum q_err route_check_base(const char *base)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789-_.~/";
    size_t n = strlen(base);
    if (n == 0 || n > 200 || base[0] == '/' || base[n - 1] == '/' || strspn(base, good) != n)
        return fail(
            Q_BAD_INPUT,
            "--endpoint-base-path: expected a path such as qos, without '/' at its ends and "
            "without characters that need encoding, found %s",
            base);
    return Q_OK;
}
