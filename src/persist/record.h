/* record.h - the file format of a data directory: the only encoder, and the only decoder. Private to persist.
 *
 * A log segment (log-POSITION.fkl) and a snapshot (snapshot-POSITION.fks) are both a header and frames. All numbers are
 * little-endian; `n` is a number of variable length (7 bits a byte, lowest first, the top bit set if more follow);
 * [x] is n, the length of x, and x.
 *
 *     header   0        8         12         16          24         32           40      44
 *             +--------+---------+----------+-----------+----------+------------+-------+
 *             | magic  | version | renewed  | secret id | position | created ms | crc   |   crc of all before it
 *             +--------+---------+----------+-----------+----------+------------+-------+
 *
 *     frame    0     4                                 0        8     12
 *             +-----+----------+- - - - - -+            +--------+-----+- - - - - -+
 *             | crc | length n | payload   |            | length | crc | payload   |
 *             +-----+----------+- - - - - -+            +--------+-----+- - - - - -+
 *              of a log                                  of a snapshot, and of a log of version 1
 *
 * The crc covers the frame's place, the length and the payload. A position counts the bytes of all frames ever logged; that
 * of a segment is the position of its first frame. A frame's place is its position plus, since version 3 of the log, the secret
 * id: so a client cannot store a value whose bytes are a valid frame. In a snapshot it is the offset in the file. Since the crc
 * covers the place, a valid frame in the wrong place is detected too. A frame is one atomic unit.
 *
 * The payload of a log frame is effects, one after the other (version 1 had the first three kinds alone):
 *
 *     effect   kind 1, then by kind
 *                1      command    hash of the key 8, length 8, n, then n times [word]
 *                2      value      hash of the key 8, length 8, entry
 *                3      flush      hash 8 (its top 6 bits are the shard), length 8, which is 0: all keys of the shard are gone
 *                4      keyed      n, then n times [word]: a command whose second word is its key
 *                16...  a verb     each [word] but the first: a command with that name and number of words, keyed likewise
 *
 * The verbs are in record_effect.c. A key's hash is that of the store's secret; its top 6 bits are the shard.
 *
 * The payload of a snapshot frame:
 *
 *     block    kind 1, shard 1, position 8, from 8, to 8, entries       the keys of a shard whose points are from..to
 *     restart  kind 1, shard 1                     the shard was flushed: drop all its keys so far
 *     end      kind 1, 0, entries in the file 8    the last frame of a whole snapshot
 *     large    kind 1, shard 1, entry without its items    a collection that belongs to the next block of its shard,
 *     items    kind 1, shard 1, items              and further items of it, until it is complete
 *     drop     kind 1, shard 1                     drop the large collections since the last block
 *
 *     entry    [key], type 1 (255: gone), expiry 8, [content type], then by type
 *                string     [bytes]
 *                list, set  n, then n times [element]
 *                hash       n, then n times [field] [value]; type 254: some expire: [field] [value] [expiry 8]
 *                zset       n, then n times [member] [score 8]
 *
 * A block contains the effects of all frames before its position. */
#ifndef FLASHKV_PERSIST_RECORD_H
#define FLASHKV_PERSIST_RECORD_H

#include <flashkv/arg.h>
#include <flashkv/store.h>
#include <flashkv/view.h>

#include "chain.h"

/* The versions that are written; older ones are read too. Logs: version 1 had longer frames, 2 no secret in their places;
 * snapshots: version 1 had no large entries. */
enum { RECORD_LOG_VERSION = 3, RECORD_SNAPSHOT_VERSION = 2 };
enum { RECORD_HEADER = 44, RECORD_FRAME = 12 /* the head of a long frame */ };

enum record_result {
    RECORD_OK,
    RECORD_SHORT,   /* the bytes end before the record does */
    RECORD_DAMAGED, /* the checksum is wrong, or it is malformed */
    RECORD_NEWER,   /* of a version newer than this program */
};

/* ---- headers --------------------------------------------------------------------------------------------------- */

enum record_file { RECORD_LOG, RECORD_SNAPSHOT };
enum record_framing { FRAMES_SHORT, FRAMES_LONG }; /* as drawn above: on the left, on the right */
struct record_header {
    uint64_t secret_id, position;
    int64_t created_ms;
    bool renewed;                /* a segment after a loss: valid only with the snapshot of its position */
    enum record_framing framing; /* of the file that was read; files are written with that of their kind */
    uint64_t salt;               /* likewise: added to a position it gives the place of the frame there */
};
void record_put_header(char out[RECORD_HEADER], enum record_file file, const struct record_header *h);
enum record_result record_get_header(struct slice bytes, enum record_file file, struct record_header *h);

/* ---- frames ------------------------------------------------------------------------------------------------------ */

/* Appends the head of a short frame; the caller appends the payload of `length` bytes. Returns the head's offset in the chain's
 * bytes. The crc is set by one of the functions below. */
