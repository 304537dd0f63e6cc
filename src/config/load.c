/* load.c - loads options from defaults, then the file, then the environment, then the flags. */
#include <config.h>
#include <errno.h>
#include <flashkv/options.h>
#include <jansson.h>
#include <stdio.h>

enum { WHY_MAX = 256, SHOWN_MAX = 60 };

static const char flag[] = "--";
static const char environment[] = "environment ";

/* Prints "flashkv: --http-port "x": expects ...", the value only if there is one. `from` precedes the name and says
 * where the option was set. Returns false. */
static bool complain(const char *from, struct slice name, struct slice value, const char *why) {
    fprintf(stderr, "flashkv: %s%.*s", from, (int)(name.len < SHOWN_MAX ? name.len : SHOWN_MAX), name.ptr);
    if (value.ptr != NULL)
        fprintf(stderr, " \"%.*s\"", (int)(value.len < SHOWN_MAX ? value.len : SHOWN_MAX), value.ptr);
    fprintf(stderr, ": %s\n", why);
    return false;
}

static const struct slice no_value = {NULL, 0};

/* ---- suggestions for misspelt names ------------------------------------------------------------------------------ */

/* The edit distance of two names, regardless of case. */
static size_t edit_distance(struct slice a, const char *b) {
    enum { MAX = 40 };
    size_t row[MAX + 1], b_len = strlen(b);

    if (a.len > MAX || b_len > MAX)
        return MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t up = row[j], best = diagonal + (strncasecmp(&a.ptr[i - 1], &b[j - 1], 1) != 0);

            best = up + 1 < best ? up + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = up;
            row[j] = best;
        }
    }
    return row[b_len];
}

/* The option that an unknown `name` may mean: by its name in Redis, or a typing error away. */
static const struct option_row *nearest(struct slice name) {
    enum { TYPING_ERRORS = 3 };
    const struct option_row *found = option_find(name);
    size_t best = TYPING_ERRORS + 1;

    for (size_t i = 0; i < option_count && found == NULL; i++) {
        size_t d = edit_distance(name, option_table[i].name);

        best = d < best ? d : best;
    }
    for (size_t i = 0; i < option_count && found == NULL && best <= TYPING_ERRORS; i++)
        if (edit_distance(name, option_table[i].name) == best)
            found = &option_table[i];
    return found;
}

static bool complain_unknown(const char *from, struct slice name) {
    const struct option_row *meant = nearest(name);
    char why[WHY_MAX] = "unknown option, see --help";

    if (meant != NULL)
        snprintf(why, sizeof(why), "unknown option, did you mean %s%s?", from == flag ? flag : "",
                 meant->name);
    return complain(from, name, no_value, why);
}

static const struct option_row *find_by_name(struct slice name) {
    for (size_t i = 0; i < option_count; i++)
        if (slice_eq(name, slice_str(option_table[i].name)))
            return &option_table[i];
    return NULL;
}

static bool set(struct options *o, const struct option_row *row, const char *from, struct slice name,
                struct slice value) {
    char why[WHY_MAX];

    return option_set(o, row, value, why, sizeof(why)) || complain(from, name, value, why);
}

static bool load_defaults(struct options *o) {
    for (size_t i = 0; i < option_count; i++)
        if (!set(o, &option_table[i], "default of ", slice_str(option_table[i].name),
                 slice_str(option_table[i].fallback)))
            return false;
    return true;
}

/* ---- the file ----------------------------------------------------------------------------------------------------- */

static bool set_from_json(struct options *o, const char *file, struct slice name, const json_t *value) {
    const struct option_row *row = find_by_name(name);
    char digits[32];

    if (row == NULL)
        return complain_unknown(file, name);
    if (row->offset == offsetof(struct options, config_file))
        return complain(file, name, no_value, "only a flag or the environment can name the file");
    if (json_is_string(value))
        return set(o, row, file, name, slice_of(json_string_value(value), json_string_length(value)));
    if (!json_is_integer(value))
        return complain(file, name, no_value, "expects a string or a whole number");
    snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return set(o, row, file, name, slice_str(digits));
}

