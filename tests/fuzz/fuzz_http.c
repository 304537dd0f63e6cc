/* Fuzzes what HTTP clients send, but for HTTP itself: targets and their routes, JSON, lines, base64, ranges, tags.
 *
 * The first byte of the input says what the rest is. It is moved to memory of its own, so that AddressSanitizer sees what
 * reads or writes past it. */
#include <flashkv/mem.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/base64.h"
#include "http/conditions.h"
#include "http/json_in.h"
#include "http/json_out.h"
#include "http/lines.h"
#include "http/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void within(struct slice s, const char *text, size_t len) {
    require(s.len == 0 || (s.ptr >= text && s.ptr + s.len <= text + len), "a piece outside of its text");
}

/* What can be taken apart where it is, is what it would be decoded. */
static void fuzz_plain_target(const char *text, const struct target *t, enum target_result result) {
    struct target plain;
    size_t len;

    if (!target_parse_plain(text, &plain, &len))
        return;
    require(result == TARGET_OK && len == strlen(text), "a plain target that is bad, or longer");
    require(plain.segment_count == t->segment_count && t->query_count == 0 && !t->too_deep && !t->is_asterisk,
            "a plain target that is not");
    for (unsigned i = 0; i < plain.segment_count; i++)
        require(slice_eq(plain.segments[i], t->segments[i]), "a plain target's segment");
}

/* `text` ends in a NUL. */
static void fuzz_target_in(const char *before, char *text, size_t len, struct pair *query) {
    static const char *const methods[] = {"GET", "PUT", "POST", "DELETE", "PATCH"};
    struct request r = {.now_ms = 1};
    enum target_result result = target_parse(text, query, &r.target);
    struct slice segment;
    char allow[64];

    fuzz_plain_target(before, &r.target, result);
    if (result != TARGET_OK)
        return;
    for (unsigned i = 0; i < r.target.segment_count; i++)
        within(r.target.segments[i], text, len);
    for (unsigned i = 0; i < r.target.query_count; i++)
        within(r.target.query[i].name, text, len);
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        r.method = slice_str(methods[i]);
        if (route_find(&r) == 200)
            route_bad_parameter(&r);
    }
    routes_allow(&r, allow, sizeof(allow));
    while (target_next(&r.target, &segment, &result))
        within(segment, text, len);
}

static void fuzz_target(char *text, size_t len) {
    struct pair *query = calloc(target_parameters(text), sizeof(*query)); /* no longer than need be */
    char *before = strdup(text);

    if (before != NULL)
        fuzz_target_in(before, text, len, query);
    free(before);
    free(query);
}

static void fuzz_json(char *text, size_t len) {
    struct json_in j = json_in_make(text, len, JSON_DEPTH_MAX);
    enum json_token token;
    struct slice s;

    do {
        token = json_read(&j, &s);
        if (token == JSON_IN_STRING || token == JSON_IN_NAME) {
            within(s, text, len);
            require(utf8_valid(s), "a string that is not UTF-8");
        }
    } while (token != JSON_IN_BAD && token != JSON_IN_END);
    require((token == JSON_IN_BAD) == (j.why != NULL), "bad JSON without a reason");
}

/* A string that is written comes back when it is read. */
static void fuzz_strings(char *text, size_t len) {
    struct json_out o = json_out_make(8 * len + 64);
    struct slice s = slice_of(text, len), back;
    struct json_in j;

    (utf8_valid(s) ? json_put_utf8 : json_put_base64)(&o, s);
    require(!o.failed, "a string did not fit");
    j = json_in_make(o.buf.data, o.buf.len, JSON_DEPTH_MAX);
    require(json_read(&j, &back) == JSON_IN_STRING, "a string of ours is no JSON");
    require(utf8_valid(s) || json_in_decode(&back, SLICE_LIT("base64")), "base64 of ours is none");
    require(slice_eq(s, back), "a string came back as another");
    o.buf.len = 0;
    json_put_lossy(&o, s);
    j = json_in_make(o.buf.data, o.buf.len, JSON_DEPTH_MAX);
    require(json_read(&j, &back) == JSON_IN_STRING && utf8_valid(back), "a lossy string is no JSON");
    buf_free(&o.buf);
    base64_decode(text, &len);
}

static void fuzz_lines(char *text, size_t len) {
    size_t step = len > 0 ? (unsigned char)*text % 16 + 1 : 1, n, total = 0;
    struct lines l = lines_make(len + 1);
    char *line;

    for (size_t at = 0; at < len; at += step) {
        require(lines_add(&l, text + at, len - at < step ? len - at : step), "a line did not fit");
        while (lines_next(&l, at + step >= len, &line, &n)) {
            require(memchr(line, '\n', n) == NULL, "a line with a line break");
            total += n;
        }
    }
    require(total <= len, "more came out than went in");
    lines_free(&l);
}

static void fuzz_headers(char *text, size_t len) {
    struct slice s = slice_of(text, len);
    uint64_t from, count;
    struct etags tags;

    etags_parse(s, len % 2 == 0, &tags);
    accepts_json(s);
    if (range_parse(s, 1000, &from, &count) == RANGE_PART)
        require(count > 0 && from < 1000 && count <= 1000 - from, "a range outside of the value");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const targets[])(char *text, size_t len) = {fuzz_target, fuzz_json, fuzz_strings,
                                                              fuzz_lines, fuzz_headers};
    char *text;

    if (size < 1)
        return 0;
    text = mem_alloc(size);
    require(text != NULL, "memory");
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0'; /* targets end in one */
    targets[*data % (sizeof(targets) / sizeof(*targets))](text, size - 1);
    mem_free(text);
    return 0;
}
