/* SUBSCRIBE and company, PUBSUB, MONITOR: on a connection, as bytes. */
#include <sys/socket.h>
#include <unistd.h>

#include <stdio.h>

#include "connection.h"

#define REFUSED "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n"

/* The connection says `line` and hears `want`. */
static void check_answer(const char *line, const char *want) {
    say(line);
    check_hears(want);
}

START_TEST(messages) {
    check_answer("subscribe a b a\n", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
                                      "*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n"
                                      "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:2\r\n");
    check_answer("psubscribe ?\n", "*3\r\n$10\r\npsubscribe\r\n$1\r\n?\r\n:3\r\n");
    check_answer("ssubscribe s\n", "*3\r\n$10\r\nssubscribe\r\n$1\r\ns\r\n:1\r\n");
    check_line("publish a hello", "(integer) 2");
    check_hears("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nhello\r\n"
                "*4\r\n$8\r\npmessage\r\n$1\r\n?\r\n$1\r\na\r\n$5\r\nhello\r\n");
    check_line("spublish s hello", "(integer) 1");
    check_hears("*3\r\n$8\r\nsmessage\r\n$1\r\ns\r\n$5\r\nhello\r\n");
    check_line("publish long hello", "(integer) 0");
    check_hears("");
}
END_TEST

START_TEST(unsubscribing) {
    say("subscribe a b\npsubscribe p\n");
    (void)hear();
    check_answer("unsubscribe b nope\n", "*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:2\r\n"
                                         "*3\r\n$11\r\nunsubscribe\r\n$4\r\nnope\r\n:2\r\n");
    check_answer("sunsubscribe\n", "*3\r\n$12\r\nsunsubscribe\r\n$-1\r\n:0\r\n");
    check_answer("unsubscribe\n", "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n");
    check_answer("punsubscribe\n", "*3\r\n$12\r\npunsubscribe\r\n$1\r\np\r\n:0\r\n");
    check_answer("punsubscribe\n", "*3\r\n$12\r\npunsubscribe\r\n$-1\r\n:0\r\n");
    ck_assert(!conn->session.listens);
    check_answer("exists k\n", ":0\r\n");
}
END_TEST

START_TEST(messages_come_before_the_confirmation_that_ends_them) {
    say("subscribe a\n");
    (void)hear();
    check_line("publish a 1", "(integer) 1");
    /* both wait: the message, and the command that makes it the last one */
    ck_assert_int_eq(send(client, "unsubscribe\n", 12, 0), 12);
    conn->source.ready(&conn->source, 1);
    check_hears("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n1\r\n"
                "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n");
}
END_TEST