static bool load_file(struct options *o) {
    static const char whole[] = "config file ";
    char member[WHY_MAX], why[WHY_MAX];
    json_error_t error;
    json_t *root = json_load_file(o->config_file, JSON_REJECT_DUPLICATES, &error), *value;
    struct slice path = slice_str(o->config_file);
    const char *name;
    bool ok = true;

    snprintf(member, sizeof(member), "%s%.*s: ", whole, SHOWN_MAX, o->config_file);
    if (root == NULL && error.line > 0) {
        snprintf(why, sizeof(why), "line %d, column %d: %s", error.line, error.column, error.text);
        return complain(whole, path, no_value, why);
    }
    if (root == NULL)
        return complain(whole, path, no_value, error.text);
    if (!json_is_object(root))
        ok = complain(whole, path, no_value, "expects a JSON object, {\"http-port\": 8080}");
    else
        json_object_foreach(root, name, value) ok = ok && set_from_json(o, member, slice_str(name), value);
    json_decref(root);
    return ok;
}

/* ---- the environment ---------------------------------------------------------------------------------------------- */

/* Docker's links and Kubernetes make variables for every service that runs: for one called flashkv they are
 * FLASHKV_SERVICE_HOST, FLASHKV_PORT=tcp://10.0.0.1:80, FLASHKV_PORT_80_TCP and more; for one called
 * flashkv-http even FLASHKV_HTTP_PORT=tcp://10.0.0.1:80. They are not options and must not be errors. */
static bool made_by_orchestrator(const char *variable) {
    static const char *const names[] = {"FLASHKV_SERVICE_", "FLASHKV_PORT_", "FLASHKV_ENV_", "FLASHKV_NAME="};
    static const char *const values[] = {"=tcp://", "=udp://", "=sctp://"};
    const char *value = strchr(variable, '=');

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    for (size_t i = 0; i < sizeof(values) / sizeof(*values) && value != NULL; i++)
        if (strncmp(value, values[i], strlen(values[i])) == 0)
            return true;
    return false;
}

/* The row that "FLASHKV_HTTP_PORT=..." sets, or NULL. */
static const struct option_row *find_by_variable(const char *variable) {
    for (size_t i = 0; i < option_count; i++) {
        struct option_env env = options_env_name(&option_table[i]);
        size_t len = strlen(env.name);

        if (strncmp(variable, env.name, len) == 0 && variable[len] == '=')
            return &option_table[i];
    }
    return NULL;
}

static bool load_environment(struct options *o, char *const env[]) {
    for (char *const *e = env; *e != NULL; e++) {
        const struct option_row *row = find_by_variable(*e);
        size_t len = strcspn(*e, "=");

        if (row != NULL && !made_by_orchestrator(*e) &&
            !set(o, row, environment, slice_of(*e, len), slice_str(*e + len + 1)))
            return false;
    }
    return true;
}

void options_warn_unknown(char *const env[]) {
    static const char start[] = "FLASHKV_";

    for (char *const *e = env; *e != NULL; e++) {
        int len = (int)strcspn(*e, "=");
        const struct option_row *meant;
        char name[48];

        if (strncmp(*e, start, strlen(start)) != 0 || find_by_variable(*e) != NULL ||
            made_by_orchestrator(*e))
            continue;
        snprintf(name, sizeof(name), "%.*s", len - (int)strlen(start), *e + strlen(start));
        for (char *c = name; *c != '\0'; c++)
            *c = *c == '_' ? '-' : *c;
        meant = nearest(slice_str(name));
        if (meant != NULL)
            log_warn("%s%.*s: unknown option, ignored; did you mean %s?", environment, len, *e,
                     options_env_name(meant).name);
        else
            log_warn("%s%.*s: unknown option, ignored", environment, len, *e);
    }
}

/* ---- the flags ------------------------------------------------------------------------------------------------------ */

static bool is_switch(const struct option_row *row) {
    return row->choices != NULL && strcmp(row->choices[0], "no") == 0 && strcmp(row->choices[1], "yes") == 0;
}

/* One flag at argv[*i], its value in the same or in the next argument. */
static bool load_flag(struct options *o, int argc, char *const argv[], int *i) {
    const char *text = argv[*i] + strlen(flag), *equals = strchr(text, '=');
    struct slice name = slice_of(text, equals != NULL ? (size_t)(equals - text) : strlen(text));
    const struct option_row *row = find_by_name(name);

    if (row == NULL)
        return complain_unknown(flag, name);
    if (equals != NULL)
        return set(o, row, flag, name, slice_str(equals + 1));
    if (is_switch(row) && (*i + 1 >= argc || strncmp(argv[*i + 1], flag, strlen(flag)) == 0))
        return set(o, row, flag, name, SLICE_LIT("yes"));
    if (*i + 1 >= argc)
        return complain(flag, name, no_value, "expects a value");
    return set(o, row, flag, name, slice_str(argv[++*i]));
}

