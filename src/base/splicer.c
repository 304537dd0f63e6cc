/* splicer.c - vmsplice into a pipe, splice out of it. */
#include <errno.h>
#include <fcntl.h>
#include <flashkv/splicer.h>
#include <stdint.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PIPE_BYTES = 1024 * 1024 }; /* the maximum for an unprivileged user; the kernel's default is 64 KiB */

bool splicer_init(struct splicer *s) {
    *s = (struct splicer){{-1, -1}, open("/dev/null", O_WRONLY | O_CLOEXEC)};
    if (s->null >= 0 && pipe2(s->pipe, O_NONBLOCK | O_CLOEXEC) == 0) {
        fcntl(s->pipe[1], F_SETPIPE_SZ, PIPE_BYTES); /* if that fails, it only takes more calls */
        return true;
    }
    splicer_destroy(s);
    return false;
}

void splicer_destroy(struct splicer *s) {
    const int fds[] = {s->pipe[0], s->pipe[1], s->null};

    for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* Discards `len` bytes from the pipe. False: some are left, and the pipe is unusable. */
static bool drain(struct splicer *s, size_t len) {
    while (len > 0) {
        ssize_t n = splice(s->pipe[0], NULL, s->null, NULL, len, 0);

        if (n <= 0 && errno != EINTR)
            return false;
        len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

ssize_t splicer_send(struct splicer *s, int fd, const char *bytes, size_t len, bool more) {
    struct iovec whole = {(void *)(uintptr_t)bytes, len};
    ssize_t put = vmsplice(s->pipe[1], &whole, 1, SPLICE_F_NONBLOCK), taken;
    int error;

    if (put <= 0)
        return -1;
    if ((size_t)put < len)
        more = true;
    taken = splice(s->pipe[0], NULL, fd, NULL, (size_t)put, SPLICE_F_NONBLOCK | (more ? SPLICE_F_MORE : 0));
    error = errno;
    if (taken < put && !drain(s, (size_t)(put - (taken > 0 ? taken : 0)))) {
        errno = EIO;
        return -1;
    }
    errno = error;
    return taken;
}
