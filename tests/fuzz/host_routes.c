// Fuzz target: what an HTTP method and path lead to, and base paths (host/routes.h). The input is a method, a
// space and a path; only the exact paths of the table may be found.
#include "host/routes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void handler(void *context, struct http_request *request)
{
    (void)context;
    (void)request;
}

static const struct route routes[] = {
    {"GET", "host-health", handler, 0, 0},
    {"POST", "message", handler, 1, 1},
    {"GET", "a/b", handler, 0, 0},
    {"POST", "a/b", handler, 1, 1},
};
static const struct route root[] = {{"GET", "metrics", handler, 0, 0}};
static const struct route_family families[] = {{.base = "qos", .routes = routes, .count = 4},
                                               {.base = "", .routes = root, .count = 1}};
static const struct route_set set = {families, 2};

static bool known(const char *path)
{
    return strcmp(path, "/qos/host-health") == 0 || strcmp(path, "/qos/message") == 0 ||
           strcmp(path, "/qos/a/b") == 0 || strcmp(path, "/metrics") == 0;
}

static void find(const char *method, const char *path)
{
    struct route_match m = route_find(&set, method, path);
    must((m.result != ROUTE_UNKNOWN) == known(path));
    must((m.result == ROUTE_FOUND) == (m.route != NULL));
    must((m.result == ROUTE_OTHER_METHOD) == (m.allow[0] != '\0'));
    must(m.number <= route_count(&set));
    if (m.result != ROUTE_FOUND)
        return;
    must(strcmp(m.route->method, method) == 0 ||
         (strcmp(method, "HEAD") == 0 && strcmp(m.route->method, "GET") == 0));
    BUF_AUTO name = {0};
    must(route_name(&set, m.number, &name) == Q_OK);
    must(strcmp(buf_text(&name), path) == 0);
}

static void check_base(const char *base)
{
    if (route_check_base(base) != Q_OK)
        return;
    size_t n = strlen(base);
    must(n > 0 && base[0] != '/' && base[n - 1] != '/');
    must(strpbrk(base, "?%\"\\ \n#") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[512];
    size_t n = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, n);
    text[n] = '\0';
    check_base(text);
    char *path = text;
    const char *method = strsep(&path, " ");
    find(method, path == NULL ? "" : path);
    return 0;
}
