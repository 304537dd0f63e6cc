/* The ordered index against a plain array: inserting, removing, ranks, walks, both ends, and memory refused. */
#include <flashkv/ordered.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "failing_mem.h"
#include "unit.h"

enum { ITEMS = 5000, STEPS = 40000 };

static struct ordered order;
static double model[ITEMS];
static size_t present;

static void setup(void) {
    order = (struct ordered){0};
    present = 0;
    srand(1);
}

static void teardown(void) {
    ordered_free(&order);
    ck_assert_uint_eq(order.bytes, 0);
}

static bool is_less(const void *ctx, const struct ordered_item *item) {
    return item->score < *(const double *)ctx;
}

static size_t rank_of(double score) {
    return ordered_rank(&order, is_less, &score);
}

/* The pointer goes with the score: what comes back with it is the item that went in. */
static struct ordered_item item_of(double score) {
    return (struct ordered_item){score, (void *)(uintptr_t)(score + 1)};
}

static size_t model_rank(double score) {
    size_t i = 0;

    while (i < present && model[i] < score)
        i++;
    return i;
}

static void add(double score) {
    size_t rank = model_rank(score);

    ck_assert_uint_eq(rank_of(score), rank);
    ck_assert(ordered_insert(&order, rank, item_of(score)));
    memmove(&model[rank + 1], &model[rank], (present - rank) * sizeof(*model));
    model[rank] = score;
    present++;
}

static void take(size_t rank) {
    struct ordered_item item = ordered_remove(&order, rank);

    ck_assert(item.score == model[rank] && item.ptr == item_of(item.score).ptr);
    present--;
    memmove(&model[rank], &model[rank + 1], (present - rank) * sizeof(*model));
}

struct visited {
    size_t rank, count;
    bool down;
};

static void visit(void *ctx, const struct ordered_item *item) {
    struct visited *v = ctx;

    ck_assert(item->score == model[v->rank] && item->ptr == item_of(item->score).ptr);
    v->rank += v->down ? (size_t)-1 : 1;
    v->count++;
}

static void check_walk(size_t rank, size_t count, bool down) {
    struct visited v = {.rank = rank, .down = down};

    ordered_walk(&order, rank, count, down, visit, &v);
    ck_assert_uint_eq(v.count, count);
}

static void check_all(void) {
    ck_assert_uint_eq(order.count, present);
    for (size_t i = 0; i < present; i++)
        ck_assert_uint_eq(rank_of(model[i]), i);
    check_walk(0, present, false);
    if (present > 0)
        check_walk(present - 1, present, true);
    for (size_t i = 0; i + 3 < present; i += 97) {
        check_walk(i, 3, false);
        check_walk(i + 2, 3, true);
    }
}

/* Grows and shrinks in turn, so that nodes split and join at every level. */
START_TEST(it_is_what_a_plain_array_says) {
    for (unsigned i = 0; i < STEPS; i++) {
        bool grows = i / (STEPS / 4) % 2 == 0;
        double score = rand() % 1000000 + i / 1e6;

        if (present == 0 || (present < ITEMS && (rand() % 4 == 0) != grows))
            add(score);
        else
            take((size_t)rand() % present);
        if (i % (STEPS / 16) == 0)
            check_all();
    }
    while (present > 0)
        take(_i == 0 ? 0 : _i == 1 ? present - 1 : present / 2);
    ck_assert_uint_eq(order.bytes, 0);
}
END_TEST

START_TEST(an_item_is_replaced_where_it_stands) {
    for (unsigned i = 0; i < ITEMS; i++)
        add(10 * i);
    for (unsigned i = 0; i < ITEMS; i++) {
        model[i] += 3;
        ordered_replace(&order, i, item_of(model[i]));
    }
    check_all();
}
END_TEST

START_TEST(items_that_come_in_order_fill_their_nodes) {
    for (unsigned i = 0; i < ITEMS; i++)
        add(_i == 0 ? i : ITEMS - i);
    check_all();
    ck_assert_uint_lt(order.bytes / ITEMS, 18);
}
END_TEST

START_TEST(items_in_any_order_take_25_bytes) {
    for (unsigned i = 0; i < ITEMS; i++)
        add(rand() + i / 1e6);
    ck_assert_uint_le(order.bytes / ITEMS, 25);
    while (present > ITEMS / 8)
        take((size_t)rand() % present);
    ck_assert_uint_le(order.bytes / present, 70); /* thin nodes are joined */
    check_all();
}
END_TEST

/* Nodes may have been split before memory was refused: that is as right. */
START_TEST(refused_memory_changes_nothing) {
    unsigned refused = 0;

    for (unsigned i = 0; i < ITEMS; i++) {
        double score = _i == 0 ? rand() + i / 1e6 : i;

        for (size_t allowed = 0;; allowed++) {
            bool done;

            mem_fail_after(allowed);
            done = ordered_insert(&order, rank_of(score), item_of(score));
            mem_fail_after(SIZE_MAX);
            ck_assert_uint_eq(order.count, present + done);
            if (done)
                break;
            refused++;
            check_walk(0, present, false);
        }
        ck_assert_ptr_eq(ordered_remove(&order, rank_of(score)).ptr, item_of(score).ptr);
        add(score);
    }
    check_all();
    ck_assert_uint_ge(refused, ITEMS / 62); /* each leaf, at the least */
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("ordered");
    TCase *tc = tcase_create("ordered");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, it_is_what_a_plain_array_says, 0, 3);
    tcase_add_test(tc, an_item_is_replaced_where_it_stands);
    tcase_add_loop_test(tc, items_that_come_in_order_fill_their_nodes, 0, 2);
    tcase_add_test(tc, items_in_any_order_take_25_bytes);
    tcase_add_loop_test(tc, refused_memory_changes_nothing, 0, 2);
    suite_add_tcase(suite, tc);
    return suite;
}
