/* MULTI, EXEC, DISCARD, WATCH, UNWATCH. */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

static struct session other;

static void setup(void) {
    commands_setup();
    other = (struct session){.now_ms = session.now_ms, .protocol = 2};
    session_enter(&server.sessions, &other);
}

static void teardown(void) {
    session_end(&server, &other);
    commands_teardown();
}

/* One step of the other client. */
static void check_other(const char *line, const char *reply) {
    speaker = &other;
    check_line(line, reply);
    speaker = &session;
}

START_TEST(test_queue) {
    static const struct step steps[] = {
        {"multi", "OK"},
        {"set a 1", "QUEUED"},
        {"INCR a", "QUEUED"},
        {"get a", "QUEUED"},
        {"lpush a x", "QUEUED"},
        {"client setname me", "QUEUED"},
        {"unwatch", "QUEUED"},
        {"dbsize", "QUEUED"},
        {"exec", "[OK, (integer) 2, \"2\", (error) WRONGTYPE Operation against a key holding the wrong kind "
                 "of value, "
                 "OK, OK, (integer) 1]"},
        {"client getname", "\"me\""},
        {"exec", "(error) ERR EXEC without MULTI"},
        {"discard", "(error) ERR DISCARD without MULTI"},
        {"multi", "OK"},
        {"exec", "[]"},
        {"multi", "OK"},
        {"set a 5", "QUEUED"},
        {"discard", "OK"},
        {"get a", "\"2\""},
        {"sadd s x", "(integer) 1"},
        {"multi", "OK"},
        {"spop s 9223372036854775807", "QUEUED"}, /* more than there are: no memory is set aside for those */
        {"exec", "[~[\"x\"]]"},
    };

    CHECK_STEPS(steps);
    ck_assert_ptr_null(session.multi);
}
END_TEST

