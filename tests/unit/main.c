/* The main() of every unit test: runs the one suite and reports each case in TAP, which automake counts. */
#include <stdlib.h>

#include "unit.h"

/* Asked for more than there is, the sanitizers' allocators shall answer NULL, as every other does. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void) {
    return "allocator_may_return_null=1";
}

/* A test that hangs shall fail some time; one that runs on a busy machine, or under valgrind, shall not. */
static const char *const seconds_for_a_test = "120";

int main(void) {
    SRunner *runner;
    int failed;

    setenv("CK_DEFAULT_TIMEOUT", seconds_for_a_test, 0);
    runner = srunner_create(test_suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
