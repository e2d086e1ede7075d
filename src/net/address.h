// Addresses of stream sockets: unix path, vsock (cid, port), TCP (IPv4 literal, port). qos-wire 5.1.
#ifndef QUORATE_NET_ADDRESS_H
#define QUORATE_NET_ADDRESS_H

#include "base/bytes.h"
#include "base/options.h"

#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

union any_address {
    struct sockaddr sa;
    struct sockaddr_un un;
    struct sockaddr_vm vm;
    struct sockaddr_in in;
};

enum address_kind { ADDRESS_UNIX, ADDRESS_VSOCK, ADDRESS_TCP };

struct address {
    enum address_kind kind;
    const char *path; // unix; owned by the caller
    uint32_t cid;     // vsock
    uint32_t port;    // vsock, TCP
    uint32_t ip;      // TCP, IPv4, host order
    bool to_host;     // vsock: VMADDR_FLAG_TO_HOST on connect
};

// From --cid and --port, or --usock: exactly one of the two ("Invalid socket opts").
enum q_err address_from_options(const struct options *o, struct address *out);
enum q_err address_display(const struct address *a, struct buf *out);
// Where an enclave at this address takes connections for its application's port (qos-wire 5.4): the same
// cid and that port, or "<path>.<port>.appsock", written to path. Refuses what would be too long for a socket.
#define ADDRESS_PATH_SIZE 108
enum q_err address_of_bridge(const struct address *enclave, uint16_t port,
                             char path[static ADDRESS_PATH_SIZE], struct address *out);
// For the kernel; connecting: a vsock address gets its flag. Refuses a path that is empty or too long.
enum q_err address_to_sockaddr(const struct address *a, bool connecting, union any_address *out,
                               socklen_t *size);
// Where the host of an enclave at this address takes what the application sends out: "<path>.egress.appsock",
// or that cid and port of vsock.
enum q_err address_of_egress(const struct address *enclave, uint32_t cid, uint32_t port,
                             char path[static ADDRESS_PATH_SIZE], struct address *out);
#define EGRESS_VSOCK_PORT 1000
// Non-blocking, close-on-exec. A unix socket path that nobody listens on is replaced; one that answers
// is an error, and so is a path that is not a socket.
enum q_err address_listen(const struct address *a, int backlog, int *fd);
// The file a listener on a unix socket made. Only that file is removed: another run may have replaced it.
struct socket_file {
    const char *path; // NULL: none; as in the address
    uint64_t device, inode;
};
struct socket_file socket_file_of(const struct address *listening);
void socket_file_remove(const struct socket_file *f);
// Starts to connect; *fd becomes writable when done, and address_connected says how it went. Q_LIMIT: a
// unix listener's backlog is full, try again later.
enum q_err address_connect(const struct address *a, int *fd);
enum q_err address_connected(const struct address *a, int fd);
// The port a listening TCP or vsock socket got.
enum q_err address_local_port(int fd, uint32_t *port);
enum q_err address_ipv4(const char *text, uint32_t *ip); // host order

#endif
