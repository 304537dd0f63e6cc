/* blocking.c - parking calls and serving them (blocking.h). */
#include "blocking.h"

#include <flashkv/clock.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <flashkv/watch.h>
#include <math.h>

#include "args.h"
#include "multi.h"
#include "mute.h"
#include "walk.h"

struct parked;

struct waiting {
    struct key_watch watch; /* first */
    struct parked *parked;
};

struct parked {
    struct server *server;
    struct session *session;
    const struct command *command;
    struct blocking how;      /* except `args` */
    bool waits;               /* under its shards: see blocking.h */
    bool muted;               /* CLIENT REPLY: the delivery has no bytes */
    uint64_t shards;          /* of all keys */
    int64_t deadline_ms;      /* monotonic; 0: none */
    struct queued *postponed; /* postponed by CLIENT PAUSE: it waits for the end of that, not for a key */
    char args[BLOCKING_ARGS_MAX];
    size_t key_count;
    struct key *keys;         /* stored after `waiting`, followed by their bytes */
    struct waiting waiting[]; /* one for each key it waits for, without duplicates */
};

/* ---- replies to a blocked session ---------------------------------------------------------------------------- */

struct delayed_reply {
    struct call call;
    bool (*emit)(struct call *c, const struct parked *p);
    const struct parked *parked;
    bool *replied;
};

static void emit_reply(struct reply *r, const void *ctx) {
    const struct delayed_reply *d = ctx;
    struct call c = d->call;
    struct muted_reply silent;

    c.reply = d->parked->muted ? mute_reply(&silent, r) : r;
    *d->replied = d->emit(&c, d->parked);
}

/* Leaves all queues. Under its shards. */
static void leave_queues(struct parked *p, struct txn *t) {
    for (size_t i = 0; i < p->how.waits; i++)
        store_unwatch(t, &p->keys[i], &p->waiting[i].watch);
    if (p->waits)
        atomic_fetch_sub_explicit(&p->server->blocked_clients, 1, memory_order_relaxed);
    p->waits = false;
}

/* Delivers what `emit` replies under the transaction, which ends the wait; `p` may be freed then. False: it replied
 * nothing, and the session stays blocked. */
static bool answer(struct parked *p, struct txn *t, const struct key *keys, size_t key_count,
                   bool (*emit)(struct call *c, const struct parked *p)) {
    struct session *to = p->session;
    unsigned protocol = atomic_load_explicit(&to->protocol, memory_order_relaxed);
    struct arg name = {p->command->name, strlen(p->command->name), NULL};
    bool replied = false;
    struct delayed_reply d = {.call = {.server = p->server,
                                       .session = to,
                                       .command = p->command,
                                       .argc = 1,
                                       .argv = &name,
                                       .keys = keys,
                                       .key_count = key_count,
                                       .txn = t},
                              .emit = emit,
                              .parked = p,
                              .replied = &replied};
    struct blob *bytes = to->ops->encode(p->server, protocol, emit_reply, &d);

    if (replied) { /* a reply that could not be encoded closes the connection, as one that is too large does */
        leave_queues(p, t);
        to->ops->deliver(to, bytes, bytes != NULL ? DELIVER_REPLY : DELIVER_CLOSE);
    }
    blob_unref(bytes);
    return replied;
}

/* ---- parking ------------------------------------------------------------------------------------------------- */

static bool is_repeated(const struct parked *p, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (p->keys[k].hash == p->keys[i].hash && slice_eq(p->keys[k].name, p->keys[i].name))
            return true;
    return false;
}

/* Watches each of its keys. False: no memory. */
static bool enter_queues(struct parked *p, struct txn *t) {
    for (size_t i = 0; i < p->how.waits; i++) {
        p->waiting[i].parked = p;
        if (!is_repeated(p, i) && !store_watch(t, &p->keys[i], &p->waiting[i].watch)) {
            leave_queues(p, t);
            return false;
        }
    }
    p->waits = true;
    atomic_fetch_add_explicit(&p->server->blocked_clients, 1, memory_order_relaxed);
    return true;
}

static struct parked *parked_new(const struct call *c, const struct blocking *how) {
    size_t waiting = how->waits * sizeof(struct waiting), keys = c->key_count * sizeof(struct key), bytes = 0;
    struct parked *p;
    char *name;

    for (size_t i = 0; i < c->key_count; i++)
        bytes += c->keys[i].name.len;
    p = mem_zalloc(sizeof(*p) + waiting + keys + bytes);
    if (p == NULL)
        return NULL;
    p->server = c->server;
    p->session = c->session;
    p->command = c->command;
    p->muted = mute_is(c->reply);
    p->how = *how;
    p->how.args = p->args;
    memcpy(p->args, how->args, how->args_size);
    p->key_count = c->key_count;
    p->keys = (struct key *)(p->waiting + how->waits);
    name = (char *)(p->keys + c->key_count);
    for (size_t i = 0; i < c->key_count; i++) {
        size_t len = c->keys[i].name.len;

        p->keys[i] = (struct key){slice_of(name, len), c->keys[i].hash};
        if (len > 0)
            name = (char *)mempcpy(name, c->keys[i].name.ptr, len);
        p->shards |= key_shard_bit(&p->keys[i]);
    }
    return p;
}

