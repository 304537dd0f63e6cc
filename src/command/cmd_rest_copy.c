/* cmd_rest_copy.c - private commands for export and import of keys in parts.
 *
 *     rest.part    key cursor count                               [type, expire_at, content type, next cursor, value, times]
 *                                                                 or null; of strings without times
 *     rest.load    key mode type expire_at content-type value...  outcome (rest.h)
 *
 * value      a string whole; of a list about `count` elements from index `cursor` on; of other collections what a scan
 *            from `cursor` gives: fields with values, members, members with scores. rest.load takes as many values as there are
 * times      if fields of the hash expire, when: a time for each field of the value, in order, "0" for never; else empty
 * cursor     0 at the beginning, and again at the end
 * expire_at  wall milliseconds, 0: never
 * mode       "replace" whatever is there; "skip": REST_REFUSED where something is; "append": adds to the collection that is
 *            there, whose expiry stays; REST_MISSING where nothing is, for it may have expired
 *
 * A collection that is changed between its parts is copied with the guarantees of a scan: elements that exist all the time are
 * in the copy; except for a list, of which elements that moved may be copied twice or not at all. */
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <flashkv/rest.h>

#include "args.h"
#include "handlers.h"
#include "reserve.h"

/* ---- export ------------------------------------------------------------------------------------------------------- */

static uint64_t part_of_list(const struct list *l, uint64_t from, uint64_t count, struct names *part) {
    struct list_iter it = list_iter_at(l, from < list_len(l) ? (size_t)from : list_len(l), LIST_HEAD);
    struct slice element;

    for (uint64_t i = 0; i < count; i++) {
        if (!list_iter_next(&it, &element))
            return 0;
        names_add(part, element);
    }
    return from + count < list_len(l) ? from + count : 0;
}

struct part {
    const void *of;
    struct names names, times;
    bool with_times;
};

static void part_field(void *part, hash_place at) {
    char digits[NUM_I64_MAX];
    struct part *p = part;

    names_add(&p->names, hash_field(p->of, at));
    names_add(&p->names, hash_value(p->of, at));
    if (p->with_times)
        names_add(&p->times, slice_of(digits, num_format_i64(hash_expires_at(p->of, at), digits)));
}

static void part_member(void *part, set_place at) {
    char room[SET_ROOM];
    struct part *p = part;

    names_add(&p->names, set_member(p->of, at, room));
}

static void part_scored(void *part, zset_place at) {
    char digits[NUM_DOUBLE_MAX];
    struct part *p = part;

    names_add(&p->names, zset_member(p->of, at));
    names_add(&p->names, slice_of(digits, num_format_double(zset_score(p->of, at), digits)));
}

void cmd_rest_part(struct call *c) {
    const struct entry *e = store_peek(c->txn, &c->keys[0]);
    struct part part = {.names = names_make(c), .times = names_make(c)};
    int64_t cursor, count;
    uint64_t next = 0;

    if (!arg_i64(c, 2, &cursor) || !arg_i64(c, 3, &count))
        return;
    if (e == NULL) {
        reply_null(c->reply);
        return;
    }
    reply_array(c->reply, entry_type(e) == TYPE_STRING ? 5 : 6);
    reply_integer(c->reply, (int64_t)entry_type(e));
    reply_integer(c->reply, entry_expire_at(e));
    reply_bulk(c->reply, entry_type(e) == TYPE_STRING ? entry_content_type(e) : slice_of("", 0));
    switch (entry_type(e)) {
    case TYPE_STRING:
        reply_integer(c->reply, 0);
        reply_string(c, e);
        return;
    case TYPE_LIST:
        next = part_of_list(entry_list(e), (uint64_t)cursor, (uint64_t)count, &part.names);
        break;
    case TYPE_HASH:
        part.of = entry_hash(e);
        part.with_times = hash_is_volatile(part.of);
        next = hash_scan(part.of, (uint64_t)cursor, (size_t)count, c->txn->now_ms, part_field, &part);
        break;
    case TYPE_SET:
        part.of = entry_set(e);
        next = set_scan(part.of, (uint64_t)cursor, (size_t)count, part_member, &part);
        break;
    case TYPE_ZSET:
        part.of = entry_zset(e);
        next = zset_scan(part.of, (uint64_t)cursor, (size_t)count, part_scored, &part);
        break;
    }
    reply_integer(c->reply, (int64_t)next);
    names_reply(c, &part.names);
    names_reply(c, &part.times);
}

/* ---- import ------------------------------------------------------------------------------------------------------ */

enum { LOAD_MODE = 2, LOAD_TYPE, LOAD_EXPIRY, LOAD_CONTENT_TYPE, LOAD_VALUE };

/* Adds a member, or changes its score. False: no memory, too long, or not a score. */
static bool load_scored(struct zset *z, struct slice member, struct slice text) {
    zset_place at = zset_find(z, member);
    double score;

    if (!num_parse_double(text, &score))
        return false;
    return at != NULL ? zset_move(z, at, score) : zset_add(z, member, score) == ZSET_ADDED;
}

