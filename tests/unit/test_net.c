/* Listening sockets: addresses that share a port, and failures that leave nothing open. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <flashkv/net.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

static int fds[NET_LISTENERS_MAX];
static char why[256];

/* The number that the next descriptor gets: grows with each one left open. */
static int next_descriptor(void) {
    int fd = dup(STDIN_FILENO);

    close(fd);
    return fd;
}

static bool answers(const char *address, uint16_t port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool connected;

    ck_assert_int_eq(inet_pton(AF_INET, address, &to.sin_addr), 1);
    connected = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
    close(fd);
    return connected;
}

START_TEST(takes_a_free_port) {
    uint16_t port = 0;

    ck_assert_uint_eq(net_listen("127.0.0.1", &port, fds, why, sizeof(why)), 1);
    ck_assert_uint_ne(port, 0);
    ck_assert(answers("127.0.0.1", port));
    ck_assert(!answers("127.0.0.2", port));
    close(fds[0]);
    ck_assert(!answers("127.0.0.1", port));
}
END_TEST

START_TEST(sockets_do_not_block_and_are_not_inherited) {
    uint16_t port = 0;

    ck_assert_uint_eq(net_listen("127.0.0.1", &port, fds, why, sizeof(why)), 1);
    ck_assert_int_eq(accept(fds[0], NULL, NULL), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_eq(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
    close(fds[0]);
}
END_TEST

START_TEST(addresses_share_the_port) {
    uint16_t port = 0;

    ck_assert_uint_eq(net_listen("127.0.0.1,127.0.0.2,127.0.0.3", &port, fds, why, sizeof(why)), 3);
    ck_assert(answers("127.0.0.1", port));
    ck_assert(answers("127.0.0.2", port));
    ck_assert(answers("127.0.0.3", port));
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}
END_TEST

START_TEST(any_address_is_every_address) {
    uint16_t port = 0;

    ck_assert_uint_eq(net_listen("0.0.0.0", &port, fds, why, sizeof(why)), 1);
    ck_assert(answers("127.0.0.1", port));
    ck_assert(answers("127.0.0.2", port));
    close(fds[0]);
}
END_TEST

/* Also after the first address was opened. */
START_TEST(a_taken_port_leaves_nothing_open) {
    uint16_t port = 0, again;
    char expected[64];
    int next;

    ck_assert_uint_eq(net_listen("127.0.0.2", &port, fds, why, sizeof(why)), 1);
    again = port;
    next = next_descriptor();
    ck_assert_uint_eq(net_listen("127.0.0.1,127.0.0.2", &again, fds, why, sizeof(why)), 0);
    snprintf(expected, sizeof(expected), "127.0.0.2:%u: Address already in use", port);
    ck_assert_str_eq(why, expected);
    ck_assert_int_eq(next_descriptor(), next);
    ck_assert(!answers("127.0.0.1", port));
    ck_assert(answers("127.0.0.2", port));
}
END_TEST

static const struct {
    const char *bind, *why;
} bad[] = {
    {"", "an address is empty"},
    {",", "an address is empty"},
    {"127.0.0.1,", "an address is empty"},
    {"127.0.0.1,,127.0.0.2", "an address is empty"},
    {"300.0.0.1", "300.0.0.1: "},
    {" 127.0.0.1", " 127.0.0.1: "},
    {"192.0.2.1", "192.0.2.1:0: Cannot assign requested address"}, /* of TEST-NET-1: nobody's */
    {"127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.4,127.0.0.5,127.0.0.6,127.0.0.7,127.0.0.8,127.0.0.9,127.0.0.10,"
     "127.0.0.11,127.0.0.12,127.0.0.13,127.0.0.14,127.0.0.15,127.0.0.16,127.0.0.17",
     "127.0.0.17: more than 16 addresses"},
};

START_TEST(a_bad_list_is_refused_and_says_why) {
    uint16_t port = 0;
    int next;

    net_listen(bad[_i].bind, &port, fds, why, sizeof(why)); /* a resolver may keep what it opened first */
    next = next_descriptor();
    ck_assert_uint_eq(net_listen(bad[_i].bind, &port, fds, why, sizeof(why)), 0);
    ck_assert_msg(strncmp(why, bad[_i].why, strlen(bad[_i].why)) == 0, "%s", why);
    ck_assert_uint_eq(port, 0); /* written on success only */
    ck_assert_int_eq(next_descriptor(), next);
}
END_TEST

START_TEST(addresses_as_text) {
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(50123)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(65535)};
    struct sockaddr other = {.sa_family = AF_UNIX};
    char text[56];

    ck_assert_int_eq(inet_pton(AF_INET, "192.168.0.1", &four.sin_addr), 1);
    net_address((struct sockaddr *)&four, text, sizeof(text));
    ck_assert_str_eq(text, "192.168.0.1:50123");
    memset(&six.sin6_addr, 0xff, sizeof(six.sin6_addr));
    net_address((struct sockaddr *)&six, text, sizeof(text));
    ck_assert_str_eq(text, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
    net_address(&other, text, sizeof(text));
    ck_assert_str_eq(text, "?:0");
}
END_TEST

START_TEST(what_only_this_machine_reaches) {
    static const char *const inside[] = {
        "127.0.0.1", "::1", "localhost", "127.8.9.10,::1", "::ffff:127.0.0.1", "no-such-host.invalid"};
    static const char *const outside[] = {
        "0.0.0.0", "::", "127.0.0.1,0.0.0.0", "192.0.2.1", "::ffff:192.0.2.1", "128.0.0.1,127.0.0.1"};

    for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++)
        ck_assert_msg(net_is_loopback(inside[i]), "%s", inside[i]);
    for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++)
        ck_assert_msg(!net_is_loopback(outside[i]), "%s", outside[i]);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("net");
    TCase *tc = tcase_create("net");

    tcase_add_test(tc, what_only_this_machine_reaches);
    tcase_add_test(tc, takes_a_free_port);
    tcase_add_test(tc, sockets_do_not_block_and_are_not_inherited);
    tcase_add_test(tc, addresses_share_the_port);
    tcase_add_test(tc, any_address_is_every_address);
    tcase_add_test(tc, a_taken_port_leaves_nothing_open);
    tcase_add_loop_test(tc, a_bad_list_is_refused_and_says_why, 0, (int)(sizeof(bad) / sizeof(*bad)));
    tcase_add_test(tc, addresses_as_text);
    suite_add_tcase(suite, tc);
    return suite;
}
