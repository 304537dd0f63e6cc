/* load.c - where options come from: defaults, then the file, then the environment, then the flags. */
#include <config.h>
#include <flashkv/options.h>
#include <jansson.h>
#include <stdio.h>

enum { WHY_MAX = 256 };

static bool complain(const char *where, const char *name, const char *why) {
    fprintf(stderr, "flashkv: %s %s: %s\n", where, name, why);
    return false;
}

/* ---- a name that was meant: the nearest by edit distance -------------------------------------------------------- */

static size_t edit_distance(const char *a, size_t a_len, const char *b) {
    enum { MAX = 40 };
    size_t row[MAX + 1], b_len = strlen(b);

    if (b_len > MAX)
        return MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t up = row[j], best = diagonal + (a[i - 1] != b[j - 1]);

            best = up + 1 < best ? up + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = up;
            row[j] = best;
        }
    }
    return row[b_len];
}

static bool unknown(const char *where, struct slice name) {
    const char *nearest = NULL;
    size_t best = 4; /* farther than this is no typing error */
    char why[WHY_MAX] = "unknown option, see --help", shown[64];

    for (size_t i = 0; i < option_count && name.len < 40; i++) {
        size_t d = edit_distance(name.ptr, name.len, option_table[i].name);

        if (d < best) {
            best = d;
            nearest = option_table[i].name;
        }
    }
    if (nearest != NULL)
        snprintf(why, sizeof(why), "unknown option, did you mean --%s?", nearest);
    snprintf(shown, sizeof(shown), "%.*s", (int)(name.len < 60 ? name.len : 60), name.ptr);
    return complain(where, shown, why);
}

static const struct option_row *find_by_name(struct slice name) {
    for (size_t i = 0; i < option_count; i++)
        if (slice_eq(name, slice_str(option_table[i].name)))
            return &option_table[i];
    return NULL;
}

static bool set(struct options *o, const struct option_row *row, const char *where, const char *shown,
                struct slice value) {
    char why[WHY_MAX];

    return option_set(o, row, value, why, sizeof(why)) || complain(where, shown, why);
}

/* ---- the sources -------------------------------------------------------------------------------------------------- */

static bool load_defaults(struct options *o) {
    for (size_t i = 0; i < option_count; i++)
        if (!set(o, &option_table[i], "default of", option_table[i].name,
                 slice_str(option_table[i].fallback)))
            return false;
    return true;
}

static bool set_from_json(struct options *o, const char *path, const char *name, const json_t *value) {
    const struct option_row *row = find_by_name(slice_str(name));
    char digits[32];

    if (row == NULL)
        return unknown(path, slice_str(name));
    if (json_is_string(value))
        return set(o, row, path, name, slice_of(json_string_value(value), json_string_length(value)));
    if (!json_is_integer(value))
        return complain(path, name, "expects a string or a whole number");
    snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return set(o, row, path, name, slice_str(digits));
}

static bool load_file(struct options *o, const char *path) {
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error), *value;
    char why[WHY_MAX];
    const char *name;
    bool ok = true;

    if (root == NULL) {
        if (error.line > 0)
            snprintf(why, sizeof(why), "line %d, column %d: %s", error.line, error.column, error.text);
        else
            snprintf(why, sizeof(why), "%s", error.text);
        return complain("config file", path, why);
    }
    if (!json_is_object(root))
        ok = complain("config file", path, "expects an object");
    else
        json_object_foreach(root, name, value) ok = ok && set_from_json(o, path, name, value);
    json_decref(root);
    return ok;
}

/* Variables that begin with FLASHKV_ and are no option's are let pass: Docker and Kubernetes make such names
 * (FLASHKV_SERVICE_HOST, FLASHKV_PORT) for a service called flashkv. */
static bool load_environment(struct options *o, char *const env[]) {
    for (size_t i = 0; i < option_count; i++) {
        struct option_env name = options_env_name(&option_table[i]);
        size_t len = strlen(name.name);

        for (char *const *e = env; *e != NULL; e++)
            if (strncmp(*e, name.name, len) == 0 && (*e)[len] == '=' &&
                !set(o, &option_table[i], "environment", name.name, slice_str(*e + len + 1)))
                return false;
    }
    return true;
}

/* One flag at argv[*i], with its value in it or behind it. */
static bool load_flag(struct options *o, int argc, char *const argv[], int *i) {
    const char *flag = argv[*i], *equals = strchr(flag, '=');
    struct slice name = slice_of(flag + 2, equals != NULL ? (size_t)(equals - flag - 2) : strlen(flag + 2));
    const struct option_row *row = find_by_name(name);
    char shown[64];

    snprintf(shown, sizeof(shown), "--%.*s", (int)(name.len < 60 ? name.len : 60), name.ptr);
    if (row == NULL)
        return unknown("flag", name);
    if (equals != NULL)
        return set(o, row, "flag", shown, slice_str(equals + 1));
    if (*i + 1 >= argc)
        return complain("flag", shown, "expects a value");
    return set(o, row, "flag", shown, slice_str(argv[++*i]));
}

static bool load_flags(struct options *o, int argc, char *const argv[], enum options_outcome *outcome) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--check") == 0)
            *outcome = OPTIONS_CHECK;
        else if (strncmp(argv[i], "--", 2) != 0)
            return complain("argument", argv[i], "unexpected, options begin with --");
        else if (!load_flag(o, argc, argv, &i))
            return false;
    }
    return true;
}

/* ---- --help and --version ------------------------------------------------------------------------------------------ */

static bool print(bool (*format)(struct buf *out)) {
    struct buf out = buf_make(64 * 1024);
    bool ok = format(&out) && fwrite(out.data, 1, out.len, stdout) == out.len;

    buf_free(&out);
    return ok;
}

static bool asked(int argc, char *const argv[], const char *flag) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], flag) == 0)
            return true;
    return false;
}

enum options_outcome options_load(struct options *o, int argc, char *const argv[], char *const env[]) {
    enum options_outcome outcome = OPTIONS_RUN;

    *o = (struct options){0};
    if (asked(argc, argv, "--help") || asked(argc, argv, "-h"))
        return print(options_help) ? OPTIONS_DONE : OPTIONS_BAD;
    if (asked(argc, argv, "--help-markdown")) /* README's table is made with this */
        return print(options_markdown) ? OPTIONS_DONE : OPTIONS_BAD;
    if (asked(argc, argv, "--version")) {
        puts(PACKAGE_STRING);
        return OPTIONS_DONE;
    }
    /* Flags and environment are read twice: they may name the file, and they win over it. */
    if (load_defaults(o) && load_environment(o, env) && load_flags(o, argc, argv, &outcome) &&
        (*o->config_file == '\0' ||
         (load_file(o, o->config_file) && load_environment(o, env) && load_flags(o, argc, argv, &outcome))))
        return outcome;
    options_free(o);
    return OPTIONS_BAD;
}
