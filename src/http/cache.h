/* cache.h - a cache of responses, for values that are read again. Private to http.
 *
 * Making a response costs about as much as everything else that happens to a small GET in user space: several allocations for
 * each header. A response depends only on the value's bytes, its Content-Type and the second in which it is sent. So it is
 * cached under the value's digest and reused while a read finds the same bytes: nothing has to be invalidated, since the store
 * is read every time. Only values of up to CACHE_VALUE_MAX bytes without an expiry; a response is cached when its value is read
 * a second time with no other value of its slot between, so that a scan over many values does not churn.
 *
 * Each worker has its own cache, used by its thread alone. That is why a response that other connections of the thread are
 * still sending can get a new Date: the library has written the header by the time it returns to us. A Date of our own costs
 * the library the copy of one more header; its own it would format for each request.
 * Cost: at most CACHE_SLOTS responses per worker, of a value and about 700 bytes each. */
#ifndef FLASHKV_HTTP_CACHE_H
#define FLASHKV_HTTP_CACHE_H

#include <flashkv/slice.h>
#include <microhttpd.h>
#include <stdint.h>

enum { CACHE_SLOTS = 1024, CACHE_VALUE_MAX = 512 };

struct cache_slot;

struct cache {
    struct cache_slot *slots;
    int64_t second; /* of `date` */
    char date[sizeof("Thu, 01 Jan 1970 00:00:00 GMT")];
};

/* False: no memory. */
bool cache_init(struct cache *c);
void cache_destroy(struct cache *c);
/* The cached response with this value and Content-Type; `digest` is store_digest's of the value. Its Date is set for `now_ms`.
 * It remains the cache's, and must be queued at once. NULL: not cached. */
struct MHD_Response *cache_find(struct cache *c, uint64_t digest, struct slice value, struct slice type,
                                int64_t now_ms);
/* Offers a response that was queued: the caller's reference passes to the cache, which may drop it. */
void cache_offer(struct cache *c, uint64_t digest, struct slice value, struct slice type,
                 struct MHD_Response *response);

#endif
