/* log.c - log lines, each in one write(2). */
#include <flashkv/buf.h>
#include <flashkv/log.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_MAX_BYTES = 1024 };
static const int64_t QUIET_NS = INT64_C(60) * 1000000000; /* between equal lines */

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

/* Well-formed UTF-8 by its first two bytes; any further ones are 80 to BF. (Unicode, table 3-7) */
static const struct {
    unsigned char first_min, first_max, second_min, second_max, len;
} utf8[] = {
    {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

/* The bytes of the character that the C string `c` begins with; 0: it is not UTF-8. */
static size_t utf8_length(const unsigned char *c) {
    for (size_t i = 0; i < sizeof(utf8) / sizeof(*utf8); i++) {
        size_t n = 2;

        if (c[0] < utf8[i].first_min || c[0] > utf8[i].first_max)
            continue;
        if (utf8[i].len > 1 && (c[1] < utf8[i].second_min || c[1] > utf8[i].second_max))
            return 0;
        while (n < utf8[i].len && (c[n] & 0xc0) == 0x80)
            n++;
        return n >= utf8[i].len ? utf8[i].len : 0;
    }
    return 0;
}

/* Appends the message with control characters, invalid UTF-8, and in JSON quotes and backslashes escaped. */
static void append_escaped(struct buf *line, const char *message) {
    bool json = line_format == LOG_JSON;
    size_t len;

    for (const unsigned char *c = (const unsigned char *)message; *c != '\0'; c += len > 0 ? len : 1) {
        len = utf8_length(c);
        if (len == 0 && json)
            buf_printf(line, "\\ufffd");
        else if (json && (*c == '"' || *c == '\\'))
            buf_printf(line, "\\%c", *c);
        else if (json && (*c < ' ' || *c == 0x7f))
            buf_printf(line, "\\u%04x", *c);
        else if (len == 0 || *c < ' ' || *c == 0x7f)
            buf_printf(line, "\\x%02x", *c);
        else
            buf_append(line, c, len);
    }
}

void log_line(enum log_level level, const char *fmt, ...) {
    char room[8 * MESSAGE_MAX_BYTES], message[MESSAGE_MAX_BYTES], when[40];
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
        return; /* nowhere to report the error */
}

void log_error_repeated(struct log_repeated *r, int64_t now_ns, const char *fmt, ...) {
    char message[sizeof(r->message)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    if (strcmp(message, r->message) == 0 && now_ns < r->quiet_until_ns) {
        r->suppressed++;
        return;
    }
    if (r->suppressed > 0)
        log_error("%s (%" PRIu64 " more like the last were suppressed)", message, r->suppressed);
    else
        log_error("%s", message);
    memcpy(r->message, message, sizeof(message));
    r->quiet_until_ns = now_ns + QUIET_NS;
    r->suppressed = 0;
}
