// What store-data keeps (renclave 1.3, 9 findings 34 and 38): records of an owner, a key and a value in locked memory,
// and, where there is a folder for them, in files sealed to the quorum key and signed by it, one a record. The host holds those
// files: it cannot read, change or make one, but it can remove them and bring older ones back.
#ifndef QUORATE_ENCLAVE_STORED_DATA_H
#define QUORATE_ENCLAVE_STORED_DATA_H

#include "custody/keyring.h"

#define STORED_RECORDS_MAX 512
#define STORED_KEY_MAX 256                  // bytes of UTF-8
#define STORED_VALUE_MAX ((size_t)64 << 10) // bytes
#define STORED_TOTAL_MAX ((size_t)1 << 20)  // of all records, with what names them
#define STORED_OWNER_SIZE 32

// Two owners' records of the same key are two records.
struct stored_name {
    uint8_t owner[STORED_OWNER_SIZE];
    struct bytes key;
};

struct stored_data;
// folder: where files go (it is there, and private; the text must stay valid), or NULL.
enum q_err stored_data_new(const char *folder, struct stored_data **out);
void stored_data_free(struct stored_data **d); // memory only; safe on NULL
// Once the quorum key is there: reads the files, the first time it succeeds. One that cannot be opened is named in the
// log, left where it is, and counted.
enum q_err stored_data_load(struct stored_data *d, const struct keyring *k);
size_t stored_data_count(const struct stored_data *d);

// A record that is to be added, or to take the place of the one of its name: checked against the limits (Q_LIMIT
// for the record itself, Q_REFUSED when there is no room), nothing changed yet.
struct stored_change {
    struct secret record;
    size_t at; // of the record it replaces; the count: none
};
#define STORED_CHANGE_AUTO __attribute__((cleanup(stored_change_free))) struct stored_change
void stored_change_free(struct stored_change *c);
enum q_err stored_data_stage(const struct stored_data *d, const struct stored_name *name,
                             struct bytes value, struct stored_change *out);
// Writes its file, then adopts it. On failure all is as it was.
enum q_err stored_data_commit(struct stored_data *d, const struct keyring *k,
                              struct stored_change *change);
// A view into locked memory; BYTES_NONE when there is none. Q_IO when there are files that could not be opened: one of
// them may hold it.
enum q_err stored_data_get(const struct stored_data *d, const struct stored_name *name,
                           struct bytes *value);
// All of it, the files too, also those that could not be opened.
enum q_err stored_data_erase(struct stored_data *d);

#endif
