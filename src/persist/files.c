/* files.c - the files of a data directory. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <flashkv/mem.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const kinds[][2] = {
    [RECORD_LOG] = {"log-", ".fkl"}, [RECORD_SNAPSHOT] = {"snapshot-", ".fks"}};

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static bool explain(char *why, size_t cap, const struct files *f, const char *name) {
    snprintf(why, cap, "%s%s%s: %s", f->path, *name != '\0' ? "/" : "", name, strerror(errno));
    return false;
}

/* The kernel releases the lock with the process, however it ends. False: errno; EWOULDBLOCK: another process holds it. */
static bool lock_directory(struct files *f) {
    f->lock = openat(f->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return f->lock >= 0 && flock(f->lock, LOCK_EX | LOCK_NB) == 0;
}

static bool take_lock(struct files *f, char *why, size_t cap) {
    if (lock_directory(f))
        return true;
    if (f->lock < 0)
        return explain(why, cap, f, "lock");
    snprintf(why, cap, "%s: another process uses this data directory", f->path);
    return false;
}

/* Creates a small file atomically and durably, its name included. False: errno. */
static bool put_small(const struct files *f, const char *name, struct slice s) {
    int fd = files_replace(f, name, s);

    return fd >= 0 && close(fd) == 0 && files_sync(f);
}

static bool make_secret(struct files *f) {
    return getrandom(f->secret, FILES_SECRET, 0) == FILES_SECRET &&
           put_small(f, "secret", slice_of(f->secret, FILES_SECRET));
}

static bool load_secret(struct files *f, bool may_make, char *why, size_t cap) {
    int fd = openat(f->dir, "secret", O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0 && errno == ENOENT && may_make) {
        if (!make_secret(f))
            return explain(why, cap, f, "secret");
    } else if (fd < 0) {
        return explain(why, cap, f, "secret");
    } else {
        n = read(fd, f->secret, FILES_SECRET);
        close(fd);
        if (n != FILES_SECRET) {
            snprintf(why, cap, "%s/secret: not the %d bytes that FlashKV wrote", f->path, FILES_SECRET);
            return false;
        }
    }
    f->secret_id = store_digest(slice_of(f->secret, FILES_SECRET));
    return true;
}

bool files_open(struct files *f, const char *path, enum files_use use, char *why, size_t cap) {
    *f = (struct files){.dir = -1, .lock = -1, .path = path};
    if (use == FILES_MAKE && mkdir(path, 0700) != 0 && errno != EEXIST)
        return explain(why, cap, f, "");
    f->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->dir < 0)
        return explain(why, cap, f, "");
    if ((use != FILES_MAKE || take_lock(f, why, cap)) && load_secret(f, use == FILES_MAKE, why, cap) &&
        (use != FILES_CHANGE || take_lock(f, why, cap)))
        return true;
    files_close(f);
    return false;
}

void files_close(struct files *f) {
    if (f->lock >= 0)
        close(f->lock);
    if (f->dir >= 0)
        close(f->dir);
    f->lock = f->dir = -1;
}

/* ---- a directory that was deleted --------------------------------------------------------------------------------- */

/* No log, no snapshot, and no secret but ours, which an attempt before this one left. */
static bool is_free(const struct files *f) {
    unsigned char secret[FILES_SECRET];
    struct positions logs, snapshots;
    int fd = openat(f->dir, "secret", O_RDONLY | O_CLOEXEC);
    bool ok = fd < 0 || (read(fd, secret, FILES_SECRET) == FILES_SECRET &&
                         memcmp(secret, f->secret, FILES_SECRET) == 0);

    if (fd >= 0)
        close(fd);
    ok = files_list(f, RECORD_LOG, &logs) && logs.count == 0 && ok;
    ok = files_list(f, RECORD_SNAPSHOT, &snapshots) && snapshots.count == 0 && ok;
    mem_free(logs.at);
    mem_free(snapshots.at);
    return ok;
}

/* Makes the directory that `path` names fit to take the place of ours. False: errno. */
static bool settle(struct files *f) {
    if (mkdir(f->path, 0700) != 0 && errno != EEXIST)
        return false;
    f->dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->dir < 0 || !lock_directory(f))
        return false;
    if (!is_free(f)) {
        errno = EEXIST;
        return false;
    }
    return put_small(f, "secret", slice_of(f->secret, FILES_SECRET));
}

