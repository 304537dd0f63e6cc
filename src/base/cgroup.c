/* cgroup.c - limits of memory and processors, from the files of both versions of control groups.
 *
 * A hierarchy is a tree of groups with a mount point; version 2 has one for all controllers, version 1 one for each, or
 * for a few. /proc/self/cgroup names the group of this process in each, /proc/self/mountinfo the mount points:
 *
 *     4:memory:/docker/0123/worker                                       the group, relative to the root of the tree
 *     35 31 0:32 /docker/0123 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory      which subtree is mounted, and where
 *
 * so that the group's files are in /sys/fs/cgroup/memory/worker. */
#include <flashkv/cgroup.h>
#include <flashkv/num.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH_CAP = 4096, LINE_CAP = 3 * PATH_CAP, TYPE_CAP = 32 };

/* ---- files --------------------------------------------------------------------------------------------------------- */

static FILE *open_in(const char *folder, const char *name) {
    char path[PATH_CAP + TYPE_CAP];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return fopen(path, "re");
}

/* Reads the numbers in the first line of a file, at most `want`; returns how many precede other text ("max"). */
static int read_numbers(const char *folder, const char *name, uint64_t *out, int want) {
    FILE *f = open_in(folder, name);
    char line[64] = "", *rest = line;
    int found = 0;

    if (f == NULL)
        return 0;
    if (fgets(line, sizeof(line), f) == NULL)
        line[0] = '\0';
    fclose(f);
    while (found < want) {
        size_t length = strcspn(rest, " \n");

        if (!num_parse_u64(slice_of(rest, length), &out[found]))
            break;
        found++;
        rest += length + (rest[length] != '\0');
    }
    return found;
}

/* ---- a group's files --------------------------------------------------------------------------------------------------- */

static void lower(uint64_t *limit, uint64_t to) {
    if (to > 0 && (*limit == 0 || to < *limit))
        *limit = to;
}

static void lower_memory(struct cgroup_limits *l, const char *group, const char *file) {
    const uint64_t unlimited = UINT64_C(1) << 62; /* "no limit" in version 1: a huge number of pages */
    uint64_t bytes;

    if (read_numbers(group, file, &bytes, 1) == 1 && bytes < unlimited)
        lower(&l->memory, bytes);
}

static void lower_cpu(struct cgroup_limits *l, uint64_t quota_us, uint64_t period_us) {
    if (quota_us > 0 && quota_us < UINT64_MAX / 1000 && period_us > 0)
        lower(&l->cpu_millis, quota_us * 1000 > period_us ? quota_us * 1000 / period_us : 1);
}

static void read_memory(struct cgroup_limits *l, const char *group) {
    lower_memory(l, group, "memory.limit_in_bytes");
}

static void read_cpu(struct cgroup_limits *l, const char *group) {
    uint64_t quota, period; /* a quota of -1 means no limit */

    if (read_numbers(group, "cpu.cfs_quota_us", &quota, 1) == 1 &&
        read_numbers(group, "cpu.cfs_period_us", &period, 1) == 1)
        lower_cpu(l, quota, period);
}

static void read_version_2(struct cgroup_limits *l, const char *group) {
    uint64_t quota_and_period[2];

    lower_memory(l, group, "memory.max");
    lower_memory(l, group, "memory.high");
    if (read_numbers(group, "cpu.max", quota_and_period, 2) == 2)
        lower_cpu(l, quota_and_period[0], quota_and_period[1]);
}

/* ---- where the group's files are --------------------------------------------------------------------------------------- */

/* Is `word` in a comma-separated list? The empty word is only in the empty list. */
static bool listed(const char *list, const char *word) {
    size_t length = strlen(word);

    if (length == 0)
        return *list == '\0';
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

/* Sets the group of this process in the hierarchy of `controller` ("": version 2). False: there is none. */
static bool find_group(const char *root, const char *controller, char group[PATH_CAP]) {
    FILE *f = open_in(root, "proc/self/cgroup");
    char line[LINE_CAP];
    bool found = false;

    while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;

        if (path == NULL)
            continue;
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        found = listed(controllers + 1, controller);
        if (found)
            snprintf(group, PATH_CAP, "%s", path);
    }
    if (f != NULL)
        fclose(f);
    return found;
}

/* Finds the mount point of the hierarchy (`at`) and the group that is mounted there (`top`). False: not mounted. */
static bool find_mount(const char *root, const char *controller, char at[PATH_CAP], char top[PATH_CAP]) {
    const char *type_wanted = *controller == '\0' ? "cgroup2" : "cgroup";
    FILE *f = open_in(root, "proc/self/mountinfo");
    char line[LINE_CAP], type[TYPE_CAP], options[PATH_CAP];
    bool found = false;

    while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
        const char *rest = strstr(line, " - ");

        found = rest != NULL && sscanf(line, "%*s %*s %*s %4095s %4095s", top, at) == 2 &&
                sscanf(rest, " - %31s %*s %4095s", type, options) == 2 && strcmp(type, type_wanted) == 0 &&
                (*controller == '\0' || listed(options, controller));
    }
    if (f != NULL)
        fclose(f);
    return found;
}

/* The path of `group` relative to `top`; "": it is `top` itself, or not below it. */
static const char *below(const char *group, const char *top) {
    size_t length = strcmp(top, "/") == 0 ? 0 : strlen(top);

    if (strncmp(group, top, length) != 0 || group[length] != '/' || group[length + 1] == '\0' ||
        strstr(group, "/..") != NULL)
        return "";
    return group + length;
}

/* ---- limits -------------------------------------------------------------------------------------------------------------- */

static const struct hierarchy {
    const char *controller;
    void (*read)(struct cgroup_limits *l, const char *group);
} hierarchies[] = {{"", read_version_2}, {"memory", read_memory}, {"cpu", read_cpu}};

/* Visits the group of this process and its ancestors up to the topmost mounted one. */
static void walk_up(const struct hierarchy *h, const char *root, struct cgroup_limits *l) {
    char group[PATH_CAP], at[PATH_CAP], top[PATH_CAP], path[3 * PATH_CAP];
    size_t base;

    if (!find_group(root, h->controller, group) || !find_mount(root, h->controller, at, top))
        return;
    base = strlen(root) + strlen(at);
    snprintf(path, sizeof(path), "%s%s%s", root, at, below(group, top));
    for (;;) {
        h->read(l, path);
        if (strlen(path) <= base)
            return;
        *strrchr(path, '/') = '\0';
    }
}

struct cgroup_limits cgroup_limits(const char *root) {
    struct cgroup_limits l = {0, 0};

    for (size_t i = 0; i < sizeof(hierarchies) / sizeof(*hierarchies); i++)
        walk_up(&hierarchies[i], root, &l);
    return l;
}

static unsigned processors(void) {
    cpu_set_t set;
    long n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);

    return n > 0 ? (unsigned)n : 1;
}

struct resources resources_find(const char *root) {
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    struct resources r = {.limits = cgroup_limits(root), .processors = processors()};
    uint64_t whole = r.limits.cpu_millis / 1000 + (r.limits.cpu_millis % 1000 > 0);

    r.machine_memory = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
    r.memory = r.machine_memory;
    lower(&r.memory, r.limits.memory);
    r.threads = whole > 0 && whole < r.processors ? (unsigned)whole : r.processors;
    return r;
}
