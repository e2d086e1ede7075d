// libpcsclite for tests: the few functions libykpiv and ykcs11 call, passed on to an emulated YubiKey at the other
// end of the unix socket FAKE_CARD (tests/e2e/piv_card.py). A request is a letter, its length and its bytes; the
// answer is a length and bytes.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
#define NO_SERVICE ((long)0x8010001d)
#define NO_READERS ((long)0x8010002e)
#define TOO_SMALL ((long)0x80100008)
#define COMM_ERROR ((long)0x80100013)
#define MESSAGE_MAX 65536

struct pci {
    unsigned long protocol, length;
};
extern const struct pci g_rgSCardT1Pci;
EXPORTED const struct pci g_rgSCardT1Pci = {2, sizeof(struct pci)};

static int card = -1;
static uint8_t answer[MESSAGE_MAX];

static bool move(bool out, void *data, size_t n)
{
    uint8_t *at = data;
    while (n > 0) {
        ssize_t moved = out ? write(card, at, n) : read(card, at, n);
        if (moved <= 0)
            return false;
        at += moved;
        n -= (size_t)moved;
    }
    return true;
}

static bool ask(uint8_t what, const void *data, size_t n, uint32_t *answered)
{
    uint8_t head[5] = {what};
    uint32_t length = (uint32_t)n;
    static uint8_t copy[MESSAGE_MAX];
    memcpy(head + 1, &length, sizeof length);
    if (n > 0)
        memcpy(copy, data, n);
    return move(true, head, sizeof head) && move(true, copy, n) &&
           move(false, answered, sizeof *answered) && *answered <= MESSAGE_MAX &&
           move(false, answer, *answered);
}

EXPORTED long SCardEstablishContext(unsigned long scope, const void *a, const void *b,
                                    long *context);
EXPORTED long SCardReleaseContext(long context);
EXPORTED long SCardIsValidContext(long context);
EXPORTED long SCardListReaders(long context, const char *groups, char *readers, unsigned long *n);
EXPORTED long SCardConnect(long context, const char *reader, unsigned long share,
                           unsigned long preferred, long *handle, unsigned long *protocol);
EXPORTED long SCardReconnect(long handle, unsigned long share, unsigned long preferred,
                             unsigned long init, unsigned long *protocol);
EXPORTED long SCardDisconnect(long handle, unsigned long how);
EXPORTED long SCardBeginTransaction(long handle);
EXPORTED long SCardEndTransaction(long handle, unsigned long how);
EXPORTED long SCardStatus(long handle, char *reader, unsigned long *reader_n, unsigned long *state,
                          unsigned long *protocol, uint8_t *atr, unsigned long *atr_n);
EXPORTED long SCardTransmit(long handle, const struct pci *send, const uint8_t *in,
                            unsigned long in_n, struct pci *receive, uint8_t *out,
                            unsigned long *out_n);

long SCardEstablishContext(unsigned long scope, const void *a, const void *b, long *context)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("FAKE_CARD");
    (void)scope, (void)a, (void)b;
    *context = 1;
    if (card >= 0)
        return 0;
    if (path == NULL || strlen(path) >= sizeof address.sun_path)
        return NO_SERVICE;
    memcpy(address.sun_path, path, strlen(path));
    card = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(card, (const struct sockaddr *)&address, sizeof address) == 0)
        return 0;
    (void)close(card);
    card = -1;
    return NO_SERVICE;
}

long SCardReleaseContext(long context)
{
    (void)context;
    if (card >= 0)
        (void)close(card);
    card = -1;
    return 0;
}

long SCardIsValidContext(long context)
{
    (void)context;
    return card >= 0 ? 0 : NO_SERVICE;
}

long SCardListReaders(long context, const char *groups, char *readers, unsigned long *n)
{
    uint32_t got = 0;
    (void)context, (void)groups;
    if (card < 0 || !ask('L', NULL, 0, &got))
        return NO_SERVICE;
    if (got == 0)
        return NO_READERS;
    if (readers != NULL && *n < got)
        return TOO_SMALL;
    if (readers != NULL)
        memcpy(readers, answer, got);
    *n = got;
    return 0;
}

long SCardConnect(long context, const char *reader, unsigned long share, unsigned long preferred,
                  long *handle, unsigned long *protocol)
{
    uint32_t got = 0;
    (void)context, (void)share, (void)preferred;
    *handle = 1;
    *protocol = 2;
    return ask('C', reader, strlen(reader), &got) ? 0 : COMM_ERROR;
}

long SCardReconnect(long handle, unsigned long share, unsigned long preferred, unsigned long init,
                    unsigned long *protocol)
{
    (void)handle, (void)share, (void)preferred, (void)init;
    *protocol = 2;
    return 0;
}

long SCardDisconnect(long handle, unsigned long how)
{
    (void)handle, (void)how;
    return 0;
}

long SCardBeginTransaction(long handle)
{
    (void)handle;
    return 0;
}

long SCardEndTransaction(long handle, unsigned long how)
{
    (void)handle, (void)how;
    return 0;
}

long SCardStatus(long handle, char *reader, unsigned long *reader_n, unsigned long *state,
                 unsigned long *protocol, uint8_t *atr, unsigned long *atr_n)
{
    static const char yubikey5[] =
        "\x3b\xfd\x13\x00\x00\x81\x31\xfe\x15\x80\x73\xc0\x21\xc0\x57\x59\x75"
        "\x62\x69\x4b\x65\x79\x40";
    (void)handle;
    if (reader != NULL && reader_n != NULL && *reader_n > 0)
        reader[0] = '\0';
    if (reader_n != NULL)
        *reader_n = 1;
    if (state != NULL)
        *state = 0x34; // present, powered, specific
    if (protocol != NULL)
        *protocol = 2;
    if (atr != NULL && atr_n != NULL && *atr_n >= sizeof yubikey5 - 1)
        memcpy(atr, yubikey5, sizeof yubikey5 - 1);
    if (atr_n != NULL)
        *atr_n = sizeof yubikey5 - 1;
    return 0;
}

long SCardTransmit(long handle, const struct pci *send, const uint8_t *in, unsigned long in_n,
                   struct pci *receive, uint8_t *out, unsigned long *out_n)
{
    uint32_t got = 0;
    (void)handle, (void)send, (void)receive;
    if (in_n > MESSAGE_MAX || !ask('T', in, in_n, &got))
        return COMM_ERROR;
    if (*out_n < got)
        return TOO_SMALL;
    memcpy(out, answer, got);
    *out_n = got;
    return 0;
}
