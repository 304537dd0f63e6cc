/* splicer.h - sends memory by reference (vmsplice(2), splice(2)): the kernel takes the pages through a pipe, and copies nothing
 * until the receiver reads.
 *
 * The socket's queue, and on the same machine the receiver's, refer to the pages after the call: their bytes must not change,
 * nor the pages be reused, before they are received. A mapping that is never written again meets that requirement, even
 * after it is unmapped (mem_map). Layer: base. Not thread-safe: one owner. */
#ifndef FLASHKV_SPLICER_H
#define FLASHKV_SPLICER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct splicer {
    int pipe[2], null; /* null: /dev/null, to discard what the socket did not take */
};

/* False: no file descriptors; use send(2) instead. */
bool splicer_init(struct splicer *s);
void splicer_destroy(struct splicer *s);
/* As send(2) on a non-blocking socket: the number of bytes sent, or -1 and errno. `more`: further bytes follow immediately
 * (MSG_MORE). The caller ignores SIGPIPE. */
ssize_t splicer_send(struct splicer *s, int fd, const char *bytes, size_t len, bool more);

#endif
