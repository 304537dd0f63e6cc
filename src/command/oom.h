/* oom.h - maxmemory: what counts against it, and what happens when more is in use: keys are evicted, as maxmemory-policy says
 * (eviction.h), and commands that may take more memory are refused where none can be. Private to the command layer. */
#ifndef FLASHKV_COMMAND_OOM_H
#define FLASHKV_COMMAND_OOM_H

#include <flashkv/command.h>
#include <flashkv/hints.h>

/* Makes room if more is in use than there may be. True: that did not do, and the command, or one that EXEC would run, may take
 * more. The caller holds no shard. */
NOINLINE bool oom_forbids(const struct call *c);
/* In the header, since every command comes here and mostly there is no limit. */
static inline bool oom_applies(const struct call *c) {
    return atomic_load_explicit(&c->server->memory.max, memory_order_relaxed) != 0 && oom_forbids(c);
}

/* Bytes given out by the allocator that maxmemory does not count, since evicting would not change them: what is being freed
 * already, and what the log has still to write. */
uint64_t memory_not_counted(const struct server *srv);

#endif
