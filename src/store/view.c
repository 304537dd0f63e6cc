/* view.c - consistent views of large collections; view_impl.h explains them. */
#include <assert.h>
#include <flashkv/mem.h>

#include "members.h"
#include "packed.h"
#include "store_impl.h"

enum {
    LARGE_ELEMENTS = 1024, /* copying fewer takes some 50 us */
    LARGE_BYTES = 256 * 1024,
    PIECE_ITEMS = 1024,
    PIECE_BYTES = 256 * 1024,
    STEP = 16, /* members visited between two checks of the piece's size */
};

struct view {
    struct object *object; /* NULL: lost, or all visited */
    struct store *store;
    unsigned shard;
    struct view *prev, *next; /* the list of the shard's views */
    uint32_t number;          /* the mark of members that shall not be visited (again); not 0 */
    bool lost, failed;

    /* Members. */
    uint64_t point; /* members below it were visited */
    bool walked;    /* all were visited */
    struct entry **kept;
    size_t kept_count, kept_cap;

    /* A list. */
    struct viewed_chunk *chunks;
    size_t chunk_count, chunk_next;
    size_t near; /* index of the chunk that was found last */
};

/* ---- beginning and ending ------------------------------------------------------------------------------------------ */

/* NULL: a list. */
static const struct members *members_of(const struct object *o) {
    switch ((enum value_type)o->type) {
    case TYPE_STRING:
    case TYPE_LIST:
        break;
    case TYPE_HASH:
        return hash_members((const struct hash *)o);
    case TYPE_SET:
        return set_members((const struct set *)o);
    case TYPE_ZSET:
        return zset_members((const struct zset *)o);
    }
    return NULL;
}

bool view_is_worth(const struct entry *e) {
    const struct object *o = entry_object(e);

    if (o == NULL || (o->type != TYPE_LIST && members_of(o) == NULL))
        return false;
    return object_len(o) > LARGE_ELEMENTS || object_footprint(o) > LARGE_BYTES;
}

/* A number that marks no member of the collection: each view of this store gets another one, until it wraps at 2^24. Only a
 * view that ended early leaves marks behind. */
static uint32_t next_number(struct store *s) {
    uint32_t number;

    do
        number = atomic_fetch_add_explicit(&s->views, 1, memory_order_relaxed) & ENTRY_STAMP_MAX;
    while (number == 0);
    return number;
}

/* Only the thread of a view changes the view's links in shard and object, under the shared lock; writers, which read them,
 * hold the lock exclusively. */
static void attach(struct view *v, struct shard *sh) {
    v->next = sh->views;
    if (v->next != NULL)
        v->next->prev = v;
    sh->views = v;
    v->object->view = v;
    v->object->viewed = true;
}

static void detach(struct view *v) {
    struct shard *sh = &v->store->shards[v->shard];

    if (v->object == NULL)
        return;
    v->object->viewed = false;
    v->object->view = NULL;
    v->object = NULL;
    if (v->next != NULL)
        v->next->prev = v->prev;
    if (v->prev != NULL)
        v->prev->next = v->next;
    else
        sh->views = v->next;
}

struct view *view_begin(struct txn *t, unsigned shard, const struct entry *e) {
    struct view *v = mem_zalloc(sizeof(*v));

    assert(t->shards >> shard & 1);
    if (v == NULL)
        return NULL;
    v->object = entry_object(e);
    v->store = t->store;
    v->shard = shard;
    v->number = next_number(t->store);
    if (entry_type(e) == TYPE_LIST) {
        v->chunks = mem_alloc(list_chunks(entry_list(e), NULL) * sizeof(*v->chunks));
        if (v->chunks == NULL) {
            mem_free(v);
            return NULL;
        }
        v->chunk_count = list_chunks(entry_list(e), v->chunks);
    }
    assert(!v->object->viewed);
    attach(v, &t->store->shards[shard]);
    return v;
}

static void free_entry(struct entry *e) {
    object_free(entry_object(e));
    entry_free(e);
}

void view_end(struct view *v) {
    struct txn t;

    txn_begin(&t, v->store, 0, UINT64_C(1) << v->shard, TXN_READ);
    detach(v);
    txn_end(&t);
    for (size_t i = 0; i < v->kept_count; i++)
        free_entry(v->kept[i]);
    mem_free(v->kept);
    for (size_t i = 0; i < v->chunk_count; i++)
        if (v->chunks[i].kept)
            mem_free(v->chunks[i].chunk);
    mem_free(v->chunks);
    mem_free(v);
}

void view_lose(struct object *o) {
    o->view->lost = true;
    detach(o->view);
}

void view_lose_all(struct view *first) {
    for (struct view *next; first != NULL; first = next) {
        next = first->next;
        view_lose(first->object);
    }
}

/* ---- calls of writers: members --------------------------------------------------------------------------------------- */

/* Is this point still to be visited? */
static bool is_ahead(const struct view *v, uint64_t hash) {
    return !v->walked && table_point(hash) >= v->point;
}

