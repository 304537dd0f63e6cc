/* scan.c - verifies every byte of a data directory before any of it is loaded.
 *
 * The log ends at a frame that is incomplete. If no valid frame follows it, the process or the machine died while it
 * was being written: it is torn, and truncating it loses nothing that was acknowledged as durable. If one does follow, the
 * bytes between were valid once: that is damage. (A value of a client cannot contain a valid frame, as its place is secret.) */
#include <errno.h>
#include <fcntl.h>
#include <flashkv/mem.h>
#include <stdio.h>
#include <unistd.h>

#include "load.h"

static enum scan_outcome wrong(char *why, size_t cap, const struct mapped *m, uint64_t offset,
                               const char *what) {
    snprintf(why, cap, "%s: %s at offset %llu", m->name, what, (unsigned long long)offset);
    return SCAN_DAMAGED;
}

/* Reads and verifies the header of the file of `position`. */
static enum scan_outcome check_header(const struct files *f, enum record_file file, uint64_t position,
                                      const struct mapped *m, struct record_header *h, char *why,
                                      size_t cap) {
    switch (record_get_header(m->bytes, file, h)) {
    case RECORD_OK:
        break;
    case RECORD_SHORT:
        snprintf(why, cap, "%s: ends in its header", m->name);
        return SCAN_TORN;
    case RECORD_DAMAGED:
        return wrong(why, cap, m, 0, "the header is damaged");
    case RECORD_NEWER:
        snprintf(why, cap, "%s: written by a newer version of FlashKV", m->name);
        return SCAN_REFUSED;
    }
    if (h->secret_id != f->secret_id) {
        snprintf(why, cap, "%s: written with another secret than %s/secret", m->name, f->path);
        return SCAN_REFUSED;
    }
    return h->position == position ? SCAN_WHOLE
                                   : wrong(why, cap, m, 0, "the position is not that of the file's name");
}

/* ---- the snapshot ------------------------------------------------------------------------------------------------ */

/* Verifies the entries of a block. */
static bool check_entries(struct record_reader *r, uint64_t *entries) {
    struct record_entry e;

    while (record_next_entry(r, &e)) {
        record_skip_items(r, &e);
        ++*entries;
    }
    return !r->bad;
}

/* The large entries since the last block of entries. */
struct pending {
    uint64_t count;
    unsigned shard;
    struct record_entry head; /* of the last one */
    uint64_t left;            /* of its items */
};

static bool check_items(struct record_reader *r, struct pending *p) {
    for (; r->at != r->end && !r->bad; p->left--) {
        if (p->left == 0)
            return false;
        record_skip_item(r, &p->head);
    }
    return !r->bad;
}

/* Is the block valid after those before it? */
static bool check_block(const struct record_block *b, struct record_reader *r, struct pending *p,
                        uint64_t *entries) {
    if (p->count > 0 && (b->shard != p->shard || b->kind == BLOCK_END))
        return false;
    switch (b->kind) {
    case BLOCK_ENTRIES:
        *entries += p->count;
        p->count = 0;
        return p->left == 0 && check_entries(r, entries);
    case BLOCK_LARGE:
        if (p->left > 0 || !record_get_large(r, &p->head))
            return false;
        p->left = p->head.items;
        p->shard = b->shard;
        p->count++;
        return true;
    case BLOCK_ITEMS:
        return check_items(r, p);
    case BLOCK_RESTART:
    case BLOCK_DROP:
        *p = (struct pending){.count = 0};
        break;
    case BLOCK_END:
        break;
    }
    return r->at == r->end;
}

static enum scan_outcome check_blocks(struct scan *s, char *why, size_t cap) {
    const struct mapped *m = &s->snapshot;
    struct record_block b = {.kind = BLOCK_ENTRIES};
    struct pending pending = {.count = 0};
    uint64_t at = RECORD_HEADER;
    struct slice payload;

    while (b.kind != BLOCK_END) {
        struct slice rest = slice_of(m->bytes.ptr + at, m->bytes.len - at);
        struct record_reader r;

        if (record_get_frame(rest, FRAMES_LONG, at, &payload) != RECORD_OK)
            return wrong(why, cap, m, at, "damaged");
        r = record_read(payload);
        if (!record_get_block(&r, &b) || !check_block(&b, &r, &pending, &s->entries))
            return wrong(why, cap, m, at, "a block makes no sense");
        if (b.kind == BLOCK_ENTRIES && b.position > s->seen)
            s->seen = b.position;
        at += RECORD_FRAME + payload.len;
    }
    return at == m->bytes.len && b.position == s->entries
               ? SCAN_WHOLE
               : wrong(why, cap, m, at, "not what its end promises");
}

static enum scan_outcome scan_snapshot(const struct files *f, struct scan *s, char *why, size_t cap) {
    struct positions p;
    struct record_header h;
    enum scan_outcome outcome = SCAN_WHOLE;

