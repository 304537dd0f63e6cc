/* params.h - query parameters, and parts of paths, that several resources have. Private to http.
 *
 * Those that return false have answered with *result. */
#ifndef FLASHKV_HTTP_PARAMS_H
#define FLASHKV_HTTP_PARAMS_H

#include "respond.h"

/* The {key} of the path. */
static inline struct slice param_key(const struct request *r) {
    return r->target.segments[1];
}
bool param_given(const struct request *r, const char *name);
/* One that is given, or not: ?nx, ?nx=true, ?nx=1; ?nx=false is as none. */
bool param_flag(struct request *r, const char *name, bool *set, enum MHD_Result *result);
/* A whole number, as an argument; what *arg was without the parameter. */
bool param_number(struct request *r, const char *name, struct arg *arg, enum MHD_Result *result);
/* The same from `least` to `most`. */
bool param_range(struct request *r, const char *name, int64_t least, int64_t most, struct arg *arg,
                 enum MHD_Result *result);
/* ?cursor= of a page before, "0" without it; ?limit=, at most PARAM_LIMIT_MAX. */
enum { PARAM_LIMIT_MAX = 10000 };
bool param_cursor(struct request *r, struct arg *arg, enum MHD_Result *result);
bool param_limit(struct request *r, struct arg *arg, enum MHD_Result *result);
/* ?ttl= seconds or ?ttl_ms= as wall milliseconds; NO_EXPIRY where neither is given. */
bool param_expiry(struct request *r, int64_t *expire_at, enum MHD_Result *result);
/* SCAN's pattern for ?prefix= or ?match= (keys_pattern). To be freed if true. */
bool param_pattern(struct request *r, struct buf *pattern, enum MHD_Result *result);

#endif