static void block(struct session *s, struct parked *p) {
    s->parked = p;
    atomic_fetch_add_explicit(&s->block_serial, 1, memory_order_relaxed);
    atomic_store_explicit(&s->blocked, true, memory_order_relaxed);
}

static void park(struct call *c, const struct blocking *how, int64_t timeout_ms) {
    struct session *s = c->session;
    struct parked *p = parked_new(c, how);

    if (p == NULL || !enter_queues(p, c->txn)) {
        mem_free(p);
        reply_store_error(c, STORE_NO_MEMORY);
        return;
    }
    p->deadline_ms = timeout_ms > 0 ? clock_deadline_ms(clock_mono_ns(), timeout_ms) : 0;
    block(s, p);
}

void take_or_block(struct call *c, const struct blocking *how, int64_t timeout_ms) {
    if (how->take(c, how->args))
        return;
    if (c->session->ops == NULL || c->in_exec)
        how->nothing(c);
    else
        park(c, how, timeout_ms);
}

bool arg_timeout(struct call *c, size_t i, int64_t *timeout_ms) {
    static const double longest = 9e15; /* seconds that fit in milliseconds */
    double seconds;

    if (!num_parse_double(call_arg(c, i), &seconds))
        reply_error(c->reply, "ERR timeout is not a float or out of range");
    else if (seconds < 0 || seconds > longest) /* Redis 7.0 has one error for both */
        reply_error(c->reply, "ERR timeout is negative");
    else {
        *timeout_ms = (int64_t)ceil(seconds * 1000);
        return true;
    }
    return false;
}

/* ---- serving ------------------------------------------------------------------------------------------------- */

static bool reply_taken(struct call *c, const struct parked *p) {
    return p->how.take(c, p->how.args);
}

/* Serves the sessions that wait for a ready key. Returns the shards that the next one needs, if they are not held; 0: all that
 * could be served were. */
static uint64_t serve_key(struct txn *t, const struct watched_key *ready) {
    const struct key *k = watched_key(ready);

    for (struct key_watch *w = watched_key_waiting(ready), *next; w != NULL; w = next) {
        struct parked *p = ((struct waiting *)w)->parked;
        const struct entry *e = store_peek(t, k);

        next = key_watch_next(w);
        if (e == NULL)
            break;
        if (entry_type(e) != p->how.type)
            continue;
        if ((p->shards & ~t->shards) != 0)
            return p->shards;
        if (p->how.waits > 1)
            answer(p, t, k, 1, reply_taken);
        else
            answer(p, t, p->keys, p->key_count, reply_taken);
    }
    return 0;
}

/* Serves everything that can be served under the shards held, including keys that become ready by it. Returns the shards that
 * the rest needs; the rest is on the transaction's list. */
static uint64_t serve_ready(struct txn *t) {
    struct ready_keys rest = {NULL, NULL};
    uint64_t needed = 0;

    while (t->ready.first != NULL) {
        struct watched_key *k = ready_keys_pop(&t->ready);
        uint64_t shards = serve_key(t, k);

        if (shards == 0) {
            watched_key_release(t, k);
            continue;
        }
        ready_keys_push(&rest, k);
        needed |= shards;
    }
    t->ready = rest;
    return needed;
}

void blocking_serve(struct server *srv, struct txn *t) {
    uint64_t needed;

    while ((needed = serve_ready(t)) != 0) {
        struct ready_keys rest = txn_take_ready(t);
        struct journal *journal = t->journal;
        int64_t now_ms = t->now_ms;

        effects_commit(t);
        txn_end(t);
        txn_begin(t, srv->store, now_ms, needed, TXN_WRITE);
        t->journal = journal;
        t->ready = rest;
    }
    effects_commit(t);
}

/* ---- other ends ---------------------------------------------------------------------------------------------- */

static bool reply_timed_out(struct call *c, const struct parked *p) {
    if (p->how.late != NULL)
        p->how.late(c);
    else
        reply_null_array(c->reply);
    return true;
}

static bool reply_unblocked(struct call *c, const struct parked *p) {
    (void)p;
    reply_error(c->reply, "UNBLOCKED client unblocked via CLIENT UNBLOCK");
    return true;
}

