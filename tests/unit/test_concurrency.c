/* Races between threads that speak commands: no lost update, no double win, nothing torn, no deadlock. Run by
 * ThreadSanitizer and helgrind too. */
#include <flashkv/clock.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

enum { THREADS = 10, INCREMENTS = 1000, RACERS = 4, MAX_WORDS = 10 };

/* ---- a sink that keeps the last string, integer or error ---------------------------------------------------- */

struct last {
    struct reply reply;
    int64_t n;
    char text[4][32]; /* strings, in order */
    size_t count;
    bool null;
};

static void on_text(struct reply *r, struct slice s) {
    struct last *l = (struct last *)r;

    if (l->count < 4)
        snprintf(l->text[l->count++], sizeof(l->text[0]), "%.*s", (int)(s.len < 31 ? s.len : 31), s.ptr);
}

static void on_integer(struct reply *r, int64_t n) {
    ((struct last *)r)->n = n;
}

static void on_null(struct reply *r) {
    struct last *l = (struct last *)r;

    l->null = true;
    on_text(r, slice_of("", 0));
}

static void on_aggregate(struct reply *r, enum reply_aggregate kind, size_t n) {
    (void)r, (void)kind, (void)n;
}

static void on_blob(struct reply *r, struct blob *b) {
    on_text(r, blob_slice(b));
}

static const struct reply_ops last_ops = {
    .status = on_text,
    .error = on_text,
    .integer = on_integer,
    .bulk = on_text,
    .blob = on_blob,
    .null = on_null,
    .null_array = on_null,
    .aggregate = on_aggregate,
    .verbatim = on_text,
};

/* Runs a command of words divided by spaces. */
static struct last run(const char *line) {
    struct session own = {.now_ms = clock_wall_ms()};
    struct last last = {.reply = {.ops = &last_ops}};
    struct arg argv[MAX_WORDS];
    size_t argc = 0;

    while (*line != '\0' && argc < MAX_WORDS) {
        size_t len = strcspn(line, " ");

        argv[argc++] = (struct arg){line, len, NULL};
        line += len + (line[len] == ' ');
    }
    command_execute(&server, &own, argc, argv, &last.reply);
    return last;
}

static void run_threads(size_t n, void *(*body)(void *arg)) {
    pthread_t threads[THREADS];

    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, body, (void *)(uintptr_t)i), 0);
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

static void setup(void) {
    commands_setup();
    server.sweeper = sweeper_start(server.store, NULL, NULL);
    ck_assert_ptr_nonnull(server.sweeper);
}

static void teardown(void) {
    sweeper_stop(server.sweeper);
    commands_teardown();
}

/* ---- the tests ------------------------------------------------------------------------------------------------ */

static void *increment(void *arg) {
    (void)arg;
    for (int i = 0; i < INCREMENTS; i++)
        run("incr counter");
    return NULL;
}

START_TEST(test_increments) {
    run_threads(THREADS, increment);
    ck_assert_str_eq(run("get counter").text[0], "10000");
}
END_TEST

static _Atomic int wins[INCREMENTS];

/* Every thread claims every key; `claims` says how, and what a win looks like. */
static void *claim_setnx(void *arg) {
    char line[64];

    (void)arg;
    for (int i = 0; i < INCREMENTS; i++) {
        snprintf(line, sizeof(line), "setnx claim:%d x", i);
        wins[i] += run(line).n == 1;
    }
    return NULL;
}

static void *claim_set_nx(void *arg) {
    char line[64];

    (void)arg;
    for (int i = 0; i < INCREMENTS; i++) {
        snprintf(line, sizeof(line), "set claim:%d x nx", i);
        wins[i] += !run(line).null;
    }
    return NULL;
}

static void *claim_getdel(void *arg) {
    char line[64];

    (void)arg;
    for (int i = 0; i < INCREMENTS; i++) {
        snprintf(line, sizeof(line), "getdel claim:%d", i);
        wins[i] += !run(line).null;
    }
    return NULL;
}

static void *claim_rename(void *arg) {
    char line[64];

    for (int i = 0; i < INCREMENTS; i++) {
        snprintf(line, sizeof(line), "rename claim:%d mine:%d", i, (int)(uintptr_t)arg);
        wins[i] += strcmp(run(line).text[0], "OK") == 0;
    }
    return NULL;
}

static void check_one_winner_each(void) {
    for (int i = 0; i < INCREMENTS; i++)
        ck_assert_msg(wins[i] == 1, "key %d was won %d times", i, wins[i]);
}

