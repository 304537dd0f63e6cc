/* failing_mem.h - an allocator in the place of mem.h's that refuses on demand, for tests of structures: a line in the .am
 * names failing_mem.c beside the test's own source. */
#ifndef TESTS_FAILING_MEM_H
#define TESTS_FAILING_MEM_H

#include <flashkv/mem.h>

/* From now on `n` allocations succeed and all after them fail; SIZE_MAX: none fails. */
void mem_fail_after(size_t n);

#endif