START_TEST(test_refusals) {
    static const struct step steps[] = {
        /* these do not end the transaction */
        {"multi", "OK"},
        {"multi", "(error) ERR MULTI calls can not be nested"},
        {"watch a", "(error) ERR WATCH inside MULTI is not allowed"},
        {"discard now", "(error) ERR wrong number of arguments for 'discard' command"},
        {"discard", "OK"},
        {"multi", "OK"},
        {"multi", "(error) ERR MULTI calls can not be nested"},
        {"set a 1", "QUEUED"},
        {"exec", "[OK]"},
        /* these do */
        {"multi", "OK"},
        {"set a 2", "QUEUED"},
        {"bogus", "(error) ERR unknown command 'bogus', with args beginning with: "},
        {"set a 3", "QUEUED"},
        {"exec", "(error) EXECABORT Transaction discarded because of previous errors."},
        {"multi", "OK"},
        {"get", "(error) ERR wrong number of arguments for 'get' command"},
        {"exec", "(error) EXECABORT Transaction discarded because of previous errors."},
        {"multi", "OK"},
        {"client bogus", "(error) ERR unknown subcommand 'bogus'. Try CLIENT HELP."},
        {"exec", "(error) EXECABORT Transaction discarded because of previous errors."},
        {"multi", "OK"},
        {"exec now",
         "(error) EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"},
        {"exec", "(error) ERR EXEC without MULTI"},
        {"get a", "\"1\""},
        /* errors while it runs do not undo the rest */
        {"multi", "OK"},
        {"set a x EX zero", "QUEUED"},
        {"set b 1", "QUEUED"},
        {"exec", "[(error) ERR value is not an integer or out of range, OK]"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_watch_sees_changes) {
    static const struct {
        const char *before, *change, *reply;
        bool fails;
    } cases[] = {
        {"set k 1", "set k 2", "OK", true},
        {"set k 1", "set k 1", "OK", true},
        {"set k 1", "del k", "(integer) 1", true},
        {"set k 1", "expire k 100", "(integer) 1", true},
        {"set k 1", "rename k l", "OK", true},
        {"set k 1", "flushall", "OK", true},
        {"set k 1", "get k", "\"1\"", false},
        {"set k 1", "set l 1", "OK", false},
        {"set k 1", "persist k", "(integer) 0", false},
        {"del k", "set k 1", "OK", true},
        {"del k", "del k", "(integer) 0", false},
        {"del k", "flushall", "OK", false},
        {"del k", "lpush k 1", "(integer) 1", true},
        {"set k 1", "mset a 1 k 2", "OK", true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        check_line("flushall", "OK");
        run_line(cases[i].before);
        check_line("watch k k x", "OK");
        check_other(cases[i].change, cases[i].reply);
        check_line("multi", "OK");
        check_line("ping", "QUEUED");
        check_line("exec", cases[i].fails ? "(nil array)" : "[PONG]");
        ck_assert_ptr_null(session.multi);
    }
}
END_TEST

START_TEST(test_watch_ends) {
    static const char *const enders[] = {"unwatch", "reset", "discard", "exec"};

    for (size_t i = 0; i < sizeof(enders) / sizeof(*enders); i++) {
        check_line("watch k", "OK");
        if (i >= 2)
            check_line("multi", "OK");
        run_line(enders[i]);
        check_other("set k 1", "OK");
        check_line("multi", "OK");
        check_line("get k", "QUEUED");
        check_line("exec", "[\"1\"]");
    }
    check_line("watch k", "OK"); /* one's own changes before MULTI count, those of EXEC do not */
    check_line("set k 2", "OK");
    check_line("multi", "OK");
    check_line("exec", "(nil array)");
    check_line("watch k", "OK");
    check_line("multi", "OK");
    check_line("set k 3", "QUEUED");
    check_line("exec", "[OK]");
    check_line("multi", "OK");
    check_line("exec", "[]");
    check_other("watch k", "OK"); /* which the teardown has to end */
    check_other("multi", "OK");
    check_other("set k 4", "QUEUED");
}
END_TEST

/* Expiry is a change, swept or not; but not of a key that had expired before it was watched. */
START_TEST(test_watch_sees_expiry) {
    for (int swept = 0; swept < 2; swept++) {
        check_line("set k 1 px 100", "OK");
        check_line("watch k", "OK");
        session.now_ms += 100;
        other.now_ms = session.now_ms;
        if (swept)
            ck_assert_uint_eq(store_sweep(server.store, session.now_ms).expired, 1);
        check_line("multi", "OK");
        check_line("exec", "(nil array)");

        check_line("set k 1 px 100", "OK");
        session.now_ms += 100;
        other.now_ms = session.now_ms;
        check_line("watch k", "OK");
        if (swept)
            ck_assert_uint_eq(store_sweep(server.store, session.now_ms).expired, 1);
        check_line("multi", "OK");
        check_line("exec", "[]");
    }
    check_line("set k 1 px 100", "OK");
    session.now_ms += 100;
    other.now_ms = session.now_ms;
    check_line("watch k", "OK");
    check_other("set k 1", "OK"); /* sweeps it first */
    check_line("multi", "OK");
    check_line("exec", "(nil array)");
}
END_TEST

/* What a transaction keeps is bounded, queue and watches together, and what is refused leaves nothing behind. */
START_TEST(test_bounds) {
    char value[4096 + 1], line[5000];

    options.max_request_bytes = 3 * 4096;
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    snprintf(line, sizeof(line), "set k %.3900s", value);
    check_line("multi", "OK");
    for (int i = 0; i < 3; i++)
        check_line(line, "QUEUED");
    check_line(line, "(error) ERR the transaction is larger than max-request-bytes");
    check_line("exec", "(error) EXECABORT Transaction discarded because of previous errors.");
    snprintf(line, sizeof(line), "watch %.3900s", value);
    check_line(line, "OK");
    line[6] = 'w';
    check_line(line, "OK");
    line[6] = 'x';
    check_line(line, "OK");
    line[6] = 'y';
    check_line(line, "(error) ERR the transaction is larger than max-request-bytes");
    check_line("unwatch", "OK");
    check_line(line, "OK");
    check_line("unwatch", "OK");
    options.max_key_bytes = 10;
    check_line("multi", "OK");
    check_line("get 12345678901", "(error) ERR key is too long (11 bytes, at most 10: max-key-bytes)");
    check_line("exec", "(error) EXECABORT Transaction discarded because of previous errors.");
}
END_TEST

/* A large value that came as a blob is held, not copied. */
START_TEST(test_blobs_are_held) {
    struct blob *b = blob_copy(SLICE_LIT("large"));
    struct arg argv[] = {{"set", 3, NULL}, {"k", 1, NULL}, {b->data, b->len, b}};

    check_line("multi", "OK");
    ck_assert_str_eq(run_argv(NULL, 3, argv), "QUEUED");
    ck_assert(blob_shared(b));
    blob_unref(b);
    check_line("exec", "[OK]");
    check_line("get k", "\"large\"");
    check_line("multi", "OK");
    b = blob_copy(SLICE_LIT("large"));
    argv[2] = (struct arg){b->data, b->len, b};
    ck_assert_str_eq(run_argv(NULL, 3, argv), "QUEUED");
    check_line("discard", "OK");
    ck_assert(!blob_shared(b));
    blob_unref(b);
}
END_TEST

/* ---- races --------------------------------------------------------------------------------------------------- */

enum { THREADS = 8, ROUNDS = 200 };

static _Atomic unsigned committed;

/* A sink of a thread's own that counts the arrays: the EXECs that ran. */
struct counting {
    struct reply reply;
    unsigned arrays;
};

static void on_text(struct reply *r, struct slice text) {
    (void)r;
    (void)text;
}
static void on_number(struct reply *r, int64_t n) {
    (void)r;
    (void)n;
}
static void on_nothing(struct reply *r) {
    (void)r;
}
static void on_aggregate(struct reply *r, enum reply_aggregate kind, size_t n) {
    (void)kind;
    (void)n;
    ((struct counting *)r)->arrays++;
}
static const struct reply_ops counting_ops = {.status = on_text,
                                              .error = on_text,
                                              .integer = on_number,
                                              .bulk = on_text,
                                              .null = on_nothing,
                                              .null_array = on_nothing,
                                              .aggregate = on_aggregate};

static void say(struct session *s, struct counting *sink, int argc, ...) {
    struct arg argv[8];
    va_list ap;

    va_start(ap, argc);
    for (int i = 0; i < argc; i++) {
        const char *word = va_arg(ap, const char *);

        argv[i] = (struct arg){word, strlen(word), NULL};
    }
    va_end(ap);
    command_execute(&server, s, (size_t)argc, argv, &sink->reply);
}

/* Adds to two keys in different shards, and only if nobody changed the one that is watched meanwhile. */
static void *add_to_both(void *arg) {
    struct session s = {.now_ms = session.now_ms, .protocol = 2};
    struct counting sink = {.reply = {.ops = &counting_ops}};
    unsigned before;

    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        say(&s, &sink, 3, "watch", "x", "z");
        say(&s, &sink, 1, "multi");
        say(&s, &sink, 2, "incr", "x");
        say(&s, &sink, 2, "incr", "y");
        before = sink.arrays;
        say(&s, &sink, 1, "exec");
        if (sink.arrays > before)
            atomic_fetch_add(&committed, 1);
        if (i % 16 == 0)
            say(&s, &sink, 2, "incr", "z"); /* a change of a watched key by a plain command */
    }
    session_end(&server, &s);
    return NULL;
}

START_TEST(test_races) {
    pthread_t threads[THREADS];
    char expected[32];

    atomic_store(&committed, 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, add_to_both, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    snprintf(expected, sizeof(expected), "\"%u\"", committed);
    check_line("get x", expected);
    check_line("get y", expected);
    ck_assert_uint_ge(committed, ROUNDS);
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("multi");
    TCase *t = tcase_create("multi");

    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_queue);
    tcase_add_test(t, test_refusals);
    tcase_add_test(t, test_watch_sees_changes);
    tcase_add_test(t, test_watch_ends);
    tcase_add_test(t, test_watch_sees_expiry);
    tcase_add_test(t, test_bounds);
    tcase_add_test(t, test_blobs_are_held);
    tcase_add_test(t, test_races);
    return s;
}