/* Ends the wait, unless another thread has served it, and delivers a reply (NULL: none). In the session's thread. */
static void end_wait(struct server *srv, struct session *s,
                     bool (*emit)(struct call *c, const struct parked *p)) {
    struct parked *p = s->parked;
    struct txn t;

    if (p == NULL)
        return;
    txn_begin(&t, srv->store, s->now_ms, p->shards, TXN_WRITE);
    if (p->waits && emit != NULL)
        answer(p, &t, p->keys, p->key_count, emit);
    else if (p->waits)
        leave_queues(p, &t);
    txn_end(&t);
}

int64_t session_deadline_ms(const struct session *s) {
    return s->parked != NULL ? s->parked->deadline_ms : 0;
}

/* ---- postponed ----------------------------------------------------------------------------------------------- */

void blocking_postpone(struct call *c, int64_t until_ms) {
    struct parked *p = mem_zalloc(sizeof(*p));

    if (p == NULL || (p->postponed = queued_keep(c)) == NULL) {
        mem_free(p);
        reply_store_error(c, STORE_NO_MEMORY);
        return;
    }
    p->server = c->server;
    p->session = c->session;
    p->muted = mute_is(c->reply);
    p->deadline_ms = until_ms;
    atomic_store_explicit(&c->session->postponed, true, memory_order_relaxed);
    block(c->session, p);
    atomic_fetch_add_explicit(&c->server->blocked_clients, 1, memory_order_relaxed);
}

static void free_parked(struct parked *p) {
    if (p == NULL)
        return;
    if (p->postponed != NULL)
        atomic_fetch_sub_explicit(&p->server->blocked_clients, 1, memory_order_relaxed);
    queued_free(p->postponed);
    mem_free(p);
}

static void reply_postponed(struct reply *r, const void *ctx) {
    const struct parked *p = ctx;
    struct muted_reply silent;

    queued_run(p->server, p->session, p->postponed, p->muted ? mute_reply(&silent, r) : r);
}

/* Runs the postponed command. It may block again: then the session has another parked call or a walk, and no reply yet. */
static void run_postponed(struct session *s) {
    struct parked *p = s->parked;
    struct blob *bytes;

    s->parked = NULL;
    atomic_store_explicit(&s->postponed, false, memory_order_relaxed);
    s->now_ms = clock_wall_ms();
    bytes = s->ops->encode(p->server, atomic_load_explicit(&s->protocol, memory_order_relaxed),
                           reply_postponed, p);
    if (s->parked == NULL && s->walk == NULL)
        s->ops->deliver(s, bytes, bytes != NULL ? DELIVER_REPLY : DELIVER_CLOSE);
    blob_unref(bytes);
    free_parked(p);
}

void session_timed_out(struct server *srv, struct session *s) {
    if (s->parked == NULL)
        return;
    if (s->parked->postponed != NULL) {
        run_postponed(s); /* postponed again if the pause was extended */
    } else {
        s->parked->deadline_ms = 0;
        end_wait(srv, s, reply_timed_out);
    }
}

void blocking_forget(struct server *srv, struct session *s) {
    end_wait(srv, s, NULL);
    walk_forget(s);
    session_resume(s);
}

/* The reply was delivered before its effects were logged, but under the same shards: locking one waits for the log position. */
static void reach_as_served(struct session *s, const struct parked *p) {
    struct txn t;

    txn_begin(&t, p->server->store, s->now_ms, p->shards, TXN_READ);
    t.journal = atomic_load_explicit(&p->server->journal, memory_order_acquire);
    call_reach(s, &t, true);
    txn_end(&t);
}

void session_resume(struct session *s) {
    if (s->parked != NULL)
        reach_as_served(s, s->parked);
    atomic_store_explicit(&s->blocked, false, memory_order_relaxed);
    free_parked(s->parked);
    s->parked = NULL;
}

/* The request contains the block's serial, since the session may be in another block when its thread reads it. */
bool blocking_unblock(struct session *s, bool with_error) {
    uint32_t serial = atomic_load_explicit(&s->block_serial, memory_order_relaxed);

    if (!atomic_load_explicit(&s->blocked, memory_order_relaxed) ||
        atomic_load_explicit(&s->postponed, memory_order_relaxed))
        return false;
    atomic_store_explicit(&s->unblock, (uint64_t)serial << 1 | with_error, memory_order_relaxed);
    s->ops->deliver(s, NULL, DELIVER_WAKE);
    return true;
}

void session_woken(struct server *srv, struct session *s) {
    uint64_t request = atomic_exchange_explicit(&s->unblock, 0, memory_order_relaxed);

    if (s->walk != NULL)
        walk_go_on(s);
    else if (s->parked != NULL && s->parked->postponed != NULL)
        run_postponed(s); /* CLIENT UNPAUSE */
    else if (s->parked != NULL &&
             request >> 1 == atomic_load_explicit(&s->block_serial, memory_order_relaxed))
        end_wait(srv, s, request & 1 ? reply_unblocked : reply_timed_out);
}
