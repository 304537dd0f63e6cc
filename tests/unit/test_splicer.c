/* Sending by reference: what arrives, what a full socket is told, and that nothing of one send gets into the next. */
#include <errno.h>
#include <fcntl.h>
#include <flashkv/mem.h>
#include <flashkv/splicer.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

enum { SIZE = 16 * 1024 * 1024 }; /* more than the sockets take */

static struct splicer splicer;
static int ends[2]; /* of a TCP connection; ends[0] does not block */
static char *bytes;

static void setup(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int listening = socket(AF_INET, SOCK_STREAM, 0);

    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&a, &len), 0);
    ends[1] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(ends[1], (struct sockaddr *)&a, sizeof(a)), 0);
    ends[0] = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
    ck_assert_int_ge(ends[0], 0);
    close(listening);
    ck_assert(splicer_init(&splicer));
    bytes = mem_map(SIZE);
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 2654435761u >> 24);
}

static void teardown(void) {
    splicer_destroy(&splicer);
    mem_unmap(bytes, SIZE);
    close(ends[0]);
    close(ends[1]);
}

/* Receives `len` bytes, which must be those from `at` on. */
static void expect(size_t at, size_t len) {
    static char got[64 * 1024];

    while (len > 0) {
        ssize_t n = recv(ends[1], got, len < sizeof(got) ? len : sizeof(got), 0);

        ck_assert_int_gt(n, 0);
        ck_assert_mem_eq(got, bytes + at, (size_t)n);
        at += (size_t)n;
        len -= (size_t)n;
    }
}

START_TEST(bytes_arrive) {
    static const size_t sizes[] = {1, 2, 4095, 4096, 4097, 100000};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        ck_assert_int_eq(splicer_send(&splicer, ends[0], bytes + i, sizes[i], false), (ssize_t)sizes[i]);
        expect(i, sizes[i]);
    }
}
END_TEST

START_TEST(a_full_socket_takes_what_it_can) {
    size_t sent = 0, got = 0;
    ssize_t n = 0;

    while (sent < SIZE) {
        n = splicer_send(&splicer, ends[0], bytes + sent, SIZE - sent, false);
        if (n < 0) {
            ck_assert_int_eq(errno, EAGAIN);
            ck_assert_uint_lt(got, sent); /* nothing in flight: it must have taken something */
            expect(got, sent - got);
            got = sent;
        } else {
            sent += (size_t)n;
        }
    }
    ck_assert_uint_gt(got, 0); /* it was full at least once */
    expect(got, sent - got);
}
END_TEST

START_TEST(a_closed_socket_is_an_error) {
    close(ends[1]);
    ends[1] = -1;
    while (splicer_send(&splicer, ends[0], bytes, 1, false) > 0)
        ;
    ck_assert(errno == EPIPE || errno == ECONNRESET);
}
END_TEST

START_TEST(unmapped_bytes_arrive_all_the_same) {
    char *own = mem_map(100000);

    memcpy(own, bytes, 100000);
    ck_assert_int_eq(splicer_send(&splicer, ends[0], own, 100000, false), 100000);
    mem_unmap(own, 100000);
    own = mem_map(100000);
    memset(own, 'x', 100000);
    expect(0, 100000);
    mem_unmap(own, 100000);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("splicer");
    TCase *tc = tcase_create("splicer");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, bytes_arrive);
    tcase_add_test(tc, a_full_socket_takes_what_it_can);
    tcase_add_test(tc, a_closed_socket_is_an_error);
    tcase_add_test(tc, unmapped_bytes_arrive_all_the_same);
    suite_add_tcase(suite, tc);
    return suite;
}
