/* The bounded buffer: growth, its ceiling, and that a refusal changes nothing. */
#include <flashkv/buf.h>
#include <stdlib.h>

#include "unit.h"

static void check_holds(const struct buf *b, const char *text) {
    ck_assert_uint_eq(b->len, strlen(text));
    ck_assert(slice_eq(buf_slice(b), slice_str(text)));
}

START_TEST(starts_empty_and_owns_nothing) {
    struct buf b = buf_make(100);

    ck_assert_ptr_null(b.data);
    ck_assert_uint_eq(b.cap, 0);
    ck_assert(buf_append(&b, NULL, 0));
    ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(keeps_its_bytes_while_it_grows) {
    struct buf b = buf_make(SIZE_MAX);

    for (unsigned i = 0; i < 100000; i++) {
        char byte = (char)(i % 251);

        ck_assert(buf_append(&b, &byte, 1));
        ck_assert_uint_le(b.len, b.cap);
    }
    for (unsigned i = 0; i < 100000; i++)
        ck_assert_int_eq(b.data[i], (char)(i % 251));
    buf_free(&b);
}
END_TEST

START_TEST(grows_by_half_at_least) {
    struct buf b = buf_make(SIZE_MAX);
    size_t before;

    ck_assert(buf_reserve(&b, 1000));
    b.len = before = b.cap;
    ck_assert(buf_reserve(&b, 1));
    ck_assert_uint_ge(b.cap, before + before / 2);
    buf_free(&b);
}
END_TEST

START_TEST(trims_to_what_it_holds) {
    struct buf b = buf_make(SIZE_MAX);

    ck_assert(buf_reserve(&b, 100000));
    ck_assert(buf_append(&b, "abc", 3));
    buf_trim(&b);
    check_holds(&b, "abc");
    ck_assert_uint_eq(b.cap, 3);
    buf_consume(&b, 3);
    buf_trim(&b);
    ck_assert_ptr_null(b.data);
    ck_assert_uint_eq(b.cap, 0);
}
END_TEST

START_TEST(holds_exactly_its_ceiling) {
    struct buf b = buf_make(10);

    ck_assert(buf_append(&b, "0123456789", 10));
    ck_assert(!buf_append(&b, "x", 1));
    check_holds(&b, "0123456789");
    ck_assert_uint_le(b.cap, 10);
    ck_assert(buf_append(&b, "", 0));
    buf_free(&b);
}
END_TEST

START_TEST(a_refused_append_changes_nothing) {
    struct buf b = buf_make(10), before;

    ck_assert(buf_append(&b, "0123456", 7));
    before = b;
    ck_assert(!buf_append(&b, "wxyz", 4));
    ck_assert(!buf_reserve(&b, SIZE_MAX)); /* no wrap-around */
    ck_assert(!buf_printf(&b, "%s", "wxyz"));
    ck_assert_mem_eq(&b, &before, sizeof(b));
    check_holds(&b, "0123456");
    buf_free(&b);
}
END_TEST

START_TEST(survives_being_out_of_memory) {
    struct buf b = buf_make(SIZE_MAX);

    ck_assert(buf_append(&b, "here", 4));
    ck_assert(!buf_reserve(&b, SIZE_MAX / 2));
    check_holds(&b, "here");
    ck_assert(buf_append(&b, " still", 6));
    check_holds(&b, "here still");
    buf_free(&b);
}
END_TEST

START_TEST(prints) {
    struct buf b = buf_make(SIZE_MAX);

    ck_assert(buf_printf(&b, "%d, %s", -7, "seven"));
    ck_assert(buf_printf(&b, "%200s", "."));
    ck_assert_uint_eq(b.len, 209);
    ck_assert_mem_eq(b.data, "-7, seven   ", 12);
    buf_free(&b);
}
END_TEST

START_TEST(prints_up_to_a_byte_below_its_ceiling) {
    struct buf b = buf_make(8);

    ck_assert(!buf_printf(&b, "%s", "12345678"));
    ck_assert_uint_eq(b.len, 0);
    ck_assert(buf_printf(&b, "%s", "1234567"));
    check_holds(&b, "1234567");
    buf_free(&b);
}
END_TEST

START_TEST(consumes_from_the_front) {
    struct buf b = buf_make(100);

    ck_assert(buf_append_slice(&b, SLICE_LIT("abcdef")));
    buf_consume(&b, 0);
    check_holds(&b, "abcdef");
    buf_consume(&b, 2);
    check_holds(&b, "cdef");
    buf_consume(&b, 4);
    check_holds(&b, "");
    ck_assert(buf_append(&b, "new", 3));
    check_holds(&b, "new");
    buf_free(&b);
}
END_TEST

START_TEST(is_usable_after_free) {
    struct buf b = buf_make(4);

    ck_assert(buf_append(&b, "1234", 4));
    buf_free(&b);
    buf_free(&b);
    ck_assert_ptr_null(b.data);
    ck_assert(buf_append(&b, "5678", 4));
    ck_assert(!buf_append(&b, "9", 1)); /* the ceiling stayed */
    buf_free(&b);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("buf");
    TCase *tc = tcase_create("buf");

    tcase_add_test(tc, starts_empty_and_owns_nothing);
    tcase_add_test(tc, keeps_its_bytes_while_it_grows);
    tcase_add_test(tc, grows_by_half_at_least);
    tcase_add_test(tc, trims_to_what_it_holds);
    tcase_add_test(tc, holds_exactly_its_ceiling);
    tcase_add_test(tc, a_refused_append_changes_nothing);
    tcase_add_test(tc, survives_being_out_of_memory);
    tcase_add_test(tc, prints);
    tcase_add_test(tc, prints_up_to_a_byte_below_its_ceiling);
    tcase_add_test(tc, consumes_from_the_front);
    tcase_add_test(tc, is_usable_after_free);
    suite_add_tcase(suite, tc);
    return suite;
}
