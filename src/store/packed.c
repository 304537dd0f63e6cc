/* packed.c - the small-collection encoding; packed.h draws it. */
#include "packed.h"

#include <flashkv/mem.h>

enum { WORD = 8 };

static size_t varint_size(size_t n) {
    size_t size = 1;

    while (n >= 0x80) {
        n >>= 7;
        size++;
    }
    return size;
}

static size_t varint_write(unsigned char *at, size_t n) {
    size_t i = 0;

    for (; n >= 0x80; n >>= 7)
        at[i++] = (unsigned char)(n | 0x80);
    at[i++] = (unsigned char)n;
    return i;
}

/* Written in reverse, so that reading backwards from the last byte gives the low bits first. */
static size_t back_write(unsigned char *at, size_t n) {
    size_t size = varint_size(n);

    for (size_t i = size; i-- > 0; n >>= 7)
        at[i] = (unsigned char)((n & 0x7f) | (i > 0 ? 0x80 : 0));
    return size;
}

size_t packed_size(size_t len) {
    size_t front = varint_size(len) + len;

    return front + varint_size(front);
}

static size_t cap_of(const struct packed *p) {
    return (size_t)p->words * WORD;
}

size_t packed_footprint(const struct packed *p) {
    return mem_good_size(sizeof(*p) + cap_of(p));
}

/* The words of an allocation of `size` bytes: `used` keeps them far below 2^31. */
static uint32_t words_of(size_t size) {
    return (uint32_t)((size - sizeof(struct packed)) / WORD) & INT32_MAX;
}

struct packed *packed_new(size_t cap) {
    size_t size = mem_good_size(sizeof(struct packed) + cap);
    struct packed *p = mem_alloc(size);

    if (p != NULL)
        *p = (struct packed){.words = words_of(size)};
    return p;
}

struct packed *packed_copy(const struct packed *p) {
    struct packed *copy = packed_new(p->used);

    if (copy != NULL) {
        memcpy(copy->data, p->data, p->used);
        copy->used = p->used;
    }
    return copy;
}

static struct packed *packed_resize(struct packed *p, size_t cap) {
    size_t size = mem_good_size(sizeof(*p) + cap);
    struct packed *moved = mem_realloc(p, size);

    if (moved != NULL)
        moved->words = words_of(size);
    return moved;
}

struct slice packed_get(const struct packed *p, size_t at, size_t *next) {
    size_t len = 0, start = at;
    unsigned shift = 0;
    unsigned char byte;

    do {
        byte = p->data[at++];
        len |= (size_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    *next = at + len + varint_size(at + len - start);
    return slice_of(p->data + at, len);
}

size_t packed_prev(const struct packed *p, size_t at) {
    size_t front = 0;
    unsigned shift = 0;
    unsigned char byte;

    do {
        byte = p->data[--at];
        front |= (size_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    return at - front;
}

/* Opens a gap of `size` bytes at `at`. */
static struct packed *packed_open(struct packed *p, size_t at, size_t size) {
    if (size > UINT32_MAX - p->used)
        return NULL;
    if (p->used + size > cap_of(p) && (p = packed_resize(p, p->used + size)) == NULL)
        return NULL;
    memmove(p->data + at + size, p->data + at, p->used - at);
    p->used += (uint32_t)size;
    return p;
}

struct packed *packed_insert(struct packed *p, size_t at, struct slice element) {
    size_t front;

    p = packed_open(p, at, packed_size(element.len));
    if (p == NULL)
        return NULL;
    front = varint_write(p->data + at, element.len);
    if (element.len > 0)
        memcpy(p->data + at + front, element.ptr, element.len);
    front += element.len;
    back_write(p->data + at + front, front);
    return p;
}

struct packed *packed_insert_raw(struct packed *p, size_t at, const unsigned char *bytes, size_t len) {
    p = packed_open(p, at, len);
    if (p != NULL && len > 0)
        memcpy(p->data + at, bytes, len);
    return p;
}

struct packed *packed_erase(struct packed *p, size_t from, size_t to) {
    struct packed *moved;

    memmove(p->data + from, p->data + to, p->used - to);
    p->used -= (uint32_t)(to - from);
    if (cap_of(p) < 64 || p->used >= cap_of(p) / 2)
        return p;
    moved = packed_resize(p, p->used + p->used / 4);
    return moved != NULL ? moved : p;
}

/* Each command may reallocate it. */
size_t packed_need(const struct packed *p, const struct edits *e, size_t elements, size_t longest) {
    enum { LENGTHS = 2 * 5 }; /* bytes of both lengths of an element, each of up to 32 bits */
    size_t grown = (p != NULL ? p->used : 0) + e->bytes + (LENGTHS + sizeof(double)) * e->elements;
    size_t most = (elements + 1) * (longest + LENGTHS), used = grown < most ? grown : most;

    return e->commands * (used + used / 4 + sizeof(*p) + 64 + MEM_RESERVE_BLOCK);
}
