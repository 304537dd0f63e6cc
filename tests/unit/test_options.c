/* Options: each row of the table, the four sources and which of them wins, and what a mistake is answered. */
#include <flashkv/cgroup.h>
#include <flashkv/options.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

#define ROWS(table) (int)(sizeof(table) / sizeof(*(table)))

enum { ARGS_MAX = 8 };

static struct options o;
static char file[64]; /* path of the JSON file that write_file made, "" if none */
static char said[4096];

static char *no_env[] = {NULL};

static void write_file(const char *json) {
    int fd;

    snprintf(file, sizeof(file), "/tmp/flashkv-test-XXXXXX");
    fd = mkstemp(file);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, json, strlen(json)), (ssize_t)strlen(json));
    close(fd);
}

static void teardown(void) {
    options_free(&o);
    if (*file != '\0')
        unlink(file);
}

/* Loads with the flags up to NULL; what goes to stderr is in `said`. */
static enum options_outcome load(char *const flags[], char *const env[]) {
    char *argv[ARGS_MAX] = {"flashkv"};
    enum options_outcome outcome;
    FILE *capture = tmpfile();
    int argc = 1, saved = dup(STDERR_FILENO);
    size_t n;

    while (argc < ARGS_MAX && flags[argc - 1] != NULL) {
        argv[argc] = flags[argc - 1];
        argc++;
    }
    ck_assert_ptr_nonnull(capture);
    dup2(fileno(capture), STDERR_FILENO);
    outcome = options_load(&o, argc, argv, env);
    options_warn_unknown(env);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(capture);
    n = fread(said, 1, sizeof(said) - 1, capture);
    said[n] = '\0';
    fclose(capture);
    return outcome;
}

static const struct option_row *row_of(const char *name) {
    const struct option_row *row = option_find(slice_str(name));

    ck_assert_ptr_nonnull(row);
    return row;
}

static const char *value_of(const char *name) {
    static char text[4096];
    struct buf out = buf_make(sizeof(text) - 1);

    ck_assert(option_format(&o, row_of(name), &out));
    memcpy(text, out.data != NULL ? out.data : "", out.len);
    text[out.len] = '\0';
    buf_free(&out);
    return text;
}

/* ---- the table ------------------------------------------------------------------------------------------------ */

START_TEST(every_row_is_sound) {
    const struct option_row *row = &option_table[_i];
    char why[256];

    ck_assert_ptr_eq(option_find(slice_str(row->name)), row); /* unique */
    ck_assert(row->redis_name == NULL || option_find(slice_str(row->redis_name)) == row);
    ck_assert_uint_gt(strlen(row->help), 5);
    ck_assert_int_ne(row->help[strlen(row->help) - 1], '.'); /* --help adds it */
    ck_assert_ptr_null(strchr(row->help, '|'));              /* would break README's table */
    ck_assert(row->group != NULL && (row->unit != NULL) == (row->type != OPTION_CHOICE));
    ck_assert((row->choices != NULL) == (row->type == OPTION_CHOICE));
    ck_assert(option_set(&o, row, slice_str(row->fallback), why, sizeof(why)));
}
END_TEST

/* A field of struct options that no row fills would stay 0 for ever; two rows must not share one. */
START_TEST(every_field_has_its_row) {
    enum { FIELDS = sizeof(struct options) / sizeof(uint64_t) };
    bool filled[FIELDS] = {false};

    ck_assert_uint_eq(option_count, FIELDS);
    for (size_t i = 0; i < option_count; i++) {
        ck_assert_uint_lt(option_table[i].offset, sizeof(struct options));
        ck_assert(!filled[option_table[i].offset / sizeof(uint64_t)]);
        filled[option_table[i].offset / sizeof(uint64_t)] = true;
    }
}
END_TEST

