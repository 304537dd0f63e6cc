/* trace.h - identifiers of a request beyond this service: X-Request-Id, and traceparent of W3C's Trace Context
 * (https://www.w3.org/TR/trace-context/). Private to http.
 *
 * They are returned with the response, and recorded in the access log and the slow log. A request without an id gets a generated
 * one if there is an access log. Invalid ones are ignored: an id of other than 1 to TRACE_ID_MAX letters, digits and
 * "-_.~:/+=@", a malformed traceparent, a header that is given twice. */
#ifndef FLASHKV_HTTP_TRACE_H
#define FLASHKV_HTTP_TRACE_H

#include <flashkv/hints.h>
#include <flashkv/slice.h>
#include <stdbool.h>
#include <stdint.h>

enum { TRACE_ID_MAX = 128, TRACE_MADE = 16 };

/* Empty or C strings: borrowed from the request's headers, or `made`. */
struct trace {
    struct slice id, parent;
    char made[TRACE_MADE + 1];
};

/* Validates the two headers and keeps them; ptr NULL: absent. */
NOINLINE void trace_read(struct trace *t, struct slice id, struct slice parent);
/* Generates an id: random, so unique for all practical purposes. */
NOINLINE void trace_make(struct trace *t);
/* The trace-id of traceparent, 32 hex digits; empty: none. */
static inline struct slice trace_parent_id(const struct trace *t) {
    return t->parent.len > 0 ? slice_of(t->parent.ptr + 3, 32) : t->parent;
}
/* The one name to use where there is room for only one; empty: none. */
static inline struct slice trace_name(const struct trace *t) {
    return t->id.len > 0 ? t->id : trace_parent_id(t);
}

#endif
