/* watches.c - the watched keys of a shard, their watches, and the lists of ready keys. */
#include "watches.h"

#include <assert.h>
#include <flashkv/mem.h>

#include "store_impl.h"

enum { CAPACITY_MIN = 16 };

struct watches {
    struct watched_key **buckets; /* NULL before the first */
    size_t capacity;              /* of buckets, a power of two */
    size_t count;                 /* keys */
};

struct watch_list {
    struct key_watch *first, *last;
};

struct watched_key {
    struct watched_key *next;       /* in its bucket */
    struct watched_key *next_ready; /* on a list of ready keys */
    struct watch_list notified, waiting;
    struct key key;
    bool ready;  /* on such a list, or popped from one */
    bool marked; /* watches_notify_marked */
    char name[];
};

/* ---- the table ----------------------------------------------------------------------------------------------- */

static struct watched_key **bucket(const struct watches *w, uint64_t hash) {
    return &w->buckets[hash & (w->capacity - 1)];
}

static struct watched_key **find(const struct watches *w, const struct key *k) {
    struct watched_key **at = bucket(w, k->hash);

    while (*at != NULL && ((*at)->key.hash != k->hash || !slice_eq((*at)->key.name, k->name)))
        at = &(*at)->next;
    return at;
}

/* Makes room for one more key. False: no memory. Failing to grow is no failure: the chains get longer. */
static bool make_room(struct watches *w) {
    size_t capacity = w->capacity > 0 ? 2 * w->capacity : CAPACITY_MIN;
    struct watches grown = {NULL, capacity, w->count};

    if (w->count < w->capacity)
        return true;
    grown.buckets = mem_zalloc(capacity * sizeof(struct watched_key *));
    if (grown.buckets == NULL)
        return w->buckets != NULL;
    for (size_t i = 0; i < w->capacity; i++)
        while (w->buckets[i] != NULL) {
            struct watched_key *k = w->buckets[i], **to = bucket(&grown, k->key.hash);

            w->buckets[i] = k->next;
            k->next = *to;
            *to = k;
        }
    mem_free(w->buckets);
    *w = grown;
    return true;
}

static struct watched_key *add(struct watches *w, const struct key *k) {
    struct watched_key *added, **to;

    if (!make_room(w) || (added = mem_zalloc(sizeof(*added) + k->name.len)) == NULL)
        return NULL;
    if (k->name.len > 0)
        memcpy(added->name, k->name.ptr, k->name.len);
    added->key = (struct key){slice_of(added->name, k->name.len), k->hash};
    to = bucket(w, k->hash);
    added->next = *to;
    *to = added;
    w->count++;
    return added;
}

void watches_free(struct watches **of) {
    if (*of == NULL)
        return;
    mem_free((*of)->buckets);
    mem_free(*of);
    *of = NULL;
}

/* Finds a key, or adds it. NULL: no memory. */
static struct watched_key *find_or_add(struct watches **of, const struct key *k) {
    struct watched_key *found;

    if (*of == NULL && (*of = mem_zalloc(sizeof(**of))) == NULL)
        return NULL;
    found = (*of)->count > 0 ? *find(*of, k) : NULL;
    if (found == NULL)
        found = add(*of, k);
    if ((*of)->count == 0)
        watches_free(of);
    return found;
}

/* Frees a key without watches, unless it is on a list of ready keys. */
static void drop_unwatched(struct watches **of, struct watched_key *k) {
    if (k->notified.first != NULL || k->waiting.first != NULL || k->ready)
        return;
    *find(*of, &k->key) = k->next;
    mem_free(k);
    if (--(*of)->count == 0)
        watches_free(of);
}

/* ---- starting and ending ------------------------------------------------------------------------------------- */

static struct watch_list *list_of(struct watched_key *k, const struct key_watch *w) {
    return w->changed != NULL ? &k->notified : &k->waiting;
}

bool store_watch(struct txn *t, const struct key *k, struct key_watch *w) {
    struct watched_key *of = find_or_add(&txn_shard_write(t, k)->watches, k);
    struct watch_list *list;

    if (of == NULL)
        return false;
    list = list_of(of, w);
    w->of = of;
    w->next = NULL;
    w->prev = list->last;
    if (list->last != NULL)
        list->last->next = w;
    else
        list->first = w;
    list->last = w;
    t->wanted = UINT32_MAX;
    return true;
}

static void unlink_watch(struct key_watch *w) {
    struct watch_list *list = list_of(w->of, w);

    if (w->prev != NULL)
        w->prev->next = w->next;
    else
        list->first = w->next;
    if (w->next != NULL)
        w->next->prev = w->prev;
    else
        list->last = w->prev;
    w->of = NULL;
}

void store_unwatch(struct txn *t, const struct key *k, struct key_watch *w) {
    struct shard *sh = txn_shard_write(t, k);
    struct watched_key *of = w->of;

    if (of == NULL)
        return;
    unlink_watch(w);
    drop_unwatched(&sh->watches, of);
}

/* ---- notifying ----------------------------------------------------------------------------------------------- */

static void notify_each(struct watched_key *k, const struct event *ev) {
    for (struct key_watch *w = k->notified.first, *next; w != NULL; w = next) {
        next = w->next;
        if (!w->changed(w, ev))
            unlink_watch(w);
    }
}

void watches_notify(struct watches **of, const struct event *ev) {
    struct watched_key *k = *find(*of, ev->key);

    if (k == NULL)
        return;
    if (k->waiting.first != NULL && !k->ready) {
        k->ready = true;
        ready_keys_push(&ev->txn->ready, k);
    }
    notify_each(k, ev);
    drop_unwatched(of, k);
}

void watches_each(struct watches *w, void (*each)(void *ctx, const struct key *k, bool *marked), void *ctx) {
    for (size_t i = 0; i < w->capacity; i++)
        for (struct watched_key *k = w->buckets[i]; k != NULL; k = k->next)
            each(ctx, &k->key, &k->marked);
}

void watches_notify_marked(struct watches **of, struct txn *t) {
    for (size_t i = 0; *of != NULL && i < (*of)->capacity; i++)
        for (struct watched_key *k = (*of)->buckets[i], *next; k != NULL; k = next) {
            next = k->next;
            if (!k->marked)
                continue;
            k->marked = false;
            notify_each(
                k, &(struct event){.txn = t, .key = &k->key, .class = EVENT_GENERIC, .name = "flushall"});
            drop_unwatched(of, k);
        }
}

/* ---- ready keys ---------------------------------------------------------------------------------------------- */

struct ready_keys txn_take_ready(struct txn *t) {
    struct ready_keys taken = t->ready;

    t->ready = (struct ready_keys){NULL, NULL};
    return taken;
}

struct watched_key *ready_keys_pop(struct ready_keys *r) {
    struct watched_key *k = r->first;

    if (k == NULL)
        return NULL;
    r->first = k->next_ready;
    if (r->first == NULL)
        r->last = NULL;
    k->next_ready = NULL;
    return k;
}

void ready_keys_push(struct ready_keys *r, struct watched_key *k) {
    if (r->last != NULL)
        r->last->next_ready = k;
    else
        r->first = k;
    r->last = k;
}

void watched_key_release(struct txn *t, struct watched_key *k) {
    struct shard *sh = txn_shard_write(t, &k->key);

    k->ready = false;
    drop_unwatched(&sh->watches, k);
}

const struct key *watched_key(const struct watched_key *k) {
    return &k->key;
}

struct key_watch *watched_key_waiting(const struct watched_key *k) {
    return k->waiting.first;
}
