/* stream.c - pauses, and the two kinds of stream built on them. */
#include "stream.h"

#include <flashkv/clock.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <sys/epoll.h>

#include "conn.h"
#include "respond.h"
#include "server.h"
#include "worker.h"

/* The library's buffer for a response: chunked ones hardly need it, but HTTP/1.0 has no chunks. */
enum { STREAM_BLOCK = 16, STREAM_BLOCK_HTTP10 = 1024 };

/* A connection that may be suspended. `mutex` guards `suspended`, `woken`, `stopped` and `due_ns`. */
struct pause {
    struct waiter leaving; /* first: notified when the client disconnects */
    struct resumption resumption;
    struct pause *prev, *next;
    struct conn *conn;
    bool streams; /* it belongs to a stream, not to a waiting request */
    bool suspended, woken, stopped;
    struct mutex mutex;
    int64_t due_ns; /* of a heartbeat, or the end of a wait; 0: never */
};

struct stream {
    struct pause pause; /* first */
    const struct stream_ops *ops;
    void *ctx;
    struct buf out;     /* pushed: guarded by the pause's mutex; pulled: only the connection's thread */
    size_t sent;        /* how much of `out` was taken */
    bool ended, broken; /* nothing follows `out`; something is missing. Guarded as `out` */
    bool idles;         /* pulled: has ever been idle; only the connection's thread */
    bool beats, gone;   /* pulled: a heartbeat is due; the client is gone. Guarded by the pause's mutex */
};

/* NULL: the pause belongs to a waiting request. */
static struct stream *stream_of(struct pause *p) {
    return p->streams ? (struct stream *)p : NULL;
}

/* ---- pauses --------------------------------------------------------------------------------------------------------- */

static void list_lock(struct pause_list *l) ACQUIRE(pause_list_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&l->mutex);
}

static void list_unlock(struct pause_list *l) RELEASE(pause_list_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&l->mutex);
}

void pause_list_init(struct pause_list *l) NO_THREAD_SAFETY_ANALYSIS {
    mutex_init(&l->mutex, LOCK_RANK_STREAMS);
    l->head = NULL;
    l->stopped = false;
}

void pause_list_destroy(struct pause_list *l) {
    mutex_destroy(&l->mutex);
}

/* Both with the pause's mutex held. */
static void suspend(struct pause *p) {
    p->suspended = true;
    atomic_store_explicit(&p->conn->waits, true, memory_order_relaxed);
    MHD_suspend_connection(p->conn->request.connection);
}

static void wake(struct pause *p) {
    p->woken = true;
    if (!p->suspended)
        return;
    p->suspended = false;
    atomic_store_explicit(&p->conn->waits, false, memory_order_relaxed);
    worker_resume(p->conn->worker, &p->resumption);
}

static bool append_held(struct stream *s, struct slice bytes) {
    if (s->ended)
        return false;
    if (buf_append_slice(&s->out, bytes)) {
        s->pause.due_ns = 0;
    } else {
        s->broken = s->ended = true;
        buf_free(&s->out);
        s->sent = 0;
    }
    wake(&s->pause);
    return !s->broken;
}

static void on_due(struct pause *p) {
    struct stream *s = stream_of(p);

    p->due_ns = 0;
    if (s != NULL && s->ops->beat == NULL)
        return;
    if (s != NULL && s->ops->fill != NULL)
        s->beats = true;
    else if (s != NULL)
        s->ops->beat(s->ctx, &s->out); /* without memory this one is omitted */
    wake(p);
}

/* A client that shuts down its sending side may still read: a heartbeat finds out, since a client that is gone answers it with a
 * reset, which is reported here as EPOLLERR or EPOLLHUP. */
static void on_leaving(struct waiter *w) {
    struct pause *p = (struct pause *)w;
    struct stream *s = stream_of(p);

    mutex_lock(&p->mutex);
    if (w->events & (EPOLLHUP | EPOLLERR)) {
        if (s != NULL && s->ops->fill != NULL)
            s->gone = true;
        else if (s != NULL)
            s->ended = s->broken = true;
        wake(p);
    } else if (s != NULL && p->suspended) {
        on_due(p);
    }
    mutex_unlock(&p->mutex);
}

static void pause_enter(struct pause *p, struct request *r) {
    struct pause_list *l = http_pauses(r->http);

    p->conn = conn_of_request(r);
    p->leaving = (struct waiter){.ready = on_leaving, .fd = p->conn->fd};
    p->resumption.connection = r->connection;
    p->resumption.kind = p->streams ? RESUME_STREAM : RESUME_REQUEST;
    mutex_init(&p->mutex, LOCK_RANK_LEAF);
    if (!worker_watch(p->conn->worker, &p->leaving))
        log_debug("http: a stream's client can leave unnoticed");
    list_lock(l);
    p->stopped = l->stopped;
    p->next = l->head;
    if (p->next != NULL)
        p->next->prev = p;
    l->head = p;
    list_unlock(l);
}

