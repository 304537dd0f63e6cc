/* traffic.c - counting requests. */
#include "traffic.h"

#include <flashkv/clock.h>
#include <flashkv/mem.h>

#include "request.h"
#include "routes.h"

enum { STATUS_LIMIT = 512 };

const uint16_t traffic_statuses[TRAFFIC_STATUSES] = {0,   200, 201, 202, 204, 206, 304, 400, 401,
                                                     403, 404, 405, 409, 411, 412, 413, 414, 415,
                                                     416, 417, 429, 431, 499, 500, 501, 503, 507};

/* Index in traffic_statuses by status; filled before main, then constant. */
static uint8_t places[STATUS_LIMIT];

__attribute__((constructor)) static void places_fill(void) {
    for (uint8_t i = 0; i < TRAFFIC_STATUSES; i++)
        places[traffic_statuses[i]] = i;
}

struct traffic *traffic_new(void) {
    return mem_zalloc(sizeof(struct traffic) + (route_count + 1) * sizeof(struct route_traffic));
}

void traffic_free(struct traffic *t) {
    if (t == NULL)
        return;
    for (size_t i = 0; i <= route_count; i++)
        mem_free(atomic_load_explicit(&t->routes[i].histogram, memory_order_relaxed));
    mem_free(t);
}

static uint64_t load(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static struct histogram *histogram_of(struct route_traffic *row) {
    struct histogram *h = atomic_load_explicit(&row->histogram, memory_order_relaxed);

    if (h == NULL && (h = mem_zalloc(sizeof(*h))) != NULL)
        atomic_store_explicit(&row->histogram, h, memory_order_release);
    return h;
}

void traffic_begin(struct traffic *t, struct request *r) {
    stats_add(&t->begun, 1);
    r->ticks = clock_ticks();
}

uint64_t traffic_end(struct traffic *t, const struct request *r) {
    size_t route = r->route != NULL ? (size_t)(r->route - route_table) : route_count;
    struct route_traffic *row = &t->routes[route];
    unsigned status = r->status != 0 ? r->status : TRAFFIC_LEFT;
    uint64_t ns = clock_ticks_ns(clock_ticks() - r->ticks);
    struct histogram *h = histogram_of(row);

    stats_add(&t->ended, 1);
    stats_add(&t->bytes_in, r->raw_len + r->body_bytes);
    stats_add(&t->bytes_out, r->sent_bytes);
    stats_add(&row->ns, ns);
    stats_add(&row->statuses[status < STATUS_LIMIT ? places[status] : 0], 1);
    if (h != NULL)
        histogram_add(h, ns);
    return ns;
}

/* Adds to `to` what `from` has grown by since *published. */
static void publish(_Atomic uint64_t *to, const _Atomic uint64_t *from, uint64_t *published) {
    uint64_t now = load(from);

    if (now != *published)
        atomic_fetch_add_explicit(to, now - *published, memory_order_relaxed);
    *published = now;
}

void traffic_publish(struct traffic *t, struct front_stats *f) {
    publish(&f->requests, &t->ended, &t->published_ended);
    publish(&f->bytes_in, &t->bytes_in, &t->published_in);
    publish(&f->bytes_out, &t->bytes_out, &t->published_out);
}

static bool add_route(struct route_traffic *to, const struct route_traffic *from) {
    const struct histogram *h = atomic_load_explicit(&from->histogram, memory_order_acquire);
    struct histogram *sum;

    stats_add(&to->ns, load(&from->ns));
    for (size_t i = 0; i < TRAFFIC_STATUSES; i++)
        stats_add(&to->statuses[i], load(&from->statuses[i]));
    if (h == NULL)
        return true;
    if ((sum = histogram_of(to)) == NULL)
        return false;
    histogram_merge(sum, h);
    return true;
}

bool traffic_add(struct traffic *to, const struct traffic *from) {
    stats_add(&to->begun, load(&from->begun));
    stats_add(&to->ended, load(&from->ended));
    for (size_t i = 0; i <= route_count; i++)
        if (!add_route(&to->routes[i], &from->routes[i]))
            return false;
    return true;
}
