// Lines that people paste into a shell: our own commands with values from anywhere, quoted.
#ifndef QUORATE_CLIENT_COMMAND_LINE_H
#define QUORATE_CLIENT_COMMAND_LINE_H

#include "base/bytes.h"

// "qos_client <command>"; command is ours and is taken as it is.
enum q_err line_start(struct buf *line, const char *command);
// " word", in single quotes unless it is plain. Control characters, which no name of ours has, are
// refused: what is pasted must be what is seen.
enum q_err line_word(struct buf *line, const char *word);
// " --name value"; nothing when value is NULL.
enum q_err line_option(struct buf *line, const char *name, const char *value);

#endif
