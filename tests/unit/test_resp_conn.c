/* One connection: commands in pieces, endings, clients that do not read. */
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "resp/hold.h"

enum { VALUE = 50000 };

static void store_large_value(const char *key) {
    static char value[VALUE];
    char header[64];

    memset(value, 'v', sizeof(value));
    snprintf(header, sizeof(header), "*3\r\n$3\r\nSET\r\n$1\r\n%s\r\n$%d\r\n", key, VALUE);
    say(header);
    tell(value, sizeof(value));
    say("\r\n");
    check_hears("+OK\r\n");
}

/* ---- commands in pieces -------------------------------------------------------------------------------------- */

START_TEST(owns_no_buffer_between_commands) {
    ck_assert_uint_le(sizeof(struct conn), 512);
    say("*1\r\n$4\r\nPING\r\n");
    ck_assert_ptr_null(conn->partial);
    ck_assert_ptr_null(conn->out);
    say("*1\r\n$4\r\nPI");
    ck_assert_ptr_nonnull(conn->partial);
    ck_assert_uint_lt(conn->partial->in.cap, 1024);
    say("NG\r\n");
    ck_assert_ptr_null(conn->partial);
    check_hears("+PONG\r\n+PONG\r\n");
}
END_TEST

START_TEST(commands_byte_by_byte) {
    static const char in[] =
        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\nGET k\r\n*2\r\n$3\r\nGET\r\n$1\r\nx\r\n\r\n";

    for (size_t i = 0; i < sizeof(in) - 1; i++)
        tell(in + i, 1);
    check_hears("+OK\r\n$5\r\nhello\r\n$-1\r\n");
    ck_assert_ptr_null(conn->partial);
}
END_TEST

START_TEST(pipelines_longer_than_the_input_buffer) {
    enum { COUNT = 30000 };
    static char in[COUNT * 14 + 1];

    for (int i = 0; i < COUNT; i++)
        memcpy(in + i * 14, "*1\r\n$4\r\nPING\r\n", 14);
    for (size_t at = 0; at < COUNT * 14; at += 14 * 3000) {
        struct slice heard;

        tell(in + at, 14 * 3000);
        heard = hear();
        ck_assert_uint_eq(heard.len, 7 * 3000);
        for (size_t i = 0; i < heard.len; i += 7)
            ck_assert_int_eq(memcmp(heard.ptr + i, "+PONG\r\n", 7), 0);
    }
    ck_assert_uint_eq(loop.tally.requests, COUNT);
}
END_TEST

START_TEST(a_large_value_goes_both_ways) {
    struct slice heard;

    store_large_value("k");
    ck_assert_ptr_null(conn->partial);
    say("GET k\nPING\n");
    heard = hear();
    ck_assert_uint_eq(heard.len, 8 + VALUE + 2 + 7);
    ck_assert(slice_starts(heard, SLICE_LIT("$50000\r\nvvv")));
    ck_assert_int_eq(memcmp(heard.ptr + heard.len - 11, "vv\r\n+PONG\r\n", 11), 0);
}
END_TEST

START_TEST(room_of_a_large_command_is_given_back) {
    struct buf in = buf_make(16 << 20);

    ck_assert(buf_printf(&in, "*50002\r\n$5\r\nRPUSH\r\n$1\r\nl\r\n"));
    for (int i = 0; i < 50000; i++)
        ck_assert(buf_printf(&in, "$5\r\n%05d\r\n", i));
    ck_assert(buf_printf(&in, "PI"));
    tell(in.data, in.len);
    check_hears(":50000\r\n");
    ck_assert_uint_lt(conn->partial->in.cap, 1024);
    say("NG\n");
    check_hears("+PONG\r\n");
    buf_free(&in);
}
END_TEST

/* ---- endings ------------------------------------------------------------------------------------------------- */

START_TEST(quit) {
    say("PING\nQUIT\nSET k v\n");
    check_hears("+PONG\r\n+OK\r\n");
    ck_assert(client_sees_end());
    ck_assert_int_eq(conn->state, CONN_LINGERING);
    say("PING\n"); /* thrown away */
    shutdown(client, SHUT_WR);
    settle();
    ck_assert(!is_open());
    check_line("EXISTS k", "(integer) 0");
}
END_TEST

START_TEST(a_protocol_error) {
    say("PING\n*1\r\n$-5\r\nPING\n");
    check_hears("+PONG\r\n-ERR Protocol error: invalid bulk length\r\n");
    ck_assert(client_sees_end());
    tick(2);
    ck_assert(is_open());
    tick(1);
    ck_assert(!is_open());
}
END_TEST