/* Copies to a view are allocated outside the reserve: without memory the view fails, not the writer. */
static bool keep(struct view *v, const struct entry *e) {
    struct entry_spec spec = entry_spec_of(e);
    struct entry *copy;

    if (!mem_room(v->kept, v->kept_count, v->kept_cap, STEP) || (copy = entry_new(&spec)) == NULL)
        return false;
    if (spec.object != NULL)
        blob_ref((struct blob *)spec.object);
    v->kept[v->kept_count++] = copy;
    return true;
}

void view_changes(struct view *v, uint64_t hash, struct entry *e) {
    bool paused;

    if (!is_ahead(v, hash) || entry_stamp(e) == v->number)
        return;
    paused = mem_reserve_pause(true);
    if (!keep(v, e))
        v->failed = true;
    mem_reserve_pause(paused);
    entry_set_stamp(e, v->number);
}

void view_added(struct view *v, uint64_t hash, struct entry *e) {
    if (is_ahead(v, hash))
        entry_set_stamp(e, v->number);
}

/* ---- calls of writers: chunks ------------------------------------------------------------------------------------------ */

/* Finds a chunk; starts at the last one found, since writers mostly proceed to a neighbour. */
static struct viewed_chunk *find_chunk(struct view *v, const struct packed *chunk) {
    for (size_t far = 0; far < v->chunk_count; far++) {
        if (far <= v->near && v->chunks[v->near - far].chunk == chunk)
            v->near -= far;
        else if (v->near + far < v->chunk_count && v->chunks[v->near + far].chunk == chunk)
            v->near += far;
        else
            continue;
        return &v->chunks[v->near];
    }
    return NULL;
}

/* Finds a chunk that has not been visited and clears its mark; NULL: it has been visited. */
static struct viewed_chunk *take_mark(struct view *v, struct packed *chunk) {
    struct viewed_chunk *found = find_chunk(v, chunk);

    assert(found != NULL);
    chunk->viewed = false;
    return found != NULL && found >= v->chunks + v->chunk_next ? found : NULL;
}

void view_keeps_chunk(struct view *v, struct packed *chunk) {
    struct viewed_chunk *found = take_mark(v, chunk);
    struct packed *copy;
    bool paused;

    if (found == NULL)
        return;
    paused = mem_reserve_pause(true);
    copy = packed_copy(chunk);
    mem_reserve_pause(paused);
    v->failed |= copy == NULL;
    *found = (struct viewed_chunk){copy, true};
}

bool view_takes_chunk(struct view *v, struct packed *chunk) {
    struct viewed_chunk *found = take_mark(v, chunk);

    if (found != NULL)
        found->kept = true;
    return found != NULL;
}

/* ---- pieces ------------------------------------------------------------------------------------------------------------- */

struct piece {
    const struct view *view;
    view_visit *visit;
    void *ctx;
    size_t items, bytes;
};

static void give(struct piece *p, const struct view_item *item) {
    p->items++;
    p->bytes += item->name.len + (item->blob == NULL ? item->value.len : 0);
    p->visit(p->ctx, item);
}

static void give_entry(struct piece *p, const struct entry *e) {
    give(p, &(struct view_item){entry_key(e), entry_string(e), entry_blob(e), entry_expire_at(e)});
}

static void visit_member(void *ctx, struct entry *e) {
    struct piece *p = ctx;

    if (entry_stamp(e) != p->view->number)
        give_entry(p, e);
    if (entry_stamp(e) != 0)
        entry_set_stamp(e, 0);
}

static bool is_full(const struct piece *p) {
    return p->items >= PIECE_ITEMS || p->bytes >= PIECE_BYTES;
}

static void give_members(struct view *v, struct piece *p) {
    const struct members *m = members_of(v->object);

    while (v->kept_count > 0 && !is_full(p)) {
        struct entry *e = v->kept[--v->kept_count];

        give_entry(p, e);
        free_entry(e);
    }
    while (!v->walked && !is_full(p)) {
        v->point = table_walk(&m->table, v->point, STEP, visit_member, p);
        v->walked = v->point == 0;
    }
}

static void give_chunks(struct view *v, struct piece *p) {
    for (; v->chunk_next < v->chunk_count && !is_full(p); v->chunk_next++) {
        struct viewed_chunk *at = &v->chunks[v->chunk_next];

        for (size_t i = 0; i < at->chunk->used;)
            give(p, &(struct view_item){.name = packed_get(at->chunk, i, &i)});
        if (at->kept)
            mem_free(at->chunk);
        at->kept = false;
    }
}

enum view_state view_next(struct txn *t, struct view *v, view_visit *visit, void *ctx) {
    struct piece p = {v, visit, ctx, 0, 0};

    assert(t->shards >> v->shard & 1);
    if (v->lost)
        return VIEW_LOST;
    if (v->failed)
        return VIEW_NO_MEMORY;
    if (v->chunks != NULL)
        give_chunks(v, &p);
    else
        give_members(v, &p);
    if (v->chunks != NULL ? v->chunk_next < v->chunk_count : !v->walked || v->kept_count > 0)
        return VIEW_MORE;
    detach(v);
    return VIEW_THROUGH;
}
