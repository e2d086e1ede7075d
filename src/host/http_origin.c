// Host and Origin headers compared (see http_origin.h).
#include "host/http_origin.h"

#include "protocol/ip.h"

#include <string.h>
#include <strings.h>

static bool same_name(struct bytes a, struct bytes b)
{
    return a.n == b.n && a.n > 0 && strncasecmp((const char *)a.p, (const char *)b.p, a.n) == 0;
}

// Without the port, and without the brackets of an IPv6 address.
static struct bytes name_of(struct bytes host)
{
    size_t n = host.n;
    while (n > 0 && host.p[n - 1] >= '0' && host.p[n - 1] <= '9')
        n--;
    struct bytes name = n > 0 && host.p[n - 1] == ':' ? bytes_of(host.p, n - 1) : host;
    if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
        return bytes_of(name.p + 1, name.n - 2);
    return name;
}

// The next of a list with commas; list moves on.
static struct bytes next_name(const char **list)
{
    size_t n = strcspn(*list, ",");
    struct bytes name = bytes_of(*list, n);
    *list += n + ((*list)[n] == ',');
    return name;
}

// No page has an address for its name that its site's DNS could change.
static bool known(const struct origin_rules *rules, struct bytes name)
{
    struct ip ip;
    if (ip_parse(name, &ip) || same_name(name, BYTES_LIT("localhost")))
        return true;
    for (const char *left = rules->names; left != NULL && *left != '\0';) {
        if (same_name(name, next_name(&left)))
            return true;
    }
    return false;
}

// scheme://host:port as in Host. The scheme may be that of a proxy with TLS.
static bool is_own(struct bytes origin, struct bytes host)
{
    struct bytes http = BYTES_LIT("http://"), https = BYTES_LIT("https://");
    struct bytes scheme = bytes_begin_with(origin, https) ? https : http;
    return bytes_begin_with(origin, scheme) &&
           same_name(bytes_of(origin.p + scheme.n, origin.n - scheme.n), host);
}

enum q_err origin_check(const struct origin_rules *rules, struct bytes host, struct bytes origin)
{
    if (rules->check_names && host.n > 0 && !known(rules, name_of(host)))
        return fail(Q_REFUSED, "Host: expected an address, localhost or a name of --host-name, "
                               "found another name");
    if (origin.p != NULL && !is_own(origin, host))
        return fail(Q_REFUSED, "Origin: expected none, or that of this host, found another site's");
    return Q_OK;
}

enum q_err origin_check_names(const char *names)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    bool whole = true;
    for (const char *at = names; whole && at != NULL;) {
        size_t n = strspn(at, good);
        whole = n > 0 && (at[n] == ',' || at[n] == '\0');
        at = at[n] == ',' ? at + n + 1 : NULL;
    }
    if (!whole)
        return fail(Q_BAD_INPUT, "--host-name: expected names with commas between them, found %s",
                    names);
    return Q_OK;
}
