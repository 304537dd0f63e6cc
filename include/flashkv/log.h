/* log.h - lines on stderr, as text or as JSON objects, one write(2) a line.
 *
 * Text:  2026-11-23T18:04:05.123Z info  message
 * JSON:  {"time":"2026-11-23T18:04:05.123Z","level":"info","message":"..."}
 * Layer: base. Thread-safe; lines never interleave. */
#ifndef FLASHKV_LOG_H
#define FLASHKV_LOG_H

#include <flashkv/hints.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

/* Set once by main before other threads start; text at info until then. */
void log_setup(enum log_level least, enum log_format format);
bool log_enabled(enum log_level level);
/* Logs a message, truncated to 1 KiB. Control characters and invalid UTF-8 are escaped. */
COLD void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* An error that may recur: it is logged when its message differs from the last one, and otherwise once a minute, with the
 * number of suppressed lines. `now_ns` is the monotonic clock's. Zeroed initially, and again when the error is over; not
 * thread-safe. */
struct log_repeated {
    char message[128]; /* the last one written, truncated */
    int64_t quiet_until_ns;
    uint64_t suppressed;
};
COLD void log_error_repeated(struct log_repeated *r, int64_t now_ns, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(...) (log_enabled(LOG_DEBUG) ? log_line(LOG_DEBUG, __VA_ARGS__) : (void)0)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

#endif
