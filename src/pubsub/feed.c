/* feed.c - the ring, the followers and the thread between them. */
#include <assert.h>
#include <flashkv/clock.h>
#include <flashkv/feed.h>
#include <flashkv/mem.h>
#include <flashkv/store.h>

enum {
    CHANGE_LEAST = 128,    /* bytes of a usual change: determines the number of slots */
    NOTIFIED_AT_ONCE = 16, /* changes that the thread matches with followers at once */
    LOOKED_AT = 64,        /* changes that a follower checks under the ring's mutex */
    SLOTS_LEAST = 64,
};

static void ring_lock(struct feed *f) ACQUIRE(feed_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&f->mutex);
}

static void ring_unlock(struct feed *f) RELEASE(feed_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&f->mutex);
}

static void followers_lock(struct feed *f) ACQUIRE(followers_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&f->followers_mutex);
}

static void followers_unlock(struct feed *f) RELEASE(followers_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&f->followers_mutex);
}

/* ---- the ring ----------------------------------------------------------------------------------------------------- */

static struct change **slot(const struct feed *f, uint64_t number) REQUIRES(feed_role) {
    return &f->ring[number & (f->slots - 1)];
}

/* Removes the oldest change and prepends it to the list `dead`. */
static struct change *drop_first(struct feed *f, struct change *dead) REQUIRES(feed_role) {
    struct change *c = *slot(f, f->first);

    *slot(f, f->first++) = NULL;
    if (c == NULL)
        return dead;
    f->bytes -= c->cost;
    c->next = dead;
    return c;
}

static void free_dead(struct change *dead) {
    while (dead != NULL) {
        struct change *c = dead;

        dead = c->next;
        change_unref(c);
    }
}

/* Is it the expiry of the change before it? SET k v EX 10 is two events to Redis, but one change. */
static bool is_in_last_change(const struct feed *f, const struct change *c) REQUIRES(feed_role) {
    const struct change *last = f->next > f->first ? *slot(f, f->next - 1) : NULL;

    return c->kind == CHANGE_TTL && last != NULL && (last->kind == CHANGE_SET || last->kind == CHANGE_TTL) &&
           last->expire_at == c->expire_at && slice_eq(last->key, c->key);
}

/* Appends a change and takes ownership of the reference; NULL: a gap. Returns a list to be freed when no lock is held. */
static struct change *append(struct feed *f, struct change *c) REQUIRES(feed_role) {
    struct change *dead = NULL;
    size_t cost = c != NULL ? c->cost : 0;

    while (f->next - f->first == f->slots || (f->first < f->next && f->bytes + cost > f->max))
        dead = drop_first(f, dead);
    if (c != NULL)
        c->number = f->next;
    *slot(f, f->next++) = c;
    f->bytes += cost;
    if (f->sleeps) {
        f->sleeps = false;
        pthread_cond_signal(&f->wake);
    }
    return dead;
}

static void on_event(void *ctx, const struct event *ev) {
    struct feed *f = ctx;
    struct change *c, *dead;

    if (!change_of_event(ev, &c))
        return;
    ring_lock(f);
    dead = f->open && (c == NULL || !is_in_last_change(f, c)) ? append(f, c) : c;
    ring_unlock(f);
    free_dead(dead);
}

void feed_gap(struct feed *f) {
    struct change *dead = NULL;

    ring_lock(f);
    if (f->open)
        dead = append(f, NULL);
    ring_unlock(f);
    free_dead(dead);
}

/* ---- beginning and ending ------------------------------------------------------------------------------------------ */

static size_t slots_for(size_t max) {
    size_t slots = SLOTS_LEAST;

    while (slots * 2 <= max / CHANGE_LEAST)
        slots *= 2;
    return slots;
}

static bool open_ring(struct feed *f) REQUIRES(feed_role) {
    if (f->open)
        return true;
    f->slots = slots_for(f->max);
    f->ring = mem_zalloc(f->slots * sizeof(struct change *));
    if (f->ring == NULL)
        return false;
    f->open = true;
    store_sink_classes(f->store, f->sink, EVENT_ALL_CHANGES);
    return true;
}

