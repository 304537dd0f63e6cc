/* The clocks: their units, that one never goes back, and that tests can move the other. */
#include <flashkv/clock.h>
#include <time.h>

#include "unit.h"

START_TEST(wall_time_is_since_1970) {
    int64_t before = time(NULL), ms = clock_wall_ms(), us = clock_wall_us(), after = clock_wall_ms();

    ck_assert_int_ge(ms / 1000, before - 1);
    ck_assert_int_le(ms, us / 1000);
    ck_assert_int_le(us / 1000, after);
}
END_TEST

START_TEST(monotonic_time_does_not_go_back) {
    int64_t last = clock_mono_ns();

    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_mono_ns();

        ck_assert_int_ge(now, last);
        last = now;
    }
}
END_TEST

START_TEST(shifts_add_up_and_leave_the_monotonic_clock_alone) {
    enum { HOUR_MS = 3600000 };
    int64_t wall = clock_wall_ms(), mono = clock_mono_ns();

    clock_shift_ms(2 * HOUR_MS);
    clock_shift_ms(-HOUR_MS);
    ck_assert_int_ge(clock_wall_ms(), wall + HOUR_MS);
    ck_assert_int_lt(clock_wall_ms(), wall + 2 * HOUR_MS);
    ck_assert_int_lt(clock_mono_ns(), mono + HOUR_MS * INT64_C(1000000));
}
END_TEST

START_TEST(wall_time_is_never_before_1) {
    clock_shift_ms(-clock_wall_ms() - 1000000);
    ck_assert_int_eq(clock_wall_ms(), 1);
    ck_assert_int_eq(clock_wall_us(), 1000);
}
END_TEST

START_TEST(deadlines_are_never_early) {
    enum { MS_NS = 1000000 };

    ck_assert_int_eq(clock_deadline_ms(0, 5), 5);
    ck_assert_int_eq(clock_deadline_ms(7 * MS_NS, 5), 12);
    ck_assert_int_eq(clock_deadline_ms(7 * MS_NS + 1, 5), 13);
    ck_assert_int_eq(clock_deadline_ms(8 * MS_NS - 1, 5), 13);
    ck_assert_int_eq(clock_deadline_ms(7 * MS_NS, INT64_MAX - 8), INT64_MAX - 1);
    ck_assert_int_eq(clock_deadline_ms(7 * MS_NS + 1, INT64_MAX - 8), INT64_MAX);
    ck_assert_int_eq(clock_deadline_ms(7 * MS_NS, INT64_MAX), INT64_MAX);
}
END_TEST

/* Each look at the ticks stands between two at the clock, whatever comes between. */
START_TEST(ticks_measure_the_same_as_the_clock) {
    enum { LONG_NS = 20000000 };
    int64_t before[2], after[2], ticks[2], measured;

    for (int i = 0; i < 2; i++) {
        before[i] = clock_mono_ns();
        ticks[i] = clock_ticks();
        after[i] = clock_mono_ns();
        while (clock_mono_ns() - after[0] < LONG_NS)
            continue;
    }
    measured = (int64_t)clock_ticks_ns(ticks[1] - ticks[0]);
    ck_assert_int_ge(measured, (before[1] - after[0]) / 50 * 49);
    ck_assert_int_le(measured, (after[1] - before[0]) / 50 * 51);
    ck_assert_uint_eq(clock_ticks_ns(-5), 0);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("clock");
    TCase *tc = tcase_create("clock");

    tcase_add_test(tc, wall_time_is_since_1970);
    tcase_add_test(tc, monotonic_time_does_not_go_back);
    tcase_add_test(tc, shifts_add_up_and_leave_the_monotonic_clock_alone);
    tcase_add_test(tc, wall_time_is_never_before_1);
    tcase_add_test(tc, deadlines_are_never_early);
    tcase_add_test(tc, ticks_measure_the_same_as_the_clock);
    suite_add_tcase(suite, tc);
    return suite;
}
