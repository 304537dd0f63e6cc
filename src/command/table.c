/* table.c - every command: one row. Arity, key positions and flags as in COMMAND INFO of Redis 7.0. */
#include "table.h"

#include <ctype.h>
#include <flashkv/hints.h>
#include <stdio.h>

#include "handlers.h"

/* Short names for the flags in the rows. */
enum {
    R = CMD_READ,
    W = CMD_WRITE,
    F = CMD_FAST,
    M = CMD_DENYOOM,
    A = CMD_ADMIN,
    K = CMD_KEYSPACE,
    N = CMD_NUMKEYS,
    S = CMD_PUBSUB | CMD_SUBSCRIBED,
    B = CMD_BLOCKING,
    X = CMD_EXCLUSIVE,
    O = CMD_AT_ONCE,
    T = CMD_TRANSACTION,
    C = CMD_CONNECTION,
    APPENDS = DEMAND_APPENDS << CMD_DEMAND_SHIFT,
    OFFSET = DEMAND_OFFSET << CMD_DEMAND_SHIFT,
    FLOATS = DEMAND_FLOATS << CMD_DEMAND_SHIFT,
    EXPIRIES = DEMAND_EXPIRIES << CMD_DEMAND_SHIFT,
    ELEMENT = DEMAND_ELEMENT << CMD_DEMAND_SHIFT,
    MEMBERS = DEMAND_MEMBERS << CMD_DEMAND_SHIFT,
    RENAMES = DEMAND_RENAMES << CMD_DEMAND_SHIFT,
    DERIVES = DEMAND_DERIVES << CMD_DEMAND_SHIFT,
};

/* One file for each group, so that two people seldom edit the same one. */
const struct command command_table[] = {
#include "rows/connection.inc"
#include "rows/hash.inc"
#include "rows/key.inc"
#include "rows/list.inc"
#include "rows/persist.inc"
#include "rows/pubsub.inc"
#include "rows/rest.inc"
#include "rows/server.inc"
#include "rows/set.inc"
#include "rows/string.inc"
#include "rows/transaction.inc"
#include "rows/zset.inc"
};
const size_t command_count = sizeof(command_table) / sizeof(*command_table);

/* ---- looking up ---------------------------------------------------------------------------------------------- */

/* An open-addressed index over the table: derived from constants before main, never changed after.
 *
 * On the path of every command, so most names are compared as one word: the first eight bytes, with bit 5
 * set as in lower-case letters. For a name of at most eight letters that is exact, in any case;
 * others are compared once more. */
enum { INDEX_SIZE = 2048, START_LEN = sizeof(uint64_t) };

struct slot {
    uint64_t start;
    const struct command *cmd; /* NULL: free */
    uint8_t len;
    bool exact;    /* comparing `start` and `len` is sufficient */
    bool callable; /* neither private nor a subcommand */
};
static struct slot slots[INDEX_SIZE];

_Static_assert(sizeof(command_table) / sizeof(*command_table) < INDEX_SIZE / 2, "the index is too full");

/* The first eight bytes of a name as a word, or all bytes of a shorter one, some of them twice: unique together with the length. */
static inline uint64_t name_start(struct slice name) {
    const unsigned char *p = (const unsigned char *)name.ptr;
    uint64_t start = 0;
    uint32_t head, tail;

    if (name.len >= START_LEN) {
        memcpy(&start, p, START_LEN);
    } else if (name.len >= sizeof(head)) {
        memcpy(&head, p, sizeof(head));
        memcpy(&tail, p + name.len - sizeof(tail), sizeof(tail));
        start = head | (uint64_t)tail << 32;
    } else if (name.len > 0) {
        start = p[0] | (uint64_t)p[name.len / 2] << 8 | (uint64_t)p[name.len - 1] << 16;
    }
    return start | UINT64_C(0x2020202020202020);
}

static unsigned start_hash(uint64_t start) {
    return (unsigned)(start * UINT64_C(0x9e3779b97f4a7c15) >> 32) % INDEX_SIZE;
}

bool command_is_subcommand(const struct command *cmd) {
    return strchr(cmd->name, '|') != NULL;
}

bool command_is_subcommand_of(const struct command *cmd, const struct command *container) {
    size_t len = strlen(container->name);

    return strncmp(cmd->name, container->name, len) == 0 && cmd->name[len] == '|';
}

size_t command_count_subcommands(const struct command *container) {
    size_t n = 0;

    for (size_t i = 0; i < command_count; i++)
        n += command_is_subcommand_of(&command_table[i], container);
    return n;
}

size_t command_count_public(void) {
    size_t n = 0;

    for (size_t i = 0; i < command_count; i++)
        n += command_is_public(&command_table[i]) && !command_is_subcommand(&command_table[i]);
    return n;
}

static bool is_letters(const char *name) {
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz")] == '\0';
}

__attribute__((constructor)) static void index_fill(void) {
    for (size_t i = 0; i < command_count; i++) {
        struct slice name = slice_str(command_table[i].name);
        uint64_t start = name_start(name);
        unsigned at = start_hash(start);

        while (slots[at].cmd != NULL)
            at = (at + 1) % INDEX_SIZE;
        slots[at] = (struct slot){.start = start,
                                  .cmd = &command_table[i],
                                  .len = (uint8_t)name.len,
                                  .exact = name.len <= START_LEN && is_letters(name.ptr),
                                  .callable = !(command_table[i].flags & CMD_PRIVATE) &&
                                              !command_is_subcommand(&command_table[i])};
    }
}

static inline const struct slot *find(struct slice name, bool any_case) {
    uint64_t start = name_start(name);

    for (unsigned at = start_hash(start); slots[at].cmd != NULL; at = (at + 1) % INDEX_SIZE) {
        const struct slot *s = &slots[at];

        if (s->start == start && s->len == name.len &&
            (any_case ? s->exact || strncasecmp(s->cmd->name, name.ptr, name.len) == 0
                      : memcmp(s->cmd->name, name.ptr, name.len) == 0))
            return s;
    }
    return NULL;
}

HOT const struct command *command_callable(struct slice name) {
    const struct slot *s = find(name, true);

    return s != NULL && s->callable ? s->cmd : NULL;
}

const struct command *command_lookup(struct slice name) {
    const struct slot *s = find(name, true);

    return s != NULL && !(s->cmd->flags & CMD_PRIVATE) ? s->cmd : NULL;
}

const struct command *command_private(struct slice name) {
    const struct slot *s = find(name, false);

    return s != NULL && (s->cmd->flags & CMD_PRIVATE) ? s->cmd : NULL;
}

struct command_name command_upper(const struct command *cmd) {
    struct command_name name;

    snprintf(name.text, sizeof(name.text), "%s", cmd->name);
    for (char *c = name.text; *c != '\0'; c++)
        *c = *c == '|' ? ' ' : (char)toupper((unsigned char)*c);
    return name;
}
