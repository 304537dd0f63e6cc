/* rest_watch.c - watching one key, for HTTP long polls. */
#include <flashkv/clock.h>
#include <flashkv/rest.h>

static bool on_changed(struct key_watch *w, const struct event *ev) {
    struct rest_watch *r = (struct rest_watch *)w;

    (void)ev;
    r->changed(r);
    return true;
}

bool rest_watch_begin(struct rest_watch *w, struct server *srv, struct slice key) {
    struct txn t;
    bool ok;

    w->key = store_key(srv->store, key);
    w->watch.changed = on_changed;
    txn_begin(&t, srv->store, clock_wall_ms(), key_shard_bit(&w->key), TXN_WRITE);
    ok = store_watch(&t, &w->key, &w->watch);
    txn_end(&t);
    return ok;
}

void rest_watch_end(struct rest_watch *w, struct server *srv) {
    struct txn t;

    txn_begin(&t, srv->store, clock_wall_ms(), key_shard_bit(&w->key), TXN_WRITE);
    store_unwatch(&t, &w->key, &w->watch);
    txn_end(&t);
}
