// Writes the cpio archive of an initramfs (see initramfs.h).
#include "tee/eif/initramfs.h"

#include "base/file.h"

#include <string.h>
#include <sys/stat.h>

#define ARCHIVE_ALIGN 512
#define FILE_MAX ((size_t)512 << 20)

static enum q_err pad(struct buf *out, size_t start, size_t align)
{
    while ((out->n - start) % align != 0)
        TRY(buf_u8(out, 0));
    return Q_OK;
}

static uint32_t file_type(const struct initramfs_entry *e)
{
    switch (e->kind) {
    case INITRAMFS_FILE:
        return S_IFREG;
    case INITRAMFS_DIR:
        return S_IFDIR;
    case INITRAMFS_LINK:
        return S_IFLNK;
    case INITRAMFS_NODE:
        return e->block ? S_IFBLK : S_IFCHR;
    }
    return 0;
}

// One member: inode, mode, uid, gid, links, time, size, the device it lies on (0, 0), the device it is,
// size of the name with its NUL, no checksum; name; contents. All padded to 4.
static enum q_err put_member(const struct initramfs_entry *e, uint32_t inode, uint32_t mode,
                             struct bytes contents, size_t start, struct buf *out)
{
    size_t name = strlen(e->name) + 1;
    unsigned links = e->kind == INITRAMFS_DIR ? 2 : 1;
    TRY(buf_printf(out, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X",
                   (unsigned)inode, (unsigned)mode, (unsigned)e->uid, (unsigned)e->gid, links, 0U,
                   contents.n, 0U, 0U, (unsigned)e->major, (unsigned)e->minor, name, 0U));
    TRY(buf_append(out, bytes_of(e->name, name)));
    TRY(pad(out, start, 4));
    TRY(buf_append(out, contents));
    return pad(out, start, 4);
}

static enum q_err read_contents(const struct initramfs_entry *e, const char *folder,
                                struct buf *out)
{
    ARENA_AUTO a = {0};
    const char *path = e->source;
    if (path[0] != '/')
        TRY(file_join(&a, folder, e->source, &path));
    return err_context(file_read_regular(path, FILE_MAX, out), "line %u", e->line);
}

static enum q_err put_entry(const struct initramfs_entry *e, uint32_t inode, const char *folder,
                            size_t start, struct buf *out)
{
    BUF_AUTO contents = {.limit = FILE_MAX + 1};
    if (e->kind == INITRAMFS_FILE)
        TRY(read_contents(e, folder, &contents));
    if (e->kind == INITRAMFS_LINK)
        TRY(buf_append_str(&contents, e->source));
    return put_member(e, inode, file_type(e) | e->mode, buf_bytes(&contents), start, out);
}

enum q_err initramfs_write(const struct initramfs_list *list, const char *folder, struct buf *out)
{
    static const struct initramfs_entry trailer = {.kind = INITRAMFS_FILE, .name = "TRAILER!!!"};
    size_t start = out->n;
    for (size_t i = 0; i < list->n; i++)
        TRY(put_entry(&list->entries[i], (uint32_t)i + 1, folder, start, out));
    TRY(put_member(&trailer, 0, 0, BYTES_NONE, start, out));
    return pad(out, start, ARCHIVE_ALIGN);
}
