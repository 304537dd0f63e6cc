/* locks.c - the store's own table under different locks and numbers of shards, in one process, without sockets.
 *
 * usage: locks [KEYS [SECONDS [LOCK]]]     (1000000 keys; 0.2 seconds for each figure; all locks)
 *
 * Prints a line of tab-separated values for each figure: lock, shards, threads, percent of reads, key order,
 * operations a second, nanoseconds of CPU time an operation takes, p99 in nanoseconds (of one in 16, the clock's own
 * time included). A read finds the key and reads its 64-byte value, a write overwrites it in place. "store" is what
 * handlers do: store_key, txn_begin, store_get or store_set_string, txn_end.
 */
#include "../load/histogram.h"
#include "../load/keys.h"
#include "kinds.h"

#include <flashkv/store.h>
#include <stdio.h>
#include <stdlib.h>
#include <store/table.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SHARDS_MAX = 256, VALUE_BYTES = 64, SEQUENCE = 1 << 22, SAMPLE = 16 };

struct name {
    uint64_t part[2]; /* a key of 16 bytes */
};

struct setup {
    const struct lock_kind *kind; /* NULL: the store itself */
    unsigned shards, threads, reads;
    enum keys_order order;
};

static struct {
    struct setup now;
    uint64_t keys;
    double seconds;
    const char *only; /* the lock to try, or NULL */
    unsigned char secret[TABLE_SECRET_SIZE];
    struct table tables[SHARDS_MAX];
    union any_lock locks[SHARDS_MAX];
    struct store *store;
    uint32_t *sequence[2]; /* by enum keys_order: key numbers drawn beforehand */
    _Atomic bool stop;
} bench;

struct worker {
    unsigned number;
    uint64_t done, sum, cpu_ns;
    struct histogram latency;
};

static char value[VALUE_BYTES];

static uint64_t clock_ns(clockid_t clock) {
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what) {
    fprintf(stderr, "locks: %s\n", what);
    exit(1);
}

static struct name name_of(uint64_t number) {
    return (struct name){{number, number * UINT64_C(0x9e3779b97f4a7c15)}};
}

/* ---- one operation --------------------------------------------------------------------------------------- */

static uint64_t sum_of(struct slice bytes) {
    uint64_t word, sum = 0;

    for (size_t i = 0; i + sizeof(word) <= bytes.len; i += sizeof(word)) {
        memcpy(&word, bytes.ptr + i, sizeof(word));
        sum += word;
    }
    return sum;
}

static uint64_t table_op(struct slice key, bool read, unsigned thread) {
    const struct lock_kind *kind = bench.now.kind;
    uint64_t hash = table_hash(bench.secret, key), sum = 0;
    unsigned shard = (unsigned)hash & (bench.now.shards - 1); /* low bits: the table goes by the high ones */
    union any_lock *lock = &bench.locks[shard];

    if (read) {
        kind->read_lock(lock, thread);
        sum = sum_of(entry_string(table_find(&bench.tables[shard], hash, key)));
        kind->read_unlock(lock, thread);
    } else {
        kind->write_lock(lock);
        memcpy(entry_inline_value(table_find(&bench.tables[shard], hash, key)), value, VALUE_BYTES);
        kind->write_unlock(lock);
    }
    return sum;
}

static uint64_t store_op(struct slice name, bool read) {
    struct string_value v = {.bytes = slice_of(value, VALUE_BYTES), .expire_at = NO_EXPIRY};
    struct key key = store_key(bench.store, name);
    struct txn txn;
    uint64_t sum = 0;

    txn_begin(&txn, bench.store, 1, key_shard_bit(&key), read ? TXN_READ : TXN_WRITE);
    if (read)
        sum = sum_of(entry_string(store_get(&txn, &key)));
    else if (store_set_string(&txn, &key, &v) != STORE_OK)
        die("out of memory");
    txn_end(&txn);
    return sum;
}

/* ---- a run ----------------------------------------------------------------------------------------------- */