START_TEST(range_is_enforced_at_both_ends) {
    const struct option_row *row = &option_table[_i];
    bool number = row->type == OPTION_UINT || row->type == OPTION_LIVE_UINT || row->type == OPTION_BYTES ||
                  row->type == OPTION_MEMORY;
    char text[32], why[256] = "";

    if (!number)
        return;
    snprintf(text, sizeof(text), "%llu", (unsigned long long)row->min);
    ck_assert(option_set(&o, row, slice_str(text), why, sizeof(why)));
    snprintf(text, sizeof(text), "%llu", (unsigned long long)row->max);
    ck_assert(option_set(&o, row, slice_str(text), why, sizeof(why)));
    ck_assert_str_eq(why, "");
    snprintf(text, sizeof(text), "%llu", (unsigned long long)row->max + 1);
    ck_assert(!option_set(&o, row, slice_str(text), why, sizeof(why)));
    ck_assert_int_eq(strncmp(why, "expects ", 8), 0);
    snprintf(text, sizeof(text), "%lld", (long long)row->min - 1);
    ck_assert(!option_set(&o, row, slice_str(text), why, sizeof(why)));
    ck_assert(!option_set(&o, row, SLICE_LIT(""), why, sizeof(why)));
}
END_TEST

START_TEST(a_refused_value_changes_nothing) {
    char why[256];

    ck_assert_int_eq(load((char *[]){"--bind=::1", NULL}, no_env), OPTIONS_RUN);
    ck_assert(!option_set(&o, row_of("http-port"), SLICE_LIT("x"), why, sizeof(why)));
    ck_assert(!option_set(&o, row_of("log-level"), SLICE_LIT("loud"), why, sizeof(why)));
    ck_assert_str_eq(why, "expects one of debug, info, warn, error");
    ck_assert(!option_set(&o, row_of("bind"), SLICE_LIT("a\0b"), why, sizeof(why)));
    ck_assert_str_eq(value_of("http-port"), "8080");
    ck_assert_str_eq(value_of("log-level"), "info");
    ck_assert_str_eq(value_of("bind"), "::1");
}
END_TEST

/* A choice of no and yes may stand alone. */
START_TEST(a_switch_needs_no_value) {
    ck_assert_int_eq(load((char *[]){"--open", NULL}, no_env), OPTIONS_RUN);
    ck_assert_str_eq(value_of("open"), "yes");
    options_free(&o);
    ck_assert_int_eq(load((char *[]){"--open", "--bind=::1", NULL}, no_env), OPTIONS_RUN);
    ck_assert_str_eq(value_of("open"), "yes");
    ck_assert_str_eq(value_of("bind"), "::1");
    options_free(&o);
    ck_assert_int_eq(load((char *[]){"--open", "no", NULL}, no_env), OPTIONS_RUN);
    ck_assert_str_eq(value_of("open"), "no");
    options_free(&o);
    ck_assert_int_eq(load((char *[]){"--open=perhaps", NULL}, no_env), OPTIONS_BAD);
    ck_assert_int_eq(load((char *[]){"--log-level", NULL}, no_env), OPTIONS_BAD); /* other choices do not */
}
END_TEST

START_TEST(a_reason_fits_its_room) {
    char why[8] = "1234567";

    ck_assert(!option_set(&o, row_of("http-port"), SLICE_LIT("x"), why, sizeof(why)));
    ck_assert_ptr_nonnull(memchr(why, '\0', sizeof(why)));
}
END_TEST

START_TEST(find_knows_redis_names_in_any_case) {
    ck_assert_ptr_eq(option_find(SLICE_LIT("MaxClients")), row_of("max-connections"));
    ck_assert_ptr_eq(option_find(SLICE_LIT("port")), row_of("resp-port"));
    ck_assert_ptr_eq(option_find(SLICE_LIT("HTTP-PORT")), row_of("http-port"));
    ck_assert_ptr_null(option_find(SLICE_LIT("")));
    ck_assert_ptr_null(option_find(SLICE_LIT("http-por")));
}
END_TEST

