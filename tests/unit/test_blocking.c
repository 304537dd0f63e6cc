/* Commands that wait: who is served, in which order, what ends a wait; many at once. */
#include <flashkv/clock.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

enum { CLIENTS = 6 };

/* A client to whom things can be delivered: `got` is what was, in short. */
struct client {
    struct session session; /* first */
    char got[256];
    _Atomic unsigned replies;
};

static struct client clients[CLIENTS];

/* ---- a front end in short: bulks and numbers, each with a space behind ------------------------------------------ */

struct brief {
    struct reply reply; /* first */
    struct buf text;
};

static void on_text(struct reply *r, struct slice text) {
    struct brief *b = (struct brief *)r;

    buf_append_slice(&b->text, text);
    buf_append(&b->text, " ", 1);
}

static void on_number(struct reply *r, int64_t n) {
    buf_printf(&((struct brief *)r)->text, "%lld ", (long long)n);
}

static void on_real(struct reply *r, double d) {
    buf_printf(&((struct brief *)r)->text, "%g ", d);
}

static void on_null(struct reply *r) {
    on_text(r, SLICE_LIT("nil"));
}

static void on_null_array(struct reply *r) {
    on_text(r, SLICE_LIT("nil*"));
}

static void on_aggregate(struct reply *r, enum reply_aggregate kind, size_t n) {
    (void)kind;
    (void)r;
    (void)n;
}

static const struct reply_ops brief_ops = {.status = on_text,
                                           .error = on_text,
                                           .integer = on_number,
                                           .bulk = on_text,
                                           .null = on_null,
                                           .null_array = on_null_array,
                                           .aggregate = on_aggregate,
                                           .real = on_real};

static struct brief brief_make(void) {
    return (struct brief){.reply = {.ops = &brief_ops}, .text = buf_make(4096)};
}

static struct blob *encode(const struct server *srv, unsigned protocol,
                           void (*say)(struct reply *r, const void *ctx), const void *ctx) {
    struct brief b = brief_make();
    struct blob *bytes;

    (void)srv;
    (void)protocol;
    say(&b.reply, ctx);
    bytes = blob_copy(buf_slice(&b.text));
    buf_free(&b.text);
    return bytes;
}

static void deliver(struct session *s, struct blob *bytes, enum delivery what) {
    struct client *c = (struct client *)s;

    if (what == DELIVER_WAKE) {
        strncat(c->got, "wake ", sizeof(c->got) - strlen(c->got) - 1);
        return;
    }
    ck_assert_int_eq(what, DELIVER_REPLY);
    strncat(c->got, bytes->data, bytes->len);
    atomic_fetch_add_explicit(&c->replies, 1, memory_order_release);
}

static const struct session_ops ops = {.encode = encode, .deliver = deliver};

/* ---- the fixture --------------------------------------------------------------------------------------------- */

static void setup(void) {
    commands_setup();
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.session = {.now_ms = session.now_ms, .protocol = 2, .ops = &ops}};
        session_enter(&server.sessions, &clients[i].session);
    }
}

static void teardown(void) {
    for (size_t i = 0; i < CLIENTS; i++)
        session_end(&server, &clients[i].session);
    ck_assert_uint_eq(server.blocked_clients, 0);
    commands_teardown();
}

/* Runs a line for a session, and gives what was replied, in short; valid until the next. */
static const char *say_as(struct session *s, const char *line) {
    static _Thread_local char reply[512];
    struct brief b = brief_make();
    struct arg argv[16];
    size_t argc = 0;

    for (const char *at = line, *end; *at != '\0'; at = *end == ' ' ? end + 1 : end) {
        end = strchrnul(at, ' ');
        argv[argc++] = (struct arg){at, (size_t)(end - at), NULL};
    }
    command_execute(&server, s, argc, argv, &b.reply);
    snprintf(reply, sizeof(reply), "%.*s", (int)b.text.len, b.text.len > 0 ? b.text.data : "");
    buf_free(&b.text);
    return reply;
}

/* The client runs a command that blocks. */
static void block(size_t i, const char *line) {
    ck_assert_str_eq(say_as(&clients[i].session, line), "");
    ck_assert(clients[i].session.blocked);
}

/* What the client got since the last look; a reply lets it go on, as its front end would. */
static void check_got(size_t i, const char *expected) {
    ck_assert_str_eq(clients[i].got, expected);
    clients[i].got[0] = '\0';
    if (atomic_exchange(&clients[i].replies, 0) > 0)
        session_resume(&clients[i].session);
}

