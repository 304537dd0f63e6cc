/* deadlines.c - the timeouts of blocked commands, as a binary heap. */
#include "deadlines.h"

#include <flashkv/clock.h>
#include <flashkv/mem.h>
#include <limits.h>

#include "conn.h"

enum { CAP_FIRST = 16 };

void deadlines_free(struct deadlines *d) {
    mem_free(d->heap);
    *d = (struct deadlines){0};
}

/* A connection stores its index, counted from 1, so that it can be removed from the middle. */
static void put(struct deadlines *d, size_t at, struct deadline what) {
    d->heap[at] = what;
    what.conn->deadline_place = (uint32_t)at + 1;
}

static void move_up(struct deadlines *d, size_t at, struct deadline what) {
    for (size_t above; at > 0 && d->heap[above = (at - 1) / 2].at_ms > what.at_ms; at = above)
        put(d, at, d->heap[above]);
    put(d, at, what);
}

static void move_down(struct deadlines *d, size_t at, struct deadline what) {
    for (size_t below; (below = 2 * at + 1) < d->count; at = below) {
        if (below + 1 < d->count && d->heap[below + 1].at_ms < d->heap[below].at_ms)
            below++;
        if (d->heap[below].at_ms >= what.at_ms)
            break;
        put(d, at, d->heap[below]);
    }
    put(d, at, what);
}

bool deadlines_add(struct deadlines *d, struct conn *c, int64_t at_ms) {
    if (!mem_room(d->heap, d->count, d->cap, CAP_FIRST))
        return false;
    move_up(d, d->count++, (struct deadline){at_ms, c});
    return true;
}

void deadlines_remove(struct deadlines *d, struct conn *c) {
    size_t at = c->deadline_place;
    struct deadline last;

    if (at-- == 0)
        return;
    c->deadline_place = 0;
    last = d->heap[--d->count];
    if (at == d->count)
        return;
    if (at > 0 && d->heap[(at - 1) / 2].at_ms > last.at_ms)
        move_up(d, at, last);
    else
        move_down(d, at, last);
}

int deadlines_wait_ms(const struct deadlines *d) {
    int64_t left;

    if (d->count == 0)
        return -1;
    left = d->heap[0].at_ms - clock_mono_ns() / 1000000; /* rounded down, as in the comparison */
    if (left < 0)
        return 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}

struct conn *deadlines_next_due(struct deadlines *d, int64_t now_ms) {
    struct conn *c;

    if (d->count == 0 || d->heap[0].at_ms > now_ms)
        return NULL;
    c = d->heap[0].conn;
    deadlines_remove(d, c);
    return c;
}
