/* access_log.c - two buffers: workers fill one while the log's thread writes the other. */
#include "access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <flashkv/clock.h>
#include <flashkv/lock.h>
#include <flashkv/mem.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POLL_MS = 100, CLOSE_NS = 1000000000 };

/* The role of access_log.mutex (flashkv/thread_safety.h). */
extern struct mutex access_log_role;

struct access_log {
    const char *path; /* the options', borrowed */
    enum log_format format;
    struct mutex mutex;
    struct buf filling GUARDED_BY(access_log_role);
    uint64_t lines GUARDED_BY(access_log_role); /* in `filling` */
    _Atomic uint64_t dropped;
    _Atomic bool reopen, stopping;
    int waker; /* an eventfd: there is work */
    pthread_t thread;

    /* the thread's own */
    int fd;
    bool is_file;
    struct buf writing;
    uint64_t reported; /* how much of `dropped` is in the server's log */
    bool failing;      /* the last write failed */
    int64_t stop_ns;   /* when to give up; 0: not stopping */
};

static void log_lock(struct access_log *l) ACQUIRE(access_log_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&l->mutex);
}

static void log_unlock(struct access_log *l) RELEASE(access_log_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&l->mutex);
}

static void wake(struct access_log *l) {
    uint64_t one = 1;

    if (write(l->waker, &one, sizeof(one)) != (ssize_t)sizeof(one))
        log_error("access log: cannot wake its thread: %s", strerror(errno));
}

/* ---- workers ---------------------------------------------------------------------------------------------------- */

void access_log_add(struct access_log *l, const struct access_line *line) {
    char room[ACCESS_LINE_MAX];
    struct buf text = {room, 0, sizeof(room), sizeof(room)};
    bool first, kept;

    access_line(line, l->format, &text);
    log_lock(l);
    first = l->filling.len == 0;
    kept = buf_append_slice(&l->filling, buf_slice(&text));
    l->lines += kept;
    log_unlock(l);
    if (!kept)
        atomic_fetch_add_explicit(&l->dropped, 1, memory_order_relaxed);
    else if (first)
        wake(l);
}

uint64_t access_log_dropped(const struct access_log *l) {
    return atomic_load_explicit(&l->dropped, memory_order_relaxed);
}

void access_log_reopen(struct access_log *l) {
    atomic_store(&l->reopen, true);
    wake(l);
}

/* ---- the thread --------------------------------------------------------------------------------------------------- */

static bool out_of_time(struct access_log *l) {
    if (!atomic_load(&l->stopping))
        return false;
    if (l->stop_ns == 0)
        l->stop_ns = clock_mono_ns() + CLOSE_NS;
    return clock_mono_ns() >= l->stop_ns;
}

/* A pipe that is writable accepts PIPE_BUF bytes without blocking, but perhaps no more: poll before each such write. */
static ssize_t write_some(struct access_log *l, const char *bytes, size_t len) {
    struct pollfd p = {l->fd, POLLOUT, 0};

    if (l->is_file)
        return write(l->fd, bytes, len);
    if (poll(&p, 1, POLL_MS) <= 0)
        return 0;
    return write(l->fd, bytes, len < PIPE_BUF ? len : PIPE_BUF);
}

/* False: not everything was written; errno, or 0 if the time was up. */
static bool write_all(struct access_log *l) {
    size_t done = 0;

    while (done < l->writing.len) {
        ssize_t n = write_some(l, l->writing.data + done, l->writing.len - done);

        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        done += n > 0 ? (size_t)n : 0;
        errno = 0;
        if (n <= 0 && out_of_time(l))
            return false;
    }
    return true;
}

static void write_out(struct access_log *l, uint64_t lines) {
    bool ok = write_all(l);

    if (!ok) {
        atomic_fetch_add_explicit(&l->dropped, lines, memory_order_relaxed);
        if (!l->failing)
            log_error("access log %s: %s", l->path, errno != 0 ? strerror(errno) : "it is not read");
    }
    l->failing = !ok;
    l->writing.len = 0;
}

