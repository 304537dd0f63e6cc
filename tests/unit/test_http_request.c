/* Targets taken apart, and bodies put together. */
#include <stdio.h>
#include <stdlib.h>

#include "http/request.h"
#include "unit.h"

/* Parses a copy, which the slices then point into. */
static char raw[1024];
static struct pair query[QUERY_MAX];

static enum target_result parse(const char *text, struct target *t) {
    snprintf(raw, sizeof(raw), "%s", text);
    return target_parse(raw, query, t);
}

static bool segment_is(const struct target *t, unsigned i, const char *bytes, size_t len) {
    return i < t->segment_count && slice_eq(t->segments[i], slice_of(bytes, len));
}

START_TEST(segments_are_divided_before_they_are_decoded) {
    static const struct {
        const char *target, *key;
        size_t len;
    } cases[] = {
        {"/keys/a", "a", 1},
        {"/keys/a%2Fb", "a/b", 3},
        {"/keys/a%2fb", "a/b", 3},
        {"/keys/x%00y", "x\0y", 3},
        {"/keys/%FF%fe", "\xff\xfe", 2},
        {"/keys/a+b", "a+b", 3},
        {"/keys/%2B%25", "+%", 2},
        {"/keys/%252F", "%2F", 3},
        {"/keys/\xc3\xa9", "\xc3\xa9", 2},
        {"/keys/..", "..", 2},
        {"/keys/.", ".", 1},
        {"/keys/", "", 0},
        {"/keys/a?ttl=1", "a", 1},
        {"/keys/a=b&c;d:e@f", "a=b&c;d:e@f", 11},
        {"http://host:80/keys/a", "a", 1},
        {"HTTPS://host/keys/a", "a", 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct target t;

        ck_assert_msg(parse(cases[i].target, &t) == TARGET_OK, "%s", cases[i].target);
        ck_assert_msg(t.segment_count == 2 && segment_is(&t, 0, "keys", 4), "%s", cases[i].target);
        ck_assert_msg(segment_is(&t, 1, cases[i].key, cases[i].len), "%s", cases[i].target);
    }
}
END_TEST

START_TEST(a_slash_that_is_written_divides) {
    struct target t;

    ck_assert_int_eq(parse("/keys/a/b", &t), TARGET_OK);
    ck_assert_uint_eq(t.segment_count, 3);
    ck_assert(segment_is(&t, 1, "a", 1) && segment_is(&t, 2, "b", 1) && !t.too_deep);
    ck_assert_int_eq(parse("/keys//b", &t), TARGET_OK);
    ck_assert(segment_is(&t, 1, "", 0) && segment_is(&t, 2, "b", 1));
    ck_assert_int_eq(parse("/keys/a/b/c", &t), TARGET_OK);
    ck_assert(t.too_deep);
    ck_assert_int_eq(parse("/keys/a/b/", &t), TARGET_OK);
    ck_assert(t.too_deep);
    ck_assert_int_eq(parse("/", &t), TARGET_OK);
    ck_assert_uint_eq(t.segment_count, 0);
}
END_TEST

START_TEST(forms_of_targets) {
    struct target t;

    ck_assert_int_eq(parse("*", &t), TARGET_OK);
    ck_assert(t.is_asterisk);
    ck_assert_int_eq(parse("http://host", &t), TARGET_OK);
    ck_assert(t.segment_count == 0 && !t.is_asterisk);
    ck_assert_int_eq(parse("http://host?limit=1", &t), TARGET_OK);
    ck_assert(t.segment_count == 0 && t.query_count == 1);
}
END_TEST

START_TEST(what_is_no_target) {
    static const struct {
        const char *target;
        enum target_result result;
    } cases[] = {
        {"", TARGET_BAD_BYTE},
        {"keys/a", TARGET_BAD_BYTE},
        {"host:80", TARGET_BAD_BYTE},
        {"/a b", TARGET_BAD_BYTE},
        {"/a#b", TARGET_BAD_BYTE},
        {"/a\x01", TARGET_BAD_BYTE},
        {"/a\x7f", TARGET_BAD_BYTE},
        {"/a\t", TARGET_BAD_BYTE},
        {"/keys/%", TARGET_BAD_ESCAPE},
        {"/keys/%4", TARGET_BAD_ESCAPE},
        {"/keys/%zz", TARGET_BAD_ESCAPE},
        {"/keys/%4g", TARGET_BAD_ESCAPE},
        {"/keys/a?b=%", TARGET_BAD_ESCAPE},
        {"/k?%g0=1", TARGET_BAD_ESCAPE},
        {"/keys/%+1", TARGET_BAD_ESCAPE},
        {"/keys/%2/F", TARGET_BAD_ESCAPE},
        {"/k?a&b&c&d&e&f&g&h&i", TARGET_TOO_MANY_PARAMETERS},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct target t;

        ck_assert_msg(parse(cases[i].target, &t) == cases[i].result, "%s", cases[i].target);
    }
}
END_TEST

START_TEST(queries_are_decoded) {
    struct target t;
    struct slice v;

    ck_assert_int_eq(parse("/keys?prefix=a%26b+c%2B&nx&empty=&&x=1=2&%6Eame=%00", &t), TARGET_OK);
    ck_assert_uint_eq(t.query_count, 5);
    ck_assert(target_query(&t, "prefix", &v) && slice_eq(v, SLICE_LIT("a&b c+")));
    ck_assert(target_query(&t, "nx", &v) && v.len == 0);
    ck_assert(target_query(&t, "empty", &v) && v.len == 0);
    ck_assert(target_query(&t, "x", &v) && slice_eq(v, SLICE_LIT("1=2")));
    ck_assert(target_query(&t, "name", &v) && slice_eq(v, SLICE_LIT("\0")));
    ck_assert(!target_query(&t, "n", &v) && !target_query(&t, "NX", &v));
}
END_TEST

/* ---- bodies ------------------------------------------------------------------------------------------------------- */

static struct options options = {.max_value_bytes = 3000000};
static struct server server = {.options = &options};
static struct request request;

static void begin(const char *content_length) {
    memset(&request, 0, sizeof(request));
    request.server = &server;
    request.raw = request.room;
    if (content_length != NULL)
        request.headers.content_length = slice_str(content_length);
}

START_TEST(bodies_arrive_in_any_pieces) {
    static const size_t pieces[] = {1, 7, SMALL_BODY, SMALL_BODY + 1, 100000};
    static const size_t lengths[] = {0, 1, SMALL_BODY, SMALL_BODY + 1, 700000};
    char *bytes = malloc(700000);

    for (size_t i = 0; i < 700000; i++)
        bytes[i] = (char)(i * 7 + i / 256);
    for (size_t p = 0; p < sizeof(pieces) / sizeof(*pieces); p++)
        for (size_t l = 0; l < sizeof(lengths) / sizeof(*lengths); l++) {
            begin(NULL);
            for (size_t at = 0; at < lengths[l]; at += pieces[p]) {
                size_t left = lengths[l] - at;

                ck_assert_int_eq(request_body_add(&request, bytes + at, left < pieces[p] ? left : pieces[p]),
                                 BODY_OK);
            }
            request_body_done(&request);
            ck_assert(slice_eq(request_body(&request), slice_of(bytes, lengths[l])));
            ck_assert((request.body != NULL) == (lengths[l] > SMALL_BODY));
            request_end(&request);
        }
    free(bytes);
}
END_TEST

START_TEST(a_claimed_length_takes_no_memory) {
    char bytes[4096] = {0};

    begin("3000000");
    ck_assert_int_eq(request_body_add(&request, bytes, sizeof(bytes)), BODY_OK);
    ck_assert_uint_le(request.body->cap, 256 * 1024);
    request_end(&request);
    begin("5000");
    ck_assert_int_eq(request_body_add(&request, bytes, sizeof(bytes)), BODY_OK);
    ck_assert_uint_eq(request.body->cap, 5000);
    request_end(&request);
}
END_TEST

START_TEST(a_body_stops_at_the_limit) {
    static char bytes[1000000];

    begin(NULL);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(request_body_add(&request, bytes, sizeof(bytes)), BODY_OK);
    ck_assert_uint_le(request.body->cap, 3000000);
    ck_assert_int_eq(request_body_add(&request, bytes, 1), BODY_TOO_LONG);
    ck_assert_uint_eq(request_body(&request).len, 3000000);
    request_end(&request);
}
END_TEST

/* Those that need no decoding may be taken apart where they are; both ways say the same. */
START_TEST(plain_targets_are_what_they_would_be_decoded) {
    static const struct {
        const char *target;
        bool plain;
    } cases[] = {
        {"/", true},           {"/keys", true},
        {"/keys/", true},      {"/keys/a", true},
        {"//", true},          {"/a//", true},
        {"/keys/a/b", true},   {"/a/b/", true},
        {"/keys/a+b,c", true}, {"/keys/\xc3\xa9", true},
        {"/keys/..", true},    {"/a/b/c/", false},
        {"/a/b/c/d", false},   {"/keys/a?x=1", false},
        {"/keys/a?", false},   {"/keys/%41", false},
        {"/keys/a!$", false},  {"/keys/a#b", false},
        {"/keys/a b", false},  {"/keys/a\x7f", false},
        {"/keys/a\tb", false}, {"*", false},
        {"", false},           {"http://h/keys/a", false},
        {"keys/a", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct target plain, t;
        size_t len;

        ck_assert_msg(target_parse_plain(cases[i].target, &plain, &len) == cases[i].plain, "%s",
                      cases[i].target);
        if (!cases[i].plain)
            continue;
        ck_assert_uint_eq(len, strlen(cases[i].target));
        ck_assert_msg(parse(cases[i].target, &t) == TARGET_OK, "%s", cases[i].target);
        ck_assert_msg(plain.segment_count == t.segment_count && plain.query_count == 0 && !plain.too_deep &&
                          !plain.is_asterisk && plain.rest == NULL,
                      "%s", cases[i].target);
        for (unsigned k = 0; k < t.segment_count; k++)
            ck_assert_msg(slice_eq(plain.segments[k], t.segments[k]), "%s", cases[i].target);
    }
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("http_request");
    TCase *target = tcase_create("target"), *body = tcase_create("body");

    tcase_add_test(target, segments_are_divided_before_they_are_decoded);
    tcase_add_test(target, a_slash_that_is_written_divides);
    tcase_add_test(target, forms_of_targets);
    tcase_add_test(target, what_is_no_target);
    tcase_add_test(target, queries_are_decoded);
    tcase_add_test(target, plain_targets_are_what_they_would_be_decoded);
    suite_add_tcase(s, target);
    tcase_add_test(body, bodies_arrive_in_any_pieces);
    tcase_add_test(body, a_claimed_length_takes_no_memory);
    tcase_add_test(body, a_body_stops_at_the_limit);
    suite_add_tcase(s, body);
    return s;
}
