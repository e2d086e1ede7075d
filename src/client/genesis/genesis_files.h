// The files of a genesis in its namespace folder, and what is said about a disaster-recovery key
// (qos-wire 6.2, design "Client").
#ifndef QUORATE_CLIENT_GENESIS_FILES_H
#define QUORATE_CLIENT_GENESIS_FILES_H

#include "client/output.h"
#include "protocol/types.h"

struct genesis_paths {
    const char *output, *document, *artifacts, *quorum_key, *wrapped_key;
};
enum q_err genesis_paths_in(const char *folder, struct arena *a, struct genesis_paths *out);

// Refuses what is there already (with_dr_key: dr_wrapped_quorum_key too), and a folder that cannot
// be written: before a key is made that could not be kept.
enum q_err genesis_files_check(const struct genesis_paths *p, bool with_dr_key, bool force);
// Writes all of them or none.
enum q_err genesis_files_write(const struct genesis_paths *p, const struct genesis_output *g,
                               struct bytes document, bool force);
// genesis_output of a folder; of a file that the user named, which may be a FIFO.
enum q_err genesis_files_read(const struct genesis_paths *p, struct arena *a,
                              struct genesis_output *out);
enum q_err genesis_output_file_read(const char *path, struct arena *a, struct genesis_output *out);

// Whoever holds the disaster-recovery key holds the whole quorum key alone: said on stderr, loudly.
// Nothing when dr_key is absent.
enum q_err dr_key_announce(struct bytes dr_key);

#endif
