/* record.c - encodes and decodes headers, frames and blocks. */
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

/* The version is checked first: the checksum of a newer header may be computed differently. */
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
    h->framing = file == RECORD_LOG && version >= 2 ? FRAMES_SHORT : FRAMES_LONG;
    h->renewed = bytes.ptr[12] != 0;
    memcpy(&h->secret_id, bytes.ptr + 16, sizeof(h->secret_id));
    memcpy(&h->position, bytes.ptr + 24, sizeof(h->position));
    memcpy(&h->created_ms, bytes.ptr + 32, sizeof(h->created_ms));
    h->salt = file == RECORD_LOG && version >= 3 ? h->secret_id : 0;
    return RECORD_OK;
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */

size_t record_put_frame(struct chain *c, uint64_t length) {
    char *at = chain_room(c, CRC + UINT_MAX_BYTES);
    size_t begun = c->bytes.len - (CRC + UINT_MAX_BYTES);

    if (at != NULL)
        c->bytes.len = (size_t)(put_uint(at + CRC, length) - c->bytes.data);
    return begun;
}

size_t record_begin_frame(struct chain *c) {
    char *at = chain_room(c, RECORD_FRAME);
    uint64_t before = c->blob_bytes; /* stored in the place of the length for now */

    if (at != NULL)
        memcpy(at, &before, sizeof(before));
    return c->bytes.len - RECORD_FRAME;
}

void record_end_frame(struct chain *c, size_t begun) {
    uint64_t blobs_before, length;

    if (c->failed)
        return;
    memcpy(&blobs_before, c->bytes.data + begun, sizeof(blobs_before));
    length = c->bytes.len - begun - RECORD_FRAME + (c->blob_bytes - blobs_before);
    memcpy(c->bytes.data + begun, &length, sizeof(length));
}

/* The layout of a frame's head. */
struct head {
    uint64_t length; /* of the payload */
    unsigned size;   /* of the head */
    unsigned crc_at; /* offset of the crc in the head */
};

static enum record_result get_head(struct slice bytes, enum record_framing framing, struct head *h) {
    struct record_reader r = record_read(bytes);

    *h = (struct head){0, RECORD_FRAME, sizeof(h->length)};
    if (framing == FRAMES_LONG) {
        h->length = get_u64(&r);
        get_run(&r, CRC);
    } else {
        get_run(&r, CRC);
        h->length = record_get_count(&r);
        h->size = (unsigned)(r.at - bytes.ptr);
        h->crc_at = 0;
    }
    if (r.bad)
        return r.at == r.end || bytes.len < RECORD_FRAME ? RECORD_SHORT : RECORD_DAMAGED;
    return h->length == 0 ? RECORD_DAMAGED : RECORD_OK;
}

/* The checksum of a frame's place and length, to be continued with the payload. */
static uint32_t head_crc(const char *frame, const struct head *h, uint64_t place) {
    uint64_t before[] = {place, h->length};

    return h->crc_at > 0 ? crc32c(0, before, sizeof(before))
                         : crc32c(short_seed(place), frame + CRC, h->size - CRC);
}

void record_seal_last(struct chain *c, size_t begun, uint64_t place) {
    char *frame = c->bytes.data + begun;
    uint32_t crc = crc32c(short_seed(place), frame + CRC, c->bytes.len - begun - CRC);

    memcpy(frame, &crc, CRC);
}

void record_seal(struct chain *c, enum record_framing framing, uint64_t place) {
    size_t at = c->lead, piece = 0;
    struct head h;

    while (at < c->bytes.len &&
           get_head(slice_of(c->bytes.data + at, c->bytes.len - at), framing, &h) == RECORD_OK) {
        char *frame = c->bytes.data + at;
        uint32_t crc = head_crc(frame, &h, place);

        at += h.size;
        for (uint64_t left = h.length; left > 0;) {
            bool blob = piece < c->piece_count && c->pieces[piece].at == at;
            size_t run = blob ? c->pieces[piece].blob->len : left;

            if (!blob && piece < c->piece_count && run > c->pieces[piece].at - at)
                run = c->pieces[piece].at - at;
            crc = crc32c(crc, blob ? c->pieces[piece].blob->data : c->bytes.data + at, run);
            left -= run;
            piece += blob;
            at += blob ? 0 : run;
        }
        memcpy(frame + h.crc_at, &crc, CRC);
        place += h.size + h.length;
    }
}

static enum record_result find(struct slice bytes, enum record_framing framing, struct head *h) {
    enum record_result result = get_head(bytes, framing, h);

    return result == RECORD_OK && h->length > bytes.len - h->size ? RECORD_SHORT : result;
}

enum record_result record_find_frame(struct slice bytes, enum record_framing framing, struct slice *payload) {
    struct head h;
    enum record_result result = find(bytes, framing, &h);

    if (result == RECORD_OK)
        *payload = slice_of(bytes.ptr + h.size, h.length);
    return result;
}

enum record_result record_get_frame(struct slice bytes, enum record_framing framing, uint64_t place,
                                    struct slice *payload) {
    struct head h;
    enum record_result result = find(bytes, framing, &h);
    uint32_t crc;

    if (result != RECORD_OK)
        return result;
    memcpy(&crc, bytes.ptr + h.crc_at, sizeof(crc));
    if (crc != crc32c(head_crc(bytes.ptr, &h, place), bytes.ptr + h.size, h.length))
        return RECORD_DAMAGED;
    *payload = slice_of(bytes.ptr + h.size, h.length);
    return RECORD_OK;
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
