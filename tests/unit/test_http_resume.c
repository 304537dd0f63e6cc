/* The queue of connections that wait to be resumed. */
#include <pthread.h>

#include "http/resume.h"
#include "unit.h"

START_TEST(order) {
    struct resumption r[6] = {[1].kind = RESUME_STREAM, [2].kind = RESUME_STREAM, [5].kind = RESUME_STREAM};
    struct resume_queue q;

    resume_init(&q);
    ck_assert(!resume_waits(&q));
    ck_assert_ptr_null(resume_next(&q, RESUME_REQUEST));
    for (int i = 0; i < 4; i++)
        resume_add(&q, &r[i]);
    ck_assert(resume_waits(&q));
    ck_assert_ptr_eq(resume_next(&q, RESUME_REQUEST), &r[0]);
    ck_assert_ptr_eq(resume_next(&q, RESUME_STREAM), &r[1]);
    for (int i = 4; i < 6; i++)
        resume_add(&q, &r[i]);
    resume_add(&q, &r[0]); /* again, behind those that wait */
    ck_assert_ptr_eq(resume_next(&q, RESUME_STREAM), &r[2]);
    ck_assert_ptr_eq(resume_next(&q, RESUME_STREAM), &r[5]);
    ck_assert_ptr_null(resume_next(&q, RESUME_STREAM));
    ck_assert(resume_waits(&q));
    ck_assert_ptr_eq(resume_next(&q, RESUME_REQUEST), &r[3]);
    ck_assert_ptr_eq(resume_next(&q, RESUME_REQUEST), &r[4]);
    ck_assert_ptr_eq(resume_next(&q, RESUME_REQUEST), &r[0]);
    ck_assert(!resume_waits(&q));
}
END_TEST

/* ---- from several threads ----------------------------------------------------------------------------------------- */

enum { ADDERS = 3, EACH = 20000 };

struct numbered {
    struct resumption resumption; /* first */
    int number;
};

struct adder {
    struct resume_queue *q;
    struct numbered all[EACH];
};

static void *add_all(void *adder) {
    struct adder *a = adder;

    for (int i = 0; i < EACH; i++) {
        a->all[i] = (struct numbered){{.kind = i % 2 == 0 ? RESUME_REQUEST : RESUME_STREAM}, i};
        resume_add(a->q, &a->all[i].resumption);
    }
    return NULL;
}

/* Whose it is. */
static int adder_of(const struct adder *adders, const struct numbered *n) {
    int i = 0;

    while (n < adders[i].all || n >= adders[i].all + EACH)
        i++;
    return i;
}

/* All come out, once each, and of each kind those of a thread in their order. */
START_TEST(from_any_thread) {
    static struct adder adders[ADDERS];
    int next[ADDERS][RESUME_KINDS] = {{0}};
    pthread_t threads[ADDERS];
    struct resume_queue q;

    resume_init(&q);
    for (int i = 0; i < ADDERS; i++) {
        adders[i].q = &q;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, add_all, &adders[i]), 0);
    }
    for (int taken = 0; taken < ADDERS * EACH;)
        for (enum resume_kind kind = 0; kind < RESUME_KINDS; kind++) {
            struct numbered *n = (struct numbered *)resume_next(&q, kind);

            if (n == NULL)
                continue;
            ck_assert_int_eq(n->resumption.kind, kind);
            ck_assert_int_eq(n->number, 2 * next[adder_of(adders, n)][kind]++ + (int)kind);
            taken++;
        }
    for (int i = 0; i < ADDERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert(!resume_waits(&q));
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("http_resume");
    TCase *t = tcase_create("queue");

    suite_add_tcase(s, t);
    tcase_add_test(t, order);
    tcase_add_test(t, from_any_thread);
    return s;
}
