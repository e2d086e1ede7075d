// Where the public interface (quorate/app.h) meets our own rooms: statuses from errors, views from
// pointers of the caller. Internal to this room.
#ifndef QUORATE_APP_BOUNDARY_H
#define QUORATE_APP_BOUNDARY_H

#include "base/bytes.h"
#include "crypto/p256.h"
#include "quorate/app.h"

_Static_assert(APP_PUBLIC_KEY_SIZE == P256_PUBLIC_SIZE, "public keys have one size");
_Static_assert(APP_SIGNATURE_SIZE == P256_SIGNATURE_SIZE, "signatures have one size");
_Static_assert(APP_ENVELOPE_OVERHEAD == P256_ENVELOPE_OVERHEAD, "envelopes have one layout");

enum app_status status_of(enum q_err err);

// Q_BAD_INPUT for NULL.
enum q_err needs(const void *pointer, const char *what);
// A view of the caller's bytes; NULL only where size is 0, and then not "absent".
enum q_err view_of(const void *pointer, size_t size, const char *what, struct bytes *out);
// A parsed public key from APP_PUBLIC_KEY_SIZE bytes of the caller.
enum q_err public_of(const uint8_t *encoded, struct p256_public *out);
// Hands the text in b over to the caller (app_text_free), NUL-terminated; b is empty afterwards.
enum q_err give_text(struct buf *b, char **out);

#endif