START_TEST(lingering_ends_however_much_is_sent) {
    say("QUIT\n");
    for (int i = 0; i < 3; i++) {
        ck_assert(is_open());
        say("more\n");
        tick(1);
    }
    ck_assert(!is_open());
}
END_TEST

START_TEST(http_is_refused) {
    say("POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\nSET k v\r\n");
    check_hears("-ERR Protocol error: this port does not speak HTTP\r\n");
    check_line("EXISTS k", "(integer) 0");
}
END_TEST

START_TEST(a_host_line_is_refused) {
    struct slice heard;

    say("GET / HTTP/1.1\r\nhOst: localhost\r\n\r\nSET k v\r\n");
    heard = hear();
    ck_assert_int_eq(memcmp(heard.ptr + heard.len - 16, "not speak HTTP\r\n", 16), 0);
    check_line("EXISTS k", "(integer) 0");
}
END_TEST

START_TEST(a_client_that_has_finished_sending_gets_its_replies) {
    struct slice heard;

    store_large_value("k");
    say("MGET k k k k\nPING\n");
    shutdown(client, SHUT_WR);
    settle();
    ck_assert(is_open());
    heard = hear();
    ck_assert_uint_eq(heard.len, 4 + 4 * (8 + VALUE + 2) + 7);
    ck_assert(!is_open());
}
END_TEST

START_TEST(a_lost_client) {
    say("*2\r\n$4\r\nECHO\r\n$100000\r\nabc");
    close(client);
    settle();
    ck_assert(!is_open());
    client = -1;
}
END_TEST

START_TEST(idle_for_too_long) {
    options.idle_timeout = 3;
    say("PING\n");
    tick(3);
    ck_assert(is_open());
    say("PING\n");
    tick(3);
    ck_assert(is_open());
    tick(1);
    ck_assert(!is_open());
}
END_TEST

START_TEST(idle_for_ever) {
    tick(100000);
    ck_assert(is_open());
}
END_TEST

/* ---- clients that do not read -------------------------------------------------------------------------------- */

/* Asks for the large value until the connection is not read any more; returns how often. */
static size_t ask_until_throttled(void) {
    static const char ask[] = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
    size_t asked = 0;

    while (conn->events & EPOLLIN) {
        say(ask);
        ck_assert_uint_lt(++asked, 1000);
    }
    return asked;
}

START_TEST(a_slow_reader_is_throttled) {
    size_t asked, limit = MAX_OUTPUT / 4 + VALUE + SOCKET_ROOM * 4;
    struct slice heard;

    store_large_value("k");
    asked = ask_until_throttled();
    ck_assert_uint_lt(asked * VALUE, limit);
    ck_assert_uint_eq(send(client, "PING\n", 5, 0), 5); /* not read until the replies are */
    settle();
    ck_assert_uint_eq(loop.tally.requests, 1 + asked);
    heard = hear();
    ck_assert_uint_eq(heard.len, asked * (8 + VALUE + 2) + 7);
    ck_assert_int_eq(memcmp(heard.ptr + heard.len - 7, "+PONG\r\n", 7), 0);
    ck_assert_ptr_null(conn->out);
    ck_assert_uint_eq(loop.waiting, 0);
}
END_TEST

START_TEST(commands_read_already_wait_with_the_client) {
    enum { COUNT = 60 };
    struct buf in = buf_make(1 << 20);
    struct slice heard;

    store_large_value("k");
    for (int i = 0; i < COUNT; i++)
        ck_assert(buf_printf(&in, "GET k\n"));
    ck_assert(buf_printf(&in, "ECHO end\n"));
    tell(in.data, in.len); /* one receive: 3 MB of replies */
    ck_assert_uint_lt(loop.tally.requests, COUNT);
    ck_assert_ptr_nonnull(conn->partial);
    shutdown(client, SHUT_WR); /* seen only after they have run */
    heard = hear();
    ck_assert_uint_eq(heard.len, COUNT * (8 + VALUE + 2) + 9);
    ck_assert_int_eq(memcmp(heard.ptr + heard.len - 9, "$3\r\nend\r\n", 9), 0);
    ck_assert(!is_open());
    buf_free(&in);
}
END_TEST

