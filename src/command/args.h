/* args.h - what handlers share: reading arguments, and the errors that Redis words one way for all commands.
 * Functions that return false have replied with the error. Private to the command layer. */
#ifndef FLASHKV_COMMAND_ARGS_H
#define FLASHKV_COMMAND_ARGS_H

#include <flashkv/buf.h>
#include <flashkv/command.h>

static inline struct slice call_arg(const struct call *c, size_t i) {
    return arg_slice(&c->argv[i]);
}

/* Is argument `i` this word, in any case? */
static inline bool arg_is(const struct call *c, size_t i, const char *word) {
    return slice_caseeq(call_arg(c, i), slice_str(word));
}

/* "ERR value is not an integer or out of range" */
bool arg_i64(struct call *c, size_t i, int64_t *out);

/* How a time is written: seconds or milliseconds, from now or since 1970. */
enum time_form { FROM_NOW = 0, SINCE_1970 = 1, IN_SECONDS = 0, IN_MS = 2 };
/* A time that must lie after 1970, as wall milliseconds. "ERR invalid expire time in 'set' command" */
bool arg_expiry(struct call *c, size_t i, enum time_form form, int64_t *expire_at);
/* EX, PX, EXAT, PXAT as argument `i`; false: another word, nothing replied. */
bool arg_expiry_word(const struct call *c, size_t i, enum time_form *form);

void reply_syntax_error(struct call *c);
void reply_wrong_type(struct call *c);
/* The error of a store call that failed (not STORE_OK). */
void reply_store_error(struct call *c, enum store_result result);
/* The string of an entry: by reference when it is large; null without an entry. */
void reply_string(struct call *c, const struct entry *e);
/* False, replied WRONGTYPE: `e` is there and holds another type. */
bool is_type(struct call *c, const struct entry *e, enum value_type type);

/* Key names gathered before their count is known: [length][bytes]... in a bounded buffer. */
struct names {
    struct buf bytes;
    size_t count;
    bool overflow;
};
struct names names_make(const struct call *c);
void names_add(struct names *n, struct slice name);
/* Replies an array of them, or a map (of pairs), or an error if they overflowed, and frees. */
void names_reply(struct call *c, struct names *n);
void names_reply_map(struct call *c, struct names *n);

#endif
