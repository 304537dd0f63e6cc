/* sample.c - picking without repeats: of a small share, by trying again; of a large one, by shuffling all. */
#include "sample.h"

#include <flashkv/mem.h>
#include <flashkv/random.h>

enum {
    SHARE = 3
}; /* fewer than one in three are wanted: a try is new with a chance of two in three or more */

struct places {
    const void **at;
    size_t n;
};

static void gather(void *ctx, const void *place) {
    struct places *p = ctx;

    p->at[p->n++] = place;
}

/* Everything, then the first `count` of a shuffle (Fisher-Yates). */
static const void **sample_shuffled(const struct sample_source *source, size_t count) {
    struct places p = {mem_alloc(source->len * sizeof(*p.at)), 0};

    if (p.at == NULL)
        return NULL;
    source->walk(source->object, gather, &p);
    for (size_t i = 0; i < count && count < p.n; i++) {
        size_t other = i + random_below(p.n - i);
        const void *place = p.at[i];

        p.at[i] = p.at[other];
        p.at[other] = place;
    }
    return p.at;
}

/* False: it was there. `seen` has a power of two slots, at most half of them taken. */
static bool note(const void **seen, size_t slots, const void *place) {
    size_t i = ((uintptr_t)place * UINT64_C(0x9e3779b97f4a7c15)) >> 20;

    for (i &= slots - 1; seen[i] != NULL; i = (i + 1) & (slots - 1))
        if (seen[i] == place)
            return false;
    seen[i] = place;
    return true;
}

static const void **sample_tried(const struct sample_source *source, size_t count) {
    struct places p = {mem_alloc(count * sizeof(*p.at)), 0};
    size_t slots = 16;
    const void **seen;

    while (slots < 2 * count)
        slots *= 2;
    seen = mem_zalloc(slots * sizeof(*seen));
    while (p.at != NULL && seen != NULL && p.n < count) {
        const void *place = source->random(source->object);

        if (note(seen, slots, place))
            gather(&p, place);
    }
    if (seen == NULL) {
        mem_free(p.at);
        p.at = NULL;
    }
    mem_free(seen);
    return p.at;
}

const void **sample_distinct(const struct sample_source *source, size_t count) {
    if (count < source->len / SHARE)
        return sample_tried(source, count);
    return sample_shuffled(source, count);
}
