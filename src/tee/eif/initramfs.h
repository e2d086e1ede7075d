// The first root file system of an enclave: a cpio archive in the kernel's "newc" form (Linux,
// Documentation/driver-api/early-userspace/buffer-format.rst), made from a list with the lines of the
// kernel's gen_init_cpio. The same list and files give the same bytes anywhere: entries in the order
// of the lines, inode numbers from 1, all times 0, padded to 512 bytes.
#ifndef QUORATE_TEE_EIF_INITRAMFS_H
#define QUORATE_TEE_EIF_INITRAMFS_H

#include "base/arena.h"

#define INITRAMFS_MAX_LIST ((size_t)1 << 20) // bytes of a list
#define INITRAMFS_MAX_ENTRIES 4096
#define INITRAMFS_MAX_NAME 1024

enum initramfs_kind { INITRAMFS_FILE, INITRAMFS_DIR, INITRAMFS_NODE, INITRAMFS_LINK };

struct initramfs_entry {
    enum initramfs_kind kind;
    const char *name;        // without a slash at the front
    const char *source;      // FILE: where its contents are; LINK: what it points to
    uint32_t mode, uid, gid; // mode: permissions alone
    bool block;              // NODE: a block device, else a character device
    uint32_t major, minor;   // NODE
    unsigned line;           // in the list, from 1
};

struct initramfs_list {
    struct initramfs_entry *entries;
    size_t n;
};

// Lines, words between blanks; '#' begins a line that says nothing:
//     dir NAME MODE UID GID
//     file NAME SOURCE MODE UID GID
//     nod NAME MODE UID GID c|b MAJOR MINOR
//     slink NAME TARGET MODE UID GID
// MODE is octal. Refuses a name twice, one with "." or "..", and one whose folder no earlier line makes,
// which the kernel would leave out in silence. what names the list in errors, before the line's number.
enum q_err initramfs_list_read(struct bytes text, const char *what, struct arena *a,
                               struct initramfs_list *out);

// Appends the archive. Sources that do not begin with '/' are looked for in folder, and must be regular
// files.
enum q_err initramfs_write(const struct initramfs_list *list, const char *folder, struct buf *out);

#endif
