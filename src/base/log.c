/* log.c - one line, one write(2). */
#include <flashkv/buf.h>
#include <flashkv/log.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 };

/* Written once by log_setup, before there are other threads. */
static enum log_level least_level = LOG_INFO;
static enum log_format line_format = LOG_TEXT;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_setup(enum log_level least, enum log_format format) {
    least_level = least;
    line_format = format;
}

bool log_enabled(enum log_level level) {
    return level >= least_level;
}

static void format_time(char *out, size_t cap) {
    struct timespec ts;
    struct tm tm;
    size_t n;

    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    n = strftime(out, cap, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, cap - n, ".%03ldZ", ts.tv_nsec / 1000000);
}

/* Appends the message with control characters (and, in JSON, quotes and backslashes) escaped. */
static void append_escaped(struct buf *line, const char *message) {
    for (const unsigned char *c = (const unsigned char *)message; *c != '\0'; c++) {
        if (line_format == LOG_JSON && (*c == '"' || *c == '\\'))
            buf_printf(line, "\\%c", *c);
        else if (*c < ' ' || *c == 0x7f)
            buf_printf(line, line_format == LOG_JSON ? "\\u%04x" : "\\x%02x", *c);
        else
            buf_append(line, c, 1);
    }
}

void log_line(enum log_level level, const char *fmt, ...) {
    char room[8 * LINE_MAX_BYTES], message[LINE_MAX_BYTES], when[40];
    struct buf line = {room, 0, sizeof(room), sizeof(room)};
    va_list ap;

    if (!log_enabled(level))
        return;
    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    format_time(when, sizeof(when));
    if (line_format == LOG_JSON)
        buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"", when, level_names[level]);
    else
        buf_printf(&line, "%s %-5s ", when, level_names[level]);
    append_escaped(&line, message);
    if (line_format == LOG_JSON)
        buf_append(&line, "\"}", 2);
    buf_append(&line, "\n", 1);
    if (write(STDERR_FILENO, line.data, line.len) < 0)
        return; /* nowhere to complain */
}
