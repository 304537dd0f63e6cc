/* settings.h - the options of redis.conf that are none of FlashKV's own: what CONFIG SET changes while the server runs.
 *
 * Clients, tools and test suites set them and read them back, so each is a row with Redis 7.0's default, kind, range
 * and error texts. Few of them change what the server does (the command layer knows which); every other is stored and
 * echoed, no more. Layer: config. Thread-safe but for init and destroy. */
#ifndef FLASHKV_SETTINGS_H
#define FLASHKV_SETTINGS_H

#include <flashkv/buf.h>
#include <flashkv/lock.h>
#include <flashkv/slice.h>

enum setting_kind {
    SETTING_FLAG,   /* yes, no */
    SETTING_NUMBER, /* min to max */
    SETTING_HIDDEN, /* the same, and CONFIG GET has to name it: no pattern finds it */
    SETTING_BYTES,  /* kb, mb, gb may follow; if min is -100, % too */
    SETTING_WORD,   /* one of `words` */
    SETTING_TEXT,   /* whatever `check` lets pass */
    SETTING_FIXED,  /* cannot be set */
};

struct setting_row {
    const char *name, *alias; /* Redis's names; alias NULL: none */
    enum setting_kind kind;
    const char *fallback; /* the default, as CONFIG GET tells it */
    int64_t min, max;
    const char *const *words;
    /* Appends the text as CONFIG GET shall tell it; else says why not. NULL: any text, as it is. */
    const char *(*check)(struct slice text, struct buf *out);
};

extern const struct setting_row setting_table[];
extern const size_t setting_count;
enum { SETTINGS_MAX = 192 };
extern const char *const setting_policies[]; /* words of maxmemory-policy */

/* The role of settings.mutex (thread_safety.h). */
extern struct mutex settings_role;

struct settings {
    struct mutex mutex;
    char *values[SETTINGS_MAX] GUARDED_BY(settings_role); /* by row; NULL: the default */
};

void settings_init(struct settings *s);
void settings_destroy(struct settings *s);

/* By name or alias, any case. NULL: unknown. */
const struct setting_row *setting_find(struct slice name);
/* Appends the value now; false: out of room. */
bool setting_format(struct settings *s, const struct setting_row *row, struct buf *out);

/* A value that is known to be right. */
struct setting_change {
    const struct setting_row *row;
    char *value; /* owned */
};
/* NULL, and ch->value is the value in its normal form (free it, or apply it); else what is wrong, in Redis's words,
 * which may be in `why`. */
const char *setting_parse(struct setting_change *ch, struct slice text, char *why, size_t cap);
/* Makes all of them the values, at once, and takes them over; `applied` is told of each, with `ctx`, under the mutex. */
void settings_apply(struct settings *s, const struct setting_change *changes, size_t count,
                    void (*applied)(void *ctx, const struct setting_change *ch), void *ctx);

/* Checks of rows. */
const char *setting_check_save(struct slice text, struct buf *out);
const char *setting_check_events(struct slice text, struct buf *out);
const char *setting_check_percentiles(struct slice text, struct buf *out);
const char *setting_check_oom_score(struct slice text, struct buf *out);
const char *setting_check_output_limits(struct slice text, struct buf *out);

#endif
