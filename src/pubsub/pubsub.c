/* pubsub.c - topics, subscribers, and the subscriptions between them.
 *
 *     topic "news"  ---- subscription ---- subscription        a topic's list: for delivery
 *                              |                |
 *     subscriber A  -----------+----- ...       |              a subscriber's list: for pubsub_leave
 *     subscriber B  ----------------------------+
 *
 * Topics are found by kind and name, subscriptions by topic and subscriber, each in a map. */
#include <flashkv/blob.h>
#include <flashkv/glob.h>
#include <flashkv/lock.h>
#include <flashkv/mem.h>
#include <flashkv/pubsub.h>
#include <flashkv/store.h>

#include "map.h"

/* The roles of pubsub.lock and topic.mutex (thread_safety.h). */
extern struct rwlock pubsub_role;
extern struct mutex topic_role;

struct topic {
    struct map_node node;              /* first */
    struct mutex mutex;                /* one message at a time, so that all subscribers see the same order */
    struct subscription *first, *last; /* guarded by the registry's lock */
    size_t count;
    size_t len;
    char name[];
};

struct subscription {
    struct map_node node; /* first */
    struct topic *topic;
    struct subscriber *who;
    struct subscription *topic_prev, *topic_next, *own_prev, *own_next;
};

struct pubsub {
    struct rwlock lock;
    const struct store *store;
    struct map topics[PUBSUB_KINDS] GUARDED_BY(pubsub_role);
    struct map subscriptions GUARDED_BY(pubsub_role);
    _Atomic uint64_t topic_counts[PUBSUB_KINDS];
};

static void lock_shared(struct pubsub *ps) ACQUIRE_SHARED(pubsub_role) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_rdlock(&ps->lock);
}

static void unlock_shared(struct pubsub *ps) RELEASE_SHARED(pubsub_role) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_rdunlock(&ps->lock);
}

static void lock_all(struct pubsub *ps) ACQUIRE(pubsub_role) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_wrlock(&ps->lock);
}

static void unlock_all(struct pubsub *ps) RELEASE(pubsub_role) NO_THREAD_SAFETY_ANALYSIS {
    rwlock_wrunlock(&ps->lock);
}

static void topic_lock(struct topic *t) ACQUIRE(topic_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&t->mutex);
}

static void topic_unlock(struct topic *t) RELEASE(topic_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&t->mutex);
}

/* ---- topics -------------------------------------------------------------------------------------------------- */

static struct slice topic_name(const struct topic *t) {
    return slice_of(t->name, t->len);
}

static struct topic *topic_find(const struct pubsub *ps, enum pubsub_kind kind, struct slice name,
                                uint64_t hash) REQUIRES_SHARED(pubsub_role) {
    struct map_node *n = map_first(&ps->topics[kind], hash);

    while (n != NULL && !slice_eq(topic_name((struct topic *)n), name))
        n = map_next(n);
    return (struct topic *)n;
}

static void count_topics(struct pubsub *ps, enum pubsub_kind kind) REQUIRES(pubsub_role) {
    atomic_store_explicit(&ps->topic_counts[kind], ps->topics[kind].count, memory_order_relaxed);
}

/* NULL: no memory. */
static struct topic *topic_add(struct pubsub *ps, enum pubsub_kind kind, struct slice name, uint64_t hash)
    REQUIRES(pubsub_role) {
    struct topic *t = mem_alloc(sizeof(*t) + name.len);

    if (t == NULL)
        return NULL;
    *t = (struct topic){.node.hash = hash, .len = name.len};
    if (name.len > 0)
        memcpy(t->name, name.ptr, name.len);
    if (!map_add(&ps->topics[kind], &t->node)) {
        mem_free(t);
        return NULL;
    }
    mutex_init(&t->mutex, LOCK_RANK_LISTENERS + 1);
    count_topics(ps, kind);
    return t;
}

static void topic_drop_if_empty(struct pubsub *ps, enum pubsub_kind kind, struct topic *t)
    REQUIRES(pubsub_role) {
    if (t->count > 0)
        return;
    map_remove(&ps->topics[kind], &t->node);
    count_topics(ps, kind);
    mutex_destroy(&t->mutex);
    mem_free(t);
}

/* ---- subscriptions ------------------------------------------------------------------------------------------- */

