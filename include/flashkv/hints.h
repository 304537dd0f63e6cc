/* hints.h - hints for the compiler: which functions every command runs, and which hardly any.
 *
 * A command that arrives alone runs from caches that the kernel has just filled with its own code, so each cache line of code
 * that it touches is a miss (bench/lines.py counts them). COLD moves a function, and every branch that leads to it, away from
 * the hot code; HOT places hot functions next to each other. Layer: base. */
#ifndef FLASHKV_HINTS_H
#define FLASHKV_HINTS_H

#define COLD __attribute__((cold, noinline))
#define HOT __attribute__((hot))
/* A second path, not rare, that must not be inlined into the fast path. */
#define NOINLINE __attribute__((noinline))
/* For branches that lead to no cold function. */
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* Bytes of a line of the processor's cache. */
enum { CACHE_LINE = 64 };

#endif
