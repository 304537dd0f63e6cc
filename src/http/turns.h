/* turns.h - threads that share processors, and connections that share a thread, let each other have turns. Private to http.
 *
 * A thread whose work goes on and on (a batch, streams to be resumed) is the kernel's to take off its processor, which it does
 * after 3 or 4 ms, whoever waits. So between two turns of such work the thread asks whether another of its crew waits for a
 * processor, and yields its own if one does. Those that wait are known by where they stand:
 *
 *   - one says that it sleeps, but its epoll descriptor, which poll(2) can be asked about, has something for it: it was woken,
 *     and has not come to say that it runs;
 *   - one says that it runs, on the processor that we run on: it was stopped in its midst, by us for all we know;
 *   - one has yielded, as we do, with something left to do.
 *
 * Yielding unasked would be wrong: the kernel gives the processor to whoever else wants it (a busy Redis client's thread, say),
 * for as long as it likes, and a batch would be done a turn at a time between.
 *
 * Within a thread a turn is what it does between two looks at who has come. What can stop in its midst does so when the turn has
 * taken TURN_NS (turns_over), and is resumed in the next. */
#ifndef FLASHKV_HTTP_TURNS_H
#define FLASHKV_HTTP_TURNS_H

#include <flashkv/clock.h>
#include <stdatomic.h>
#include <stdbool.h>

struct epoll_event;

enum {
    TURN_NS = 100000,
    TURNS_ASKED = 64, /* of those that sleep; some 0.1 us each */
};

/* Where a thread stands; 0 and above: it runs, and on this processor when its turn began. */
enum { TURNS_SLEEPS = -1, TURNS_YIELDED = -2 };

/* Threads that do the same work. All zero: none yet. */
struct crew {
    struct turns *_Atomic first;
};

struct turns {
    struct crew *crew;
    struct turns *next; /* in the crew */
    int epoll;
    _Atomic int stands;
    int64_t began; /* clock_ticks of the turn; the thread's own */
};

void turns_init(struct turns *t, struct crew *crew, int epoll);
/* Has the others ask for it too. `t` and its descriptor stay as long as any of the crew runs. Any thread. */
void turns_join(struct turns *t);

/* The thread's own, as all below. Has this turn taken its time? */
static inline bool turns_over(const struct turns *t) {
    return clock_ticks_ns(clock_ticks() - t->began) > TURN_NS;
}
/* Does another of the crew wait for a processor? `processor`: on which this one runs. */
bool turns_wanted(const struct turns *t, int processor);
/* Ends a turn and begins the next: net_wait, before which a thread that would not wait (timeout 0: it has more to do) yields its
 * processor if it is wanted. */
int turns_next(struct turns *t, struct epoll_event *events, int room, int timeout_ms);

#endif
