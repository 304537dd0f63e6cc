/* record_parts.h - the numbers and byte strings that records consist of. Private to record*.c. */
#ifndef FLASHKV_PERSIST_RECORD_PARTS_H
#define FLASHKV_PERSIST_RECORD_PARTS_H

#include "record.h"

enum { CRC = sizeof(uint32_t), UINT_MAX_BYTES = 10, GONE = 255, EXPIRING_FIELDS = 254 };

/* The kinds of effects on disk, in addition to those of enum effect_kind. */
enum { KIND_KEYED = 4, KIND_VERB = 16 };

/* The initial value of the checksum of a short frame. */
static inline uint32_t short_seed(uint64_t place) {
    return (uint32_t)(place ^ place >> 32);
}

/* The number of bytes that put_uint writes. */
static inline unsigned uint_bytes(uint64_t n) {
    return n < 0x80 ? 1 : (63 - (unsigned)__builtin_clzll(n)) / 7 + 1;
}

/* The kind in which the command is encoded; the first word that this kind encodes; the bytes of the encoded words, with their
 * number if the kind does not imply it. */
unsigned char record_kind(const struct key *k, size_t argc, const struct arg *argv);
static inline size_t first_word(unsigned char kind) {
    return kind >= KIND_VERB;
}
static inline size_t words_bytes(size_t first, size_t argc, const struct arg *argv) {
    size_t bytes = first == 0 ? uint_bytes(argc) : 0;

    for (size_t i = first; i < argc; i++)
        bytes += uint_bytes(argv[i].len) + argv[i].len;
    return bytes;
}

/* Writes a number of variable length, at most UINT_MAX_BYTES, and returns the end. */
static inline char *put_uint(char *to, uint64_t n) {
    for (; n >= 0x80; n >>= 7)
        *to++ = (char)(n | 0x80);
    *to++ = (char)n;
    return to;
}

/* Copies and returns the end of the copy. Most logged words are short: two loads that may overlap instead of a call. */
static inline char *put_raw(char *to, struct slice s) {
    uint64_t first, last;

    if (s.len >= sizeof(first) && s.len <= 2 * sizeof(first)) {
        memcpy(&first, s.ptr, sizeof(first));
        memcpy(&last, s.ptr + s.len - sizeof(last), sizeof(last));
        memcpy(to, &first, sizeof(first));
        memcpy(to + s.len - sizeof(last), &last, sizeof(last));
    } else if (s.len < sizeof(first)) {
        for (size_t i = 0; i < s.len; i++)
            to[i] = s.ptr[i];
    } else {
        memcpy(to, s.ptr, s.len);
    }
    return to + s.len;
}

/* Writes [bytes], for which there is room with UINT_MAX_BYTES, and returns the end. */
static inline char *put_run(char *to, struct slice s) {
    return put_raw(put_uint(to, s.len), s);
}

/* Append n, [bytes] and [the bytes of a blob]. */
static inline void put_count(struct chain *c, uint64_t n) {
    char *at = chain_room(c, UINT_MAX_BYTES);

    if (at != NULL)
        c->bytes.len = (size_t)(put_uint(at, n) - c->bytes.data);
}

static inline void put_bytes(struct chain *c, struct slice s) {
    char *at = chain_room(c, UINT_MAX_BYTES + s.len);

    if (at != NULL)
        c->bytes.len = (size_t)(put_run(at, s) - c->bytes.data);
}

static inline void put_blob(struct chain *c, struct blob *b) {
    put_count(c, b->len);
    chain_add_blob(c, b);
}

/* Reads the next `length` bytes; sets bad, and returns none, if there are not that many. */
static inline struct slice get_run(struct record_reader *r, uint64_t length) {
    const char *at = r->at;

    if (r->bad || length > (uint64_t)(r->end - r->at)) {
        r->bad = true;
        return slice_of("", 0);
    }
    r->at += length;
    return slice_of(at, length);
}

static inline unsigned get_u8(struct record_reader *r) {
    struct slice s = get_run(r, 1);

    return r->bad ? 0 : (unsigned char)*s.ptr;
}

static inline uint64_t get_u64(struct record_reader *r) {
    struct slice s = get_run(r, sizeof(uint64_t));
    uint64_t n = 0;

    if (!r->bad)
        memcpy(&n, s.ptr, sizeof(n));
    return n;
}

#endif
