/* Fields that expire: replies as Redis 7.4 documents them; an expired field is gone from every command at once. */
#include <stdio.h>

#include "commands.h"

enum { FIELDS = 1000 };

static void later(int64_t ms) {
    session.now_ms += ms;
}

START_TEST(test_replies) {
    static const struct step steps[] = {
        {"hexpire h 10 fields 2 a b", "[(integer) -2, (integer) -2]"},
        {"httl h fields 1 a", "[(integer) -2]"},
        {"hpersist h fields 1 a", "[(integer) -2]"},
        {"hset h a 1 b 2 c 3", "(integer) 3"},
        {"httl h fields 2 a x", "[(integer) -1, (integer) -2]"},
        {"hexpire h 10 FIELDS 2 a x", "[(integer) 1, (integer) -2]"},
        {"httl h fields 1 a", "[(integer) 10]"},
        {"hpttl h fields 1 a", "[(integer) 10000]"},
        {"hexpire h 20 nx fields 2 a b", "[(integer) 0, (integer) 1]"},
        {"hexpire h 20 xx fields 2 a c", "[(integer) 1, (integer) 0]"},
        {"hexpire h 10 gt fields 2 a c", "[(integer) 0, (integer) 0]"},
        {"hexpire h 30 GT fields 1 a", "[(integer) 1]"},
        {"hexpire h 40 lt fields 2 a c", "[(integer) 0, (integer) 1]"},
        {"hpexpireat h 33177117420000 fields 1 a", "[(integer) 1]"},
        {"hpexpiretime h fields 1 a", "[(integer) 33177117420000]"},
        {"hexpireat h 33177117421 fields 1 a", "[(integer) 1]"},
        {"hexpiretime h fields 2 a x", "[(integer) 33177117421, (integer) -2]"},
        {"hpersist h fields 3 a a x", "[(integer) 1, (integer) -1, (integer) -2]"},
        {"hexpireat h 1 fields 1 a", "[(integer) 2]"},
        {"hexpire h 0 fields 1 b", "[(integer) 2]"},
        {"hkeys h", "[\"c\"]"},
        {"hpexpire h 0 fields 1 c", "[(integer) 2]"},
        {"exists h", "(integer) 0"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_errors) {
    static const struct step steps[] = {
        {"hexpire h x fields 1 a", "(error) ERR value is not an integer or out of range"},
        {"hexpire h -1 fields 1 a", "(error) ERR invalid expire time, must be >= 0"},
        {"hexpire h 9223372036854775807 fields 1 a", "(error) ERR invalid expire time in 'hexpire' command"},
        {"hpexpireat h 70368744177664 fields 1 a", "(error) ERR invalid expire time in 'hpexpireat' command"},
        {"hexpire h 1 bogus fields 1 a",
         "(error) ERR Mandatory argument FIELDS is missing or not at the right position"},
        {"hexpire h 1 fields 0 a", "(error) ERR Parameter `numFields` should be greater than 0"},
        {"hexpire h 1 fields 2 a",
         "(error) ERR The `numfields` parameter must match the number of arguments"},
        {"httl h fields x a", "(error) ERR Number of fields must be a positive integer"},
        {"hpersist h field 1 a",
         "(error) ERR Mandatory argument FIELDS is missing or not at the right position"},
        {"set s v", "OK"},
        {"hexpire s 1 fields 1 a",
         "(error) WRONGTYPE Operation against a key holding the wrong kind of value"},
        {"httl s fields 1 a", "(error) WRONGTYPE Operation against a key holding the wrong kind of value"},
    };

    CHECK_STEPS(steps);
}
END_TEST

/* Nothing sweeps here. */
START_TEST(test_expired_is_gone) {
    check_line("hset h a 1 b 2 c 3", "(integer) 3");
    check_line("hpexpire h 10 fields 2 a b", "[(integer) 1, (integer) 1]");
    later(9);
    check_line("hmget h a b c", "[\"1\", \"2\", \"3\"]");
    later(1);
    check_line("hmget h a b c", "[(nil), (nil), \"3\"]");
    check_line("hlen h", "(integer) 1");
    check_line("hgetall h", "{\"c\": \"3\"}");
    check_line("hkeys h", "[\"c\"]");
    check_line("hscan h 0", "[\"0\", [\"c\", \"3\"]]");
    check_line("hrandfield h 5", "[\"c\"]");
    check_line("hrandfield h", "\"c\"");
    check_line("hexists h a", "(integer) 0");
    check_line("hstrlen h a", "(integer) 0");
    check_line("httl h fields 1 a", "[(integer) -2]");
    check_line("hdel h a", "(integer) 0");
    check_line("hsetnx h b new", "(integer) 1");
    check_line("httl h fields 1 b", "[(integer) -1]");
    check_line("hlen h", "(integer) 2");
}
END_TEST

START_TEST(test_last_one_takes_the_key) {
    check_line("hset h a 1 b 2", "(integer) 2");
    check_line("hpexpire h 10 fields 1 a", "[(integer) 1]");
    check_line("hpexpire h 20 fields 1 b", "[(integer) 1]");
    later(10);
    check_line("exists h", "(integer) 1");
    later(10);
    check_line("exists h", "(integer) 0");
    check_line("type h", "none");
    check_line("dbsize", "(integer) 0");
    check_line("keys *", "[]");
    check_line("set h v nx", "OK");

    check_line("hset i a 1 b 2", "(integer) 2");
    check_line("hpexpire i 10 fields 1 a", "[(integer) 1]");
    later(10);
    check_line("hdel i b", "(integer) 1");
    check_line("exists i", "(integer) 0");
}
END_TEST

START_TEST(test_what_keeps_an_expiry) {
    static const struct step steps[] = {
        {"hset h a 1 b 2 c 3 d x", "(integer) 4"},
        {"hexpire h 10 fields 4 a b c d", "[(integer) 1, (integer) 1, (integer) 1, (integer) 1]"},
        {"hincrby h a 5", "(integer) 6"},
        {"hincrbyfloat h b 0.5", "\"2.5\""},
        {"hset h c 9 d y", "(integer) 0"},
        {"httl h fields 4 a b c d", "[(integer) 10, (integer) 10, (integer) -1, (integer) -1]"},
        {"rename h i", "OK"},
        {"httl i fields 1 a", "[(integer) 10]"},
        {"copy i j", "(integer) 1"},
        {"httl j fields 2 b c", "[(integer) 10, (integer) -1]"},
        {"expire i 5", "(integer) 1"},
        {"persist i", "(integer) 1"},
        {"httl i fields 1 a", "[(integer) 10]"},
        {"hincrby i n 1", "(integer) 1"},
        {"httl i fields 1 n", "[(integer) -1]"},
    };

    CHECK_STEPS(steps);
    later(10000);
    check_line("hincrby i a 1", "(integer) 1");
    check_line("httl i fields 1 a", "[(integer) -1]");
    check_line("hlen j", "(integer) 2");
    check_line("expire j 5", "(integer) 1");
    later(5000);
    check_line("exists j", "(integer) 0");
}
END_TEST

static void sweep_all(void) {
    while (store_sweep(server.store, session.now_ms).expired > 0)
        continue;
}

static uint64_t bytes_of(struct shard_stats *s) {
    store_stats(server.store, s, NULL);
    return s->bytes;
}

/* The sweeper takes expired fields away, and keys of which nothing is left; the account comes out even. */
START_TEST(test_sweep) {
    struct shard_stats s;
    uint64_t before;
    char line[64];

    for (int i = 0; i < FIELDS; i++) {
        snprintf(line, sizeof(line), "hset h f%d value", i);
        check_line(line, "(integer) 1");
    }
    check_line("hset kept a 1 b 2", "(integer) 2");
    for (int i = 0; i < FIELDS; i++) {
        snprintf(line, sizeof(line), "hpexpire h %d fields 1 f%d", 1 + i % 100, i);
        check_line(line, "[(integer) 1]");
    }
    check_line("hpexpire kept 50 fields 1 a", "[(integer) 1]");
    bytes_of(&s);
    ck_assert_uint_eq(s.volatile_keys, 2);
    later(50);
    check_line("hlen h", "(integer) 500");
    before = bytes_of(&s);
    sweep_all();
    ck_assert_uint_lt(bytes_of(&s), before);
    check_line("hlen h", "(integer) 500");
    check_line("hlen kept", "(integer) 1");
    later(50);
    sweep_all();
    bytes_of(&s);
    ck_assert_uint_eq(s.keys, 1);
    ck_assert_uint_eq(s.volatile_keys, 0); /* of "kept" nothing expires any more */
    check_line("hgetall kept", "{\"b\": \"2\"}");
    check_line("del kept", "(integer) 1");
    bytes_of(&s);
    ck_assert_uint_eq(s.keys, 0);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("cmd_hash_expiry");
    TCase *tc = tcase_create("cmd_hash_expiry");

    tcase_add_checked_fixture(tc, commands_setup, commands_teardown);
    tcase_add_test(tc, test_replies);
    tcase_add_test(tc, test_errors);
    tcase_add_test(tc, test_expired_is_gone);
    tcase_add_test(tc, test_last_one_takes_the_key);
    tcase_add_test(tc, test_what_keeps_an_expiry);
    tcase_add_test(tc, test_sweep);
    suite_add_tcase(suite, tc);
    return suite;
}
