/* turns.h - how threads share processors, and connections a thread: in turns. Private to http.
 *
 * A thread with continuous work (a batch, streams to be resumed) keeps its processor until the kernel preempts it, after 3 or
 * 4 ms, even if others wait. So between two turns of such work the thread checks whether another of its crew waits for a
 * processor, and if so yields its own. A thread waits if
 *
 *   - it is recorded as asleep, but its epoll descriptor is ready, which poll(2) can tell: it was woken, and has not run since;
 *   - it is recorded as running on our processor: it was preempted, perhaps by us;
 *   - it has yielded, as we do, with work left to do.
 *
 * To yield unconditionally would be wrong: the kernel gives the processor to any other process that wants it (a busy Redis
 * client, say) for as long as it likes, and a batch would advance one turn each time.
 *
 * A thread's turn is the time between two looks for new events. Work that can be interrupted stops when the turn has lasted
 * TURN_NS (turns_over), and continues in the next one. */
#ifndef FLASHKV_HTTP_TURNS_H
#define FLASHKV_HTTP_TURNS_H

#include <flashkv/clock.h>
#include <stdatomic.h>
#include <stdbool.h>

struct epoll_event;

enum {
    TURN_NS = 100000,
    TURNS_ASKED = 64, /* sleeping threads that are polled at most; some 0.1 us each */
};

/* A thread's state; 0 and above: it runs, on this processor when its turn began. */
enum { TURNS_SLEEPS = -1, TURNS_YIELDED = -2 };

/* Threads that do the same work. All zero: empty. */
struct crew {
    struct turns *_Atomic first;
};

struct turns {
    struct crew *crew;
    struct turns *next; /* when the turn began, by clock_ticks; the thread's own */
    int epoll;
    _Atomic int stands;
    int64_t began; /* clock_ticks of the turn; the thread's own */
};

void turns_init(struct turns *t, struct crew *crew, int epoll);
/* Makes the thread visible to its crew. `t` and its descriptor must live as long as any of the crew runs. Any thread. */
void turns_join(struct turns *t);

/* This function and those below: the thread itself only. Has this turn lasted long enough? */
static inline bool turns_over(const struct turns *t) {
    return clock_ticks_ns(clock_ticks() - t->began) > TURN_NS;
}
/* Does another of the crew wait for a processor? `processor`: the one that this thread runs on. */
bool turns_wanted(const struct turns *t, int processor);
/* Ends a turn and begins the next one: as net_wait, but with timeout_ms 0 (there is more work) it first yields the processor if
 * another thread waits for it. */
int turns_next(struct turns *t, struct epoll_event *events, int room, int timeout_ms);

#endif
