/* access_line.c - writing a line as text or JSON, and removing secrets from targets. */
#include "access_line.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json_out.h"

enum { METHOD_MAX = 32, USER_MAX = 128 };

static struct slice cut(struct slice s, size_t max) {
    return slice_of(s.ptr, s.len < max ? s.len : max);
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

/* Quoted, with \xHH for whatever could end the quotes or the line; "-" if empty. */
static void put_quoted(struct buf *out, struct slice s) {
    buf_append(out, "\"", 1);
    if (s.len == 0)
        buf_append(out, "-", 1);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
            buf_printf(out, "\\x%02x", c);
        else
            buf_append(out, &c, 1);
    }
    buf_append(out, "\"", 1);
}

static void put_or_dash(struct buf *out, struct slice s) {
    buf_append(out, " ", 1);
    buf_append_slice(out, s.len > 0 ? s : SLICE_LIT("-"));
}

/* The host of "127.0.0.1:50123" or "[::1]:6379"; "-" if empty. */
static struct slice host_of(const char *peer) {
    const char *colon = strrchr(peer, ':');
    struct slice host = slice_of(peer, colon != NULL ? (size_t)(colon - peer) : strlen(peer));

    if (host.len > 1 && host.ptr[0] == '[')
        host = slice_of(host.ptr + 1, host.len - 2);
    return host.len > 0 ? host : SLICE_LIT("-");
}

enum time_form { TIME_COMMON, TIME_ISO };

static void put_time(struct buf *out, int64_t wall_ms, enum time_form form) {
    time_t seconds = (time_t)(wall_ms / 1000);
    char text[64];
    struct tm tm;
    size_t n;

    gmtime_r(&seconds, &tm);
    n = form == TIME_COMMON ? strftime(text, sizeof(text), "%d/%b/%Y:%H:%M:%S +0000", &tm)
                            : strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    buf_append(out, text, n);
    if (form == TIME_ISO)
        buf_printf(out, ".%03dZ", (int)(wall_ms % 1000));
}

/* The administrator chose the name; log tools parse the field up to the next space, so what is not visible ASCII becomes "_". */
static void put_user(struct buf *out, const char *user) {
    struct slice name = slice_str(user != NULL ? user : "-");

    buf_append(out, " - ", 3);
    for (size_t i = 0; i < name.len && i < USER_MAX; i++)
        buf_append(out, name.ptr[i] > ' ' && name.ptr[i] < 0x7f ? &name.ptr[i] : "_", 1);
}