/* As in a turn in which others are still to be served (outbox.h). */
START_TEST(kept_replies_are_sent_at_the_end_of_the_turn) {
    loop.keeps = true;
    say("PING\n");
    say("ECHO two\n");
    ck_assert_uint_eq(loop.kept->used, 7 + 9);
    check_hears("");
    loop_send_kept(&loop);
    ck_assert_uint_eq(loop.kept->count, 0);
    check_hears("+PONG\r\n$3\r\ntwo\r\n");
    ck_assert_ptr_null(conn->out);
    ck_assert_uint_eq(loop.tally.bytes_out, 7 + 9);
}
END_TEST

START_TEST(a_full_outbox_is_sent) {
    enum { LEN = 4000, COUNT = OUTBOX_BYTES / (7 + LEN + 2) };
    static char echo[LEN + 8];

    memset(echo, 'v', sizeof(echo) - 2);
    memcpy(echo, "ECHO ", 5);
    echo[LEN + 5] = '\n';
    loop.keeps = true;
    for (int i = 0; i < COUNT; i++)
        say(echo);
    check_hears("");
    say(echo);
    ck_assert_uint_eq(hear().len, COUNT * (7 + LEN + 2));
    loop_send_kept(&loop);
    ck_assert_uint_eq(hear().len, 7 + LEN + 2);
}
END_TEST

START_TEST(a_long_reply_is_not_kept) {
    store_large_value("k");
    loop.keeps = true;
    say("GET k\n");
    ck_assert_uint_eq(loop.kept->count, 0);
    ck_assert_uint_eq(hear().len, 8 + VALUE + 2);
}
END_TEST

START_TEST(kept_replies_leave_before_the_end) {
    loop.keeps = true;
    say("PING\nQUIT\n");
    check_hears("+PONG\r\n+OK\r\n");
    ck_assert(client_sees_end());
    ck_assert_int_eq(conn->state, CONN_LINGERING);
}
END_TEST

START_TEST(kept_replies_that_the_socket_does_not_take_wait) {
    enum { LEN = 3000 };
    static char value[LEN + 1];
    size_t asked = 0;

    memset(value, 'v', LEN);
    loop.keeps = true;
    while (conn->out == NULL) { /* each alone, as of a client that reads nothing */
        say("ECHO ");
        say(value);
        say("\n");
        loop_send_kept(&loop);
        asked++;
    }
    ck_assert_uint_eq(loop.waiting, 1);
    ck_assert_uint_eq(hear().len, asked * (7 + LEN + 2));
    ck_assert_ptr_null(conn->out);
    ck_assert_uint_eq(loop.waiting, 0);
    loop.keeps = false;
    say("PING\n");
    check_hears("+PONG\r\n");
}
END_TEST

START_TEST(kept_replies_to_a_lost_client_end_it) {
    loop.keeps = true;
    say("PING\n");
    close(client);
    loop_send_kept(&loop);
    settle();
    ck_assert(!is_open());
}
END_TEST

START_TEST(a_reader_who_takes_nothing_is_given_up) {
    store_large_value("k");
    ask_until_throttled();
    tick(10);
    ck_assert(is_open());
    tick(1);
    ck_assert(!is_open());
    ck_assert_uint_eq(server.resp.output_overflows, 1);
}
END_TEST

START_TEST(a_reader_who_must_not_take_anything_yet_is_kept) {
    store_large_value("k");
    options.idle_timeout = 50;
    ask_until_throttled();
    conn->held = true; /* as if the disk were full */
    loop.held = conn;
    atomic_store(&loop.held_count, 1);
    tick(1000);
    ck_assert(is_open());
    conn_unhold(conn);
    tick(10);
    ck_assert(is_open());
    tick(1);
    ck_assert(!is_open());
}
END_TEST

START_TEST(a_reader_who_takes_a_little_is_kept) {
    char bytes[SOCKET_ROOM];

    store_large_value("k");
    say("MGET k k k k k k k k k k k k k k k k\n");
    for (int i = 0; i < 3; i++) {
        size_t before = outq_size(conn->out);

        ck_assert_uint_gt(before, MAX_OUTPUT / 4);
        tick(9);
        while (outq_size(conn->out) == before) {
            ck_assert_int_gt(recv(client, bytes, sizeof(bytes), 0), 0);
            settle();
        }
    }
    ck_assert(is_open());
    ck_assert_uint_eq(server.resp.output_overflows, 0);
}
END_TEST

