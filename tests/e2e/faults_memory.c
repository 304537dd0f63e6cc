/* faults_memory.c - an allocator that fails: preloaded (LD_PRELOAD) beside faults.c into a server under test. The server's own
 * allocator, whichever it is, is asked for all that does not fail.
 *
 * FK_MEMORY names a file of four 32-bit numbers that the test maps too: the calls so far, the first to fail (from 1; 0:
 * none), how many fail, and how many did. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct { _Atomic int32_t calls, first, count, failed; } * memory;

__attribute__((constructor)) static void map_memory(void) {
    const char *path = getenv("FK_MEMORY");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (at != MAP_FAILED)
        memory = at;
    if (fd >= 0)
        close(fd);
}

static bool fails(void) {
    int32_t n, first;

    if (memory == NULL)
        return false;
    n = atomic_fetch_add(&memory->calls, 1) + 1;
    first = memory->first;
    if (first == 0 || n < first || n >= first + memory->count)
        return false;
    atomic_fetch_add(&memory->failed, 1);
    errno = ENOMEM;
    return true;
}

/* dlsym allocates by itself, before it has told who does: from here, and never given back. */
static _Alignas(max_align_t) char early[64 * 1024];
static _Atomic size_t early_used;
static _Thread_local bool asking;

static void *take_early(size_t size) {
    size_t at = atomic_fetch_add(&early_used, (size + 31) & ~(size_t)15);

    return at + size <= sizeof(early) ? early + at : NULL;
}

static bool is_early(const void *ptr) {
    return (const char *)ptr >= early && (const char *)ptr < early + sizeof(early);
}

static void *next(_Atomic(void *) *known, const char *name) {
    if (*known == NULL && !asking) {
        asking = true;
        *known = dlsym(RTLD_NEXT, name);
        asking = false;
    }
    return *known;
}

#define NEXT(name, known) ((__typeof__(&name))(uintptr_t)next(&known, #name))

void *malloc(size_t size) {
    static _Atomic(void *) known;
    __typeof__(&malloc) real = NEXT(malloc, known);

    return real == NULL ? take_early(size) : fails() ? NULL : real(size);
}

void *calloc(size_t n, size_t size) {
    static _Atomic(void *) known;
    __typeof__(&calloc) real = NEXT(calloc, known);

    return real == NULL ? take_early(n * size) : fails() ? NULL : real(n, size);
}

void free(void *ptr) {
    static _Atomic(void *) known;

    if (ptr != NULL && !is_early(ptr))
        NEXT(free, known)(ptr);
}

void *realloc(void *ptr, size_t size) {
    static _Atomic(void *) known;

    if (is_early(ptr)) {
        size_t most = (size_t)(early + sizeof(early) - (char *)ptr);
        void *moved = malloc(size);

        return moved != NULL ? memcpy(moved, ptr, size < most ? size : most) : NULL;
    }
    return fails() ? NULL : NEXT(realloc, known)(ptr, size);
}

int posix_memalign(void **ptr, size_t align, size_t size) {
    static _Atomic(void *) known;

    return fails() ? ENOMEM : NEXT(posix_memalign, known)(ptr, align, size);
}
