/* The locks: exclusion, sharing, counters, that a waiting writer is served before later readers, and (in
 * debug builds) that a wrong order aborts with both ranks. */
#include <flashkv/lock.h>
#include <flashkv/slice.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

enum { THREADS = 10, ROUNDS = 1000 };

static struct rwlock rw;
static struct mutex mutex;
static unsigned counter; /* guarded by the lock of the test */

static void setup(void) {
    rwlock_init(&rw, LOCK_RANK_SHARD);
    mutex_init(&mutex, LOCK_RANK_SHARD - 1);
}

static void teardown(void) {
    rwlock_destroy(&rw);
    mutex_destroy(&mutex);
}

static pthread_t start(void *(*f)(void *), void *arg) {
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, f, arg), 0);
    return thread;
}

static void run_many(void *(*f)(void *)) {
    pthread_t threads[THREADS];

    for (int t = 0; t < THREADS; t++)
        threads[t] = start(f, NULL);
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
}

static void wait_for_contended(uint64_t n) {
    while (rwlock_stats(&rw).contended < n)
        sched_yield();
}

/* ---- what they are for -------------------------------------------------------------------------------------- */

static void *count_under_mutex(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        mutex_lock(&mutex);
        counter++;
        mutex_unlock(&mutex);
    }
    return arg;
}

START_TEST(mutex_excludes) {
    run_many(count_under_mutex);
    ck_assert_uint_eq(counter, THREADS * ROUNDS);
}
END_TEST

static void *count_under_write_lock(void *arg) {
    for (int i = 0; i < ROUNDS; i++) {
        rwlock_wrlock(&rw);
        counter++;
        rwlock_wrunlock(&rw);
        rwlock_rdlock(&rw);
        ck_assert_uint_gt(counter, 0);
        rwlock_rdunlock(&rw);
    }
    return arg;
}

START_TEST(writers_exclude_and_every_lock_is_counted) {
    struct rwlock_stats stats;

    run_many(count_under_write_lock);
    ck_assert_uint_eq(counter, THREADS * ROUNDS);
    stats = rwlock_stats(&rw);
    ck_assert_uint_eq(stats.write_locks, THREADS * ROUNDS);
    ck_assert_uint_eq(stats.read_locks, THREADS * ROUNDS);
    ck_assert_uint_le(stats.contended, 2 * THREADS * ROUNDS);
    ck_assert_uint_eq(stats.readers, 0);
    ck_assert(!stats.writer);
}
END_TEST

static pthread_barrier_t inside;

static void *meet_inside(void *arg) {
    rwlock_rdlock(&rw);
    pthread_barrier_wait(&inside); /* would wait for ever if readers excluded each other */
    rwlock_rdunlock(&rw);
    return arg;
}

START_TEST(readers_share) {
    pthread_barrier_init(&inside, NULL, THREADS);
    run_many(meet_inside);
    pthread_barrier_destroy(&inside);
    ck_assert_uint_eq(rwlock_stats(&rw).read_locks, THREADS);
    ck_assert_uint_eq(rwlock_stats(&rw).contended, 0);
}
END_TEST

START_TEST(holders_are_seen) {
    rwlock_rdlock(&rw);
    ck_assert_uint_eq(rwlock_stats(&rw).readers, 1);
    ck_assert(!rwlock_stats(&rw).writer);
    rwlock_rdunlock(&rw);
    rwlock_wrlock(&rw);
    ck_assert_uint_eq(rwlock_stats(&rw).readers, 0);
    ck_assert(rwlock_stats(&rw).writer);
    rwlock_assert_held(&rw);
    rwlock_assert_held_shared(&rw);
    rwlock_stats_reset(&rw);
    ck_assert(rwlock_stats(&rw).writer);
    ck_assert_uint_eq(rwlock_stats(&rw).write_locks, 0);
    ck_assert_uint_eq(rwlock_stats(&rw).read_locks, 0);
    rwlock_wrunlock(&rw);
    ck_assert(!rwlock_stats(&rw).writer);
}
END_TEST

/* ---- waiting -------------------------------------------------------------------------------------------------- */

static _Atomic int arrivals;

