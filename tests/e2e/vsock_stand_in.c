// Loaded before a program's own libraries: vsock sockets become unix sockets in the folder VSOCK_FOLDER, for
// machines whose kernel has no vsock transport. What the program asked of vsock, and the longest write to one,
// goes to the file "log" there.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DESCRIPTORS 65536
static bool is_vsock[DESCRIPTORS];
static size_t longest;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void say(const char *what, const struct sockaddr_vm *a, unsigned long number)
{
    char path[128], line[128];
    snprintf(path, sizeof path, "%s/log", getenv("VSOCK_FOLDER"));
    int n = a == NULL ? snprintf(line, sizeof line, "%s %lu\n", what, number)
                      : snprintf(line, sizeof line, "%s cid %u port %u flags %u\n", what,
                                 a->svm_cid, a->svm_port, a->svm_flags);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (write(fd, line, (size_t)n) != n)
        abort();
    REAL(close)(fd);
}

static bool ours(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS && is_vsock[fd];
}

static struct sockaddr_un instead(const char *what, const struct sockaddr *a)
{
    struct sockaddr_vm vm;
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    memcpy(&vm, a, sizeof vm);
    say(what, &vm, 0);
    snprintf(un.sun_path, sizeof un.sun_path, "%s/%u", getenv("VSOCK_FOLDER"), vm.svm_port);
    return un;
}

int socket(int domain, int type, int protocol)
{
    int fd = REAL(socket)(domain == AF_VSOCK ? AF_UNIX : domain, type, protocol);
    if (fd >= 0 && fd < DESCRIPTORS)
        is_vsock[fd] = domain == AF_VSOCK;
    return fd;
}

int bind(int fd, const struct sockaddr *a, socklen_t n)
{
    if (!ours(fd))
        return REAL(bind)(fd, a, n);
    struct sockaddr_un un = instead("bind", a);
    return REAL(bind)(fd, (struct sockaddr *)&un, sizeof un);
}

int connect(int fd, const struct sockaddr *a, socklen_t n)
{
    if (!ours(fd))
        return REAL(connect)(fd, a, n);
    struct sockaddr_un un = instead("connect", a);
    return REAL(connect)(fd, (struct sockaddr *)&un, sizeof un);
}

int accept4(int fd, struct sockaddr *a, socklen_t *n, int flags)
{
    int made = REAL(accept4)(fd, a, n, flags);
    if (made >= 0 && made < DESCRIPTORS)
        is_vsock[made] = ours(fd);
    return made;
}

// Who connects is who VSOCK_PEER says, else the kernel's own loopback.
int getpeername(int fd, struct sockaddr *a, socklen_t *n)
{
    const char *peer = getenv("VSOCK_PEER");
    if (!ours(fd))
        return REAL(getpeername)(fd, a, n);
    struct sockaddr_vm vm = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL};
    if (peer != NULL)
        vm.svm_cid = (unsigned)strtoul(peer, NULL, 10);
    memcpy(a, &vm, *n < sizeof vm ? *n : sizeof vm);
    *n = sizeof vm;
    return 0;
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
    int result = REAL(getsockopt)(fd, level, name, value, n);
    if (result == 0 && ours(fd) && level == SOL_SOCKET && name == SO_DOMAIN)
        memcpy(value, &(int){AF_VSOCK}, sizeof(int));
    return result;
}

static void note(int fd, size_t n)
{
    if (!ours(fd) || n <= longest)
        return;
    longest = n;
    say("write", NULL, n);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
    note(fd, n);
    return REAL(send)(fd, p, n, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    size_t n = 0;
    for (size_t i = 0; i < m->msg_iovlen; i++)
        n += m->msg_iov[i].iov_len;
    note(fd, n);
    return REAL(sendmsg)(fd, m, flags);
}

int close(int fd)
{
    if (ours(fd))
        is_vsock[fd] = false;
    return REAL(close)(fd);
}
