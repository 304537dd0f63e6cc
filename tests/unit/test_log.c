/* The log: its two formats, escaping, and one write a line.
 *
 * Standard error is a datagram socket here, which keeps each write apart from the next. */
#include <flashkv/log.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

enum { LINE_ROOM = 16 * 1024, TIME_LEN = 24 };

static int captured;
static char line[LINE_ROOM];

static void capture(void) {
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    captured = ends[0];
}

/* The next write to standard error; "" if there was none. */
static const char *next_line(void) {
    ssize_t n = recv(captured, line, sizeof(line) - 1, MSG_DONTWAIT);

    line[n > 0 ? n : 0] = '\0';
    return line;
}

/* The line that follows, without its time, which has to look like 2026-11-23T18:04:05.123Z. */
static const char *next_text(void) {
    const char *shape = "dddd-dd-ddTdd:dd:dd.dddZ ", *l = next_line();

    for (size_t i = 0; shape[i] != '\0'; i++)
        ck_assert_msg(shape[i] == 'd' ? l[i] >= '0' && l[i] <= '9' : l[i] == shape[i], "no time: %s", l);
    return l + strlen(shape);
}

static const char *next_json(void) {
    static const char before[] = "{\"time\":\"";
    const char *l = next_line();

    ck_assert_mem_eq(l, before, strlen(before));
    return l + strlen(before) + TIME_LEN;
}

START_TEST(text) {
    log_info("%s %d", "hello", 7);
    ck_assert_str_eq(next_text(), "info  hello 7\n");
    log_warn("w");
    ck_assert_str_eq(next_text(), "warn  w\n");
    log_error("e");
    ck_assert_str_eq(next_text(), "error e\n");
}
END_TEST

START_TEST(json) {
    log_setup(LOG_DEBUG, LOG_JSON);
    log_debug("say \"hi\" to C:\\");
    ck_assert_str_eq(next_json(), "\",\"level\":\"debug\",\"message\":\"say \\\"hi\\\" to C:\\\\\"}\n");
}
END_TEST

/* What says the same is told once a minute, with a count; what says something else at once. */
START_TEST(repeated) {
    struct log_repeated r = {.suppressed = 0};
    const int64_t minute = INT64_C(60) * 1000000000;

    log_error_repeated(&r, 1, "disk: %s", "full");
    ck_assert_str_eq(next_text(), "error disk: full\n");
    for (int64_t at = 2; at <= minute; at += minute / 100)
        log_error_repeated(&r, at, "disk: %s", "full");
    ck_assert_str_eq(next_line(), "");
    log_error_repeated(&r, 1 + minute, "disk: %s", "full");
    ck_assert_str_eq(next_text(), "error disk: full (100 more like the last were suppressed)\n");
    log_error_repeated(&r, 2 + minute, "disk: %s", "gone");
    ck_assert_str_eq(next_text(), "error disk: gone\n");
    log_error_repeated(&r, 3 + minute, "disk: %s", "gone");
    ck_assert_str_eq(next_line(), "");
    r = (struct log_repeated){.suppressed = 0};
    log_error_repeated(&r, 4 + minute, "disk: %s", "gone");
    ck_assert_str_eq(next_text(), "error disk: gone\n");
}
END_TEST

START_TEST(levels_below_the_least_are_not_written) {
    log_debug("not by default");
    log_setup(LOG_ERROR, LOG_TEXT);
    log_warn("neither");
    ck_assert(!log_enabled(LOG_WARN));
    ck_assert(log_enabled(LOG_ERROR));
    ck_assert_str_eq(next_line(), "");
    log_error("but this");
    ck_assert_str_eq(next_text(), "error but this\n");
}
END_TEST

START_TEST(a_message_cannot_forge_a_line) {
    log_info("a\r\nb\x1b[31m\x7f");
    ck_assert_str_eq(next_text(), "info  a\\x0d\\x0ab\\x1b[31m\\x7f\n");
    log_setup(LOG_INFO, LOG_JSON);
    log_info("a\r\nb\x01");
    ck_assert_str_eq(next_json(), "\",\"level\":\"info\",\"message\":\"a\\u000d\\u000ab\\u0001\"}\n");
}
END_TEST

