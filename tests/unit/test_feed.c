/* The change feed: what events become, resuming, gaps, who is woken, and that nothing is kept when nobody follows. */
#include <flashkv/feed.h>
#include <flashkv/num.h>
#include <flashkv/store.h>
#include <stdio.h>
#include <unistd.h>

#include "failing_mem.h"
#include "unit.h"

enum { NOW = 1000000, MAX = 1 << 20, PATIENCE_MS = 60000 };

static struct store *store;
static struct feed feed;

struct reader {
    struct follower follower; /* first */
    _Atomic int woken;
};

static void on_wake(struct follower *f) {
    atomic_fetch_add(&((struct reader *)f)->woken, 1);
}

static void setup(void) {
    static const struct store_config config = {.max_value = 1 << 20};

    mem_fail_after(SIZE_MAX);
    store = store_create(&config);
    ck_assert_ptr_nonnull(store);
    feed_init(&feed, store, MAX);
}

static void teardown(void) {
    feed_destroy(&feed);
    store_destroy(store);
}

static void follow(struct reader *r, const char *prefix, uint64_t from) {
    *r = (struct reader){.follower = {.prefix = slice_str(prefix), .wake = on_wake}};
    ck_assert(feed_follow(&feed, &r->follower, from));
}

/* What a test does to a key. */
static void with_key(const char *name, void (*change)(struct txn *t, const struct key *k, const char *arg),
                     const char *arg) {
    struct key k = store_key(store, slice_str(name));
    struct txn t;

    txn_begin(&t, store, NOW, key_shard_bit(&k), TXN_WRITE);
    change(&t, &k, arg);
    txn_end(&t);
}

static void do_set(struct txn *t, const struct key *k, const char *value) {
    struct string_value v = {.bytes = slice_str(value), .expire_at = NO_EXPIRY};

    ck_assert_int_eq(store_set_string(t, k, &v), STORE_OK);
    store_changed(t, k, EVENT_STRING, "set");
}

static void do_set_expiring(struct txn *t, const struct key *k, const char *value) {
    struct string_value v = {.bytes = slice_str(value), .expire_at = NOW + 500};

    ck_assert_int_eq(store_set_string(t, k, &v), STORE_OK);
    store_changed(t, k, EVENT_STRING, "set");
    store_changed(t, k, EVENT_GENERIC, "expire");
}

static void do_expire(struct txn *t, const struct key *k, const char *ms) {
    bool existed;
    int64_t n;

    ck_assert(num_parse_i64(slice_str(ms), &n));
    ck_assert_int_eq(store_set_expiry(t, k, NOW + n, &existed), STORE_OK);
    store_changed(t, k, EVENT_GENERIC, "expire");
}

static void do_delete(struct txn *t, const struct key *k, const char *name) {
    (void)store_delete(t, k);
    store_changed(t, k, EVENT_GENERIC, name);
}

static void do_tell(struct txn *t, const struct key *k, const char *name) {
    store_changed(t, k,
                  strcmp(name, "evicted") == 0   ? EVENT_EVICTED
                  : strcmp(name, "expired") == 0 ? EVENT_EXPIRED
                                                 : EVENT_LIST,
                  name);
}

static void set(const char *name, const char *value) {
    with_key(name, do_set, value);
}

/* All that can be read now: "1:set k=v 2:gap ". */
static const char *read_all(struct reader *r) {
    static const char *const kinds[] = {"set", "ttl", "delete", "expire", "evict"};
    static char text[4096];
    size_t len = 0, n;
    enum feed_state state;
    struct change *changes[8];

    text[0] = '\0';
    while ((state = feed_read(&feed, &r->follower, changes, 8, SIZE_MAX, &n)) != FEED_IDLE) {
        if (state == FEED_GAP)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%llu:gap ",
                                    (unsigned long long)feed_position(&feed, &r->follower));
        for (size_t i = 0; i < n; i++) {
            const struct change *c = changes[i];

            len +=
                (size_t)snprintf(text + len, sizeof(text) - len, "%llu:%s %.*s",
                                 (unsigned long long)c->number, kinds[c->kind], (int)c->key.len, c->key.ptr);
            if (c->has_value)
                len += (size_t)snprintf(text + len, sizeof(text) - len, "=%.*s", (int)c->value.len,
                                        c->value.ptr);
            if (c->expire_at != NO_EXPIRY)
                len +=
                    (size_t)snprintf(text + len, sizeof(text) - len, "@%lld", (long long)c->expire_at - NOW);
            len += (size_t)snprintf(text + len, sizeof(text) - len, " ");
            change_unref(changes[i]);
        }
    }
    return text;
}

