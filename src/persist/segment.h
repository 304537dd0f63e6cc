/* segment.h - the log segment that is being written. Private to the journal.
 *
 * A long run of bytes is written with O_DIRECT, bypassing the page cache: filling pages of the cache, which are never read,
 * would cost more than everything else about a logged change. O_DIRECT needs whole blocks that are aligned in memory as in the
 * file; so the bytes before the first and after the last block, and all short runs, are written through the cache:
 *
 *     file    ....|----:----:----:----:--...
 *               [--|-------------------|-]      a run
 *            cached        direct       cached
 *
 * Without support of the file system for O_DIRECT, everything is written through the cache. Not thread-safe: one owner. */
#ifndef FLASHKV_PERSIST_SEGMENT_H
#define FLASHKV_PERSIST_SEGMENT_H

#include "files.h"

enum {
    SEGMENT_BLOCK = CHAIN_ALIGNMENT, /* a multiple of every device's block size */
    SEGMENT_DIRECT = 128 << 10,      /* shorter runs are not worth waiting for the device */
};

struct segment_file {
    uint64_t position; /* of its first frame */
    int fd, direct;    /* direct: the same file with O_DIRECT, or -1 */
};

static inline struct segment_file segment_none(void) {
    return (struct segment_file){.fd = -1, .direct = -1};
}
/* Switches to a new segment at `position`, whose name is durable; it may replace one without frames. False, nothing changed:
 * errno. */
bool segment_begin(struct segment_file *s, const struct files *f, uint64_t position, bool renewed,
                   bool direct);
void segment_close(struct segment_file *s);

/* Writes all bytes at `position` of the log. False: errno, and some of them may have been written. */
bool segment_write(struct segment_file *s, struct slice bytes, uint64_t position);
/* Has the file been deleted? Everything written to it would be lost with the process. */
bool segment_is_deleted(const struct segment_file *s);
/* The offset, within its block of the file, of the byte at `position` of the log: it needs the same offset in its memory page. */
static inline size_t segment_place(const struct segment_file *s, uint64_t position) {
    return (RECORD_HEADER + position - s->position) % SEGMENT_BLOCK;
}

#endif
