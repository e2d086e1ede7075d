// Fuzz target: derivation paths, and curves by name. A path that is read has one spelling, which is read as the same
// path.
#include "app/wallet/curve.h"
#include "app/wallet/hd_path.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_path(struct bytes in)
{
    struct hd_path path, again;
    char text[HD_PATH_TEXT_SIZE], second[HD_PATH_TEXT_SIZE];
    if (hd_path_parse(in, &path) != Q_OK)
        return;
    must(path.n <= HD_PATH_LEVELS_MAX);
    hd_path_text(&path, text);
    must(strlen(text) == in.n); // ' and h are as long
    must(hd_path_parse(bytes_str(text), &again) == Q_OK && again.n == path.n);
    must(memcmp(again.level, path.level, sizeof path.level) == 0);
    hd_path_text(&again, second);
    must(strcmp(text, second) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    enum wallet_curve curve;
    check_path(in);
    if (curve_parse(in, &curve) == Q_OK)
        must(curve_name(curve) != NULL && in.n >= 4 && in.n <= 15);
    return 0;
}
