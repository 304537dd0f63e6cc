/* The inbox: what other threads deliver to a connection, by hand and from threads. */
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"

static void deliver_to(struct conn *c, struct slice text, enum delivery what) {
    struct blob *b = blob_copy(text);

    ck_assert_ptr_nonnull(b);
    c->session.ops->deliver(&c->session, b, what);
    blob_unref(b);
}

static void deliver(const char *text, enum delivery what) {
    deliver_to(conn, slice_str(text), what);
}

/* ---- messages ------------------------------------------------------------------------------------------------ */

START_TEST(messages_come_in_order) {
    say("PING\n");
    deliver("+one\r\n", DELIVER_MESSAGE);
    deliver("+two\r\n", DELIVER_MESSAGE);
    check_hears("+PONG\r\n+one\r\n+two\r\n");
    ck_assert_ptr_null(conn->out);
    ck_assert_ptr_null(conn->inbox.mail);
}
END_TEST

START_TEST(a_burst_wakes_the_loop_once) {
    uint64_t times = 0;

    for (int i = 0; i < 100; i++)
        deliver("+x\r\n", DELIVER_MESSAGE);
    ck_assert_int_eq(read(loop.waker.fd, &times, sizeof(times)), sizeof(times));
    ck_assert_uint_eq(times, 1);
    loop_deliver(&loop);
    deliver("+x\r\n", DELIVER_MESSAGE);
    ck_assert_int_eq(read(loop.waker.fd, &times, sizeof(times)), sizeof(times));
    ck_assert_uint_eq(times, 1);
    ck_assert_uint_eq(hear().len, 101 * 4);
}
END_TEST

START_TEST(large_messages_are_shared) {
    enum { LEN = 1000000 };
    struct blob *b = blob_new(LEN, LEN);
    struct slice heard;

    memset(b->data, 'm', LEN);
    conn->session.ops->deliver(&conn->session, b, DELIVER_MESSAGE);
    loop_deliver(&loop);
    ck_assert_ptr_nonnull(conn->out); /* the socket does not take it at once */
    ck_assert_uint_eq(conn->out->pieces[0].blob->refs, 2);
    deliver("+end\r\n", DELIVER_MESSAGE);
    heard = hear();
    ck_assert_uint_eq(heard.len, LEN + 6);
    ck_assert_int_eq(memcmp(heard.ptr + LEN - 1, "m+end\r\n", 7), 0);
    ck_assert_uint_eq(b->refs, 1);
    blob_unref(b);
}
END_TEST

START_TEST(draining_puts_them_before_the_reply) {
    deliver("+before\r\n", DELIVER_MESSAGE);
    conn->session.ops->drain(&conn->session); /* as a handler does */
    deliver("+after\r\n", DELIVER_MESSAGE);
    check_hears("+before\r\n+after\r\n");
}
END_TEST

START_TEST(a_reader_who_does_not_read_is_closed) {
    static char text[1000];
    unsigned sent = 0;

    memset(text, 'x', sizeof(text));
    while (is_open() && sent < 10000) {
        deliver_to(conn, slice_of(text, sizeof(text)), DELIVER_MESSAGE);
        settle();
        sent++;
    }
    ck_assert(!is_open());
    ck_assert_uint_eq(server.resp.output_overflows, 1);
    ck_assert_uint_ge(sent * sizeof(text), MAX_OUTPUT);
    ck_assert_uint_le(sent * sizeof(text), MAX_OUTPUT + SOCKET_ROOM * 8);
}
END_TEST

START_TEST(mail_has_the_same_ceiling) {
    static char text[1 << 16];

    for (size_t i = 0; i < MAX_OUTPUT / sizeof(text); i++)
        deliver_to(conn, slice_of(text, sizeof(text)), DELIVER_MESSAGE);
    ck_assert(!conn->inbox.lost);
    deliver("+too much\r\n", DELIVER_MESSAGE);
    ck_assert(conn->inbox.lost);
    ck_assert_ptr_null(conn->inbox.mail);
    deliver("+too much\r\n", DELIVER_MESSAGE);
    settle();
    ck_assert(!is_open());
    ck_assert_uint_eq(server.resp.output_overflows, 1);
}
END_TEST

