/* events.c - the sinks of change events, and passing events to them (event.h). */
#include <assert.h>
#include <flashkv/event.h>
#include <flashkv/mem.h>

#include "store_impl.h"

unsigned store_add_sink(struct store *s, event_sink *sink, void *ctx, uint32_t classes) {
    assert(s->sink_count < STORE_SINKS_MAX);
    s->sinks[s->sink_count] = (struct sink){.emit = sink, .ctx = ctx};
    store_sink_classes(s, s->sink_count, classes);
    return s->sink_count++;
}

static uint32_t all_classes(struct store *s) {
    uint32_t classes = 0;

    for (unsigned i = 0; i < STORE_SINKS_MAX; i++)
        classes |= atomic_load(&s->sinks[i].classes);
    return classes;
}

void store_sink_classes(struct store *s, unsigned sink, uint32_t classes) {
    atomic_store(&s->sinks[sink].classes, classes);
    do /* until no other thread has changed another sink's classes meanwhile */
        atomic_store(&s->wanted, all_classes(s));
    while (atomic_load(&s->wanted) != all_classes(s));
}

/* Sinks allocate outside the reserve: the change is made, whether or not they have the memory to report it. */
static void notify_sinks(const struct event *ev) {
    struct store *s = ev->txn->store;
    bool paused = mem_reserve_pause(true);

    for (unsigned i = 0; i < s->sink_count; i++)
        if (atomic_load_explicit(&s->sinks[i].classes, memory_order_relaxed) & ev->class)
            s->sinks[i].emit(s->sinks[i].ctx, ev);
    mem_reserve_pause(paused);
}

void store_notify(const struct event *ev) {
    struct shard *sh = txn_shard_write(ev->txn, ev->key);

    if (sh->watches != NULL)
        watches_notify(&sh->watches, ev);
    notify_sinks(ev);
}

void txn_notice(struct txn *t, const struct key *k, enum event_class class, const char *name) {
    if (t->wanted & class)
        notify_sinks(&(struct event){.txn = t, .key = k, .class = class, .name = name});
}

void txn_removed(struct txn *t, const struct key *k, struct slice field) {
    if (t->wanted & EVENT_REMOVED)
        notify_sinks(&(struct event){t, k, EVENT_REMOVED, "removed", field});
}

void txn_expired(struct txn *t, const struct key *k, const struct entry *e) {
    if (entry_has(e, E_EXPIRES) && entry_expire_at(e) <= t->now_ms) {
        store_changed(t, k, EVENT_EXPIRED, "expired");
        return;
    }
    txn_removed(t, k, slice_of(NULL, 0));
    store_changed(t, k, EVENT_HASH, "hexpired");
    store_changed(t, k, EVENT_GENERIC, "del");
}
