/* process.h - what main needs of the operating system. */
#ifndef FLASHKV_PROCESS_H
#define FLASHKV_PROCESS_H

#include <flashkv/cgroup.h>
#include <flashkv/options.h>

/* Blocks the signals that process_await_signal waits for, in this thread and all it starts, ignores SIGPIPE, and
 * raises the limit of file descriptors to what the options can need. Call it before there are other threads. */
void process_setup(const struct options *o);
/* Logs what of the machine may be used. */
void process_log_resources(const struct resources *r);
/* Waits for SIGTERM or SIGINT and returns its name. A second one ends the process at once. Meanwhile `look` is called every
 * few seconds, and at once upon SIGHUP, of which it is told. */
const char *process_await_signal(void (*look)(void *ctx, bool asked), void *ctx);
/* 40 random hex digits and a NUL. */
void process_run_id(char out[41]);
/* --check: asks GET /readyz of the instance that the options describe. 0: ready; 1: not, with the reason on
 * stderr. */
int process_check(const struct options *o);

#endif
