/* Connections counted by address: the limit, what counts as one address, and that nothing is left behind. */
#include <arpa/inet.h>
#include <flashkv/peers.h>
#include <string.h>
#include <sys/socket.h>

#include "failing_mem.h"
#include "unit.h"

static struct peers peers;

static void setup(void) {
    peers_init(&peers, 1);
}

static void teardown(void) {
    mem_fail_after(SIZE_MAX);
    peers_destroy(&peers);
}

static uint64_t id_of(const char *text) {
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return peers_id(&peers, (struct sockaddr *)&four);
    ck_assert_int_eq(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
    return peers_id(&peers, (struct sockaddr *)&six);
}

START_TEST(an_address_has_so_many) {
    uint64_t a = id_of("10.0.0.1"), b = id_of("10.0.0.2");

    peers.limit = 2;
    ck_assert(peers_enter(&peers, a) && peers_enter(&peers, a));
    ck_assert(!peers_enter(&peers, a));
    ck_assert(peers_enter(&peers, b));
    peers_leave(&peers, a);
    ck_assert(peers_enter(&peers, a));
    ck_assert(!peers_enter(&peers, a));
}
END_TEST

START_TEST(no_limit_counts_nothing) {
    peers.limit = 0;
    ck_assert_uint_eq(id_of("10.0.0.1"), 0);
    ck_assert(peers_enter(&peers, 0) && peers_enter(&peers, 0));
    peers_leave(&peers, 0);
}
END_TEST

START_TEST(what_counts_as_one) {
    struct sockaddr local = {.sa_family = AF_UNIX};

    ck_assert_uint_eq(id_of("2001:db8::1"), id_of("2001:db8::ffff:1"));
    ck_assert_uint_ne(id_of("2001:db8::1"), id_of("2001:db8:0:1::1"));
    ck_assert_uint_eq(id_of("::ffff:10.0.0.1"), id_of("10.0.0.1"));
    ck_assert_uint_ne(id_of("10.0.0.1"), id_of("10.0.0.2"));
    ck_assert_uint_ne(id_of("::1"), 0);
    ck_assert_uint_eq(peers_id(&peers, &local), 0);
    ck_assert(peers_enter(&peers, 0) && peers_enter(&peers, 0));
}
END_TEST

/* More addresses than buckets, so that chains are walked; all go again in another order. */
START_TEST(many_addresses) NO_THREAD_SAFETY_ANALYSIS {
    enum { MANY = 5000 };

    for (uint64_t i = 1; i <= MANY; i++)
        ck_assert(peers_enter(&peers, i));
    for (uint64_t i = 1; i <= MANY; i++)
        ck_assert(!peers_enter(&peers, i));
    for (uint64_t i = 1; i <= MANY; i += 2)
        peers_leave(&peers, i);
    for (uint64_t i = 1; i <= MANY; i++)
        ck_assert_int_eq(peers_enter(&peers, i), i % 2 == 1);
    for (uint64_t i = MANY; i > 0; i--)
        peers_leave(&peers, i);
    for (unsigned i = 0; i < PEERS_BUCKETS; i++)
        ck_assert_ptr_null(peers.buckets[i]);
}
END_TEST

START_TEST(without_memory_nobody_comes_in) {
    mem_fail_after(0);
    ck_assert(!peers_enter(&peers, 7));
    mem_fail_after(SIZE_MAX);
    ck_assert(peers_enter(&peers, 7));
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("peers");
    TCase *t = tcase_create("peers");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, an_address_has_so_many);
    tcase_add_test(t, no_limit_counts_nothing);
    tcase_add_test(t, what_counts_as_one);
    tcase_add_test(t, many_addresses);
    tcase_add_test(t, without_memory_nobody_comes_in);
    suite_add_tcase(s, t);
    return s;
}
