/* resume.c - a lock-free stack of arrivals, and two queues behind it. */
#include "resume.h"

void resume_init(struct resume_queue *q) {
    atomic_init(&q->came, NULL);
    for (size_t kind = 0; kind < RESUME_KINDS; kind++) {
        q->waiting[kind].first = NULL;
        q->waiting[kind].end = &q->waiting[kind].first;
    }
}

void resume_add(struct resume_queue *q, struct resumption *r) {
    r->next = atomic_load_explicit(&q->came, memory_order_relaxed);
    while (!atomic_compare_exchange_weak(&q->came, &r->next, r))
        ;
}

bool resume_waits(const struct resume_queue *q) {
    for (size_t kind = 0; kind < RESUME_KINDS; kind++)
        if (q->waiting[kind].first != NULL)
            return true;
    return atomic_load_explicit(&q->came, memory_order_relaxed) != NULL;
}

/* Moves the arrivals to the ends of the queues, in the order in which they were added. */
static void sort_in(struct resume_queue *q) {
    struct resumption *r = atomic_exchange(&q->came, NULL), *in_order = NULL, *next;

    for (; r != NULL; r = next) {
        next = r->next;
        r->next = in_order;
        in_order = r;
    }
    for (r = in_order; r != NULL; r = next) {
        next = r->next;
        r->next = NULL;
        *q->waiting[r->kind].end = r;
        q->waiting[r->kind].end = &r->next;
    }
}

struct resumption *resume_next(struct resume_queue *q, enum resume_kind kind) {
    struct resumption *r;

    if (atomic_load_explicit(&q->came, memory_order_relaxed) != NULL)
        sort_in(q);
    r = q->waiting[kind].first;
    if (r == NULL)
        return NULL;
    q->waiting[kind].first = r->next;
    if (r->next == NULL)
        q->waiting[kind].end = &q->waiting[kind].first;
    return r;
}