START_TEST(resp3) {
    say("hello 3\n");
    (void)hear();
    check_answer("subscribe a\n", ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    check_line("publish a 1", "(integer) 1");
    check_hears(">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n1\r\n");
    check_answer("ping\nping x\nexists k\n", "+PONG\r\n$1\r\nx\r\n:0\r\n"); /* everything is allowed */
    check_answer("publish a 2\n", ":1\r\n>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n2\r\n");
    check_answer("unsubscribe\n", ">3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n");
    check_answer("unsubscribe\n", ">3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n");
}
END_TEST

START_TEST(what_a_subscriber_may_run) {
    say("subscribe a\n");
    (void)hear();
    check_answer("get k\n", "-ERR Can't execute 'get': " REFUSED);
    check_answer("config get port\n", "-ERR Can't execute 'config|get': " REFUSED);
    check_answer("ping\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    check_answer("ping x\n", "*2\r\n$4\r\npong\r\n$1\r\nx\r\n");
    check_answer("reset\n", "+RESET\r\n");
    check_line("publish a 1", "(integer) 0");
    check_answer("ping\n", "+PONG\r\n");
    say("subscribe a\n");
    (void)hear();
    check_answer("quit\n", "+OK\r\n");
}
END_TEST

START_TEST(a_subscriber_that_leaves) {
    say("subscribe a\npsubscribe *\nssubscribe s\n");
    (void)hear();
    check_line("pubsub numsub a b", "[\"a\", (integer) 1, \"b\", (integer) 0]");
    check_line("pubsub shardnumsub s", "[\"s\", (integer) 1]");
    check_line("pubsub numpat", "(integer) 1");
    check_line("pubsub channels", "[\"a\"]");
    check_line("pubsub channels b*", "[]");
    check_line("pubsub channels ?", "[\"a\"]");
    check_line("pubsub shardchannels", "[\"s\"]");
    conn_close(conn);
    check_line("pubsub numsub a", "[\"a\", (integer) 0]");
    check_line("pubsub numpat", "(integer) 0");
    check_line("publish a 1", "(integer) 0");
}
END_TEST

START_TEST(who_cannot_listen) { /* HTTP's sessions */
    check_line("subscribe a", "(error) ERR subscribe is not allowed here: nothing can be delivered");
    check_line("monitor", "(error) ERR monitor is not allowed here: nothing can be delivered");
    check_line(
        "pubsub channels a b",
        "(error) ERR unknown subcommand or wrong number of arguments for 'channels'. Try PUBSUB HELP.");
}
END_TEST

START_TEST(client_list_tells) {
    struct slice heard;

    say("hello 3\nsubscribe a b\npsubscribe *\nssubscribe s\n");
    (void)hear();
    say("client info\n");
    heard = hear();
    ck_assert_ptr_nonnull(memmem(heard.ptr, heard.len, " flags=P db=0 sub=2 psub=1 ssub=1 ", 34));
    ck_assert_ptr_nonnull(
        strstr(run_line("info stats"), "pubsub_channels:2\\x0d\\x0apubsub_patterns:1\\x0d\\x0a"));
}
END_TEST

/* ---- MONITOR ------------------------------------------------------------------------------------------------- */

/* The line without its time. */
static void check_monitor(const char *line, const char *want) {
    struct slice heard;
    const char *from;

    (void)run_line(line);
    heard = hear();
    if (want == NULL) {
        ck_assert_uint_eq(heard.len, 0);
        return;
    }
    ck_assert_int_eq(heard.ptr[0], '+');
    from = memchr(heard.ptr, ' ', heard.len);
    ck_assert_ptr_nonnull(from);
    ck_assert_int_eq(from[-7], '.');
    ck_assert_msg(slice_eq(slice_of(from + 1, (size_t)(heard.ptr + heard.len - from - 1)), slice_str(want)),
                  "%.*s", (int)heard.len, heard.ptr);
}

START_TEST(no_monitor_in_a_transaction) {
    check_answer("multi\nmonitor\nexec\nset k v\n",
                 "+OK\r\n+QUEUED\r\n*1\r\n-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n+OK\r\n");
    ck_assert_uint_eq(server.monitors.count, 0);
}
END_TEST

START_TEST(monitor) {
    check_answer("monitor\n", "+OK\r\n");
    snprintf(session.peer, sizeof(session.peer), "127.0.0.1:1");
    check_monitor("set k \"a b\\x00\\xff\\\"\\\\\\n\"",
                  "[0 127.0.0.1:1] \"set\" \"k\" \"a b\\x00\\xff\\\"\\\\\\n\"\r\n");
    check_monitor(
        "hello 2 auth default secret setname x",
        "[0 127.0.0.1:1] \"hello\" \"2\" \"auth\" \"(redacted)\" \"(redacted)\" \"setname\" \"x\"\r\n");
    check_monitor("config get port", NULL); /* admin */
    check_monitor("nosuch", NULL);
    check_monitor("get", NULL);
    check_answer("get k\n", "-ERR Replica can't interact with the keyspace\r\n");
    say("reset\n");
    check_hears("+RESET\r\n");
    check_monitor("get k", NULL);
    ck_assert_uint_eq(server.monitors.count, 0);
}
END_TEST

START_TEST(a_monitor_that_leaves) {
    check_answer("monitor\nmonitor\n", "+OK\r\n+OK\r\n");
    ck_assert_uint_eq(server.monitors.count, 1);
    conn_close(conn);
    ck_assert_uint_eq(server.monitors.count, 0);
    check_line("set k v", "OK");
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("cmd_pubsub");
    TCase *tc = tcase_create("pubsub");

    tcase_add_checked_fixture(tc, connection_setup, connection_teardown);
    tcase_add_test(tc, messages);
    tcase_add_test(tc, unsubscribing);
    tcase_add_test(tc, messages_come_before_the_confirmation_that_ends_them);
    tcase_add_test(tc, resp3);
    tcase_add_test(tc, what_a_subscriber_may_run);
    tcase_add_test(tc, a_subscriber_that_leaves);
    tcase_add_test(tc, who_cannot_listen);
    tcase_add_test(tc, client_list_tells);
    tcase_add_test(tc, no_monitor_in_a_transaction);
    tcase_add_test(tc, monitor);
    tcase_add_test(tc, a_monitor_that_leaves);
    suite_add_tcase(suite, tc);
    return suite;
}
