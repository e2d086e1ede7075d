// Files: read whole with a limit, written whole or not at all. A new file is made under a temporary
// name in the same folder, synced, then renamed or linked into place.
#ifndef QUORATE_BASE_FILE_H
#define QUORATE_BASE_FILE_H

#include "base/bytes.h"
#include "base/secret.h"

#include <sys/types.h>

// Reads a regular file, FIFO or descriptor path (/dev/fd/N) to its end; Q_LIMIT over limit bytes. A
// file that cannot be read gives an error with path and cause.
enum q_err file_read(const char *path, size_t limit, struct buf *out);
// Same, of a regular file or a link to one only, and without ever waiting for it: for files that a command
// finds by itself in a folder, where somebody else may have put a FIFO or a device.
enum q_err file_read_regular(const char *path, size_t limit, struct buf *out);
// Same, and never through a link: for files of ours in a folder that others may write to.
enum q_err file_read_no_link(const char *path, size_t limit, struct buf *out);
// Same into locked memory; at most limit bytes (<= 64 KiB), at least one.
enum q_err file_read_secret(const char *path, size_t limit, struct secret *out);
bool file_exists(const char *path);

enum file_rule {
    FILE_NEW,     // Q_EXISTS when path is there already (the check and the publication are one act)
    FILE_REPLACE, // replaces atomically
};

// Writes contents with mode from the first byte on: temporary name, write, fsync, publish, fsync of the
// folder. On any failure path is as it was and no temporary file is left.
enum q_err file_write(const char *path, struct bytes contents, mode_t mode, enum file_rule rule);

// The two halves of file_write, for callers that must prepare several files before publishing any.
enum file_placed {
    FILE_STAGED,
    FILE_PLACED,      // path was free before
    FILE_EXCHANGED,   // what path was has the temporary name now
    FILE_PLACED_OVER, // what path was is gone: the file system cannot exchange two names
};
struct staged_file {
    char *path, *temporary; // owned
    enum file_rule rule;
    enum file_placed placed;
};
#define FILE_OWNER_UNCHANGED ((uid_t)-1)
// owner: uid that gets the file, or FILE_OWNER_UNCHANGED.
enum q_err file_stage(const char *path, struct bytes contents, mode_t mode, uid_t owner,
                      enum file_rule rule, struct staged_file *out);
// Renames in this order and syncs the folders, and releases all. On failure every path is as it was (but for
// FILE_PLACED_OVER), and all are still to be published or discarded.
enum q_err file_publish_all(struct staged_file *const *files, size_t n);
enum q_err file_publish(struct staged_file *s); // of one
void file_discard(struct staged_file *s);       // removes the temporary file; safe when zeroed
enum q_err file_make_parents(const char *path, mode_t mode);
// Writes zeros over all of an open file, as far as it can be written; does not sync it.
void file_blank(int fd);
enum q_err file_remove(const char *path); // no error when it is not there; contents are not wiped

// Regular entries of a folder, sorted by name, without "." and "..". Names are arena memory.
struct arena;
struct file_list {
    const char **names;
    size_t n;
};
enum q_err file_list(const char *folder, struct arena *a, struct file_list *out);
// The paths of temporary files that killed runs left where path was to be written.
enum q_err file_leftovers(const char *path, struct arena *a, struct file_list *out);
// "folder/name" in arena memory.
enum q_err file_join(struct arena *a, const char *folder, const char *name, const char **out);

#endif
