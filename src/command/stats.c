/* stats.c - blocks of counters, and their sum. */
#include <flashkv/command.h>
#include <flashkv/mem.h>
#include <flashkv/stats.h>

static void stats_lock(struct stats *s) ACQUIRE(stats_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_lock(&s->mutex);
}

static void stats_unlock(struct stats *s) RELEASE(stats_role) NO_THREAD_SAFETY_ANALYSIS {
    mutex_unlock(&s->mutex);
}

void stats_init(struct stats *s) NO_THREAD_SAFETY_ANALYSIS {
    mutex_init(&s->mutex, LOCK_RANK_LEAF);
    s->blocks = s->base = NULL;
    atomic_init(&s->histograms, true);
}

void stats_destroy(struct stats *s) NO_THREAD_SAFETY_ANALYSIS {
    for (struct stats_block *b = s->blocks, *next; b != NULL; b = next) {
        next = b->next;
        stats_block_free(b);
    }
    stats_block_free(s->base);
    mutex_destroy(&s->mutex);
}

static struct stats_block *block_new(void) {
    return mem_zalloc(sizeof(struct stats_block) + command_count * sizeof(struct command_stats));
}

void stats_block_free(struct stats_block *b) {
    if (b == NULL)
        return;
    for (size_t i = 0; i < command_count; i++)
        mem_free(atomic_load_explicit(&b->commands[i].histogram, memory_order_relaxed));
    mem_free(b);
}

struct stats_block *stats_block_new(struct stats *s) {
    struct stats_block *b = block_new();

    if (b == NULL)
        return NULL;
    stats_lock(s);
    b->next = s->blocks;
    s->blocks = b;
    stats_unlock(s);
    return b;
}

/* ---- counting ------------------------------------------------------------------------------------------------ */

/* The code's counter, added if it is new. NULL: STATS_CODES_MAX is reached. */
static _Atomic uint64_t *error_counter(struct stats_block *b, const char *code) {
    uint32_t used = atomic_load_explicit(&b->codes, memory_order_relaxed);
    struct error_stats *e = b->errors;

    for (; e < b->errors + used; e++)
        if (strcmp(e->code, code) == 0)
            return &e->count;
    if (used == STATS_CODES_MAX)
        return NULL;
    memcpy(e->code, code, strnlen(code, sizeof(e->code) - 1));
    atomic_store_explicit(&b->codes, used + 1, memory_order_release);
    return &e->count;
}

void stats_count_error(struct stats_block *b, const char *code) {
    _Atomic uint64_t *counter = error_counter(b, code);

    if (counter != NULL)
        stats_add(counter, 1);
}

struct histogram *stats_histogram(struct command_stats *row) {
    struct histogram *h = atomic_load_explicit(&row->histogram, memory_order_relaxed);

    if (h == NULL && (h = mem_zalloc(sizeof(*h))) != NULL)
        atomic_store_explicit(&row->histogram, h, memory_order_release);
    return h;
}

/* ---- adding up ----------------------------------------------------------------------------------------------- */

static uint64_t load(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

uint64_t stats_calls(const struct command_stats *row) {
    const struct histogram *h = atomic_load_explicit(&row->histogram, memory_order_acquire);

    return load(&row->untimed) + (h != NULL ? histogram_total(h) : 0);
}

/* Adds `from` times `sign` (1 or -1) to a block that only this thread uses. False: no memory. */
static bool add_command(struct command_stats *to, const struct command_stats *from, int sign) {
    const struct histogram *h = atomic_load_explicit(&from->histogram, memory_order_acquire);
    struct histogram *sum;

    stats_add(&to->untimed, (uint64_t)sign * load(&from->untimed));
    stats_add(&to->ns, (uint64_t)sign * load(&from->ns));
    stats_add(&to->failed, (uint64_t)sign * load(&from->failed));
    stats_add(&to->rejected, (uint64_t)sign * load(&from->rejected));
    if (h == NULL)
        return true;
    if ((sum = stats_histogram(to)) == NULL)
        return false;
    (sign > 0 ? histogram_merge : histogram_subtract)(sum, h);
    return true;
}

static bool add_block(struct stats_block *to, const struct stats_block *from, int sign) {
    uint32_t codes = atomic_load_explicit(&from->codes, memory_order_acquire);

    for (uint32_t i = 0; i < codes; i++) {
        _Atomic uint64_t *counter = error_counter(to, from->errors[i].code);

        if (counter != NULL)
            stats_add(counter, (uint64_t)sign * load(&from->errors[i].count));
    }
    for (size_t i = 0; i < command_count; i++)
        if (!add_command(&to->commands[i], &from->commands[i], sign))
            return false;
    return true;
}

static struct stats_block *add_up(struct stats *s, bool less_base) REQUIRES(stats_role) {
    struct stats_block *sum = block_new();
    bool ok = sum != NULL;

    for (const struct stats_block *b = s->blocks; b != NULL && ok; b = b->next)
        ok = add_block(sum, b, 1);
    if (ok && less_base && s->base != NULL)
        ok = add_block(sum, s->base, -1);
    if (ok)
        return sum;
    stats_block_free(sum);
    return NULL;
}

struct stats_block *stats_sum(struct stats *s) {
    struct stats_block *sum;

    stats_lock(s);
    sum = add_up(s, true);
    stats_unlock(s);
    return sum;
}

bool stats_reset(struct stats *s) {
    struct stats_block *base, *old;

    stats_lock(s);
    base = add_up(s, false);
    old = s->base;
    if (base != NULL)
        s->base = base;
    stats_unlock(s);
    if (base != NULL)
        stats_block_free(old);
    return base != NULL;
}
