/* Sends that are kept until the turn is over, in place of the C library's. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/conn.h"
#include "http/worker.h"
#include "unit.h"

static struct worker worker;
static struct conn conn[2];
static int client[2]; /* their other ends */

static void setup(void) {
    memset(&worker, 0, sizeof(worker));
    for (int i = 0; i < 2; i++) {
        int pair[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        conn[i] = (struct conn){.worker = &worker, .fd = pair[0]};
        client[i] = pair[1];
    }
    gather_own(&worker.gather);
}

static void teardown(void) {
    gather_own(NULL);
    for (int i = 0; i < 2; i++) {
        close(conn[i].fd);
        close(client[i]);
    }
}

static void check_hears(int i, const char *want) {
    char heard[256];
    ssize_t n = recv(client[i], heard, sizeof(heard), 0);

    ck_assert(slice_eq(slice_of(heard, n > 0 ? (size_t)n : 0), slice_str(want)));
}

static void say(int i, const char *text) {
    ck_assert_int_eq(send(conn[i].fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* As the library sends headers and body. */
static void say_both(int i, char *head, char *body) {
    struct iovec parts[] = {{head, strlen(head)}, {body, strlen(body)}};
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};

    ck_assert_int_eq(sendmsg(conn[i].fd, &m, MSG_NOSIGNAL), strlen(head) + strlen(body));
}

static void say_expected(int i, const char *text) {
    gather_expect(&worker.gather, &conn[i]);
    say(i, text);
}

START_TEST(what_is_expected_is_kept) {
    char head[] = "head ", body[] = "body";

    say_expected(0, "one ");
    gather_expect(&worker.gather, &conn[1]);
    say_both(1, head, body);
    say_expected(0, "two");
    check_hears(0, "");
    check_hears(1, "");
    gather_turn_over(&worker.gather);
    check_hears(0, "one two");
    check_hears(1, "head body");
}
END_TEST

START_TEST(what_is_not_expected_is_sent_behind_what_is_kept) {
    say(0, "alone ");
    say_expected(0, "kept ");
    say(0, "now");
    check_hears(0, "alone kept now");
    say_expected(0, "kept");
    say(1, "to another");
    check_hears(0, "kept");
    check_hears(1, "to another");
}
END_TEST

START_TEST(only_the_next_send_is_expected) {
    say_expected(0, "kept");
    gather_begin(&worker.gather, true);
    check_hears(0, "");
    gather_expect(&worker.gather, &conn[0]);
    gather_begin(&worker.gather, true); /* of a request whose predecessor's reply was not sent */
    say(0, " sent");
    check_hears(0, "kept sent");
}
END_TEST

START_TEST(more_to_come_is_not_kept) {
    gather_expect(&worker.gather, &conn[0]);
    ck_assert_int_eq(send(conn[0].fd, "head", 4, MSG_NOSIGNAL | MSG_MORE), 4);
    check_hears(0, "head");
}
END_TEST

START_TEST(what_is_long_is_not_kept) {
    static char text[OUTBOX_REPLY_MAX + 2];

    memset(text, 'x', sizeof(text) - 1);
    say_expected(0, text);
    ck_assert_uint_eq(worker.gather.outbox.count, 0);
    text[OUTBOX_REPLY_MAX] = '\0';
    say_expected(1, text);
    ck_assert_uint_eq(worker.gather.outbox.count, 1);
    gather_turn_over(&worker.gather);
}
END_TEST

START_TEST(a_request_that_may_take_long_does_not_hold_others_up) {
    say_expected(0, "kept");
    gather_begin(&worker.gather, false);
    check_hears(0, "kept");
}
END_TEST

START_TEST(an_end_leaves_behind_what_is_kept) {
    say_expected(0, "kept");
    shutdown(conn[0].fd, SHUT_WR);
    check_hears(0, "kept");
    say_expected(1, "kept");
    gather_forget(&worker.gather, &conn[1]);
    check_hears(1, "kept");
}
END_TEST

START_TEST(a_full_outbox_is_sent) {
    for (int i = 0; i < OUTBOX_REPLIES; i++)
        say_expected(i % 2, i % 2 ? "b" : "a");
    check_hears(0, "");
    say_expected(0, "A");
    ck_assert_uint_eq(worker.gather.outbox.count, 1);
    check_hears(0, "aaaaaaaaaaaaaaaa");
    check_hears(1, "bbbbbbbbbbbbbbbb");
    gather_turn_over(&worker.gather);
    check_hears(0, "A");
}
END_TEST

START_TEST(replies_of_a_pipeline_are_sent_as_one) {
    for (int i = 0; i < 2 * OUTBOX_REPLIES; i++)
        say_expected(0, "x");
    ck_assert_uint_eq(worker.gather.outbox.count, 1);
    ck_assert_uint_eq(worker.gather.outbox.replies[0].len, 2 * OUTBOX_REPLIES);
    gather_turn_over(&worker.gather);
    check_hears(0, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}
END_TEST

START_TEST(a_lost_client_is_none_of_the_others_business) {
    close(client[0]);
    say_expected(0, "lost");
    say_expected(1, "kept");
    gather_turn_over(&worker.gather);
    check_hears(1, "kept");
    ck_assert_ptr_null(worker.gather.fresh);
    client[0] = dup(client[1]);
}
END_TEST

/* Returns how much that was. */
static size_t fill(int i) {
    static const char text[4096];
    size_t len = 0;
    ssize_t n;

    while ((n = send(conn[i].fd, text, sizeof(text), MSG_NOSIGNAL)) > 0)
        len += (size_t)n;
    return len;
}

START_TEST(what_is_owed_is_sent_before_anything_else) {
    size_t full = fill(0);
    char *heard = malloc(full);

    say_expected(0, "owed ");
    gather_flush(&worker.gather);
    ck_assert(atomic_load(&conn[0].owes));
    ck_assert_int_eq(send(conn[0].fd, "x", 1, MSG_NOSIGNAL), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_eq(recv(client[0], heard, full, MSG_WAITALL), full);
    say(0, "next");
    check_hears(0, "owed next");
    ck_assert(!atomic_load(&conn[0].owes));
    free(heard);
}
END_TEST

START_TEST(what_is_owed_is_forgotten_with_its_connection_alone) {
    fill(0);
    fill(1);
    say_expected(0, "owed");
    say_expected(1, "owed");
    gather_flush(&worker.gather);
    gather_forget(&worker.gather, &conn[0]);
    ck_assert_ptr_nonnull(worker.gather.fresh);
    gather_forget(&worker.gather, &conn[1]);
    ck_assert_ptr_null(worker.gather.fresh);
}
END_TEST

static void nothing(struct waiter *w) {
    (void)w;
}

START_TEST(room_is_waited_for_beside_a_watch) {
    struct waiter leaving = {.ready = nothing, .fd = conn[0].fd}, room = {.ready = nothing, .fd = conn[0].fd};
    struct epoll_event e = {.events = 0};

    worker.epoll = epoll_create1(0);
    ck_assert(worker_watch(&worker, &leaving));
    ck_assert(worker_wait(&worker, &room));
    ck_assert_int_eq(epoll_wait(worker.epoll, &e, 1, 0), 1);
    ck_assert_ptr_eq(e.data.ptr, &room);
    worker_unwait(&worker, &room);
    ck_assert_int_eq(epoll_wait(worker.epoll, &e, 1, 0), 0);
    shutdown(client[0], SHUT_WR);
    ck_assert_int_eq(epoll_wait(worker.epoll, &e, 1, 0), 1);
    ck_assert_ptr_eq(e.data.ptr, &leaving);
    worker_unwatch(&worker, &leaving);
    close(worker.epoll);
}
END_TEST

START_TEST(other_threads_send_at_once) {
    gather_expect(&worker.gather, &conn[0]);
    gather_own(NULL);
    say(0, "now");
    check_hears(0, "now");
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("http_gather");
    TCase *tc = tcase_create("gather");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_is_expected_is_kept);
    tcase_add_test(tc, what_is_not_expected_is_sent_behind_what_is_kept);
    tcase_add_test(tc, only_the_next_send_is_expected);
    tcase_add_test(tc, more_to_come_is_not_kept);
    tcase_add_test(tc, what_is_long_is_not_kept);
    tcase_add_test(tc, a_request_that_may_take_long_does_not_hold_others_up);
    tcase_add_test(tc, an_end_leaves_behind_what_is_kept);
    tcase_add_test(tc, a_full_outbox_is_sent);
    tcase_add_test(tc, replies_of_a_pipeline_are_sent_as_one);
    tcase_add_test(tc, a_lost_client_is_none_of_the_others_business);
    tcase_add_test(tc, what_is_owed_is_sent_before_anything_else);
    tcase_add_test(tc, what_is_owed_is_forgotten_with_its_connection_alone);
    tcase_add_test(tc, room_is_waited_for_beside_a_watch);
    tcase_add_test(tc, other_threads_send_at_once);
    suite_add_tcase(s, tc);
    return s;
}
