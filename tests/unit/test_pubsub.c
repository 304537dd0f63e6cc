/* Channels and subscribers: who gets what, in which order; and threads that publish while others come and go. */
#include <flashkv/buf.h>
#include <flashkv/pubsub.h>
#include <flashkv/store.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

/* A subscriber that writes down what it gets. */
struct listener {
    struct subscriber base;
    struct buf heard;
};

static struct store *store;
static struct pubsub *ps;
static struct listener a, b;

static void hear(struct subscriber *s, struct message *m) {
    struct listener *l = (struct listener *)s;

    if (m->kind == PUBSUB_PATTERN)
        ck_assert(buf_printf(&l->heard, "%.*s>", (int)m->pattern.len, m->pattern.ptr));
    ck_assert(buf_printf(&l->heard, "%s%.*s=%.*s ", m->kind == PUBSUB_SHARD ? "shard:" : "",
                         (int)m->channel.len, m->channel.ptr, (int)m->payload.len, m->payload.ptr));
}

static struct listener listener_make(void) {
    return (struct listener){.base.deliver = hear, .heard = buf_make(1 << 20)};
}

static void setup(void) {
    static const struct store_config config = {.max_value = 1 << 20};

    store = store_create(&config);
    ps = pubsub_create(store);
    ck_assert_ptr_nonnull(ps);
    a = listener_make();
    b = listener_make();
}

static void teardown(void) {
    pubsub_leave(ps, &a.base);
    pubsub_leave(ps, &b.base);
    buf_free(&a.heard);
    buf_free(&b.heard);
    pubsub_destroy(ps);
    store_destroy(store);
}

static void subscribe(struct listener *l, enum pubsub_kind kind, const char *name) {
    ck_assert_int_eq(pubsub_subscribe(ps, &l->base, kind, slice_str(name)), PUBSUB_DONE);
}

static bool unsubscribe(struct listener *l, enum pubsub_kind kind, const char *name) {
    return pubsub_unsubscribe(ps, &l->base, kind, slice_str(name));
}

static uint64_t publish(const char *channel, const char *text) {
    return pubsub_publish(ps, PUBSUB_CHANNEL, slice_str(channel), slice_str(text));
}

static void check_heard(struct listener *l, const char *want) {
    ck_assert_msg(slice_eq(buf_slice(&l->heard), slice_str(want)), "heard %.*s instead of %s",
                  (int)l->heard.len, l->heard.data, want);
    l->heard.len = 0;
}

START_TEST(channels) {
    ck_assert_uint_eq(publish("news", "nobody"), 0);
    subscribe(&a, PUBSUB_CHANNEL, "news");
    subscribe(&b, PUBSUB_CHANNEL, "news");
    subscribe(&b, PUBSUB_CHANNEL, "");
    ck_assert_int_eq(pubsub_subscribe(ps, &a.base, PUBSUB_CHANNEL, SLICE_LIT("news")), PUBSUB_ALREADY);
    ck_assert_uint_eq(publish("news", "1"), 2);
    ck_assert_uint_eq(publish("", "2"), 1);
    ck_assert_uint_eq(publish("new", "3"), 0);
    check_heard(&a, "news=1 ");
    check_heard(&b, "news=1 =2 ");
    ck_assert_uint_eq(pubsub_topics(ps, PUBSUB_CHANNEL), 2);
    ck_assert_uint_eq(pubsub_subscribers(ps, PUBSUB_CHANNEL, SLICE_LIT("news")), 2);
    ck_assert_uint_eq(a.base.counts[PUBSUB_CHANNEL], 1);
    ck_assert(unsubscribe(&a, PUBSUB_CHANNEL, "news"));
    ck_assert(!unsubscribe(&a, PUBSUB_CHANNEL, "news"));
    ck_assert_uint_eq(publish("news", "4"), 1);
    check_heard(&a, "");
    check_heard(&b, "news=4 ");
    ck_assert_uint_eq(a.base.counts[PUBSUB_CHANNEL], 0);
}
END_TEST

START_TEST(patterns) {
    subscribe(&a, PUBSUB_PATTERN, "n?ws*");
    subscribe(&b, PUBSUB_PATTERN, "*");
    subscribe(&b, PUBSUB_CHANNEL, "news");
    ck_assert_uint_eq(publish("news", "1"), 3);
    check_heard(&a, "n?ws*>news=1 ");
    check_heard(&b, "news=1 *>news=1 ");
    ck_assert_uint_eq(publish("other", "2"), 1);
    ck_assert(!unsubscribe(&b, PUBSUB_CHANNEL, "*"));
    ck_assert(unsubscribe(&b, PUBSUB_PATTERN, "*"));
    ck_assert_uint_eq(publish("other", "3"), 0);
    check_heard(&b, "*>other=2 ");
    ck_assert_uint_eq(pubsub_topics(ps, PUBSUB_PATTERN), 1);
}
END_TEST

START_TEST(shard_channels_are_apart) {
    subscribe(&a, PUBSUB_SHARD, "news");
    subscribe(&b, PUBSUB_PATTERN, "*");
    ck_assert_uint_eq(pubsub_publish(ps, PUBSUB_SHARD, SLICE_LIT("news"), SLICE_LIT("1")), 1);
    ck_assert_uint_eq(publish("news", "2"), 1);
    check_heard(&a, "shard:news=1 ");
    check_heard(&b, "*>news=2 ");
}
END_TEST