START_TEST(environment_names_come_from_the_row) {
    ck_assert_str_eq(options_env_name(row_of("http-port")).name, "FLASHKV_HTTP_PORT");
    ck_assert_str_eq(options_env_name(row_of("max-request-bytes")).name, "FLASHKV_MAX_REQUEST_BYTES");
}
END_TEST

/* ---- the sources ------------------------------------------------------------------------------------------------ */

START_TEST(defaults) {
    ck_assert_int_eq(load((char *[]){NULL}, no_env), OPTIONS_RUN);
    ck_assert_str_eq(said, "");
    ck_assert_str_eq(o.bind, "127.0.0.1");
    ck_assert_uint_eq(o.http_port, 8080);
    ck_assert_uint_eq(o.resp_port, 6379);
    ck_assert_uint_eq(o.max_connections, 10000);
    ck_assert_uint_eq(o.max_key_bytes, 64 * 1024);
    ck_assert_uint_eq(o.max_value_bytes, 512 * 1024 * 1024);
    ck_assert_uint_eq(o.log_level, LOG_INFO);
    ck_assert_uint_eq(o.log_format, LOG_TEXT);
    ck_assert_str_eq(o.config_file, "");
}
END_TEST

START_TEST(flags_with_and_without_equals) {
    ck_assert_int_eq(load((char *[]){"--http-port=1", "--resp-port", "2", "--max-value-bytes=3kb",
                                     "--log-format", "JSON", NULL},
                          no_env),
                     OPTIONS_RUN);
    ck_assert_uint_eq(o.http_port, 1);
    ck_assert_uint_eq(o.resp_port, 2);
    ck_assert_uint_eq(o.max_value_bytes, 3072);
    ck_assert_uint_eq(o.log_format, LOG_JSON);
    ck_assert_str_eq(value_of("log-format"), "json");
}
END_TEST

START_TEST(the_last_of_repeated_flags_wins) {
    ck_assert_int_eq(load((char *[]){"--http-port=1", "--http-port=2", NULL}, no_env), OPTIONS_RUN);
    ck_assert_uint_eq(o.http_port, 2);
}
END_TEST

/* http-port is in all three, resp-port in two, max-args in the file alone. */
START_TEST(flag_over_environment_over_file) {
    char path[80];
    char *env[] = {path, "FLASHKV_HTTP_PORT=20", "FLASHKV_RESP_PORT=21", "OTHER=1", NULL};

    write_file("{\"http-port\": 30, \"resp-port\": 31, \"max-args\": \"32\", \"max-key-bytes\": \"1kb\"}");
    snprintf(path, sizeof(path), "FLASHKV_CONFIG=%s", file);
    ck_assert_int_eq(load((char *[]){"--http-port=10", NULL}, env), OPTIONS_RUN);
    ck_assert_str_eq(said, "");
    ck_assert_uint_eq(o.http_port, 10);
    ck_assert_uint_eq(o.resp_port, 21);
    ck_assert_uint_eq(o.max_args, 32);
    ck_assert_uint_eq(o.max_key_bytes, 1024);
    ck_assert_uint_eq(o.max_connections, 10000);
}
END_TEST

START_TEST(the_flag_for_the_file_wins_too) {
    char flag[80];
    char *env[] = {"FLASHKV_CONFIG=/nowhere/at/all.json", NULL};

    write_file("{\"http-port\": 30}");
    snprintf(flag, sizeof(flag), "--config=%s", file);
    ck_assert_int_eq(load((char *[]){flag, NULL}, env), OPTIONS_RUN);
    ck_assert_uint_eq(o.http_port, 30);
}
END_TEST

START_TEST(check_is_an_outcome_of_its_own) {
    ck_assert_int_eq(load((char *[]){"--check", "--http-port=1", NULL}, no_env), OPTIONS_CHECK);
    ck_assert_uint_eq(o.http_port, 1);
}
END_TEST