    if (!files_list(f, RECORD_SNAPSHOT, &p)) {
        snprintf(why, cap, "%s: cannot be read", f->path);
        outcome = SCAN_REFUSED;
    } else if (p.count > 0) {
        s->snapshot_position = p.at[p.count - 1];
        s->has_snapshot = files_map(f, RECORD_SNAPSHOT, s->snapshot_position, &s->snapshot);
        if (s->has_snapshot) {
            outcome = check_header(f, RECORD_SNAPSHOT, s->snapshot_position, &s->snapshot, &h, why, cap);
        } else {
            snprintf(why, cap, "%s: %s", s->snapshot.name, strerror(errno));
            outcome = SCAN_REFUSED;
        }
        if (outcome == SCAN_WHOLE)
            outcome = check_blocks(s, why, cap);
        if (outcome == SCAN_DAMAGED ||
            outcome == SCAN_TORN) { /* a snapshot was complete when it got its name */
            size_t len = strlen(why);

            snprintf(why + len, cap - len, "; a snapshot cannot be repaired: restore it from a backup");
            outcome = SCAN_REFUSED;
        }
    }
    mem_free(p.at);
    return outcome;
}

/* ---- the log ------------------------------------------------------------------------------------------------------ */

static bool check_effects(struct slice payload) {
    struct record_reader r = record_read(payload);
    struct record_effect e;

    while (record_next_effect(&r, &e))
        r.bad |= !record_check_effect(&e);
    return !r.bad;
}

/* Does a valid frame begin anywhere after `at`? Nearly every offset could be a frame by its length, so the payload is parsed
 * first, which mostly fails soon, and the checksum verified only then. */
static bool whole_frame_behind(const struct segment *g, uint64_t at) {
    struct slice bytes = g->file.bytes, payload;

    for (at++; at < bytes.len; at++) {
        struct slice rest = slice_of(bytes.ptr + at, bytes.len - at);

        if (record_find_frame(rest, g->framing, &payload) == RECORD_OK && check_effects(payload) &&
            record_get_frame(rest, g->framing, g->position + at - RECORD_HEADER + g->salt, &payload) ==
                RECORD_OK)
            return true;
    }
    return false;
}

/* Verifies the frames and sets the segment's end. `last`: no valid segment follows. */
static enum scan_outcome check_frames(struct scan *s, struct segment *g, bool last, char *why, size_t cap) {
    uint64_t at = RECORD_HEADER;
    struct slice payload;

    for (; at < g->file.bytes.len; at = (uint64_t)(payload.ptr + payload.len - g->file.bytes.ptr)) {
        struct slice rest = slice_of(g->file.bytes.ptr + at, g->file.bytes.len - at);

        s->bad_offset = at;
        g->end = g->position + at - RECORD_HEADER;
        if (record_get_frame(rest, g->framing, g->end + g->salt, &payload) != RECORD_OK) {
            if (!last || whole_frame_behind(g, at))
                return wrong(why, cap, &g->file, at, "damaged");
            snprintf(why, cap, "%s: not written to its end: %llu bytes from offset %llu on", g->file.name,
                     (unsigned long long)rest.len, (unsigned long long)at);
            return SCAN_TORN;
        }
        if (!check_effects(payload))
            return wrong(why, cap, &g->file, at, "a frame makes no sense");
        s->frames++;
    }
    s->bad_offset = at;
    g->end = g->position + at - RECORD_HEADER;
    return SCAN_WHOLE;
}

/* How many of the segments from `first` on are valid: up to one that was begun after a loss and whose snapshot is missing. */
static size_t count_segments(const struct files *f, struct scan *s, const struct positions *p, size_t first) {
    for (size_t i = first; i < p->count; i++) {
        struct record_header h;
        struct mapped m;
        bool renewed;

        if (!files_map(f, RECORD_LOG, p->at[i], &m))
            continue;
        renewed = record_get_header(m.bytes, RECORD_LOG, &h) == RECORD_OK && h.renewed;
        files_unmap(&m);
        if (renewed && p->at[i] != s->snapshot_position) {
            s->ignore = p->at[i];
            return i - first;
        }
    }
    return p->count - first;
}

