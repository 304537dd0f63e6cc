/* cmd_debug_data.c - DEBUG DIGEST, DIGEST-VALUE and RELOAD. */
#include <flashkv/num.h>
#include <flashkv/persist.h>

#include "args.h"
#include "digest.h"
#include "handlers.h"

/* ---- digests ----------------------------------------------------------------------------------------------------- */

/* As long as Redis's, which is a SHA-1; all zeros for an empty keyspace. */
static void reply_digest(struct call *c, uint64_t digest) {
    enum { DIGITS = 40 };
    char hex[3 * NUM_HEX64];

    memset(hex, '0', sizeof(hex));
    for (size_t i = 0; i < 3 && digest != 0; i++)
        num_format_hex64(i == 0 ? digest : digest_mix(digest, i), hex + i * NUM_HEX64);
    reply_status(c->reply, slice_of(hex, DIGITS));
}

struct digests {
    int64_t now;
    uint64_t sum;
};

static uint64_t key_digest(const struct entry *e, int64_t now) {
    return digest_mix(value_digest(e, now), entry_expire_at(e) != NO_EXPIRY);
}

static void add_key(void *ctx, const struct entry *e) {
    struct digests *d = ctx;

    d->sum += digest_mix(store_digest(entry_key(e)), key_digest(e, d->now));
}

void cmd_debug_digest(struct call *c) {
    struct digests d = {c->txn->now_ms, 0};

    for (uint64_t cursor = 0; (cursor = store_scan(c->txn, cursor, 256, add_key, &d)) != 0;)
        ;
    reply_digest(c, d.sum);
}

void cmd_debug_digest_value(struct call *c) {
    reply_array(c->reply, c->key_count);
    for (size_t i = 0; i < c->key_count; i++) {
        const struct entry *e = store_peek(c->txn, &c->keys[i]);

        reply_digest(c, e != NULL ? key_digest(e, c->txn->now_ms) : 0);
    }
}

/* ---- RELOAD ------------------------------------------------------------------------------------------------------ */

enum { KEYS_AT_ONCE = 64 };

struct renewal {
    struct txn txn;
    bool ok;
};

static void renew(void *ctx, struct slice name) {
    struct renewal *r = ctx;
    struct key k = store_key(r->txn.store, name);

    r->ok = persist_reload_key(&r->txn, &k) && r->ok;
}

/* Reloads a page of a shard; returns where the next begins, 0 at the end. Nothing is logged, since nothing changes. */
static uint64_t renew_page(struct call *c, unsigned shard, uint64_t from, bool *ok) {
    struct names names = names_make(c);
    struct renewal r = {.ok = true};
    uint64_t next;

    txn_begin(&r.txn, c->server->store, c->session->now_ms, UINT64_C(1) << shard, TXN_WRITE);
    next = store_walk(&r.txn, shard, from, KEYS_AT_ONCE, names_add_key, &names);
    names_each(&names, renew, &r);
    txn_end(&r.txn);
    *ok = *ok && r.ok && !names.overflow;
    buf_free(&names.bytes);
    return next;
}

static void renew_all(struct call *c) {
    bool ok = true;

    for (unsigned shard = 0; shard < STORE_SHARDS; shard++)
        for (uint64_t from = 0; (from = renew_page(c, shard, from, &ok)) != 0;)
            ;
    if (ok)
        reply_ok(c->reply);
    else
        reply_store_error(c, STORE_NO_MEMORY);
}

/* Redis flushes all keys and loads its file; here each key is encoded as in a snapshot and decoded again. So other clients
 * see all keys meanwhile, and NOFLUSH and MERGE make no difference. */
void cmd_debug_reload(struct call *c) {
    struct persist *p = c->server->persist;
    bool save = true;

    for (size_t i = 2; i < c->argc; i++) {
        if (arg_is(c, i, "nosave")) {
            save = false;
        } else if (!arg_is(c, i, "noflush") && !arg_is(c, i, "merge")) {
            reply_error(c->reply, "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
            return;
        }
    }
    if (save && p != NULL && !persist_snapshot_now(p))
        reply_error(c->reply, "ERR Error trying to save the DB, check server logs.");
    else
        renew_all(c);
}

void cmd_debug_loadaof(struct call *c) {
    if (c->server->persist == NULL)
        reply_error(c->reply, "ERR nothing is kept: the server was started without --data-dir");
    else if (!persist_snapshot_now(c->server->persist))
        reply_error(c->reply, "ERR Error trying to load the AOF files, check server logs.");
    else
        renew_all(c);
}
