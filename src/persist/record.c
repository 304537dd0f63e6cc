/* record.c - headers, frames, effects, blocks: to bytes and back. */
#include "record.h"

#include <flashkv/crc32c.h>

#include "record_parts.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the files are little-endian, and copied as they are");

enum { MAGIC = 8, CRC_AT = 40 };

static const char magics[][MAGIC + 1] = {[RECORD_LOG] = "FKVLOG\r\n", [RECORD_SNAPSHOT] = "FKVSNP\r\n"};
static const uint32_t versions[] = {
    [RECORD_LOG] = RECORD_LOG_VERSION, [RECORD_SNAPSHOT] = RECORD_SNAPSHOT_VERSION};

/* ---- headers --------------------------------------------------------------------------------------------------- */

void record_put_header(char out[RECORD_HEADER], enum record_file file, const struct record_header *h) {
    uint32_t version = versions[file], renewed = h->renewed, crc;

    memset(out, 0, RECORD_HEADER);
    memcpy(out, magics[file], MAGIC);
    memcpy(out + 8, &version, sizeof(version));
    memcpy(out + 12, &renewed, sizeof(renewed));
    memcpy(out + 16, &h->secret_id, sizeof(h->secret_id));
    memcpy(out + 24, &h->position, sizeof(h->position));
    memcpy(out + 32, &h->created_ms, sizeof(h->created_ms));
    crc = crc32c(0, out, CRC_AT);
    memcpy(out + CRC_AT, &crc, sizeof(crc));
}

/* The version comes first: how a newer header is checked, only a newer program knows. */
enum record_result record_get_header(struct slice bytes, enum record_file file, struct record_header *h) {
    uint32_t version, crc;

    if (bytes.len < RECORD_HEADER)
        return RECORD_SHORT;
    if (memcmp(bytes.ptr, magics[file], MAGIC) != 0)
        return RECORD_DAMAGED;
    memcpy(&version, bytes.ptr + 8, sizeof(version));
    memcpy(&crc, bytes.ptr + CRC_AT, sizeof(crc));
    if (crc != crc32c(0, bytes.ptr, CRC_AT))
        return version > versions[file] ? RECORD_NEWER : RECORD_DAMAGED;
    if (version > versions[file])
        return RECORD_NEWER;
    if (version == 0)
        return RECORD_DAMAGED;
    h->renewed = bytes.ptr[12] != 0;
    memcpy(&h->secret_id, bytes.ptr + 16, sizeof(h->secret_id));
    memcpy(&h->position, bytes.ptr + 24, sizeof(h->position));
    memcpy(&h->created_ms, bytes.ptr + 32, sizeof(h->created_ms));
    return RECORD_OK;
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */

/* The checksum of a frame up to its payload. */
static uint32_t frame_crc(uint64_t position, uint64_t length) {
    uint64_t head[] = {position, length};

    return crc32c(0, head, sizeof(head));
}

void record_seal_last(struct chain *c, size_t begun, uint64_t position) {
    char *frame = c->bytes.data + begun;
    uint64_t length = c->bytes.len - begun - RECORD_FRAME;
    uint32_t crc = crc32c(frame_crc(position, length), frame + RECORD_FRAME, length);

    memcpy(frame + sizeof(length), &crc, sizeof(crc));
}

void record_seal(struct chain *c, uint64_t position) {
    size_t at = c->lead, piece = 0;

    while (at < c->bytes.len) {
        char *frame = c->bytes.data + at;
        uint64_t length, left;
        uint32_t crc;

        memcpy(&length, frame, sizeof(length));
        crc = frame_crc(position, length);
        at += RECORD_FRAME;
        for (left = length; left > 0;) {
            bool blob = piece < c->piece_count && c->pieces[piece].at == at;
            size_t run = blob ? c->pieces[piece].blob->len : left;

            if (!blob && piece < c->piece_count && run > c->pieces[piece].at - at)
                run = c->pieces[piece].at - at;
            crc = crc32c(crc, blob ? c->pieces[piece].blob->data : c->bytes.data + at, run);
            left -= run;
            piece += blob;
            at += blob ? 0 : run;
        }
        memcpy(frame + sizeof(length), &crc, sizeof(crc));
        position += RECORD_FRAME + length;
    }
}

enum record_result record_get_frame(struct slice bytes, uint64_t position, struct slice *payload) {
    uint64_t length;
    uint32_t crc;

