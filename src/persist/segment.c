/* segment.c - creating and writing the files of the log. */
#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <flashkv/clock.h>
#include <sys/stat.h>
#include <unistd.h>

/* Does a file of this name exist with more than a header in it? */
static bool holds_frames(const struct files *f, const char *name, bool *there) {
    struct stat st;

    *there = fstatat(f->dir, name, &st, 0) == 0;
    return *there && st.st_size > RECORD_HEADER;
}

/* Creates a file with a header, durably, including its name. It replaces one without frames atomically. -1: errno. */
static int create(const struct files *f, const char *name, uint64_t position, bool renewed) {
    struct record_header h = {
        .secret_id = f->secret_id, .position = position, .created_ms = clock_wall_ms(), .renewed = renewed};
    char header[RECORD_HEADER];
    int fd, error;
    bool there;

    if (holds_frames(f, name, &there)) {
        errno = EEXIST;
        return -1;
    }
    record_put_header(header, RECORD_LOG, &h);
    fd = files_replace(f, name, slice_of(header, sizeof(header)));
    if (fd < 0 || files_sync(f))
        return fd;
    error = errno;
    close(fd);
    if (!there)
        unlinkat(f->dir, name, 0);
    errno = error;
    return -1;
}

bool segment_begin(struct segment_file *s, const struct files *f, uint64_t position, bool renewed,
                   bool direct) {
    char name[FILES_NAME];
    int fd;

    files_name(name, RECORD_LOG, position);
    fd = create(f, name, position, renewed);
    if (fd < 0)
        return false;
    segment_close(s);
    *s = (struct segment_file){position, fd, -1};
    if (!renewed)
        files_note_newest(
            f, position); /* if that fails, only a missing segment goes undetected at the next start */
    if (direct)
        s->direct = openat(f->dir, name, O_WRONLY | O_DIRECT | O_CLOEXEC);
    return true;
}

void segment_close(struct segment_file *s) {
    if (s->direct >= 0)
        close(s->direct);
    if (s->fd >= 0)
        close(s->fd);
    *s = segment_none();
}

bool segment_is_deleted(const struct segment_file *s) {
    struct stat st;

    return fstat(s->fd, &st) == 0 && st.st_nlink == 0;
}

/* Writes whole blocks with O_DIRECT. Returns the number of bytes written; if that is less than all, the caller writes the rest
 * through the page cache, where a full disk is reported again. EINVAL: the file does not support this block size, so O_DIRECT is
 * given up for it. */
static size_t write_direct(struct segment_file *s, struct slice blocks, uint64_t offset) {
    ssize_t n;

    do
        n = pwrite(s->direct, blocks.ptr, blocks.len, (off_t)offset);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EINVAL) {
        close(s->direct);
        s->direct = -1;
    }
    return n > 0 ? (size_t)n : 0;
}

bool segment_write(struct segment_file *s, struct slice bytes, uint64_t position) {
    uint64_t offset = RECORD_HEADER + position - s->position;
    size_t place = offset % SEGMENT_BLOCK, head = (SEGMENT_BLOCK - place) % SEGMENT_BLOCK, done;

    if (s->direct < 0 || bytes.len < head + SEGMENT_DIRECT || (uintptr_t)bytes.ptr % SEGMENT_BLOCK != place)
        return files_write(s->fd, bytes, offset);
    if (!files_write(s->fd, slice_of(bytes.ptr, head), offset))
        return false;
    done = (bytes.len - head) / SEGMENT_BLOCK * SEGMENT_BLOCK;
    done = head + write_direct(s, slice_of(bytes.ptr + head, done), offset + head);
    return files_write(s->fd, slice_of(bytes.ptr + done, bytes.len - done), offset + done);
}
