/* cmd_config.c - CONFIG: FlashKV's own options and Redis's. Source: https://redis.io/commands/config */
#include <ctype.h>
#include <flashkv/glob.h>
#include <flashkv/mem.h>
#include <flashkv/net.h>
#include <stdio.h>

#include "args.h"
#include "config_live.h"
#include "handlers.h"
#include "oom.h"

enum { NAME_MAX_BYTES = 128, VALUE_MAX = 64 * 1024, WHY_MAX = 256 };

/* ---- CONFIG GET ---------------------------------------------------------------------------------------------- */

static bool option_asked(const struct call *c, const char *name, bool by_patterns) {
    char lower[NAME_MAX_BYTES];

    for (size_t i = 2; i < c->argc; i++) {
        struct slice pattern = call_arg(c, i);

        if (pattern.len > sizeof(lower))
            continue;
        for (size_t k = 0; k < pattern.len; k++)
            lower[k] = (char)tolower((unsigned char)pattern.ptr[k]);
        pattern.ptr = lower;
        if (by_patterns ? glob_match(pattern, slice_str(name)) : slice_eq(pattern, slice_str(name)))
            return true;
    }
    return false;
}

/* Formats the value of a row of either table. */
typedef bool row_format(struct server *srv, const void *row, struct buf *out);

static bool format_option(struct server *srv, const void *row, struct buf *out) {
    return option_format(srv->options, row, out);
}

static bool format_setting(struct server *srv, const void *row, struct buf *out) {
    return setting_format(&srv->settings, row, out);
}

/* Adds a pair of name and value to the reply, if the name matches an argument. */
static void add_pair(const struct call *c, struct names *pairs, const char *name, bool by_patterns,
                     row_format *format, const void *row) {
    struct buf value = buf_make(VALUE_MAX);

    if (name != NULL && option_asked(c, name, by_patterns) && format(c->server, row, &value)) {
        names_add(pairs, slice_str(name));
        names_add(pairs, buf_slice(&value));
    }
    buf_free(&value);
}

void cmd_config_get(struct call *c) {
    struct names pairs = names_make(c);

    for (size_t i = 0; i < option_count; i++) {
        const struct option_row *row = &option_table[i];

        if (setting_find(slice_str(row->name)) != NULL)
            continue; /* the option of the same name was added already */
        add_pair(c, &pairs, row->name, true, format_option, row);
        if (row->redis_name != NULL && strcmp(row->redis_name, row->name) != 0)
            add_pair(c, &pairs, row->redis_name, true, format_option, row);
    }
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting_row *row = &setting_table[i];
        bool listed = row->kind != SETTING_HIDDEN;

        if (c->session->rights != NULL && strcmp(row->name, "requirepass") == 0)
            continue; /* a session with a token must not see the password */
        add_pair(c, &pairs, row->name, listed, format_setting, row);
        add_pair(c, &pairs, row->alias, listed, format_setting, row);
    }
    names_reply_map(c, &pairs);
}

/* ---- CONFIG SET ---------------------------------------------------------------------------------------------- */

static void refuse(struct call *c, size_t i, const char *why) {
    reply_error(c->reply, "ERR CONFIG SET failed (possibly related to argument '%.*s') - %s",
                arg_shown(&c->argv[i]), c->argv[i].ptr, why);
}

/* As in Redis, names of files are protected: a client could have the server overwrite other files. */
static const char *why_fixed(struct slice name) {
    bool is_file = slice_caseeq(name, SLICE_LIT("dir")) || slice_caseeq(name, SLICE_LIT("dbfilename"));

    return is_file ? "can't set protected config" : "can't set immutable config";
}