size_t record_put_frame(struct chain *c, uint64_t length);
/* Begins a long frame in `c`, to be ended by record_end_frame with the returned value. The crc is set by record_seal. */
size_t record_begin_frame(struct chain *c);
void record_end_frame(struct chain *c, size_t begun);

/* Sets the crc of a short frame without blobs, the last one in `c`. */
void record_seal_last(struct chain *c, size_t begun, uint64_t place);
/* Sets the crc of each frame of `c`, which holds complete frames, the first of them at `place`. */
void record_seal(struct chain *c, enum record_framing framing, uint64_t place);

/* Reads the frame at the start of `bytes`: its payload, at whose end the next one begins. */
enum record_result record_get_frame(struct slice bytes, enum record_framing framing, uint64_t place,
                                    struct slice *payload);
/* The same without verifying the crc. */
enum record_result record_find_frame(struct slice bytes, enum record_framing framing, struct slice *payload);

/* ---- effects ------------------------------------------------------------------------------------------------------ */

enum effect_kind { EFFECT_COMMAND = 1, EFFECT_VALUE = 2, EFFECT_FLUSH = 3 };

/* A command in the form in which it will be written. Borrows key and arguments. */
struct record_command {
    const struct key *key;
    const struct arg *argv;
    size_t argc, first; /* the words from `first` on are written */
    uint64_t length;    /* bytes of the effect */
    unsigned char kind;
};
struct record_command record_command(const struct key *k, size_t argc, const struct arg *argv);
void record_put_command(struct chain *c, const struct record_command *m);
/* The fast path: appends a complete frame with its crc in one pass over the command's words. False, nothing appended: it does
 * not apply, as the key is not the second word, the words are long, or the processor has no CRC instruction. */
bool record_put_quick(struct chain *c, uint64_t place, const struct key *k, size_t argc,
                      const struct arg *argv);

/* Appends the key with its value: `e`, or NULL if it is deleted. */
void record_put_value(struct chain *c, const struct key *k, const struct entry *e);
void record_put_flush(struct chain *c, unsigned shard);

/* ---- snapshots ------------------------------------------------------------------------------------------------------ */

enum block_kind { BLOCK_ENTRIES = 1, BLOCK_RESTART, BLOCK_END, BLOCK_LARGE, BLOCK_ITEMS, BLOCK_DROP };
struct record_block {
    enum block_kind kind;
    unsigned shard;
    uint64_t position; /* BLOCK_ENTRIES: effects before it are contained; BLOCK_END: the number of entries */
    uint64_t from, to; /* points; to 0: the end */
};
enum { BLOCK_TO_AT = 18 }; /* offset of `to` within an encoded block */
void record_put_block(struct chain *c, const struct record_block *b);
/* Appends an entry to the last block. */
void record_put_entry(struct chain *c, struct slice key, const struct entry *e);
/* Appends the entry of a BLOCK_LARGE: a collection without its items. */
void record_put_large(struct chain *c, const struct entry *e);
/* Appends an item of a BLOCK_ITEMS, of a collection of this shape. */
struct record_shape {
    enum value_type type;
    bool expiring_fields;
};
struct record_shape record_shape_of(const struct entry *e);
void record_put_item(struct chain *c, const struct record_shape *shape, const struct view_item *item);

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

/* A cursor in a payload. Malformed data set `bad`, which ends it. */
struct record_reader {
    const char *at, *end;
    bool bad;
};
static inline struct record_reader record_read(struct slice s) {
    return (struct record_reader){s.ptr, s.ptr + s.len, false};
}

struct record_effect {
    enum effect_kind kind;
    bool hashed; /* is the hash of its key recorded? */
    uint64_t hash;
    struct slice key;  /* if not hashed */
    uint64_t argc;     /* of a command: the number of its words */
    struct slice name; /* of a command: its first word */
    struct slice body; /* of a command: its other words, for record_get_bytes; of a value: the entry */
};
/* Reads the next effect; false: the end, or bad. */
bool record_next_effect(struct record_reader *r, struct record_effect *e);
/* Is the body well-formed? */
bool record_check_effect(const struct record_effect *e);
uint64_t record_get_count(struct record_reader *r);
struct slice record_get_bytes(struct record_reader *r);

bool record_get_block(struct record_reader *r, struct record_block *b);

struct record_entry {
    struct slice key, content_type, string;
    bool gone, expiring_fields;
    enum value_type type;
    int64_t expire_at;
    uint64_t
        items; /* number of items that follow, of a collection: each is record_item_parts times record_get_bytes */
};
/* Reads the next entry; false: the end, or bad. */
bool record_next_entry(struct record_reader *r, struct record_entry *e);
/* Reads that of a BLOCK_LARGE; false: bad. */
bool record_get_large(struct record_reader *r, struct record_entry *e);
/* The number of byte strings that an item of this entry consists of. */
unsigned record_item_parts(const struct record_entry *e);
/* Skips the items of an entry, or one item. */
void record_skip_items(struct record_reader *r, const struct record_entry *e);
void record_skip_item(struct record_reader *r, const struct record_entry *e);

#endif