/* ---- one at a time -------------------------------------------------------------------------------------------- */

START_TEST(test_first_come_first_served) {
    block(0, "blpop k 0");
    block(1, "brpop k 0");
    block(2, "blmpop 0 2 other k left count 9");
    ck_assert_uint_eq(server.blocked_clients, 3);
    check_line("rpush k a b c d e", "(integer) 5");
    check_got(0, "k a ");
    check_got(1, "k e ");
    check_got(2, "k b c d ");
    ck_assert_uint_eq(server.blocked_clients, 0);
    check_line("exists k", "(integer) 0");
    block(1, "blpop k 0");
    block(0, "blpop k 0");
    check_line("rpush k a", "(integer) 1");
    check_got(0, "");
    check_got(1, "k a ");
    check_line("rpush k b", "(integer) 1");
    check_got(0, "k b ");
}
END_TEST

START_TEST(test_sorted_sets) {
    static const char *const makers[] = {"zadd k 7 m",           "zincrby k 7 m",
                                         "zunionstore k 1 from", "zrangestore k from 0 0",
                                         "rename from k",        "copy from k"};

    block(0, "bzpopmin k 0");
    block(1, "bzpopmax k 0");
    block(2, "blpop k 0"); /* waits for a list, and keeps nobody from what is none */
    block(3, "bzmpop 0 2 other k min count 9");
    check_line("zadd k 1 a 2 b 3 c 4 d", "(integer) 4");
    check_got(0, "k a 1 ");
    check_got(1, "k d 4 ");
    check_got(2, "");
    check_got(3, "k b 2 c 3 ");
    check_line("rpush k x", "(integer) 1");
    check_got(2, "k x ");
    for (size_t i = 0; i < sizeof(makers) / sizeof(*makers); i++) {
        run_line("zadd from 7 m");
        block(0, "bzpopmax k 0");
        run_line(makers[i]);
        check_got(0, "k m 7 ");
        check_line("exists k", "(integer) 0");
    }
    run_line("zadd k 1 a 2 b");
    ck_assert_str_eq(say_as(&clients[0].session, "bzpopmin none k 0"), "k a 1 ");
    ck_assert_str_eq(say_as(&clients[0].session, "bzmpop 0 1 k max"), "k b 2 ");
}
END_TEST

START_TEST(test_what_is_there_is_taken_at_once) {
    check_line("rpush k a b", "(integer) 2");
    ck_assert_str_eq(say_as(&clients[0].session, "blpop none k 0"), "k a ");
    ck_assert_str_eq(say_as(&clients[0].session, "blmove k l left right 0"), "b ");
    ck_assert_str_eq(say_as(&clients[0].session, "brpoplpush l l 0"), "b ");
    check_line("set s 1", "OK");
    ck_assert_str_eq(say_as(&clients[0].session, "blpop none s 0"),
                     "WRONGTYPE Operation against a key holding the wrong kind of value ");
    ck_assert(!clients[0].session.blocked);
}
END_TEST

/* Keys of many shards: the pusher has to take more shards than its own to serve. */
START_TEST(test_several_keys) {
    char line[64];

    for (int i = 0; i < 20; i++) {
        snprintf(line, sizeof(line), "blpop a%d b%d c%d a%d 0", i, i, i, i);
        block(0, line);
        snprintf(line, sizeof(line), "rpush %c%d x", "abc"[i % 3], i);
        check_line(line, "(integer) 1");
        snprintf(line, sizeof(line), "%c%d x ", "abc"[i % 3], i);
        check_got(0, line);
        snprintf(line, sizeof(line), "exists a%d b%d c%d", i, i, i);
        check_line(line, "(integer) 0");
    }
}
END_TEST

START_TEST(test_chains) {
    block(0, "blmove a b left right 0");
    block(1, "blmove b c left right 0");
    block(2, "blpop d c 0");
    check_line("rpush a x", "(integer) 1");
    check_got(0, "x ");
    check_got(1, "x ");
    check_got(2, "c x ");
    check_line("exists a b c d", "(integer) 0");
    block(0, "blmove a a left right 0"); /* it stays for the next */
    block(1, "blpop a 0");
    check_line("rpush a x", "(integer) 1");
    check_got(0, "x ");
    check_got(1, "a x ");
    check_line("set b string", "OK");
    block(0, "blmove a b left right 0");
    check_line("rpush a x", "(integer) 1");
    check_got(0, "WRONGTYPE Operation against a key holding the wrong kind of value ");
    check_line("llen a", "(integer) 1");
}
END_TEST