/* Flags that do something with a data directory instead of running the server. */
static const struct {
    const char *name;
    enum options_outcome outcome;
} about_data[] = {{"verify", OPTIONS_VERIFY}, {"repair", OPTIONS_REPAIR}, {"dump-resp", OPTIONS_DUMP}};

/* Is the flag at argv[*i] one of them? Then its directory is the data-dir. */
static bool is_about_data(struct options *o, int argc, char *const argv[], int *i,
                          enum options_outcome *outcome) {
    for (size_t k = 0; k < sizeof(about_data) / sizeof(*about_data); k++)
        if (strcmp(argv[*i] + strlen(flag), about_data[k].name) == 0 && *i + 1 < argc) {
            *outcome = about_data[k].outcome;
            return set(o, find_by_name(SLICE_LIT("data-dir")), flag, slice_str(about_data[k].name),
                       slice_str(argv[++*i]));
        }
    return false;
}

static bool load_flags(struct options *o, int argc, char *const argv[], enum options_outcome *outcome) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--check") == 0)
            *outcome = OPTIONS_CHECK;
        else if (strncmp(argv[i], flag, strlen(flag)) != 0)
            return complain("argument ", slice_str(argv[i]), no_value, "unexpected, options begin with --");
        else if (!is_about_data(o, argc, argv, &i, outcome) && !load_flag(o, argc, argv, &i))
            return false;
    }
    return true;
}

/* ---- secrets in files ------------------------------------------------------------------------------------------------ */

/* The first line of the file of --requirepass-file becomes the password. */
static bool load_secret(struct options *o) {
    static const char from[] = "password file ";
    const struct option_row *row = find_by_name(SLICE_LIT("requirepass"));
    char line[1024] = "", why[WHY_MAX];
    struct slice path = slice_str(o->requirepass_file);
    FILE *file;
    bool ok;

    if (path.len == 0)
        return true;
    if (*o->requirepass != '\0')
        return complain(from, path, no_value, "requirepass is set too, only one of them can be");
    file = fopen(o->requirepass_file, "re");
    if (file == NULL)
        return complain(from, path, no_value, strerror(errno));
    ok = fgets(line, sizeof(line), file) != NULL;
    fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    if (!ok || *line == '\0')
        return complain(from, path, no_value, "its first line is empty");
    return option_set(o, row, slice_str(line), why, sizeof(why)) || complain(from, path, no_value, why);
}

/* ---- --help and --version ------------------------------------------------------------------------------------------ */

static bool print(bool (*format)(struct buf *out)) {
    struct buf out = buf_make(64 * 1024);
    bool ok = format(&out) && fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;

    buf_free(&out);
    return ok;
}

static bool asked(int argc, char *const argv[], const char *what) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], what) == 0)
            return true;
    return false;
}

enum options_outcome options_load(struct options *o, int argc, char *const argv[], char *const env[]) {
    enum options_outcome outcome = OPTIONS_RUN;

    *o = (struct options){0};
    if (asked(argc, argv, "--help") || asked(argc, argv, "-h"))
        return print(options_help) ? OPTIONS_DONE : OPTIONS_BAD;
    if (asked(argc, argv, "--help-markdown")) /* for README's table and the manual */
        return print(options_markdown) ? OPTIONS_DONE : OPTIONS_BAD;
    if (asked(argc, argv, "--version")) {
        puts(PACKAGE_STRING);
        return OPTIONS_DONE;
    }
    /* Flags and environment are read twice: they may name the file, and they override it. */
    if (load_defaults(o) && load_environment(o, env) && load_flags(o, argc, argv, &outcome) &&
        (*o->config_file == '\0' ||
         (load_file(o) && load_environment(o, env) && load_flags(o, argc, argv, &outcome))) &&
        load_secret(o))
        return outcome;
    options_free(o);
    return OPTIONS_BAD;
}