static void *write_once(void *order) {
    rwlock_wrlock(&rw);
    *(int *)order = ++arrivals;
    rwlock_wrunlock(&rw);
    return NULL;
}

static void *read_once(void *order) {
    rwlock_rdlock(&rw);
    *(int *)order = ++arrivals;
    rwlock_rdunlock(&rw);
    return NULL;
}

START_TEST(a_lock_that_waits_counts_as_contended) {
    pthread_t thread;
    int order;

    rwlock_wrlock(&rw);
    ck_assert_uint_eq(rwlock_stats(&rw).contended, 0);
    thread = start(read_once, &order);
    wait_for_contended(1);
    rwlock_wrunlock(&rw);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(rwlock_stats(&rw).contended, 1);
    ck_assert_uint_eq(rwlock_stats(&rw).read_locks, 1);
    rwlock_stats_reset(&rw);
    ck_assert_uint_eq(rwlock_stats(&rw).contended, 0);
}
END_TEST

/* This thread reads, a writer comes to wait, then another reader comes. With a lock that prefers readers the
 * second wait would not end, for the waiting writer would hold nobody off. */
START_TEST(a_waiting_writer_goes_before_later_readers) {
    int writer_order = 0, reader_order = 0;
    pthread_t writer, reader;

    rwlock_rdlock(&rw);
    writer = start(write_once, &writer_order);
    wait_for_contended(1);
    reader = start(read_once, &reader_order);
    wait_for_contended(2);
    ck_assert_int_eq(arrivals, 0);
    rwlock_rdunlock(&rw);
    pthread_join(writer, NULL);
    pthread_join(reader, NULL);
    ck_assert_int_eq(writer_order, 1);
    ck_assert_int_eq(reader_order, 2);
}
END_TEST

/* Readers that overlap, so that there is always one inside, until the writer has had its turns. */
static _Atomic bool stream_over;

static void *read_on_and_on(void *arg) {
    while (!atomic_load(&stream_over)) {
        rwlock_rdlock(&rw);
        sched_yield();
        rwlock_rdunlock(&rw);
    }
    return arg;
}

static void *write_on_and_on(void *arg) {
    while (!atomic_load(&stream_over)) {
        rwlock_wrlock(&rw);
        counter++;
        rwlock_wrunlock(&rw);
    }
    return arg;
}

START_TEST(a_stream_of_readers_does_not_starve_a_writer) {
    pthread_t readers[THREADS];

    for (int t = 0; t < THREADS; t++)
        readers[t] = start(read_on_and_on, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        rwlock_wrlock(&rw);
        counter++;
        rwlock_wrunlock(&rw);
    }
    atomic_store(&stream_over, true);
    for (int t = 0; t < THREADS; t++)
        pthread_join(readers[t], NULL);
    ck_assert_uint_eq(counter, ROUNDS);
}
END_TEST

START_TEST(a_stream_of_writers_does_not_starve_a_reader) {
    pthread_t writers[THREADS];
    unsigned last = 0;

    for (int t = 0; t < THREADS; t++)
        writers[t] = start(write_on_and_on, NULL);
    for (int i = 0; i < ROUNDS || last == 0; i++) { /* until the stream runs, and then some */
        rwlock_rdlock(&rw);
        ck_assert_uint_ge(counter, last);
        last = counter;
        rwlock_rdunlock(&rw);
    }
    atomic_store(&stream_over, true);
    for (int t = 0; t < THREADS; t++)
        pthread_join(writers[t], NULL);
    ck_assert_uint_gt(counter, 0);
}
END_TEST

/* ---- the checks of debug builds -------------------------------------------------------------------------------- */

#ifdef FK_DEBUG

static struct rwlock higher;

/* Runs `f` in a process of its own, which has to abort and to say `why` first. */
static void check_aborts(void (*f)(void), const char *why) {
    char said[512] = "";
    int ends[2], status;
    size_t len = 0;
    ssize_t n;
    pid_t pid;

    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(ends[1], STDERR_FILENO);
        f();
        _exit(0);
    }
    close(ends[1]);
    while (len < sizeof(said) - 1 && (n = read(ends[0], said + len, sizeof(said) - 1 - len)) > 0)
        len += (size_t)n;
    close(ends[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "it did not abort");
    ck_assert_msg(strstr(said, why) != NULL, "it said: %s", said);
}

