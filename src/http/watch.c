/* watch.c - GET /watch: the change feed (feed.h) as server-sent events.
 *
 *     id: 5b7c0d1e-42
 *     event: set
 *     data: {"key":"k","type":"string","etag":"...","value":"..."}
 *
 * An id consists of eight digits of the process's run id and the feed's number, so that ids of an earlier process are recognised.
 * A stream begins with an id but no event, and every heartbeat has one, so that a client knows where to resume even if nothing
 * that it watches happened. */
#include <flashkv/glob.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <stdio.h>

#include "handlers.h"
#include "json_out.h"
#include "params.h"
#include "stream.h"

enum {
    READ_CHANGES = 32,
    READ_BYTES = 64 * 1024,
    EVENTS_MAX = 2 * 1024 * 1024, /* of one read, as JSON, in which a byte may take six */
    EPOCH_LEN = 8,
    RETRY_MS = 1000,
};

static const uint64_t another_life = UINT64_MAX; /* a number that the feed never has: a gap */

struct watcher {
    struct follower follower; /* first */
    struct server *server;
    struct stream *stream;
    struct buf pattern; /* empty: all keys */
    char *prefix;       /* the literal prefix of `pattern` */
    bool values;        /* events contain the values */
};

static const char *const event_names[] = {
    [CHANGE_SET] = "set",       [CHANGE_TTL] = "ttl",     [CHANGE_DELETE] = "delete",
    [CHANGE_EXPIRE] = "expire", [CHANGE_EVICT] = "evict",
};

/* ---- events ------------------------------------------------------------------------------------------------------------- */

static void put_id(const struct watcher *w, struct json_out *o, uint64_t number) {
    char id[EPOCH_LEN + 1 + NUM_I64_MAX];

    snprintf(id, sizeof(id), "%.*s-%llu", EPOCH_LEN, w->server->run_id, (unsigned long long)number);
    json_put(o, id);
}

static void put_id_line(const struct watcher *w, struct json_out *o, uint64_t number) {
    json_put(o, "id: ");
    put_id(w, o, number);
    json_put(o, "\n");
}

static void put_etag(struct json_out *o, const struct change *c) {
    char hex[NUM_HEX64];
    uint64_t digest;

    if (c->type != TYPE_STRING || !(c->has_digest || c->has_value))
        return;
    digest = c->has_digest ? c->digest : c->blob != NULL ? blob_digest(c->blob) : store_digest(c->value);
    num_format_hex64(digest, hex);
    json_put(o, ",\"etag\":");
    json_put_utf8(o, slice_of(hex, sizeof(hex)));
}

/* The members that describe the key after the change. */
static void put_entry(const struct watcher *w, struct json_out *o, const struct change *c) {
    json_put(o, ",\"type\":");
    json_put_utf8(o, slice_str(value_type_name((enum value_type)c->type)));
    if (c->kind == CHANGE_SET)
        put_etag(o, c);
    if (c->expire_at != NO_EXPIRY) {
        json_put(o, ",\"expire_at\":");
        json_put_integer(o, c->expire_at);
    }
    if (w->values && c->has_value) {
        json_put(o, ",");
        json_put_bytes(o, "value", "encoding", c->value);
    }
}

static void put_change(const struct watcher *w, struct json_out *o, const struct change *c) {
    put_id_line(w, o, c->number);
    json_put(o, "event: ");
    json_put(o, event_names[c->kind]);
    json_put(o, "\ndata: {");
    json_put_bytes(o, "key", "key_encoding", c->key);
    if (c->kind == CHANGE_SET || c->kind == CHANGE_TTL)
        put_entry(w, o, c);
    json_put(o, "}\n\n");
}

/* Reports that changes between the previous id and this one are missing. */
static void put_gap(const struct watcher *w, struct json_out *o) {
    uint64_t number = feed_position(&w->server->feed, &w->follower);

    put_id_line(w, o, number);
    json_put(o, "event: gap\ndata: {\"first\":\"");
    put_id(w, o, number + 1);
    json_put(o, "\"}\n\n");
}

/* ---- the stream ------------------------------------------------------------------------------------------------------------ */

static bool wants(const struct watcher *w, const struct change *c) {
    return w->pattern.len == 0 || glob_match(buf_slice(&w->pattern), c->key);
}

static enum stream_state fill(void *ctx, struct buf *out) {
    struct watcher *w = ctx;
    struct change *changes[READ_CHANGES];
    struct json_out o = {*out, false};
    size_t n;
    enum feed_state state = feed_read(&w->server->feed, &w->follower, changes, READ_CHANGES, READ_BYTES, &n);

    if (state == FEED_GAP)
        put_gap(w, &o);
    for (size_t i = 0; i < n; i++) {
        if (wants(w, changes[i]))
            put_change(w, &o, changes[i]);
        change_unref(changes[i]);
    }
    *out = o.buf;
    return o.failed ? STREAM_CUT : state == FEED_IDLE ? STREAM_IDLE : STREAM_MORE;
}

