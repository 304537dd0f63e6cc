/* JSON out: what is not UTF-8. */
#include <stdio.h>
#include <stdlib.h>

#include "http/json.h"
#include "unit.h"

/* ---- out ------------------------------------------------------------------------------------------------------------ */

static void check_text(char *text, const char *want) {
    ck_assert_str_eq(text, want);
    free(text);
}

START_TEST(problems) {
    check_text(
        json_problem(404, "Not Found", "say \"what\""),
        "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"say \\\"what\\\"\"}");
    check_text(json_problem(400, "Bad Request", "\xff"),
               "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
               "\"detail\":\"the request has bytes that are not UTF-8 where it is wrong\"}");
}
END_TEST

START_TEST(numbers) {
    check_text(json_number("value", INT64_MIN), "{\"value\":-9223372036854775808}");
    check_text(json_number("length", INT64_MAX), "{\"length\":9223372036854775807}");
}
END_TEST

START_TEST(values_in_one_encoding) {
    struct capture c;

    capture_init(&c, 1000);
    reply_array(&c.reply, 2);
    reply_text(&c.reply, "a");
    reply_bulk(&c.reply, SLICE_LIT("\0\xc3\xa9"));
    check_text(json_values(&c, 0, -1), "{\"values\":[\"a\",\"\\u0000\xc3\xa9\"],\"encoding\":\"utf8\"}");
    capture_free(&c);

    capture_init(&c, 1000);
    reply_array(&c.reply, 4);
    reply_text(&c.reply, "");
    reply_text(&c.reply, "a");
    reply_text(&c.reply, "ab");
    reply_bulk(&c.reply, SLICE_LIT("a\xff\x00"));
    check_text(json_values(&c, 0, 9), "{\"values\":[\"\",\"YQ==\",\"YWI=\",\"Yf8A\"],\"encoding\":\"base64\","
                                      "\"length\":9}");
    capture_free(&c);
}
END_TEST

START_TEST(keys_that_are_not_utf8) {
    struct capture c;

    capture_init(&c, 1000);
    reply_array(&c.reply, 2);
    reply_text(&c.reply, "42");
    reply_array(&c.reply, 2);
    reply_text(&c.reply, "a");
    reply_bulk(&c.reply, SLICE_LIT("\xff"));
    check_text(json_keys(&c), "{\"keys\":[\"a\"],\"keys_base64\":[\"/w==\"],\"cursor\":42}");
    capture_free(&c);
}
END_TEST

/* ---- the capture ---------------------------------------------------------------------------------------------------- */

START_TEST(a_capture_grows_and_stops) {
    struct capture c;
    char text[100];

    capture_init(&c, 20000);
    for (unsigned i = 0; i < 100; i++) {
        memset(text, (int)i, sizeof(text));
        reply_bulk(&c.reply, slice_of(text, sizeof(text)));
        reply_integer(&c.reply, i);
    }
    ck_assert(!c.overflow && c.count == 200);
    for (unsigned i = 0; i < 100; i++) {
        memset(text, (int)i, sizeof(text));
        ck_assert(slice_eq(capture_text(&c, 2 * i), slice_of(text, sizeof(text))));
        ck_assert_int_eq(c.tokens[2 * i + 1].n, i);
    }
    for (unsigned i = 0; i < 200; i++)
        reply_bulk(&c.reply, slice_of(text, sizeof(text)));
    ck_assert(c.overflow);
    capture_free(&c);
}
END_TEST

START_TEST(a_capture_holds_blobs_and_errors) {
    struct blob *b = blob_new(3, 3);
    struct capture c;

    memcpy(b->data, "abc", 3);
    capture_init(&c, 100);
    reply_blob(&c.reply, b);
    blob_unref(b);
    ck_assert(slice_eq(capture_text(&c, 0), SLICE_LIT("abc")));
    reply_error(&c.reply, "ERR %s", "no");
    ck_assert(c.reply.failed);
    ck_assert_str_eq(c.error, "ERR no");
    capture_free(&c);
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("http_json");
    TCase *out = tcase_create("out"), *capture = tcase_create("capture");

    tcase_add_test(out, problems);
    tcase_add_test(out, numbers);
    tcase_add_test(out, values_in_one_encoding);
    tcase_add_test(out, keys_that_are_not_utf8);
    suite_add_tcase(s, out);
    tcase_add_test(capture, a_capture_grows_and_stops);
    tcase_add_test(capture, a_capture_holds_blobs_and_errors);
    suite_add_tcase(s, capture);
    return s;
}
