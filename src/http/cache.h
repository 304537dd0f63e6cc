/* cache.h - responses that are kept, for values that are read again. Private to http.
 *
 * Making a response costs about as much as all else that happens to a small GET in user space: some allocations for
 * each header. A response depends on nothing but the value's bytes and Content-Type, so it is kept under the value's
 * digest and used again while a read finds the same bytes: nothing has to be invalidated, the store is asked every
 * time. Values of up to CACHE_VALUE_MAX bytes without an expiry; a response is kept when its value is read a second
 * time with no other of its slot between, so that a scan over many values does not churn.
 * Cost: at most CACHE_SLOTS responses of a value and about 600 bytes each. Thread-safe. */
#ifndef FLASHKV_HTTP_CACHE_H
#define FLASHKV_HTTP_CACHE_H

#include <flashkv/lock.h>
#include <flashkv/slice.h>
#include <microhttpd.h>

enum { CACHE_SLOTS = 1024, CACHE_VALUE_MAX = 512 };

struct cache_slot {
    struct mutex mutex; /* guards the rest */
    char last[16];      /* the tag that was asked for last */
    struct MHD_Response *response;
    char *bytes; /* the value, then the Content-Type */
    size_t value_len, type_len;
};

struct cache {
    struct cache_slot slots[CACHE_SLOTS];
};

void cache_init(struct cache *c);
void cache_destroy(struct cache *c);
enum cache_answer {
    CACHE_QUEUED, /* the kept response was queued, with status 200: *result */
    CACHE_WANTED, /* there is none; one made now is worth keeping */
    CACHE_NO,     /* there is none */
};
enum cache_answer cache_queue(struct cache *c, struct slice etag, struct slice value, struct slice type,
                              struct MHD_Connection *connection, enum MHD_Result *result);
/* Keeps a response that was queued: the caller's reference becomes the cache's, or is let go. */
void cache_keep(struct cache *c, struct slice etag, struct slice value, struct slice type,
                struct MHD_Response *response);

#endif
