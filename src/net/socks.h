// The server's half of a SOCKS5 handshake (RFC 1928): greeting, choice of method, request. Pure and
// incremental; says how many bytes may be read, so that what follows the request stays in the socket.
#ifndef QUORATE_NET_SOCKS_H
#define QUORATE_NET_SOCKS_H

#include "base/bytes.h"

#define SOCKS_MESSAGE_MAX 262 // a request with a name of 255 bytes: 4 + 1 + 255 + 2
#define SOCKS_CHOICE_SIZE 2
#define SOCKS_REPLY_SIZE 10

enum socks_reply {
    SOCKS_SUCCEEDED,
    SOCKS_FAILED,
    SOCKS_NOT_ALLOWED,
    SOCKS_NETWORK_UNREACHABLE,
    SOCKS_HOST_UNREACHABLE,
    SOCKS_REFUSED,
    SOCKS_TTL_EXPIRED,
    SOCKS_NO_SUCH_COMMAND,
    SOCKS_NO_SUCH_ADDRESS_TYPE,
};

enum socks_address { SOCKS_IPV4 = 1, SOCKS_NAME = 3, SOCKS_IPV6 = 4 };

struct socks_request {
    enum socks_address type;
    struct bytes
        address; // 4 octets, a name as sent (1 to 255 bytes), or 16 octets; in the struct socks
    uint16_t port;
};

enum socks_step {
    SOCKS_GREETING, // reading the client's greeting
    SOCKS_CHOOSE, // it offers no authentication: answer with socks_choice(true), then socks_chosen
    SOCKS_NO_METHOD,  // it does not: answer with socks_choice(false) and close
    SOCKS_ASKING,     // reading the request
    SOCKS_ASKED,      // CONNECT: request holds it; answer with socks_answer
    SOCKS_UNSERVED,   // another command or address type: answer with refusal and close
    SOCKS_NOT_SOCKS5, // close
};

struct socks {
    enum socks_step step;
    uint8_t in[SOCKS_MESSAGE_MAX];
    size_t n;
    struct socks_request request; // SOCKS_ASKED
    enum socks_reply refusal;     // SOCKS_UNSERVED
};

// Zero-initialise it. How many more bytes surely belong to the message being read: 1 or more in the two
// reading steps, else 0.
size_t socks_wants(const struct socks *s);
// Takes from the front of *in what belongs to the message; moves to another step once that is whole or
// cannot become right any more.
enum socks_step socks_take(struct socks *s, struct bytes *in);
void socks_chosen(struct socks *s); // from SOCKS_CHOOSE to SOCKS_ASKING

void socks_choice(bool accepted, uint8_t out[static SOCKS_CHOICE_SIZE]);
// With 0.0.0.0:0 as the bound address: nobody uses it after CONNECT.
void socks_answer(enum socks_reply reply, uint8_t out[static SOCKS_REPLY_SIZE]);

#endif