static void pause_leave(struct pause *p) {
    struct pause_list *l = http_pauses(p->conn->request.http);

    worker_unwatch(p->conn->worker, &p->leaving);
    list_lock(l);
    if (p->prev != NULL)
        p->prev->next = p->next;
    else
        l->head = p->next;
    if (p->next != NULL)
        p->next->prev = p->prev;
    list_unlock(l);
    mutex_destroy(&p->mutex);
}

void pause_free(struct pause *p) {
    if (p == NULL)
        return;
    pause_leave(p);
    mem_free(p);
}

int pause_list_tick(struct pause_list *l) {
    int64_t now_ns = clock_mono_ns();
    int ms = -1;

    list_lock(l);
    for (struct pause *p = l->head; p != NULL; p = p->next) {
        ms = STREAM_TICK_MS;
        mutex_lock(&p->mutex);
        if (p->due_ns != 0 && now_ns >= p->due_ns)
            on_due(p);
        mutex_unlock(&p->mutex);
    }
    list_unlock(l);
    return ms;
}

void pause_list_stop(struct pause_list *l) {
    list_lock(l);
    l->stopped = true;
    for (struct pause *p = l->head; p != NULL; p = p->next) {
        mutex_lock(&p->mutex);
        p->stopped = true;
        wake(p);
        mutex_unlock(&p->mutex);
    }
    list_unlock(l);
}

/* ---- waiting requests --------------------------------------------------------------------------------------------- */

bool request_prepare_wait(struct request *r) {
    if (r->pause == NULL && (r->pause = mem_zalloc(sizeof(*r->pause))) != NULL)
        pause_enter(r->pause, r);
    return r->pause != NULL;
}

enum MHD_Result request_wait(struct request *r, int64_t until_ns) {
    struct pause *p;

    if (!request_prepare_wait(r))
        return MHD_NO;
    p = r->pause;
    mutex_lock(&p->mutex);
    p->due_ns = until_ns;
    r->waits_until_ns = until_ns;
    suspend(p);
    if (p->woken || p->stopped) /* woken before the suspension: the library must call again all the same */
        wake(p);
    p->woken = false;
    mutex_unlock(&p->mutex);
    return MHD_YES;
}

bool request_turn_over(struct request *r) {
    return turns_over(&conn_of_request(r)->worker->turns);
}

enum MHD_Result request_yield(struct request *r) {
    if (!request_prepare_wait(r))
        return MHD_NO;
    request_wake(r);
    return request_wait(r, clock_mono_ns());
}

bool request_waited(const struct request *r, bool *time_is_up) {
    *time_is_up = false;
    if (r->waits_until_ns == 0)
        return false;
    mutex_lock(&r->pause->mutex);
    *time_is_up = r->pause->stopped || clock_mono_ns() >= r->waits_until_ns;
    mutex_unlock(&r->pause->mutex);
    return true;
}

void request_wake(struct request *r) {
    mutex_lock(&r->pause->mutex);
    wake(r->pause);
    mutex_unlock(&r->pause->mutex);
}

/* ---- streams -------------------------------------------------------------------------------------------------------- */

struct stream *stream_new(struct request *r, const struct stream_ops *ops, void *ctx, size_t max) {
    struct stream *s = mem_zalloc(sizeof(*s));

    if (s == NULL)
        return NULL;
    s->ops = ops;
    s->ctx = ctx;
    s->out = buf_make(max);
    s->pause.streams = true;
    pause_enter(&s->pause, r);
    return s;
}

void stream_free(struct stream *s) {
    pause_leave(&s->pause);
    buf_free(&s->out);
    mem_free(s);
}

static void on_done(void *stream) {
    struct stream *s = stream;

    s->ops->done(s->ctx);
    stream_free(s);
}

/* Takes bytes of `out`; if there are none, returns the code of how the stream ends. */
static ssize_t take(struct stream *s, char *to, size_t max) {
    size_t left = s->out.len - s->sent, n = left < max ? left : max;

    if (n == 0)
        return s->broken ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
    memcpy(to, s->out.data + s->sent, n);
    s->sent += n;
    s->pause.conn->request.sent_bytes += n;
    if (s->sent == s->out.len) {
        s->out.len = s->sent = 0;
        if (s->ops->fill == NULL)
            buf_free(&s->out); /* an idle stream must not keep its buffer */
    }
    return (ssize_t)n;
}

