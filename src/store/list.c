/* list.c - a ring of chunks; flashkv/list.h explains it.
 *
 *     ring   head                                          counts beside it, so that finding an index reads
 *     +----+------+------+------+----+                     numbers that lie side by side
 *     |    |  c0  |  c1  |  c2  |    |   packed chunks
 *     |    |  12  | 200  |  31  |    |   counts
 *     +----+------+------+------+----+
 *
 * An element of 16 bytes takes 18 in its chunk (packed.h) and next to nothing outside of it. No chunk is empty. */
#include <assert.h>
#include <flashkv/entry.h>
#include <flashkv/list.h>
#include <flashkv/mem.h>

#include "packed.h"
#include "view_impl.h"

enum {
    /* Bytes of elements, unless a single one is larger: with the header they fill two pages, a size class of allocators. */
    CHUNK_MAX = 8192 - sizeof(struct packed),
    CHUNK_MERGE = CHUNK_MAX / 2 /* neighbours that fit in this together become one */
};

struct list {
    struct object object;
    size_t len;   /* elements */
    size_t bytes; /* of all chunks and the ring */
    struct packed **chunks;
    uint32_t *counts;         /* behind the chunks, in the same allocation */
    uint32_t head, used, cap; /* of the ring; cap is a power of two */
};

/* ---- the ring ---------------------------------------------------------------------------------------------- */

static size_t ring_size(size_t cap) {
    return cap * (sizeof(struct packed *) + sizeof(uint32_t));
}

static uint32_t ring_at(const struct list *l, size_t i) {
    return (l->head + (uint32_t)i) & (l->cap - 1);
}

static struct packed *chunk_at(const struct list *l, size_t i) {
    return l->chunks[ring_at(l, i)];
}

static uint32_t *count_at(const struct list *l, size_t i) {
    return &l->counts[ring_at(l, i)];
}

static void ring_put(struct list *l, size_t i, struct packed *chunk, uint32_t count) {
    uint32_t at = ring_at(l, i);

    l->chunks[at] = chunk;
    l->counts[at] = count;
}

static bool ring_double(struct list *l) {
    uint32_t cap = l->cap > 0 ? 2 * l->cap : 1;
    struct packed **chunks = mem_alloc(ring_size(cap));
    uint32_t *counts = (uint32_t *)(chunks + cap);

    if (chunks == NULL)
        return false;
    for (uint32_t i = 0; i < l->used; i++) {
        chunks[i] = chunk_at(l, i);
        counts[i] = *count_at(l, i);
    }
    l->bytes += mem_good_size(ring_size(cap)) - mem_good_size(ring_size(l->cap));
    mem_free(l->chunks);
    l->chunks = chunks;
    l->counts = counts;
    l->head = 0;
    l->cap = cap;
    return true;
}

/* Inserts a chunk at logical index `i`, moving the shorter side of the ring. False: no memory. */
static bool ring_insert(struct list *l, size_t i, struct packed *chunk, uint32_t count) {
    if (l->used == l->cap && !ring_double(l))
        return false;
    l->used++;
    if (i < l->used / 2) {
        l->head = (l->head - 1) & (l->cap - 1);
        for (size_t k = 0; k < i; k++)
            ring_put(l, k, chunk_at(l, k + 1), *count_at(l, k + 1));
    } else {
        for (size_t k = l->used - 1; k > i; k--)
            ring_put(l, k, chunk_at(l, k - 1), *count_at(l, k - 1));
    }
    ring_put(l, i, chunk, count);
    l->bytes += packed_footprint(chunk);
    return true;
}

/* Removes chunk `i` from the ring and frees it; subtracts its elements from `len`. */
static void ring_remove(struct list *l, size_t i) {
    struct packed *chunk = chunk_at(l, i);

    l->bytes -= packed_footprint(chunk);
    l->len -= *count_at(l, i);
    if (!chunk->viewed || !l->object.viewed || !view_takes_chunk(l->object.view, chunk))
        mem_free(chunk);
    if (i < l->used / 2) {
        for (size_t k = i; k > 0; k--)
            ring_put(l, k, chunk_at(l, k - 1), *count_at(l, k - 1));
        l->head = (l->head + 1) & (l->cap - 1);
    } else {
        for (size_t k = i; k + 1 < l->used; k++)
            ring_put(l, k, chunk_at(l, k + 1), *count_at(l, k + 1));
    }
    l->used--;
}

