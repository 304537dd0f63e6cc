/* cgroup.h - what this process may use of the machine, in a container too: memory and processors.
 *
 * A container's limits are those of its control groups; the machine's own figures (sysconf, /proc/meminfo) know nothing
 * of them. Both versions are read, by way of /proc/self/cgroup and /proc/self/mountinfo, from the group of this process
 * up to the root that it can see: the least limit counts.
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

/* `root` is put before every path that is read: "" but in tests. */
struct cgroup_limits cgroup_limits(const char *root);

struct resources {
    struct cgroup_limits limits;
    uint64_t machine_memory; /* bytes of RAM; 0 if unknown */
    uint64_t memory; /* bytes that this process can count on: the lesser of both, what a percentage is of */
    unsigned processors; /* that it may run on (affinity, cpusets): at least 1 */
    unsigned threads; /* that can run at the same time: processors, or the CPU limit rounded up; at least 1 */
};

/* As of now. */
struct resources resources_find(const char *root);

#endif