START_TEST(leaving_ends_all) {
    for (int i = 0; i < 1000; i++) {
        char name[16];

        snprintf(name, sizeof(name), "c%d", i);
        subscribe(&a, PUBSUB_CHANNEL, name);
        subscribe(&a, PUBSUB_PATTERN, name);
        subscribe(&a, PUBSUB_SHARD, name);
    }
    subscribe(&b, PUBSUB_CHANNEL, "c7");
    pubsub_leave(ps, &a.base);
    ck_assert_uint_eq(pubsub_topics(ps, PUBSUB_CHANNEL), 1);
    ck_assert_uint_eq(pubsub_topics(ps, PUBSUB_PATTERN) + pubsub_topics(ps, PUBSUB_SHARD), 0);
    ck_assert_uint_eq(a.base.counts[PUBSUB_CHANNEL] + a.base.counts[PUBSUB_PATTERN], 0);
    ck_assert_uint_eq(publish("c7", "1"), 1);
    check_heard(&a, "");
}
END_TEST

static void note_name(void *ctx, struct slice name) {
    ck_assert(buf_printf(ctx, "%.*s ", (int)name.len, name.ptr));
}

START_TEST(visits_names) {
    subscribe(&a, PUBSUB_CHANNEL, "x");
    subscribe(&a, PUBSUB_CHANNEL, "y");
    subscribe(&a, PUBSUB_CHANNEL, "z");
    ck_assert(unsubscribe(&a, PUBSUB_CHANNEL, "y"));
    subscribe(&b, PUBSUB_CHANNEL, "only b's");
    pubsub_each_of(ps, &a.base, PUBSUB_CHANNEL, note_name, &a.heard);
    check_heard(&a, "x z ");
    pubsub_each(ps, PUBSUB_CHANNEL, note_name, &b.heard);
    ck_assert_uint_eq(b.heard.len, sizeof("x z only b's ") - 1);
}
END_TEST

/* ---- threads ------------------------------------------------------------------------------------------------- */

enum { PUBLISHERS = 3, MESSAGES = 3000, VISITORS = 2, VISITS = 300 };

/* Numbers come from each publisher in order, and to both listeners of a channel in the same order. */
struct follower {
    struct subscriber base;
    uint32_t next[PUBLISHERS];
    uint64_t order; /* a hash of what came, as it came */
    uint64_t count;
};

static void follow(struct subscriber *s, struct message *m) {
    struct follower *f = (struct follower *)s;
    uint32_t publisher, n;

    memcpy(&publisher, m->payload.ptr, sizeof(publisher));
    memcpy(&n, m->payload.ptr + sizeof(publisher), sizeof(n));
    ck_assert_uint_eq(f->next[publisher], n);
    f->next[publisher]++;
    f->order = (f->order ^ publisher) * UINT64_C(1099511628211);
    f->count++;
}

static void *publish_numbers(void *arg) {
    uint32_t message[2] = {(uint32_t)(uintptr_t)arg, 0};

    for (; message[1] < MESSAGES; message[1]++)
        ck_assert_uint_ge(
            pubsub_publish(ps, PUBSUB_CHANNEL, SLICE_LIT("numbers"), slice_of(message, sizeof(message))), 2);
    return NULL;
}

static void count_message(struct subscriber *s, struct message *m) {
    (void)m;
    atomic_fetch_add(&s->counts[PUBSUB_SHARD], 0); /* it is alive */
}

static void *come_and_go(void *arg) {
    (void)arg;
    for (int i = 0; i < VISITS; i++) {
        struct subscriber *s = calloc(1, sizeof(*s));

        s->deliver = count_message;
        pubsub_subscribe(ps, s, PUBSUB_CHANNEL, SLICE_LIT("numbers"));
        pubsub_subscribe(ps, s, PUBSUB_PATTERN, SLICE_LIT("num*"));
        pubsub_subscribe(ps, s, PUBSUB_PATTERN, SLICE_LIT("other"));
        pubsub_unsubscribe(ps, s, PUBSUB_CHANNEL, SLICE_LIT("numbers"));
        pubsub_leave(ps, s);
        free(s); /* whatever is published */
    }
    return NULL;
}

START_TEST(publishers_and_visitors_at_once) {
    struct follower f = {.base.deliver = follow}, g = {.base.deliver = follow};
    pthread_t threads[PUBLISHERS + VISITORS];

    pubsub_subscribe(ps, &f.base, PUBSUB_CHANNEL, SLICE_LIT("numbers"));
    pubsub_subscribe(ps, &g.base, PUBSUB_CHANNEL, SLICE_LIT("numbers"));
    for (size_t i = 0; i < PUBLISHERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, publish_numbers, (void *)i), 0);
    for (size_t i = 0; i < VISITORS; i++)
        ck_assert_int_eq(pthread_create(&threads[PUBLISHERS + i], NULL, come_and_go, NULL), 0);
    for (size_t i = 0; i < PUBLISHERS + VISITORS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(f.count, PUBLISHERS * MESSAGES);
    ck_assert_uint_eq(g.count, f.count);
    ck_assert_uint_eq(g.order, f.order);
    pubsub_leave(ps, &f.base);
    pubsub_leave(ps, &g.base);
    ck_assert_uint_eq(pubsub_topics(ps, PUBSUB_CHANNEL) + pubsub_topics(ps, PUBSUB_PATTERN), 0);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("pubsub");
    TCase *tc = tcase_create("pubsub");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, channels);
    tcase_add_test(tc, patterns);
    tcase_add_test(tc, shard_channels_are_apart);
    tcase_add_test(tc, leaving_ends_all);
    tcase_add_test(tc, visits_names);
    tcase_add_test(tc, publishers_and_visitors_at_once);
    suite_add_tcase(suite, tc);
    return suite;
}
