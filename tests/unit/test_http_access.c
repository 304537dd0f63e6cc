/* What a line of the access log says, and what it must not; names of requests. */
#include "http/access_line.h"
#include "http/trace.h"
#include "unit.h"

static char room[ACCESS_LINE_MAX];

static const struct access_line usual = {
    .wall_ms = INT64_C(1795653460123),
    .peer = "192.0.2.7:50123",
    .user = "web",
    .method = {"GET", 3},
    .target = {"/keys/a", 7},
    .route = "/keys/{key}",
    .http11 = true,
    .status = 200,
    .bytes = 5,
    .ns = 124000,
    .agent = {"curl/8", 6},
    .id = {"id-1", 4},
};

static struct slice line(struct access_line l, enum log_format format) {
    struct buf out = {room, 0, sizeof(room), sizeof(room)};

    access_line(&l, format, &out);
    return buf_slice(&out);
}

#define ck_slice(s, text) ck_assert_msg(slice_eq(s, slice_str(text)), "%.*s", (int)(s).len, (s).ptr)

START_TEST(text_is_the_combined_format) {
    struct slice s = line(usual, LOG_TEXT);

    ck_slice(s,
             "192.0.2.7 - web [26/Nov/2026:00:37:40 +0000] \"GET /keys/a HTTP/1.1\" 200 5 \"-\" \"curl/8\" "
             "0.000124 \"/keys/{key}\" id-1 -\n");
}
END_TEST

START_TEST(json_has_the_same) {
    struct slice s = line(usual, LOG_JSON);

    ck_slice(s,
             "{\"time\":\"2026-11-26T00:37:40.123Z\",\"remote\":\"192.0.2.7:50123\",\"user\":\"web\","
             "\"method\":\"GET\",\"target\":\"/keys/a\",\"route\":\"/keys/{key}\",\"protocol\":\"HTTP/1.1\","
             "\"status\":200,\"bytes\":5,\"seconds\":0.000124,\"user_agent\":\"curl/8\","
             "\"request_id\":\"id-1\"}\n");
}
END_TEST

START_TEST(nothing_ends_a_field_or_the_line) {
    struct access_line l = usual;
    struct slice s;

    l.peer = "[2001:db8::1]:443";
    l.user = "a b\n";
    l.target = slice_str("/keys/\"\\\r\n\x01\xff");
    l.agent = slice_str("x\" 200 5 \"\n");
    s = line(l, LOG_TEXT);
    ck_slice(s, "2001:db8::1 - a_b_ [26/Nov/2026:00:37:40 +0000] \"GET /keys/\\x22\\x5c\\x0d\\x0a\\x01\\xff "
                "HTTP/1.1\" 200 5 \"-\" \"x\\x22 200 5 \\x22\\x0a\" 0.000124 \"/keys/{key}\" id-1 -\n");
    s = line(l, LOG_JSON);
    ck_assert(memchr(s.ptr, '\n', s.len) == s.ptr + s.len - 1);
    ck_assert(memmem(s.ptr, s.len, "\xef\xbf\xbd", 3) != NULL);
}
END_TEST

START_TEST(a_client_that_said_nothing) {
    static const struct access_line nothing = {.peer = "", .route = "none", .status = 499};
    struct slice s = line(nothing, LOG_TEXT);

    ck_slice(s, "- - - [01/Jan/1970:00:00:00 +0000] \"-\" 499 0 \"-\" \"-\" 0.000000 \"none\" - -\n");
}
END_TEST

/* The worst that can be escaped fits. */
START_TEST(lines_are_bounded) {
    static char long_one[3 * ACCESS_TARGET_MAX];
    struct access_line l = usual;
    enum log_format format = (enum log_format)_i;
    struct slice s;

    memset(long_one, 0x01, sizeof(long_one) - 1);
    l.user = long_one;
    l.method = l.target = l.referer = l.agent = slice_str(long_one);
    s = line(l, format);
    ck_assert_uint_lt(s.len, ACCESS_LINE_MAX);
    ck_assert(s.ptr[s.len - 1] == '\n');
    ck_assert(memmem(s.ptr, s.len, "id-1", 4) != NULL);
}
END_TEST

