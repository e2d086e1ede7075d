// Interfaces, default routes and resolvers (see network_state.h).
#include "host/network_state.h"

#include "base/file.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FILE_MAX ((size_t)1 << 20)
#define INTERFACES_MAX 64
#define WORDS_MAX 12
#define HEX 16

const struct network_files network_files_linux = {"/proc/self/net/route",
                                                  "/proc/self/net/ipv6_route", "/etc/resolv.conf"};

struct reading {
    struct network_state *state;
    unsigned long best; // metric of the route in state
};
struct line {
    const char *words[WORDS_MAX];
    size_t n;
};

static struct line split(char *text)
{
    struct line l = {0};
    char *word;
    while (l.n < WORDS_MAX && (word = strsep(&text, " \t")) != NULL) {
        if (*word != '\0')
            l.words[l.n++] = word;
    }
    return l;
}

static void each_line(const char *path, void (*take)(struct reading *r, const struct line *l),
                      struct reading *r)
{
    BUF_AUTO text = {0};
    if (file_read(path, FILE_MAX, &text) != Q_OK || buf_text(&text) == NULL)
        return;
    char *rest = (char *)text.p, *one;
    while ((one = strsep(&rest, "\n")) != NULL) {
        struct line l = split(one);
        take(r, &l);
    }
}

static struct ip ip_in_memory(unsigned long network_order)
{
    uint32_t value = (uint32_t)network_order;
    uint8_t octet[4];
    memcpy(octet, &value, sizeof octet);
    return ip_from_v4(octet);
}

// Interface, destination, gateway, flags, references, uses, metric, mask: numbers in hex, the metric decimal,
// addresses as they lie in memory.
static void take_route(struct reading *r, const struct line *l)
{
    if (l->n < 8 || strtoul(l->words[1], NULL, HEX) != 0 || strtoul(l->words[7], NULL, HEX) != 0)
        return;
    unsigned long flags = strtoul(l->words[3], NULL, HEX), metric = strtoul(l->words[6], NULL, 10);
    unsigned long via = strtoul(l->words[2], NULL, HEX);
    struct network_state *s = r->state;
    bool known = s->interface[0] != '\0';
    if ((flags & 1) == 0 || strlen(l->words[0]) >= sizeof s->interface ||
        (known && metric >= r->best)) // RTF_UP
        return;
    r->best = metric;
    memcpy(s->interface, l->words[0], strlen(l->words[0]) + 1);
    s->external = true;
    s->gateway = via != 0;
    s->via = ip_in_memory(via);
}

// Destination, its length, source, its length, gateway, metric, references, uses, flags, interface. The
// kernel keeps a default route that rejects, over the loopback interface.
static void take_route6(struct reading *r, const struct line *l)
{
    if (l->n == 10 && strspn(l->words[0], "0") == 32 && strcmp(l->words[1], "00") == 0 &&
        strcmp(l->words[9], "lo") != 0)
        r->state->external = true;
}

static void take_resolver(struct reading *r, const struct line *l)
{
    struct network_state *s = r->state;
    if (l->n >= 2 && strcmp(l->words[0], "nameserver") == 0 &&
        s->resolvers_n < NETWORK_RESOLVERS_MAX &&
        ip_parse(bytes_str(l->words[1]), &s->resolvers[s->resolvers_n]))
        s->resolvers_n++;
}

static void take_interface(int fd, struct ifreq *i, struct network_state *s)
{
    struct sockaddr_in in;
    memcpy(&in, &i->ifr_addr, sizeof in);
    if (ioctl(fd, SIOCGIFFLAGS, i) != 0 || (i->ifr_flags & IFF_UP) == 0)
        return;
    if ((i->ifr_flags & IFF_LOOPBACK) != 0)
        s->loopback = true;
    else
        s->interfaces = true;
    if (strncmp(i->ifr_name, s->interface, IF_NAMESIZE) == 0)
        s->address = ip_in_memory(in.sin_addr.s_addr);
}

// By ioctl rather than netlink, whose sockets the service file does not allow.
static void read_interfaces(struct network_state *s)
{
    struct ifreq all[INTERFACES_MAX];
    struct ifconf list = {.ifc_len = sizeof all, .ifc_req = all};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (ioctl(fd, SIOCGIFCONF, &list) == 0) {
        for (size_t i = 0; i < (size_t)list.ifc_len / sizeof all[0]; i++)
            take_interface(fd, &all[i], s);
    }
    (void)close(fd);
}

void network_state_read(const struct network_files *files, struct network_state *out)
{
    struct reading r = {.state = out};
    *out = (struct network_state){0};
    each_line(files->routes, take_route, &r);
    each_line(files->routes6, take_route6, &r);
    each_line(files->resolvers, take_resolver, &r);
    read_interfaces(out);
}

const char *network_status_name(const struct network_state *s)
{
    if (s->external)
        return "connected";
    return s->interfaces ? "limited" : "disconnected";
}

const struct network_state *network_now(struct network_watch *w)
{
    int64_t now = loop_now_ms(w->loop);
    if (!w->known || now - w->read_ms >= NETWORK_AGE_MS) {
        network_state_read(&network_files_linux, &w->state);
        w->known = true;
        w->read_ms = now;
    }
    return &w->state;
}