/* ---- chunks ------------------------------------------------------------------------------------------------ */

/* To be called before the bytes of a chunk change (view_impl.h). */
static void chunk_changes(struct list *l, size_t i) {
    struct packed *chunk = chunk_at(l, i);

    if (chunk->viewed && l->object.viewed)
        view_keeps_chunk(l->object.view, chunk);
}

static bool chunk_has_room(const struct list *l, size_t i, size_t len) {
    return i < l->used && chunk_at(l, i)->used + packed_size(len) <= CHUNK_MAX;
}

/* Writes an element at byte `at` of chunk `i`. False: no memory. */
static bool chunk_insert(struct list *l, size_t i, size_t at, struct slice element) {
    size_t before = packed_footprint(chunk_at(l, i));
    struct packed *chunk;

    chunk_changes(l, i);
    chunk = packed_insert(chunk_at(l, i), at, element);
    if (chunk == NULL)
        return false;
    ring_put(l, i, chunk, *count_at(l, i) + 1);
    l->bytes += packed_footprint(chunk) - before;
    l->len++;
    return true;
}

/* Removes the `n` elements in bytes [from, to) of chunk `i`, and the chunk if it is then empty. True: it was removed. */
static bool chunk_erase(struct list *l, size_t i, size_t from, size_t to, uint32_t n) {
    size_t before = packed_footprint(chunk_at(l, i));
    struct packed *chunk;

    if (n == *count_at(l, i)) {
        ring_remove(l, i);
        return true;
    }
    chunk_changes(l, i);
    chunk = packed_erase(chunk_at(l, i), from, to);
    ring_put(l, i, chunk, *count_at(l, i) - n);
    l->bytes += packed_footprint(chunk) - before;
    l->len -= n;
    return false;
}

/* Inserts a new chunk with one element at index `i` of the ring. False: no memory. */
static bool chunk_add(struct list *l, size_t i, struct slice element) {
    struct packed *chunk = packed_new(packed_size(element.len)), *filled;

    if (chunk == NULL)
        return false;
    filled = packed_insert(chunk, 0, element);
    if (filled != NULL && ring_insert(l, i, filled, 1)) {
        l->len++;
        return true;
    }
    mem_free(filled != NULL ? filled : chunk);
    return false;
}

/* Splits chunk `i` at byte `at`, before its element `nth`: the rest becomes chunk i + 1. False: no memory. */
static bool chunk_split(struct list *l, size_t i, size_t at, uint32_t nth) {
    struct packed *left = chunk_at(l, i);
    uint32_t rest = *count_at(l, i) - nth;
    struct packed *right = packed_new(left->used - at), *filled;

    if (right == NULL)
        return false;
    filled = packed_insert_raw(right, 0, left->data + at, left->used - at);
    if (filled == NULL || !ring_insert(l, i + 1, filled, rest)) {
        mem_free(filled != NULL ? filled : right);
        return false;
    }
    l->len += rest; /* chunk_erase subtracts them again */
    chunk_erase(l, i, at, left->used, rest);
    return true;
}

/* Merges chunks i and i + 1 if they are small. It is no failure if there is no memory for that. */
static void chunk_merge(struct list *l, size_t i) {
    struct packed *left, *right;
    uint32_t count;
    size_t before;

    if (i + 1 >= l->used)
        return;
    left = chunk_at(l, i);
    right = chunk_at(l, i + 1);
    if (left->used + right->used > CHUNK_MERGE)
        return;
    before = packed_footprint(left);
    chunk_changes(l, i);
    left = packed_insert_raw(left, left->used, right->data, right->used);
    if (left == NULL)
        return;
    count = *count_at(l, i + 1);
    ring_put(l, i, left, *count_at(l, i) + count);
    l->bytes += packed_footprint(left) - before;
    ring_remove(l, i + 1);
    l->len += count; /* ring_remove subtracted them, but they are in the left chunk now */
}

/* ---- finding an element ------------------------------------------------------------------------------------ */

/* A position in the list: byte `at` of chunk `chunk`, before that chunk's element `nth`. */
struct place {
    size_t chunk, at;
    uint32_t nth;
};