static void beat(void *ctx, struct buf *out) {
    const struct watcher *w = ctx;
    struct json_out o = {*out, false};

    json_put(&o, ": ping\n");
    put_id_line(w, &o, feed_position(&w->server->feed, &w->follower));
    json_put(&o, "\n");
    *out = o.buf;
}

static void wake(struct follower *f) {
    stream_wake(((struct watcher *)(void *)f)->stream);
}

static void watcher_free(struct watcher *w) {
    buf_free(&w->pattern);
    mem_free(w->prefix);
    mem_free(w);
}

static void on_done(void *ctx) {
    struct watcher *w = ctx;

    feed_leave(&w->server->feed, &w->follower);
    watcher_free(w);
}

static const struct stream_ops watch_ops = {.fill = fill, .done = on_done, .beat = beat};

/* ---- the request --------------------------------------------------------------------------------------------------- */

/* The number after the id that a client saw last; another_life if the id is not of this process. */
static uint64_t number_behind(const struct server *srv, struct slice id) {
    uint64_t number;

    if (id.len > EPOCH_LEN + 1 && memcmp(id.ptr, srv->run_id, EPOCH_LEN) == 0 && id.ptr[EPOCH_LEN] == '-' &&
        num_parse_u64(slice_of(id.ptr + EPOCH_LEN + 1, id.len - EPOCH_LEN - 1), &number) &&
        number < another_life)
        return number + 1;
    return another_life;
}

/* Where to begin: a browser that reconnects sends a header, whatever the URL says; 0: at the next change. */
static uint64_t begin_at(const struct request *r) {
    const char *header = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Last-Event-ID");
    struct slice since;

    if (header != NULL && *header != '\0')
        return number_behind(r->server, slice_str(header));
    return target_query(&r->target, "since", &since) ? number_behind(r->server, since) : 0;
}

/* ?value=. False: *result is the response. */
static bool wants_values(struct request *r, bool *values, enum MHD_Result *result) {
    struct slice s = SLICE_LIT("false");

    target_query(&r->target, "value", &s);
    *values = slice_eq(s, SLICE_LIT("true"));
    if (*values || slice_eq(s, SLICE_LIT("false")))
        return true;
    *result = respond_problem(r, 400, "value: expects true or false");
    return false;
}

/* Checks the client's rights, and that data is loaded, by a private command. False: *result is the response. */
static bool may_watch(struct request *r, const struct watcher *w, enum MHD_Result *result) {
    struct slice pattern = w->pattern.len > 0 ? buf_slice(&w->pattern) : SLICE_LIT("*");
    struct arg argv[] = {arg_text("rest.watch"), arg_text("0"), arg_text("match"), arg_of(pattern)};
    struct capture c;

    if (!ask(r, &c, result, 4, argv))
        return false;
    capture_free(&c);
    return true;
}

/* Sends the delay before a reconnection and, unless the client knows it, the id from which to resume. */
static void greet(struct watcher *w, bool with_id) {
    struct json_out o = json_out_make(256);

    json_put(&o, "retry: ");
    json_put_integer(&o, RETRY_MS);
    json_put(&o, "\n");
    if (with_id)
        put_id_line(w, &o, feed_position(&w->server->feed, &w->follower));
    json_put(&o, "\n");
    stream_prepend(w->stream, buf_slice(&o.buf));
    buf_free(&o.buf);
}

/* False: no memory. */
static bool follow(struct watcher *w, uint64_t from) {
    w->prefix = mem_alloc(w->pattern.len);
    if (w->prefix == NULL)
        return false;
    w->follower = (struct follower){
        .prefix = slice_of(w->prefix, glob_literal_prefix(buf_slice(&w->pattern), w->prefix)), .wake = wake};
    return feed_follow(&w->server->feed, &w->follower, from);
}

static enum MHD_Result watch(struct request *r, struct watcher *w) {
    uint64_t from = begin_at(r);

    w->server = r->server;
    w->stream = stream_new(r, &watch_ops, w, EVENTS_MAX);
    if (w->stream == NULL || !follow(w, from)) {
        if (w->stream != NULL)
            stream_free(w->stream);
        watcher_free(w);
        return respond_problem(r, 503, "out of memory");
    }
    greet(w, from == 0);
    return stream_respond(w->stream, r, "text/event-stream");
}

enum MHD_Result http_watch(struct request *r) {
    struct watcher *w = mem_zalloc(sizeof(*w));
    enum MHD_Result result;

    if (w == NULL)
        return respond_problem(r, 503, "out of memory");
    if (!param_pattern(r, &w->pattern, &result))
        mem_free(w);
    else if (!wants_values(r, &w->values, &result) || !may_watch(r, w, &result))
        watcher_free(w);
    else
        result = watch(r, w);
    return result;
}
