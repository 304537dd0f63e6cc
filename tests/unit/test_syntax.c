/* The syntax of rows: what is read of it, what is shown, what is no such thing. */
#include "command/syntax.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

/* All of a tree in a line: name:type/token@since~deprecated#key?+* (members) */
static void draw(const struct syntax *s, uint8_t at, char *out, size_t size) {
    const struct syntax_arg *arg = &s->args[at];
    char more[512] = "";

    snprintf(out, size, "%s:%s", syntax_name(s, at).text, syntax_type_name(arg->type));
    if (arg->token.ptr != NULL)
        snprintf(more + strlen(more), sizeof(more) - strlen(more), "/%.*s", (int)arg->token.len,
                 arg->token.ptr);
    if (arg->since.ptr != NULL)
        snprintf(more + strlen(more), sizeof(more) - strlen(more), "@%.*s", (int)arg->since.len,
                 arg->since.ptr);
    if (arg->deprecated.ptr != NULL)
        snprintf(more + strlen(more), sizeof(more) - strlen(more), "!%.*s", (int)arg->deprecated.len,
                 arg->deprecated.ptr);
    if (arg->key_spec >= 0)
        snprintf(more + strlen(more), sizeof(more) - strlen(more), "#%d", arg->key_spec);
    snprintf(more + strlen(more), sizeof(more) - strlen(more), "%s%s%s", arg->optional ? "?" : "",
             arg->multiple ? "*" : "", arg->multiple_token ? "*" : "");
    strncat(out, more, size - strlen(out) - 1);
    for (uint8_t i = arg->first; i != 0; i = s->args[i].next) {
        strncat(out, i == arg->first ? "(" : " ", size - strlen(out) - 1);
        draw(s, i, more, sizeof(more));
        strncat(out, more, size - strlen(out) - 1);
        strncat(out, s->args[i].next == 0 ? ")" : "", size - strlen(out) - 1);
    }
}

static const struct {
    const char *line, *tree, *shown;
} lines[] = {
    {"", ":block", ""},
    {"key", "key:block(key:key#0)", "key"},
    {"source destination", "source_destination:block(source:key#0 destination:key#1)", "source destination"},
    {"key1 key2#0", "key1_key2:block(key1:key#0 key2:key#0)", "key1 key2"},
    {"key increment<double>", "key_increment:block(key:key#0 increment:double)", "key increment"},
    {"key... timeout", "key_timeout:block(key:key#0* timeout:double)", "key [key ...] timeout"},
    {"[channel...]", "channel:block(channel:string?*)", "[channel [channel ...]]"},
    {"[NOW]@7.0.0", "now:block(now:pure-token/NOW@7.0.0?)", "[NOW]"},
    {"[change: CH]", "change:block(change:pure-token/CH?)", "[CH]"},
    {"[COUNT count]", "count:block(count:integer/COUNT?)", "[COUNT count]"},
    {"[LIMIT offset count]", "offset_count:block(offset_count:block/LIMIT?(offset:integer count:integer))",
     "[LIMIT offset count]"},
    {"[condition: NX | XX]@3.0.2",
     "condition:block(condition:oneof@3.0.2?(nx:pure-token/NX xx:pure-token/XX))", "[NX | XX]"},
    {"(where: LEFT | RIGHT)", "where:block(where:oneof(left:pure-token/LEFT right:pure-token/RIGHT))",
     "<LEFT | RIGHT>"},
    {"[AGGREGATE (SUM | MIN)]",
     "aggregate:block(aggregate:oneof/AGGREGATE?(sum:pure-token/SUM min:pure-token/MIN))",
     "[AGGREGATE <SUM | MIN>]"},
    {"[e: EX seconds@2.6.12 | KEEPTTL]",
     "e:block(e:oneof?(seconds:integer/EX@2.6.12 keepttl:pure-token/KEEPTTL))", "[EX seconds | KEEPTTL]"},
    {"{field value}...", "field_value:block(field_value:block*(field:string value:string))",
     "field value [field value ...]"},
    {"{pattern}...", "pattern:block(pattern:block*(pattern:pattern))", "pattern [pattern ...]"},
    {"[ID {id: client-id...}]", "id:block(id:block/ID?(client-id:integer*))",
     "[ID client-id [client-id ...]]"},
    {"[WEIGHTS weight...]", "weight:block(weight:integer/WEIGHTS?*)", "[WEIGHTS weight [weight ...]]"},
    {"[GET pattern#1]...", "pattern:block(pattern:pattern/GET#1?**)", "[GET pattern [GET pattern ...]]"},
    {"(a: {host-port: host port} | {no-one: NO ONE})",
     "a:block(a:oneof(host-port:block(host:string port:integer) no-one:block(no:pure-token/NO "
     "one:pure-token/ONE)))",
     "<host port | NO ONE>"},
    {"(f: FIELDS numfields field...)", "f:block(f:block/FIELDS(numfields:integer field:string*))",
     "FIELDS numfields field [field ...]"},
    {"[options: count [WITHVALUES]]",
     "options:block(options:block?(count:integer withvalues:pure-token/WITHVALUES?))",
     "[count [WITHVALUES]]"},
    {"(filter: ip:port!2.8.12 | [USER username])",
     "filter:block(filter:oneof(ip:port:string!2.8.12 username:string/USER?))",
     "<ip:port | [USER username]>"},
};

START_TEST(test_lines) {
    char tree[512];
    struct syntax s;

    ck_assert_msg(syntax_parse(lines[_i].line, &s), "%s", lines[_i].line);
    draw(&s, 0, tree, sizeof(tree));
    ck_assert_str_eq(tree, lines[_i].tree);
    ck_assert_str_eq(syntax_show(lines[_i].line).text, lines[_i].shown);
}
END_TEST

START_TEST(test_broken) {
    static const char *const broken[] = {
        "[",    "]",  "[]",    "()", "{}", "[a", "a]",  "(a]", "a)",  "a |",   "a | b", "[a |]", "[| a]",
        "[x:]", "a<", "a<int", "a@", "a#", "a!", "a<>", ".",   "...", "[EX ]", "a..",   "a.b",
    };
    struct syntax s;

    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        ck_assert_msg(!syntax_parse(broken[i], &s), "%s", broken[i]);
        ck_assert_str_eq(syntax_show(broken[i]).text, "");
    }
}
END_TEST

/* More arguments, and longer texts, than there is room for. */
START_TEST(test_limits) {
    static const char word[] = "a-name-that-is-rather-long ";
    char line[4096] = "";
    struct syntax s;

    for (size_t i = 0; i < SYNTAX_ARGS_MAX - 1; i++)
        memcpy(line + i * (sizeof(word) - 1), word, sizeof(word));
    ck_assert(syntax_parse(line, &s));
    ck_assert_uint_eq(syntax_members(&s, 0), SYNTAX_ARGS_MAX - 1);
    ck_assert_uint_eq(strlen(syntax_name(&s, 0).text), SYNTAX_NAME_MAX - 1);
    ck_assert_uint_eq(strlen(syntax_show(line).text), SYNTAX_SHOWN_MAX - 1);
    line[strlen(line)] = 'b';
    ck_assert(!syntax_parse(line, &s));
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("syntax");
    TCase *tc = tcase_create("syntax");

    tcase_add_loop_test(tc, test_lines, 0, sizeof(lines) / sizeof(*lines));
    tcase_add_test(tc, test_broken);
    tcase_add_test(tc, test_limits);
    suite_add_tcase(suite, tc);
    return suite;
}
