/* cmd_string_range.c - ranges of strings, and INCRBYFLOAT. Source: https://redis.io/commands/?group=string */
#include <flashkv/num.h>
#include <math.h>

#include "args.h"
#include "handlers.h"

/* The range of a string from `start` to `end`, which count from its end if negative. */
static struct slice cut(struct slice s, int64_t start, int64_t end) {
    int64_t len = (int64_t)s.len;

    if (start < 0 && end < 0 && start > end)
        return SLICE_LIT("");
    start = start < 0 ? start + len : start;
    end = end < 0 ? end + len : end;
    start = start < 0 ? 0 : start;
    end = end < 0 ? 0 : end >= len ? len - 1 : end;
    return start > end || len == 0 ? SLICE_LIT("") : slice_of(s.ptr + start, (size_t)(end - start + 1));
}

void cmd_getrange(struct call *c) {
    int64_t start, end;
    const struct entry *e;

    if (!arg_i64(c, 2, &start) || !arg_i64(c, 3, &end))
        return;
    e = store_get(c->txn, &c->keys[0]);
    if (is_type(c, e, TYPE_STRING))
        reply_bulk(c->reply, e != NULL ? cut(entry_string(e), start, end) : SLICE_LIT(""));
}

void cmd_setrange(struct call *c) {
    struct slice value = call_arg(c, 3);
    const struct entry *e;
    size_t old, len;
    int64_t offset;
    char *bytes;

    if (!arg_i64(c, 2, &offset))
        return;
    if (offset < 0) {
        reply_error(c->reply, "ERR offset is out of range");
        return;
    }
    e = store_peek(c->txn, &c->keys[0]);
    if (!is_type(c, e, TYPE_STRING))
        return;
    old = e != NULL ? entry_string(e).len : 0;
    if (value.len == 0) {
        reply_integer(c->reply, (int64_t)old);
        return;
    }
    len = (size_t)offset + value.len; /* no overflow: an argument is far shorter than 2^63 */
    if (len < old)
        len = old;
    bytes = edit_string(c, len, true);
    if (bytes == NULL)
        return;
    memcpy(bytes + offset, value.ptr, value.len);
    call_changed(c, &c->keys[0], EVENT_STRING, "setrange");
    reply_integer(c->reply, (int64_t)len);
}

void cmd_incrbyfloat(struct call *c) {
    const struct entry *e = store_peek(c->txn, &c->keys[0]);
    char digits[NUM_LONG_DOUBLE_MAX], *bytes;
    long double n = 0, by;
    size_t len;

    if (!is_type(c, e, TYPE_STRING))
        return;
    if ((e != NULL && !num_parse_long_double(entry_string(e), &n)) ||
        !num_parse_long_double(call_arg(c, 2), &by)) {
        reply_error(c->reply, "ERR value is not a valid float");
        return;
    }
    n += by;
    if (!isfinite(n)) {
        reply_error(c->reply, "ERR increment would produce NaN or Infinity");
        return;
    }
    len = num_format_long_double(n, digits);
    bytes = edit_string(c, len, false);
    if (bytes == NULL)
        return;
    memcpy(bytes, digits, len);
    call_changed(c, &c->keys[0], EVENT_STRING, "incrbyfloat");
    call_effect_value(c, &c->keys[0]);
    reply_bulk(c->reply, slice_of(digits, len));
}
