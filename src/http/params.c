/* params.c - query parameters that several resources share. */
#include "params.h"

#include <flashkv/num.h>

#include "conditions.h"

bool param_given(const struct request *r, const char *name) {
    struct slice unused;

    return target_query(&r->target, name, &unused);
}

bool param_flag(struct request *r, const char *name, bool *set, enum MHD_Result *result) {
    /* The first two mean no, the others yes. */
    static const char *const words[] = {"false", "0", "", "true", "1"};
    struct slice s = SLICE_LIT("false");

    target_query(&r->target, name, &s);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (slice_eq(s, slice_str(words[i]))) {
            *set = i >= 2;
            return true;
        }
    *result = respond_problem(r, 400, "%s: expects nothing, true or false", name);
    return false;
}

bool param_range(struct request *r, const char *name, int64_t least, int64_t most, struct arg *arg,
                 enum MHD_Result *result) {
    struct slice s;
    int64_t n;

    if (!target_query(&r->target, name, &s))
        return true;
    if (num_parse_i64(s, &n) && n >= least && n <= most) {
        *arg = arg_of(s);
        return true;
    }
    if (most == INT64_MAX && least == INT64_MIN)
        *result = respond_problem(r, 400, "%s: expects a whole number", name);
    else if (most == INT64_MAX)
        *result =
            respond_problem(r, 400, "%s: expects a whole number, at least %lld", name, (long long)least);
    else
        *result = respond_problem(r, 400, "%s: expects a number from %lld to %lld", name, (long long)least,
                                  (long long)most);
    return false;
}

bool param_number(struct request *r, const char *name, struct arg *arg, enum MHD_Result *result) {
    return param_range(r, name, INT64_MIN, INT64_MAX, arg, result);
}

bool param_cursor(struct request *r, struct arg *arg, enum MHD_Result *result) {
    struct slice s = SLICE_LIT("0");
    int64_t n;

    if (target_query(&r->target, "cursor", &s) && (!num_parse_i64(s, &n) || n < 0 || n >> 53 != 0)) {
        *result = respond_problem(r, 400, "cursor: expects the number that the page before gave");
        return false;
    }
    *arg = arg_of(s);
    return true;
}

bool param_limit(struct request *r, struct arg *arg, enum MHD_Result *result) {
    return param_range(r, "limit", 1, PARAM_LIMIT_MAX, arg, result);
}

bool param_expiry(struct request *r, int64_t *expire_at, enum MHD_Result *result) {
    struct slice s;
    bool ms = target_query(&r->target, "ttl_ms", &s), given = ms || target_query(&r->target, "ttl", &s);
    const char *name = ms ? "ttl_ms" : "ttl";
    int64_t n, longest = (INT64_MAX - r->now_ms) / (ms ? 1 : 1000);

    *expire_at = NO_EXPIRY;
    if (!given)
        return true;
    if (!num_parse_i64(s, &n) || n < 1 || n > longest) {
        *result = respond_problem(r, 400, "%s: expects a whole number of %s, at least 1", name,
                                  ms ? "milliseconds" : "seconds");
        return false;
    }
    *expire_at = r->now_ms + n * (ms ? 1 : 1000);
    return true;
}

bool param_pattern(struct request *r, struct buf *pattern, enum MHD_Result *result) {
    *pattern = buf_make(1 << 20);
    if (keys_pattern(r, pattern))
        return true;
    buf_free(pattern);
    *result = respond_problem(r, 400, "prefix and match cannot be given together");
    return false;
}
