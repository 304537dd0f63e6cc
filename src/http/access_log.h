/* access_log.h - a line for each HTTP request, in a file or on the standard output. Private to http.
 *
 *     a worker, at a request's end -> access_log_add: a copy into a buffer -> the log's own thread -> write(2)
 *
 * No worker ever waits for the disk or for the reader of the pipe: a line that does not fit into the buffer is dropped, counted
 * and reported in the server's own log. Thread-safe except for open and close. */
#ifndef FLASHKV_HTTP_ACCESS_LOG_H
#define FLASHKV_HTTP_ACCESS_LOG_H

#include <flashkv/log.h>
#include <stddef.h>
#include <stdint.h>

#include "access_line.h"

/* Bytes of each of the two buffers. */
enum { ACCESS_LOG_ROOM = 1024 * 1024 };

struct access_log;

/* Appends to the file at `path`, created with mode 0640, or to the standard output if it is "-". `path` is borrowed until
 * access_log_close. NULL: `why` is set. */
struct access_log *access_log_open(const char *path, enum log_format format, char *why, size_t cap);
/* Flushes what is buffered, waiting at most a second for a reader that does not read, and frees the log. NULL is ignored. */
void access_log_close(struct access_log *l);
void access_log_add(struct access_log *l, const struct access_line *line);
/* Asks the log's thread to reopen the path (log rotation). If that fails, it continues with the old file. Thread-safe. */
void access_log_reopen(struct access_log *l);
/* Lines that were lost: no room in the buffer, a failed write, or a reader that did not read until the log was closed. */
uint64_t access_log_dropped(const struct access_log *l);

#endif
