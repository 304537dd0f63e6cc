/* splicer.h - sends memory by reference: the kernel takes the pages themselves, through a pipe, and copies nothing
 * until the receiver does.
 *
 * The socket's queue, and on the same machine the receiver's, hold the pages after the call: their bytes must not change, nor
 * may the pages be used for anything else, before they were received. A mapping that is never written to again keeps
 * that promise, even when it is unmapped (mem_map). Layer: base. One owner. */
#ifndef FLASHKV_SPLICER_H
#define FLASHKV_SPLICER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct splicer {
    int pipe[2], null; /* null: where goes what the socket did not take */
};

/* False: no descriptors; send instead. */
bool splicer_init(struct splicer *s);
void splicer_destroy(struct splicer *s);
/* As send(2) on a non-blocking socket: how many bytes it took, or -1 and errno. `more`: others follow at once. The
 * caller ignores SIGPIPE. */
ssize_t splicer_send(struct splicer *s, int fd, const char *bytes, size_t len, bool more);

#endif