/* One report for all lines that were dropped while the thread was writing. */
static void report_dropped(struct access_log *l) {
    uint64_t dropped = access_log_dropped(l);

    if (dropped != l->reported && !l->failing)
        log_warn("access log %s: %llu lines were dropped", l->path,
                 (unsigned long long)(dropped - l->reported));
    l->reported = dropped;
}

/* -1: errno says why. */
static int open_path(const char *path) {
    if (strcmp(path, "-") == 0)
        return STDOUT_FILENO;
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
}

static void use(struct access_log *l, int fd) {
    struct stat st;

    if (l->fd > STDOUT_FILENO)
        close(l->fd);
    l->fd = fd;
    l->is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static void open_again(struct access_log *l) {
    int fd = open_path(l->path);

    if (fd < 0)
        log_error("access log %s: %s; the old file goes on", l->path, strerror(errno));
    else
        use(l, fd);
}

/* Swaps the buffers. What was buffered goes to the file that is open now, before it is reopened. False: there was nothing. */
static bool take(struct access_log *l, uint64_t *lines) {
    struct buf empty = l->writing;

    log_lock(l);
    l->writing = l->filling;
    l->filling = empty;
    *lines = l->lines;
    l->lines = 0;
    log_unlock(l);
    return l->writing.len > 0;
}

static void *run(void *log) {
    struct access_log *l = log;
    bool stopping = false;

    while (!stopping) {
        uint64_t lines, times;

        if (read(l->waker, &times, sizeof(times)) < 0 && errno != EINTR)
            log_error("access log: its eventfd: %s", strerror(errno));
        stopping = atomic_load(&l->stopping);
        while (take(l, &lines))
            write_out(l, lines);
        report_dropped(l);
        if (atomic_exchange(&l->reopen, false))
            open_again(l);
    }
    return NULL;
}

/* ---- opening and closing ------------------------------------------------------------------------------------------ */

static struct access_log *log_new(const char *path, enum log_format format,
                                  int fd) NO_THREAD_SAFETY_ANALYSIS {
    struct access_log *l = mem_zalloc(sizeof(*l));

    if (l == NULL)
        return NULL;
    l->path = path;
    l->format = format;
    l->filling = buf_make(ACCESS_LOG_ROOM);
    l->writing = buf_make(ACCESS_LOG_ROOM);
    l->waker = eventfd(0, EFD_CLOEXEC);
    mutex_init(&l->mutex, LOCK_RANK_LEAF);
    use(l, fd);
    return l;
}

static void log_free(struct access_log *l) NO_THREAD_SAFETY_ANALYSIS {
    if (l->fd > STDOUT_FILENO)
        close(l->fd);
    if (l->waker >= 0)
        close(l->waker);
    mutex_destroy(&l->mutex);
    buf_free(&l->filling);
    buf_free(&l->writing);
    mem_free(l);
}

struct access_log *access_log_open(const char *path, enum log_format format, char *why, size_t cap) {
    int fd = open_path(path);
    struct access_log *l;

    if (fd < 0) {
        snprintf(why, cap, "access-log %s: %s", path, strerror(errno));
        return NULL;
    }
    l = log_new(path, format, fd);
    if (l != NULL && l->waker >= 0 && pthread_create(&l->thread, NULL, run, l) == 0) {
        pthread_setname_np(l->thread, "access-log");
        return l;
    }
    snprintf(why, cap, "access-log: no memory, or no thread");
    if (l != NULL)
        log_free(l);
    else if (fd > STDOUT_FILENO)
        close(fd);
    return NULL;
}

void access_log_close(struct access_log *l) {
    if (l == NULL)
        return;
    atomic_store(&l->stopping, true);
    wake(l);
    pthread_join(l->thread, NULL);
    log_free(l);
}
