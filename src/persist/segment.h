/* segment.h - the log segment that is being written. Private to the journal.
 *
 * A long run of bytes goes to the disk past the page cache (O_DIRECT): filling pages of the cache, which nobody reads, would
 * cost more than all else that a logged change does. That can be done with whole blocks only, which lie in memory as they do
 * in the file; so what is before the first and behind the last of them, and whatever is short, goes through the cache:
 *
 *     file    ....|----:----:----:----:--...
 *               [--|-------------------|-]      a run
 *            cached        direct       cached
 *
 * Where the file system does not take O_DIRECT, all of it goes through the cache. One owner. */
#ifndef FLASHKV_PERSIST_SEGMENT_H
#define FLASHKV_PERSIST_SEGMENT_H

#include "files.h"

enum {
    SEGMENT_BLOCK = CHAIN_ALIGNMENT, /* as large as that of any device */
    SEGMENT_DIRECT = 128 << 10,      /* less is not worth waiting for the device */
};

struct segment_file {
    uint64_t position; /* of its first frame */
    int fd, direct;    /* direct: the same file with O_DIRECT, or -1 */
};

static inline struct segment_file segment_none(void) {
    return (struct segment_file){.fd = -1, .direct = -1};
}
/* Goes over to a new segment at `position`, its name on disk too; one without frames may have been there. False: errno, and
 * nothing has changed. */
bool segment_begin(struct segment_file *s, const struct files *f, uint64_t position, bool renewed,
                   bool direct);
void segment_close(struct segment_file *s);

/* Writes all of the bytes, which are at `position` of the log. False: errno, and some of them may be there. */
bool segment_write(struct segment_file *s, struct slice bytes, uint64_t position);
/* Has somebody removed the file? What is written to it then is gone with the process. */
bool segment_is_deleted(const struct segment_file *s);
/* Where in its block a byte of the file at `position` of the log is: there it shall be in its page of memory, too. */
static inline size_t segment_place(const struct segment_file *s, uint64_t position) {
    return (RECORD_HEADER + position - s->position) % SEGMENT_BLOCK;
}

#endif