/* Calls `fill` until there is output or the stream ends; true: it has nothing to produce now. */
static bool is_idle(struct stream *s) {
    while (s->out.len == 0 && !s->ended)
        switch (s->ops->fill(s->ctx, &s->out)) {
        case STREAM_MORE:
            break;
        case STREAM_IDLE:
            s->idles = true;
            return s->out.len == 0;
        case STREAM_END:
            s->ended = true;
            break;
        case STREAM_CUT:
            s->ended = s->broken = true;
            s->out.len = 0;
            break;
        }
    return false;
}

/* Suspends the stream until there is something to send; both kinds, with the mutex held. */
static void rest(struct stream *s) {
    struct pause *p = &s->pause;

    int64_t beat_ns = (int64_t)p->conn->request.server->options->http_heartbeat * INT64_C(1000000000);

    p->due_ns = s->ops->beat != NULL ? clock_mono_ns() + beat_ns : 0;
    suspend(p);
}

static ssize_t on_pull(struct stream *s, char *to, size_t max) {
    struct pause *p = &s->pause;
    bool stopped, beats, gone;

    mutex_lock(&p->mutex);
    stopped = p->stopped;
    gone = s->gone;
    beats = s->beats;
    s->beats = p->woken = false;
    mutex_unlock(&p->mutex);
    if (stopped || gone)
        return s->idles && !gone ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
    if (!is_idle(s))
        return take(s, to, max);
    if (beats) {
        s->ops->beat(s->ctx, &s->out);
        if (s->out.len > 0)
            return take(s, to, max);
    }
    buf_free(&s->out); /* an idle stream must not keep its buffer */
    mutex_lock(&p->mutex);
    rest(s);
    if (p->woken || p->stopped) /* in the meantime */
        wake(p);
    mutex_unlock(&p->mutex);
    return 0;
}

static ssize_t on_push(struct stream *s, char *to, size_t max) {
    struct pause *p = &s->pause;
    ssize_t n = 0;

    mutex_lock(&p->mutex);
    p->woken = false;
    if (s->out.len > 0 || s->ended || p->stopped)
        n = take(s, to, max);
    else
        rest(s);
    mutex_unlock(&p->mutex);
    return n;
}

static ssize_t on_read(void *stream, uint64_t at, char *to, size_t max) {
    struct stream *s = stream;

    (void)at;
    return s->ops->fill != NULL ? on_pull(s, to, max) : on_push(s, to, max);
}

static ssize_t no_body(void *cls, uint64_t at, char *to, size_t max) {
    (void)cls, (void)at, (void)to, (void)max;
    return MHD_CONTENT_READER_END_OF_STREAM;
}

/* For HEAD: the length of a stream is unknown, and 0 would be taken for it (RFC 9110, 8.6). Of a chunked response 0.9.75 would
 * send the last chunk, which would be parsed as the next response. Without either, it closes the connection. */
static struct MHD_Response *headers_alone(void) {
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, no_body, NULL, NULL);

    if (response != NULL)
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return response;
}

enum MHD_Result stream_respond(struct stream *s, struct request *r, const char *type) {
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, r->http11 ? STREAM_BLOCK : STREAM_BLOCK_HTTP10, on_read, s, on_done);

    if (response == NULL) {
        on_done(s);
        return MHD_NO;
    }
    if (slice_eq(r->method, SLICE_LIT("HEAD"))) {
        MHD_destroy_response(response); /* frees the stream too */
        response = headers_alone();
    }
    return respond_stream(r, type, response);
}

bool stream_append(struct stream *s, struct slice bytes) {
    bool kept;

    mutex_lock(&s->pause.mutex);
    kept = append_held(s, bytes);
    mutex_unlock(&s->pause.mutex);
    return kept;
}

bool stream_prepend(struct stream *s, struct slice bytes) {
    struct buf first = buf_make(s->out.max);
    bool kept;

    mutex_lock(&s->pause.mutex);
    kept = buf_append_slice(&first, bytes) && buf_append_slice(&first, buf_slice(&s->out));
    if (kept) {
        buf_free(&s->out);
        s->out = first;
    } else {
        buf_free(&first);
    }
    mutex_unlock(&s->pause.mutex);
    return kept;
}

void stream_wake(struct stream *s) {
    mutex_lock(&s->pause.mutex);
    wake(&s->pause);
    mutex_unlock(&s->pause.mutex);
}

void stream_end(struct stream *s) {
    mutex_lock(&s->pause.mutex);
    s->ended = true;
    wake(&s->pause);
    mutex_unlock(&s->pause.mutex);
}
