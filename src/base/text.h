// Text from others, shown to people: names that become file names are checked, everything else is
// displayed without control or bidirectional characters.
#ifndef QUORATE_BASE_TEXT_H
#define QUORATE_BASE_TEXT_H

#include "base/bytes.h"

// Refuses an alias or namespace that cannot safely be part of a file name: empty, over 200 bytes, not
// UTF-8, control or bidirectional characters, NUL, "..", a leading '.', and '/' unless allow_slash.
// what names the value in the error ("alias").
enum q_err text_check_name(const char *what, struct bytes name, bool allow_slash);
// Appends text for a terminal: control characters, bidirectional and zero-width formatting characters
// and invalid UTF-8 appear as \u{hex} (invalid bytes as \x.. hex).
enum q_err text_display(struct bytes text, struct buf *out);
// The same, with every character beyond ASCII as \u{hex}: to tell apart what looks alike.
enum q_err text_display_ascii(struct bytes text, struct buf *out);
// The same in place, for fixed buffers: a '?' for each byte of such a character, and for each invalid one.
void text_tidy(char *text);
// Appends text quoted as Rust's Debug prints a string: "a\"b\\c\n\u{7f}".
enum q_err text_debug(struct bytes text, struct buf *out);

// Decimal u32 as Rust's FromStr reads it: an optional '+', digits, leading zeros allowed.
enum q_err text_u32(struct bytes text, uint32_t *out);
enum q_err text_u64(struct bytes text, uint64_t *out);

#endif
