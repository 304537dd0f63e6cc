/* Memory ends at every allocation of every command: all of it is done, or nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "commands.h"
#include "failing_mem.h"

/* A line is commands, divided by semicolons, of which the last is tried (of a transaction: EXEC). Words: BIG is a long value,
 * *N are N names, #N are N numbers, %N are N names with a value each, @N are N scores with a member each. */
static const char *const lines[] = {
    "set k BIG",
    "set k v; set k BIG",
    "set k v; set k v ex 100",
    "set k BIG; set k v",
    "append k v",
    "set k v; append k BIG",
    "set k BIG; append k BIG",
    "set k v; setrange k 9000 v",
    "incr k",
    "set k 99999; incrby k 1",
    "incrbyfloat k 1.5",
    "mset a 1 b BIG c 3",
    "set b v; mset a 1 b BIG c 3",
    "msetnx a 1 b BIG",
    "set k v; expire k 100",
    "set k v ex 100; persist k",
    "set k v; rename k q",
    "hset h a 1; rename h q",
    "set k v; set q w; rename k q",
    "set k BIG; copy k q",
    "hset h %200; copy h q",
    "zadd z @200; copy z q",
    "rpush l *900 BIG; copy l q",
    "sadd s #100; copy s q",
    "rpush l *10",
    "lpush l BIG BIG x",
    "rpush l *900; rpush l *900",
    "rpush l *900; linsert l before e500 BIG",
    "rpush l *2000; linsert l before e500 x",
    "rpush l *900; lset l 500 BIG",
    "rpush l a b; lmove l m left right",
    "rpush l a BIG; rpoplpush l l",
    "rpush l c a b; sort l alpha store m",
    "hset h %3",
    "hset h %100",
    "hset h %200",
    "hset h %600",
    "hset h %3; hset h %6",
    "hset h %100; hset h %200",
    "hset h %127; hset h x 1 y 2 z 3",
    "hset h a 1; hset h b BIG c BIG",
    "hset h %200; hset h e5 BIG e6 BIG x BIG",
    "hset h %200; hset h %600",
    "hset h %1000; hset h %1200",
    "hset h %200; hpexpireat h 9999999999999 fields 1 e5; hset h %10 x y",
    "hmset h %5",
    "hincrby h a 5",
    "hset h %128; hincrby h a 5",
    "hincrbyfloat h a 5.5",
    "hset h %3; hexpire h 1000 fields 2 e0 e1",
    "hset h %200; hexpire h 1000 fields 3 e0 e1 e2",
    "hset h %200; hexpire h 1000 fields 3 e0 e1 e2; hpersist h fields 3 e0 e1 e2",
    "hset h %200; hexpire h 1000 fields 3 e0 e1 e2; hset h e1 x e7 y e2 z",
    "hset h %9; hdel h e1 e2",
    "sadd s #10",
    "sadd s #511; sadd s 1000 1001 1002 1003",
    "sadd s #100; sadd s x y",
    "sadd s *300",
    "sadd s *300; sadd s *600",
    "sadd s *300; srem s *290",
    "sadd s a b; smove s t a",
    "sadd s *300; sadd t *200; sinterstore u s t",
    "sadd s *300; sadd t #200; sunionstore u s t",
    "sadd s *300; sadd t *200; sdiffstore s s t",
    "zadd z @3",
    "zadd z @300",
    "zadd z @126; zadd z 5 x 6 y 7 z",
    "zadd z @300; zadd z @600",
    "zadd z @1000; zadd z 5.5 x 6.5 y 7.5 z 9 e1",
    "zadd z @20; zadd z 100.25 e1 200.25 e2",
    "zadd z @20; zincrby z 1000 e1",
    "zadd z @300; zadd y @100; zunionstore x 2 z y",
    "zadd z @300; zadd y @100; zinterstore x 2 z y",
    "zadd z @300; zrangestore x z 0 -1",
    "zadd z @300; zremrangebyrank z 0 200",
    /* Several of them at once. */
    "set k v; multi; set a 1; set b BIG; incr n; append k w; del k; exec",
    "multi; append k BIG; append k BIG; append k x; exec",
    "set k BIG; multi; append k BIG; get k; append k BIG; get k; append k x; exec",
    "set k BIG; multi; setrange k 20000 x; getrange k 0 5; setrange k 90000 x; exec",
    "multi; set a 1 ex 100; expire a 200; persist a; set a BIG; rename a b; append b x; exec",
    "multi; mset a BIG b BIG c 1; incrbyfloat d 1e300; incrbyfloat d 1; exec",
    "hset h %100; multi; hset h %200; hincrby h n 1; hincrbyfloat h f 1.5; hsetnx h x y; hdel h e1; exec",
    "hset h %1000; multi; hset h %1100; hset h BIG BIG; exec",
    "multi; hset h %20; hset h %30; hset h %40; hexpire h 1000 fields 2 e0 e1; hset h e0 x; exec",
    "sadd s #500; multi; sadd s #510; sadd s #520; sadd s x; srem s 5; sadd s *200; exec",
    "sadd s #100; multi; sadd s 5000; sadd s 5001; smove s t 5; sadd s x; exec",
    "zadd z @100; multi; zadd z @150; zincrby z 5 e7; zadd z 1 BIGS 2 x; zrem z e3; exec",
    "zadd z @1000; multi; zadd z @1100; zincrby z 5000 e7; zincrby z -5000 e9; exec",
    "rpush l *900; multi; rpush l *900; lpush l BIG; linsert l before e5 x; lset l 3 BIG; lpop l 5; exec",
    "rpush l *900 BIG; multi; lmove l m right left; rpoplpush l m; rpush m x; ltrim l 5 20; exec",
    "hset h %300; multi; copy h q; hset q %400; rename q r; hset r a b; del h; exec",
    "sadd s *300; sadd t *200; multi; sunionstore u s t; sadd u a b c; sinterstore v u s; zadd z 1 a; exec",
    "zadd z @300; multi; zunionstore y 2 z w; zadd y 1 x 2 y; zrangestore v y 0 -1; set k v; exec",
    "rpush l c b a; multi; sort l alpha store m; rpush m *50; lrem m 0 a; set k v; exec",
    "multi; set k1 v; set k2 v; set k3 v; set k4 v; rpush k5 v; sadd k6 v; hset k7 f v; zadd k8 1 v; set k9 "
    "BIG; "
    "del k1; exec",
};
enum { LINES = sizeof(lines) / sizeof(*lines), WORDS = 4096, NAMES = 2048 };

