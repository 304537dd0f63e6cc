/* Limits of control groups, from trees of files as the kernel shows them in containers and out of them. */
#include <flashkv/cgroup.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static char root[64];

static void setup(void) {
    snprintf(root, sizeof(root), "/tmp/flashkv-cgroup-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void teardown(void) {
    char command[80];

    snprintf(command, sizeof(command), "rm -rf %s", root);
    ck_assert_int_eq(system(command), 0);
}

/* A file below the root, with the folders on its way. */
static void put(const char *path, const char *text) {
    char full[512];
    FILE *f;

    snprintf(full, sizeof(full), "%s/%s", root, path);
    for (char *slash = strchr(full + strlen(root) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    f = fopen(full, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void check_limits(uint64_t memory, uint64_t cpu_millis) {
    struct cgroup_limits l = cgroup_limits(root);

    ck_assert_uint_eq(l.memory, memory);
    ck_assert_uint_eq(l.cpu_millis, cpu_millis);
}

#define MOUNT_2 "24 23 0:21 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define OTHER_MOUNTS "23 1 254:1 / / rw - ext4 /dev/vda1 rw\n22 23 0:20 / /proc rw - proc proc rw\n"

START_TEST(nothing_to_read_is_no_limit) {
    check_limits(0, 0);
    put("proc/self/cgroup", "0::/\n");
    check_limits(0, 0);
    put("proc/self/mountinfo", OTHER_MOUNTS);
    check_limits(0, 0);
    put("proc/self/mountinfo", OTHER_MOUNTS MOUNT_2);
    check_limits(0, 0); /* the root group has no such files */
}
END_TEST

/* As in a container with a cgroup namespace of its own. */
START_TEST(version_2) {
    put("proc/self/cgroup", "0::/\n");
    put("proc/self/mountinfo", OTHER_MOUNTS MOUNT_2);
    put("sys/fs/cgroup/memory.max", "268435456\n");
    put("sys/fs/cgroup/cpu.max", "50000 100000\n");
    check_limits(268435456, 500);
    put("sys/fs/cgroup/memory.high", "200000000\n");
    check_limits(200000000, 500);
    put("sys/fs/cgroup/memory.high", "max\n");
    put("sys/fs/cgroup/cpu.max", "max 100000\n");
    check_limits(268435456, 0);
    put("sys/fs/cgroup/memory.max", "max\n");
    check_limits(0, 0);
}
END_TEST

/* As in a systemd service: the limit may be that of a slice above. */
START_TEST(the_least_limit_on_the_way_up_counts) {
    put("proc/self/cgroup", "0::/system.slice/flashkv.service\n");
    put("proc/self/mountinfo", OTHER_MOUNTS MOUNT_2);
    put("sys/fs/cgroup/system.slice/flashkv.service/memory.max", "max\n");
    put("sys/fs/cgroup/system.slice/flashkv.service/cpu.max", "150000 100000\n");
    put("sys/fs/cgroup/system.slice/memory.max", "1073741824\n");
    put("sys/fs/cgroup/system.slice/cpu.max", "400000 100000\n");
    check_limits(1073741824, 1500);
    put("sys/fs/cgroup/system.slice/flashkv.service/memory.max", "536870912\n");
    check_limits(536870912, 1500);
    put("sys/fs/cgroup/system.slice/cpu.max", "100000 100000\n");
    check_limits(536870912, 1000);
}
END_TEST

#define MOUNTS_1(top)                                                                                        \
    "31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n"                                                      \
    "32 31 0:29 " top " /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"                      \
    "34 31 0:31 " top " /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n"                                \
    "35 31 0:32 " top " /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"                                \
    "41 31 0:38 / /sys/fs/cgroup/unified ro - cgroup2 cgroup2 rw\n"
#define GROUPS_1(group)                                                                                      \
    "5:cpuset:" group "\n4:memory:" group "\n2:cpu,cpuacct:" group "\n1:name=systemd:" group "\n0::" group   \
    "\n"

/* As in a container that sees the names of the machine's groups, but only its own part of the tree. */
START_TEST(version_1) {
    put("proc/self/cgroup", GROUPS_1("/docker/0123"));
    put("proc/self/mountinfo", OTHER_MOUNTS MOUNTS_1("/docker/0123"));
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n");
    put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "25000\n");
    put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "50000\n");
    check_limits(268435456, 500);
    put("proc/self/cgroup", GROUPS_1("/docker/0123/worker"));
    put("sys/fs/cgroup/memory/worker/memory.limit_in_bytes", "134217728\n");
    check_limits(134217728, 500);
    put("proc/self/cgroup", GROUPS_1("/docker/01234"));
    check_limits(268435456, 500); /* not in what is mounted: what is there is all there is to know */
}
END_TEST

START_TEST(version_1_without_limits) {
    put("proc/self/cgroup", GROUPS_1("/a"));
    put("proc/self/mountinfo", OTHER_MOUNTS MOUNTS_1("/"));
    put("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
    put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    check_limits(0, 0);
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000000\n"); /* above the group */
    check_limits(1000000000, 0);
}
END_TEST

/* Nothing of it may be taken for a limit, or end the process. */
START_TEST(nonsense) {
    static const char *const cpu[] = {"",
                                      "\n",
                                      "0 100000\n",
                                      "50000 0\n",
                                      "50000\n",
                                      "1 x\n",
                                      "18446744073709551615 1\n",
                                      "99999999999999999999 1\n"};
    static const char *const memory[] = {"", "0\n", "-5\n", "lots\n", "0x100\n", "99999999999999999999\n"};

    put("proc/self/mountinfo", "\n - \n1 2 - cgroup2\n" MOUNT_2);
    put("proc/self/cgroup", ":\n::\n0\nx\n0::/../../escape\n");
    put("sys/fs/cgroup/cpu.max", "1 100000000\n");
    check_limits(0, 1);
    for (size_t i = 0; i < sizeof(cpu) / sizeof(*cpu); i++) {
        put("sys/fs/cgroup/cpu.max", cpu[i]);
        check_limits(0, 0);
    }
    for (size_t i = 0; i < sizeof(memory) / sizeof(*memory); i++) {
        put("sys/fs/cgroup/memory.max", memory[i]);
        check_limits(0, 0);
    }
}
END_TEST

START_TEST(resources_are_the_lesser_of_machine_and_limits) {
    struct resources free = resources_find(root), bound;

    ck_assert_uint_gt(free.machine_memory, 1 << 20);
    ck_assert_uint_eq(free.memory, free.machine_memory);
    ck_assert_uint_ge(free.processors, 1);
    ck_assert_uint_eq(free.threads, free.processors);
    put("proc/self/cgroup", "0::/\n");
    put("proc/self/mountinfo", MOUNT_2);
    put("sys/fs/cgroup/memory.max", "1048576\n");
    put("sys/fs/cgroup/cpu.max", "50000 100000\n");
    bound = resources_find(root);
    ck_assert_uint_eq(bound.memory, 1 << 20);
    ck_assert_uint_eq(bound.machine_memory, free.machine_memory);
    ck_assert_uint_eq(bound.processors, free.processors);
    ck_assert_uint_eq(bound.threads, 1);
    put("sys/fs/cgroup/memory.max", "1152921504606846976\n"); /* more than there is */
    put("sys/fs/cgroup/cpu.max", "100000000 100000\n");
    bound = resources_find(root);
    ck_assert_uint_eq(bound.memory, free.machine_memory);
    ck_assert_uint_eq(bound.threads, free.processors);
}
END_TEST

START_TEST(threads_are_the_cpu_limit_rounded_up) {
    struct resources r;

    put("proc/self/cgroup", "0::/\n");
    put("proc/self/mountinfo", MOUNT_2);
    put("sys/fs/cgroup/cpu.max", "100001 100000\n");
    r = resources_find(root);
    ck_assert_uint_eq(r.limits.cpu_millis, 1000);
    put("sys/fs/cgroup/cpu.max", "101000 100000\n");
    r = resources_find(root);
    ck_assert_uint_eq(r.threads, r.processors < 2 ? r.processors : 2);
}
END_TEST

START_TEST(processors_are_those_it_may_run_on) {
    struct resources r;
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
    r = resources_find(root);
    ck_assert_uint_eq(r.processors, 1);
    ck_assert_uint_eq(r.threads, 1);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("cgroup");
    TCase *tc = tcase_create("cgroup");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, nothing_to_read_is_no_limit);
    tcase_add_test(tc, version_2);
    tcase_add_test(tc, the_least_limit_on_the_way_up_counts);
    tcase_add_test(tc, version_1);
    tcase_add_test(tc, version_1_without_limits);
    tcase_add_test(tc, nonsense);
    tcase_add_test(tc, resources_are_the_lesser_of_machine_and_limits);
    tcase_add_test(tc, threads_are_the_cpu_limit_rounded_up);
    tcase_add_test(tc, processors_are_those_it_may_run_on);
    suite_add_tcase(suite, tc);
    return suite;
}
