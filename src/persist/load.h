/* load.h - scanning a data directory, and loading it. Private to persist. */
#ifndef FLASHKV_PERSIST_LOAD_H
#define FLASHKV_PERSIST_LOAD_H

#include <flashkv/persist.h>

#include "files.h"
#include "record.h"

/* ---- scanning (scan.c) ------------------------------------------------------------------------------------------ */

enum scan_outcome {
    SCAN_WHOLE, /* no errors */
    SCAN_TORN, /* the last frame is incomplete: truncate it, nothing that was acknowledged as durable is lost */
    SCAN_DAMAGED, /* a record is damaged, and valid ones follow it */
    SCAN_REFUSED, /* a newer version, another directory's file, no memory: cannot be repaired */
};

struct segment {
    uint64_t position, end; /* of its whole frames */
    enum record_framing framing;
    uint64_t salt; /* for the places of its frames (record.h) */
    struct mapped file;
};

struct scan {
    bool has_snapshot;
    uint64_t snapshot_position; /* where the log continues; 0: no snapshot */
    uint64_t entries;           /* of the snapshot */
    uint64_t seen; /* the highest position up to which a block of the snapshot contains the log's effects */
    struct mapped snapshot;
    struct segment *segments; /* the valid ones, in order */
    size_t segment_count;
    uint64_t end;    /* where the log ends */
    uint64_t ignore; /* segments from this position on are ignored; UINT64_MAX: none */
    uint64_t frames;
    uint64_t bad_offset; /* in the file of the last segment: the end of its complete frames */
};

/* Verifies every byte. `why` describes the error unless the outcome is SCAN_WHOLE. The result is to be freed in any case. */
enum scan_outcome scan_directory(const struct files *f, struct scan *s, char *why, size_t cap);
void scan_free(struct scan *s);
/* Truncates the last segment at bad_offset, and removes the ignored ones. False: errno. */
bool scan_cut(const struct files *f, struct scan *s);

/* ---- one key (restore.c) ---------------------------------------------------------------------------------------------- */

/* Sets the key from the entry, whose items are read next. False: no memory, or it is malformed. */
bool load_entry(struct txn *t, const struct record_entry *e, struct record_reader *r);

/* Large collections, whose items come in several blocks, and which become keys with the next block of entries. */
struct larges {
    struct building *last;
};
/* False: no memory, or it is malformed. */
bool larges_begin(struct larges *all, const struct store *s, struct record_reader *r);
bool larges_add(struct larges *all, struct record_reader *r);
bool larges_commit(struct larges *all, struct txn *t);
/* Drops them. */
void larges_drop(struct larges *all);

/* ---- loading (load.c) ---------------------------------------------------------------------------------------------- */

/* Loads what scan_directory found into the store, with `threads` threads. False: `why` holds the error message. */
bool load_scanned(const struct scan *s, struct store *store, unsigned threads, persist_run *run, void *ctx,
                  char *why, size_t cap);

#endif
