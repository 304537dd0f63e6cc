/* cgroup.h - how much memory and how many processors this process may use, in a container too.
 *
 * A container's limits are those of its control groups, which sysconf and /proc/meminfo do not reflect. Both versions are
 * read, by way of /proc/self/cgroup and /proc/self/mountinfo, from the group of this process up to the root that it can see:
 * the lowest limit counts.
 * Source: https://docs.kernel.org/admin-guide/cgroup-v2.html, .../cgroup-v1/memory.html, .../scheduler/sched-bwc.html
 * Layer: base. Thread-safe. */
#ifndef FLASHKV_CGROUP_H
#define FLASHKV_CGROUP_H

#include <stdint.h>

/* 0: there is no limit, or none that can be read. */
struct cgroup_limits {
    /* Bytes: memory.max, memory.high (above which the kernel slows down); memory.limit_in_bytes. */
    uint64_t memory;
    uint64_t cpu_millis; /* milliseconds of processor time in a second: 500 is half a processor; at least 1 */
};

/* `root` is prefixed to every path that is read: "" except in tests. */
struct cgroup_limits cgroup_limits(const char *root);

struct resources {
    struct cgroup_limits limits;
    uint64_t machine_memory; /* bytes of RAM; 0 if unknown */
    uint64_t memory;         /* the lesser of limits.memory and machine_memory: what a percentage refers to */
    unsigned processors;     /* it may run on (affinity, cpusets): at least 1 */
    unsigned
        threads; /* that can run in parallel: the lesser of processors and the CPU limit rounded up; at least 1 */
};

/* Reads all of them now. */
struct resources resources_find(const char *root);

#endif