/* ---- mistakes ----------------------------------------------------------------------------------------------------- */

static const struct {
    char *flags[3];
    const char *complaint;
} bad_flags[] = {
    {{"--http-prt=1"}, "flashkv: --http-prt: unknown option, did you mean --http-port?\n"},
    {{"--HTTP-PORT=1"}, "flashkv: --HTTP-PORT: unknown option, did you mean --http-port?\n"},
    {{"--maxclients", "5"}, "flashkv: --maxclients: unknown option, did you mean --max-connections?\n"},
    {{"--completely-different"}, "flashkv: --completely-different: unknown option, see --help\n"},
    {{"--"}, "flashkv: --: unknown option, see --help\n"},
    {{"--=1"}, "flashkv: --: unknown option, see --help\n"},
    {{"--http-port"}, "flashkv: --http-port: expects a value\n"},
    {{"--http-port="}, "flashkv: --http-port \"\": expects 0 to 65535 (port)\n"},
    {{"--http-port=65536"}, "flashkv: --http-port \"65536\": expects 0 to 65535 (port)\n"},
    {{"--http-port", "0x50"}, "flashkv: --http-port \"0x50\": expects 0 to 65535 (port)\n"},
    {{"--http-port=-1"}, "flashkv: --http-port \"-1\": expects 0 to 65535 (port)\n"},
    {{"--max-key-bytes=65kb"},
     "flashkv: --max-key-bytes \"65kb\": expects 1 to 64kb (bytes; kb, mb or gb may follow)\n"},
    {{"--maxmemory=101%"},
     "flashkv: --maxmemory \"101%\": expects bytes, or 1% to 100% (bytes or %; kb, mb "
     "or gb may "
     "follow)\n"},
    {{"--maxmemory=0%"},
     "flashkv: --maxmemory \"0%\": expects bytes, or 1% to 100% (bytes or %; kb, mb "
     "or gb may "
     "follow)\n"},
    {{"--log-level=loud"}, "flashkv: --log-level \"loud\": expects one of debug, info, warn, error\n"},
    {{"--bind="}, "flashkv: --bind \"\": expects 1 to 4096 characters (address,...)\n"},
    {{"8080"}, "flashkv: argument 8080: unexpected, options begin with --\n"},
    {{"-p", "8080"}, "flashkv: argument -p: unexpected, options begin with --\n"},
};

START_TEST(bad_flag) {
    ck_assert_int_eq(load(bad_flags[_i].flags, no_env), OPTIONS_BAD);
    ck_assert_str_eq(said, bad_flags[_i].complaint);
}
END_TEST

/* A percentage is of what the process may use: half of it is half of all of it. */
START_TEST(a_share_of_the_memory) {
    uint64_t all, there = resources_find("").memory;

    ck_assert_int_eq(load((char *[]){"--maxmemory=100%", NULL}, no_env), OPTIONS_RUN);
    all = o.max_memory;
    ck_assert_uint_le(all, there);
    ck_assert_uint_gt(all + 100, there);
    options_free(&o);
    ck_assert_int_eq(load((char *[]){"--maxmemory=50%", NULL}, no_env), OPTIONS_RUN);
    ck_assert_uint_eq(o.max_memory, all / 2);
    options_free(&o);
    ck_assert_int_eq(load((char *[]){"--maxmemory=3mb", NULL}, no_env), OPTIONS_RUN);
    ck_assert_uint_eq(o.max_memory, 3 << 20);
}
END_TEST

START_TEST(a_long_mistake_is_cut) {
    char flag[6000];

    memset(flag, 'x', sizeof(flag));
    memcpy(flag, "--", 2);
    flag[sizeof(flag) - 1] = '\0';
    ck_assert_int_eq(load((char *[]){flag, NULL}, no_env), OPTIONS_BAD);
    ck_assert_uint_lt(strlen(said), 200);
}
END_TEST

