/* params.h - query parameters, and parts of paths, that several resources share. Private to http.
 *
 * A function that returns false has queued an error response, which is *result. */
#ifndef FLASHKV_HTTP_PARAMS_H
#define FLASHKV_HTTP_PARAMS_H

#include "respond.h"

/* The {key} of the path. */
static inline struct slice param_key(const struct request *r) {
    return r->target.segments[1];
}
bool param_given(const struct request *r, const char *name);
/* A flag: ?nx, ?nx=true and ?nx=1 set it; ?nx=false, ?nx=0 and its absence do not. */
bool param_flag(struct request *r, const char *name, bool *set, enum MHD_Result *result);
/* A whole number, as an argument; *arg is unchanged if it is absent. */
bool param_number(struct request *r, const char *name, struct arg *arg, enum MHD_Result *result);
/* The same from `least` to `most`. */
bool param_range(struct request *r, const char *name, int64_t least, int64_t most, struct arg *arg,
                 enum MHD_Result *result);
/* ?cursor= as the page before returned it, "0" by default; ?limit=, from 1 to PARAM_LIMIT_MAX. */
enum { PARAM_LIMIT_MAX = 10000 };
bool param_cursor(struct request *r, struct arg *arg, enum MHD_Result *result);
bool param_limit(struct request *r, struct arg *arg, enum MHD_Result *result);
/* ?ttl= in seconds or ?ttl_ms=, as wall milliseconds; NO_EXPIRY if neither is given. */
bool param_expiry(struct request *r, int64_t *expire_at, enum MHD_Result *result);
/* SCAN's pattern for ?prefix= or ?match= (keys_pattern). If true, `pattern` is the caller's to free. */
bool param_pattern(struct request *r, struct buf *pattern, enum MHD_Result *result);

#endif
