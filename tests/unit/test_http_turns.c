/* Whether a thread that has more to do is wanted off its processor. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "http/turns.h"
#include "unit.h"

enum { HERE = 3, ELSEWHERE = 4 };

static struct crew crew;
static struct turns own, other;
static int event; /* that wakes the other */

/* As a worker has it: over the daemon's descriptor, which is one of epoll too. */
static int nested_epoll(int fd) {
    int outer = epoll_create1(EPOLL_CLOEXEC), inner = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN};

    ck_assert_int_eq(epoll_ctl(inner, EPOLL_CTL_ADD, fd, &e), 0);
    ck_assert_int_eq(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &e), 0);
    return outer;
}

static void begin(void) {
    crew = (struct crew){NULL};
    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    turns_init(&own, &crew, epoll_create1(EPOLL_CLOEXEC));
    turns_init(&other, &crew, nested_epoll(event));
    turns_join(&own);
    atomic_store(&own.stands, HERE);
}

static void wake(void) {
    uint64_t one = 1;

    ck_assert_int_eq(write(event, &one, sizeof(one)), sizeof(one));
}

/* Nobody else is there, or is only about to be. */
START_TEST(alone) {
    ck_assert(!turns_wanted(&own, HERE));
    wake();
    ck_assert(!turns_wanted(&own, HERE));
}
END_TEST

START_TEST(one_sleeps) {
    turns_join(&other);
    ck_assert(!turns_wanted(&own, HERE));
    wake();
    ck_assert(turns_wanted(&own, HERE));
    atomic_store(&other.stands, ELSEWHERE); /* it has begun */
    ck_assert(!turns_wanted(&own, HERE));
}
END_TEST

START_TEST(one_was_stopped) {
    turns_join(&other);
    atomic_store(&other.stands, HERE);
    ck_assert(turns_wanted(&own, HERE));
    ck_assert(!turns_wanted(&own, ELSEWHERE)); /* we have been moved, and not it */
}
END_TEST

START_TEST(one_yielded) {
    turns_join(&other);
    atomic_store(&other.stands, TURNS_YIELDED);
    ck_assert(turns_wanted(&own, HERE));
}
END_TEST

/* More sleep than are asked: no room is overrun. */
START_TEST(many_sleep) {
    static struct turns all[2 * TURNS_ASKED];

    turns_join(&other);
    for (int i = 0; i < 2 * TURNS_ASKED; i++) {
        turns_init(&all[i], &crew, own.epoll);
        turns_join(&all[i]);
    }
    ck_assert(!turns_wanted(&own, HERE));
    atomic_store(&all[0].stands, TURNS_YIELDED); /* the last but two */
    ck_assert(turns_wanted(&own, HERE));
}
END_TEST

/* It waits as long as it was told, and says where it stands. */
START_TEST(next) {
    struct epoll_event e;

    turns_join(&other);
    ck_assert_int_eq(turns_next(&other, &e, 1, 0), 0);
    ck_assert_int_ge(atomic_load(&other.stands), 0);
    ck_assert_int_eq(turns_next(&other, &e, 1, 1), 0);
    ck_assert_int_ge(atomic_load(&other.stands), 0);
    wake();
    ck_assert_int_eq(turns_next(&other, &e, 1, -1), 1);
    atomic_store(&own.stands, TURNS_YIELDED); /* it lets it in, and goes on */
    ck_assert_int_eq(turns_next(&other, &e, 1, 0), 1);
    ck_assert_int_ge(atomic_load(&other.stands), 0);
}
END_TEST

START_TEST(over) {
    own.began = clock_ticks() + ((int64_t)1 << 50); /* far ahead */
    ck_assert(!turns_over(&own));
    own.began = clock_ticks();
    while (clock_ticks_ns(clock_ticks() - own.began) <= TURN_NS)
        ;
    ck_assert(turns_over(&own));
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("http_turns");
    TCase *t = tcase_create("turns");

    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, begin, NULL);
    tcase_add_test(t, alone);
    tcase_add_test(t, one_sleeps);
    tcase_add_test(t, one_was_stopped);
    tcase_add_test(t, one_yielded);
    tcase_add_test(t, many_sleep);
    tcase_add_test(t, next);
    tcase_add_test(t, over);
    return s;
}
