/* args.h - helpers of handlers: parsing arguments, and the errors that Redis words the same for all commands.
 * Functions that return false have replied with the error. Private to the command layer. */
#ifndef FLASHKV_COMMAND_ARGS_H
#define FLASHKV_COMMAND_ARGS_H

#include <flashkv/buf.h>
#include <flashkv/command.h>
#include <flashkv/hints.h>

static inline struct slice call_arg(const struct call *c, size_t i) {
    return arg_slice(&c->argv[i]);
}

/* Is argument `i` this word, in any case? */
static inline bool arg_is(const struct call *c, size_t i, const char *word) {
    return slice_caseeq(call_arg(c, i), slice_str(word));
}

/* The number of bytes of an argument that an error message shows, for "%.*s": at most ARG_SHOWN_MAX, as in Redis. */
enum { ARG_SHOWN_MAX = 128 };
static inline int arg_shown(const struct arg *a) {
    return (int)(a->len < ARG_SHOWN_MAX ? a->len : ARG_SHOWN_MAX);
}

/* True, replied MISCONF: changes cannot be logged at present. */
bool call_refused(struct call *c);
/* Raises the log position that the session's replies wait for, after a transaction (journal_reach). */
void call_reach(struct session *s, const struct txn *t, bool changed);
/* Runs a call that is the whole of its transaction, and logs its changes as one frame. */
void call_run_logged(struct call *c);

/* "ERR value is not an integer or out of range" */
bool arg_i64(struct call *c, size_t i, int64_t *out);

/* Too many arguments for a subcommand whose arity has no upper bound in the table? True: replied Redis's error. */
bool arg_too_many(struct call *c, size_t most);
/* A negative count means that many, with repetitions: false, replied, if even the shortest possible reply would exceed
 * max-output-bytes. */
bool arg_repeats(struct call *c, int64_t count);

/* The form of a time: in seconds or milliseconds, from now or since 1970. */
enum time_form { FROM_NOW = 0, SINCE_1970 = 1, IN_SECONDS = 0, IN_MS = 2 };
/* A time that must lie after 1970, as wall milliseconds. "ERR invalid expire time in 'set' command" */
bool arg_expiry(struct call *c, size_t i, enum time_form form, int64_t *expire_at);
/* Is argument `i` EX, PX, EXAT or PXAT? False: another word, nothing replied. */
bool arg_expiry_word(const struct call *c, size_t i, enum time_form *form);

/* The arguments of a scan: cursor, then [MATCH pattern] [COUNT count] [TYPE type] from argument `at` on. */
struct scan_args {
    uint64_t cursor, count;
    struct slice pattern, type; /* ptr NULL: all */
};
bool arg_cursor(struct call *c, size_t i, struct scan_args *out);
bool arg_scan(struct call *c, size_t at, bool may_type, struct scan_args *out);

/* The arguments of LMPOP, ZMPOP and the like other than keys: numkeys, one of two words (*word is 0 or 1), and [COUNT count],
 * by default 1. */
bool arg_pop(struct call *c, size_t numkeys_at, const char *const words[2], unsigned *word, int64_t *count);
/* The first of the call's keys that exists, NULL if none does; false, replied: it is of another type. */
bool first_key(struct call *c, enum value_type type, const struct key **k);

void reply_syntax_error(struct call *c);
void reply_wrong_type(struct call *c);
/* The error of a store call that failed (not STORE_OK). */
COLD void reply_store_error(struct call *c, enum store_result result);
/* Replies the string of an entry, by reference if it is large; null without an entry. */
void reply_string(struct call *c, const struct entry *e);
/* False, replied WRONGTYPE: `e` is not NULL and of another type. */
bool is_type(struct call *c, const struct entry *e, enum value_type type);

/* The call's first key as a string of `len` bytes, to write to (store_edit_string); NULL: replied an error. */
char *edit_string(struct call *c, size_t len, bool raw);
/* A collection to change (store_edit_object), to be followed by object_done; or NULL: replied an error, or by `missing` that
 * there is no such key. */
struct object *edit_object(struct call *c, const struct key *k, enum value_type type, bool create,
                           void (*missing)(struct call *c));
/* store_object_done, then emits `event` (NULL: nothing changed), and "del" if the key was deleted with its last
 * element. */
void object_done(struct call *c, const struct key *k, enum event_class class, const char *event);
/* The event of a key whose expiry was set: a time that is past has deleted it. */
static inline const char *expiry_event(const struct call *c, int64_t expire_at) {
    return expire_at <= c->txn->now_ms ? "del" : "expire";
}
/* Emits the events of setting a string, and of its new expiry (NO_EXPIRY: none, or unchanged). */
void call_set(struct call *c, const struct key *k, int64_t expire_at);
/* A collection to read, *o is NULL without a key; false: replied an error. */
bool read_object(struct call *c, const struct key *k, enum value_type type, const struct object **o);
/* The effect "this key has its present expiry, or is deleted". */
void call_effect_expiry(struct call *c, const struct key *k);
/* Sets the key to a collection of `len` elements made from other keys, emits `event`, and replies the length; an empty
 * collection deletes the key. Takes ownership of the object. */
void store_collection(struct call *c, const struct key *k, struct object *o, size_t len,
                      enum event_class class, const char *event);
/* Replies for a missing key. */
void missing_null(struct call *c);
void missing_null_array(struct call *c);
void missing_zero(struct call *c);
void missing_error(struct call *c); /* "ERR no such key" */
void missing_ok(struct call *c);

/* Begins an array of `n` pairs, each begun by begin_pair: flat in RESP2, arrays of two in RESP3. */
void reply_pairs(struct call *c, size_t n);
void begin_pair(struct call *c);

/* Names that are collected before their count is known: [length][bytes]... in a bounded buffer. */
struct names {
    struct buf bytes;
    size_t count;
    bool overflow;  /* names are missing: over the ceiling, or, */
    bool no_memory; /* if this is set too, no memory */
};
struct names names_make(const struct call *c);
void names_add(struct names *n, struct slice name);
/* Adds the key of an entry: a store_visit. */
void names_add_key(void *names, const struct entry *e);
void names_each(const struct names *n, void (*each)(void *ctx, struct slice name), void *ctx);
/* For names_each with a reply as ctx: replies each as a bulk string. */
void reply_name(void *ctx, struct slice name);
/* Replies the names as an array, or a map (of pairs), or an error if names are missing; then frees them. */
void names_reply(struct call *c, struct names *n);
void names_reply_map(struct call *c, struct names *n);
void names_reply_set(struct call *c, struct names *n);
/* The same as a page of a scan: [next cursor, [names]]. */
void names_reply_page(struct call *c, uint64_t next, struct names *n);

#endif
