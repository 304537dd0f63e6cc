/* oom.h - maxmemory: when more is in use, keys are evicted by maxmemory-policy (eviction.h), and if none can be, commands that
 * may take more memory are refused. Private to the command layer. */
#ifndef FLASHKV_COMMAND_OOM_H
#define FLASHKV_COMMAND_OOM_H

#include <flashkv/command.h>
#include <flashkv/hints.h>

/* Evicts if the limit is exceeded. True: that was not enough, and the command, or one that EXEC would run, may take more memory.
 * The caller holds no shard. */
NOINLINE bool oom_forbids(const struct call *c);
/* Inline, since every command calls it and mostly there is no limit. */
static inline bool oom_applies(const struct call *c) {
    return atomic_load_explicit(&c->server->memory.max, memory_order_relaxed) != 0 && oom_forbids(c);
}

/* Allocated bytes that maxmemory does not count, since evicting would not reduce them: memory that is being freed in the
 * background, and the log's buffer. */
uint64_t memory_not_counted(const struct server *srv);

#endif
