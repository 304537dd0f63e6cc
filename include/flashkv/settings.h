/* settings.h - the options of redis.conf, other than those in options.h, which CONFIG SET changes while the server runs.
 *
 * Clients, tools and test suites set them and read them back, so each is a row with Redis 7.0's default, kind, range
 * and error texts. Few of them have an effect (src/command/config_live.c lists which); the others are only stored and
 * returned. Layer: config. Thread-safe except for init and destroy. */
#ifndef FLASHKV_SETTINGS_H
#define FLASHKV_SETTINGS_H

#include <flashkv/buf.h>
#include <flashkv/lock.h>
#include <flashkv/slice.h>

enum setting_kind {
    SETTING_FLAG,   /* yes, no */
    SETTING_NUMBER, /* min to max */
    SETTING_HIDDEN, /* the same; CONFIG GET finds it by its name only, not by a pattern */
    SETTING_BYTES, /* min to max (max 0: 2^64 - 1), with an optional unit kb, mb, gb; if min is -100, also % */
    SETTING_WORD,  /* one of `words` */
    SETTING_TEXT,  /* any text that `check` accepts */
    SETTING_FIXED, /* cannot be set */
};

struct setting_row {
    const char *name, *alias; /* Redis's names; alias NULL: none */
    enum setting_kind kind;
    const char *fallback; /* the default, as CONFIG GET returns it */
    int64_t min, max;
    const char *const *words;
    /* Appends the text in the form that CONFIG GET returns and returns NULL, or returns an error message. A NULL function
     * accepts any text unchanged. */
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

/* Looks a row up by name or alias, in any case. NULL: unknown. */
const struct setting_row *setting_find(struct slice name);
/* Appends the current value; false: out of room. */
bool setting_format(struct settings *s, const struct setting_row *row, struct buf *out);

/* A validated new value. */
struct setting_change {
    const struct setting_row *row;
    char *value; /* owned */
};
/* Validates `text` for ch->row. NULL: ch->value is the value in its normal form (free it, or apply it). Else Redis's error
 * message, which may be written to `why` (cap bytes). */
const char *setting_parse(struct setting_change *ch, struct slice text, char *why, size_t cap);
/* Sets all of the values atomically and takes ownership of them; calls `applied` for each, with `ctx`, under the mutex. */
void settings_apply(struct settings *s, const struct setting_change *changes, size_t count,
                    void (*applied)(void *ctx, const struct setting_change *ch), void *ctx);

/* Checks of rows. */
const char *setting_check_save(struct slice text, struct buf *out);
const char *setting_check_events(struct slice text, struct buf *out);
const char *setting_check_percentiles(struct slice text, struct buf *out);
const char *setting_check_oom_score(struct slice text, struct buf *out);
const char *setting_check_output_limits(struct slice text, struct buf *out);

#endif
