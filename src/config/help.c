/* help.c - the option table as --help and as Markdown. */
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

/* The accepted values; a long list of words gets lines of its own. */
static bool help_range(struct buf *out, const struct option_row *row) {
    enum { BESIDE = 32, LINE = 88 };
    char text[512];
    struct buf range = {text, 0, sizeof(text), sizeof(text)}; /* never grows, so never allocates */
    size_t at = 0;
    bool ok = option_range(row, &range);

    if (range.len <= BESIDE)
        return ok && buf_append_slice(out, buf_slice(&range));
    while (ok && at < range.len) {
        size_t len = range.len - at;

        if (len > LINE)
            for (len = LINE; text[at + len - 1] != ' ';)
                len--;
        ok = buf_printf(out, "\n      %.*s", (int)(len - (text[at + len - 1] == ' ')), text + at);
        at += len;
    }
    return ok;
}

/* "  --http-port=port    FLASHKV_HTTP_PORT    0 to 65535; default 8080", and the help sentence on the next line. */
static bool help_row(struct buf *out, const struct option_row *row) {
    char flag[64];

    snprintf(flag, sizeof(flag), "--%s=%s", row->name, row->unit != NULL ? row->unit : "word");
    return buf_printf(out, "  %-30s %-26s ", flag, options_env_name(row).name) && help_range(out, row) &&
           buf_printf(out, "; default %s\n      %s.\n", *row->fallback != '\0' ? row->fallback : "none",
                      row->help);
}

bool options_help(struct buf *out) {
    const char *group = "";
    bool ok = buf_printf(
        out, "Usage: flashkv [OPTION]...\n\n"
             "A key-value service: REST on one port, the Redis protocol on another, the same keys\n"
             "behind both. An option is a flag, --name=value or --name value; or a variable in the\n"
             "environment; or a key \"name\" in the JSON file of --config. A flag wins over the\n"
             "environment, that over the file.\n");

    for (size_t i = 0; i < option_count; i++) {
        const struct option_row *row = &option_table[i];

        if (strcmp(group, row->group) != 0)
            ok = ok && buf_printf(out, "\n%s:\n", row->group);
        group = row->group;
        ok = ok && help_row(out, row);
    }
    return ok &&
           buf_printf(out,
                      "\nInstead of serving:\n"
                      "  --check\n"
                      "      Asks the instance that the options describe whether it is ready.\n"
                      "  --verify DIR\n"
                      "      Checks every byte of a data directory.\n"
                      "  --repair DIR\n"
                      "      The same, and cuts the log off where it is damaged. What comes behind is lost.\n"
                      "  --dump-resp DIR\n"
                      "      Prints the keys as commands, for redis-cli --pipe.\n"
                      "  --help, --version\n"
                      "\nExit status: 0 stopped by SIGTERM or SIGINT, or checked and ready; 1 could not\n"
                      "start, or not ready; 2 an option is wrong.\n");
}

bool options_markdown(struct buf *out) {
    bool ok =
        buf_printf(out, "| flag | environment | default | values | what it does |\n|---|---|---|---|---|\n");

    for (size_t i = 0; i < option_count; i++) {
        const struct option_row *row = &option_table[i];

        ok = ok &&
             buf_printf(out, "| `--%s` | `%s` | %s | ", row->name, options_env_name(row).name,
                        row->fallback) &&
             option_range(row, out) && buf_printf(out, " | %s |\n", row->help);
    }
    return ok;
}
