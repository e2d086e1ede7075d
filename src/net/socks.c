// SOCKS5, server side (see socks.h).
//   greeting  05 | n | n methods               choice  05 | method
//   request   05 | command | 00 | type | address | port (2, big-endian); a name begins with its length
//   answer    05 | reply | 00 | 01 | 00 00 00 00 | 00 00
#include "net/socks.h"

#include <string.h>

#define VERSION 5
#define NO_AUTHENTICATION 0
#define NO_ACCEPTABLE_METHOD 0xff
#define CONNECT 1
#define GREETING_HEAD 2
#define REQUEST_HEAD 5 // with the first byte of the address, which is a name's length

// The size of the message as far as the bytes so far tell.
static size_t expected(const struct socks *s)
{
    if (s->step == SOCKS_GREETING)
        return s->n < GREETING_HEAD ? GREETING_HEAD : GREETING_HEAD + (size_t)s->in[1];
    if (s->n < REQUEST_HEAD)
        return REQUEST_HEAD;
    switch (s->in[3]) {
    case SOCKS_IPV4:
        return 4 + 4 + 2;
    case SOCKS_IPV6:
        return 4 + 16 + 2;
    default:
        return REQUEST_HEAD + (size_t)s->in[4] + 2;
    }
}

static bool reading(const struct socks *s)
{
    return s->step == SOCKS_GREETING || s->step == SOCKS_ASKING;
}

size_t socks_wants(const struct socks *s)
{
    return reading(s) ? expected(s) - s->n : 0;
}

static enum socks_step greeted(const struct socks *s)
{
    bool offered = memchr(s->in + GREETING_HEAD, NO_AUTHENTICATION, s->in[1]) != NULL;
    return offered ? SOCKS_CHOOSE : SOCKS_NO_METHOD;
}

static bool known_address(uint8_t type)
{
    return type == SOCKS_IPV4 || type == SOCKS_NAME || type == SOCKS_IPV6;
}

static enum socks_step unserved(struct socks *s, enum socks_reply why)
{
    s->refusal = why;
    return SOCKS_UNSERVED;
}

// What the head of a request rules out, before its address is there.
static enum socks_step asking(struct socks *s)
{
    if (s->in[1] != CONNECT)
        return unserved(s, SOCKS_NO_SUCH_COMMAND);
    if (s->in[2] != 0)
        return SOCKS_NOT_SOCKS5;
    if (!known_address(s->in[3]))
        return unserved(s, SOCKS_NO_SUCH_ADDRESS_TYPE);
    if (s->in[3] == SOCKS_NAME && s->in[4] == 0)
        return unserved(s, SOCKS_FAILED);
    return SOCKS_ASKING;
}

static enum socks_step asked(struct socks *s)
{
    size_t head = s->in[3] == SOCKS_NAME ? REQUEST_HEAD : REQUEST_HEAD - 1;
    const uint8_t *port = s->in + s->n - 2;
    s->request = (struct socks_request){
        .type = (enum socks_address)s->in[3],
        .address = bytes_of(s->in + head, s->n - head - 2),
        .port = (uint16_t)(port[0] << 8 | port[1]),
    };
    return SOCKS_ASKED;
}

static enum socks_step next(struct socks *s)
{
    if (s->in[0] != VERSION)
        return SOCKS_NOT_SOCKS5;
    if (s->step == SOCKS_ASKING && s->n >= REQUEST_HEAD && asking(s) != SOCKS_ASKING)
        return asking(s);
    if (s->n < expected(s))
        return s->step;
    return s->step == SOCKS_GREETING ? greeted(s) : asked(s);
}

enum socks_step socks_take(struct socks *s, struct bytes *in)
{
    while (in->n > 0 && reading(s)) {
        size_t wanted = socks_wants(s);
        size_t n = wanted < in->n ? wanted : in->n;
        memcpy(s->in + s->n, in->p, n);
        s->n += n;
        *in = bytes_of(in->p + n, in->n - n);
        s->step = next(s);
    }
    return s->step;
}

void socks_chosen(struct socks *s)
{
    s->step = SOCKS_ASKING;
    s->n = 0;
}

void socks_choice(bool accepted, uint8_t out[static SOCKS_CHOICE_SIZE])
{
    out[0] = VERSION;
    out[1] = accepted ? NO_AUTHENTICATION : NO_ACCEPTABLE_METHOD;
}

void socks_answer(enum socks_reply reply, uint8_t out[static SOCKS_REPLY_SIZE])
{
    memset(out, 0, SOCKS_REPLY_SIZE);
    out[0] = VERSION;
    out[1] = (uint8_t)reply;
    out[3] = SOCKS_IPV4;
}
