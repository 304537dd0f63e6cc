/* packed.c - the small-collection encoding; the drawing is in packed.h. */
#include "packed.h"

#include <flashkv/mem.h>

enum { CAP_MAX = INT32_MAX };

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

/* Written so that reading from the last byte backwards gives the low bits first. */
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

size_t packed_footprint(const struct packed *p) {
    return mem_good_size(sizeof(*p) + p->cap);
}

/* Of an allocation of so many bytes. */
static uint32_t cap_of(size_t size) {
    size_t cap = size - sizeof(struct packed);

    return cap < CAP_MAX ? (uint32_t)cap : CAP_MAX;
}

struct packed *packed_new(size_t cap) {
    size_t size = mem_good_size(sizeof(struct packed) + cap);
    struct packed *p = mem_alloc(size);

    if (p != NULL)
        *p = (struct packed){.cap = cap_of(size)};
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
        moved->cap = cap_of(size);
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
    if (size > CAP_MAX - p->used)
        return NULL;
    if (p->used + size > p->cap && (p = packed_resize(p, p->used + size)) == NULL)
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
    if (p->cap < 64 || p->used >= p->cap / 2)
        return p;
    moved = packed_resize(p, p->used + p->used / 4);
    return moved != NULL ? moved : p;
}