/* Drops the ring. Returns a list to be freed. */
static struct change *close_ring(struct feed *f) REQUIRES(feed_role) {
    struct change *dead = NULL;

    if (!f->open)
        return NULL;
    store_sink_classes(f->store, f->sink, 0);
    f->open = false;
    while (f->first < f->next)
        dead = drop_first(f, dead);
    f->first = f->notified =
        ++f->next; /* the skipped number is the gap for all changes until the feed starts again */
    mem_free(f->ring);
    f->ring = NULL;
    return dead;
}

/* ---- the thread ---------------------------------------------------------------------------------------------------- */

/* Have there been no followers for linger_ms? */
static bool is_over(const struct feed *f) REQUIRES(feed_role) {
    return f->open && f->follower_count == 0 &&
           clock_mono_ns() >= f->left_ns + f->linger_ms * INT64_C(1000000);
}

/* Waits for changes; false: the ring is not needed any more, or the thread shall stop. */
static bool await(struct feed *f) REQUIRES(feed_role) {
    while (!f->stop && f->notified == f->next && !is_over(f)) {
        int64_t until = f->left_ns + f->linger_ms * INT64_C(1000000);
        struct timespec at = {until / 1000000000, until % 1000000000};

        f->sleeps = true;
        if (f->open && f->follower_count == 0)
            pthread_cond_timedwait(&f->wake, &f->mutex.impl, &at);
        else
            pthread_cond_wait(&f->wake, &f->mutex.impl);
    }
    f->sleeps = false;
    return !f->stop && f->notified != f->next;
}

/* Does one of the changes, numbered from `from` on, match the follower? It skips the others. */
static bool interests(struct follower *w, uint64_t from, struct change *const changes[], size_t n)
    REQUIRES(followers_role) {
    if (w->next < from) /* some left the ring before it read them */
        return true;
    for (size_t i = (size_t)(w->next - from); i < n; i++, w->next++)
        if (changes[i] == NULL || slice_starts(changes[i]->key, w->prefix))
            return true;
    return false;
}

static void wake_followers(struct feed *f, uint64_t from, struct change *const changes[], size_t n)
    REQUIRES(followers_role) {
    for (struct follower *w = f->followers; w != NULL; w = w->behind)
        if (w->waits && w->next < from + n && interests(w, from, changes, n)) {
            w->waits = false;
            w->wake(w);
        }
}

/* Takes references of the next few changes; their number. */
static size_t take(struct feed *f, struct change *changes[], uint64_t *from) REQUIRES(feed_role) {
    size_t n = 0;

    if (f->notified < f->first)
        f->notified = f->first;
    *from = f->notified;
    for (; n < NOTIFIED_AT_ONCE && f->notified < f->next; n++) {
        changes[n] = *slot(f, f->notified++);
        if (changes[n] != NULL)
            atomic_fetch_add_explicit(&changes[n]->refs, 1, memory_order_relaxed);
    }
    return n;
}

static void *run(void *feed) {
    struct feed *f = feed;
    struct change *changes[NOTIFIED_AT_ONCE], *dead = NULL;
    uint64_t from;

    ring_lock(f);
    while (!f->stop) {
        if (await(f)) {
            size_t n = take(f, changes, &from);

            ring_unlock(f);
            followers_lock(f);
            wake_followers(f, from, changes, n);
            followers_unlock(f);
            for (size_t i = 0; i < n; i++)
                change_unref(changes[i]);
        } else {
            dead = f->stop ? NULL : close_ring(f);
            ring_unlock(f);
            free_dead(dead);
        }
        ring_lock(f);
    }
    ring_unlock(f);
    return NULL;
}

static bool start_thread(struct feed *f) REQUIRES(feed_role) {
    if (f->running)
        return true;
    f->running = pthread_create(&f->thread, NULL, run, f) == 0;
    if (f->running)
        pthread_setname_np(f->thread, "feed");
    return f->running;
}

/* ---- followers ----------------------------------------------------------------------------------------------------- */

