/* hints.h - what the compiler cannot know: which functions every command runs, and which hardly any.
 *
 * A command that comes alone runs from caches that the kernel has just filled with its own code, so each line of code that it
 * touches is waited for (bench/lines.py counts them). COLD puts a function, and every branch that leads to it, out of the way
 * of the others; HOT puts those that follow each other in one place. Layer: base. */
#ifndef FLASHKV_HINTS_H
#define FLASHKV_HINTS_H

#define COLD __attribute__((cold, noinline))
#define HOT __attribute__((hot))
/* Not rare, but another way: not to be copied into the one that most commands go. */
#define NOINLINE __attribute__((noinline))
/* For branches that lead to no cold function. */
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* Bytes of what memory is fetched in. */
enum { CACHE_LINE = 64 };

#endif
