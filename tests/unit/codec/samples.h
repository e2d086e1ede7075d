// Small types with one of every shape, for the tests of the codecs.
#ifndef QUORATE_TESTS_CODEC_SAMPLES_H
#define QUORATE_TESTS_CODEC_SAMPLES_H

#include "codec/describe.h"

struct scalars {
    bool flag;
    uint16_t small;
    uint32_t medium;
    uint64_t large;
    struct bytes text, blob;
    uint8_t fixed[4];
};

struct inner { // keys "zeta" and "alpha", so that sorting shows
    uint32_t number;
    struct bytes name;
};

struct pair { // a tuple
    uint32_t left;
    struct bytes right;
};

struct color {
    uint32_t tag; // 0 DarkRed, 7 Blue
};

struct sum {
    uint32_t tag; // 0 nothing, 1 inner, 2 text, 3 pair, 4 hidden (inner, no JSON form)
    union {
        struct inner inner;
        struct bytes text;
        struct pair pair;
    };
};

struct near {
    uint16_t port;
    struct bytes host;
};
struct link {     // internally tagged "type"
    uint32_t tag; // 0 near, 1 far (host optional), 2 none
    union {
        struct near near;
        struct near far;
    };
};

struct options_of_all {
    struct bytes text, blob;
    struct inner *inner;
    uint32_t *number;
    struct sum *sum;
    uint32_t *custom;
};

typedef LIST_OF(uint16_t) shorts;
struct lists {
    LIST_OF(struct inner) inners;
    LIST_OF(shorts) nested;
    LIST_OF(struct bytes) texts; // "texts", FIELD_DEFAULT
    LIST_OF(struct color) colors;
    LIST_OF(uint32_t) customs; // "customs", FIELD_DEFAULT, behind hooks
};

struct node { // nests without end
    struct node *next;
};

struct empty_unit {
    uint8_t unused;
};

extern const struct type type_scalars, type_inner, type_inner_closed, type_pair, type_color,
    type_sum, type_link, type_options, type_lists, type_node, type_custom, type_borsh_only,
    type_json_only, type_limited_text, type_limited_list, type_empty_units;

#endif
