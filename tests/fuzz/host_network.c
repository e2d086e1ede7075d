// Whatever the tables of routes and resolvers hold: they are read without harm, and what is said of them fits
// together.
#include "host/network_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(int fd)
{
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const struct network_files files = {path, path, path};
    struct network_state s;
    network_state_read(&files, &s);
    if (memchr(s.interface, '\0', sizeof s.interface) == NULL ||
        s.resolvers_n > NETWORK_RESOLVERS_MAX)
        abort();
    if ((s.gateway || s.interface[0] != '\0') && !s.external)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("tables", MFD_CLOEXEC);
    if (fd < 0)
        return 0;
    if (write(fd, data, size) == (ssize_t)size)
        read_all(fd);
    (void)close(fd);
    return 0;
}