/* The chunk of element `index`; *nth is its index within the chunk. Walks the counts from the nearer end. */
static size_t find_chunk(const struct list *l, size_t index, uint32_t *nth) {
    size_t i = 0, first = 0;

    if (index < l->len / 2) {
        while (index - first >= *count_at(l, i))
            first += *count_at(l, i++);
    } else {
        for (i = l->used - 1, first = l->len - *count_at(l, i); index < first;)
            first -= *count_at(l, --i);
    }
    *nth = (uint32_t)(index - first);
    return i;
}

/* The byte offset of element `nth` of a chunk, walking from the nearer end; nth == count gives the end. */
static size_t find_byte(const struct packed *chunk, uint32_t count, uint32_t nth) {
    size_t at = 0;

    if (nth <= count / 2) {
        for (; nth > 0; nth--)
            packed_get(chunk, at, &at);
    } else {
        for (at = chunk->used; nth < count; nth++)
            at = packed_prev(chunk, at);
    }
    return at;
}

/* The place of `index` (< len). */
static struct place find_place(const struct list *l, size_t index) {
    struct place p;

    p.chunk = find_chunk(l, index, &p.nth);
    p.at = find_byte(chunk_at(l, p.chunk), *count_at(l, p.chunk), p.nth);
    return p;
}

/* ---- the list ---------------------------------------------------------------------------------------------- */

struct list *list_new(void) {
    struct list *l = mem_zalloc(sizeof(*l));

    if (l != NULL) {
        l->object.type = TYPE_LIST;
        l->bytes = mem_good_size(sizeof(*l));
    }
    return l;
}

void list_free(struct list *l) {
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->used; i++)
        mem_free(chunk_at(l, i));
    mem_free(l->chunks);
    mem_free(l);
}

struct list *list_copy(const struct list *l) {
    struct list *copy = list_new();

    for (size_t i = 0; copy != NULL && i < l->used; i++) {
        struct packed *chunk = packed_copy(chunk_at(l, i));

        if (chunk != NULL && ring_insert(copy, i, chunk, *count_at(l, i))) {
            copy->len += *count_at(l, i);
            continue;
        }
        mem_free(chunk);
        list_free(copy);
        copy = NULL;
    }
    return copy;
}

size_t list_len(const struct list *l) {
    return l->len;
}

size_t list_chunks(const struct list *l, struct viewed_chunk *chunks) {
    for (size_t i = 0; chunks != NULL && i < l->used; i++) {
        chunks[i] = (struct viewed_chunk){.chunk = chunk_at(l, i)};
        chunks[i].chunk->viewed = true;
    }
    return l->used;
}

size_t list_bytes(const struct list *l) {
    return l->bytes;
}

/* Each command may move a chunk, split it, or add one at either end; and the ring may double repeatedly. */
size_t list_need(const struct list *l, const struct edits *e) {
    size_t grown = (l->used > 0 ? (size_t)CHUNK_MAX : 0) + 2 * e->bytes + NEED_ENTRY * e->elements;
    size_t chunk = grown < CHUNK_MAX ? grown : CHUNK_MAX;
    size_t chunks = l->used + e->elements + 2 * e->commands;
    size_t ring = chunks > l->cap ? 4 * ring_size(2 * chunks) : 0;

    return 3 * e->commands * (chunk + NEED_ENTRY) + 2 * need_entries(e->elements, e->bytes) + ring;
}

bool list_push(struct list *l, enum list_end end, struct slice element) {
    size_t i = end == LIST_HEAD || l->used == 0 ? 0 : l->used - 1;

    if (chunk_has_room(l, i, element.len))
        return chunk_insert(l, i, end == LIST_HEAD ? 0 : chunk_at(l, i)->used, element);
    return chunk_add(l, end == LIST_HEAD ? 0 : l->used, element);
}

bool list_peek(const struct list *l, enum list_end end, struct slice *out) {
    if (l->len == 0)
        return false;
    *out = list_at(l, end == LIST_HEAD ? 0 : l->len - 1);
    return true;
}

void list_drop(struct list *l, enum list_end end, size_t n) {
    if (n > l->len)
        n = l->len;
    list_erase(l, end == LIST_HEAD ? 0 : l->len - n, n);
}

struct slice list_at(const struct list *l, size_t index) {
    struct place p = find_place(l, index);
    size_t next;