    if (bytes.len < RECORD_FRAME)
        return RECORD_SHORT;
    memcpy(&length, bytes.ptr, sizeof(length));
    memcpy(&crc, bytes.ptr + sizeof(length), sizeof(crc));
    if (length == 0)
        return RECORD_DAMAGED;
    if (length > bytes.len - RECORD_FRAME)
        return RECORD_SHORT;
    if (crc != crc32c(frame_crc(position, length), bytes.ptr + RECORD_FRAME, length))
        return RECORD_DAMAGED;
    *payload = slice_of(bytes.ptr + RECORD_FRAME, length);
    return RECORD_OK;
}

/* ---- effects ------------------------------------------------------------------------------------------------------ */

static inline void put_head(char *at, enum effect_kind kind, uint64_t hash) {
    at[0] = (char)kind;
    memcpy(at + 1, &hash, sizeof(hash));
}

/* An effect's head, its length left open: what chain_len says then. */
static size_t begin_effect(struct chain *c, enum effect_kind kind, uint64_t hash) {
    char *at = chain_room(c, EFFECT_HEAD);

    if (at != NULL)
        put_head(at, kind, hash);
    return chain_len(c);
}

/* `head`: where in the bytes it stands; `begun`: what begin_effect returned. */
static void end_effect(struct chain *c, size_t head, size_t begun) {
    uint64_t length = chain_len(c) - begun;

    if (!c->failed)
        memcpy(c->bytes.data + head + EFFECT_LENGTH_AT, &length, sizeof(length));
}

static inline bool by_reference(const struct arg *a) {
    return !chain_copies(a->len) && a->blob != NULL;
}

/* Bytes that a command takes at most, but for arguments by reference. */
static size_t command_room(size_t argc, const struct arg *argv) {
    size_t room = EFFECT_HEAD + (argc + 1) * UINT_MAX_BYTES;

    for (size_t i = 0; i < argc; i++)
        room += by_reference(&argv[i]) ? 0 : argv[i].len;
    return room;
}

/* Every logged change of a string comes here: room is made once, then bytes are written one behind the other. */
void record_put_command(struct chain *c, uint64_t hash, size_t argc, const struct arg *argv) {
    size_t head = c->bytes.len, blobs_before = c->blob_bytes;
    char *to = chain_room(c, command_room(argc, argv));
    uint64_t length;

    if (to == NULL)
        return;
    put_head(to, EFFECT_COMMAND, hash);
    to = put_uint(to + EFFECT_HEAD, argc);
    for (size_t i = 0; i < argc; i++) {
        if (!by_reference(&argv[i])) {
            to = put_run(to, arg_slice(&argv[i]));
            continue;
        }
        to = put_uint(to, argv[i].len);
        c->bytes.len = (size_t)(to - c->bytes.data); /* behind which the blob goes */
        chain_add_blob(c, argv[i].blob);
    }
    c->bytes.len = (size_t)(to - c->bytes.data);
    length = c->bytes.len - head - EFFECT_HEAD + (c->blob_bytes - blobs_before);
    memcpy(c->bytes.data + head + EFFECT_LENGTH_AT, &length, sizeof(length));
}

void record_put_value(struct chain *c, const struct key *k, const struct entry *e) {
    size_t head = c->bytes.len, begun = begin_effect(c, EFFECT_VALUE, k->hash);

    record_put_entry(c, k->name, e);
    end_effect(c, head, begun);
}

void record_put_flush(struct chain *c, unsigned shard) {
    size_t head = c->bytes.len;

    end_effect(c, head, begin_effect(c, EFFECT_FLUSH, (uint64_t)shard << 58));
}

bool record_next_effect(struct record_reader *r, struct record_effect *e) {
    uint64_t length;

    if (r->bad || r->at == r->end)
        return false;
    e->kind = (enum effect_kind)get_u8(r);
    e->hash = get_u64(r);
    length = get_u64(r);
    e->body = get_run(r, length);
    if (e->kind < EFFECT_COMMAND || e->kind > EFFECT_FLUSH)
        r->bad = true;
    return !r->bad;
}

/* ---- snapshots ------------------------------------------------------------------------------------------------------ */

void record_put_block(struct chain *c, const struct record_block *b) {
    const uint64_t numbers[] = {b->position, b->from, b->to};
    const char head[] = {(char)b->kind, (char)b->shard};

    chain_add(c, slice_of(head, sizeof(head)));
    if (b->kind == BLOCK_ENTRIES || b->kind == BLOCK_END)
        chain_add(c, slice_of(numbers, b->kind == BLOCK_END ? sizeof(*numbers) : sizeof(numbers)));
}

bool record_get_block(struct record_reader *r, struct record_block *b) {
    *b = (struct record_block){.kind = (enum block_kind)get_u8(r)};
    b->shard = get_u8(r);
    if (b->kind == BLOCK_ENTRIES || b->kind == BLOCK_END)
        b->position = get_u64(r);
    if (b->kind == BLOCK_ENTRIES) {
        b->from = get_u64(r);
        b->to = get_u64(r);
    }
    if (b->kind < BLOCK_ENTRIES || b->kind > BLOCK_DROP || b->shard >= STORE_SHARDS)
        r->bad = true;
    return !r->bad;
}
