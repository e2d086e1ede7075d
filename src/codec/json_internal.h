// What the files of the JSON codec share.
#ifndef QUORATE_CODEC_JSON_INTERNAL_H
#define QUORATE_CODEC_JSON_INTERNAL_H

#include "codec/describe_internal.h"
#include "codec/json.h"

// Writes straight into out from the descriptions; there is no tree in between.
struct json_writer {
    struct buf *out;
    enum json_style style;
    unsigned depth;
};

// A string with its quotes and escapes (qos-wire 3); refuses what is not UTF-8.
enum q_err json_quote(struct bytes text, struct buf *out);

#endif