static void put_text(const struct access_line *l, struct buf *out) {
    char room[METHOD_MAX + ACCESS_TARGET_MAX + 16];
    struct buf request = {room, 0, sizeof(room), sizeof(room)};

    buf_append_slice(out, host_of(l->peer));
    put_user(out, l->user);
    buf_append(out, " [", 2);
    put_time(out, l->wall_ms, TIME_COMMON);
    buf_append(out, "] ", 2);
    if (l->method.len > 0) {
        buf_append_slice(&request, l->method);
        buf_append(&request, " ", 1);
        buf_append_slice(&request, l->target);
        buf_append(&request, l->http11 ? " HTTP/1.1" : " HTTP/1.0", 9);
    }
    put_quoted(out, buf_slice(&request));
    buf_printf(out, " %u %llu ", l->status, (unsigned long long)l->bytes);
    put_quoted(out, l->referer);
    buf_append(out, " ", 1);
    put_quoted(out, l->agent);
    buf_printf(out, " %.6f \"%s\"", (double)l->ns / 1e9, l->route);
    put_or_dash(out, l->id);
    put_or_dash(out, l->trace);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* ,"name":"s", or nothing if `s` is empty. */
static void put_member(struct json_out *o, const char *name, struct slice s) {
    if (s.len == 0)
        return;
    json_put(o, ",\"");
    json_put(o, name);
    json_put(o, "\":");
    json_put_lossy(o, s);
}

static void put_number(struct json_out *o, const char *name, uint64_t n) {
    json_put(o, ",\"");
    json_put(o, name);
    json_put(o, "\":");
    json_put_integer(o, (int64_t)n);
}

static void put_json(const struct access_line *l, struct buf *out) {
    struct json_out o = {*out, false};

    json_put(&o, "{\"time\":\"");
    put_time(&o.buf, l->wall_ms, TIME_ISO);
    json_put(&o, "\"");
    put_member(&o, "remote", slice_str(l->peer));
    put_member(&o, "user", cut(slice_str(l->user != NULL ? l->user : ""), USER_MAX));
    put_member(&o, "method", l->method);
    put_member(&o, "target", l->target);
    put_member(&o, "route", slice_str(l->route));
    put_member(&o, "protocol", l->http11 ? SLICE_LIT("HTTP/1.1") : SLICE_LIT("HTTP/1.0"));
    put_number(&o, "status", l->status);
    put_number(&o, "bytes", l->bytes);
    buf_printf(&o.buf, ",\"seconds\":%.6f", (double)l->ns / 1e9);
    put_member(&o, "referer", l->referer);
    put_member(&o, "user_agent", l->agent);
    put_member(&o, "request_id", l->id);
    put_member(&o, "trace_id", l->trace);
    json_put(&o, "}");
    *out = o.buf;
}

void access_line(const struct access_line *l, enum log_format format, struct buf *out) {
    struct access_line short_one = *l;

    short_one.method = cut(l->method, METHOD_MAX);
    short_one.target = cut(l->target, ACCESS_TARGET_MAX);
    short_one.referer = cut(l->referer, ACCESS_WORD_MAX);
    short_one.agent = cut(l->agent, ACCESS_WORD_MAX);
    (format == LOG_JSON ? put_json : put_text)(&short_one, out);
    buf_append(out, "\n", 1);
}

/* ---- targets ------------------------------------------------------------------------------------------------------ */

static char decoded(const char **at) {
    char c = *(*at)++, digits[3] = "";

    if (c != '%' || !isxdigit((unsigned char)(*at)[0]) || !isxdigit((unsigned char)(*at)[1]))
        return c;
    memcpy(digits, *at, 2);
    *at += 2;
    return (char)strtoul(digits, NULL, 16);
}

/* Is the parameter's name, up to "=", this word once decoded? */
static bool is_named(const char *at, const char *end, const char *word) {
    while (at < end && *at != '=' && *word != '\0')
        if (decoded(&at) != *word++)
            return false;
    return *word == '\0' && (at >= end || *at == '=');
}

/* Compacts the query in place, without the values of _token. Returns the new length. */
static size_t hide_tokens(char *query) {
    char *to = query;

    for (char *at = query; *at != '\0';) {
        char *end = at + strcspn(at, "&"), *equals = memchr(at, '=', (size_t)(end - at));
        bool hide = equals != NULL && is_named(at, end, "_token");
        size_t keep = (size_t)((hide ? equals + 1 : end) - at);

        memmove(to, at, keep);
        to += keep;
        at = end;
        if (*at == '&')
            *to++ = *at++;
    }
    *to = '\0';
    return (size_t)(to - query);
}

size_t access_target(char *raw, bool after_command) {
    char *path = strstr(raw, "://"), *query;

    path = *raw != '/' && path != NULL ? path + 3 + strcspn(path + 3, "/?") : raw;
    if (after_command && *path == '/') {
        char *command = path + 1 + strcspn(path + 1, "/?"), *end = command;

        if (*end == '/')
            end += 1 + strcspn(end + 1, "/?");
        *end = '\0';
        return (size_t)(end - raw);
    }
    query = path + strcspn(path, "?");
    return (size_t)(query - raw) + (*query == '?' ? 1 + hide_tokens(query + 1) : 0);
}
