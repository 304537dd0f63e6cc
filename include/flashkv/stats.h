/* stats.h - command statistics: calls, time, failures and a histogram for each row of the table, and counts by error code. The
 * source of INFO commandstats, errorstats and latencystats, of LATENCY HISTOGRAM and of the metrics.
 *
 * Each thread that runs commands has a block of its own and is the only one to write it, so counting is a load and a
 * store; readers add the blocks up. A reset saves the current sum as a base that is subtracted from later sums, so it need
 * not stop the writers. Layer: command. Thread-safe, except where a function names one thread. */
#ifndef FLASHKV_STATS_H
#define FLASHKV_STATS_H

#include <flashkv/histogram.h>
#include <flashkv/lock.h>
#include <flashkv/reply.h>
#include <stdbool.h>

/* One row of the command table. */
struct command_stats {
    _Atomic uint64_t ns; /* total of all calls */
    /* Calls that are not in the histogram: there was no memory for it, or latency-tracking is off. */
    _Atomic uint64_t untimed;
    _Atomic uint64_t failed;   /* calls that replied with an error */
    _Atomic uint64_t rejected; /* not called: wrong arity, no authentication, no memory left */
    struct histogram *_Atomic histogram;
};

enum { STATS_CODES_MAX = 64 };
struct error_stats {
    char code[REPLY_CODE_MAX]; /* "WRONGTYPE" */
    _Atomic uint64_t count;
};

struct stats_block {
    struct stats_block *next;
    /* How many of `errors` are in use; further codes are not counted. */
    _Atomic uint32_t codes;
    struct error_stats errors[STATS_CODES_MAX];
    struct command_stats commands[]; /* by row of the command table */
};

/* The role of stats.mutex (thread_safety.h). */
extern struct mutex stats_role;

struct stats {
    struct mutex mutex;
    struct stats_block *blocks GUARDED_BY(stats_role);
    struct stats_block *base GUARDED_BY(stats_role); /* NULL: never reset */
    _Atomic bool histograms; /* latency-tracking: are calls added to the histograms? */
};

void stats_init(struct stats *s);
/* Frees the blocks; no thread may count any more. */
void stats_destroy(struct stats *s);
/* A block for one thread, freed with `s`. NULL: no memory. */
struct stats_block *stats_block_new(struct stats *s);
/* The sum of all blocks minus the base, the caller's (stats_block_free). NULL: no memory. */
struct stats_block *stats_sum(struct stats *s);
void stats_block_free(struct stats_block *b);
/* Resets all counts to 0. False, nothing changed: no memory. */
bool stats_reset(struct stats *s);

/* How often the row's command was called. */
uint64_t stats_calls(const struct command_stats *row);

/* Only for the thread that owns the block. */
static inline void stats_add(_Atomic uint64_t *counter, uint64_t n) {
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}
void stats_count_error(struct stats_block *b, const char *code);
/* The row's histogram, created at its first call. NULL: no memory. */
struct histogram *stats_histogram(struct command_stats *row);

#endif
