/* failing_mem.h - mem.h over an allocator that refuses on demand: a line in the .am names failing_mem.c beside the test's own
 * source. One thread. */
#ifndef TESTS_FAILING_MEM_H
#define TESTS_FAILING_MEM_H

#include <flashkv/mem.h>

/* From now on `n` allocations succeed and all after them fail; SIZE_MAX: none fails. */
void mem_fail_after(size_t n);
/* The same, but one alone fails. */
void mem_fail_once(size_t n);
/* How many have failed since then. */
size_t mem_failures(void);

#endif
