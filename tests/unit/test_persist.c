/* A data directory: what was logged is there again, however the log ended; what is damaged is not believed. */
#include <fcntl.h>
#include <flashkv/clock.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <flashkv/persist.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

enum { KEYS = 12, FILE_MAX = 64 * 1024 };
static const char segment[] = "log-00000000000000000000.fkl";

static char dir[32], path[64];
static struct persist *persist;
static struct store *store;
static char why[512];

/* The effects here are values and flushes, and the DEL of what expired. */
static bool run_del(void *ctx, size_t argc, const struct arg *argv) {
    struct key k;
    struct txn t;

    (void)ctx;
    if (argc != 2 || !slice_eq(arg_slice(&argv[0]), SLICE_LIT("DEL")))
        return false;
    k = store_key(store, arg_slice(&argv[1]));
    txn_begin(&t, store, 0, key_shard_bit(&k), TXN_WRITE);
    store_delete(&t, &k);
    txn_end(&t);
    return true;
}

static bool open_all(enum fsync_mode fsync_mode) {
    struct persist_config config = {.dir = dir, .fsync = fsync_mode, .buffer_max = 1 << 20};
    struct store_config store_config = {.max_value = 1 << 20};

    persist = persist_open(&config, why, sizeof(why));
    ck_assert_msg(persist != NULL, "%s", why);
    store_config.secret = persist_secret(persist);
    store = store_create(&store_config);
    persist_attach(persist, store);
    return persist_load(persist, 2, run_del, NULL, why, sizeof(why));
}

static void close_all(void) {
    persist_stop(persist);
    store_destroy(store);
    persist_close(persist);
}

static void setup(void) {
    log_setup(LOG_ERROR, LOG_TEXT);
    snprintf(dir, sizeof(dir), "/tmp/flashkv-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/%s", dir, segment);
}

static void teardown(void) {
    char command[64];

    snprintf(command, sizeof(command), "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static void begin(struct txn *t, enum txn_mode mode) {
    txn_begin(t, store, clock_wall_ms(), TXN_ALL_SHARDS, mode);
    if (mode == TXN_WRITE)
        t->journal = persist_journal(persist);
}

static struct key numbered(char name[16], int i) {
    snprintf(name, 16, "key-%d", i);
    return store_key(store, slice_str(name));
}

static void set(int i, int64_t expire_at) {
    struct string_value v = {SLICE_LIT("value"), NULL, expire_at, SLICE_LIT("")};
    char name[16];
    struct key k = numbered(name, i);
    struct txn t;

    begin(&t, TXN_WRITE);
    ck_assert_int_eq(store_set_string(&t, &k, &v), STORE_OK);
    effects_value(&t, &k);
    effects_commit(&t);
    txn_end(&t);
}

static bool has(int i) {
    char name[16];
    struct key k = numbered(name, i);
    struct txn t;
    bool there;

    begin(&t, TXN_READ);
    there = store_peek(&t, &k) != NULL;
    txn_end(&t);
    return there;
}

/* How many of the keys are there, which must be the first ones. */
static int prefix(void) {
    int n = 0;

    while (n < KEYS && has(n))
        n++;
    for (int i = n; i < KEYS; i++)
        ck_assert_msg(!has(i), "key %d without key %d", i, n);
    return n;
}

static void write_log(void) {
    ck_assert_msg(open_all(FSYNC_NO), "%s", why);
    ck_assert(persist_start(persist, why, sizeof(why)));
    for (int i = 0; i < KEYS; i++)
        set(i, NO_EXPIRY);
    close_all();
}

static size_t read_file(char *bytes) {
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, bytes, FILE_MAX);

    ck_assert_int_gt(n, 0);
    close(fd);
    return (size_t)n;
}

static void write_file(const char *bytes, size_t len) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

START_TEST(all_is_there_again) {
    write_log();
    ck_assert_msg(open_all(FSYNC_NO), "%s", why);
    ck_assert_int_eq(prefix(), KEYS);
    close_all();
}
END_TEST

/* The process died at any point of writing the file. */
START_TEST(cut_anywhere) {
    static char bytes[FILE_MAX];
    size_t len;
    int last = 0;

    write_log();
    len = read_file(bytes);
    for (size_t cut = 0; cut <= len; cut++) {
        int n;

        write_file(bytes, cut);
        ck_assert_msg(open_all(FSYNC_NO), "cut at %zu: %s", cut, why);
        n = prefix();
        ck_assert_int_ge(n, last);
        ck_assert_int_le(n, last + 1);
        last = n;
        close_all();
        ck_assert_int_eq(persist_verify(dir, false), 0); /* it was cut off for good */
    }
    ck_assert_int_eq(last, KEYS);
}
END_TEST