    assert(index < l->len);
    return packed_get(chunk_at(l, p.chunk), p.at, &next);
}

bool list_insert(struct list *l, size_t index, struct slice element) {
    struct place p;

    if (index == 0 || index == l->len)
        return list_push(l, index == 0 ? LIST_HEAD : LIST_TAIL, element);
    p = find_place(l, index);
    if (chunk_has_room(l, p.chunk, element.len))
        return chunk_insert(l, p.chunk, p.at, element);
    if (p.nth == 0 && chunk_has_room(l, p.chunk - 1, element.len))
        return chunk_insert(l, p.chunk - 1, chunk_at(l, p.chunk - 1)->used, element);
    if (p.nth > 0 && !chunk_split(l, p.chunk, p.at, p.nth))
        return false;
    return chunk_add(l, p.nth > 0 ? p.chunk + 1 : p.chunk, element);
}

void list_erase(struct list *l, size_t index, size_t n) {
    while (n > 0) {
        struct place p = find_place(l, index);
        uint32_t count = *count_at(l, p.chunk), rest = count - p.nth;
        uint32_t here = n < rest ? (uint32_t)n : rest;
        size_t to = find_byte(chunk_at(l, p.chunk), count, p.nth + here);

        n -= here;
        if (!chunk_erase(l, p.chunk, p.at, to, here) && n == 0) {
            chunk_merge(l, p.chunk);
            if (p.chunk > 0)
                chunk_merge(l, p.chunk - 1);
        }
    }
}

bool list_set(struct list *l, size_t index, struct slice element) {
    struct place p = find_place(l, index);
    struct packed *chunk = chunk_at(l, p.chunk);
    struct slice old;
    size_t next;

    chunk_changes(l, p.chunk);
    old = packed_get(chunk, p.at, &next);
    if (old.len == element.len) {
        memmove(chunk->data + ((const unsigned char *)old.ptr - chunk->data), element.ptr, element.len);
        return true;
    }
    /* Insert first: it is what can fail. */
    if (!list_insert(l, index, element))
        return false;
    list_erase(l, index + 1, 1);
    return true;
}

/* ---- walking ----------------------------------------------------------------------------------------------- */

struct list_iter list_iter_at(const struct list *l, size_t index, enum list_end from) {
    struct list_iter it = {.list = l, .from = from};
    struct place p;

    if (index >= l->len) {
        it.chunk = l->used;
        return it;
    }
    p = find_place(l, index);
    it.chunk = p.chunk;
    it.offset = p.at;
    if (from == LIST_TAIL) /* a walk to the head is positioned after its next element */
        packed_get(chunk_at(l, p.chunk), p.at, &it.offset);
    return it;
}

bool list_iter_next(struct list_iter *it, struct slice *out) {
    const struct list *l = it->list;
    size_t next;

    if (it->chunk >= l->used)
        return false;
    if (it->from == LIST_HEAD && it->offset == chunk_at(l, it->chunk)->used) {
        if (++it->chunk == l->used)
            return false;
        it->offset = 0;
    } else if (it->from == LIST_TAIL && it->offset == 0) {
        if (it->chunk-- == 0) /* wraps to an index without a chunk: the end */
            return false;
        it->offset = chunk_at(l, it->chunk)->used;
    }
    if (it->from == LIST_HEAD) {
        *out = packed_get(chunk_at(l, it->chunk), it->offset, &it->offset);
    } else {
        it->offset = packed_prev(chunk_at(l, it->chunk), it->offset);
        *out = packed_get(chunk_at(l, it->chunk), it->offset, &next);
    }
    return true;
}

void list_iter_erase(struct list *l, struct list_iter *it) {
    size_t from = it->offset, to = it->offset;

    if (it->from == LIST_HEAD)
        from = packed_prev(chunk_at(l, it->chunk), to);
    else
        packed_get(chunk_at(l, it->chunk), from, &to);
    it->offset = from;
    if (!chunk_erase(l, it->chunk, from, to, 1))
        return;
    /* The chunk was removed; the next one of the walk has its index, or the one before. */
    if (it->from == LIST_HEAD) {
        it->offset = 0;
    } else if (it->chunk-- > 0) {
        it->offset = chunk_at(l, it->chunk)->used;
    }
}
