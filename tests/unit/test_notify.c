/* Keyspace notifications: which letters let which events pass; and that nothing is told while they are off. */
#include <flashkv/buf.h>
#include <flashkv/notify.h>
#include <flashkv/store.h>

#include "unit.h"

static struct store *store;
static struct pubsub *ps;
static struct notify notify;
static struct subscriber subscriber;
static struct buf heard;

static void hear(struct subscriber *s, struct message *m) {
    (void)s;
    ck_assert(buf_printf(&heard, "%.*s=%.*s ", (int)m->channel.len, m->channel.ptr, (int)m->payload.len,
                         m->payload.ptr));
}

static void setup(void) {
    static const struct store_config config = {.max_value = 1 << 20};

    store = store_create(&config);
    ps = pubsub_create(store);
    notify_init(&notify, store, ps);
    heard = buf_make(1 << 20);
    subscriber = (struct subscriber){.deliver = hear};
    ck_assert_int_eq(pubsub_subscribe(ps, &subscriber, PUBSUB_PATTERN, SLICE_LIT("*")), PUBSUB_DONE);
}

static void teardown(void) {
    pubsub_leave(ps, &subscriber);
    buf_free(&heard);
    pubsub_destroy(ps);
    store_destroy(store);
}

/* SET, then a GET of a key that is not there; true if the store told of it at all. */
static bool set_and_miss(const char *name) {
    struct key k = store_key(store, slice_str(name)), none = store_key(store, SLICE_LIT("none"));
    struct string_value v = {.bytes = SLICE_LIT("v"), .expire_at = NO_EXPIRY};
    struct txn t;
    bool told;

    txn_begin(&t, store, 1000, TXN_ALL_SHARDS, TXN_WRITE);
    told = t.wanted;
    ck_assert_int_eq(store_set_string(&t, &k, &v), STORE_OK);
    store_changed(&t, &k, EVENT_STRING, "set");
    ck_assert_ptr_null(store_get(&t, &none));
    txn_end(&t);
    return told;
}

static void check_letters(const char *letters, const char *want) {
    struct key k = store_key(store, SLICE_LIT("k"));
    struct txn t;

    notify_set(&notify, slice_str(letters));
    ck_assert_int_eq(set_and_miss("k"), want[0] != '\0');
    ck_assert_msg(slice_eq(buf_slice(&heard), slice_str(want)), "%s: %.*s", letters, (int)heard.len,
                  heard.data);
    heard.len = 0;
    txn_begin(&t, store, 1000, TXN_ALL_SHARDS, TXN_WRITE);
    ck_assert(store_delete(&t, &k)); /* new again the next time */
    txn_end(&t);
}

START_TEST(letters) {
    ck_assert(!set_and_miss("k")); /* off at first */
    ck_assert_uint_eq(heard.len, 0);
    check_letters("", "");
    check_letters("A", "");   /* neither K nor E */
    check_letters("KE", "");  /* no class */
    check_letters("KEt", ""); /* none of ours */
    check_letters("K$", "__keyspace@0__:k=set ");
    check_letters("E$", "__keyevent@0__:set=k ");
    check_letters("KEA", "__keyspace@0__:k=set __keyevent@0__:set=k ");
    check_letters("En", "__keyevent@0__:new=k ");
    check_letters("Em", "__keyevent@0__:keymiss=none ");
    check_letters("EAnm", "__keyevent@0__:new=k __keyevent@0__:set=k __keyevent@0__:keymiss=none ");
}
END_TEST

START_TEST(a_key_longer_than_usual) {
    enum { LEN = 10000 };
    static char name[LEN + 1];

    memset(name, 'k', LEN);
    notify_set(&notify, SLICE_LIT("K$"));
    (void)set_and_miss(name);
    ck_assert_uint_eq(heard.len, sizeof("__keyspace@0__:=set ") - 1 + LEN);
}
END_TEST

static void count(void *ctx, const struct event *ev) {
    (void)ev;
    ++*(int *)ctx;
}

START_TEST(sinks_are_switched_alone) {
    int all = 0, news = 0;
    unsigned a = store_add_sink(store, count, &all, EVENT_ALL_CHANGES);
    unsigned b = store_add_sink(store, count, &news, EVENT_NEW);

    ck_assert(set_and_miss("k"));
    ck_assert_int_eq(all, 1);
    ck_assert_int_eq(news, 1);
    store_sink_classes(store, a, 0);
    ck_assert(set_and_miss("k"));
    ck_assert_int_eq(all, 1);
    ck_assert_int_eq(news, 1); /* it is there already */
    store_sink_classes(store, b, 0);
    ck_assert(!set_and_miss("new"));
    ck_assert_int_eq(news, 1);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("notify");
    TCase *tc = tcase_create("notify");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, letters);
    tcase_add_test(tc, a_key_longer_than_usual);
    tcase_add_test(tc, sinks_are_switched_alone);
    suite_add_tcase(suite, tc);
    return suite;
}
