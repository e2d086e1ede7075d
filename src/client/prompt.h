// Questions with the answers yes and no (qos-behaviour 1.7).
#ifndef QUORATE_CLIENT_PROMPT_H
#define QUORATE_CLIENT_PROMPT_H

#include "base/bytes.h"

#include <stdio.h>

// One for all questions of a command, so that answers may be piped all at once.
struct prompt {
    FILE *in, *out;
};

// Prints the question and reads a line: "yes Yes YES Y y" or "no No NO N n" after trimming.
// Anything else, the end of input too, costs one of three attempts. False for no, and when the
// attempts are used up.
bool prompt_yes(const struct prompt *p, const char *question);

#endif