/* Any write that makes the list; not one of another type, nor one that is gone at once. */
START_TEST(test_what_wakes) {
    static const struct step wakers[] = {
        {"rename l k", "OK"},
        {"lmove l k left left", "\"x\""},
        {"sort l by nosort store k", "(integer) 1"},
        {"copy l k", "(integer) 1"},
    };

    for (size_t i = 0; i < sizeof(wakers) / sizeof(*wakers); i++) {
        check_line("rpush l x", "(integer) 1");
        block(0, "blpop k 0");
        check_line(wakers[i].line, wakers[i].reply);
        check_got(0, "k x ");
        check_line("del l", i < 2 ? "(integer) 0" : "(integer) 1");
    }
    block(0, "blpop k 0");
    check_line("set k 1", "OK");
    check_line("append k 1", "(integer) 2");
    check_line("del k", "(integer) 1");
    check_line("sadd k 1", "(integer) 1");
    check_line("flushall", "OK");
    check_got(0, "");
    check_line("multi", "OK");
    check_line("rpush k a", "QUEUED");
    check_line("del k", "QUEUED");
    check_line("exec", "[(integer) 1, (integer) 1]");
    check_got(0, "");
    check_line("multi", "OK");
    check_line("rpush k a", "QUEUED");
    check_line("lpush k b", "QUEUED");
    check_line("exec", "[(integer) 1, (integer) 2]");
    check_got(0, "k b ");
}
END_TEST

START_TEST(test_where_nothing_waits) {
    static const struct step steps[] = {
        /* the fixture's own session has no front end to deliver to, as those of HTTP */
        {"blpop k 0", "(nil array)"},
        {"blmove k l left right 0", "(nil)"},
        {"brpoplpush k l 1.5", "(nil)"},
        {"blmpop 0 1 k left", "(nil array)"},
        {"blpop k x", "(error) ERR timeout is not a float or out of range"},
        {"blpop k -1", "(error) ERR timeout is negative"},
        {"blpop k 1e300", "(error) ERR timeout is negative"},
        {"blmpop 0 0 k left", "(error) ERR numkeys should be greater than 0"},
        {"blmpop 0 2 k left", "(error) ERR syntax error"},
        {"blmove k l up left 0", "(error) ERR syntax error"},
    };

    CHECK_STEPS(steps);
    ck_assert_str_eq(say_as(&clients[0].session, "multi"), "OK ");
    ck_assert_str_eq(say_as(&clients[0].session, "blpop k 0"), "QUEUED ");
    ck_assert_str_eq(say_as(&clients[0].session, "exec"), "nil* ");
    ck_assert(!clients[0].session.blocked);
}
END_TEST

/* Blocks a client that is to wait for so long, not a part of a millisecond less. */
static void check_deadline(size_t i, const char *line, int64_t ms) {
    int64_t before = clock_mono_ns();

    block(i, line);
    ck_assert_int_ge(session_deadline_ms(&clients[i].session) * 1000000, before + ms * 1000000);
    ck_assert_int_le(session_deadline_ms(&clients[i].session), clock_deadline_ms(clock_mono_ns(), ms));
}

START_TEST(test_other_ends) {
    check_deadline(0, "blpop k l 0.5", 500);
    block(1, "blpop k l 0");
    ck_assert_int_eq(session_deadline_ms(&clients[1].session), 0);
    block(2, "blmove k l left right 0");
    session_timed_out(&server, &clients[0].session);
    session_timed_out(&server, &clients[0].session); /* once is enough */
    check_got(0, "nil* ");
    session_end(&server, &clients[1].session); /* the client has gone */
    session_enter(&server.sessions, &clients[1].session);
    check_line("rpush k a", "(integer) 1");
    check_got(1, "");
    check_got(2, "a ");
    block(2, "blpop z 1");
    check_line("rpush z a", "(integer) 1");
    session_timed_out(&server, &clients[2].session); /* too late */
    check_got(2, "z a ");
}
END_TEST

START_TEST(test_waiting_for_no_key) {
    ck_assert_str_eq(say_as(&clients[0].session, "wait 0 0"), "0 ");
    check_deadline(0, "wait 1 500", 500);
    block(1, "wait 1 9223372036854775807");
    ck_assert_int_eq(session_deadline_ms(&clients[1].session), INT64_MAX);
    block(2, "wait 1 0");
    ck_assert_int_eq(session_deadline_ms(&clients[2].session), 0);
    ck_assert_uint_eq(server.blocked_clients, 3);
    session_timed_out(&server, &clients[0].session);
    check_got(0, "0 ");
    session_end(&server, &clients[1].session);
    session_enter(&server.sessions, &clients[1].session);
    check_got(1, "");
    session_timed_out(&server, &clients[2].session);
    check_got(2, "0 ");
    ck_assert_uint_eq(server.blocked_clients, 0);
    ck_assert_str_eq(say_as(&clients[0].session, "multi"), "OK ");
    ck_assert_str_eq(say_as(&clients[0].session, "wait 1 0"), "QUEUED ");
    ck_assert_str_eq(say_as(&clients[0].session, "exec"), "0 ");
}
END_TEST