static uint64_t pair_hash(const struct topic *t, const struct subscriber *s) {
    uint64_t h = ((uint64_t)(uintptr_t)t ^ ((uint64_t)(uintptr_t)s << 32 | (uint64_t)(uintptr_t)s >> 32)) *
                 UINT64_C(0x9e3779b97f4a7c15);

    return h ^ h >> 32;
}

static struct subscription *subscription_find(const struct pubsub *ps, const struct topic *t,
                                              const struct subscriber *s) REQUIRES_SHARED(pubsub_role) {
    struct map_node *n = map_first(&ps->subscriptions, pair_hash(t, s));

    while (n != NULL && (((struct subscription *)n)->topic != t || ((struct subscription *)n)->who != s))
        n = map_next(n);
    return (struct subscription *)n;
}

static void count_subscription(struct subscriber *s, enum pubsub_kind kind, uint32_t change) {
    atomic_fetch_add_explicit(&s->counts[kind], change, memory_order_relaxed);
}

/* Appends a subscription to the lists of its topic and its subscriber. False: no memory. */
static bool subscription_add(struct pubsub *ps, struct topic *t, struct subscriber *s, enum pubsub_kind kind)
    REQUIRES(pubsub_role) {
    struct subscription *sub = mem_alloc(sizeof(*sub));

    if (sub == NULL)
        return false;
    *sub = (struct subscription){.node.hash = pair_hash(t, s), .topic = t, .who = s};
    if (!map_add(&ps->subscriptions, &sub->node)) {
        mem_free(sub);
        return false;
    }
    sub->topic_prev = t->last;
    *(t->last != NULL ? &t->last->topic_next : &t->first) = sub;
    t->last = sub;
    t->count++;
    sub->own_prev = s->last[kind];
    *(s->last[kind] != NULL ? &s->last[kind]->own_next : &s->first[kind]) = sub;
    s->last[kind] = sub;
    count_subscription(s, kind, 1);
    return true;
}

/* Frees a subscription, and its topic if that was the last one. */
static void subscription_drop(struct pubsub *ps, struct subscription *sub, enum pubsub_kind kind)
    REQUIRES(pubsub_role) {
    struct topic *t = sub->topic;
    struct subscriber *s = sub->who;

    *(sub->topic_prev != NULL ? &sub->topic_prev->topic_next : &t->first) = sub->topic_next;
    *(sub->topic_next != NULL ? &sub->topic_next->topic_prev : &t->last) = sub->topic_prev;
    t->count--;
    *(sub->own_prev != NULL ? &sub->own_prev->own_next : &s->first[kind]) = sub->own_next;
    *(sub->own_next != NULL ? &sub->own_next->own_prev : &s->last[kind]) = sub->own_prev;
    count_subscription(s, kind, (uint32_t)-1);
    map_remove(&ps->subscriptions, &sub->node);
    mem_free(sub);
    topic_drop_if_empty(ps, kind, t);
}

enum pubsub_result pubsub_subscribe(struct pubsub *ps, struct subscriber *s, enum pubsub_kind kind,
                                    struct slice name) {
    uint64_t hash = store_key(ps->store, name).hash;
    enum pubsub_result result = PUBSUB_DONE;
    struct topic *t;

    lock_all(ps);
    t = topic_find(ps, kind, name, hash);
    if (t == NULL)
        t = topic_add(ps, kind, name, hash);
    if (t == NULL) {
        result = PUBSUB_NO_MEMORY;
    } else if (subscription_find(ps, t, s) != NULL) {
        result = PUBSUB_ALREADY;
    } else if (!subscription_add(ps, t, s, kind)) {
        topic_drop_if_empty(ps, kind, t);
        result = PUBSUB_NO_MEMORY;
    }
    unlock_all(ps);
    return result;
}

bool pubsub_unsubscribe(struct pubsub *ps, struct subscriber *s, enum pubsub_kind kind, struct slice name) {
    uint64_t hash = store_key(ps->store, name).hash;
    struct topic *t;
    struct subscription *sub;

    lock_all(ps);
    t = topic_find(ps, kind, name, hash);
    sub = t != NULL ? subscription_find(ps, t, s) : NULL;
    if (sub != NULL)
        subscription_drop(ps, sub, kind);
    unlock_all(ps);
    return sub != NULL;
}

