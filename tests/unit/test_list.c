/* Lists against a plain array, and their memory. */
#include <flashkv/list.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "unit.h"

enum { MODEL_MAX = 4000, BIG = 100000 };

/* An element is its number written out, padded to a length that depends on the number. */
static struct list *list;
static unsigned model[MODEL_MAX];
static size_t model_len;
static char room[BIG + 32];

static struct slice element(unsigned n) {
    size_t len = n % 97 == 0 ? BIG / 100 * (n % 7 + 1) : n % 40;
    size_t digits = (size_t)snprintf(room, sizeof(room), "%u.", n);

    if (n % 1009 == 0)
        len = BIG;
    memset(room + digits, 'x', len);
    return slice_of(room, digits + len);
}

static void model_insert(size_t at, unsigned n) {
    memmove(model + at + 1, model + at, (model_len - at) * sizeof(*model));
    model[at] = n;
    model_len++;
}

static void model_erase(size_t at, size_t n) {
    memmove(model + at, model + at + n, (model_len - at - n) * sizeof(*model));
    model_len -= n;
}

static void check_same(void) {
    struct list_iter up = list_iter_at(list, 0, LIST_HEAD), down;
    struct slice got;

    ck_assert_uint_eq(list_len(list), model_len);
    for (size_t i = 0; i < model_len; i++) {
        ck_assert(list_iter_next(&up, &got));
        ck_assert_msg(slice_eq(got, element(model[i])), "element %zu", i);
    }
    ck_assert(!list_iter_next(&up, &got));
    down = list_iter_at(list, model_len > 0 ? model_len - 1 : 0, LIST_TAIL);
    for (size_t i = model_len; i-- > 0;) {
        ck_assert(list_iter_next(&down, &got));
        ck_assert(slice_eq(got, element(model[i])));
    }
    ck_assert(!list_iter_next(&down, &got));
}

static void setup(void) {
    list = list_new();
    model_len = 0;
}

static void teardown(void) {
    list_free(list);
}

START_TEST(test_ends) {
    struct slice got;

    ck_assert(!list_peek(list, LIST_HEAD, &got));
    list_drop(list, LIST_TAIL, 5);
    for (unsigned n = 0; n < 1000; n++) {
        ck_assert(list_push(list, n % 2 ? LIST_HEAD : LIST_TAIL, element(n)));
        model_insert(n % 2 ? 0 : model_len, n);
    }
    check_same();
    while (model_len > 0) {
        enum list_end end = model_len % 3 ? LIST_HEAD : LIST_TAIL;
        size_t at = end == LIST_HEAD ? 0 : model_len - 1;

        ck_assert(list_peek(list, end, &got) && slice_eq(got, element(model[at])));
        list_drop(list, end, 1);
        model_erase(at, 1);
    }
    check_same();
}
END_TEST

static void random_step(void) {
    size_t at = model_len > 0 ? (size_t)rand() % model_len : 0, n;
    unsigned number = (unsigned)rand() % 100000;

    switch (rand() % 8) {
    case 0:
    case 1:
    case 2:
        if (model_len < MODEL_MAX) {
            ck_assert(list_insert(list, at, element(number)));
            model_insert(at, number);
        }
        break;
    case 3:
        if (model_len < MODEL_MAX) {
            ck_assert(list_push(list, LIST_TAIL, element(number)));
            model_insert(model_len, number);
        }
        break;
    case 4:
        if (model_len > 0) {
            ck_assert(list_set(list, at, element(number)));
            model[at] = number;
        }
        break;
    case 5:
        if (model_len > 0)
            ck_assert(slice_eq(list_at(list, at), element(model[at])));
        break;
    default:
        n = model_len > 0 ? (size_t)rand() % 4 : 0;
        n = n < model_len - at ? n : model_len - at;
        if (rand() % 200 == 0)
            n = model_len - at;
        list_erase(list, at, n);
        model_erase(at, n);
    }
}

START_TEST(test_random) {
    unsigned seed = (unsigned)time(NULL);

    printf("# seed %u\n", seed);
    srand(seed);
    for (int step = 0; step < 20000; step++) {
        random_step();
        if (step % 200 == 0)
            check_same();
    }
    check_same();
}
END_TEST

/* Erases every element whose number `drop` selects, during a walk. */
static void erase_walk(enum list_end from, unsigned modulus) {
    struct list_iter it;
    struct slice got;

    for (unsigned n = 0; n < 2000; n++) {
        ck_assert(list_push(list, LIST_TAIL, element(n)));
        model_insert(model_len, n);
    }
    it = list_iter_at(list, from == LIST_HEAD ? 0 : model_len - 1, from);
    for (size_t seen = 0; list_iter_next(&it, &got); seen++) {
        unsigned n = (unsigned)strtoul(got.ptr, NULL, 10);

        ck_assert_uint_eq(n, from == LIST_HEAD ? seen : 1999 - seen);
        if (n % modulus != 0)
            continue;
        list_iter_erase(list, &it);
        for (size_t i = 0; i < model_len; i++)
            if (model[i] == n)
                model_erase(i, 1);
    }
    check_same();
}

START_TEST(test_erase_while_walking) {
    static const unsigned modulus[] = {1, 2, 3, 500};

    erase_walk(_i % 2 ? LIST_HEAD : LIST_TAIL, modulus[_i / 2]);
}
END_TEST

START_TEST(test_set_in_itself) {
    for (unsigned n = 0; n < 300; n++)
        ck_assert(list_push(list, LIST_TAIL, element(7)));
    ck_assert(list_set(list, 150, list_at(list, 151)));
    ck_assert(slice_eq(list_at(list, 150), element(7)));
}
END_TEST

START_TEST(test_memory) {
    size_t empty = list_bytes(list);

    for (unsigned n = 0; n < 1000; n++)
        ck_assert(list_push(list, LIST_TAIL, SLICE_LIT("0123456789abcdef")));
    /* 18 bytes an element in full chunks, and little beside: redis-server 7.0 takes 20 520 for this list. */
    ck_assert_uint_ge(list_bytes(list), 18000);
    ck_assert_uint_lt(list_bytes(list), 20520);
    list_drop(list, LIST_HEAD, 1000);
    ck_assert_uint_lt(list_bytes(list), empty + 128);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("list");
    TCase *tc = tcase_create("list");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_ends);
    tcase_add_test(tc, test_random);
    tcase_add_loop_test(tc, test_erase_while_walking, 0, 8);
    tcase_add_test(tc, test_set_in_itself);
    tcase_add_test(tc, test_memory);
    suite_add_tcase(suite, tc);
    return suite;
}
