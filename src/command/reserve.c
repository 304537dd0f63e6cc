/* reserve.c - reserves memory for a call, or for EXEC's queue, by upper bounds (reserve.h). */
#include "reserve.h"

#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <stdlib.h>

#include "args.h"

/* A saturating sum: no machine has SIZE_MAX bytes, so the reservation then fails. */
static size_t add(size_t a, size_t b) {
    size_t sum;

    return __builtin_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

bool names_fit(const struct call *c, size_t first, size_t step) {
    for (size_t i = first; i < c->argc; i += step)
        if (c->argv[i].len > ENTRY_KEY_MAX)
            return false;
    return true;
}

struct edits call_edits(const struct call *c, size_t first) {
    struct edits e = {.commands = 1, .elements = c->argc - first};

    for (size_t i = first; i < c->argc; i++)
        e.bytes += c->argv[i].len;
    return e;
}

bool call_reserve(struct call *c, const struct object *o, const struct edits *e) {
    if (mem_reserve_begin(store_object_need(o, e)))
        return true;
    reply_store_error(c, STORE_NO_MEMORY);
    return false;
}

bool reserve_for_key(struct call *c) {
    struct edits e = {.commands = 2, .bytes = c->keys[0].name.len};
    uint32_t added[STORE_SHARDS] = {0};

    added[key_shard(&c->keys[0])] = 1;
    return mem_reserve_begin(store_need(c->txn, &c->keys[0], &e) + store_keys_need(c->txn, added));
}

/* ---- commands that allocate more than their arguments (enum command_demand) ---------------------------------------- */

static enum command_demand demand_of(const struct command *cmd) {
    return (enum command_demand)(cmd->flags >> CMD_DEMAND_SHIFT);
}

/* The argument, if it is a positive number; else 0. */
static size_t number_at(const struct queued *q, size_t i) {
    int64_t n;

    return i < q->argc && num_parse_i64(arg_slice(&q->argv[i]), &n) && n > 0 ? (size_t)n : 0;
}

/* The bytes of both ends of the key's list, if it is one. An inner element is no longer than a chunk, unless alone in one. */
static size_t ends_of(struct txn *t, const struct key *k) {
    const struct entry *e = store_peek(t, k);
    struct slice head, tail;

    if (e == NULL || entry_type(e) != TYPE_LIST || !list_peek(entry_list(e), LIST_HEAD, &head) ||
        !list_peek(entry_list(e), LIST_TAIL, &tail))
        return 0;
    return head.len + tail.len;
}

/* The number of members of the key's set, if it is one. */
static size_t members_of(struct txn *t, const struct key *k) {
    const struct entry *e = store_peek(t, k);

    return e != NULL && entry_type(e) == TYPE_SET ? set_len(entry_set(e)) : 0;
}

static void demand_more(struct call *c, const struct queued *q, enum command_demand demand, struct edits *e) {
    enum { CHUNK = 8192, MEMBER = 1024, LONGEST_MEMBER = 1 << 17 };
    size_t wanted, there;

    switch (demand) {
    case DEMAND_OFFSET:
        e->bytes = add(e->bytes, number_at(q, 2));
        e->appends = 1;
        break;
    case DEMAND_APPENDS:
        e->appends = 1;
        break;
    case DEMAND_FLOATS:
        e->bytes += NUM_LONG_DOUBLE_MAX;
        break;
    case DEMAND_EXPIRIES:
        e->expiries = true;
        break;
    case DEMAND_ELEMENT:
        e->bytes += CHUNK + ends_of(c->txn, &q->keys[0]);
        break;
    case DEMAND_MEMBERS:
        wanted = number_at(q, 2);
        there = members_of(c->txn, &q->keys[0]);
        e->bytes = add(e->bytes, 3 * LONGEST_MEMBER + MEMBER * (wanted < there ? wanted : there));
        break;
    case DEMAND_RENAMES:
        e->bytes += STRING_INLINE_MAX;
        break;
    case DEMAND_DERIVES:
    case DEMAND_NONE:
        break;
    }
}

/* ---- the queue ------------------------------------------------------------------------------------------------------- */

/* The edit of one key by one queued command. */
struct touch {
    const struct key *key;
    enum command_demand demand;
    struct edits edits;
};

/* The bytes of the arguments that concern one key: of one or two keys all, else the key, with its value in MSET. */
static size_t bytes_for_key(const struct queued *q, size_t key) {
    size_t bytes = 0, at = (size_t)q->command->first_key + key * (size_t)q->command->key_step;

    if (q->key_count > 2 && q->command->key_step == 2)
        return q->argv[at].len + q->argv[at + 1].len;
    if (q->key_count > 2)
        return q->keys[key].name.len;
    for (size_t i = 1; i < q->argc; i++)
        bytes += q->argv[i].len;
    return bytes;
}

static struct edits edits_for_key(struct call *c, const struct queued *q, enum command_demand demand,
                                  size_t key) {
    struct edits e = {.commands = 1, .bytes = bytes_for_key(q, key)};

    e.elements = q->key_count > 2 ? 1 : q->argc - 1;
    e.collection = strcmp(q->command->group, "string") != 0;
    demand_more(c, q, demand, &e);
    return e;
}

static void sum(struct edits *all, const struct edits *e) {
    all->commands += e->commands;
    all->elements += e->elements;
    all->bytes = add(all->bytes, e->bytes);
    all->appends += e->appends;
    all->collection |= e->collection;
    all->expiries |= e->expiries;
}

static int by_key(const void *a, const void *b) {
    const struct key *x = ((const struct touch *)a)->key, *y = ((const struct touch *)b)->key;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return slice_compare(x->name, y->name);
}

/* The need of a value that is derived from those of the keys, and of the further edits of it. */
static size_t need_of_made(struct call *c, const struct touch *touch, const struct edits *all) {
    size_t need = 0;

    if (touch->demand == DEMAND_DERIVES)
        need = store_copy_need(c->txn, touch->key);
    if (touch->demand == DEMAND_DERIVES || touch->demand == DEMAND_RENAMES)
        need = add(need, store_need(c->txn, touch->key, all));
    return need;
}

/* The need of all edits, which are sorted by key. */
static size_t need_of(struct call *c, struct touch *touches, size_t n, bool shared) {
    uint32_t added[STORE_SHARDS] = {0};
    struct edits all = {.shared = shared};
    size_t need = 0;

    for (size_t i = 0; i < n; i++)
        sum(&all, &touches[i].edits);
    for (size_t i = 0, next; i < n; i = next) {
        struct edits e = {.shared = shared};

        for (next = i; next < n && by_key(&touches[i], &touches[next]) == 0; next++) {
            sum(&e, &touches[next].edits);
            need = add(need, need_of_made(c, &touches[next], &all));
        }
        added[key_shard(touches[i].key)]++;
        need = add(need, store_need(c->txn, touches[i].key, &e));
    }
    return add(need, store_keys_need(c->txn, added));
}

/* Adds the edits of a command; returns how many. */
static size_t touch_keys(struct call *c, const struct queued *q, struct touch *touches) {
    enum command_demand demand = demand_of(q->command);

    if (!(q->command->flags & CMD_WRITE))
        return 0;
    for (size_t k = 0; k < q->key_count; k++)
        touches[k] = (struct touch){&q->keys[k], demand, edits_for_key(c, q, demand, k)};
    return q->key_count;
}

bool multi_reserve(struct call *c, const struct multi *m) {
    enum { ON_STACK = 8 };
    struct touch room[ON_STACK], *touches = room;
    size_t n = 0, need;
    bool shared = m->writes < m->count, begun;

    for (const struct queued *q = m->first; q != NULL; q = q->next)
        n += q->command->flags & CMD_WRITE ? q->key_count : 0;
    if (n > ON_STACK && (touches = mem_alloc(n * sizeof(*touches))) == NULL)
        return false;
    n = 0;
    for (const struct queued *q = m->first; q != NULL; q = q->next)
        n += touch_keys(c, q, touches + n);
    qsort(touches, n, sizeof(*touches), by_key);
    need = need_of(c, touches, n, shared);
    if (touches != room)
        mem_free(touches);
    begun = mem_reserve_begin(need);
    mem_reserve_pause(true);
    return begun;
}