static void *work(void *arg) {
    struct worker *w = arg;
    struct keys dice;
    const uint32_t *sequence = bench.sequence[bench.now.order];
    uint64_t at = (uint64_t)w->number * (SEQUENCE / KIND_THREADS_MAX);

    keys_init(&dice, KEYS_UNIFORM, 100, w->number, bench.now.threads);
    while (!atomic_load_explicit(&bench.stop, memory_order_relaxed)) {
        struct name name = name_of(sequence[at++ & (SEQUENCE - 1)]);
        struct slice key = slice_of(&name, sizeof(name));
        bool read = keys_next(&dice) < bench.now.reads, sampled = w->done % SAMPLE == 0;
        uint64_t start = sampled ? clock_ns(CLOCK_MONOTONIC) : 0;

        w->sum += bench.now.kind != NULL ? table_op(key, read, w->number) : store_op(key, read);
        if (sampled)
            histogram_add(&w->latency, clock_ns(CLOCK_MONOTONIC) - start);
        w->done++;
    }
    w->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

static const char *kind_name(const struct lock_kind *kind) {
    return kind != NULL ? kind->name : "store";
}

static bool wanted(const struct lock_kind *kind) {
    return bench.only == NULL || strcmp(bench.only, kind_name(kind)) == 0;
}

static void run(struct setup setup) {
    static struct worker workers[KIND_THREADS_MAX];
    struct timespec pause = {(time_t)bench.seconds,
                             (long)((bench.seconds - (double)(time_t)bench.seconds) * 1e9)};
    pthread_t threads[KIND_THREADS_MAX];
    uint64_t done = 0, cpu_ns = 0, start;
    double seconds;

    bench.now = setup;
    memset(workers, 0, sizeof(workers));
    atomic_store(&bench.stop, false);
    start = clock_ns(CLOCK_MONOTONIC);
    for (unsigned i = 0; i < setup.threads; i++) {
        workers[i].number = i;
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
            die("no thread");
    }
    nanosleep(&pause, NULL);
    atomic_store(&bench.stop, true);
    for (unsigned i = 0; i < setup.threads; i++) {
        pthread_join(threads[i], NULL);
        done += workers[i].done;
        cpu_ns += workers[i].cpu_ns;
        if (i > 0)
            histogram_merge(&workers[0].latency, &workers[i].latency);
    }
    seconds = (double)(clock_ns(CLOCK_MONOTONIC) - start) / 1e9;
    printf("%s\t%u\t%u\t%u\t%s\t%.0f\t%.1f\t%llu\n", kind_name(setup.kind), setup.shards, setup.threads,
           setup.reads, setup.order == KEYS_ZIPF ? "zipf" : "uniform", (double)done / seconds,
           (double)cpu_ns / (double)done, (unsigned long long)histogram_quantile(&workers[0].latency, 0.99));
    fflush(stdout);
}

/* All mixes, key orders and numbers of threads for a lock and a number of shards. */
static void run_all(const struct lock_kind *kind, unsigned shards) {
    static const unsigned mixes[] = {80, 100, 50, 0};

    if (!wanted(kind))
        return;
    for (unsigned i = 0; kind != NULL && i < shards; i++)
        kind->init(&bench.locks[i]);
    for (unsigned order = KEYS_UNIFORM; order <= KEYS_ZIPF; order++)
        for (unsigned m = 0; m < sizeof(mixes) / sizeof(*mixes); m++)
            for (unsigned threads = 1; threads <= (kind == &kind_none ? 1 : KIND_THREADS_MAX); threads *= 2)
                run((struct setup){kind, shards, threads, mixes[m], (enum keys_order)order});
}

/* ---- the data -------------------------------------------------------------------------------------------- */

static void fill_tables(unsigned shards) {
    for (unsigned i = 0; i < shards; i++)
        table_init(&bench.tables[i], bench.secret);
    for (uint64_t n = 0; n < bench.keys; n++) {
        struct name name = name_of(n);
        struct entry_spec spec = {
            .type = TYPE_STRING, .key = slice_of(&name, sizeof(name)), .value = slice_of(value, VALUE_BYTES)};
        uint64_t hash = table_hash(bench.secret, spec.key);
        struct entry *e = entry_new(&spec);
        if (e == NULL || !table_insert(&bench.tables[hash & (shards - 1)], hash, e))
            die("out of memory");
    }
}

static void draw_keys(void) {
    for (unsigned order = KEYS_UNIFORM; order <= KEYS_ZIPF; order++) {
        struct keys keys;
        keys_init(&keys, (enum keys_order)order, bench.keys, 0, 1);
        bench.sequence[order] = malloc(SEQUENCE * sizeof(uint32_t));
        for (unsigned i = 0; bench.sequence[order] != NULL && i < SEQUENCE; i++)
            bench.sequence[order][i] = (uint32_t)keys_next(&keys);
    }
    if (bench.sequence[0] == NULL || bench.sequence[1] == NULL)
        die("out of memory");
}

static void run_store(void) {
    const struct store_config config = {.max_value = 1 << 20};

    bench.store = store_create(&config);
    if (bench.store == NULL)
        die("out of memory");
    for (uint64_t n = 0; n < bench.keys; n++) {
        struct name name = name_of(n);
        store_op(slice_of(&name, sizeof(name)), false);
    }
    run_all(NULL, STORE_SHARDS);
}

struct stage {
    unsigned shards; /* 0: the store itself */
    const struct lock_kind *kinds[6];
};

/* In a process of its own, so that every stage finds the same fresh memory. */
static void run_stage(const struct stage *stage) {
    pid_t child = fork();
    int status;

    if (child == 0) {
        if (stage->shards == 0)
            run_store();
        else
            fill_tables(stage->shards);
        for (unsigned k = 0; k < 6 && stage->kinds[k] != NULL; k++)
            run_all(stage->kinds[k], stage->shards);
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        die("a stage failed");
}

int main(int argc, char **argv) {
    static const struct stage plan[] = {
        {1, {&kind_none, &kind_mutex, &kind_rwlock, &kind_store}},
        {4, {&kind_store}},
        {16, {&kind_store}},
        {64, {&kind_none, &kind_mutex, &kind_rwlock, &kind_store, &kind_spread}},
        {256, {&kind_store}},
        {0, {NULL}},
    };

    bench.keys = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    bench.seconds = argc > 2 ? strtod(argv[2], NULL) : 0.2;
    bench.only = argc > 3 ? argv[3] : NULL;
    if (bench.keys == 0 || bench.keys > UINT32_MAX || !(bench.seconds > 0 && bench.seconds < 60)) {
        fputs("usage: locks [KEYS [SECONDS [LOCK]]]\n", stderr);
        return 2;
    }
    for (unsigned i = 0; i < TABLE_SECRET_SIZE; i++)
        bench.secret[i] = (unsigned char)(i * 167 + 13);
    draw_keys();
    for (unsigned i = 0; i < sizeof(plan) / sizeof(*plan); i++)
        run_stage(&plan[i]);
    return 0;
}