bool files_remake(const struct files *f) {
    struct files again = *f;
    struct stat st;
    bool ok;
    int error;

    if (fstat(f->dir, &st) != 0 || st.st_nlink > 0)
        return true;
    again.dir = again.lock = -1;
    /* Under the same numbers, so that whoever looks meanwhile finds the one or the other. */
    ok = settle(&again) && dup3(again.lock, f->lock, O_CLOEXEC) >= 0 &&
         dup3(again.dir, f->dir, O_CLOEXEC) >= 0;
    error = errno;
    files_close(&again);
    errno = error;
    return ok;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

void files_name(char out[FILES_NAME], enum record_file file, uint64_t position) {
    snprintf(out, FILES_NAME, "%s%020" PRIu64 "%s", kinds[file][0], position, kinds[file][1]);
}

/* Is it the name of a file of this kind? Sets its position. */
static bool parse_name(const char *name, enum record_file file, uint64_t *position) {
    char again[FILES_NAME];

    if (strncmp(name, kinds[file][0], strlen(kinds[file][0])) != 0)
        return false;
    *position = strtoull(name + strlen(kinds[file][0]), NULL, 10);
    files_name(again, file, *position);
    return strcmp(name, again) == 0;
}

static int by_position(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static bool positions_add(struct positions *p, uint64_t position) {
    uint64_t *more = mem_realloc(p->at, (p->count + 1) * sizeof(*more));

    if (more == NULL)
        return false;
    p->at = more;
    p->at[p->count++] = position;
    return true;
}

bool files_list(const struct files *f, enum record_file file, struct positions *out) {
    int fd = openat(f->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *e;
    uint64_t position;
    bool ok = d != NULL;

    *out = (struct positions){NULL, 0};
    while (ok && (e = readdir(d)) != NULL)
        if (parse_name(e->d_name, file, &position))
            ok = positions_add(out, position);
    if (d != NULL)
        closedir(d);
    if (ok && out->count > 1)
        qsort(out->at, out->count, sizeof(*out->at), by_position);
    return ok;
}

void files_remove_below(const struct files *f, enum record_file file, uint64_t position) {
    struct positions p;
    char name[FILES_NAME];

    if (files_list(f, file, &p))
        for (size_t i = 0; i < p.count && p.at[i] < position; i++) {
            files_name(name, file, p.at[i]);
            unlinkat(f->dir, name, 0);
        }
    mem_free(p.at);
}

/* ---- the newest segment ------------------------------------------------------------------------------------------ */

static const char newest[] = "newest";

bool files_note_newest(const struct files *f, uint64_t position) {
    char name[FILES_NAME], line[FILES_NAME + 1];

    files_name(name, RECORD_LOG, position);
    snprintf(line, sizeof(line), "%s\n", name);
    return put_small(f, newest, slice_str(line));
}

bool files_forget_newest(const struct files *f) {
    return unlinkat(f->dir, newest, 0) == 0 || errno == ENOENT;
}

bool files_newest(const struct files *f, uint64_t *position) {
    int fd = openat(f->dir, newest, O_RDONLY | O_CLOEXEC);
    char name[FILES_NAME] = "";
    ssize_t n;

    if (fd < 0)
        return false;
    n = read(fd, name, sizeof(name) - 1);
    close(fd);
    if (n <= 0 || name[n - 1] != '\n')
        return false;
    name[n - 1] = '\0';
    return parse_name(name, RECORD_LOG, position);
}

/* ---- reading and writing ---------------------------------------------------------------------------------------- */

int files_replace(const struct files *f, const char *name, struct slice s) {
    char aside[FILES_NAME];
    int fd, error;

    snprintf(aside, sizeof(aside), "%s.new", name);
    unlinkat(f->dir, aside, 0); /* left by a crash */
    fd = files_create(f, aside);
    if (fd >= 0 && files_write(fd, s, 0) && fsync(fd) == 0 && renameat(f->dir, aside, f->dir, name) == 0)
        return fd;
    error = errno;
    if (fd >= 0)
        close(fd);
    unlinkat(f->dir, aside, 0);
    errno = error;
    return -1;
}

int files_create(const struct files *f, const char *name) {
    return openat(f->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

bool files_sync(const struct files *f) {
    return fsync(f->dir) == 0;
}

static bool sync_one(const struct files *f, enum record_file file, uint64_t position) {
    char name[FILES_NAME];
    bool ok;
    int fd;

    files_name(name, file, position);
    fd = openat(f->dir, name, O_RDONLY | O_CLOEXEC);
    ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

bool files_sync_all(const struct files *f, enum record_file file) {
    struct positions p;
    bool ok = files_list(f, file, &p);

    for (size_t i = 0; i < p.count && ok; i++)
        ok = sync_one(f, file, p.at[i]);
    mem_free(p.at);
    return ok;
}

bool files_write(int fd, struct slice s, uint64_t offset) {
    while (s.len > 0) {
        ssize_t n = pwrite(fd, s.ptr, s.len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return false;
        }
        s = slice_of(s.ptr + n, s.len - (size_t)n);
        offset += (uint64_t)n;
    }
    return true;
}

bool files_map(const struct files *f, enum record_file file, uint64_t position, struct mapped *out) {
    struct stat st;
    void *at = NULL;
    bool known;
    int fd;

    files_name(out->name, file, position);
    out->bytes = slice_of("", 0);
    fd = openat(f->dir, out->name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    known = fstat(fd, &st) == 0;
    if (known && st.st_size > 0)
        at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (!known || at == MAP_FAILED)
        return false;
    if (at != NULL) {
        out->bytes = slice_of(at, (size_t)st.st_size);
        madvise(at, out->bytes.len, MADV_SEQUENTIAL);
    }
    return true;
}

void files_unmap(struct mapped *m) {
    if (m->bytes.len > 0)
        munmap((void *)(uintptr_t)m->bytes.ptr, m->bytes.len);
    m->bytes.len = 0;
}