static unsigned told; /* of changes */

static void hear(void *ctx, const struct event *ev) {
    (void)ctx;
    (void)ev;
    told++;
}

static void setup(void) {
    commands_setup();
    store_add_sink(server.store, hear, NULL, EVENT_ALL_CHANGES);
    session.now_ms = INT64_C(1700000000000);
}

/* ---- lines ----------------------------------------------------------------------------------------------------------- */

static struct slice words[WORDS];
static size_t word_count;

static void add_word(const char *text, size_t len) {
    if (word_count == WORDS) /* a check of libcheck's writes to a file, each time */
        ck_abort_msg("too many words");
    words[word_count++] = slice_of(text, len);
}

/* "e17" or "17": of each there is one text. */
static void add_name(bool number, unsigned i) {
    static char names[2][NAMES][8];
    char *name = names[number][i];

    if (i >= NAMES)
        ck_abort_msg("too many names");
    add_word(name, (size_t)snprintf(name, sizeof(names[0][0]), number ? "%u" : "e%u", i));
}

static void add_words(const char *text, size_t len) {
    static char big[6000];
    unsigned n = len > 1 ? (unsigned)strtoul(text + 1, NULL, 10) : 0;

    memset(big, 'b', sizeof(big));
    if (slice_eq(slice_of(text, len), SLICE_LIT("BIG")))
        add_word(big, sizeof(big));
    else if (n == 0 || strchr("*#%@", *text) == NULL)
        add_word(text, len);
    else
        for (unsigned i = 0; i < n; i++) {
            if (*text == '@' || *text == '#')
                add_name(true, i);
            if (*text != '#')
                add_name(false, i);
            if (*text == '%')
                add_name(true, i);
        }
}

/* Takes the next command of the line apart. Returns what follows it, NULL: it was the last. */
static const char *parse(const char *line) {
    const char *end = line + strcspn(line, ";");

    word_count = 0;
    while (line < end) {
        size_t len = strcspn(line, " ;");

        if (len > 0)
            add_words(line, len);
        line += len + (line[len] == ' ');
    }
    return *end == ';' ? end + 1 : NULL;
}

/* Everything up to the last command, which is left in `words`. */
static void prepare(const char *line) {
    ck_assert_str_eq(run_line("flushall"), "OK");
    while ((line = parse(line)) != NULL)
        ck_assert_msg(strstr(run_args(word_count, words), "(error)") == NULL, "%.*s", (int)words[0].len,
                      words[0].ptr);
}

static void state(char text[64]) {
    snprintf(text, 64, "%s", run_line("debug digest"));
}

/* ---- trying ---------------------------------------------------------------------------------------------------------- */

/* Lets memory end at the nth allocation of the line's last command, for ever or for that one. False: there is none. */
static bool try_at(const char *line, size_t n, bool for_ever, const char *after) {
    char before[64], now[64], reply[256];
    unsigned had;
    size_t failed;
    bool refused;

    prepare(line);
    if (strcmp(line + strlen(line) - 4, "exec") != 0)
        state(before);
    else
        before[0] = '\0'; /* it would be queued */
    had = told;
    (for_ever ? mem_fail_after : mem_fail_once)(n);
    snprintf(reply, sizeof(reply), "%s", run_args(word_count, words));
    failed = mem_failures();
    mem_fail_after(SIZE_MAX);
    refused = strstr(reply, "memory") != NULL;
    ck_assert_msg(!refused || *reply == '(', "%s, allocation %zu: %s", line, n, reply);
    ck_assert_msg(!refused || told == had, "%s, allocation %zu: %s told of a change", line, n, reply);
    state(now);
    if (!refused) {
        ck_assert_msg(strcmp(now, after) == 0, "%s, allocation %zu: %s is not all", line, n, reply);
    } else {
        if (before[0] == '\0') {
            prepare(line);
            ck_assert_str_eq(run_line("discard"), "OK");
            state(before);
        }
        ck_assert_msg(strcmp(now, before) == 0, "%s, allocation %zu: %s is not nothing", line, n, reply);
    }
    return failed > 0;
}

/* Sanitizers take twenty times as long: with them, of many allocations, one in eight more than before. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SKIPPED 8
#else
#define SKIPPED SIZE_MAX
#endif

START_TEST(all_or_nothing) {
    const char *line = lines[_i];
    char after[64];
    bool once = true, from_then_on = true;

    prepare(line);
    ck_assert_msg(strstr(run_args(word_count, words), "(error)") == NULL, "%s", line);
    state(after);
    for (size_t n = 0; once || from_then_on; n += 1 + n / SKIPPED) {
        from_then_on = try_at(line, n, true, after);
        once = try_at(line, n, false, after);
    }
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("atomic");
    TCase *t = tcase_create("commands");

    tcase_add_checked_fixture(t, setup, commands_teardown);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, all_or_nothing, 0, LINES);
    suite_add_tcase(s, t);
    return s;
}
