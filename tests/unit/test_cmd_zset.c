/* Sorted sets: replies in both protocols, errors, events, as redis-server 7.0.15 gives them. (What takes only comparing
 * with it is in tests/e2e/redis_compare.py.) */
#include <stdio.h>

#include "commands.h"

#define WRONGTYPE "(error) WRONGTYPE Operation against a key holding the wrong kind of value"
#define SYNTAX "(error) ERR syntax error"

START_TEST(test_zadd_options) {
    static const struct step steps[] = {
        {"zadd z 1 a 2 b", "(integer) 2"},
        {"zadd z 3 a 3 c", "(integer) 1"},
        {"zadd z ch 4 a 3 c 5 d", "(integer) 2"},
        {"zadd z nx 9 a 9 e", "(integer) 1"},
        {"zscore z a", "(double) 4"},
        {"zadd z xx ch 9 e 10 f 8 a", "(integer) 1"},
        {"zadd z gt ch 7 a", "(integer) 0"},
        {"zadd z gt ch 9 a 1 g", "(integer) 2"},
        {"zadd z lt ch 10 a 8.5 a", "(integer) 1"},
        {"zadd z incr 0.5 a", "(double) 9"},
        {"zadd z gt incr -1 a", "(nil)"},
        {"zadd z nx incr 1 a", "(nil)"},
        {"zadd none xx 1 a", "(integer) 0"},
        {"exists none", "(integer) 0"},
        {"zadd z nx xx 1 a", "(error) ERR XX and NX options at the same time are not compatible"},
        {"zadd z gt lt 1 a", "(error) ERR GT, LT, and/or NX options at the same time are not compatible"},
        {"zadd z incr 1 a 2 b", "(error) ERR INCR option supports a single increment-element pair"},
        {"zadd z 1 a 2", SYNTAX},
        {"zadd z 1 new x other", "(error) ERR value is not a valid float"},
        {"zscore z new", "(nil)"}, /* nothing is added before all scores are read */
        {"zadd z inf i", "(integer) 1"},
        {"zincrby z -inf i", "(error) ERR resulting score is not a number (NaN)"},
        {"zscore z i", "(double) inf"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_a_failed_first_increment_makes_no_key) {
    check_line("zadd z incr nan m", "(error) ERR value is not a valid float");
    check_line("exists z", "(integer) 0");
}
END_TEST

START_TEST(test_pairs_nest_in_resp3) {
    check_line("zadd z 1 a 2.5 b", "(integer) 2");
    session.protocol = _i;
    if (_i == 2) {
        check_line("zrange z 0 -1 withscores", "[\"a\", (double) 1, \"b\", (double) 2.5]");
        check_line("zpopmin z 1", "[\"a\", (double) 1]");
    } else {
        check_line("zrange z 0 -1 withscores", "[[\"a\", (double) 1], [\"b\", (double) 2.5]]");
        check_line("zpopmin z 1", "[[\"a\", (double) 1]]");
    }
    check_line("zmpop 2 none z max", "[\"z\", [[\"b\", (double) 2.5]]]");
    check_line("zmpop 2 none z max", "(nil array)");
    check_line("zadd z 1 a", "(integer) 1");
    check_line("zpopmax z", "[\"a\", (double) 1]");
    check_line("zpopmax z", "[]");
}
END_TEST

START_TEST(test_ranges) {
    static const struct step steps[] = {
        {"zadd z 1 a 2 b 2 c 3 d 4 e", "(integer) 5"},
        {"zrange z 1 -2", "[\"b\", \"c\", \"d\"]"},
        {"zrange z 0 1 rev", "[\"e\", \"d\"]"},
        {"zrange z (1 3 byscore", "[\"b\", \"c\", \"d\"]"},
        {"zrange z 3 -inf byscore rev limit 1 2", "[\"c\", \"b\"]"},
        {"zrange z 3 -inf byscore rev limit 1 -1", "[\"c\", \"b\", \"a\"]"},
        {"zrange z 3 -inf byscore rev limit -1 9", "[]"},
        {"zcount z (2 (4", "(integer) 1"},
        {"zrangestore d z 2 3", "(integer) 2"},
        {"zrange d 0 -1", "[\"c\", \"d\"]"},
        {"zrangestore d z 9 9", "(integer) 0"},
        {"exists d", "(integer) 0"},
        {"zremrangebyscore z 2 2", "(integer) 2"},
        {"zremrangebyrank z -1 -1", "(integer) 1"},
        {"zrange z 0 -1", "[\"a\", \"d\"]"},
        {"zadd l 0 a 0 b 0 ba 0 c", "(integer) 4"},
        {"zrange l [b (c bylex", "[\"b\", \"ba\"]"},
        {"zlexcount l - (ba", "(integer) 2"},
        {"zremrangebylex l (a [c", "(integer) 3"},
        {"zrange l a b bylex", "(error) ERR min or max not valid string range item"},
        {"zrange l 0 1 limit 0 1",
         "(error) ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"},
        {"zrange l - + bylex withscores",
         "(error) ERR syntax error, WITHSCORES not supported in combination with BYLEX"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_ranks) {
    static const struct step steps[] = {
        {"zadd z 1 a 2 b 3 c", "(integer) 3"},
        {"zrank z c", "(integer) 2"},
        {"zrevrank z c", "(integer) 0"},
        {"zrank z b withscore", "[(integer) 1, (double) 2]"}, /* Redis 7.2 */
        {"zrevrank z none withscore", "(nil array)"},
        {"zrank z none", "(nil)"},
        {"zrank z b bogus", "(error) ERR wrong number of arguments for 'zrank' command"},
        {"zrank z b withscore x", "(error) ERR wrong number of arguments for 'zrank' command"},
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_together) {
    static const struct step steps[] = {
        {"zadd a 1 x 2 y", "(integer) 2"},
        {"zadd b 10 y 20 z", "(integer) 2"},
        {"sadd s y q", "(integer) 2"},
        {"zunion 3 a b s withscores",
         "[\"q\", (double) 1, \"x\", (double) 1, \"y\", (double) 13, \"z\", (double) 20]"},
        {"zinter 2 a b weights 3 0.5 aggregate max withscores", "[\"y\", (double) 6]"},
        {"zdiff 2 b s withscores", "[\"z\", (double) 20]"},
        {"zinterstore d 2 a s", "(integer) 1"},
        {"zscore d y", "(double) 3"},
        {"zinterstore d 2 a none", "(integer) 0"},
        {"exists d", "(integer) 0"},
        {"zunionstore a 2 a b", "(integer) 3"}, /* a source may be the destination */
        {"zscore a y", "(double) 12"},
        {"zintercard 2 a b limit 1", "(integer) 1"},
        {"zunion 0 a", "(error) ERR at least 1 input key is needed for 'zunion' command"},
        {"zunion 2 a b weights 1", SYNTAX},
    };

    CHECK_STEPS(steps);
}
END_TEST

/* ZUNION's members come once each, large sorted sets or small. */
START_TEST(test_large_ones) {
    char line[64];

    for (int i = 0; i < 1000; i++) {
        snprintf(line, sizeof(line), "zadd %s %d member:%d", i % 2 ? "a" : "b", i % 10, i % 700);
        run_line(line);
    }
    check_line("object encoding a", "\"skiplist\"");
    check_line("type a", "zset");
    check_line("zcard a", "(integer) 350"); /* odd names; those past 700 come again */
    check_line("zunionstore d 2 a b", "(integer) 700");
    check_line("zinterstore d 2 d a", "(integer) 350");
    check_line("zdiffstore d 2 d a", "(integer) 0");
    check_line("zremrangebyrank a 10 -1", "(integer) 340");
    check_line("object encoding a", "\"skiplist\""); /* never back */
    check_line("zrangestore a a 0 -1", "(integer) 10");
    check_line("object encoding a", "\"listpack\""); /* but what is made anew is small */
}
END_TEST

START_TEST(test_wrong_types) {
    static const char *const lines[] = {
        "zadd s 1 a",
        "zincrby s 1 a",
        "zrem s a",
        "zscore s a",
        "zrange s 0 1",
        "zcount s 1 2",
        "zrank s a",
        "zpopmin s",
        "zmpop 2 none s min",
        "zunion 1 s",
        "zunionstore d 1 s",
        "zrangestore d s 0 1",
        "zremrangebyrank s 0 1",
        "zscan s 0",
        "zrandmember s",
    };

    check_line("set s v", "OK");
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        check_line(lines[i], WRONGTYPE);
    check_line("zadd z 1 a", "(integer) 1");
    check_line("get z", WRONGTYPE);
    check_line("sadd z a", WRONGTYPE);
    check_line("zrangestore s z 0 1", "(integer) 1"); /* a destination may hold anything */
    check_line("type s", "zset");
}
END_TEST

/* ---- events ------------------------------------------------------------------------------------------------------ */

static char told[256];

static void tell(void *ctx, const struct event *ev) {
    size_t len = strlen(told);

    (void)ctx;
    snprintf(told + len, sizeof(told) - len, "%s%s:%.*s", len > 0 ? " " : "", ev->name,
             (int)ev->key->name.len, ev->key->name.ptr);
}

START_TEST(test_events) {
    static const struct step steps[] = {
        {"zadd z 1 a 2 b 3 c 4 d 5 e 6 f 7 g 8 h", "zadd:z"},
        {"zadd z 1 a", ""},
        {"zadd z nx 9 a", ""},
        {"zincrby z 0 a", ""},
        {"zincrby z 1 b", "zincr:z"},
        {"zadd z incr 1 b", "zincr:z"},
        {"zrem z none", ""},
        {"zrem z a", "zrem:z"},
        {"zremrangebyrank z 0 0", "zremrangebyrank:z"},
        {"zremrangebyscore z 4 4", "zremrangebyscore:z"},
        {"zremrangebylex z - (a", ""},
        {"zpopmin z", "zpopmin:z"},
        {"zpopmax z 0", ""},
        {"zmpop 2 x z max", "zpopmax:z"},
        {"zrangestore d z 0 0", "zrangestore:d"},
        {"zunionstore d 2 d z", "zunionstore:d"},
        {"zinterstore d 2 d z", "zinterstore:d"},
        {"zdiffstore d 2 d z", "del:d"},
        {"zdiffstore d 2 d z", ""},
        {"zremrangebyrank z 0 -1", "zremrangebyrank:z del:z"},
    };

    store_add_sink(server.store, tell, NULL, EVENT_ALL_CHANGES);
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        told[0] = '\0';
        run_line(steps[i].line);
        ck_assert_msg(strcmp(told, steps[i].reply) == 0, "%s: told %s", steps[i].line, told);
    }
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("cmd_zset");
    TCase *tc = tcase_create("cmd_zset");

    tcase_add_checked_fixture(tc, commands_setup, commands_teardown);
    tcase_add_test(tc, test_zadd_options);
    tcase_add_test(tc, test_a_failed_first_increment_makes_no_key);
    tcase_add_loop_test(tc, test_pairs_nest_in_resp3, 2, 4);
    tcase_add_test(tc, test_ranges);
    tcase_add_test(tc, test_ranks);
    tcase_add_test(tc, test_together);
    tcase_add_test(tc, test_large_ones);
    tcase_add_test(tc, test_wrong_types);
    tcase_add_test(tc, test_events);
    suite_add_tcase(suite, tc);
    return suite;
}
