/* load.h - what is in a data directory, and bringing it back. Private to persist. */
#ifndef FLASHKV_PERSIST_LOAD_H
#define FLASHKV_PERSIST_LOAD_H

#include <flashkv/persist.h>

#include "files.h"
#include "record.h"

/* ---- looking (scan.c) ------------------------------------------------------------------------------------------- */

enum scan_outcome {
    SCAN_WHOLE,   /* all is well */
    SCAN_TORN,    /* the last frame was not written whole: to be cut off, nothing that was promised is lost */
    SCAN_DAMAGED, /* something is wrong, and more follows it */
    SCAN_REFUSED, /* a newer version, another directory's file, no memory: not to be repaired */
};

struct segment {
    uint64_t position, end; /* of its whole frames */
    enum record_framing framing;
    uint64_t salt; /* of its frames' places */
    struct mapped file;
};

struct scan {
    bool has_snapshot;
    uint64_t snapshot_position; /* the log goes on from here; 0 without a snapshot */
    uint64_t entries;           /* of the snapshot */
    uint64_t seen; /* the highest position up to which a block of the snapshot has seen the log */
    struct mapped snapshot;
    struct segment *segments; /* that count, in order */
    size_t segment_count;
    uint64_t end;    /* where the log ends */
    uint64_t ignore; /* segments from this position on do not count; UINT64_MAX: all do */
    uint64_t frames;
    uint64_t bad_offset; /* in the file of the last segment: what is whole ends here */
};

/* Checks every byte. `why` says what is wrong unless the outcome is SCAN_WHOLE. To be freed in any case. */
enum scan_outcome scan_directory(const struct files *f, struct scan *s, char *why, size_t cap);
void scan_free(struct scan *s);
/* Cuts the last segment off at bad_offset, and removes what does not count. False: errno. */
bool scan_cut(const struct files *f, struct scan *s);

/* ---- one key (restore.c) ---------------------------------------------------------------------------------------------- */

/* Makes the key what the entry says, whose items are what is read next. False: no memory, or it makes no sense. */
bool load_entry(struct txn *t, const struct record_entry *e, struct record_reader *r);

/* Collections whose items come one block after the other, and which count with the next block of entries. */
struct larges {
    struct building *last;
};
/* False: no memory, or it makes no sense. */
bool larges_begin(struct larges *all, const struct store *s, struct record_reader *r);
bool larges_add(struct larges *all, struct record_reader *r);
bool larges_commit(struct larges *all, struct txn *t);
/* They do not count. */
void larges_drop(struct larges *all);

/* ---- bringing back (load.c) ---------------------------------------------------------------------------------------- */

/* Fills the store from what scan_directory found, with so many threads. False: `why`. */
bool load_scanned(const struct scan *s, struct store *store, unsigned threads, persist_run *run, void *ctx,
                  char *why, size_t cap);

#endif
