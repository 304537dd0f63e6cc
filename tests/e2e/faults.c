/* faults.c - a machine that fails: preloaded (LD_PRELOAD) into a server under test, which is not built for it.
 *
 * FK_FAULTS names a file that the test maps too: 32-bit numbers, a row of six for each kind of call,
 *
 *     calls so far | the first to fail, from 1; 0: none | how many fail; 0: all from then on | errno | bytes that a
 *     failing write writes all the same | ms that every call takes longer
 *
 * then 64-bit ones: what is added to the wall clock in ms, then a row of three for each file that was created,
 *
 *     inode | bytes of it that an fsync made last | did its name last (an fsync of the directory)? */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum kind { WRITE, SYNC, RENAME, CREATE, MEMORY, KINDS };
enum { FILES = 512 };

struct row {
    _Atomic int32_t calls, first, count, error, partial, delay_ms;
};
struct file {
    _Atomic int64_t inode, durable, named;
};
struct faults {
    struct row rows[KINDS];
    _Atomic int64_t clock_ms;
    struct file files[FILES];
};
static struct faults *faults;

__attribute__((constructor)) static void map_faults(void) {
    const char *path = getenv("FK_FAULTS");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (at != MAP_FAILED)
        faults = at;
    if (fd >= 0)
        close(fd);
}

/* The row if this call is to fail, with errno set; else NULL. */
static struct row *failing(enum kind kind) {
    struct row *r = faults != NULL ? &faults->rows[kind] : NULL;
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

/* ---- what would be there after the machine lost power ----------------------------------------------------------------- */

/* The row of a file, begun if there is none; NULL: no room. */
static struct file *file_of(int64_t inode) {
    for (int i = 0; faults != NULL && i < FILES; i++) {
        int64_t free_row = 0;

        if (faults->files[i].inode == inode ||
            atomic_compare_exchange_strong(&faults->files[i].inode, &free_row, inode) || free_row == inode)
            return &faults->files[i];
    }
    return NULL;
}

/* A file that was just created, maybe with the inode of one that is gone. */
static void created(int fd) {
    struct stat st;
    struct file *f = fstat(fd, &st) == 0 ? file_of((int64_t)st.st_ino) : NULL;

    if (f != NULL)
        f->durable = f->named = 0;
}

/* The names that are in the directory now. */
static void named(int dir) {
    char path[32];
    struct dirent *e;
    DIR *d;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
    d = opendir(path);
    while (d != NULL && (e = readdir(d)) != NULL) {
        struct file *f = e->d_type == DT_REG ? file_of((int64_t)e->d_ino) : NULL;

        if (f != NULL)
            f->named = 1;
    }
    if (d != NULL)
        closedir(d);
}

static int synced(int fd, int (*sync)(int)) {
    struct stat st = {0};
    bool known = fstat(fd, &st) == 0;
    struct file *f;

    if (failing(SYNC) != NULL || sync(fd) != 0)
        return -1;
    f = known && S_ISREG(st.st_mode) ? file_of((int64_t)st.st_ino) : NULL;
    if (f != NULL)
        f->durable = st.st_size;
    else if (S_ISDIR(st.st_mode))
        named(fd);
    return 0;
}

/* ---- calls ----------------------------------------------------------------------------------------------------------- */

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
    return synced(fd, NEXT(fsync));
}

int fdatasync(int fd) {
    return synced(fd, NEXT(fdatasync));
}

int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    return failing(RENAME) != NULL ? -1 : NEXT(renameat)(from_dir, from, to_dir, to);
}

int openat(int dir, const char *path, int flags, ...) {
    mode_t mode = 0;
    va_list ap;
    int fd;

    va_start(ap, flags);
    if (flags & O_CREAT)
        mode = va_arg(ap, mode_t);
    va_end(ap);
    if ((flags & O_CREAT) && failing(CREATE) != NULL)
        return -1;
    fd = NEXT(openat)(dir, path, flags, mode);
    if (fd >= 0 && (flags & O_EXCL))
        created(fd);
    return fd;
}

/* Wall time; what measures durations asks another clock. */
int clock_gettime(clockid_t clock, struct timespec *ts) {
    static _Atomic(int (*)(clockid_t, struct timespec *)) next;
    int64_t ms = faults != NULL && clock == CLOCK_REALTIME ? faults->clock_ms : 0, ns;

    if (next == NULL)
        next = NEXT(clock_gettime);
    if (next(clock, ts) != 0)
        return -1;
    ns = ts->tv_nsec + ms % 1000 * 1000000;
    ts->tv_sec += ms / 1000 + (ns < 0 ? -1 : ns / 1000000000);
    ts->tv_nsec = ns < 0 ? ns + 1000000000 : ns % 1000000000;
    return 0;
}
