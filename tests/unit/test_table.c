/* The hash index: find, grow, shrink, walk, against a plain model. */
#include <flashkv/mem.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/table.h"
#include "unit.h"

enum { KEYS = 20000 };

static unsigned char secret[TABLE_SECRET_SIZE];
static struct table table;
static struct entry *model[KEYS]; /* by key number; NULL: not in the table */
static unsigned visits[KEYS];
static char name_room[32];

static struct slice key_name(unsigned n) {
    return slice_of(name_room, (size_t)snprintf(name_room, sizeof(name_room), "key:%u", n));
}

static uint64_t hash_of(unsigned n) {
    return table_hash(secret, key_name(n));
}

static void add(unsigned n) {
    struct entry_spec spec = {.type = TYPE_STRING, .key = key_name(n)};
    struct entry *e = entry_new(&spec);

    ck_assert_ptr_nonnull(e);
    ck_assert(table_insert(&table, hash_of(n), e));
    model[n] = e;
}

static void take(unsigned n) {
    table_remove(&table, hash_of(n), model[n]);
    entry_free(model[n]);
    model[n] = NULL;
}

static void check_all(void) {
    size_t used = 0;

    for (unsigned n = 0; n < KEYS; n++) {
        table_prefetch_slot(&table, hash_of(n));
        table_prefetch_entry(&table, hash_of(n));
        ck_assert_ptr_eq(table_find(&table, hash_of(n), key_name(n)), model[n]);
        used += model[n] != NULL;
    }
    ck_assert_uint_eq(table.used, used);
}

static void count_visit(void *ctx, struct entry *e) {
    struct slice key = entry_key(e);
    char text[32] = "";

    (void)ctx;
    memcpy(text, key.ptr, key.len);
    visits[strtoul(text + 4, NULL, 10)]++;
}

static void setup(void) {
    unsigned seed = (unsigned)time(NULL);

    printf("# seed %u\n", seed);
    srand(seed);
    for (size_t i = 0; i < sizeof(secret); i++)
        secret[i] = (unsigned char)rand();
    table_init(&table, secret);
    memset(model, 0, sizeof(model));
    memset(visits, 0, sizeof(visits));
}

static void teardown(void) {
    for (unsigned n = 0; n < KEYS; n++)
        entry_free(model[n]);
    table_free(&table);
}

START_TEST(test_empty) {
    ck_assert_ptr_null(table_find(&table, hash_of(1), key_name(1)));
    table_prefetch_slot(&table, hash_of(1));
    table_prefetch_entry(&table, hash_of(1));
    ck_assert_uint_eq(table_walk(&table, 0, 10, count_visit, NULL), 0);
    ck_assert_uint_eq(table_bytes(&table), 0);
}
END_TEST

START_TEST(test_grow_and_shrink) {
    for (unsigned n = 0; n < KEYS; n++) {
        add(n);
        if (n % 997 == 0)
            check_all();
    }
    check_all();
    for (unsigned n = 0; n < KEYS; n++) {
        take(n);
        if (n % 997 == 0)
            check_all();
    }
    check_all();
    ck_assert_uint_lt(table_bytes(&table), 64 * 1024);
}
END_TEST

START_TEST(test_random_churn) {
    for (int step = 0; step < 200000; step++) {
        unsigned n = (unsigned)rand() % KEYS;

        if (model[n] != NULL)
            take(n);
        else
            add(n);
        if (step % 40000 == 0)
            check_all();
    }
    check_all();
}
END_TEST

START_TEST(test_growth_is_spread) {
    size_t before = 0;
    unsigned n = 0;

    while (n < 10000 || !table_moving(&table))
        add(n++);
    /* In the middle of a move, one insertion moves a few slots, not the table. */
    before = table.old_next;
    add(n);
    ck_assert(table_moving(&table));
    ck_assert_uint_lt(table.old_next - before, 64);
    table_move(&table, SIZE_MAX / 2);
    ck_assert(!table_moving(&table));
    check_all();
}
END_TEST

static int by_hash(const void *a, const void *b) {
    uint64_t x = hash_of(*(const unsigned *)a), y = hash_of(*(const unsigned *)b);

    return (x > y) - (x < y);
}

/* As when a table is filled by walking another. */
START_TEST(test_in_the_order_of_hashes) {
    static unsigned order[KEYS];

    for (unsigned n = 0; n < KEYS; n++)
        order[n] = n;
    qsort(order, KEYS, sizeof(*order), by_hash);
    for (unsigned i = 0; i < KEYS; i++)
        add(order[i]);
    check_all();
    ck_assert_uint_le(table_bytes(&table), 8 * 8 * KEYS);
}
END_TEST

START_TEST(test_replace) {
    struct entry_spec spec = {.type = TYPE_STRING, .key = SLICE_LIT("key:7"), .value = SLICE_LIT("v")};
    struct entry *fresh = entry_new(&spec), *stale;

    for (unsigned n = 0; n < 1000; n++)
        add(n);
    stale = model[7];
    table_replace(&table, hash_of(7), stale, fresh);
    entry_free(stale);
    model[7] = fresh;
    check_all();
}
END_TEST

/* A walk in pages, with the table changing size under it, visits all that was there throughout, once. */
static void walk_while(void (*change)(unsigned page)) {
    uint64_t from = 0;
    unsigned page = 0;

    do {
        from = table_walk(&table, from, 10, count_visit, NULL);
        change(page++);
    } while (from != 0);
    for (unsigned n = 0; n < 2000; n++)
        ck_assert_msg(visits[n] == 1, "key %u visited %u times", n, visits[n]);
}

static void no_change(unsigned page) {
    (void)page;
}

static void grow_some(unsigned page) {
    for (unsigned n = 2000 + page * 80; n < 2080 + page * 80 && n < KEYS; n++)
        add(n);
}

static void shrink_some(unsigned page) {
    for (unsigned n = 2000 + page * 80; n < 2080 + page * 80 && n < KEYS; n++)
        take(n);
}

START_TEST(test_walk) {
    for (unsigned n = 0; n < 2000; n++)
        add(n);
    walk_while(no_change);
}
END_TEST

START_TEST(test_walk_while_growing) {
    for (unsigned n = 0; n < 2000; n++)
        add(n);
    walk_while(grow_some);
}
END_TEST

START_TEST(test_walk_while_shrinking) {
    for (unsigned n = 0; n < KEYS; n++)
        add(n);
    walk_while(shrink_some);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("table");
    TCase *tc = tcase_create("table");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_empty);
    tcase_add_test(tc, test_grow_and_shrink);
    tcase_add_test(tc, test_random_churn);
    tcase_add_test(tc, test_growth_is_spread);
    tcase_add_test(tc, test_in_the_order_of_hashes);
    tcase_add_test(tc, test_replace);
    tcase_add_test(tc, test_walk);
    tcase_add_test(tc, test_walk_while_growing);
    tcase_add_test(tc, test_walk_while_shrinking);
    suite_add_tcase(suite, tc);
    return suite;
}