START_TEST(nothing_is_kept_unless_somebody_follows) {
    struct reader r;

    set("k", "1");
    follow(&r, "", 0);
    ck_assert_str_eq(read_all(&r), "");
    set("k", "2");
    ck_assert_str_eq(read_all(&r), "1:set k=2 ");
    feed_leave(&feed, &r.follower);
}
END_TEST

START_TEST(each_change_is_told_once) {
    struct reader r;

    follow(&r, "", 0);
    with_key("k", do_set_expiring, "v"); /* two events, one change */
    with_key("k", do_expire, "700");
    with_key("k", do_expire, "700"); /* the same again tells nothing */
    with_key("k", do_delete, "rename_from");
    with_key("l", do_tell, "lpop"); /* gone already: "del" is what counts */
    with_key("l", do_delete, "del");
    with_key("x", do_tell, "expired");
    with_key("e", do_tell, "evicted");
    ck_assert_str_eq(read_all(&r), "1:set k=v@500 2:ttl k@700 3:delete k 4:delete l 5:expire x 6:evict e ");
    feed_leave(&feed, &r.follower);
}
END_TEST

START_TEST(values_large_and_small) {
    static char large[CHANGE_VALUE_MAX + 2];
    struct change *changes[4];
    struct reader r;
    size_t n;

    follow(&r, "", 0);
    memset(large, 'x', CHANGE_VALUE_MAX);
    set("fits", large); /* by reference */
    large[CHANGE_VALUE_MAX] = 'x';
    set("does not", large);
    set("empty", "");
    ck_assert_int_eq(feed_read(&feed, &r.follower, changes, 4, SIZE_MAX, &n), FEED_CHANGES);
    ck_assert_uint_eq(n, 3);
    ck_assert(changes[0]->has_value && changes[0]->blob != NULL && !changes[0]->has_digest);
    ck_assert_uint_eq(changes[0]->value.len, CHANGE_VALUE_MAX);
    ck_assert(!changes[1]->has_value && changes[1]->blob == NULL);
    ck_assert(changes[2]->has_value && changes[2]->value.len == 0);
    for (size_t i = 0; i < n; i++)
        change_unref(changes[i]);
    feed_leave(&feed, &r.follower);
}
END_TEST

START_TEST(a_follower_resumes) {
    struct reader a, b;

    follow(&a, "", 0);
    set("k", "1");
    set("k", "2");
    feed_leave(&feed, &a.follower);
    set("k", "3"); /* nobody follows, but somebody may come back */
    follow(&b, "", 2);
    ck_assert_str_eq(read_all(&b), "2:set k=2 3:set k=3 ");
    feed_leave(&feed, &b.follower);
    follow(&b, "", 4); /* has seen all */
    ck_assert_str_eq(read_all(&b), "");
    set("k", "4");
    ck_assert_str_eq(read_all(&b), "4:set k=4 ");
    feed_leave(&feed, &b.follower);
    follow(&b, "", 99); /* never was */
    ck_assert_str_eq(read_all(&b), "4:gap ");
    set("k", "5");
    ck_assert_str_eq(read_all(&b), "5:set k=5 ");
    feed_leave(&feed, &b.follower);
}
END_TEST

START_TEST(what_left_the_ring_is_a_gap) {
    enum { LEN = 4000, ROUNDS = 2 * MAX / LEN };
    static char value[LEN + 1];
    struct reader slow, late;
    char want[64];

    memset(value, 'v', LEN);
    follow(&slow, "", 0);
    for (int i = 0; i < ROUNDS; i++)
        set("k", value);
    snprintf(want, sizeof(want), "%d:gap ", ROUNDS);
    ck_assert_str_eq(read_all(&slow), want);
    follow(&late, "", 2);
    ck_assert_str_eq(read_all(&late), want);
    ck_assert_uint_gt(feed_first(&feed), ROUNDS - MAX / LEN - 1);
    feed_leave(&feed, &slow.follower);
    feed_leave(&feed, &late.follower);
}
END_TEST