static enum scan_outcome scan_segment(const struct files *f, struct scan *s, struct segment *g, bool last,
                                      char *why, size_t cap) {
    enum scan_outcome outcome;
    struct record_header h;

    if (!files_map(f, RECORD_LOG, g->position, &g->file)) {
        snprintf(why, cap, "%s: %s", g->file.name, strerror(errno));
        return SCAN_REFUSED;
    }
    g->end = g->position;
    s->bad_offset = 0;
    if (g->position != s->end && !s->has_snapshot &&
        s->segment_count == 1) { /* truncating here would leave nothing */
        snprintf(
            why, cap,
            "%s goes on from position %llu, and there is no snapshot up to there: restore it from a backup",
            g->file.name, (unsigned long long)g->position);
        return SCAN_REFUSED;
    }
    if (g->position != s->end) {
        snprintf(why, cap, "the log from position %llu on is missing: the next file is %s",
                 (unsigned long long)s->end, g->file.name);
        return SCAN_DAMAGED;
    }
    outcome = check_header(f, RECORD_LOG, g->position, &g->file, &h, why, cap);
    if (outcome == SCAN_TORN && !last)
        return SCAN_DAMAGED;
    if (outcome == SCAN_WHOLE) {
        g->framing = h.framing;
        g->salt = h.salt;
        outcome = check_frames(s, g, last, why, cap);
    }
    s->end = g->end;
    return outcome;
}

static enum scan_outcome scan_log(const struct files *f, struct scan *s, char *why, size_t cap) {
    enum scan_outcome outcome = SCAN_WHOLE;
    struct positions p;
    size_t first = 0, count = 0;

    snprintf(why, cap, "%s: cannot be read", f->path);
    if (!files_list(f, RECORD_LOG, &p))
        return SCAN_REFUSED;
    while (first < p.count && p.at[first] < s->snapshot_position)
        first++;
    count = count_segments(f, s, &p, first);
    s->segments = mem_zalloc(count * sizeof(*s->segments));
    if (s->segments == NULL)
        outcome = SCAN_REFUSED;
    for (size_t i = 0; i < count && outcome == SCAN_WHOLE; i++) {
        struct segment *g = &s->segments[s->segment_count++];

        g->position = p.at[first + i];
        outcome = scan_segment(f, s, g, i + 1 == count, why, cap);
    }
    mem_free(p.at);
    return outcome;
}

/* Does the segment exist that was begun last? */
static bool has_newest(const struct files *f, const struct scan *s, char *why, size_t cap) {
    const struct segment *last = s->segment_count > 0 ? &s->segments[s->segment_count - 1] : NULL;
    char name[FILES_NAME];
    uint64_t newest;

    if (!files_newest(f, &newest) || newest < s->snapshot_position ||
        (last != NULL && newest <= last->position))
        return true;
    files_name(name, RECORD_LOG, newest);
    snprintf(why, cap, "%s is missing, and the changes in it with it", name);
    return false;
}

/* ---- all of it ----------------------------------------------------------------------------------------------------- */

enum scan_outcome scan_directory(const struct files *f, struct scan *s, char *why, size_t cap) {
    enum scan_outcome outcome;

    *s = (struct scan){.ignore = UINT64_MAX};
    outcome = scan_snapshot(f, s, why, cap);
    s->end = s->snapshot_position;
    if (outcome == SCAN_WHOLE)
        outcome = scan_log(f, s, why, cap);
    if (outcome != SCAN_WHOLE && outcome != SCAN_TORN)
        return outcome;
    if (s->end < s->seen) {
        snprintf(why, cap,
                 "the log ends at position %llu, before its snapshot does at %llu: a file is missing or cut",
                 (unsigned long long)s->end, (unsigned long long)s->seen);
        return SCAN_REFUSED;
    }
    return has_newest(f, s, why, cap) ? outcome : SCAN_DAMAGED;
}

void scan_free(struct scan *s) {
    for (size_t i = 0; i < s->segment_count; i++)
        files_unmap(&s->segments[i].file);
    mem_free(s->segments);
    if (s->has_snapshot)
        files_unmap(&s->snapshot);
    *s = (struct scan){.ignore = UINT64_MAX};
}

static bool truncate_at(const struct files *f, const char *name, uint64_t size) {
    int fd = openat(f->dir, name, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && ftruncate(fd, (off_t)size) == 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return ok;
}

bool scan_cut(const struct files *f, struct scan *s) {
    const struct segment *g = s->segment_count > 0 ? &s->segments[s->segment_count - 1] : NULL;
    struct positions p;
    char name[FILES_NAME];
    bool ok;

    ok = files_forget_newest(f); /* it may be removed below */
    if (g != NULL && s->bad_offset < RECORD_HEADER)
        ok = unlinkat(f->dir, g->file.name, 0) == 0 && ok;
    else if (g != NULL)
        ok = truncate_at(f, g->file.name, s->bad_offset) && ok;
    if (files_list(f, RECORD_LOG, &p))
        for (size_t i = 0; i < p.count; i++)
            if (g != NULL && p.at[i] > g->position) {
                files_name(name, RECORD_LOG, p.at[i]);
                ok = unlinkat(f->dir, name, 0) == 0 && ok;
            }
    mem_free(p.at);
    return files_sync(f) && ok;
}
