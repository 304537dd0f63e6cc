/* collections.h - helpers for lists, hashes, sets and sorted sets that several files of the command layer share. Private to it. */
#ifndef FLASHKV_COMMAND_COLLECTIONS_H
#define FLASHKV_COMMAND_COLLECTIONS_H

#include <flashkv/command.h>

/* ---- lists ------------------------------------------------------------------------------------------------------- */

/* The list of the call's first key, NULL if there is none; false: replied an error. */
bool read_list(struct call *c, const struct list **l);
/* Replies an array of `n` elements (at most all) from an end, and removes them. */
void list_pop_reply(struct call *c, struct list *l, enum list_end end, size_t n);

/* LMOVE and the like: the ends of the call's two keys. */
struct list_move {
    enum list_end from, to;
};
/* Parses LEFT or RIGHT, twice, from argument `at` on; false: replied an error. */
bool arg_move(struct call *c, size_t at, struct list_move *m);
/* Moves an element and replies it, or replies an error; false, nothing replied: the first key does not exist. */
bool move_element(struct call *c, const struct list_move *m);

/* LMPOP and the like: from which end, and how many. */
struct list_pop {
    enum list_end end;
    int64_t count;
};
/* Parses the arguments other than keys: numkeys, the end, and [COUNT count]; false: replied. */
bool arg_list_pop(struct call *c, size_t numkeys_at, struct list_pop *p);
/* Pops from the first of the call's keys that exists and replies, or replies an error; false, nothing replied: none
 * exists. */
bool pop_first(struct call *c, const struct list_pop *p);
/* The same for one element: BLPOP's reply. */
bool pop_first_element(struct call *c, enum list_end end);

/* ---- hashes and sets ----------------------------------------------------------------------------------------------- */

/* The set of the call's key number `key`, NULL if there is none; false: replied an error. */
bool read_set(struct call *c, size_t key, const struct set **s);
/* False, replied an error: the result is a failure. */
bool set_stored(struct call *c, enum set_result result);
/* The effect "this field of the call's key expires at that time". */
void call_effect_field_expiry(struct call *c, struct slice field, int64_t expire_at);
/* Replies all fields and their values as a map; an empty one for NULL. */
void reply_fields(struct call *c, const struct hash *h);
/* Replies all members as a set; an empty one for NULL. */
void reply_members(struct call *c, const struct set *s);

/* ---- sorted sets --------------------------------------------------------------------------------------------------- */

/* The sorted set of the call's key number `key`, NULL if there is none; false: replied an error. */
bool read_zset(struct call *c, size_t key, const struct zset **z);
/* A sorted set to change, NULL: replied (edit_object); and the end of the edit, `event` NULL if nothing changed. */
struct zset *edit_zset(struct call *c, const struct key *k, bool create, void (*missing)(struct call *c));
void zset_done(struct call *c, const struct key *k, const char *event);
/* False, replied an error: the result is a failure. */
bool zset_stored(struct call *c, enum zset_result result);

/* A run of members: the rank of the first, their number, and whether in descending order. */
struct zset_span {
    size_t rank, count;
    bool down;
};
/* Replies an array of the members, or of pairs of member and score. */
void reply_span(struct call *c, const struct zset *z, const struct zset_span *span, bool with_scores);
/* Replies all members and their scores as a map. */
void reply_scores(struct call *c, const struct zset *z);

/* ZMPOP and the like: from which end, how many, and whether only one is replied, as [key, member, score]. */
struct zset_pop {
    bool max, flat;
    int64_t count;
};
/* Parses the arguments other than keys: numkeys, MIN or MAX, and [COUNT count]; false: replied. */
bool arg_zset_pop(struct call *c, size_t numkeys_at, struct zset_pop *p);
/* Pops from the first of the call's keys that exists and replies, or replies an error; false, nothing replied: none
 * exists. */
bool zset_pop_first(struct call *c, const struct zset_pop *p);

#endif