/* Any one bit: before the last frame it is refused; in the last, it looks as if that was not written whole. */
START_TEST(flipped_anywhere) {
    static char bytes[FILE_MAX];
    size_t len;

    write_log();
    len = read_file(bytes);
    for (size_t bit = 0; bit < 8 * len; bit += 5) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        write_file(bytes, len);
        if (open_all(FSYNC_NO))
            ck_assert_int_eq(prefix(), KEYS - 1);
        else
            ck_assert_msg(strstr(why, segment) != NULL, "%s", why);
        close_all();
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
}
END_TEST

START_TEST(damage_is_refused_until_repaired) {
    static char bytes[FILE_MAX];
    size_t len;

    write_log();
    len = read_file(bytes);
    bytes[len / 2] ^= 1;
    write_file(bytes, len);
    ck_assert(!open_all(FSYNC_NO));
    ck_assert_msg(strstr(why, "damaged at offset") != NULL && strstr(why, "--repair") != NULL, "%s", why);
    close_all();
    ck_assert_int_eq(persist_verify(dir, false), 1);
    ck_assert_int_eq(persist_verify(dir, true), 0);
    ck_assert_msg(open_all(FSYNC_NO), "%s", why);
    ck_assert_int_gt(prefix(), 0);
    ck_assert_int_lt(prefix(), KEYS);
    close_all();
}
END_TEST

START_TEST(a_newer_version_is_refused) {
    static char bytes[FILE_MAX];
    size_t len;

    write_log();
    len = read_file(bytes);
    bytes[8]++;
    write_file(bytes, len);
    ck_assert(!open_all(FSYNC_NO));
    ck_assert_msg(strstr(why, "newer version") != NULL, "%s", why);
    close_all();
}
END_TEST

START_TEST(one_process_at_a_time) {
    struct persist_config config = {.dir = dir};

    ck_assert(open_all(FSYNC_NO));
    ck_assert_ptr_null(persist_open(&config, why, sizeof(why)));
    ck_assert_msg(strstr(why, "another process") != NULL, "%s", why);
    close_all();
}
END_TEST

START_TEST(the_secret_is_nobodys_business) {
    struct stat st;
    char secret[64];

    write_log();
    snprintf(secret, sizeof(secret), "%s/secret", dir);
    ck_assert_int_eq(stat(secret, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

/* Three lives, each with a snapshot in its midst. */
START_TEST(snapshots) {
    for (int life = 0; life < 3; life++) {
        ck_assert_msg(open_all(FSYNC_ALWAYS), "%s", why);
        ck_assert_int_eq(prefix(), life * 4);
        ck_assert(persist_start(persist, why, sizeof(why)));
        set(life * 4, NO_EXPIRY);
        set(life * 4 + 1, NO_EXPIRY);
        ck_assert(persist_snapshot_now(persist));
        set(life * 4 + 2, NO_EXPIRY);
        set(life * 4 + 3, NO_EXPIRY);
        close_all();
    }
    ck_assert_int_eq(persist_verify(dir, false), 0);
    ck_assert_int_ne(access(path, F_OK), 0); /* the log before the snapshots is gone */
}
END_TEST

static void flushed(struct txn *t, unsigned shard) {
    effects_flushed(t, shard);
}

START_TEST(a_flush_behind_a_snapshot) {
    struct txn t;

    ck_assert(open_all(FSYNC_NO));
    ck_assert(persist_start(persist, why, sizeof(why)));
    set(5, NO_EXPIRY);
    ck_assert(persist_snapshot_now(persist));
    txn_begin(&t, store, 1, 0, TXN_WRITE);
    t.journal = persist_journal(persist);
    store_flush(&t, flushed);
    txn_end(&t);
    set(0, NO_EXPIRY);
    close_all();
    ck_assert(open_all(FSYNC_NO));
    ck_assert_int_eq(prefix(), 1);
    close_all();
}
END_TEST

/* The sweeper's removals are logged, so that a key does not come back. */
START_TEST(expired_keys_stay_away) {
    ck_assert(open_all(FSYNC_NO));
    ck_assert(persist_start(persist, why, sizeof(why)));
    set(0, NO_EXPIRY);
    set(1, clock_wall_ms() + 1000000);
    ck_assert_uint_eq(store_sweep(store, clock_wall_ms() + 2000000).expired, 1);
    close_all();
    ck_assert(open_all(FSYNC_NO));
    ck_assert_int_eq(prefix(), 1);
    close_all();
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("persist");
    TCase *tc = tcase_create("persist");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, all_is_there_again);
    tcase_add_test(tc, cut_anywhere);
    tcase_add_test(tc, flipped_anywhere);
    tcase_add_test(tc, damage_is_refused_until_repaired);
    tcase_add_test(tc, a_newer_version_is_refused);
    tcase_add_test(tc, one_process_at_a_time);
    tcase_add_test(tc, the_secret_is_nobodys_business);
    tcase_add_test(tc, snapshots);
    tcase_add_test(tc, a_flush_behind_a_snapshot);
    tcase_add_test(tc, expired_keys_stay_away);
    suite_add_tcase(s, tc);
    return s;
}