START_TEST(a_listener_may_be_idle) {
    options.idle_timeout = 3;
    conn->session.listens = true;
    tick(100);
    ck_assert(is_open());
    conn->session.listens = false;
    tick(1);
    ck_assert(!is_open());
}
END_TEST

/* ---- the reply of a blocked command -------------------------------------------------------------------------- */

START_TEST(a_blocked_command_goes_on_with_its_reply) {
    conn->session.blocked = true; /* as if PING's handler had */
    say("PING\nECHO a\n");
    check_hears("+PONG\r\n");
    ck_assert_int_eq(conn->state, CONN_BLOCKED);
    say("ECHO b\n"); /* not read */
    deliver("+message\r\n", DELIVER_MESSAGE);
    check_hears("+message\r\n");
    ck_assert_int_eq(conn->state, CONN_BLOCKED);
    deliver("+done\r\n", DELIVER_REPLY);
    check_hears("+done\r\n$1\r\na\r\n$1\r\nb\r\n");
    ck_assert_int_eq(conn->state, CONN_OPEN);
    ck_assert(!conn->session.blocked);
    ck_assert_ptr_null(conn->partial);
}
END_TEST

START_TEST(a_blocked_client_that_leaves) {
    options.idle_timeout = 3;
    conn->session.blocked = true;
    say("PING\nECHO a\n");
    tick(100);
    ck_assert(is_open());
    shutdown(client, SHUT_WR);
    settle();
    ck_assert(!is_open());
}
END_TEST

/* ---- endings ------------------------------------------------------------------------------------------------- */

START_TEST(closes_at_once) {
    deliver("+never said\r\n", DELIVER_MESSAGE);
    deliver_to(conn, slice_str(""), DELIVER_CLOSE);
    settle();
    ck_assert(!is_open());
    ck_assert_uint_eq(server.resp.output_overflows, 0);
    ck_assert(client_sees_end());
}
END_TEST

START_TEST(a_connection_that_ends_with_mail) {
    deliver("+never said\r\n", DELIVER_MESSAGE);
    conn_close(conn);
    settle();
    ck_assert(!is_open());
}
END_TEST

START_TEST(an_ending_connection_takes_no_mail) {
    say("QUIT\n");
    deliver("+late\r\n", DELIVER_MESSAGE);
    check_hears("+OK\r\n");
    ck_assert(client_sees_end());
    tick(3);
    ck_assert(!is_open());
}
END_TEST

START_TEST(a_connection_on_its_way_to_its_loop) {
    int pair[2];
    char heard[16];
    struct conn *arriving;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    arriving = conn_open(&loop, pair[0], 0);
    deliver_to(arriving, SLICE_LIT("+hello\r\n"), DELIVER_MESSAGE);
    settle();
    ck_assert_int_eq(recv(pair[1], heard, sizeof(heard), 0), -1);
    conn_attach(arriving);
    ck_assert_int_eq(recv(pair[1], heard, sizeof(heard), 0), 8);
    deliver_to(arriving, SLICE_LIT(""), DELIVER_CLOSE);
    settle();
    ck_assert_int_eq(recv(pair[1], heard, sizeof(heard), 0), 0);
    close(pair[1]);
}
END_TEST

/* ---- encoding ------------------------------------------------------------------------------------------------ */

static void say_map(struct reply *r, const void *ctx) {
    reply_map(r, 1);
    reply_text(r, ctx);
    reply_null(r);
}

static void say_large(struct reply *r, const void *ctx) {
    struct blob *b = blob_copy(slice_str(ctx));

    reply_array(r, 2);
    reply_blob(r, b);
    reply_blob(r, b);
    blob_unref(b);
}

static void check_encoding(unsigned protocol, void (*speech)(struct reply *r, const void *ctx),
                           const char *want) {
    struct blob *b = conn->session.ops->encode(&server, protocol, speech, "abc");

    ck_assert_ptr_nonnull(b);
    ck_assert_msg(slice_eq(blob_slice(b), slice_str(want)), "%.*s", (int)b->len, b->data);
    blob_unref(b);
}

