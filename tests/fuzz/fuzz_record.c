/* Fuzzes what is read from a data directory: headers, frames, and behind their checksums, which no fuzzer would hit upon,
 * the effects of a log and the blocks of a snapshot. Whatever the bytes are, reading them ends, within them.
 *
 * The first byte of the input says what the rest is. */
#include <stdio.h>
#include <stdlib.h>

#include "persist/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void within(const struct record_reader *r, struct slice all) {
    require(r->at >= all.ptr && r->at <= r->end && r->end == all.ptr + all.len, "outside of the bytes");
}

static void read_headers(struct slice s) {
    struct record_header h;

    record_get_header(s, RECORD_LOG, &h);
    record_get_header(s, RECORD_SNAPSHOT, &h);
}

/* Whatever their checksums, and then those alone that are right. */
static void walk_frames(struct slice s, enum record_framing framing) {
    struct slice payload, rest = s;

    while (rest.len > 0 && record_find_frame(rest, framing, &payload) == RECORD_OK) {
        require(payload.len > 0 && payload.ptr > rest.ptr && payload.ptr + payload.len <= s.ptr + s.len,
                "a frame longer than the file");
        record_get_frame(rest, framing, (uint64_t)(rest.ptr - s.ptr), &payload);
        rest = slice_of(payload.ptr + payload.len, (size_t)(s.ptr + s.len - payload.ptr - payload.len));
    }
}

static void read_frames(struct slice s) {
    walk_frames(s, FRAMES_LONG);
}

static void read_short_frames(struct slice s) {
    walk_frames(s, FRAMES_SHORT);
}

static void read_entries(struct record_reader *r, struct slice all) {
    struct record_entry e;

    while (record_next_entry(r, &e)) {
        record_skip_items(r, &e);
        within(r, all);
    }
}

static void read_effects(struct slice s) {
    struct record_reader r = record_read(s), body;
    struct record_effect e;

    while (record_next_effect(&r, &e)) {
        within(&r, s);
        require(e.body.ptr >= s.ptr && e.body.ptr + e.body.len <= r.at, "a body outside of its effect");
        require(e.hashed || (e.key.ptr >= e.body.ptr && e.key.ptr + e.key.len <= e.body.ptr + e.body.len),
                "a key outside of its effect");
        record_check_effect(&e);
        body = record_read(e.body);
        if (e.kind == EFFECT_VALUE)
            read_entries(&body, e.body);
        within(&body, e.body);
    }
}

static void read_block(struct slice s) {
    struct record_reader r = record_read(s);
    struct record_block b;

    struct record_entry e;

    if (!record_get_block(&r, &b))
        return;
    if (b.kind == BLOCK_ENTRIES)
        read_entries(&r, s);
    if (b.kind == BLOCK_LARGE && record_get_large(&r, &e))
        require(!e.gone && record_item_parts(&e) > 0, "a large entry without items");
    within(&r, s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const readers[])(struct slice s) = {read_headers, read_frames, read_effects, read_block,
                                                      read_short_frames};
    char *bytes;

    if (size == 0)
        return 0;
    bytes = malloc(size); /* memory of its own, so that AddressSanitizer sees a byte too far */
    require(bytes != NULL, "memory");
    memcpy(bytes, data + 1, size - 1);
    readers[data[0] % (sizeof(readers) / sizeof(*readers))](slice_of(bytes, size - 1));
    free(bytes);
    return 0;
}
