/* deadlines.h - the blocked connections of a loop whose commands have a timeout: a binary heap, the earliest on top.
 * Private to resp; only the loop's thread touches it. */
#ifndef FLASHKV_RESP_DEADLINES_H
#define FLASHKV_RESP_DEADLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;

struct deadline {
    int64_t at_ms; /* monotonic */
    struct conn *conn;
};

struct deadlines {
    struct deadline *heap;
    size_t count, cap;
};

void deadlines_free(struct deadlines *d);
/* Adds a deadline for a connection without one. False: no memory. */
bool deadlines_add(struct deadlines *d, struct conn *c, int64_t at_ms);
/* Removes the connection's deadline, if it has one. */
void deadlines_remove(struct deadlines *d, struct conn *c);
/* The timeout for epoll_wait until the earliest deadline, in ms; -1: none. */
int deadlines_wait_ms(const struct deadlines *d);
/* Removes and returns a connection whose deadline has passed. NULL: none. */
struct conn *deadlines_next_due(struct deadlines *d, int64_t now_ms);

#endif
