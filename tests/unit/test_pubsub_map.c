/* The map: nodes come and go, equal hashes, growing and shrinking. */
#include "pubsub/map.h"
#include "unit.h"

enum { NODES = 10000 };

static struct map map;
static struct map_node nodes[NODES];

static void setup(void) {
    map = (struct map){0};
    for (size_t i = 0; i < NODES; i++)
        nodes[i].hash = i / 2; /* each hash twice */
}

static void teardown(void) {
    map_free(&map);
}

static size_t walked(void) {
    size_t n = 0;

    for (struct map_node *at = NULL; (at = map_walk(&map, at)) != NULL;)
        n++;
    return n;
}

static bool has(size_t i) {
    for (struct map_node *n = map_first(&map, nodes[i].hash); n != NULL; n = map_next(n))
        if (n == &nodes[i])
            return true;
    return false;
}

START_TEST(is_empty_at_first) {
    ck_assert_ptr_null(map_first(&map, 0));
    ck_assert_uint_eq(walked(), 0);
}
END_TEST

START_TEST(grows_and_shrinks) {
    for (size_t i = 0; i < NODES; i++)
        ck_assert(map_add(&map, &nodes[i]));
    ck_assert_uint_eq(map.count, NODES);
    ck_assert_uint_eq(walked(), NODES);
    ck_assert_uint_ge(map.capacity, NODES / 2);
    for (size_t i = 0; i < NODES; i++)
        ck_assert(has(i));
    for (size_t i = 0; i < NODES; i += 2)
        map_remove(&map, &nodes[i]);
    ck_assert_uint_eq(walked(), NODES / 2);
    for (size_t i = 0; i < NODES; i++)
        ck_assert_int_eq(has(i), i % 2 == 1);
    for (size_t i = 1; i < NODES; i += 2)
        map_remove(&map, &nodes[i]);
    ck_assert_uint_eq(walked(), 0);
    ck_assert_uint_le(map.capacity, 64);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("pubsub_map");
    TCase *tc = tcase_create("map");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, is_empty_at_first);
    tcase_add_test(tc, grows_and_shrinks);
    suite_add_tcase(suite, tc);
    return suite;
}
