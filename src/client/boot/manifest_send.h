// Sending a message that carries a manifest envelope, in the encodings of the manifest's version (qos-wire 4.3).
#ifndef QUORATE_CLIENT_MANIFEST_SEND_H
#define QUORATE_CLIENT_MANIFEST_SEND_H

#include "client/host_link.h"

// Version 2: JSON; versions 0 and 1: Borsh, then JSON unless the enclave has understood and refused. The answer
// is of this kind; the errors of all that was tried are joined with "; ".
enum q_err manifest_send(const struct host_link *host, const struct message *request,
                         enum manifest_version version, enum message_kind answer, struct arena *a,
                         struct message *reply);

#endif
