// openapi.yaml of this folder, compiled in (see make-openapi).
#ifndef QUORATE_HOST_OPENAPI_H
#define QUORATE_HOST_OPENAPI_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t openapi_yaml[];
extern const size_t openapi_yaml_size;

#endif
