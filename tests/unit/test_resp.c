/* The RESP front as it runs: threads, listening sockets, limits, start and stop. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <flashkv/resp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"

enum { POLLS = 12000, POLL_US = 5000 }; /* a minute, on the busiest machine */

static struct resp *resp;
static char why[256];

static void setup(void) {
    commands_setup();
    options.resp_port = 0;
    options.resp_threads = 3;
}

static void teardown(void) {
    resp_stop(resp);
    resp = NULL;
    ck_assert_uint_eq(server.resp.connections, 0);
    session_list_lock(&server.sessions);
    ck_assert_uint_eq(server.sessions.count, 1); /* the fixture's own */
    session_list_unlock(&server.sessions);
    commands_teardown();
}

static void start(void) {
    resp = resp_start(&server, why, sizeof(why));
    ck_assert_msg(resp != NULL, "%s", why);
    ck_assert_uint_ne(server.resp_port, 0);
}

static void stop(void) {
    resp_stop(resp);
    resp = NULL;
}

static int connect_to(const char *address) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(server.resp_port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(inet_pton(AF_INET, address, &a.sin_addr), 1);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static void say(int fd, const char *text) {
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads exactly as much as is wanted. */
static void check_hears(int fd, const char *want) {
    char heard[4096];
    size_t len = strlen(want);

    ck_assert_uint_lt(len, sizeof(heard));
    ck_assert_int_eq(recv(fd, heard, len, MSG_WAITALL), (ssize_t)len);
    heard[len] = '\0';
    ck_assert_str_eq(heard, want);
}

static void check_ends(int fd) {
    char c;

    ck_assert_int_eq(recv(fd, &c, 1, 0), 0);
    close(fd);
}

static void wait_until_is(_Atomic uint64_t *counter, uint64_t value) {
    for (int i = 0; i < POLLS && *counter != value; i++)
        usleep(POLL_US);
    ck_assert_uint_eq(*counter, value);
}

/* ---- starting and stopping ----------------------------------------------------------------------------------- */

START_TEST(answers) {
    int fd;

    start();
    fd = connect_to("127.0.0.1");
    say(fd, "PING\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\nnonsense\n");
    check_hears(fd, "+PONG\r\n$2\r\nhi\r\n-ERR unknown command 'nonsense', with args beginning with: \r\n");
    close(fd);
    wait_until_is(&server.resp.connections, 0);
    wait_until_is(&server.resp.accepted, 1);
    wait_until_is(&server.resp.requests, 3);
    wait_until_is(&server.resp.errors, 1);
    wait_until_is(&server.resp.bytes_in, 6 + 22 + 9);
    wait_until_is(&server.resp.bytes_out, 7 + 8 + 61);
}
END_TEST

START_TEST(a_taken_port) {
    struct resp *second;

    start();
    options.resp_port = server.resp_port;
    second = resp_start(&server, why, sizeof(why));
    ck_assert_ptr_null(second);
    ck_assert_msg(strstr(why, "Address already in use") != NULL, "%s", why);
}
END_TEST

START_TEST(all_addresses_share_one_port) {
    static char both[] = "127.0.0.1,127.0.0.2";
    char *bind = options.bind;
    int a, b;

    options.bind = both;
    start();
    options.bind = bind;
    a = connect_to("127.0.0.1");
    b = connect_to("127.0.0.2");
    say(a, "SET k v\n");
    check_hears(a, "+OK\r\n");
    say(b, "GET k\n");
    check_hears(b, "$1\r\nv\r\n");
    close(a);
    close(b);
}
END_TEST

START_TEST(connections_are_dealt_out_evenly) {
    enum { CLIENTS = 30 };
    int fds[CLIENTS];

    start();
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = connect_to("127.0.0.1");
        say(fds[i], "PING\n");
        check_hears(fds[i], "+PONG\r\n");
    }
    /* While one thread sleeps, the clients of the two others are answered: 20 of 30, itself not counted. */
    say(fds[0], "DEBUG SLEEP 1\n");
    wait_until_is(&server.resp.requests, CLIENTS);
    for (int i = 1; i < CLIENTS; i++)
        say(fds[i], "PING\n");
    wait_until_is(&server.resp.requests, CLIENTS + 2 * CLIENTS / 3);
    check_hears(fds[0], "+OK\r\n");
    for (int i = 1; i < CLIENTS; i++) {
        check_hears(fds[i], "+PONG\r\n");
        close(fds[i]);
    }
    close(fds[0]);
}
END_TEST

START_TEST(a_stop_answers_what_has_arrived) {
    int fds[10];

    start();
    for (int i = 0; i < 10; i++) {
        fds[i] = connect_to("127.0.0.1");
        say(fds[i], "PING\n");
        check_hears(fds[i], "+PONG\r\n");
    }
    for (int i = 0; i < 10; i++)
        say(fds[i], "PING\nSET k v\n*1\r\n$4\r\nPI");
    stop();
    for (int i = 0; i < 10; i++) {
        char rest[16];

        check_hears(fds[i], "+PONG\r\n+OK\r\n");
        ck_assert_int_le(recv(fds[i], rest, sizeof(rest), 0), 0);
        close(fds[i]);
    }
    check_line("GET k", "\"v\"");
}
END_TEST

START_TEST(a_stop_does_not_wait_for_ever) {
    char value[100000], header[64];
    int fd;

    start();
    fd = connect_to("127.0.0.1");
    memset(value, 'v', sizeof(value));
    snprintf(header, sizeof(header), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%zu\r\n", sizeof(value));
    say(fd, header);
    ck_assert_int_eq(send(fd, value, sizeof(value), 0), (ssize_t)sizeof(value));
    say(fd, "\r\n");
    check_hears(fd, "+OK\r\n");
    for (int i = 0; i < 400; i++) /* 40 MB: more than sockets hold */
        say(fd, "GET k\n");
    stop();
    close(fd);
}
END_TEST

/* ---- limits -------------------------------------------------------------------------------------------------- */

START_TEST(too_many_connections) {
    int fds[5], over;

    options.max_connections = 5;
    start();
    for (int i = 0; i < 5; i++) {
        fds[i] = connect_to("127.0.0.1");
        say(fds[i], "PING\n");
        check_hears(fds[i], "+PONG\r\n");
    }
    over = connect_to("127.0.0.1");
    check_hears(over, "-ERR max number of clients reached\r\n");
    check_ends(over);
    ck_assert_uint_eq(server.resp.refused, 1);
    close(fds[0]);
    wait_until_is(&server.resp.connections, 4);
    fds[0] = connect_to("127.0.0.1");
    say(fds[0], "PING\n");
    check_hears(fds[0], "+PONG\r\n");
    for (int i = 0; i < 5; i++)
        close(fds[i]);
}
END_TEST

static unsigned count_lines(int fd) {
    char text[4096];
    ssize_t n = pread(fd, text, sizeof(text), 0);
    unsigned lines = 0;

    for (ssize_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines;
}

START_TEST(no_descriptors_left) {
    enum { CLIENTS = 5 };
    struct rlimit before, none;
    int fds[CLIENTS], log = open("/tmp", O_TMPFILE | O_RDWR, 0600), kept = dup(STDERR_FILENO);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

    start();
    a.sin_port = htons(server.resp_port);
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
    dup2(log, STDERR_FILENO);
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = (rlim_t)fds[CLIENTS - 1] + 1;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int i = 0; i < CLIENTS; i++) {
        ck_assert_int_eq(connect(fds[i], (struct sockaddr *)&a, sizeof(a)), 0);
        say(fds[i], "PING\n");
    }
    for (int i = 0; i < POLLS && count_lines(log) == 0; i++)
        usleep(POLL_US);
    sleep(3); /* as long as several pauses: it is still said once */
    ck_assert_uint_eq(count_lines(log), 1);
    ck_assert_uint_eq(server.resp.accepted, 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; i < CLIENTS; i++) {
        check_hears(fds[i], "+PONG\r\n");
        close(fds[i]);
    }
    ck_assert_uint_eq(count_lines(log), 1);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(log);
}
END_TEST

START_TEST(an_idle_client_is_let_go) {
    int fd;

    options.idle_timeout = 1;
    start();
    fd = connect_to("127.0.0.1");
    say(fd, "PING\n");
    check_hears(fd, "+PONG\r\n");
    check_ends(fd);
}
END_TEST

/* ---- endings ------------------------------------------------------------------------------------------------- */

START_TEST(an_error_outlives_what_was_sent_behind_it) {
    static char junk[4 << 20];
    int fd;

    start();
    fd = connect_to("127.0.0.1");
    say(fd, "*1\r\n$-5\r\n");
    for (size_t sent = 0; sent < sizeof(junk);) { /* closing at once would reset it */
        ssize_t n = send(fd, junk + sent, sizeof(junk) - sent, MSG_NOSIGNAL);

        ck_assert_int_gt(n, 0);
        sent += (size_t)n;
    }
    check_hears(fd, "-ERR Protocol error: invalid bulk length\r\n");
    check_ends(fd);
}
END_TEST

START_TEST(quit_closes) {
    int fd;

    start();
    fd = connect_to("127.0.0.1");
    say(fd, "QUIT\n");
    check_hears(fd, "+OK\r\n");
    check_ends(fd);
    wait_until_is(&server.resp.connections, 0);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("resp");
    TCase *tc = tcase_create("resp");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, answers);
    tcase_add_test(tc, a_taken_port);
    tcase_add_test(tc, all_addresses_share_one_port);
    tcase_add_test(tc, connections_are_dealt_out_evenly);
    tcase_add_test(tc, a_stop_answers_what_has_arrived);
    tcase_add_test(tc, a_stop_does_not_wait_for_ever);
    tcase_add_test(tc, too_many_connections);
    tcase_add_test(tc, no_descriptors_left);
    tcase_add_test(tc, an_idle_client_is_let_go);
    tcase_add_test(tc, an_error_outlives_what_was_sent_behind_it);
    tcase_add_test(tc, quit_closes);
    suite_add_tcase(suite, tc);
    return suite;
}
