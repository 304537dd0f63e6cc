/* cmd_keyspace.c - all keys: KEYS, SCAN, RANDOMKEY. Source: https://redis.io/commands/?group=generic */
#include <flashkv/clock.h>
#include <flashkv/glob.h>
#include <flashkv/mem.h>

#include "args.h"
#include "handlers.h"
#include "measure.h"
#include "mute.h"
#include "walk.h"

struct key_filter {
    struct names names;
    struct slice pattern; /* ptr NULL: all */
    struct slice type;    /* likewise */
};

static void gather(void *ctx, const struct entry *e) {
    struct key_filter *f = ctx;

    if (f->pattern.ptr != NULL && !glob_match(f->pattern, entry_key(e)))
        return;
    if (f->type.ptr != NULL && !slice_caseeq(f->type, slice_str(value_type_name(entry_type(e)))))
        return;
    names_add(&f->names, entry_key(e));
}

/* Collects the matching ones of about `count` keys from `cursor` on, in pages so that no lock is held for long. Returns the
 * next cursor, 0 at the end. */
static uint64_t gather_keys(struct txn *t, uint64_t cursor, uint64_t count, struct key_filter *f) {
    enum { PAGE = 1000 };

    do {
        size_t page = count < PAGE ? (size_t)count : PAGE;

        cursor = store_scan(t, cursor, page, gather, f);
        count -= page;
    } while (cursor != 0 && count > 0 && !f->names.overflow);
    return cursor;
}

/* ---- KEYS, in turns ---------------------------------------------------------------------------------------------- */

enum {
    TURN_KEYS = 4000, /* about a millisecond */
    PART_BYTES = 64 * 1024,
};

struct walk {
    struct server *server;
    struct session *session;
    bool muted; /* CLIENT REPLY */
    uint64_t cursor;
    struct key_filter found; /* names that are not in a part yet */
    size_t count, bytes;     /* of the names in parts */
    struct blob **parts;     /* of the reply, the first is its head */
    size_t part_count, part_cap;
    uint64_t first_ns, ns; /* duration of the first turn; of all turns */
    struct arg argv[2];
    char pattern[];
};

static void walk_free(struct walk *w) {
    for (size_t i = 0; i < w->part_count; i++)
        blob_unref(w->parts[i]);
    mem_free(w->parts);
    buf_free(&w->found.names.bytes);
    mem_free(w);
}

void walk_forget(struct session *s) {
    if (s->walk == NULL)
        return;
    walk_free(s->walk);
    s->walk = NULL;
    atomic_store_explicit(&s->postponed, false, memory_order_relaxed);
}

static struct blob *encode(const struct walk *w, void (*say)(struct reply *r, const void *ctx)) {
    unsigned protocol = atomic_load_explicit(&w->session->protocol, memory_order_relaxed);

    return w->session->ops->encode(w->server, protocol, say, w);
}

/* Replies the array's length, or an error if names are missing, or nothing if muted. */
static void reply_head(struct reply *r, const void *ctx) {
    const struct walk *w = ctx;
    struct names lost = {.overflow = true, .no_memory = w->found.names.no_memory};

    if (w->muted)
        return;
    if (w->found.names.overflow)
        names_reply(&(struct call){.reply = r}, &lost);
    else
        reply_array(r, w->count);
}

static void reply_names(struct reply *r, const void *ctx) {
    names_each(&((const struct walk *)ctx)->found.names, reply_name, r);
}

static bool parts_room(struct walk *w) {
    return mem_room(w->parts, w->part_count, w->part_cap, 16);
}

/* Encodes the collected names as a part of the reply. */
static void keep_part(struct walk *w) {
    struct names *n = &w->found.names;
    struct blob *part = w->muted ? NULL : encode(w, reply_names);

    w->count += n->count;
    w->bytes += n->bytes.len;
    if (!w->muted && (part == NULL || !parts_room(w))) {
        blob_unref(part);
        n->overflow = n->no_memory = true;
        return;
    }
    if (part != NULL)
        w->parts[w->part_count++] = part;
    n->bytes.len = n->count = 0;
    n->overflow = w->bytes > n->bytes.max;
}

