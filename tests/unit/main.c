/* The main() of every unit test: runs the one suite and reports each case in TAP, which automake counts. */
#include <stdlib.h>

#include "unit.h"

int main(void) {
    SRunner *runner = srunner_create(test_suite());
    int failed;

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
