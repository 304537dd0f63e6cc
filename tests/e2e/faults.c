/* faults.c - a disk that fails: preloaded (LD_PRELOAD) into a server under test, which is not built for it.
 *
 * FK_FAULTS names a file of rows of six 32-bit numbers, one row for each kind of call, that the test maps too:
 *
 *     calls so far | the first to fail, from 1; 0: none | how many fail; 0: all from then on | errno | bytes that a
 *     failing write writes all the same | ms that every call takes longer */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { WRITE, SYNC, RENAME, CREATE, KINDS };

struct row {
    _Atomic int32_t calls, first, count, error, partial, delay_ms;
};
static struct row *rows;

__attribute__((constructor)) static void map_rows(void) {
    const char *path = getenv("FK_FAULTS");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *at =
        fd >= 0 ? mmap(NULL, KINDS * sizeof(*rows), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (at != MAP_FAILED)
        rows = at;
}

/* The row if this call is to fail, with errno set; else NULL. */
static struct row *failing(enum kind kind) {
    struct row *r = rows != NULL ? &rows[kind] : NULL;
    int32_t n, first;

    if (r == NULL)
        return NULL;
    n = atomic_fetch_add(&r->calls, 1) + 1;
    if (r->delay_ms > 0)
        usleep((unsigned)r->delay_ms * 1000);
    first = r->first;
    if (first == 0 || n < first || (r->count != 0 && n >= first + r->count))
        return NULL;
    errno = r->error;
    return r;
}

#define NEXT(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at) {
    const struct row *r = failing(WRITE);
    int error = errno;

    if (r != NULL && r->partial > 0 && (size_t)r->partial < len)
        return NEXT(pwrite)(fd, bytes, (size_t)r->partial, at);
    errno = error;
    return r != NULL ? -1 : NEXT(pwrite)(fd, bytes, len, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at) {
    return pwrite(fd, bytes, len, at);
}

int fsync(int fd) {
    return failing(SYNC) != NULL ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd) {
    return failing(SYNC) != NULL ? -1 : NEXT(fdatasync)(fd);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    return failing(RENAME) != NULL ? -1 : NEXT(renameat)(from_dir, from, to_dir, to);
}

int openat(int dir, const char *path, int flags, ...) {
    mode_t mode = 0;
    va_list ap;

    va_start(ap, flags);
    if (flags & O_CREAT)
        mode = va_arg(ap, mode_t);
    va_end(ap);
    if ((flags & O_CREAT) && failing(CREATE) != NULL)
        return -1;
    return NEXT(openat)(dir, path, flags, mode);
}
