/* holds.c - for how long a shard is held exclusively while the table doubles and keys expire.
 *
 * usage: holds [KEYS [EXPIRING]]     (1000000 keys, and as many come; 500000 expire)
 *
 * What the sweeper and a SET do under the lock, done by one thread and timed by its own CPU time, so that what else runs
 * on the machine hardly counts. Prints a line of JSON: of each, median, p99.9 and the most, in microseconds.
 */
#include "../load/histogram.h"

#include <stdio.h>
#include <stdlib.h>
#include <store/store_impl.h>
#include <time.h>

enum { VALUE_BYTES = 64, SWEEP_BATCH = 32, MOVE_SLOTS = 512, EXPIRES_MS = 10 };

struct name {
    uint64_t part[2]; /* a key of 16 bytes */
};

struct holds {
    const char *what;
    struct histogram ns;
    uint64_t most;
};

static uint64_t cpu_ns(void) {
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void note(struct holds *h, uint64_t began) {
    uint64_t ns = cpu_ns() - began;

    histogram_add(&h->ns, ns);
    h->most = ns > h->most ? ns : h->most;
}

/* Adds keys number `from` up to `to`. */
static void fill(struct store *s, uint64_t from, uint64_t to, int64_t expire_at, struct holds *h) {
    static char value[VALUE_BYTES];
    const struct string_value v = {.bytes = slice_of(value, VALUE_BYTES), .expire_at = expire_at};

    for (uint64_t n = from; n < to; n++) {
        struct name name = {{n, n * UINT64_C(0x9e3779b97f4a7c15)}};
        struct key key = store_key(s, slice_of(&name, sizeof(name)));
        struct txn t;
        uint64_t began;

        txn_begin(&t, s, 1, key_shard_bit(&key), TXN_WRITE);
        began = cpu_ns();
        if (store_set_string(&t, &key, &v) != STORE_OK)
            exit(1);
        note(h, began);
        txn_end(&t);
    }
}

/* All that has expired goes, a batch at a time, as in sweeper.c. */
static void sweep(struct store *s, unsigned shard, struct holds *h) NO_THREAD_SAFETY_ANALYSIS {
    struct sweep_result r;

    do {
        struct txn t;
        uint64_t began;

        txn_begin(&t, s, 2 * EXPIRES_MS, UINT64_C(1) << shard, TXN_WRITE);
        began = cpu_ns();
        r = shard_sweep(&s->shards[shard], &t, SWEEP_BATCH);
        note(h, began);
        txn_end(&t);
    } while (r.expired > 0);
}

static void finish_move(struct shard *sh, struct holds *h) NO_THREAD_SAFETY_ANALYSIS {
    while (atomic_load(&sh->moving)) {
        uint64_t began;

        shard_wrlock(sh);
        began = cpu_ns();
        shard_move(sh, MOVE_SLOTS);
        note(h, began);
        shard_wrunlock(sh);
    }
}

static void print(const struct holds *h, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        printf("%s\"%s\": {\"p50_us\": %.1f, \"p999_us\": %.1f, \"most_us\": %.1f}", i > 0 ? ", " : "{",
               h[i].what, (double)histogram_quantile(&h[i].ns, 0.5) / 1e3,
               (double)histogram_quantile(&h[i].ns, 0.999) / 1e3, (double)h[i].most / 1e3);
    puts("}");
}

int main(int argc, char **argv) {
    static struct holds first, holds[] = {{.what = "a SET that adds a key"},
                                          {.what = "a batch of the sweeper"},
                                          {.what = "a step of moving a table"}};
    const struct store_config config = {.max_value = VALUE_BYTES};
    uint64_t keys = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    uint64_t expiring = argc > 2 ? strtoull(argv[2], NULL, 10) : 500000;
    struct store *s = store_create(&config);

    if (s == NULL)
        return 1;
    fill(s, 0, keys, NO_EXPIRY, &first);
    fill(s, keys, keys + expiring, EXPIRES_MS, &holds[0]);
    fill(s, keys + expiring, 2 * keys, NO_EXPIRY, &holds[0]);
    for (unsigned i = 0; i < STORE_SHARDS; i++) {
        sweep(s, i, &holds[1]);
        finish_move(&s->shards[i], &holds[2]);
    }
    print(holds, sizeof(holds) / sizeof(*holds));
    store_destroy(s);
    return 0;
}
