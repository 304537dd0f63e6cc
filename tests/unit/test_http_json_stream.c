/* JSON in tokens and in pieces, base64, lines: what batches, exports and imports are read and written with. */
#include <stdio.h>

#include "http/json_in.h"
#include "http/json_out.h"
#include "http/lines.h"
#include "unit.h"

/* ---- in ---------------------------------------------------------------------------------------------------------- */

/* The tokens as text: ( ) for arrays, { } for objects, a name with its colon, strings in quotes. */
static const char *tokens(const char *json) {
    static const char *const before[] = {
        [JSON_IN_NULL] = "null", [JSON_IN_TRUE] = "true", [JSON_IN_FALSE] = "false", [JSON_IN_NUMBER] = "",
        [JSON_IN_STRING] = "'",  [JSON_IN_NAME] = "",     [JSON_IN_ARRAY] = "(",     [JSON_IN_OBJECT] = "{"};
    static char out[512], text[512];
    struct json_in j;
    size_t n = strlen(json), at = 0;

    memcpy(text, json, n);
    j = json_in_make(text, n, JSON_DEPTH_MAX);
    for (;;) {
        bool object = j.depth > 0 && (j.objects >> (j.depth - 1) & 1);
        struct slice s;
        enum json_token t = json_read(&j, &s);

        if (t == JSON_IN_END)
            return out;
        if (t == JSON_IN_BAD) {
            ck_assert_ptr_nonnull(j.why);
            ck_assert_int_eq(json_read(&j, &s), JSON_IN_BAD);
            return j.why;
        }
        at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%.*s%s",
                               t != JSON_IN_CLOSE ? before[t]
                               : object           ? "}"
                                                  : ")",
                               (int)s.len, s.ptr,
                               t == JSON_IN_STRING ? "' "
                               : t == JSON_IN_NAME ? ":"
                                                   : " ");
    }
}