START_TEST(no_secret_is_in_a_target) {
    static const struct {
        const char *raw, *shown;
        bool after_command;
    } cases[] = {
        {"/keys/a?ttl=5", "/keys/a?ttl=5", false},
        {"/keys/a", "/keys/a", false},
        {"/keys?_token=s3cret", "/keys?_token=", false},
        {"/keys?a=1&_token=s3cret&b=2", "/keys?a=1&_token=&b=2", false},
        {"/keys?%5ft%6Fken=s3cret&&x", "/keys?%5ft%6Fken=&&x", false},
        {"/keys?_tokens=5&_toke=6&_token", "/keys?_tokens=5&_toke=6&_token", false},
        {"/keys?_token=a&_token=b", "/keys?_token=&_token=", false},
        {"/keys?%=1&%4=2&%zz=3", "/keys?%=1&%4=2&%zz=3", false},
        {"/upstash/set/k/s3cret?_token=s3cret", "/upstash/set", true},
        {"/upstash/config", "/upstash/config", true},
        {"/upstash?_token=s3cret", "/upstash", true},
        {"/upstash/get?k", "/upstash/get", true},
        {"http://host/upstash/set/k/v", "http://host/upstash/set", true},
        {"http://host/keys?_token=s", "http://host/keys?_token=", false},
        {"*", "*", false},
        {"", "", true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char raw[64];
        size_t len;

        memcpy(raw, cases[i].raw, strlen(cases[i].raw) + 1);
        len = access_target(raw, cases[i].after_command);
        ck_assert_str_eq(raw, cases[i].shown);
        ck_assert_uint_eq(len, strlen(raw));
    }
}
END_TEST

/* ---- names of requests --------------------------------------------------------------------------------------------- */

#define TRACE "0af7651916cd43dd8448eb211c80319c"

START_TEST(traceparent_is_w3cs) {
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"00-" TRACE "-b7ad6b7169203331-01", true},
        {"00-" TRACE "-b7ad6b7169203331-00", true},
        {"cc-" TRACE "-b7ad6b7169203331-01", true},
        {"cc-" TRACE "-b7ad6b7169203331-01-what-follows", true},
        {"00-" TRACE "-b7ad6b7169203331-01-x", false},
        {"cc-" TRACE "-b7ad6b7169203331-01.x", false},
        {"ff-" TRACE "-b7ad6b7169203331-01", false},
        {"00-" TRACE "-b7ad6b7169203331-0", false},
        {"00-" TRACE "-B7AD6B7169203331-01", false},
        {"00-" TRACE "-0000000000000000-01", false},
        {"00-00000000000000000000000000000000-b7ad6b7169203331-01", false},
        {"00-" TRACE "-b7ad6b7169203331-0x", false},
        {"", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct trace t;

        trace_read(&t, slice_of(NULL, 0), slice_str(cases[i].text));
        ck_assert_msg((t.parent.len > 0) == cases[i].valid, "%s", cases[i].text);
        ck_assert_uint_eq(trace_parent_id(&t).len, cases[i].valid ? 32 : 0);
        if (cases[i].valid)
            ck_slice(trace_name(&t), TRACE);
    }
}
END_TEST

START_TEST(ids_are_short_and_plain) {
    static const char *const good[] = {"a", "550e8400-e29b-41d4-a716-446655440000",
                                       "Root=1-67891233:a/b+c@d~e_f."},
                             *const bad[] = {"",         "a b", "a\"b",    "a\r\nSet-Cookie: x",
                                             "\xc3\xa9", "a,b", "<script>"};
    char longest[TRACE_ID_MAX + 1];
    struct trace t;

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        trace_read(&t, slice_str(good[i]), slice_of(NULL, 0));
        ck_slice(t.id, good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        trace_read(&t, slice_str(bad[i]), slice_of(NULL, 0));
        ck_assert_msg(t.id.len == 0, "%s", bad[i]);
    }
    memset(longest, 'x', sizeof(longest));
    trace_read(&t, slice_of(longest, TRACE_ID_MAX), slice_of(NULL, 0));
    ck_assert_uint_eq(t.id.len, TRACE_ID_MAX);
    trace_read(&t, slice_of(longest, TRACE_ID_MAX + 1), slice_of(NULL, 0));
    ck_assert_uint_eq(t.id.len, 0);
}
END_TEST

START_TEST(ids_that_are_made_differ) {
    struct trace a, b;

    trace_make(&a);
    trace_make(&b);
    ck_assert_uint_eq(a.id.len, TRACE_MADE);
    ck_assert_str_ne(a.made, b.made);
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("http_access");
    TCase *t = tcase_create("all");

    tcase_add_test(t, text_is_the_combined_format);
    tcase_add_test(t, json_has_the_same);
    tcase_add_test(t, nothing_ends_a_field_or_the_line);
    tcase_add_test(t, a_client_that_said_nothing);
    tcase_add_loop_test(t, lines_are_bounded, LOG_TEXT, LOG_JSON + 1);
    tcase_add_test(t, no_secret_is_in_a_target);
    tcase_add_test(t, traceparent_is_w3cs);
    tcase_add_test(t, ids_are_short_and_plain);
    tcase_add_test(t, ids_that_are_made_differ);
    suite_add_tcase(s, t);
    return s;
}
