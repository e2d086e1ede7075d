// A manifest envelope as applications hold it, with the texts they ask for. Internal to this room.
#ifndef QUORATE_APP_MANIFEST_H
#define QUORATE_APP_MANIFEST_H

#include "app/boundary.h"
#include "protocol/manifest.h"

struct app_manifest {
    struct arena arena; // of everything below
    struct manifest_envelope envelope;
    uint8_t hash[SHA256_SIZE];
    const char *namespace_name, *members_json, *json;
    const char **args; // envelope.manifest.pivot.args.n of them
    const char **env;  // names and values in turn, two for each variable
};

_Static_assert(APP_HASH_SIZE == SHA256_SIZE, "hashes have one size");

#endif
