/* multi.c - MULTI, EXEC, DISCARD, WATCH, UNWATCH. Source: https://redis.io/docs/interact/transactions */
#include "multi.h"

#include <flashkv/mem.h>

#include "args.h"
#include "blocking.h"
#include "dispatch.h"
#include "handlers.h"
#include "listening.h"
#include "measure.h"
#include "reserve.h"

struct watch {
    struct key_watch watch; /* first */
    struct watch *next;
    struct multi *multi;
    struct key key;
    int64_t expire_at; /* of the key, when WATCH saw it */
    bool was_missing;  /* when WATCH saw it: removing an expired key that was not swept yet is no change */
    char name[];
};

static struct multi *multi_of(struct session *s) {
    if (s->multi == NULL && (s->multi = mem_zalloc(sizeof(*s->multi))) != NULL)
        s->multi->last = &s->multi->first;
    return s->multi;
}

/* Charges `bytes` to the session's limit. False: replied. */
static bool charge(struct call *c, struct multi *m, uint64_t bytes) {
    uint64_t max = c->server->options->max_request_bytes;

    if (bytes <= max && m->bytes <= max - bytes) {
        m->bytes += bytes;
        return true;
    }
    reply_error(c->reply, "ERR the transaction is larger than max-request-bytes");
    return false;
}

/* ---- the queue ----------------------------------------------------------------------------------------------- */

void queued_free(struct queued *q) {
    if (q == NULL)
        return;
    for (size_t i = 0; i < q->argc; i++)
        blob_unref(q->argv[i].blob);
    mem_free(q);
}

static size_t queued_size(const struct call *c, size_t key_count, uint64_t *held) {
    size_t size = sizeof(struct queued) + c->argc * sizeof(struct arg) + key_count * sizeof(struct key);

    *held = 0;
    for (size_t i = 0; i < c->argc; i++) {
        if (c->argv[i].blob == NULL)
            size += c->argv[i].len;
        else
            *held += c->argv[i].len;
    }
    *held += size;
    return size;
}

/* A copy of the call's command; large values by reference. */
static struct queued *queued_copy(const struct call *c, size_t size, size_t key_count) {
    struct queued *q = mem_alloc(size);
    char *bytes;

    if (q == NULL)
        return NULL;
    *q = (struct queued){.command = c->command, .argc = c->argc};
    q->keys = (struct key *)(q->argv + c->argc);
    bytes = (char *)(q->keys + key_count);
    for (size_t i = 0; i < c->argc; i++) {
        q->argv[i] = c->argv[i];
        if (c->argv[i].blob != NULL) {
            blob_ref(c->argv[i].blob);
            continue;
        }
        if (c->argv[i].len > 0)
            memcpy(bytes, c->argv[i].ptr, c->argv[i].len);
        q->argv[i].ptr = bytes;
        bytes += c->argv[i].len;
    }
    return q;
}

struct queued *queued_keep(const struct call *c) {
    uint64_t held;

    return queued_copy(c, queued_size(c, 0, &held), 0);
}

void queued_run(struct server *srv, struct session *s, const struct queued *q, struct reply *r) {
    command_execute(srv, s, q->argc, q->argv, r);
}

static void queue_add(struct multi *m, struct queued *q, uint64_t shards) {
    unsigned flags = q->command->flags;

    *m->last = q;
    m->last = &q->next;
    m->count++;
    m->shards |= flags & CMD_KEYSPACE ? TXN_ALL_SHARDS : shards;
    m->writes += (flags & CMD_WRITE) != 0;
    m->takes_memory |= (flags & CMD_DENYOOM) != 0;
}

/* False: replied. */
static bool enqueue(struct call *c, struct multi *m) {
    struct key_args at = {0};
    struct call copy = *c;
    uint64_t shards = 0, held;
    struct queued *q;
    size_t size;

    if (c->command->first_key > 0 && !command_key_args(c->command, c->argc, c->argv, &at))
        at.count = 0; /* the handler replies the error */
    size = queued_size(c, at.count, &held);
    if (!charge(c, m, held))
        return false;
    if ((q = queued_copy(c, size, at.count)) == NULL) {
        reply_store_error(c, STORE_NO_MEMORY);
        return false;
    }
    copy.argv = q->argv;
    if (!dispatch_hash_keys(&copy, &at, q->keys, &shards)) {
        queued_free(q);
        return false;
    }
    q->key_count = at.count;
    queue_add(m, q, shards);
    return true;
}

