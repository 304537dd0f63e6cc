/* The list of clients: ids, order, leaving from anywhere; resetting the counters. */
#include <flashkv/mem.h>

#include "commands.h"

static uint64_t ids_listed(uint64_t *ids, size_t cap) {
    uint64_t n = 0;

    session_list_lock(&server.sessions);
    for (struct session *s = server.sessions.head; s != NULL && n < cap; s = s->next) {
        ck_assert(s->next == NULL || s->next->prev == s);
        ids[n++] = s->id;
    }
    ck_assert_uint_eq(server.sessions.count, n);
    session_list_unlock(&server.sessions);
    return n;
}

START_TEST(test_enter_and_leave) {
    static const size_t orders[][3] = {{0, 1, 2}, {1, 0, 2}, {2, 1, 0}, {1, 2, 0}};
    uint64_t ids[8];

    for (size_t o = 0; o < sizeof(orders) / sizeof(*orders); o++) {
        struct session s[3] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};

        for (size_t i = 0; i < 3; i++)
            session_enter(&server.sessions, &s[i]);
        ck_assert_uint_eq(s[1].id, s[0].id + 1);
        ck_assert_uint_eq(s[2].id, s[1].id + 1);
        for (size_t i = 0; i < 3; i++) {
            session_leave(&server.sessions, &s[orders[o][i]]);
            ck_assert_uint_eq(ids_listed(ids, 8), 3 - i); /* the fixture's own too */
            for (size_t k = 0; k < 3 - i; k++)
                ck_assert_uint_ne(ids[k], s[orders[o][i]].id);
        }
    }
    ck_assert_uint_eq(session.id, 1);
}
END_TEST

START_TEST(test_leaving_frees_names) { /* a leak would be the sanitizer's to find */
    struct session s = {.fd = 1};

    session_enter(&server.sessions, &s);
    s.name = mem_dup("a", 2);
    s.lib_name = mem_dup("b", 2);
    s.lib_version = mem_dup("c", 2);
    session_leave(&server.sessions, &s);
}
END_TEST

START_TEST(test_stats_reset) {
    struct shard_stats total;

    run_line("set k v");
    run_line("get k");
    server.resp.connections = server.resp.accepted = server.resp.errors = server.http.requests = 3;
    server_stats_reset(&server);
    ck_assert_uint_eq(server.resp.connections, 3); /* they are still open */
    ck_assert_uint_eq(server.resp.accepted + server.resp.errors + server.http.requests, 0);
    store_stats(server.store, &total, NULL);
    ck_assert_uint_eq(total.gets + total.hits + total.sets, 0);
    ck_assert_uint_eq(total.keys, 1);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("session");
    TCase *tc = tcase_create("session");

    tcase_add_checked_fixture(tc, commands_setup, commands_teardown);
    tcase_add_test(tc, test_enter_and_leave);
    tcase_add_test(tc, test_leaving_frees_names);
    tcase_add_test(tc, test_stats_reset);
    suite_add_tcase(suite, tc);
    return suite;
}
