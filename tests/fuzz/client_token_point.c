// Fuzz target: the public keys of tokens, as attributes and as certificates (client/token/token_point.h). The first
// byte says which reader takes the rest. What is accepted is an uncompressed point that was in the input.
#include "client/token/token_point.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_point(struct bytes in, const uint8_t point[static P256_POINT_SIZE])
{
    must(point[0] == 4);
    must(memmem(in.p, in.n, point, P256_POINT_SIZE) != NULL);
}

static void check_curve(struct bytes in)
{
    if (token_curve_check(in) == Q_OK)
        must(in.n == token_curve().n || in.n > 200);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t point[P256_POINT_SIZE];
    if (size == 0)
        return 0;
    struct bytes in = bytes_of(data + 1, size - 1);
    if (data[0] == 0 && token_point_parse(in, point) == Q_OK)
        check_point(in, point);
    if (data[0] == 1 && token_point_of_certificate(in, point) == Q_OK)
        check_point(in, point);
    if (data[0] == 2)
        check_curve(in);
    return 0;
}