void feed_init(struct feed *f, struct store *store, size_t max) NO_THREAD_SAFETY_ANALYSIS {
    pthread_condattr_t attr;

    *f = (struct feed){
        .store = store, .linger_ms = FEED_LINGER_MS, .max = max, .first = 1, .next = 1, .notified = 1};
    mutex_init(&f->followers_mutex, LOCK_RANK_LISTENERS);
    mutex_init(&f->mutex, LOCK_RANK_LEAF);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&f->wake, &attr);
    pthread_condattr_destroy(&attr);
    f->sink = store_add_sink(store, on_event, f, 0);
}

void feed_destroy(struct feed *f) {
    struct change *dead;
    bool running;

    if (f->store == NULL)
        return;
    followers_lock(f);
    assert(f->followers == NULL);
    followers_unlock(f);
    ring_lock(f);
    f->stop = true;
    running = f->running;
    pthread_cond_signal(&f->wake);
    ring_unlock(f);
    if (running)
        pthread_join(f->thread, NULL);
    ring_lock(f);
    dead = close_ring(f);
    ring_unlock(f);
    free_dead(dead);
    pthread_cond_destroy(&f->wake);
    mutex_destroy(&f->mutex);
    mutex_destroy(&f->followers_mutex);
}

bool feed_follow(struct feed *feed, struct follower *f, uint64_t from) {
    bool ok;

    followers_lock(feed);
    ring_lock(feed);
    ok = start_thread(feed) && open_ring(feed);
    if (ok) {
        feed->follower_count++;
        f->next = from == 0 ? feed->next : from > feed->next ? 0 : from; /* number 0 is none: a gap */
    }
    ring_unlock(feed);
    if (ok) {
        f->before = NULL;
        f->behind = feed->followers;
        if (f->behind != NULL)
            f->behind->before = f;
        feed->followers = f;
    }
    followers_unlock(feed);
    return ok;
}

void feed_leave(struct feed *feed, struct follower *f) {
    followers_lock(feed);
    if (f->before != NULL)
        f->before->behind = f->behind;
    else
        feed->followers = f->behind;
    if (f->behind != NULL)
        f->behind->before = f->before;
    followers_unlock(feed);
    ring_lock(feed);
    if (--feed->follower_count == 0) {
        feed->left_ns = clock_mono_ns();
        pthread_cond_signal(&feed->wake); /* it waits with a timeout from now on */
    }
    ring_unlock(feed);
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static enum feed_state read_ring(struct feed *feed, struct follower *f, struct change *out[], size_t max,
                                 size_t bytes, size_t *n) REQUIRES(feed_role) REQUIRES(followers_role) {
    size_t taken = 0;

    if (f->next < feed->first) {
        f->next = feed->next;
        return FEED_GAP;
    }
    if (f->next == feed->next)
        return FEED_IDLE;
    for (size_t looked = 0; f->next < feed->next && *n < max && taken < bytes && looked < LOOKED_AT;
         looked++) {
        struct change *c = *slot(feed, f->next);

        if (c == NULL && *n > 0)
            break;
        f->next++;
        if (c == NULL)
            return FEED_GAP;
        if (!slice_starts(c->key, f->prefix))
            continue;
        atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
        out[(*n)++] = c;
        taken += c->cost;
    }
    return FEED_CHANGES;
}

enum feed_state feed_read(struct feed *feed, struct follower *f, struct change *out[], size_t max,
                          size_t bytes, size_t *n) {
    enum feed_state state;

    *n = 0;
    followers_lock(feed);
    ring_lock(feed);
    state = read_ring(feed, f, out, max, bytes, n);
    ring_unlock(feed);
    f->waits = state == FEED_IDLE;
    followers_unlock(feed);
    return state;
}

uint64_t feed_position(struct feed *feed, const struct follower *f) {
    uint64_t next;

    followers_lock(feed);
    next = f->next;
    followers_unlock(feed);
    return next - 1;
}

uint64_t feed_first(struct feed *feed) {
    uint64_t first;

    ring_lock(feed);
    first = feed->first;
    ring_unlock(feed);
    return first;
}
