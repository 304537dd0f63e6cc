/* json_out.c - writing JSON. */
#include "json_out.h"

#include <flashkv/num.h>
#include <stdio.h>

static void put(struct json_out *o, const void *bytes, size_t len) {
    if (!buf_append(&o->buf, bytes, len))
        o->failed = true;
}

void json_put(struct json_out *o, const char *text) {
    put(o, text, strlen(text));
}

void json_put_integer(struct json_out *o, int64_t n) {
    char digits[NUM_I64_MAX];

    put(o, digits, num_format_i64(n, digits));
}

static bool is_plain(unsigned char c) {
    return c >= ' ' && c != '"' && c != '\\';
}

static void put_escaped(struct json_out *o, unsigned char c) {
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    char text[8];

    for (const char *l = letters; *l != '\0'; l += 2)
        if ((unsigned char)*l == c) {
            put(o, (char[]){'\\', l[1]}, 2);
            return;
        }
    put(o, text, (size_t)snprintf(text, sizeof(text), "\\u%04x", c));
}

void json_put_utf8_part(struct json_out *o, struct slice s) {
    size_t from = 0, i = 0;

    for (; i < s.len; i++)
        if (!is_plain((unsigned char)s.ptr[i])) {
            put(o, s.ptr + from, i - from);
            put_escaped(o, (unsigned char)s.ptr[i]);
            from = i + 1;
        }
    put(o, s.ptr + from, i - from);
}

void json_put_utf8(struct json_out *o, struct slice s) {
    put(o, "\"", 1);
    json_put_utf8_part(o, s);
    put(o, "\"", 1);
}

void json_put_base64_part(struct json_out *o, struct slice s) {
    size_t len = base64_length(s.len);

    if (len == 0)
        return;
    if (!buf_reserve(&o->buf, len)) {
        o->failed = true;
        return;
    }
    base64_encode(s, o->buf.data + o->buf.len);
    o->buf.len += len;
}

void json_put_base64(struct json_out *o, struct slice s) {
    put(o, "\"", 1);
    json_put_base64_part(o, s);
    put(o, "\"", 1);
}

void json_put_lossy(struct json_out *o, struct slice s) {
    put(o, "\"", 1);
    while (s.len > 0) {
        size_t n = 0, more;

        while (n < s.len && (more = utf8_length(slice_of(s.ptr + n, s.len - n))) > 0)
            n += more;
        json_put_utf8_part(o, slice_of(s.ptr, n));
        if (n < s.len) {
            put(o, "\xef\xbf\xbd", 3);
            n++;
        }
        s = slice_of(s.ptr + n, s.len - n);
    }
    put(o, "\"", 1);
}

void json_put_bytes(struct json_out *o, const char *name, const char *encoding_name, struct slice s) {
    bool utf8 = utf8_valid(s);

    json_put_utf8(o, slice_str(name));
    put(o, ":", 1);
    if (utf8) {
        json_put_utf8(o, s);
        return;
    }
    json_put_base64(o, s);
    put(o, ",", 1);
    json_put_utf8(o, slice_str(encoding_name));
    json_put(o, ":\"base64\"");
}
