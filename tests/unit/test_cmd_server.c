/* The server's commands: counting, flushing, INFO, CONFIG, DBINFO, TIME. */
#include <flashkv/clock.h>
#include <flashkv/encoding.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

#define SYNTAX "(error) ERR syntax error"

START_TEST(test_dbsize_and_flush) {
    static const struct step steps[] = {
        {"dbsize", "(integer) 0"},
        {"mset a 1 b 2", "OK"},
        {"rpush l x", "(integer) 1"},
        {"dbsize", "(integer) 3"},
        {"flushall bogus", SYNTAX},
        {"flushdb async sync", SYNTAX},
        {"dbsize", "(integer) 3"},
        {"flushdb", "OK"},
        {"dbsize", "(integer) 0"},
        {"mset a 1 b 2", "OK"},
        {"flushall async", "OK"},
        {"dbsize", "(integer) 0"},
        {"set a 1", "OK"},
        {"FLUSHALL SYNC", "OK"},
        {"exists a", "(integer) 0"},
        {"rpush l x", "(integer) 1"}, /* nothing of the old list is left */
    };

    CHECK_STEPS(steps);
}
END_TEST

START_TEST(test_time) {
    long long seconds, us;
    int64_t before = clock_wall_us(), now;

    ck_assert_int_eq(sscanf(run_line("time"), "[\"%lld\", \"%lld\"]", &seconds, &us), 2);
    ck_assert(us >= 0 && us < 1000000);
    now = seconds * 1000000 + us;
    ck_assert(now >= before && now <= clock_wall_us());
}
END_TEST

START_TEST(test_debug_sleep) {
    static const struct step steps[] = {
        {"debug sleep 0", "OK"},
        {"debug sleep 0.001", "OK"},
        {"debug sleep x", "(error) ERR value is not a valid float"},
        {"debug sleep -1", "(error) ERR value is not a valid float"},
        {"debug sleep nan", "(error) ERR value is not a valid float"},
        {"debug sleep 1e9", "(error) ERR value is not a valid float"},
    };

    CHECK_STEPS(steps);
}
END_TEST

/* ---- INFO and DBINFO ----------------------------------------------------------------------------------------- */

static void check_has(const char *reply, const char *what) {
    ck_assert_msg(strstr(reply, what) != NULL, "%s is not in %s", what, reply);
}

START_TEST(test_info_sections) {
    static const char *const titles[] = {"# Server",      "# Clients", "# Memory",
                                         "# Persistence", "# Stats",   "# Replication",
                                         "# CPU",         "# Cluster", "# Keyspace"};
    static const char *const lines[] = {"info", "info all", "info default", "INFO Everything"};

    for (size_t l = 0; l < sizeof(lines) / sizeof(*lines); l++)
        for (size_t i = 0; i < sizeof(titles) / sizeof(*titles); i++)
            check_has(run_line(lines[l]), titles[i]);
    check_has(run_line("info SERVER"), "txt:\"# Server\\x0d\\x0aredis_version:7.0.15\\x0d\\x0a");
    ck_assert_ptr_null(strstr(run_line("info server"), "# Memory"));
    check_has(run_line("info cpu memory"), "# Memory");
    check_line("info bogus", "txt:\"\"");
}
END_TEST

START_TEST(test_info_counts) {
    server.resp.connections = 3;
    server.resp.requests = 17;
    check_line("set k v ex 100", "OK");
    check_line("get k", "\"v\"");
    check_line("get none", "(nil)");
    check_has(run_line("info clients"), "connected_clients:3\\x0d");
    check_has(run_line("info stats"), "total_commands_processed:17\\x0d");
    check_has(run_line("info stats"), "keyspace_hits:1\\x0d\\x0akeyspace_misses:1\\x0d");
    check_has(run_line("info keyspace"), "db0:keys=1,expires=1,");
    check_line("config resetstat", "OK");
    check_has(run_line("info stats"), "keyspace_hits:0\\x0d");
    check_has(run_line("info stats"), "total_commands_processed:0\\x0d");
    check_has(run_line("info clients"), "connected_clients:3\\x0d");
    check_line("del k", "(integer) 1");
    check_line("info keyspace", "txt:\"# Keyspace\\x0d\\x0a\"");
}
END_TEST

START_TEST(test_dbinfo) {
    const char *reply;
    size_t lines = 0;

    check_line("set k v ex 100", "OK");
    check_line("get k", "\"v\"");
    reply = run_line("dbinfo");
    check_has(reply, "txt:\"shards=64 ");
    check_has(reply, "total  keys=1 expires=1 ");
    check_has(reply, "gets=1 hits=1 misses=0 sets=1 deletes=0");
    for (const char *at = reply; (at = strstr(at, " keys=")) != NULL; at++)
        lines++;
    ck_assert_uint_eq(lines, 1 + STORE_SHARDS);
    check_has(reply, "\\x0a0 ");
    check_has(reply, "\\x0a63 ");
}
END_TEST

/* ---- CONFIG -------------------------------------------------------------------------------------------------- */