START_TEST(what_cannot_be_told_is_a_gap) {
    struct reader r;

    follow(&r, "k", 0);
    set("k", "1");
    feed_gap(&feed); /* a flush */
    set("k", "2");
    mem_fail_after(0);
    set("k", "3");
    mem_fail_after(SIZE_MAX);
    set("k", "4");
    ck_assert_str_eq(read_all(&r), "1:set k=1 2:gap 3:set k=2 4:gap 5:set k=4 ");
    feed_leave(&feed, &r.follower);
}
END_TEST

START_TEST(no_memory_for_a_ring) {
    struct reader r = {.follower = {.wake = on_wake}};

    mem_fail_after(0);
    ck_assert(!feed_follow(&feed, &r.follower, 0));
    mem_fail_after(SIZE_MAX);
    follow(&r, "", 0);
    feed_leave(&feed, &r.follower);
}
END_TEST

/* Waits until it was woken so often. */
static void await(struct reader *r, int woken) {
    for (int i = 0; i < PATIENCE_MS && atomic_load(&r->woken) < woken; i++)
        usleep(1000);
    ck_assert_int_eq(atomic_load(&r->woken), woken);
}

START_TEST(those_that_wait_are_woken_for_what_they_want) {
    struct reader a, b, idle;

    follow(&a, "a", 0);
    follow(&b, "b", 0);
    follow(&idle, "", 0); /* has never read: it does not wait */
    ck_assert_str_eq(read_all(&a), "");
    ck_assert_str_eq(read_all(&b), "");
    set("a1", "1");
    await(&a, 1);
    set("b1", "1");
    await(&b, 1);
    set("a2", "1");
    set("b2", "1");
    ck_assert_str_eq(read_all(&a), "1:set a1=1 3:set a2=1 ");
    ck_assert_str_eq(read_all(&b), "2:set b1=1 4:set b2=1 ");
    set("a3", "1");
    await(&a, 2);
    feed_gap(&feed); /* is everybody's */
    await(&b, 2);
    ck_assert_int_eq(atomic_load(&idle.woken), 0);
    feed_leave(&feed, &a.follower);
    feed_leave(&feed, &b.follower);
    feed_leave(&feed, &idle.follower);
}
END_TEST

START_TEST(the_ring_ends_when_nobody_comes_back) {
    struct reader r;
    bool heard = true;

    feed.linger_ms = 20;
    follow(&r, "", 0);
    set("k", "1");
    feed_leave(&feed, &r.follower);
    for (int i = 0; i < PATIENCE_MS && heard; i++) {
        struct txn t;

        usleep(1000);
        txn_begin(&t, store, NOW, 0, TXN_WRITE);
        heard = t.wanted;
        txn_end(&t);
    }
    ck_assert(!heard); /* and writes pay nothing again */
    set("k", "2");
    follow(&r, "", 2); /* has seen the first */
    ck_assert_str_eq(read_all(&r), "2:gap ");
    set("k", "3");
    ck_assert_str_eq(read_all(&r), "3:set k=3 ");
    feed_leave(&feed, &r.follower);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("feed");
    TCase *tc = tcase_create("feed");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, nothing_is_kept_unless_somebody_follows);
    tcase_add_test(tc, each_change_is_told_once);
    tcase_add_test(tc, values_large_and_small);
    tcase_add_test(tc, a_follower_resumes);
    tcase_add_test(tc, what_left_the_ring_is_a_gap);
    tcase_add_test(tc, what_cannot_be_told_is_a_gap);
    tcase_add_test(tc, no_memory_for_a_ring);
    tcase_add_test(tc, those_that_wait_are_woken_for_what_they_want);
    tcase_add_test(tc, the_ring_ends_when_nobody_comes_back);
    suite_add_tcase(suite, tc);
    return suite;
}