/* ---- many at once --------------------------------------------------------------------------------------------- */

enum { ELEMENTS = 3000, PUSHERS = 2, TAKERS = 6, KEYS = 3 };

static _Atomic unsigned char seen[PUSHERS * ELEMENTS + 1];
static _Atomic unsigned taken;

static void *push(void *arg) {
    struct session s = {.now_ms = session.now_ms, .protocol = 2};
    size_t from = (size_t)(uintptr_t)arg * ELEMENTS;
    char line[64];

    for (size_t i = 0; i < ELEMENTS; i++) {
        snprintf(line, sizeof(line), "rpush key%zu %zu", i % KEYS, from + i + 1);
        say_as(&s, line);
    }
    return NULL;
}

/* Takes until "0" comes; from any of the keys, in any order, and now and then gives up. */
static void *take(void *arg) {
    static const char *const lines[] = {"blpop key0 key1 key2 end 0", "brpop key2 key0 key1 end 0",
                                        "blmpop 0 4 key1 key0 key2 end left count 1",
                                        "blpop key1 key2 key0 end 0"};
    size_t self = (size_t)(uintptr_t)arg;
    struct client *c = calloc(1, sizeof(*c));
    char key[32];
    unsigned n;

    ck_assert_ptr_nonnull(c);
    c->session = (struct session){.now_ms = session.now_ms, .protocol = 2, .ops = &ops};
    session_enter(&server.sessions, &c->session);
    for (unsigned round = 0;; round++) {
        const char *reply = say_as(&c->session, lines[(self + round) % 4]);

        if (c->session.blocked) {
            if (round % 7 == 0)
                session_timed_out(&server, &c->session);
            while (atomic_load_explicit(&c->replies, memory_order_acquire) == 0)
                ;
            atomic_store(&c->replies, 0);
            session_resume(&c->session);
            reply = c->got;
        }
        if (sscanf(reply, "%31s %u", key, &n) == 2) {
            if (n == 0)
                break;
            ck_assert_uint_eq(atomic_fetch_add(&seen[n], 1), 0);
            atomic_fetch_add(&taken, 1);
        }
        c->got[0] = '\0';
    }
    session_end(&server, &c->session);
    free(c);
    return NULL;
}

/* Whatever the interleaving, each element goes to one client, and none stays. */
START_TEST(test_none_lost_none_twice) {
    pthread_t takers[TAKERS], pushers[PUSHERS];

    for (size_t i = 0; i < TAKERS; i++)
        ck_assert_int_eq(pthread_create(&takers[i], NULL, take, (void *)(uintptr_t)i), 0);
    for (size_t i = 0; i < PUSHERS; i++)
        ck_assert_int_eq(pthread_create(&pushers[i], NULL, push, (void *)(uintptr_t)i), 0);
    for (size_t i = 0; i < PUSHERS; i++)
        pthread_join(pushers[i], NULL);
    while (atomic_load(&taken) < PUSHERS * ELEMENTS)
        ;
    for (size_t i = 0; i < TAKERS; i++)
        run_line("rpush end 0");
    for (size_t i = 0; i < TAKERS; i++)
        pthread_join(takers[i], NULL);
    for (size_t n = 1; n <= PUSHERS * ELEMENTS; n++)
        ck_assert_uint_eq(seen[n], 1);
    check_line("dbsize", "(integer) 0");
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("blocking");
    TCase *t = tcase_create("blocking");

    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_first_come_first_served);
    tcase_add_test(t, test_sorted_sets);
    tcase_add_test(t, test_what_is_there_is_taken_at_once);
    tcase_add_test(t, test_several_keys);
    tcase_add_test(t, test_chains);
    tcase_add_test(t, test_what_wakes);
    tcase_add_test(t, test_where_nothing_waits);
    tcase_add_test(t, test_other_ends);
    tcase_add_test(t, test_waiting_for_no_key);
    tcase_add_test(t, test_none_lost_none_twice);
    return s;
}