START_TEST(texts_come_apart) {
    static const struct {
        const char *json, *tokens;
    } cases[] = {
        {"1", "1 "},
        {" [ ] ", "( ) "},
        {"{}", "{ } "},
        {"[1,-0.5e+7,\"a\",true,false,null]", "( 1 -0.5e+7 'a' true false null ) "},
        {"{\"a\":{\"b\":[]},\"c\":9223372036854775808}", "{ a:{ b:( ) } c:9223372036854775808 } "},
        {"[[],[[]],{}]", "( ( ) ( ( ) ) { } ) "},
        {"\"\\u00e9\\ud83d\\ude00\\n\\/\\\"\"", "'\xc3\xa9\xf0\x9f\x98\x80\n/\"' "},
        {"", "the text ends too early"},
        {"[1,]", "something that is no JSON value"},
        {"[,1]", "something that is no JSON value"},
        {"[1 2]", "a comma was expected"},
        {"[1", "the text ends too early"},
        {"{\"a\"}", "no colon behind a member's name"},
        {"{a:1}", "a member's name in quotes was expected"},
        {"{\"a\":1,}", "a member's name in quotes was expected"},
        {"{\"a\":}", "something that is no JSON value"},
        {"[1}", "a comma was expected"},
        {"1 1", "something behind the value"},
        {"01", "something behind the value"},
        {"+1", "something that is no JSON value"},
        {"1.", "a number that ends in its point"},
        {"1e", "a number without an exponent behind its e"},
        {"nul", "something that is no JSON value"},
        {"\"a", "a string that does not end"},
        {"\"\\", "a string that does not end"},
        {"\"\\x\"", "a backslash before a character that needs none"},
        {"\"\\u12g4\"", "\\u without four hex digits"},
        {"\"\\ud800\"", "a lone surrogate"},
        {"\"\\ud800\\u0041\"", "a lone surrogate"},
        {"\"\\udc00\"", "a lone surrogate"},
        {"\"\xc0\x80\"", "bytes that are not UTF-8"},
        {"\"\xed\xa0\x80\"", "bytes that are not UTF-8"},
        {"\"\t\"", "a control character in a string"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        ck_assert_str_eq(tokens(cases[i].json), cases[i].tokens);
}
END_TEST

START_TEST(depth_is_bounded) {
    char text[2 * JSON_DEPTH_MAX + 3];

    memset(text, '[', JSON_DEPTH_MAX + 1);
    text[JSON_DEPTH_MAX + 1] = 0;
    ck_assert_str_eq(tokens(text), "arrays and objects too deep in each other");
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    text[2 * JSON_DEPTH_MAX] = '\0';
    ck_assert_ptr_nonnull(strstr(tokens(text), ") ) )"));
}
END_TEST

START_TEST(values_are_passed_over) {
    char text[] = "{\"a\":[1,{\"b\":2}],\"c\":3,\"d\":\"x\"}";
    struct json_in j = json_in_make(text, sizeof(text) - 1, JSON_DEPTH_MAX);
    struct slice s;

    ck_assert_int_eq(json_read(&j, &s), JSON_IN_OBJECT);
    for (const char *name = "acd"; *name != '\0'; name++) {
        ck_assert_int_eq(json_read(&j, &s), JSON_IN_NAME);
        ck_assert_int_eq(*s.ptr, *name);
        ck_assert(json_pass(&j, json_read(&j, &s)));
    }
    ck_assert_int_eq(json_read(&j, &s), JSON_IN_CLOSE);
    ck_assert_int_eq(json_read(&j, &s), JSON_IN_END);
}
END_TEST

/* ---- out ----------------------------------------------------------------------------------------------------------- */

START_TEST(bytes_are_written) {
    static const struct {
        struct slice bytes;
        const char *utf8, *base64, *lossy;
    } cases[] = {
        {SLICE_LIT(""), "\"\"", "\"\"", "\"\""},
        {SLICE_LIT("a\"\\\n\x01"), "\"a\\\"\\\\\\n\\u0001\"", "\"YSJcCgE=\"", "\"a\\\"\\\\\\n\\u0001\""},
        {SLICE_LIT("\xc3\xa9"), "\"\xc3\xa9\"", "\"w6k=\"", "\"\xc3\xa9\""},
        {SLICE_LIT("a\xff\xc3"), NULL, "\"Yf/D\"", "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct json_out o = json_out_make(100), b = json_out_make(100), l = json_out_make(100);

        ck_assert_int_eq(utf8_valid(cases[i].bytes), cases[i].utf8 != NULL);
        if (cases[i].utf8 != NULL) {
            json_put_utf8(&o, cases[i].bytes);
            ck_assert(slice_eq(buf_slice(&o.buf), slice_str(cases[i].utf8)));
        }
        json_put_base64(&b, cases[i].bytes);
        ck_assert(slice_eq(buf_slice(&b.buf), slice_str(cases[i].base64)));
        json_put_lossy(&l, cases[i].bytes);
        ck_assert(slice_eq(buf_slice(&l.buf), slice_str(cases[i].lossy)));
        buf_free(&o.buf);
        buf_free(&b.buf);
        buf_free(&l.buf);
    }
}
END_TEST

START_TEST(what_does_not_fit_is_remembered) {
    struct json_out o = json_out_make(4);

    json_put(&o, "1234");
    ck_assert(!o.failed);
    json_put_integer(&o, 5);
    ck_assert(o.failed);
    buf_free(&o.buf);
}
END_TEST

START_TEST(base64_comes_back) {
    static const char *const bad[] = {"A", "AB", "ABC", "A===", "AB=C", "AB==AB==", "AB*=", "ABCDE"};
    unsigned char bytes[256];
    char text[400];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 37);
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        size_t len = base64_length(n);

        base64_encode(slice_of(bytes, n), text);
        ck_assert(base64_decode(text, &len));
        ck_assert_uint_eq(len, n);
        ck_assert_int_eq(memcmp(text, bytes, n), 0);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        size_t len = strlen(bad[i]);

        memcpy(text, bad[i], len);
        ck_assert_msg(!base64_decode(text, &len), "%s", bad[i]);
    }
}
END_TEST

/* ---- lines --------------------------------------------------------------------------------------------------------- */

/* Lines that come in pieces of `step` bytes, divided by | and with their numbers. */
static const char *cut(const char *text, size_t step) {
    static char out[256];
    struct lines l = lines_make(16);
    size_t at = 0, n = strlen(text), len;
    char *line;

    for (size_t i = 0; i <= n; i += step) {
        size_t piece = n - i < step ? n - i : step;

        ck_assert(lines_add(&l, text + i, piece));
        while (lines_next(&l, i + step > n, &line, &len))
            at += (size_t)snprintf(out + at, sizeof(out) - at, "%d%.*s|", (int)l.number, (int)len, line);
    }
    lines_free(&l);
    return out;
}

START_TEST(lines_are_found_however_they_come) {
    for (size_t step = 1; step < 20; step++) {
        ck_assert_str_eq(cut("ab\ncd\r\n\n\r\nlast", step), "1ab|2cd|5last|");
        ck_assert_str_eq(cut("one\n", step), "1one|");
    }
}
END_TEST

START_TEST(a_line_that_is_too_long) {
    struct lines l = lines_make(8);

    ck_assert(lines_add(&l, "1234", 4));
    ck_assert(!lines_add(&l, "56789", 5));
    lines_free(&l);
}
END_TEST

/* What comes behind a line in one piece with its end is not counted to it. */
START_TEST(a_line_that_is_as_long_as_it_may) {
    struct lines l = lines_make(8);
    char *line;
    size_t len;

    ck_assert(lines_add(&l, "1234567", 7));
    ck_assert(!lines_next(&l, false, &line, &len));
    ck_assert(lines_add(&l, "8\nab\ncdefgh", 11));
    ck_assert(lines_next(&l, false, &line, &len) && len == 8 && memcmp(line, "12345678", 8) == 0);
    ck_assert(lines_next(&l, false, &line, &len) && len == 2);
    ck_assert(!lines_next(&l, false, &line, &len));
    ck_assert(lines_add(&l, "ij", 2));
    ck_assert(!lines_add(&l, "k", 1));
    lines_free(&l);
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("http_json_stream");
    TCase *t = tcase_create("all");

    tcase_add_test(t, texts_come_apart);
    tcase_add_test(t, depth_is_bounded);
    tcase_add_test(t, values_are_passed_over);
    tcase_add_test(t, bytes_are_written);
    tcase_add_test(t, what_does_not_fit_is_remembered);
    tcase_add_test(t, base64_comes_back);
    tcase_add_test(t, lines_are_found_however_they_come);
    tcase_add_test(t, a_line_that_is_too_long);
    tcase_add_test(t, a_line_that_is_as_long_as_it_may);
    suite_add_tcase(s, t);
    return s;
}
