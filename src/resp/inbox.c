/* inbox.c - delivery from any thread to the thread that serves the connection. */
#include "inbox.h"

#include <flashkv/mem.h>

#include "conn.h"

enum {
    PARCELS_FIRST = 4,
    PARCEL_COPY = 2048, /* up to this many bytes copying is cheaper than sending by reference */
};

/* ---- the post: guarded lists --------------------------------------------------------------------------------- */

static void post_add(struct loop *l, struct conn *c) REQUIRES(loop_role) {
    c->inbox.listed = true;
    c->inbox.next = NULL;
    c->inbox.prev = l->post.last;
    if (l->post.last != NULL)
        l->post.last->inbox.next = c;
    else
        l->post.first = c;
    l->post.last = c;
    l->post.count++;
}

static void post_remove(struct loop *l, struct conn *c) REQUIRES(loop_role) {
    struct inbox *in = &c->inbox;

    if (in->prev != NULL)
        in->prev->inbox.next = in->next;
    else
        l->post.first = in->next;
    if (in->next != NULL)
        in->next->inbox.prev = in->prev;
    else
        l->post.last = in->prev;
    in->listed = false;
    l->post.count--;
}

/* ---- mail ---------------------------------------------------------------------------------------------------- */

static void mail_free(struct mail *m) {
    if (m == NULL)
        return;
    for (uint32_t i = 0; i < m->count; i++)
        blob_unref(m->parcels[i].bytes);
    mem_free(m);
}

/* Makes room for one more parcel. False: no memory. */
static bool mail_grow(struct mail **mail) {
    struct mail *m = *mail;
    uint32_t cap;

    if (m != NULL && m->count < m->cap)
        return true;
    cap = m != NULL ? 2 * m->cap : PARCELS_FIRST;
    m = mem_realloc(m, sizeof(*m) + cap * sizeof(*m->parcels));
    if (m == NULL)
        return false;
    if (*mail == NULL)
        m->bytes = m->count = 0;
    m->cap = cap;
    *mail = m;
    return true;
}

static bool mail_add(struct mail **mail, size_t max, struct blob *bytes, bool is_reply) {
    if ((*mail != NULL && (*mail)->bytes >= max) || !mail_grow(mail))
        return false;
    (*mail)->bytes += bytes->len;
    (*mail)->parcels[(*mail)->count++] = (struct parcel){blob_ref(bytes), is_reply};
    return true;
}

/* ---- the two ends -------------------------------------------------------------------------------------------- */

static void put(struct conn *c, struct blob *const *parts, size_t count, enum delivery what) {
    struct loop *l = c->source.loop;
    struct inbox *in = &c->inbox;
    struct mail *dead = NULL;
    bool wake;

    loop_lock(l);
    if (what == DELIVER_CLOSE)
        in->close = true;
    else if (what == DELIVER_WAKE)
        in->wake = true;
    else
        for (size_t i = 0; i < count && !in->lost; i++)
            in->lost = !mail_add(&in->mail, l->out.bytes.max, parts[i], what == DELIVER_REPLY);
    if (in->lost || in->close) {
        dead = in->mail;
        in->mail = NULL;
    }
    if (!in->listed)
        post_add(l, c);
    wake = !atomic_exchange_explicit(&l->post_due, true, memory_order_relaxed);
    loop_unlock(l);
    mail_free(dead);
    if (wake)
        loop_wake(l);
}

void inbox_put(struct conn *c, struct blob *bytes, enum delivery what) {
    put(c, &bytes, 1, what);
}

void inbox_put_parts(struct conn *c, struct blob *const *parts, size_t count) {
    put(c, parts, count, DELIVER_REPLY);
}

static struct mail *inbox_take(struct conn *c) {
    struct loop *l = c->source.loop;
    struct mail *m;

    loop_lock(l);
    m = c->inbox.mail;
    c->inbox.mail = NULL;
    loop_unlock(l);
    return m;
}

static void add_parcel(struct outq *q, struct blob *bytes) {
    char *at;

    if (bytes->len > PARCEL_COPY) {
        outq_add_blob(q, bytes);
        return;
    }
    at = outq_room(q, bytes->len);
    if (at != NULL) {
        memcpy(at, bytes->data, bytes->len);
        outq_added(q, at + bytes->len);
    }
}

bool inbox_pour(struct conn *c, struct outq *to) {
    struct mail *m = inbox_take(c);
    bool replied = false;

    for (uint32_t i = 0; m != NULL && i < m->count; i++) {
        add_parcel(to, m->parcels[i].bytes);
        replied = replied || m->parcels[i].is_reply;
    }
    mail_free(m);
    return replied;
}

void inbox_verdict(const struct conn *c, bool *lost, bool *close) {
    struct loop *l = c->source.loop;

    loop_lock(l);
    *lost = c->inbox.lost;
    *close = c->inbox.close;
    loop_unlock(l);
}

bool inbox_woken(struct conn *c) {
    struct loop *l = c->source.loop;
    bool woken;

    loop_lock(l);
    woken = c->inbox.wake;
    c->inbox.wake = false;
    loop_unlock(l);
    return woken;
}

void inbox_drop(struct conn *c) {
    struct loop *l = c->source.loop;

    loop_lock(l);
    if (c->inbox.listed)
        post_remove(l, c);
    loop_unlock(l);
    mail_free(c->inbox.mail);
}

/* Removes and returns the first connection in the post. NULL: none. */
static struct conn *post_next(struct loop *l) {
    struct conn *c;

    loop_lock(l);
    c = l->post.first;
    if (c != NULL)
        post_remove(l, c);
    loop_unlock(l);
    return c;
}

void loop_deliver(struct loop *l) {
    size_t count;
    struct conn *c;

    loop_lock(l);
    atomic_store_explicit(&l->post_due, false, memory_order_relaxed);
    count = l->post.count; /* later deliveries wake the loop again, after it has served its other clients */
    loop_unlock(l);
    while (count-- > 0 && (c = post_next(l)) != NULL)
        conn_deliver(c);
}