/* Dispatch measured only the first turn as the command; this adds the others. */
static void measure(const struct walk *w) {
    struct call c = {.server = w->server, .session = w->session, .argc = 2, .argv = w->argv};
    uint64_t slow_ns = atomic_load_explicit(&w->server->slow.slow_ns, memory_order_relaxed);

    c.command = command_lookup(arg_slice(&w->argv[0]));
    if (w->session->stats == NULL)
        return;
    stats_add(&w->session->stats->commands[c.command - command_table].ns, w->ns - w->first_ns);
    if (w->first_ns < slow_ns && w->ns >= slow_ns)
        measure_slow(&c, w->ns);
}

/* Delivers the reply, with nothing between its parts. */
static void deliver(struct walk *w) {
    struct session *s = w->session;

    if (w->found.names.count > 0 && !w->found.names.overflow)
        keep_part(w);
    blob_unref(w->parts[0]);
    w->parts[0] = encode(w, reply_head);
    if (w->parts[0] == NULL)
        s->ops->deliver(s, NULL, DELIVER_CLOSE);
    else
        s->ops->deliver_parts(s, w->parts, w->found.names.overflow ? 1 : w->part_count);
}

void walk_go_on(struct session *s) {
    struct walk *w = s->walk;
    int64_t began = clock_mono_ns();
    struct txn t;

    txn_begin(&t, w->server->store, clock_wall_ms(), 0, TXN_READ);
    w->cursor = gather_keys(&t, w->cursor, TURN_KEYS, &w->found);
    txn_end(&t);
    if (w->found.names.bytes.len >= PART_BYTES && !w->found.names.overflow)
        keep_part(w);
    w->ns += (uint64_t)(clock_mono_ns() - began);
    if (w->cursor != 0 && !w->found.names.overflow) {
        s->ops->deliver(s, NULL, DELIVER_WAKE);
        return;
    }
    deliver(w);
    measure(w);
    walk_forget(s);
}

/* False: no memory, or the session cannot be blocked. */
static bool walk_begin(struct call *c, uint64_t cursor, const struct key_filter *found, int64_t began) {
    struct session *s = c->session;
    struct walk *w;

    if (s->ops == NULL || s->ops->deliver_parts == NULL || c->in_exec)
        return false;
    if ((w = mem_zalloc(sizeof(*w) + c->argv[1].len)) == NULL)
        return false;
    *w = (struct walk){c->server, s, .muted = mute_is(c->reply), .cursor = cursor};
    if (!parts_room(w)) {
        walk_free(w);
        return false;
    }
    w->parts[w->part_count++] = NULL; /* the head's place */
    if (c->argv[1].len > 0)
        memcpy(w->pattern, c->argv[1].ptr, c->argv[1].len);
    w->argv[0] = (struct arg){c->command->name, strlen(c->command->name), NULL};
    w->argv[1] = (struct arg){w->pattern, c->argv[1].len, NULL};
    w->found = (struct key_filter){.names = found->names, .pattern = arg_slice(&w->argv[1])};
    w->first_ns = w->ns = (uint64_t)(clock_mono_ns() - began);
    s->walk = w;
    atomic_store_explicit(&s->postponed, true, memory_order_relaxed);
    atomic_store_explicit(&s->blocked, true, memory_order_relaxed);
    s->ops->deliver(s, NULL, DELIVER_WAKE);
    return true;
}

void cmd_keys(struct call *c) {
    struct key_filter f = {.names = names_make(c), .pattern = call_arg(c, 1)};
    int64_t began = clock_mono_ns();
    uint64_t cursor = gather_keys(c->txn, 0, TURN_KEYS, &f);

    if (cursor != 0 && !f.names.overflow) {
        if (walk_begin(c, cursor, &f, began))
            return;
        gather_keys(c->txn, cursor, UINT64_MAX, &f);
    }
    names_reply(c, &f.names);
}

/* ---- SCAN and RANDOMKEY ------------------------------------------------------------------------------------------ */

void cmd_scan(struct call *c) {
    struct scan_args scan;
    struct key_filter f;
    uint64_t next;

    if (!arg_cursor(c, 1, &scan) || !arg_scan(c, 2, true, &scan))
        return;
    f = (struct key_filter){names_make(c), scan.pattern, scan.type};
    next = gather_keys(c->txn, scan.cursor, scan.count, &f);
    names_reply_page(c, next, &f.names);
}

void cmd_randomkey(struct call *c) {
    struct names names = names_make(c);

    if (!store_random(c->txn, names_add_key, &names) || names.overflow)
        reply_null(c->reply);
    else
        reply_bulk(c->reply,
                   slice_of(names.bytes.data + sizeof(uint32_t), names.bytes.len - sizeof(uint32_t)));
    buf_free(&names.bytes);
}
