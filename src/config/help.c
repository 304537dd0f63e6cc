/* help.c - the option table, for people. */
#include <ctype.h>
#include <flashkv/options.h>
#include <stdio.h>

struct option_env options_env_name(const struct option_row *row) {
    struct option_env env;

    snprintf(env.name, sizeof(env.name), "FLASHKV_%s", row->name);
    for (char *c = env.name; *c != '\0'; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    return env;
}

/* "0 to 65535", "text, json" */
static bool format_range(struct buf *out, const struct option_row *row) {
    bool ok = true;

    switch (row->type) {
    case OPTION_UINT:
    case OPTION_BYTES:
        return buf_printf(out, "%llu to %llu", (unsigned long long)row->min, (unsigned long long)row->max);
    case OPTION_TEXT:
        return buf_printf(out, "%s", row->unit);
    case OPTION_CHOICE:
        for (size_t i = 0; row->choices[i] != NULL; i++)
            ok = ok && buf_printf(out, "%s%s", i > 0 ? ", " : "", row->choices[i]);
        return ok;
    }
    return false;
}

bool options_help(struct buf *out) {
    bool ok = buf_printf(
        out, "Usage: flashkv [OPTION]...\n"
             "A key-value service: REST on one port, the Redis protocol on another, one store.\n\n"
             "Each option may also be set in the environment (the name in brackets) or in the JSON\n"
             "file of --config. A flag wins over the environment, that over the file.\n\n");

    for (size_t i = 0; i < option_count; i++) {
        const struct option_row *row = &option_table[i];

        ok = ok && buf_printf(out, "  --%s=%s  [%s]\n      %s.\n      ", row->name,
                              row->unit != NULL ? row->unit : "word", options_env_name(row).name, row->help);
        ok = ok && format_range(out, row) &&
             buf_printf(out, "; default %s\n", *row->fallback ? row->fallback : "none");
    }
    return ok &&
           buf_printf(
               out, "  --check\n      Asks the instance that these options describe whether it is ready.\n"
                    "  --help, --version\n\n"
                    "Exit status: 0 stopped by SIGTERM or SIGINT, or checked and ready; 1 could not start,\n"
                    "or not ready; 2 an option is wrong.\n");
}

bool options_markdown(struct buf *out) {
    bool ok =
        buf_printf(out, "| flag | environment | default | values | what it does |\n|---|---|---|---|---|\n");

    for (size_t i = 0; i < option_count; i++) {
        const struct option_row *row = &option_table[i];

        ok = ok &&
             buf_printf(out, "| `--%s` | `%s` | %s | ", row->name, options_env_name(row).name,
                        row->fallback) &&
             format_range(out, row) && buf_printf(out, " | %s |\n", row->help);
    }
    return ok;
}