/* Are the values pairs: fields with values, members with scores? */
static bool in_pairs(enum value_type type) {
    return type == TYPE_HASH || type == TYPE_ZSET;
}

/* Adds the element, or the pair, at argument `i`. False: no memory, too long, or not a score. */
static bool load_element(struct object *o, enum value_type type, const struct call *c, size_t i) {
    switch (type) {
    case TYPE_LIST:
        return list_push((struct list *)o, LIST_TAIL, call_arg(c, i));
    case TYPE_HASH:
        return hash_set((struct hash *)o, call_arg(c, i), call_arg(c, i + 1), HASH_ALL) <= HASH_REPLACED;
    case TYPE_SET:
        return set_add((struct set *)o, call_arg(c, i)) <= SET_WAS_THERE;
    case TYPE_ZSET:
        return load_scored((struct zset *)o, call_arg(c, i), call_arg(c, i + 1));
    case TYPE_STRING:
        break;
    }
    return false;
}

/* Adds all elements. False: replied. */
static bool load_elements(struct object *o, enum value_type type, struct call *c) {
    size_t step = in_pairs(type) ? 2 : 1;

    for (size_t i = LOAD_VALUE; i < c->argc; i += step)
        if (!load_element(o, type, c, i)) {
            reply_error(c->reply, "ERR out of memory, or an element is too long, or a score no number");
            return false;
        }
    return true;
}

static enum store_result load_string(struct call *c, int64_t expire_at) {
    struct string_value v = {call_arg(c, LOAD_VALUE), c->argv[LOAD_VALUE].blob, expire_at,
                             call_arg(c, LOAD_CONTENT_TYPE)};

    return store_set_string(c->txn, &c->keys[0], &v);
}

/* Replaces the key by a collection with that expiry. False: replied. */
static bool load_collection(struct call *c, enum value_type type, int64_t expire_at) {
    struct object *o = store_new_object(c->txn->store, type);
    enum store_result result = STORE_NO_MEMORY;
    bool existed;

    if (o != NULL && !load_elements(o, type, c)) {
        store_free_object(o);
        return false;
    }
    if (o == NULL || !reserve_for_key(c)) {
        store_free_object(o);
        reply_store_error(c, result);
        return false;
    }
    result = store_set_object(c->txn, &c->keys[0], o);
    if (result == STORE_OK && expire_at != NO_EXPIRY)
        result = store_set_expiry(c->txn, &c->keys[0], expire_at, &existed);
    else if (result != STORE_OK)
        store_free_object(o);
    mem_reserve_end();
    if (result != STORE_OK)
        reply_store_error(c, result);
    return result == STORE_OK;
}

/* All or none, as far as memory goes. */
static void append_elements(struct call *c, enum value_type type) {
    struct object *o = edit_object(c, &c->keys[0], type, false, NULL);
    bool ready, loaded;

    if (o == NULL)
        return;
    ready = reserve_for_arguments(c, o, LOAD_VALUE);
    loaded = ready && load_elements(o, type, c);
    if (ready)
        mem_reserve_end();
    object_done(c, &c->keys[0], EVENT_GENERIC, ready ? "restore" : NULL);
    if (loaded)
        reply_integer(c->reply, REST_REPLACED);
}

static bool load_type(struct call *c, enum value_type *type) {
    static const enum value_type types[] = {TYPE_STRING, TYPE_LIST, TYPE_HASH, TYPE_SET, TYPE_ZSET};

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (arg_is(c, LOAD_TYPE, value_type_name(types[i]))) {
            *type = types[i];
            return true;
        }
    reply_error(c->reply, "ERR unknown type");
    return false;
}

void cmd_rest_load(struct call *c) {
    bool existed = store_peek(c->txn, &c->keys[0]) != NULL;
    enum store_result result;
    enum value_type type;
    int64_t expire_at;

    if (!load_type(c, &type) || !arg_i64(c, LOAD_EXPIRY, &expire_at))
        return;
    if ((type == TYPE_STRING && c->argc != LOAD_VALUE + 1) ||
        (in_pairs(type) && c->argc % 2 != LOAD_VALUE % 2)) {
        reply_syntax_error(c);
        return;
    }
    if (arg_is(c, LOAD_MODE, "append") && type != TYPE_STRING) {
        if (existed)
            append_elements(c, type);
        else
            reply_integer(c->reply, REST_MISSING);
        return;
    }
    if (arg_is(c, LOAD_MODE, "skip") && existed) {
        reply_integer(c->reply, REST_REFUSED);
        return;
    }
    if (type == TYPE_STRING && (result = load_string(c, expire_at)) != STORE_OK) {
        reply_store_error(c, result);
        return;
    }
    if (type != TYPE_STRING && !load_collection(c, type, expire_at))
        return;
    call_changed(c, &c->keys[0], EVENT_GENERIC, "restore");
    reply_integer(c->reply, existed ? REST_REPLACED : REST_CREATED);
}