START_TEST(encodes_for_either_protocol) {
    check_encoding(2, say_map, "*2\r\n$3\r\nabc\r\n$-1\r\n");
    check_encoding(3, say_map, "%1\r\n$3\r\nabc\r\n_\r\n");
    check_encoding(2, say_large, "*2\r\n$3\r\nabc\r\n$3\r\nabc\r\n");
    options.max_output_bytes = 4;
    ck_assert_ptr_null(conn->session.ops->encode(&server, 3, say_map, "abc"));
}
END_TEST

/* ---- from threads: many producers, a loop with a thread of its own, connections that come and go ------------------ */

enum { PRODUCERS = 3, ROUNDS = 20, EACH = 500 };

/* Whoever delivers keeps the session under a lock. */
static pthread_mutex_t target_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct session *target;
static _Atomic bool producers_end;

static void *produce(void *arg) {
    struct blob *b = blob_copy(slice_str(arg));

    while (!atomic_load(&producers_end)) {
        pthread_mutex_lock(&target_mutex);
        for (int i = 0; i < 16 && target != NULL; i++)
            target->ops->deliver(target, b, DELIVER_MESSAGE);
        pthread_mutex_unlock(&target_mutex);
        sched_yield();
    }
    blob_unref(b);
    return NULL;
}

static void retarget(struct session *s) {
    pthread_mutex_lock(&target_mutex);
    target = s;
    pthread_mutex_unlock(&target_mutex);
}

/* Reads lines of three kinds until there were so many. */
static void read_lines(int fd, unsigned count) {
    char line[4];

    while (count-- > 0) {
        ck_assert_int_eq(recv(fd, line, sizeof(line), MSG_WAITALL), (ssize_t)sizeof(line));
        ck_assert(line[0] == '+' && line[1] >= 'a' && line[1] < 'a' + PRODUCERS && line[2] == '\r' &&
                  line[3] == '\n');
    }
}

START_TEST(from_any_thread) {
    static char texts[PRODUCERS][5] = {"+a\r\n", "+b\r\n", "+c\r\n"};
    pthread_t producers[PRODUCERS];

    ck_assert(loop_start(&loop, 0));
    for (int i = 0; i < PRODUCERS; i++)
        ck_assert_int_eq(pthread_create(&producers[i], NULL, produce, texts[i]), 0);
    for (int i = 0; i < ROUNDS; i++) {
        int pair[2];
        struct conn *c;

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        c = conn_open(&loop, pair[0], 0);
        ck_assert_ptr_nonnull(c);
        retarget(&c->session);
        loop_hand_over(&loop, c);
        read_lines(pair[1], EACH);
        retarget(NULL); /* the registry lets go before the session may end */
        close(pair[1]);
    }
    atomic_store(&producers_end, true);
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(producers[i], NULL);
    loop_stop(&loop);
    loop_join(&loop);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("resp_inbox");
    TCase *tc = tcase_create("inbox");

    tcase_add_checked_fixture(tc, connection_setup, connection_teardown);
    tcase_add_test(tc, messages_come_in_order);
    tcase_add_test(tc, a_burst_wakes_the_loop_once);
    tcase_add_test(tc, large_messages_are_shared);
    tcase_add_test(tc, draining_puts_them_before_the_reply);
    tcase_add_test(tc, a_reader_who_does_not_read_is_closed);
    tcase_add_test(tc, mail_has_the_same_ceiling);
    tcase_add_test(tc, a_listener_may_be_idle);
    tcase_add_test(tc, a_blocked_command_goes_on_with_its_reply);
    tcase_add_test(tc, a_blocked_client_that_leaves);
    tcase_add_test(tc, closes_at_once);
    tcase_add_test(tc, a_connection_that_ends_with_mail);
    tcase_add_test(tc, an_ending_connection_takes_no_mail);
    tcase_add_test(tc, a_connection_on_its_way_to_its_loop);
    tcase_add_test(tc, encodes_for_either_protocol);
    tcase_add_test(tc, from_any_thread);
    suite_add_tcase(suite, tc);
    return suite;
}
