/* Entity tags, media types, and what errors are to HTTP. */
#include "http/conditions.h"
#include "http/respond.h"
#include "unit.h"

#define A "0123456789abcdef"
#define B "fedcba9876543210"

START_TEST(lists_of_tags) {
    static const struct {
        const char *list;
        bool weak;
        bool is_list, matches_a, matches_none;
    } cases[] = {
        {"\"" A "\"", false, true, true, false},
        {"\"" B "\"", false, true, false, false},
        {"\"" B "\", \"" A "\"", false, true, true, false},
        {" , \"" B "\" ,\t\"" A "\" , ", false, true, true, false},
        {"W/\"" A "\"", false, true, false, false},
        {"W/\"" A "\"", true, true, true, false},
        {"*", false, true, true, true},
        {"\"*\"", false, true, false, false},
        {"\"" B "\", *", false, true, true, true},
        {"", false, true, false, false},
        {"\"\"", false, true, false, false},
        {"\"0123456789ABCDEF\"", false, true, false, false},
        {"\"a, " A "\"", false, true, false, false},
        {A, false, false, false, false},
        {"\"" A, false, false, false, false},
        {"\"" A "\" \"" B "\"", false, false, false, false},
        {"\"" A "\"x", false, false, false, false},
        {"w/\"" A "\"", true, false, false, false},
        {"W/", true, false, false, false},
        {"W/*", true, false, false, false},
        {"**", false, false, false, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct etags tags;

        ck_assert_msg(etags_parse(slice_str(cases[i].list), cases[i].weak, &tags) == cases[i].is_list, "%s",
                      cases[i].list);
        if (!cases[i].is_list)
            continue;
        ck_assert_msg(etags_include(&tags, SLICE_LIT(A)) == cases[i].matches_a, "%s", cases[i].list);
        ck_assert_msg(etags_include(&tags, slice_of("", 0)) == cases[i].matches_none, "%s", cases[i].list);
    }
}
END_TEST

START_TEST(too_many_tags) {
    struct buf list = buf_make(1000);
    struct etags tags;

    for (int i = 0; i < ETAGS_MAX; i++)
        buf_printf(&list, "\"" A "\",");
    ck_assert(etags_parse(buf_slice(&list), false, &tags) && tags.count == ETAGS_MAX);
    buf_printf(&list, "\"" A "\"");
    ck_assert(!etags_parse(buf_slice(&list), false, &tags));
    buf_free(&list);
}
END_TEST

START_TEST(media_types) {
    static const struct {
        const char *accept;
        bool json;
    } cases[] = {
        {"application/json", true},
        {"APPLICATION/JSON", true},
        {"text/html, application/json;q=0.1", true},
        {"application/json ; charset=utf-8", true},
        {" application/json", true},
        {"application/json;q=0", false},
        {"application/json;q=0.000", false},
        {"application/json;q=0.001", true},
        {"application/json; charset=x; q=0", false},
        {"*/*", false},
        {"application/*", false},
        {"", false},
        {"application/jsonx", false},
        {"xapplication/json", false},
        {",,;;=,", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        ck_assert_msg(accepts_json(slice_str(cases[i].accept)) == cases[i].json, "%s", cases[i].accept);
    ck_assert(accepts_type(SLICE_LIT("text/html,*/*"), SLICE_LIT("text/html")));
    ck_assert(!accepts_json(slice_of(NULL, 0)));
}
END_TEST

START_TEST(media_types_that_can_be_kept) {
    static const struct {
        struct slice type;
        bool fits;
    } cases[] = {
        {SLICE_LIT(""), true},
        {SLICE_LIT("text/plain;\tcharset=utf-8"), true},
        {SLICE_LIT("text/\xc3\xa9"), true},
        {SLICE_LIT("a\r\nb"), false},
        {SLICE_LIT("a\nb"), false},
        {SLICE_LIT("a\0b"), false},
        {SLICE_LIT("a\x7f"), false},
    };
    char longest[ENTRY_CONTENT_TYPE_MAX + 1];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        ck_assert_msg(media_type_fits(cases[i].type) == cases[i].fits, "%zu", i);
    memset(longest, 'x', sizeof(longest));
    ck_assert(media_type_fits(slice_of(longest, ENTRY_CONTENT_TYPE_MAX)));
    ck_assert(!media_type_fits(slice_of(longest, sizeof(longest))));
}
END_TEST

/* The SCAN pattern of a query. */
static void check_pattern(const char *query, const char *pattern) {
    const char *equals = strchr(query, '=');
    struct pair pair = {slice_of(query, (size_t)(equals - query)), slice_str(equals + 1)};
    struct request r = {.target = {.query = &pair, .query_count = 1}};
    struct buf out = buf_make(100);

    ck_assert(keys_pattern(&r, &out));
    ck_assert_msg(slice_eq(buf_slice(&out), slice_str(pattern)), "%s: %.*s", query, (int)out.len, out.data);
    buf_free(&out);
}

START_TEST(patterns) {
    struct pair pairs[] = {{.name = SLICE_LIT("prefix")}, {.name = SLICE_LIT("match")}};
    struct request both = {.target = {.query = pairs, .query_count = 2}};
    struct buf out = buf_make(100);

    check_pattern("prefix=user:", "user:*");
    check_pattern("prefix=a*b?[c]\\", "a\\*b\\?\\[c\\]\\\\*");
    check_pattern("match=a*b", "a*b");
    check_pattern("other=x", "");
    ck_assert(!keys_pattern(&both, &out));
    buf_free(&out);
}
END_TEST

START_TEST(statuses_of_errors) {
    ck_assert_uint_eq(status_of_error("ERR out of memory"), 503);
    ck_assert_uint_eq(status_of_error("EXECABORT Transaction discarded because of: out of memory"), 503);
    ck_assert_uint_eq(status_of_error("EXECABORT Transaction discarded because of: OOM command not allowed"),
                      507);
    ck_assert_uint_eq(status_of_error("EXECABORT Transaction discarded because of previous errors."), 400);
    ck_assert_uint_eq(status_of_error("ERR syntax error"), 400);
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("http_conditions");
    TCase *t = tcase_create("all");

    tcase_add_test(t, lists_of_tags);
    tcase_add_test(t, too_many_tags);
    tcase_add_test(t, media_types_that_can_be_kept);
    tcase_add_test(t, media_types);
    tcase_add_test(t, patterns);
    tcase_add_test(t, statuses_of_errors);
    suite_add_tcase(s, t);
    return s;
}