/* Looks all names up before any value is parsed, as Redis does. False: replied. */
static bool find_rows(struct call *c, struct setting_change *changes, size_t count) {
    for (size_t n = 0; n < count; n++) {
        struct slice name = call_arg(c, 2 + 2 * n);
        const struct setting_row *row = setting_find(name);

        if (row == NULL && option_find(name) == NULL) {
            reply_error(c->reply, "ERR Unknown option or number of arguments for CONFIG SET - '%.*s'",
                        arg_shown(&c->argv[2 + 2 * n]), name.ptr);
            return false;
        }
        changes[n] = (struct setting_change){.row = row};
        if (row != NULL && row->kind == SETTING_FIXED) {
            refuse(c, 2 + 2 * n, why_fixed(name));
            return false;
        }
        for (size_t k = 0; k < n; k++)
            if (row != NULL ? changes[k].row == row
                            : option_find(call_arg(c, 2 + 2 * k)) == option_find(name)) {
                refuse(c, 2 + 2 * n, "duplicate parameter");
                return false;
            }
    }
    return true;
}

/* Can the process have that many file descriptors? A lower limit than the present one is always accepted. NULL: yes; else the
 * error message. */
static const char *why_not_so_many(const struct call *c, uint64_t connections, char *why, size_t cap) {
    uint64_t room;

    if (connections <= c->server->options->max_connections)
        return NULL;
    room = net_room_for(connections);
    if (room >= connections)
        return NULL;
    snprintf(why, cap,
             "The operating system is not able to handle the specified number of clients, try with %llu",
             (unsigned long long)room);
    return why;
}

/* One of FlashKV's own options: a live one accepts what its row allows, any other only its present value. Returns NULL after
 * setting it in `to`, else the error message. */
static const char *set_option(struct call *c, size_t i, struct options *to, char *why, size_t cap) {
    const struct option_row *row = option_find(call_arg(c, i));
    struct buf now = buf_make(VALUE_MAX);
    bool same = option_format(c->server->options, row, &now) && slice_eq(buf_slice(&now), call_arg(c, i + 1));

    buf_free(&now);
    if (same)
        return NULL;
    if (row->type != OPTION_LIVE_UINT)
        return why_fixed(call_arg(c, i));
    if (!option_set(to, row, call_arg(c, i + 1), why, cap))
        return why;
    if (row->offset == offsetof(struct options, max_connections))
        return why_not_so_many(c, to->max_connections, why, cap);
    return NULL;
}

/* Parses all values before the first is set. False: replied, and nothing is left to free. */
static bool parse_values(struct call *c, struct setting_change *changes, size_t count) {
    struct options trial = {0}; /* live options are numbers: nothing in it is allocated */
    char why[WHY_MAX];

    for (size_t n = 0; n < count; n++) {
        const char *wrong = changes[n].row != NULL
                                ? setting_parse(&changes[n], call_arg(c, 3 + 2 * n), why, sizeof(why))
                                : set_option(c, 2 + 2 * n, &trial, why, sizeof(why));

        if (wrong == NULL)
            continue;
        refuse(c, 2 + 2 * n, wrong);
        while (n-- > 0)
            mem_free(changes[n].value);
        return false;
    }
    return true;
}

/* Sets the options among them, moves the settings to the front and returns their number. */
static size_t set_options(struct call *c, struct setting_change *changes, size_t count) {
    size_t settings = 0;
    char why[WHY_MAX];

    for (size_t n = 0; n < count; n++)
        if (changes[n].row != NULL)
            changes[settings++] = changes[n];
        else
            set_option(c, 2 + 2 * n, c->server->options, why, sizeof(why));
    return settings;
}

void cmd_config_set(struct call *c) {
    struct setting_change changes[SETTINGS_MAX];
    size_t count = (c->argc - 2) / 2;

    if (c->argc % 2 != 0 || count > SETTINGS_MAX) {
        reply_syntax_error(c);
        return;
    }
    if (!find_rows(c, changes, count) || !parse_values(c, changes, count))
        return;
    count = set_options(c, changes, count);
    settings_apply(&c->server->settings, changes, count, config_apply, c->server);
    if (!c->in_exec)    /* which holds shards */
        oom_applies(c); /* evict for a lowered limit now: there may be no further command */
    reply_ok(c->reply);
}

/* ---- the rest ------------------------------------------------------------------------------------------------ */

void cmd_config_resetstat(struct call *c) {
    server_stats_reset(c->server);
    reply_ok(c->reply);
}

/* Redis's error without a redis.conf, which FlashKV never has. */
void cmd_config_rewrite(struct call *c) {
    reply_error(c->reply, "ERR The server is running without a config file");
}
