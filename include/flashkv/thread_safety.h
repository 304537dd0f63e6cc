/* thread_safety.h - clang's thread-safety attributes under short names; nothing under other compilers.
 *
 * C's answer to "a data race does not compile": a field names the lock that guards it, a function names
 * the lock it needs, and `clang -Wthread-safety -Werror` refuses the rest.
 *
 * In C, clang (before 20) cannot name a sibling field: GUARDED_BY(lock) inside a struct does not compile. So a
 * kind of lock has a role, an `extern` lock that is declared and never defined; fields name the role, and the
 * functions that take and release the real lock acquire and release it. The analysis then proves that a lock of
 * that kind is held; debug builds check at run time that it is the right one (rwlock_assert_held).
 * Source: https://clang.llvm.org/docs/ThreadSafetyAnalysis.html. Layer: base. */
#ifndef FLASHKV_THREAD_SAFETY_H
#define FLASHKV_THREAD_SAFETY_H

#if defined(__clang__)
#define FK_TSA(x) __attribute__((x))
#else
#define FK_TSA(x)
#endif

#define CAPABILITY(name) FK_TSA(capability(name))
#define GUARDED_BY(lock) FK_TSA(guarded_by(lock))
#define REQUIRES(...) FK_TSA(requires_capability(__VA_ARGS__))
#define REQUIRES_SHARED(...) FK_TSA(requires_shared_capability(__VA_ARGS__))
#define ACQUIRE(...) FK_TSA(acquire_capability(__VA_ARGS__))
#define ACQUIRE_SHARED(...) FK_TSA(acquire_shared_capability(__VA_ARGS__))
#define RELEASE(...) FK_TSA(release_capability(__VA_ARGS__))
#define RELEASE_SHARED(...) FK_TSA(release_shared_capability(__VA_ARGS__))
#define ASSERT_HELD(...) FK_TSA(assert_capability(__VA_ARGS__))
#define ASSERT_HELD_SHARED(...) FK_TSA(assert_shared_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS FK_TSA(no_thread_safety_analysis)

#endif
