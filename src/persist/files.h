/* files.h - the files of a data directory: names, lock, secret. Private to persist. */
#ifndef FLASHKV_PERSIST_FILES_H
#define FLASHKV_PERSIST_FILES_H

#include "record.h"

enum { FILES_SECRET = 192, FILES_NAME = 48 };

struct files {
    int dir, lock; /* descriptors, or -1 */
    const char *path;
    unsigned char secret[FILES_SECRET];
    uint64_t secret_id; /* identifies the secret in every header without disclosing it */
};

enum files_use {
    FILES_LOOK,   /* read only; another process may hold the lock */
    FILES_CHANGE, /* acquires the lock */
    FILES_MAKE,   /* and creates the directory and the secret if they are missing */
};

/* Opens the directory. False: `why`. */
bool files_open(struct files *f, const char *path, enum files_use use, char *why, size_t cap);
void files_close(struct files *f);
/* If the directory itself was deleted, makes it again under its path, or takes the empty one that somebody put there, with lock
 * and secret. One that was only renamed stays ours. False: errno; EEXIST: other data are there. */
bool files_remake(const struct files *f);

/* "log-00000000000000000042.fkl" */
void files_name(char out[FILES_NAME], enum record_file file, uint64_t position);
/* Creates a file, mode 0600, that must not exist. -1: errno. */
int files_create(const struct files *f, const char *name);
/* Creates a file that begins with these bytes, syncs it, and renames it over any file of its name; the new name is durable
 * only after files_sync. Returns its descriptor; -1: errno, and the old file is unchanged. */
int files_replace(const struct files *f, const char *name, struct slice s);
/* Makes names durable: fsync of the directory. False: errno. */
bool files_sync(const struct files *f);
/* Makes the content of all files of a kind durable: fsync of each. False: errno. */
bool files_sync_all(const struct files *f, enum record_file file);
/* Writes all bytes at the offset; false: errno. */
bool files_write(int fd, struct slice s, uint64_t offset);

/* Lists the positions of all files of a kind, ascending; to be freed with mem_free. False: no memory, or the directory cannot
 * be read. */
struct positions {
    uint64_t *at;
    size_t count;
};
bool files_list(const struct files *f, enum record_file file, struct positions *out);
/* Removes the files of a kind that are below `position`. */
void files_remove_below(const struct files *f, enum record_file file, uint64_t position);

/* Records durably, in a file of its own, which segment of the log was begun last: otherwise it could be missing without a trace.
 * The record may be older than that (renewed segments are recorded once they count), but never names a segment that did not
 * exist. False: errno. */
bool files_note_newest(const struct files *f, uint64_t position);
bool files_forget_newest(const struct files *f);
/* False: there is no such record. */
bool files_newest(const struct files *f, uint64_t *position);

/* A file mapped for reading. */
struct mapped {
    char name[FILES_NAME];
    struct slice bytes;
};
bool files_map(const struct files *f, enum record_file file, uint64_t position, struct mapped *out);
void files_unmap(struct mapped *m);

#endif