bool multi_queue(struct call *c) {
    struct multi *m = c->session->multi;

    if (!m->open || (c->command->flags & CMD_AT_ONCE))
        return false;
    if (c->command->flags & CMD_NO_MULTI) {
        reply_error(c->reply, "ERR Command not allowed inside a transaction");
        m->aborted = true;
    } else if (enqueue(c, m)) {
        reply_status(c->reply, SLICE_LIT("QUEUED"));
    } else {
        m->aborted = true;
    }
    return true;
}

void multi_refused(struct session *s) {
    if (s->multi != NULL && s->multi->open)
        s->multi->aborted = true;
}

/* ---- watches ------------------------------------------------------------------------------------------------- */

static bool watched_changed(struct key_watch *watch, const struct event *ev) {
    struct watch *w = (struct watch *)watch;

    if (w->was_missing && ev->class == EVENT_EXPIRED)
        return true;
    atomic_store_explicit(&w->multi->touched, true, memory_order_relaxed);
    return false;
}

static bool is_watched(const struct multi *m, const struct key *k) {
    for (const struct watch *w = m->watches; w != NULL; w = w->next)
        if (w->key.hash == k->hash && slice_eq(w->key.name, k->name))
            return true;
    return false;
}

/* False: replied. */
static bool watch_key(struct call *c, struct multi *m, const struct key *k) {
    size_t size = sizeof(struct watch) + k->name.len;
    const struct entry *e = store_peek(c->txn, k);
    struct watch *w;

    if (is_watched(m, k))
        return true;
    if (!charge(c, m, size))
        return false;
    w = mem_zalloc(size);
    if (w == NULL)
        goto no_memory;
    if (k->name.len > 0)
        memcpy(w->name, k->name.ptr, k->name.len);
    w->key = (struct key){slice_of(w->name, k->name.len), k->hash};
    w->multi = m;
    w->watch.changed = watched_changed;
    w->was_missing = e == NULL;
    w->expire_at = e != NULL ? entry_expire_at(e) : NO_EXPIRY;
    if (!store_watch(c->txn, k, &w->watch))
        goto no_memory;
    w->next = m->watches;
    m->watches = w;
    m->watch_shards |= key_shard_bit(k);
    return true;

no_memory:
    mem_free(w);
    reply_store_error(c, STORE_NO_MEMORY);
    return false;
}

/* Has a watched key changed? One that has expired since counts as changed, swept or not. */
static bool touched(const struct multi *m, int64_t now_ms) {
    if (atomic_load_explicit(&m->touched, memory_order_relaxed))
        return true;
    for (const struct watch *w = m->watches; w != NULL; w = w->next)
        if (w->expire_at != NO_EXPIRY && w->expire_at <= now_ms)
            return true;
    return false;
}

/* Ends the watches, under their shards. multi_tidy frees the memory. */
static void end_watches(struct txn *t, struct multi *m) {
    for (struct watch *w = m->watches; w != NULL; w = w->next)
        store_unwatch(t, &w->key, &w->watch);
    m->watch_shards = 0;
    atomic_store_explicit(&m->touched, false, memory_order_relaxed);
}

/* ---- locks and ends ------------------------------------------------------------------------------------------ */

uint64_t multi_shards(const struct call *c, enum txn_mode *mode) {
    const struct multi *m = c->session->multi;
    bool runs;

    *mode = TXN_READ;
    if (m == NULL)
        return 0;
    runs = c->command->handler == cmd_exec && m->open && !m->aborted;
    if (m->watch_shards != 0 || (runs && m->writes > 0))
        *mode = TXN_WRITE;
    return m->watch_shards | (runs ? m->shards : 0);
}

static void free_watches(struct multi *m) {
    for (struct watch *w = m->watches, *next; w != NULL; w = next) {
        next = w->next;
        mem_free(w);
    }
    m->watches = NULL;
}

