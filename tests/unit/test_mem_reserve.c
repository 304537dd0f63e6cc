/* A reserve: what it serves, when it does, and whose its blocks are. */
#include <pthread.h>
#include <string.h>

#include "failing_mem.h"
#include "unit.h"

static void no_more_memory(void) {
    mem_fail_after(0);
}

static void teardown(void) {
    mem_fail_after(SIZE_MAX);
}

static void fill(char *at, char with, size_t n) {
    ck_assert_ptr_nonnull(at);
    memset(at, with, n);
}

START_TEST(it_serves_what_was_set_aside_and_no_more) {
    enum { N = 10, SIZE = 100 };
    char *blocks[N];

    ck_assert(mem_reserve_begin((size_t)N * (SIZE + MEM_RESERVE_BLOCK)));
    no_more_memory();
    for (int i = 0; i < N; i++)
        fill(blocks[i] = mem_alloc(SIZE), (char)i, SIZE);
    ck_assert_ptr_null(mem_alloc((size_t)N * MEM_RESERVE_BLOCK));
    ck_assert_ptr_null(mem_alloc(SIZE_MAX));
    mem_reserve_end();
    ck_assert_ptr_null(mem_alloc(1));
    for (int i = 0; i < N; i++) {
        ck_assert_uint_eq((uintptr_t)blocks[i] % 16, 0);
        ck_assert_int_eq(blocks[i][SIZE - 1], i);
        mem_free(blocks[i]);
    }
}
END_TEST

START_TEST(the_allocator_is_asked_first) {
    char *p;

    ck_assert(mem_reserve_begin(200));
    mem_free(mem_alloc(100000));
    mem_fail_once(0);
    p = mem_zalloc(100);
    ck_assert_ptr_nonnull(p);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(p[i], 0);
    mem_free(p);
    mem_reserve_end();
}
END_TEST

START_TEST(none_is_begun_without_memory) {
    no_more_memory();
    ck_assert(!mem_reserve_begin(1));
    ck_assert_ptr_null(mem_alloc(1));
    mem_fail_after(SIZE_MAX);
    ck_assert(!mem_reserve_begin(SIZE_MAX));
}
END_TEST

START_TEST(blocks_move_and_grow_in_place) {
    char *p = mem_alloc(10), *q;

    fill(p, 'p', 10);
    ck_assert(mem_reserve_begin(1000));
    no_more_memory();
    p = mem_realloc(p, 200); /* from the allocator's to the reserve's */
    ck_assert_ptr_nonnull(p);
    ck_assert_mem_eq(p, "pppppppppp", 10);
    ck_assert_ptr_eq(mem_realloc(p, 400), p); /* the last one grows where it is */
    fill(q = mem_alloc(10), 'q', 10);
    ck_assert_ptr_eq(mem_realloc(p, 100), p);
    ck_assert_ptr_null(mem_realloc(p, 800));
    ck_assert_mem_eq(p, "pppppppppp", 10);
    mem_free(q);
    fill(q = mem_alloc(400), 'q', 400); /* in the place of the last, which was given back */
    mem_fail_after(SIZE_MAX);
    mem_reserve_end();
    p = mem_realloc(p, 2000); /* back to the allocator's */
    ck_assert_mem_eq(p, "pppppppppp", 10);
    mem_free(p);
    mem_free(q);
}
END_TEST

START_TEST(a_smaller_block_is_no_failure) {
    char *p = mem_alloc(5000);

    fill(p, 'p', 5000);
    no_more_memory();
    ck_assert_ptr_eq(mem_realloc(p, 10), p);
    mem_free(p);
}
END_TEST

START_TEST(paused_it_serves_nothing) {
    bool was;
    void *p;

    ck_assert(mem_reserve_begin(1000));
    no_more_memory();
    was = mem_reserve_pause(true);
    ck_assert(!was);
    ck_assert_ptr_null(mem_alloc(10));
    ck_assert(mem_reserve_pause(was));
    p = mem_alloc(10);
    ck_assert_ptr_nonnull(p);
    mem_free(p);
    mem_reserve_end();
}
END_TEST

START_TEST(within_another_it_is_that_one) {
    void *p;

    ck_assert(mem_reserve_begin(1000));
    no_more_memory();
    ck_assert(mem_reserve_begin(SIZE_MAX));
    mem_reserve_end();
    p = mem_alloc(100);
    ck_assert_ptr_nonnull(p);
    mem_free(p);
    mem_reserve_end();
}
END_TEST

enum { SHARED = 200 };

static void *free_them(void *blocks) {
    void **at = blocks;

    for (int i = 0; i < SHARED; i += 2)
        mem_free(at[i]);
    return NULL;
}

START_TEST(other_threads_free_its_blocks) {
    void *blocks[SHARED];
    pthread_t other;

    for (int round = 0; round < 20; round++) {
        ck_assert(mem_reserve_begin((size_t)SHARED * (16 + MEM_RESERVE_BLOCK)));
        no_more_memory();
        for (int i = 0; i < SHARED; i++)
            fill(blocks[i] = mem_alloc(16), 'b', 16);
        mem_fail_after(SIZE_MAX);
        ck_assert_int_eq(pthread_create(&other, NULL, free_them, blocks), 0);
        mem_reserve_end();
        for (int i = 1; i < SHARED; i += 2)
            mem_free(blocks[i]);
        pthread_join(other, NULL);
    }
}
END_TEST

START_TEST(it_is_not_told_as_in_use) {
    enum { SIZE = 256 << 20 };
    uint64_t before;

    if (!mem_counts_allocated())
        return; /* what is resident is told, and nothing of it is */
    before = mem_allocated();
    ck_assert(mem_reserve_begin(SIZE));
    ck_assert_uint_lt(mem_allocated(), before + SIZE / 2);
    mem_reserve_end();
    ck_assert_uint_lt(mem_allocated(), before + SIZE / 2);
    ck_assert_uint_gt(mem_allocated(), before / 2);
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("mem_reserve");
    TCase *t = tcase_create("reserve");

    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_test(t, it_serves_what_was_set_aside_and_no_more);
    tcase_add_test(t, the_allocator_is_asked_first);
    tcase_add_test(t, none_is_begun_without_memory);
    tcase_add_test(t, blocks_move_and_grow_in_place);
    tcase_add_test(t, a_smaller_block_is_no_failure);
    tcase_add_test(t, paused_it_serves_nothing);
    tcase_add_test(t, within_another_it_is_that_one);
    tcase_add_test(t, other_threads_free_its_blocks);
    tcase_add_test(t, it_is_not_told_as_in_use);
    suite_add_tcase(s, t);
    return s;
}
