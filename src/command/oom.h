/* oom.h - maxmemory: commands that may take more memory are refused while more is in use. Nothing is evicted yet,
 * whatever maxmemory-policy says. Private to the command layer. */
#ifndef FLASHKV_COMMAND_OOM_H
#define FLASHKV_COMMAND_OOM_H

#include <flashkv/command.h>

/* Is memory over the limit, and the command, or one that EXEC would run, one that may take more? */
bool oom_forbids(const struct call *c);
/* In the header, since every command comes here and mostly there is no limit. */
static inline bool oom_applies(const struct call *c) {
    return atomic_load_explicit(&c->server->max_memory, memory_order_relaxed) != 0 && oom_forbids(c);
}

#endif