static const struct {
    const char *message, *text, *json;
} bytes[] = {
    {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
     "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"\xff\xfe", "\\xff\\xfe", "\\ufffd\\ufffd"},
    {"\xc3", "\\xc3", "\\ufffd"},                                                 /* cut short */
    {"\xe2\x82z", "\\xe2\\x82z", "\\ufffd\\ufffdz"},                              /* cut short */
    {"\xc0\xaf", "\\xc0\\xaf", "\\ufffd\\ufffd"},                                 /* overlong */
    {"\xe0\x80\xaf", "\\xe0\\x80\\xaf", "\\ufffd\\ufffd\\ufffd"},                 /* overlong */
    {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\\ufffd\\ufffd\\ufffd"},                 /* a surrogate */
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"}, /* past U+10FFFF */
};

START_TEST(lines_are_utf8_whatever_the_message) {
    char expected[256];

    log_info("%s", bytes[_i].message);
    snprintf(expected, sizeof(expected), "info  %s\n", bytes[_i].text);
    ck_assert_str_eq(next_text(), expected);
    log_setup(LOG_INFO, LOG_JSON);
    log_info("%s", bytes[_i].message);
    snprintf(expected, sizeof(expected), "\",\"level\":\"info\",\"message\":\"%s\"}\n", bytes[_i].json);
    ck_assert_str_eq(next_json(), expected);
}
END_TEST

START_TEST(a_long_message_is_cut_and_the_line_stays_whole) {
    char message[5000];
    const char *l;

    memset(message, '\x01', sizeof(message) - 1); /* what takes most room */
    message[sizeof(message) - 1] = '\0';
    log_setup(LOG_INFO, LOG_JSON);
    log_info("%s", message);
    l = next_line();
    ck_assert_uint_gt(strlen(l), 6 * 1000);
    ck_assert_uint_lt(strlen(l), 6 * 1024 + 100);
    ck_assert_str_eq(l + strlen(l) - 9, "\\u0001\"}\n");
    ck_assert_str_eq(next_line(), "");
}
END_TEST

enum { THREADS = 4, LINES = 50 };

static void *chatter(void *arg) {
    for (int i = 0; i < LINES; i++)
        log_info("%s", (const char *)arg);
    return NULL;
}

/* Reads while the threads write: the socket's queue is short. */
START_TEST(lines_of_threads_do_not_mix) {
    static char *said[THREADS] = {"one", "twotwo", "threethreethree", "four"};
    pthread_t threads[THREADS];

    for (int t = 0; t < THREADS; t++)
        ck_assert_int_eq(pthread_create(&threads[t], NULL, chatter, said[t]), 0);
    for (int i = 0; i < THREADS * LINES; i++) {
        ssize_t n = recv(captured, line, sizeof(line) - 1, 0);
        bool known = false;

        ck_assert_int_gt(n, TIME_LEN);
        line[n] = '\0';
        for (int t = 0; t < THREADS; t++) {
            char expected[64];

            snprintf(expected, sizeof(expected), " info  %s\n", said[t]);
            known = known || strcmp(line + TIME_LEN, expected) == 0;
        }
        ck_assert_msg(known, "unexpected line: %s", line);
    }
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
}
END_TEST

START_TEST(nobody_to_read_is_no_harm) {
    close(STDERR_FILENO);
    log_error("lost");
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("log");
    TCase *tc = tcase_create("log");

    tcase_add_checked_fixture(tc, capture, NULL);
    tcase_add_test(tc, text);
    tcase_add_test(tc, json);
    tcase_add_test(tc, levels_below_the_least_are_not_written);
    tcase_add_test(tc, repeated);
    tcase_add_test(tc, a_message_cannot_forge_a_line);
    tcase_add_loop_test(tc, lines_are_utf8_whatever_the_message, 0, (int)(sizeof(bytes) / sizeof(*bytes)));
    tcase_add_test(tc, a_long_message_is_cut_and_the_line_stays_whole);
    tcase_add_test(tc, lines_of_threads_do_not_mix);
    tcase_add_test(tc, nobody_to_read_is_no_harm);
    suite_add_tcase(suite, tc);
    return suite;
}