static const struct {
    const char *json, *complaint; /* what it begins with: the rest of a syntax error is jansson's */
} bad_files[] = {
    {"{\"http-prt\": 1}", ": http-prt: unknown option, did you mean http-port?\n"},
    {"{\"http-port\": 65536}", ": http-port \"65536\": expects 0 to 65535 (port)\n"},
    {"{\"http-port\": -1}", ": http-port \"-1\": expects 0 to 65535 (port)\n"},
    {"{\"http-port\": 80.5}", ": http-port: expects a string or a whole number\n"},
    {"{\"http-port\": true}", ": http-port: expects a string or a whole number\n"},
    {"{\"http-port\": null}", ": http-port: expects a string or a whole number\n"},
    {"{\"http-port\": [1]}", ": http-port: expects a string or a whole number\n"},
    {"{\"http-port\": \"\"}", ": http-port \"\": expects 0 to 65535 (port)\n"},
    {"{\"http-port\": 1, \"http-port\": 2}", ": line 1, column "},
    {"{\"config\": \"x\"}", ": config: only a flag or the environment can name the file\n"},
    {"{\n\"http-port\" 1}", ": line 2, column "},
    {"[]", ": expects a JSON object, {\"http-port\": 8080}\n"},
    {"", ": line 1, column "},
};

START_TEST(bad_file) {
    char flag[80], expected[512];

    write_file(bad_files[_i].json);
    snprintf(flag, sizeof(flag), "--config=%s", file);
    snprintf(expected, sizeof(expected), "flashkv: config file %s%s", file, bad_files[_i].complaint);
    ck_assert_int_eq(load((char *[]){flag, NULL}, no_env), OPTIONS_BAD);
    ck_assert_msg(strncmp(said, expected, strlen(expected)) == 0, "%s", said);
    ck_assert_int_eq(said[strlen(said) - 1], '\n');
}
END_TEST

START_TEST(a_missing_file_is_a_mistake) {
    ck_assert_int_eq(load((char *[]){"--config=/nowhere.json", NULL}, no_env), OPTIONS_BAD);
    ck_assert_str_eq(said, "flashkv: config file /nowhere.json: unable to open /nowhere.json: "
                           "No such file or directory\n");
}
END_TEST

START_TEST(bad_value_in_the_environment) {
    ck_assert_int_eq(load((char *[]){NULL}, (char *[]){"FLASHKV_HTTP_PORT=http", NULL}), OPTIONS_BAD);
    ck_assert_str_eq(said, "flashkv: environment FLASHKV_HTTP_PORT \"http\": expects 0 to 65535 (port)\n");
}
END_TEST

START_TEST(an_unknown_variable_is_a_warning) {
    char *env[] = {"FLASHKV_HTP_PORT=1", "FLASHKV_COLOUR=blue", "FLASHKV=1", "FLASHKV_", NULL};

    ck_assert_int_eq(load((char *[]){NULL}, env), OPTIONS_RUN);
    ck_assert_ptr_nonnull(
        strstr(said, "FLASHKV_HTP_PORT: unknown option, ignored; did you mean FLASHKV_HTTP_PORT?\n"));
    ck_assert_ptr_nonnull(strstr(said, "FLASHKV_COLOUR: unknown option, ignored\n"));
    ck_assert_ptr_null(strstr(said, "FLASHKV:"));
}
END_TEST

/* What Kubernetes sets in every pod beside services called flashkv and flashkv-http. */
START_TEST(variables_of_an_orchestrator_are_let_pass) {
    char *env[] = {"FLASHKV_SERVICE_HOST=10.0.0.1",         "FLASHKV_SERVICE_PORT=80",
                   "FLASHKV_SERVICE_PORT_HTTP=80",          "FLASHKV_PORT=tcp://10.0.0.1:80",
                   "FLASHKV_PORT_80_TCP=tcp://10.0.0.1:80", "FLASHKV_PORT_80_TCP_PROTO=tcp",
                   "FLASHKV_HTTP_PORT=tcp://10.0.0.2:80",   NULL};

    ck_assert_int_eq(load((char *[]){NULL}, env), OPTIONS_RUN);
    ck_assert_str_eq(said, "");
    ck_assert_uint_eq(o.http_port, 8080);
}
END_TEST