void pubsub_leave(struct pubsub *ps, struct subscriber *s) {
    lock_all(ps);
    for (unsigned kind = 0; kind < PUBSUB_KINDS; kind++)
        while (s->first[kind] != NULL)
            subscription_drop(ps, s->first[kind], (enum pubsub_kind)kind);
    unlock_all(ps);
}

/* ---- publishing ---------------------------------------------------------------------------------------------- */

static uint64_t topic_deliver(struct topic *t, struct message *m) REQUIRES_SHARED(pubsub_role) {
    topic_lock(t);
    for (struct subscription *sub = t->first; sub != NULL; sub = sub->topic_next)
        sub->who->deliver(sub->who, m);
    topic_unlock(t);
    for (size_t i = 0; i < sizeof(m->wire) / sizeof(*m->wire); i++) {
        blob_unref(m->wire[i]);
        m->wire[i] = NULL;
    }
    return t->count;
}

static uint64_t deliver_to_patterns(const struct pubsub *ps, struct message *m) REQUIRES_SHARED(pubsub_role) {
    uint64_t reached = 0;

    m->kind = PUBSUB_PATTERN;
    for (struct map_node *n = NULL; (n = map_walk(&ps->topics[PUBSUB_PATTERN], n)) != NULL;) {
        struct topic *t = (struct topic *)n;

        m->pattern = topic_name(t);
        if (glob_match(m->pattern, m->channel))
            reached += topic_deliver(t, m);
    }
    return reached;
}

uint64_t pubsub_publish(struct pubsub *ps, enum pubsub_kind kind, struct slice channel,
                        struct slice payload) {
    struct message m = {.kind = kind, .channel = channel, .payload = payload};
    uint64_t reached = 0, hash;
    struct topic *t;

    if (pubsub_topics(ps, kind) + (kind == PUBSUB_CHANNEL ? pubsub_topics(ps, PUBSUB_PATTERN) : 0) == 0)
        return 0;
    hash = store_key(ps->store, channel).hash;
    lock_shared(ps);
    t = topic_find(ps, kind, channel, hash);
    if (t != NULL)
        reached = topic_deliver(t, &m);
    if (kind == PUBSUB_CHANNEL)
        reached += deliver_to_patterns(ps, &m);
    unlock_shared(ps);
    return reached;
}

/* ---- queries ------------------------------------------------------------------------------------------------- */

uint64_t pubsub_topics(const struct pubsub *ps, enum pubsub_kind kind) {
    return atomic_load_explicit(&ps->topic_counts[kind], memory_order_relaxed);
}

uint64_t pubsub_subscribers(struct pubsub *ps, enum pubsub_kind kind, struct slice name) {
    uint64_t hash = store_key(ps->store, name).hash, count;
    const struct topic *t;

    lock_shared(ps);
    t = topic_find(ps, kind, name, hash);
    count = t != NULL ? t->count : 0;
    unlock_shared(ps);
    return count;
}

void pubsub_each(struct pubsub *ps, enum pubsub_kind kind, pubsub_visit *visit, void *ctx) {
    lock_shared(ps);
    for (struct map_node *n = NULL; (n = map_walk(&ps->topics[kind], n)) != NULL;)
        visit(ctx, topic_name((struct topic *)n));
    unlock_shared(ps);
}

void pubsub_each_of(struct pubsub *ps, const struct subscriber *s, enum pubsub_kind kind, pubsub_visit *visit,
                    void *ctx) {
    lock_shared(ps);
    for (const struct subscription *sub = s->first[kind]; sub != NULL; sub = sub->own_next)
        visit(ctx, topic_name(sub->topic));
    unlock_shared(ps);
}

/* ---- creating and destroying --------------------------------------------------------------------------------- */

struct pubsub *pubsub_create(const struct store *store) {
    struct pubsub *ps = mem_zalloc(sizeof(*ps));

    if (ps == NULL)
        return NULL;
    ps->store = store;
    rwlock_init(&ps->lock, LOCK_RANK_LISTENERS);
    return ps;
}

void pubsub_destroy(struct pubsub *ps) NO_THREAD_SAFETY_ANALYSIS {
    if (ps == NULL)
        return;
    for (unsigned kind = 0; kind < PUBSUB_KINDS; kind++)
        map_free(&ps->topics[kind]);
    map_free(&ps->subscriptions);
    rwlock_destroy(&ps->lock);
    mem_free(ps);
}