static void free_queue(struct multi *m) {
    for (struct queued *q = m->first, *next; q != NULL; q = next) {
        next = q->next;
        queued_free(q);
    }
    m->first = NULL;
}

void multi_tidy(struct session *s) {
    struct multi *m = s->multi;

    if (m == NULL)
        return;
    if (m->watch_shards == 0)
        free_watches(m);
    if (m->open || m->watches != NULL)
        return;
    free_queue(m);
    mem_free(m);
    s->multi = NULL;
}

void multi_end(struct call *c) {
    struct multi *m = c->session->multi;

    if (m == NULL)
        return;
    end_watches(c->txn, m);
    m->open = false;
}

void command_forget(struct server *srv, struct session *s) {
    struct txn t;

    blocking_forget(srv, s);
    if (s->multi == NULL)
        return;
    txn_begin(&t, srv->store, s->now_ms, s->multi->watch_shards, TXN_WRITE);
    end_watches(&t, s->multi);
    txn_end(&t);
    s->multi->open = false;
    multi_tidy(s);
}

/* ---- commands ------------------------------------------------------------------------------------------------ */

void cmd_multi(struct call *c) {
    struct multi *m = multi_of(c->session);

    if (m == NULL) {
        reply_store_error(c, STORE_NO_MEMORY);
    } else if (m->open) {
        reply_error(c->reply, "ERR MULTI calls can not be nested");
    } else {
        m->open = true;
        reply_ok(c->reply);
    }
}

static void run_queue(struct call *c, const struct multi *m) {
    int64_t began = c->session->ticks;

    reply_array(c->reply, m->count);
    for (const struct queued *q = m->first; q != NULL; q = q->next) {
        struct call one = {.server = c->server,
                           .session = c->session,
                           .command = q->command,
                           .argc = q->argc,
                           .argv = q->argv,
                           .keys = q->keys,
                           .key_count = q->key_count,
                           .txn = c->txn,
                           .reply = c->reply,
                           .in_exec = true};

        c->reply->failed = false;
        call_run(&one);
        measure_end(&one, began);
        began = c->session->ticks;
        if (monitored(c->server))
            monitors_feed(&one);
    }
    c->reply->failed = false; /* an error of a queued command is not one of EXEC */
}

/* Reserves memory, so that the queue is run whole or not at all. A single write needs no reserve. */
static void run_whole(struct call *c, const struct multi *m) {
    if (m->writes < 2) {
        run_queue(c, m);
    } else if (multi_reserve(c, m)) {
        run_queue(c, m);
        mem_reserve_end();
    } else {
        reply_error(c->reply, "EXECABORT Transaction discarded because of: out of memory");
    }
}

void cmd_exec(struct call *c) {
    struct multi *m = c->session->multi;
    bool changed;

    if (m == NULL || !m->open) {
        reply_error(c->reply, "ERR EXEC without MULTI");
        return;
    }
    changed = touched(m, c->txn->now_ms);
    multi_end(c); /* first, so that its own changes do not touch its watches */
    if (m->aborted)
        reply_error(c->reply, "EXECABORT Transaction discarded because of previous errors.");
    else if (changed)
        reply_null_array(c->reply);
    else if (m->writes == 0 || !call_refused(c))
        run_whole(c, m);
}

void cmd_discard(struct call *c) {
    if (c->session->multi == NULL || !c->session->multi->open) {
        reply_error(c->reply, "ERR DISCARD without MULTI");
        return;
    }
    multi_end(c);
    reply_ok(c->reply);
}

void cmd_watch(struct call *c) {
    struct multi *m = multi_of(c->session);

    if (m == NULL) {
        reply_store_error(c, STORE_NO_MEMORY);
        return;
    }
    if (m->open) {
        reply_error(c->reply, "ERR WATCH inside MULTI is not allowed");
        return;
    }
    for (size_t i = 0; i < c->key_count; i++)
        if (!watch_key(c, m, &c->keys[i]))
            return;
    reply_ok(c->reply);
}

void cmd_unwatch(struct call *c) {
    if (c->session->multi != NULL)
        end_watches(c->txn, c->session->multi);
    reply_ok(c->reply);
}