/* ---- for people ------------------------------------------------------------------------------------------------- */

START_TEST(help_and_markdown_show_every_option) {
    struct buf help = buf_make(1 << 20), markdown = buf_make(1 << 20);

    ck_assert(options_help(&help) && buf_append(&help, "", 1));
    ck_assert(options_markdown(&markdown) && buf_append(&markdown, "", 1));
    for (size_t i = 0; i < option_count; i++) {
        struct option_env env = options_env_name(&option_table[i]);

        ck_assert(strstr(help.data, option_table[i].help) && strstr(help.data, env.name));
        ck_assert(strstr(markdown.data, option_table[i].help) && strstr(markdown.data, env.name));
    }
    ck_assert_ptr_nonnull(strstr(help.data, "0 to 65535; default 8080\n"));
    ck_assert_ptr_nonnull(strstr(help.data, "1 to 4095mb; default 512mb\n"));
    for (size_t line = 0; line < help.len - 1; line += strcspn(help.data + line, "\n") + 1)
        ck_assert_uint_le(strcspn(help.data + line, "\n"), 100);
    buf_free(&help);
    buf_free(&markdown);
}
END_TEST

START_TEST(help_refuses_a_buffer_too_small) {
    struct buf out = buf_make(1000);

    ck_assert(!options_help(&out));
    ck_assert(!options_markdown(&out));
    buf_free(&out);
}
END_TEST

static TCase *source_tests(void) {
    TCase *tc = tcase_create("sources");

    tcase_add_checked_fixture(tc, NULL, teardown);
    tcase_add_test(tc, defaults);
    tcase_add_test(tc, flags_with_and_without_equals);
    tcase_add_test(tc, the_last_of_repeated_flags_wins);
    tcase_add_test(tc, flag_over_environment_over_file);
    tcase_add_test(tc, the_flag_for_the_file_wins_too);
    tcase_add_test(tc, check_is_an_outcome_of_its_own);
    tcase_add_loop_test(tc, bad_flag, 0, ROWS(bad_flags));
    tcase_add_test(tc, a_long_mistake_is_cut);
    tcase_add_test(tc, a_share_of_the_memory);
    tcase_add_loop_test(tc, bad_file, 0, ROWS(bad_files));
    tcase_add_test(tc, a_missing_file_is_a_mistake);
    tcase_add_test(tc, bad_value_in_the_environment);
    tcase_add_test(tc, an_unknown_variable_is_a_warning);
    tcase_add_test(tc, variables_of_an_orchestrator_are_let_pass);
    return tc;
}

Suite *test_suite(void) {
    Suite *suite = suite_create("options");
    TCase *tc = tcase_create("table");

    tcase_add_checked_fixture(tc, NULL, teardown);
    tcase_add_loop_test(tc, every_row_is_sound, 0, (int)option_count);
    tcase_add_test(tc, every_field_has_its_row);
    tcase_add_loop_test(tc, range_is_enforced_at_both_ends, 0, (int)option_count);
    tcase_add_test(tc, a_refused_value_changes_nothing);
    tcase_add_test(tc, a_switch_needs_no_value);
    tcase_add_test(tc, a_reason_fits_its_room);
    tcase_add_test(tc, find_knows_redis_names_in_any_case);
    tcase_add_test(tc, environment_names_come_from_the_row);
    tcase_add_test(tc, help_and_markdown_show_every_option);
    tcase_add_test(tc, help_refuses_a_buffer_too_small);
    suite_add_tcase(suite, tc);
    suite_add_tcase(suite, source_tests());
    return suite;
}
