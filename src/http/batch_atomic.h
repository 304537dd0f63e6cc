/* batch_atomic.h - a batch that is all or nothing. Private to http.
 *
 * All keys are watched; then it is seen whether every condition holds, and whether every operation can be done, given what those
 * before it will have made of its key; then all are run in one transaction, over all shards involved. Should somebody
 * have changed a key meanwhile, it begins anew. Conditions are of what was there before the batch. */
#ifndef FLASHKV_HTTP_BATCH_ATOMIC_H
#define FLASHKV_HTTP_BATCH_ATOMIC_H

#include "batch_op.h"

enum { BATCH_ATOMIC_MAX = 1000 };

/* Runs them and writes an array of results. 200, or the status of a problem: `why`, and nothing was done. */
unsigned batch_run_atomic(struct request *r, const struct batch_op *ops, size_t count, struct json_out *out,
                          char *why, size_t cap);

#endif