START_TEST(test_one_winner) {
    static void *(*const claims[])(void *arg) = {claim_setnx, claim_set_nx, claim_getdel, claim_rename};
    char line[64];

    for (int i = 0; i < INCREMENTS; i++) {
        wins[i] = 0;
        snprintf(line, sizeof(line), "set claim:%d x", i);
        if (_i >= 2) /* something to take */
            run(line);
    }
    run_threads(RACERS, claims[_i]);
    check_one_winner_each();
}
END_TEST

/* GETSET hands each value to exactly one: what went in comes out once, but for the last. */
static _Atomic int seen[RACERS * INCREMENTS + 1];

static void *exchange(void *arg) {
    char line[64];

    for (int i = 0; i < INCREMENTS; i++) {
        struct last got;

        snprintf(line, sizeof(line), "getset baton %d", (int)(uintptr_t)arg * INCREMENTS + i + 1);
        got = run(line);
        if (!got.null)
            seen[strtoll(got.text[0], NULL, 10)]++;
    }
    return NULL;
}

START_TEST(test_getset_hands_on) {
    struct last left;

    run_threads(RACERS, exchange);
    left = run("get baton");
    seen[strtoll(left.text[0], NULL, 10)]++;
    for (int i = 1; i <= RACERS * INCREMENTS; i++)
        ck_assert_msg(seen[i] == 1, "value %d came out %d times", i, seen[i]);
}
END_TEST

/* Writers set four keys to one value, in opposite orders; readers must never see two values. */
static void *write_together(void *arg) {
    char line[128];

    for (int i = 0; i < INCREMENTS; i++) {
        int v = (int)(uintptr_t)arg * INCREMENTS + i;

        snprintf(line, sizeof(line),
                 (uintptr_t)arg % 2 ? "mset a %d b %d c %d d %d" : "mset d %d c %d b %d a %d", v, v, v, v);
        run(line);
    }
    return NULL;
}

static _Atomic int torn;

static void *read_together(void *arg) {
    for (int i = 0; i < INCREMENTS; i++) {
        struct last got = run((uintptr_t)arg % 2 ? "mget a b c d" : "mget d c b a");

        for (size_t k = 1; k < got.count; k++)
            torn += strcmp(got.text[0], got.text[k]) != 0;
    }
    return NULL;
}

static void *read_or_write_together(void *arg) {
    return (uintptr_t)arg < RACERS ? write_together(arg) : read_together(arg);
}

START_TEST(test_mset_is_whole) {
    torn = 0;
    run_threads(2 * RACERS, read_or_write_together);
    ck_assert_int_eq(torn, 0);
}
END_TEST

/* Two names, one value: renames to and fro never lose it, nor double it. */
static void *rename_to_and_fro(void *arg) {
    for (int i = 0; i < INCREMENTS; i++)
        run(((uintptr_t)arg + (unsigned)i) % 2 ? "rename here there" : "rename there here");
    return NULL;
}

START_TEST(test_rename_moves) {
    run("set here value");
    run_threads(RACERS, rename_to_and_fro);
    ck_assert_int_eq(run("exists here there").n, 1);
    ck_assert_int_eq(run("dbsize").n, 1);
}
END_TEST

/* Everything at once on a few keys: for the sanitizers. */
static void *storm(void *arg) {
    static const char *const lines[] = {
        "set k1 v px 1",
        "append k2 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "get k2",
        "rpush l a b c",
        "lpop l 2",
        "lrange l 0 -1",
        "mset k1 a k2 b k3 c",
        "mget k1 k2 k3",
        "del k1 k2",
        "rename k3 k1",
        "expire k2 100",
        "persist k2",
        "keys *",
        "scan 0",
        "randomkey",
        "dbsize",
        "info",
        "dbinfo",
        "getset k2 y",
        "flushall async",
    };
    unsigned x = (unsigned)(uintptr_t)arg * 7919 + 1;

    for (int i = 0; i < 2 * INCREMENTS; i++) {
        x = x * 1664525 + 1013904223;
        run(lines[(x >> 16) % (sizeof(lines) / sizeof(*lines))]);
    }
    return NULL;
}

START_TEST(test_storm) {
    run_threads(RACERS, storm);
    run("flushall");
    ck_assert_int_eq(run("dbsize").n, 0);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("concurrency");
    TCase *tc = tcase_create("concurrency");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 600); /* valgrind is slow */
    tcase_add_test(tc, test_increments);
    tcase_add_loop_test(tc, test_one_winner, 0, 4);
    tcase_add_test(tc, test_getset_hands_on);
    tcase_add_test(tc, test_mset_is_whole);
    tcase_add_test(tc, test_rename_moves);
    tcase_add_test(tc, test_storm);
    suite_add_tcase(suite, tc);
    return suite;
}
