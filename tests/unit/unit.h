/* What a unit test program defines; tests/unit/main.c runs it. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <check.h>

Suite *test_suite(void);

#endif
