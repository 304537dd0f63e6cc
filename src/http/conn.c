/* conn.c - the list of connections, and the watch over it. */
#include "conn.h"

#include <flashkv/clock.h>
#include <flashkv/mem.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

static void list_lock(struct conn_list *l) ACQUIRE(conn_list_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&l->mutex);
}

static void list_unlock(struct conn_list *l) RELEASE(conn_list_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&l->mutex);
}

void conn_list_init(struct conn_list *l) NO_THREAD_SAFETY_ANALYSIS {
    mutex_init(&l->mutex, LOCK_RANK_LEAF);
    l->head = NULL;
}

void conn_list_destroy(struct conn_list *l) {
    mutex_destroy(&l->mutex);
}

struct conn *conn_new(struct conn_list *l, struct worker *w, int fd) {
    struct conn *c = mem_zalloc(sizeof(*c));

    if (c == NULL)
        return NULL;
    c->worker = w;
    c->fd = fd;
    c->prefix = "";
    c->since_ns = c->head_ns = clock_mono_ns();
    list_lock(l);
    c->next = l->head;
    if (l->head != NULL)
        l->head->prev = c;
    l->head = c;
    list_unlock(l);
    return c;
}

void conn_free(struct conn_list *l, struct conn *c) {
    if (c == NULL)
        return;
    list_lock(l);
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        l->head = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    list_unlock(l);
    tls_creds_unref(c->tls);
    mem_free(c);
}

/* Bytes received, and bytes acknowledged by the client's kernel. */
struct moved {
    uint64_t in, out;
};

static struct moved bytes_moved(int fd) {
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return (struct moved){0, 0};
    return (struct moved){info.tcpi_bytes_received, info.tcpi_bytes_acked};
}

/* Has it stalled for the timeout? The kernel is queried only if no request was finished. */
static bool stands_still(struct conn *c, int64_t now_ns, int64_t timeout_ns) {
    uint32_t finished = atomic_load_explicit(&c->finished, memory_order_relaxed);
    bool moved = finished != c->seen_finished;

    if (!moved && now_ns - c->since_ns < timeout_ns)
        return false;
    moved |= atomic_load_explicit(&c->waits, memory_order_relaxed);
    if (!moved) {
        struct moved m = bytes_moved(c->fd);
        uint64_t bytes = m.in + m.out;

        moved = bytes - c->seen_bytes >= CONN_PROGRESS;
        c->seen_bytes = bytes;
    }
    c->seen_finished = finished;
    c->since_ns = now_ns;
    return !moved;
}

/* Have headers been awaited for the timeout? The kernel is queried only if no request was finished since the last look. */
static bool awaits_headers(struct conn *c, int64_t now_ns, int64_t timeout_ns) {
    uint32_t finished = atomic_load_explicit(&c->finished, memory_order_relaxed);
    uint64_t in;

    if (atomic_load_explicit(&c->headed, memory_order_relaxed) || finished != c->head_finished) {
        c->head_finished = finished;
        c->head_bytes = c->head_ns = 0;
        return false;
    }
    if (c->head_ns > 0)
        return now_ns - c->head_ns >= timeout_ns;
    in = bytes_moved(c->fd).in;
    if (c->head_bytes == 0)
        c->head_bytes = in;
    else if (in > c->head_bytes)
        c->head_ns = now_ns;
    return false;
}

static bool is_late(struct conn *c, int64_t now_ns, int64_t timeout_ns, int64_t header_ns) {
    return (timeout_ns > 0 && stands_still(c, now_ns, timeout_ns)) ||
           (header_ns > 0 && awaits_headers(c, now_ns, header_ns));
}

unsigned conn_list_watch(struct conn_list *l, int64_t timeout_ns, int64_t header_ns) {
    int64_t now_ns = clock_mono_ns();
    unsigned n = 0;

    list_lock(l);
    for (struct conn *c = l->head; c != NULL; c = c->next)
        if (is_late(c, now_ns, timeout_ns, header_ns)) {
            shutdown(c->fd, SHUT_RDWR); /* its worker sees the end and closes it */
            n++;
        }
    list_unlock(l);
    return n;
}

bool conn_list_busy(struct conn_list *l) {
    bool busy = false;

    list_lock(l);
    for (const struct conn *c = l->head; c != NULL && !busy; c = c->next)
        busy = atomic_load_explicit(&c->busy, memory_order_relaxed) ||
               atomic_load_explicit(&c->owes, memory_order_relaxed);
    list_unlock(l);
    return busy;
}
