/* persist.c - the life of a data directory: opening, loading, running, closing; verifying. */
#include <errno.h>
#include <flashkv/clock.h>
#include <flashkv/log.h>
#include <flashkv/mem.h>
#include <stdio.h>
#include <unistd.h>

#include "persist_impl.h"

enum { WHY_MAX = 512 };
static const char hint[] = "flashkv --verify DIR tells more, flashkv --repair DIR cuts the log off there";

struct persist *persist_open(const struct persist_config *config, char *why, size_t cap) {
    struct persist *p = mem_zalloc(sizeof(*p));

    snprintf(why, cap, "out of memory");
    if (p == NULL)
        return NULL;
    p->config = *config;
    p->snapshot_ns = clock_mono_ns();
    p->stats.snapshot_wall_ms = clock_wall_ms();
    snapshots_init(p);
    if (files_open(&p->files, config->dir, config->must_exist ? FILES_CHANGE : FILES_MAKE, why, cap))
        return p;
    snapshots_destroy(p);
    mem_free(p);
    return NULL;
}

void persist_close(struct persist *p) {
    if (p == NULL)
        return;
    files_close(&p->files);
    snapshots_destroy(p);
    mem_free(p);
}

const unsigned char *persist_secret(const struct persist *p) {
    return p->files.secret;
}

struct journal *persist_journal(struct persist *p) {
    return p->journal;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

/* Removes files that a crash left and that are not valid any more. */
static void tidy(struct persist *p, const struct scan *s) {
    struct positions all;
    char name[FILES_NAME];

    unlinkat(p->files.dir, "snapshot.new", 0);
    files_remove_below(&p->files, RECORD_SNAPSHOT, s->snapshot_position);
    files_remove_below(&p->files, RECORD_LOG, s->snapshot_position);
    if (files_list(&p->files, RECORD_LOG, &all))
        for (size_t i = 0; i < all.count; i++)
            if (all.at[i] >= s->ignore) {
                files_name(name, RECORD_LOG, all.at[i]);
                unlinkat(p->files.dir, name, 0);
            }
    mem_free(all.at);
}

/* Can the directory be loaded? Truncates a torn log. False: `why` holds the reason. */
static bool accept(struct persist *p, struct scan *s, enum scan_outcome outcome, char *why, size_t cap) {
    size_t len = strlen(why);

    switch (outcome) {
    case SCAN_WHOLE:
        break;
    case SCAN_TORN:
        log_warn("loading: %s: cut off", why);
        if (scan_cut(&p->files, s))
            break;
        snprintf(why, cap, "%s: cannot be cut: %s", p->files.path, strerror(errno));
        return false;
    case SCAN_DAMAGED:
        snprintf(why + len, cap - len, "; %s", hint);
        return false;
    case SCAN_REFUSED:
        return false;
    }
    return true;
}

/* The sink for keys that the store removes by itself, which does not happen before the log is started. */
static void on_event(void *ctx, const struct event *ev) {
    const struct persist *p = ctx;

    journal_event(p->journal, ev);
}

void persist_attach(struct persist *p, struct store *store) {
    p->store = store;
    store_add_sink(store, on_event, p, EVENT_EXPIRED | EVENT_EVICTED | EVENT_REMOVED);
}

bool persist_load(struct persist *p, unsigned threads, persist_run *run, void *ctx, char *why, size_t cap) {
    int64_t begun = clock_mono_ns();
    struct scan s;
    bool ok;

    why[0] = '\0';
    ok = accept(p, &s, scan_directory(&p->files, &s, why, cap), why, cap) &&
         load_scanned(&s, p->store, threads, run, ctx, why, cap);
    if (ok) {
        struct shard_stats total;

        tidy(p, &s);
        p->end = s.end;
        p->snapshot_position = s.snapshot_position;
        store_stats(p->store, &total, NULL);
        log_info("loaded: %llu keys in %lld ms, %llu from a snapshot, %llu frames of the log",
                 (unsigned long long)total.keys, (long long)(clock_mono_ns() - begun) / 1000000,
                 (unsigned long long)s.entries, (unsigned long long)s.frames);
    }
    scan_free(&s);
    return ok;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

bool persist_start(struct persist *p, char *why, size_t cap) {
    /* Sync what a killed process had written and not synced, and what was loaded: else it could be lost after the next segment. */
    if (!files_sync_all(&p->files, RECORD_LOG)) {
        snprintf(why, cap, "%s: the log cannot be synced: %s", p->files.path, strerror(errno));
        return false;
    }
    p->journal = journal_start(&p->files, &p->config, p->end, why, cap);
    if (p->journal == NULL)
        return false;
    if (snapshots_start(p))
        return true;
    snprintf(why, cap, "cannot start a thread");
    journal_stop(p->journal);
    p->journal = NULL;
    return false;
}

void persist_stop(struct persist *p) {
    if (p == NULL || p->journal == NULL)
        return;
    snapshots_stop(p);
    journal_stop(p->journal);
    p->journal = NULL;
}

/* ---- verifying --------------------------------------------------------------------------------------------------- */

static void tell(const struct scan *s) {
    if (s->has_snapshot)
        printf("%s: %llu entries\n", s->snapshot.name, (unsigned long long)s->entries);
    for (size_t i = 0; i < s->segment_count; i++)
        printf("%s: whole up to offset %llu\n", s->segments[i].file.name,
               (unsigned long long)(s->segments[i].end - s->segments[i].position + RECORD_HEADER));
    printf("%llu frames in the log\n", (unsigned long long)s->frames);
}

int persist_verify(const char *dir, bool repair) {
    char why[WHY_MAX] = "";
    enum scan_outcome outcome;
    struct files f;
    struct scan s;
    int status = 1;

    if (!files_open(&f, dir, repair ? FILES_CHANGE : FILES_LOOK, why, sizeof(why))) {
        printf("%s\n", why);
        return status;
    }
    outcome = scan_directory(&f, &s, why, sizeof(why));
    tell(&s);
    if (outcome != SCAN_WHOLE)
        printf("%s\n", why);
    if (outcome == SCAN_WHOLE) {
        printf("all is well\n");
        status = 0;
    } else if (repair && outcome != SCAN_REFUSED) {
        status = scan_cut(&f, &s) ? 0 : 1;
        printf(status == 0 ? "cut off there\n" : "cannot be cut: %s\n", strerror(errno));
    } else if (outcome == SCAN_TORN) {
        printf("the server cuts this off when it starts; nothing that was promised is lost\n");
    }
    scan_free(&s);
    files_close(&f);
    return status;
}
