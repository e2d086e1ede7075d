// Fuzzes the reader of initramfs lists: what it accepts keeps its rules, and becomes an archive when it
// names no files.
#include "tee/eif/initramfs.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool names_files(const struct initramfs_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct initramfs_entry *e = &list->entries[i];
        if (e->name[0] == '\0' || e->name[0] == '/' || strlen(e->name) > INITRAMFS_MAX_NAME)
            abort();
        if (e->kind == INITRAMFS_FILE)
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_AUTO a = {0};
    BUF_AUTO out = {0};
    struct initramfs_list list;
    if (initramfs_list_read(bytes_of(data, size), "list", &a, &list) != Q_OK || names_files(&list))
        return 0;
    if (initramfs_write(&list, "/", &out) != Q_OK || out.n % 512 != 0)
        abort();
    return 0;
}
