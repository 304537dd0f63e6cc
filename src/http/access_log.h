/* access_log.h - a line for each HTTP request, in a file or on the standard output. Private to http.
 *
 *     a worker, at a request's end -> access_log_add: a copy into a buffer -> the log's own thread -> write(2)
 *
 * No worker ever waits for the disk or for who reads the pipe: what does not fit into the buffer is dropped, counted,
 * and told of in the server's own log. Thread-safe but for open and close. */
#ifndef FLASHKV_HTTP_ACCESS_LOG_H
#define FLASHKV_HTTP_ACCESS_LOG_H

#include <flashkv/log.h>
#include <stddef.h>
#include <stdint.h>

#include "access_line.h"

enum { ACCESS_LOG_ROOM = 1024 * 1024 };

struct access_log;

/* Appends to the file at `path`, made with mode 0640, or to the standard output if it is "-". NULL: `why`. */
struct access_log *access_log_open(const char *path, enum log_format format, char *why, size_t cap);
/* Writes what is left, for at most a second. NULL is ignored. */
void access_log_close(struct access_log *l);
void access_log_add(struct access_log *l, const struct access_line *line);
/* Soon opens the path anew, after the file was renamed: log rotation. If that fails, goes on as before. */
void access_log_reopen(struct access_log *l);
/* Lines that were not written, for want of room or of disk. */
uint64_t access_log_dropped(const struct access_log *l);

#endif
