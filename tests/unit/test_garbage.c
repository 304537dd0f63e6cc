/* What is freed at once, what later: leaks and double frees show under the address sanitizer. */
#include "store/garbage.h"

#include <flashkv/blob.h>

#include "unit.h"

static struct garbage garbage;
static unsigned char secret[TABLE_SECRET_SIZE];

static void setup(void) {
    garbage = (struct garbage){.backlog = 0};
    garbage_init(&garbage);
}

static void teardown(void) {
    garbage_destroy(&garbage);
}

static struct object *list_of(size_t elements) {
    struct object *o = object_new(TYPE_LIST, secret);

    for (size_t i = 0; i < elements; i++)
        ck_assert(list_push((struct list *)o, LIST_TAIL, SLICE_LIT("element")));
    return o;
}

static struct object *chain(struct object *first, struct object *second) {
    first->next_dead = second;
    return first;
}

START_TEST(test_nobody_collects) NO_THREAD_SAFETY_ANALYSIS {
    garbage_add_objects(&garbage, chain(list_of(10000), list_of(1)));
    ck_assert_ptr_null(garbage.objects);
}
END_TEST

START_TEST(test_large_ones_wait) NO_THREAD_SAFETY_ANALYSIS {
    struct object *large = list_of(10000), *larger = list_of(20000);

    garbage_set_collected(&garbage, true);
    garbage_add_objects(&garbage, chain(list_of(1), chain(large, list_of(100))));
    ck_assert_ptr_eq(garbage.objects, large);
    ck_assert_uint_eq(garbage.backlog, 10000);
    garbage_add_objects(&garbage, larger);
    ck_assert_ptr_eq(garbage.objects, larger);
    garbage_collect(&garbage);
    ck_assert_ptr_null(garbage.objects);
    ck_assert_uint_eq(garbage.backlog, 0);
}
END_TEST

START_TEST(test_strings) NO_THREAD_SAFETY_ANALYSIS {
    struct blob *small = blob_new(1000, 1000), *large = blob_new(8 << 20, 8 << 20);

    garbage_set_collected(&garbage, true);
    garbage_add_objects(&garbage, chain(&small->object, &large->object));
    ck_assert_ptr_eq(garbage.objects, &large->object);
    ck_assert_uint_eq(garbage.backlog, 8 << 10);
}
END_TEST

/* Whoever finds the collector far behind frees by himself. */
START_TEST(test_backlog_is_bounded) NO_THREAD_SAFETY_ANALYSIS {
    garbage_set_collected(&garbage, true);
    garbage.backlog = SIZE_MAX / 2;
    garbage_add_objects(&garbage, list_of(10000));
    ck_assert_ptr_null(garbage.objects);
}
END_TEST

START_TEST(test_tables) NO_THREAD_SAFETY_ANALYSIS {
    struct table tables[3];

    garbage_set_collected(&garbage, true);
    for (int i = 0; i < 3; i++) {
        struct entry_spec spec = {.type = TYPE_STRING, .key = SLICE_LIT("k"), .value = SLICE_LIT("v")};

        table_init(&tables[i], secret);
        if (i > 0)
            ck_assert(table_insert(&tables[i], table_hash(secret, spec.key), entry_new(&spec)));
        garbage_add_keys(&garbage, &tables[i], 1000);
    }
    ck_assert_ptr_nonnull(garbage.keys->next);
    ck_assert_ptr_null(garbage.keys->next->next); /* an empty one is no work to leave */
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("garbage");
    TCase *tc = tcase_create("garbage");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_nobody_collects);
    tcase_add_test(tc, test_large_ones_wait);
    tcase_add_test(tc, test_strings);
    tcase_add_test(tc, test_backlog_is_bounded);
    tcase_add_test(tc, test_tables);
    suite_add_tcase(suite, tc);
    return suite;
}