START_TEST(a_reply_over_the_ceiling) {
    struct buf in = buf_make(1 << 20);

    store_large_value("k");
    ck_assert(buf_printf(&in, "MGET"));
    for (int i = 0; i < 2 * MAX_OUTPUT / VALUE; i++)
        ck_assert(buf_printf(&in, " k"));
    ck_assert(buf_printf(&in, "\n"));
    tell(in.data, in.len);
    ck_assert(!is_open());
    ck_assert_uint_eq(server.resp.output_overflows, 1);
    ck_assert_uint_eq(outq_size(&loop.out), 0);
    buf_free(&in);
}
END_TEST

START_TEST(many_replies_over_the_ceiling_are_no_overflow) {
    struct buf in = buf_make(1 << 20);
    size_t heard = 0;

    say("SET k 0123456789012345678901234567890123456789012345678901234567890123456789\n");
    check_hears("+OK\r\n");
    for (int i = 0; i < 10000; i++) /* 60 KB that ask for 770 KB, with a quarter of 1 MiB allowed to wait */
        ck_assert(buf_printf(&in, "GET k\n"));
    ck_assert_int_eq(send(client, in.data, in.len, 0), (ssize_t)in.len);
    for (size_t n; (n = hear().len) > 0;)
        heard += n;
    ck_assert_uint_eq(heard, 10000 * 77);
    ck_assert(is_open());
    buf_free(&in);
}
END_TEST

/* ---- commands that do not go on ------------------------------------------------------------------------------ */

START_TEST(a_command_has_to_go_on) {
    options.command_timeout = 5;
    tick(100000); /* idle, which is another matter */
    ck_assert(is_open());
    for (int i = 0; i < 5; i++) { /* a byte now and then is not getting on */
        say("*");
        tick(1);
        ck_assert(is_open());
    }
    tick(1);
    ck_assert(!is_open());
}
END_TEST

START_TEST(a_command_that_goes_on_may_take_long) {
    static char piece[16 * 1024];

    options.command_timeout = 5;
    memset(piece, 'v', sizeof(piece));
    say("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$163840\r\n");
    for (int i = 0; i < 10; i++) {
        tick(5);
        tell(piece, sizeof(piece));
    }
    say("\r\n");
    check_hears("+OK\r\n");
    for (int i = 0; i < 10; i++) { /* whole commands, each in two pieces */
        say(i == 0 ? "*1\r\n$4\r\nPI" : "NG\r\n*1\r\n$4\r\nPI");
        tick(5);
        ck_assert(is_open());
    }
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("resp_conn");
    TCase *tc = tcase_create("conn");

    tcase_add_checked_fixture(tc, connection_setup, connection_teardown);
    tcase_add_test(tc, owns_no_buffer_between_commands);
    tcase_add_test(tc, commands_byte_by_byte);
    tcase_add_test(tc, pipelines_longer_than_the_input_buffer);
    tcase_add_test(tc, a_large_value_goes_both_ways);
    tcase_add_test(tc, room_of_a_large_command_is_given_back);
    tcase_add_test(tc, quit);
    tcase_add_test(tc, a_protocol_error);
    tcase_add_test(tc, lingering_ends_however_much_is_sent);
    tcase_add_test(tc, http_is_refused);
    tcase_add_test(tc, a_host_line_is_refused);
    tcase_add_test(tc, a_client_that_has_finished_sending_gets_its_replies);
    tcase_add_test(tc, a_lost_client);
    tcase_add_test(tc, idle_for_too_long);
    tcase_add_test(tc, idle_for_ever);
    tcase_add_test(tc, a_slow_reader_is_throttled);
    tcase_add_test(tc, commands_read_already_wait_with_the_client);
    tcase_add_test(tc, kept_replies_are_sent_at_the_end_of_the_turn);
    tcase_add_test(tc, a_full_outbox_is_sent);
    tcase_add_test(tc, a_long_reply_is_not_kept);
    tcase_add_test(tc, kept_replies_leave_before_the_end);
    tcase_add_test(tc, kept_replies_that_the_socket_does_not_take_wait);
    tcase_add_test(tc, kept_replies_to_a_lost_client_end_it);
    tcase_add_test(tc, a_reader_who_takes_nothing_is_given_up);
    tcase_add_test(tc, a_reader_who_must_not_take_anything_yet_is_kept);
    tcase_add_test(tc, a_reader_who_takes_a_little_is_kept);
    tcase_add_test(tc, a_reply_over_the_ceiling);
    tcase_add_test(tc, a_command_has_to_go_on);
    tcase_add_test(tc, a_command_that_goes_on_may_take_long);
    tcase_add_test(tc, many_replies_over_the_ceiling_are_no_overflow);
    suite_add_tcase(suite, tc);
    return suite;
}