static void take_downwards(void) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_rdlock(&higher);
    rwlock_wrlock(&rw);
}

static void take_mutex_inside(void) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_wrlock(&rw);
    mutex_lock(&mutex);
}

static void nest_reads(void) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_rdlock(&rw);
    rwlock_rdlock(&rw);
}

static void change_unlocked(void) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_assert_held(&rw);
}

static void change_under_read_lock(void) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_rdlock(&rw);
    rwlock_assert_held(&rw);
}

static void read_under_another_lock(void) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_rdlock(&higher);
    rwlock_assert_held_shared(&rw);
}

static void unlock_what_is_not_held(void) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_rdunlock(&rw);
}

static const struct {
    void (*f)(void);
    const char *why;
} mistakes[] = {
    {take_downwards, "lock rank 1000 taken while rank 1001 is held"},
    {take_mutex_inside, "lock rank 999 taken while rank 1000 is held"},
    {nest_reads, "lock rank 1000 taken while rank 1000 is held"},
    {change_unlocked, "not held exclusively"},
    {change_under_read_lock, "not held exclusively"},
    {read_under_another_lock, "not held"},
    {unlock_what_is_not_held, "does not hold"},
};

START_TEST(a_mistake_aborts_and_says_which) {
    rwlock_init(&higher, LOCK_RANK_SHARD + 1);
    check_aborts(mistakes[_i].f, mistakes[_i].why);
}
END_TEST

static void *hold_for_others(void *arg) {
    rwlock_rdlock(&rw);
    pthread_barrier_wait(&inside);
    pthread_barrier_wait(&inside);
    rwlock_rdunlock(&rw);
    return arg;
}

static void read_under_the_lock_of_another_thread(void) {
    rwlock_assert_held_shared(&rw);
}

START_TEST(a_lock_is_held_by_its_thread_only) {
    pthread_t thread;

    pthread_barrier_init(&inside, NULL, 2);
    thread = start(hold_for_others, NULL);
    pthread_barrier_wait(&inside);
    check_aborts(read_under_the_lock_of_another_thread, "not held");
    pthread_barrier_wait(&inside);
    pthread_join(thread, NULL);
}
END_TEST

START_TEST(upwards_and_in_any_order_of_release_is_right) {
    rwlock_init(&higher, LOCK_RANK_SHARD + 1);
    mutex_lock(&mutex);
    rwlock_rdlock(&rw);
    rwlock_wrlock(&higher);
    rwlock_assert_held(&higher);
    rwlock_assert_held_shared(&rw);
    mutex_unlock(&mutex);
    rwlock_wrunlock(&higher);
    rwlock_assert_held_shared(&rw);
    rwlock_rdunlock(&rw);
    mutex_lock(&mutex); /* nothing above is held any more */
    mutex_unlock(&mutex);
}
END_TEST

#endif

Suite *test_suite(void) {
    Suite *suite = suite_create("lock");
    TCase *tc = tcase_create("lock");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, mutex_excludes);
    tcase_add_test(tc, writers_exclude_and_every_lock_is_counted);
    tcase_add_test(tc, readers_share);
    tcase_add_test(tc, holders_are_seen);
    tcase_add_test(tc, a_lock_that_waits_counts_as_contended);
    tcase_add_test(tc, a_waiting_writer_goes_before_later_readers);
    tcase_add_test(tc, a_stream_of_readers_does_not_starve_a_writer);
    tcase_add_test(tc, a_stream_of_writers_does_not_starve_a_reader);
#ifdef FK_DEBUG
    tcase_add_loop_test(tc, a_mistake_aborts_and_says_which, 0, (int)(sizeof(mistakes) / sizeof(*mistakes)));
    tcase_add_test(tc, a_lock_is_held_by_its_thread_only);
    tcase_add_test(tc, upwards_and_in_any_order_of_release_is_right);
#endif
    suite_add_tcase(suite, tc);
    return suite;
}
