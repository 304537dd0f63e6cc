/* Memory: the corners of malloc that callers lean on, and what accounting is told. */
#include <config.h>

#include <flashkv/mem.h>
#include <stdbool.h>
#include <string.h>

#include "unit.h"

START_TEST(size_zero_gives_a_pointer_to_be_freed) {
    void *p = mem_alloc(0), *z = mem_zalloc(0), *d = mem_dup(NULL, 0), *a = mem_aligned(64, 0);

    ck_assert(p != NULL && z != NULL && d != NULL && a != NULL);
    p = mem_realloc(p, 0);
    ck_assert_ptr_nonnull(p);
    mem_free(p);
    mem_free(z);
    mem_free(d);
    mem_free(a);
    mem_free(NULL);
}
END_TEST

START_TEST(more_than_there_is_gives_null) {
    volatile size_t huge = SIZE_MAX / 2; /* volatile: the compiler warns of what it sees */
    char *p = mem_alloc(5);

    ck_assert_ptr_nonnull(p);
    memcpy(p, "stay", 5);
    ck_assert_ptr_null(mem_alloc(huge));
    ck_assert_ptr_null(mem_zalloc(huge));
    ck_assert_ptr_null(mem_aligned(64, huge));
    ck_assert_ptr_null(mem_realloc(p, huge));
    ck_assert_str_eq(p, "stay");
    mem_free(p);
}
END_TEST

START_TEST(zalloc_gives_zeroes_and_dup_a_copy) {
    static const char zeroes[4096];
    char *z = mem_zalloc(sizeof(zeroes)), *d = mem_dup("a\0b", 3);

    ck_assert_mem_eq(z, zeroes, sizeof(zeroes));
    ck_assert_mem_eq(d, "a\0b", 3);
    mem_free(z);
    mem_free(d);
}
END_TEST

START_TEST(aligned_is) {
    for (size_t align = sizeof(void *); align <= 4096; align *= 2) {
        void *p = mem_aligned(align, 24);

        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % align, 0);
        mem_free(p);
    }
}
END_TEST

START_TEST(mappings_are_pages_of_their_own_and_counted) {
    enum { SIZE = 3 * 4096 + 5 };
    uint64_t before = mem_allocated(), with;
    char *p = mem_map(SIZE);

    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq((uintptr_t)p % 4096, 0);
    memset(p, 'x', SIZE);
    with = mem_allocated();
    mem_unmap(p, SIZE);
#ifdef HAVE_JEMALLOC
    ck_assert_uint_ge(with - before, SIZE);
#endif
    (void)before, (void)with;
    ck_assert_ptr_null(mem_map(SIZE_MAX / 2));
}
END_TEST

START_TEST(mappings_are_bounded) {
    static void *maps[MEM_MAPS_MAX];
    size_t n = 0;

    while (n < MEM_MAPS_MAX && (maps[n] = mem_map(1)) != NULL)
        n++;
    ck_assert_uint_eq(n, MEM_MAPS_MAX);
    ck_assert_ptr_null(mem_map(1));
    mem_unmap(maps[--n], 1);
    maps[n] = mem_map(1);
    ck_assert_ptr_nonnull(maps[n++]);
    while (n > 0)
        mem_unmap(maps[--n], 1);
}
END_TEST

START_TEST(good_size_is_at_least_the_request_and_worth_asking_for) {
    ck_assert_uint_eq(mem_good_size(0), 0);
    for (size_t n = 1; n < 100000; n += 1 + n / 50) {
        size_t good = mem_good_size(n);

        ck_assert_uint_ge(good, n);
        ck_assert_uint_eq(mem_good_size(good), good);
        ck_assert_uint_le(mem_good_size(n - 1), good);
        ck_assert_uint_le(good, 64 + 2 * n);
    }
}
END_TEST

START_TEST(statistics_follow_what_is_allocated) {
    enum { SIZE = 32 << 20 };
    uint64_t before = mem_allocated(), resident = mem_resident();
    char *p = mem_alloc(SIZE);

    ck_assert_ptr_nonnull(p);
    memset(p, 1, SIZE);
    __asm__ volatile("" ::"r"(p)
                     : "memory"); /* nobody reads it, so a compiler that sees this far would not write it */
    ck_assert_uint_gt(before, 0);
    ck_assert_uint_ge(mem_allocated(), before + SIZE / 2);
    ck_assert_uint_ge(mem_resident(), resident + SIZE / 2);
    ck_assert_uint_ge(mem_resident_peak(), resident + SIZE / 2);
    mem_free(p);
}
END_TEST

START_TEST(what_was_freed_is_not_counted) {
    enum { EACH = 8, SMALLEST = 64, LARGEST = 16384 }; /* few enough of each to stay in the thread's cache */
    uint64_t before = mem_allocated(), with;
    void *held[EACH];
    size_t sum = 0;

    for (size_t size = SMALLEST; size <= LARGEST; size *= 2) {
        for (int i = 0; i < EACH; i++)
            ck_assert_ptr_nonnull(held[i] = mem_alloc(size));
        with = mem_allocated();
        for (int i = 0; i < EACH; i++)
            mem_free(held[i]);
        sum += EACH * size;
    }
    (void)before, (void)with, (void)sum;
#ifdef HAVE_JEMALLOC
    ck_assert_uint_ge(with, before + EACH * LARGEST / 2);
    ck_assert_uint_lt(mem_allocated(), before + sum / 4);
#endif
}
END_TEST

START_TEST(the_allocator_has_a_name) {
    ck_assert_uint_gt(strlen(mem_allocator()), 3);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("mem");
    TCase *tc = tcase_create("mem");

    tcase_add_test(tc, size_zero_gives_a_pointer_to_be_freed);
    tcase_add_test(tc, more_than_there_is_gives_null);
    tcase_add_test(tc, zalloc_gives_zeroes_and_dup_a_copy);
    tcase_add_test(tc, aligned_is);
    tcase_add_test(tc, mappings_are_pages_of_their_own_and_counted);
    tcase_add_test(tc, mappings_are_bounded);
    tcase_add_test(tc, good_size_is_at_least_the_request_and_worth_asking_for);
    tcase_add_test(tc, statistics_follow_what_is_allocated);
    tcase_add_test(tc, what_was_freed_is_not_counted);
    tcase_add_test(tc, the_allocator_has_a_name);
    suite_add_tcase(suite, tc);
    return suite;
}