START_TEST(test_config_get) {
    static const struct step steps[] = {
        {"config get save", "{\"save\": \"\"}"},
        {"config get databases", "{\"databases\": \"1\"}"},
        {"config get bogus", "{}"},
        {"config get resp-port", "{\"resp-port\": \"6379\"}"},
        {"config get PORT", "{\"port\": \"6379\"}"},
        {"config get dir", "{\"dir\": \"\"}"},
        {"config get appendfsync fsync", "{\"fsync\": \"everysec\", \"appendfsync\": \"everysec\"}"},
        {"config set appendfsync everysec", "OK"},
        {"config set appendfsync always", "(error) ERR CONFIG SET failed (possibly related to argument "
                                          "'appendfsync') - can't set immutable config"},
        {"config get save appendonly", "{\"appendonly\": \"no\", \"save\": \"\"}"},
        {"config get max-key-*", "{\"max-key-bytes\": \"65536\"}"},
        {"config get resp-[p]ort bogus", "{\"resp-port\": \"6379\"}"},
    };

    CHECK_STEPS(steps);
    for (size_t i = 0; i < option_count; i++) {
        char line[128];

        snprintf(line, sizeof(line), "config get %s", option_table[i].name);
        check_has(run_line(line), option_table[i].name);
        check_has(run_line("config get *"), option_table[i].name);
    }
}
END_TEST

START_TEST(test_config_set) {
    static const struct step steps[] = {
        {"config set save", "(error) ERR wrong number of arguments for 'config|set' command"},
        {"config set port 1 bind", SYNTAX},
        {"config set bogus 1", "(error) ERR Unknown option or number of arguments for CONFIG SET - 'bogus'"},
        {"config set port 1",
         "(error) ERR CONFIG SET failed (possibly related to argument 'port') - can't set immutable config"},
        {"config set Databases 16",
         "(error) ERR CONFIG SET failed (possibly related to argument 'Databases') - can't "
         "set immutable config"},
        {"config get port", "{\"port\": \"6379\"}"},
        {"config set maxmemory 1 maxmemory 2",
         "(error) ERR CONFIG SET failed (possibly related to argument 'maxmemory') - duplicate parameter"},
        {"config set maxmemory 100mb hz x", "(error) ERR CONFIG SET failed (possibly related to argument "
                                            "'hz') - argument couldn't be parsed into an "
                                            "integer"},
        {"config get maxmemory", "{\"maxmemory\": \"0\"}"}, /* none of them */
        {"config set maxmemory 100mb save \"900 1  \"",
         "(error) ERR CONFIG SET failed (possibly related to argument 'save') - Invalid save parameters"},
        {"config set MaxMemory 100mb save \"900 1\" latency-tracking NO notify-keyspace-events KEA", "OK"},
        {"config get maxmemory save latency-tracking notify-keyspace-events",
         "{\"latency-tracking\": \"no\", \"maxmemory\": \"104857600\", \"notify-keyspace-events\": \"AKE\", "
         "\"save\": \"900 1\"}"},
        {"config set maxmemory 1 maxmemory-clients 101%",
         "(error) ERR CONFIG SET failed (possibly related to "
         "argument 'maxmemory-clients') - percentage argument "
         "must be less or equal to 100"},
        {"config set maxmemory-clients x",
         "(error) ERR CONFIG SET failed (possibly related to argument "
         "'maxmemory-clients') - argument must be a memory or percent value"},
        {"config set maxmemory-clients 5%", "OK"},
        {"config get maxmemory-client*", "{\"maxmemory-clients\": \"5%\"}"},
        {"config get key-load-dela?", "{}"},
        {"config get KEY-load-delay", "{\"key-load-delay\": \"0\"}"},
        {"config set maxmemory-policy lru", "(error) ERR CONFIG SET failed (possibly related to argument "
                                            "'maxmemory-policy') - argument(s) must be one "
                                            "of the following: volatile-lru, volatile-lfu, volatile-random, "
                                            "volatile-ttl, allkeys-lru, allkeys-lfu, "
                                            "allkeys-random, noeviction"},
        {"config set active-expire-effort 11", "(error) ERR CONFIG SET failed (possibly related to argument "
                                               "'active-expire-effort') - argument must be "
                                               "between 1 and 10 inclusive"},
        {"config set hash-max-ziplist-value 16", "OK"},
        {"config get hash-max-*-value",
         "{\"hash-max-listpack-value\": \"16\", \"hash-max-ziplist-value\": \"16\"}"},
        {"config rewrite", "(error) ERR The server is running without a config file"},
    };

    CHECK_STEPS(steps);
    ck_assert_uint_eq(encoding_limits.hash_value, 16); /* collections read it there */
    check_line("config set hash-max-listpack-value 64", "OK");
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("cmd_server");
    TCase *tc = tcase_create("cmd_server");

    tcase_add_checked_fixture(tc, commands_setup, commands_teardown);
    tcase_add_test(tc, test_dbsize_and_flush);
    tcase_add_test(tc, test_time);
    tcase_add_test(tc, test_debug_sleep);
    tcase_add_test(tc, test_info_sections);
    tcase_add_test(tc, test_info_counts);
    tcase_add_test(tc, test_dbinfo);
    tcase_add_test(tc, test_config_get);
    tcase_add_test(tc, test_config_set);
    suite_add_tcase(suite, tc);
    return suite;
}
