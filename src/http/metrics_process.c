/* metrics_process.c - metrics of the process, its memory and its data directory. */
#include <dirent.h>
#include <flashkv/mem.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "metrics.h"

#define NS_PER_MS UINT64_C(1000000)

/* ---- the process ------------------------------------------------------------------------------------------------ */

static uint64_t ns_of(struct timeval t) {
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_usec * 1000;
}

void of_cpu(struct scrape *s, const struct metric *m) {
    struct rusage u;

    if (getrusage(RUSAGE_SELF, &u) == 0)
        sample_seconds(s, m, ns_of(u.ru_utime) + ns_of(u.ru_stime));
}

void of_start(struct scrape *s, const struct metric *m) {
    sample_seconds(s, m, (uint64_t)s->server->started_wall_ms * NS_PER_MS);
}

void of_resident(struct scrape *s, const struct metric *m) {
    sample(s, m, "", mem_resident());
}

void of_virtual(struct scrape *s, const struct metric *m) {
    FILE *f = fopen("/proc/self/statm", "re");
    unsigned long long pages = 0;

    if (f == NULL)
        return;
    if (fscanf(f, "%llu", &pages) == 1)
        sample(s, m, "", (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE));
    fclose(f);
}

void of_open_files(struct scrape *s, const struct metric *m) {
    DIR *d = opendir("/proc/self/fd");
    uint64_t n = 0;

    if (d == NULL)
        return;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    sample(s, m, "", n > 3 ? n - 3 : 0); /* ".", ".." and this directory itself */
}

void of_max_files(struct scrape *s, const struct metric *m) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        sample(s, m, "", limit.rlim_cur);
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

/* Input and output buffers of RESP clients. (The buffers of HTTP streams are not counted here.) */
static uint64_t client_buffers(struct session_list *l) {
    uint64_t bytes = 0;

    session_list_lock(l);
    for (const struct session *c = l->head; c != NULL; c = c->next)
        bytes += atomic_load_explicit(&c->input_room, memory_order_relaxed) +
                 atomic_load_explicit(&c->output_bytes, memory_order_relaxed);
    session_list_unlock(l);
    return bytes;
}

void of_memory(struct scrape *s, const struct metric *m) {
    uint64_t clients = client_buffers(&s->server->sessions), log = s->persist.journal.waiting,
             known = s->total.bytes + clients + log;

    sample_of(s, m, "kind", "keyspace", s->total.bytes);
    sample_of(s, m, "kind", "client_buffers", clients);
    sample_of(s, m, "kind", "log_buffer", log);
    sample_of(s, m, "kind", "other", s->allocated > known ? s->allocated - known : 0);
}

/* ---- the data directory --------------------------------------------------------------------------------------------- */

static bool keeps_data(const struct scrape *s) {
    return s->server->persist != NULL;
}

void of_persist(struct scrape *s, const struct metric *m) {
    uint64_t n;

    memcpy(&n, (const char *)&s->persist + m->offset, sizeof(n));
    if (keeps_data(s))
        sample(s, m, "", n);
}

void of_persist_flag(struct scrape *s, const struct metric *m) {
    if (keeps_data(s))
        sample(s, m, "", ((const char *)&s->persist)[m->offset] != 0);
}

void of_log_buffer(struct scrape *s, const struct metric *m) {
    if (keeps_data(s))
        sample(s, m, "", s->persist.journal.waiting);
}

void of_log_syncs(struct scrape *s, const struct metric *m) {
    sample_histogram(s, m, "", s->persist.journal.sync_times, s->persist.journal.sync_ns);
}

void of_snapshot_time(struct scrape *s, const struct metric *m) {
    if (s->persist.snapshots > 0)
        sample_seconds(s, m, (uint64_t)s->persist.snapshot_wall_ms * NS_PER_MS);
}

void of_snapshot_duration(struct scrape *s, const struct metric *m) {
    if (s->persist.snapshots > 0)
        sample_seconds(s, m, s->persist.snapshot_duration_ms * NS_PER_MS);
}
