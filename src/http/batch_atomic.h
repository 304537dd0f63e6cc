/* batch_atomic.h - an atomic batch: all or nothing. Private to http.
 *
 * All keys are watched (WATCH). Then every condition is checked, and whether every operation can succeed, given what the earlier
 * ones will have made of its key. Then all are run in one MULTI transaction over all shards involved. If a key was changed
 * meanwhile, it is tried again, a bounded number of times. Conditions apply to the state before the batch. */
#ifndef FLASHKV_HTTP_BATCH_ATOMIC_H
#define FLASHKV_HTTP_BATCH_ATOMIC_H

#include "batch_op.h"

enum { BATCH_ATOMIC_MAX = 1000 };

/* Runs the operations and writes an array of results. Returns 200, or the status of a problem: `why` is set, and nothing was
 * changed. At most BATCH_ATOMIC_MAX operations. */
unsigned batch_run_atomic(struct request *r, const struct batch_op *ops, size_t count, struct json_out *out,
                          char *why, size_t cap);

#endif
