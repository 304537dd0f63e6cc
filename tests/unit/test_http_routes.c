/* The route table and what follows from it. */
#include <stdio.h>

#include "http/routes.h"
#include "unit.h"

static char raw[256];
static struct pair query[QUERY_MAX];
static struct request request;

static unsigned find(const char *method, const char *target) {
    memset(&request, 0, sizeof(request));
    request.method = slice_str(method);
    snprintf(raw, sizeof(raw), "%s", target);
    ck_assert_msg(target_parse(raw, query, &request.target) == TARGET_OK, "%s", target);
    return route_find(&request);
}

START_TEST(requests_find_their_operation) {
    static const struct {
        const char *method, *target, *operation;
    } cases[] = {
        {"GET", "/", "getRoot"},
        {"GET", "/keys", "listKeys"},
        {"GET", "/keys?limit=1", "listKeys"},
        {"GET", "/keys/", "getKey"},
        {"GET", "/keys/a", "getKey"},
        {"HEAD", "/keys/a", "getKey"},
        {"GET", "/keys/keys", "getKey"},
        {"PUT", "/keys/incr", "putKey"},
        {"POST", "/keys/a/incr", "incrKey"},
        {"POST", "/keys//incr", "incrKey"},
        {"POST", "/keys/a%2Fb/append", "appendKey"},
        {"POST", "/lists/a/pop", "popList"},
        {"PUT", "/lists/a/-1", "setListItem"},
        {"DELETE", "/lists/pop", "deleteList"},
        {"POST", "/stats/reset", "resetStats"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ck_assert_msg(find(cases[i].method, cases[i].target) == 200, "%s", cases[i].target);
        ck_assert_str_eq(request.route->operation, cases[i].operation);
    }
}
END_TEST

START_TEST(paths_that_are_none) {
    static const char *const targets[] = {
        "*",        "/key",      "/keysx", "/KEYS/a", "/keys/a/b",    "/keys/a/b/c", "/stats/",
        "/stats/x", "/healthz/", "//",     "/lists",  "/lists/a/b/c", "/keys%2Fa",   "/keys/a%2Fincr/x"};

    for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++)
        ck_assert_msg(find("GET", targets[i]) == 404, "%s", targets[i]);
}
END_TEST

START_TEST(methods_that_a_path_lacks) {
    static const struct {
        const char *method, *target, *allow;
    } cases[] = {
        {"PATCH", "/keys/a", "GET, HEAD, PUT, DELETE, OPTIONS"},
        {"get", "/keys/a", "GET, HEAD, PUT, DELETE, OPTIONS"},
        {"DELETE", "/keys", "GET, HEAD, OPTIONS"},
        {"HEAD", "/keys/a/incr", "POST, OPTIONS"},
        {"PUT", "/lists/a/pop", "POST, OPTIONS"},
        {"GET", "/lists/a/0", "PUT, OPTIONS"},
        {"OPTIONS", "/lists/a", "GET, HEAD, POST, DELETE, OPTIONS"},
    };
    char allow[64];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ck_assert_msg(find(cases[i].method, cases[i].target) == 405, "%s", cases[i].target);
        routes_allow(&request, allow, sizeof(allow));
        ck_assert_str_eq(allow, cases[i].allow);
    }
    ck_assert_uint_eq(find("OPTIONS", "*"), 404);
    routes_allow(&request, allow, sizeof(allow));
    ck_assert_str_eq(allow, "GET, HEAD, PUT, POST, DELETE, OPTIONS");
}
END_TEST

START_TEST(parameters_that_a_route_does_not_know) {
    static const struct {
        const char *target, *bad;
    } cases[] = {
        {"/keys/a?ttl=1&nx", NULL},     {"/keys/a?by=1", "by"},
        {"/keys/a?ttl=1&ttl=2", "ttl"}, {"/keys/a?tt=1", "tt"},
        {"/keys/a?ttl_m=1", "ttl_m"},   {"/keys/a?=1", ""},
        {"/keys/a?TTL=1", "TTL"},       {"/keys/a?nx&color=red", "color"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct pair *bad;

        ck_assert_uint_eq(find("PUT", cases[i].target), 200);
        bad = route_bad_parameter(&request);
        ck_assert_msg((bad != NULL) == (cases[i].bad != NULL), "%s", cases[i].target);
        ck_assert(bad == NULL || slice_eq(bad->name, slice_str(cases[i].bad)));
    }
}
END_TEST

/* With an admin-port, what is the administrator's is nowhere else. */
START_TEST(routes_of_the_administrator) {
    static const char *const hidden[] = {"/stats", "/metrics", "/ui", "/ui/console.js"};
    static const char *const seen[] = {"/keys/stats", "/healthz", "/openapi.json"};
    char allow[64];

    for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++) {
        ck_assert_uint_eq(find("GET", hidden[i]), 200);
        request.public_port = true;
        ck_assert_uint_eq(route_find(&request), 404);
        request.method = SLICE_LIT("DELETE");
        ck_assert_uint_eq(route_find(&request), 404); /* and not 405, which would tell that it is there */
        routes_allow(&request, allow, sizeof(allow));
        ck_assert_str_eq(allow, "GET, HEAD, PUT, POST, DELETE, OPTIONS");
    }
    for (size_t i = 0; i < sizeof(seen) / sizeof(*seen); i++) {
        ck_assert_uint_eq(find("GET", seen[i]), 200);
        request.public_port = true;
        ck_assert_uint_eq(route_find(&request), 200);
    }
}
END_TEST

/* What route_of_path and route_find count on. */
START_TEST(the_table_is_in_order) {
    for (size_t i = 0; i < route_count; i++)
        for (size_t k = i + 1; k < route_count; k++) {
            ck_assert_msg(strcmp(route_table[i].operation, route_table[k].operation) != 0, "%s twice",
                          route_table[i].operation);
            ck_assert_msg(strcmp(route_table[i].template, route_table[k].template) != 0 ||
                              strcmp(route_table[k - 1].template, route_table[k].template) == 0,
                          "the rows of %s do not stand together", route_table[k].template);
        }
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("http_routes");
    TCase *t = tcase_create("all");

    tcase_add_test(t, requests_find_their_operation);
    tcase_add_test(t, paths_that_are_none);
    tcase_add_test(t, routes_of_the_administrator);
    tcase_add_test(t, methods_that_a_path_lacks);
    tcase_add_test(t, parameters_that_a_route_does_not_know);
    tcase_add_test(t, the_table_is_in_order);
    suite_add_tcase(s, t);
    return s;
}
