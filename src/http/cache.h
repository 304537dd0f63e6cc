/* cache.h - responses that are kept, for values that are read again. Private to http.
 *
 * Making a response costs about as much as all else that happens to a small GET in user space: some allocations for
 * each header. A response depends on nothing but the value's bytes, its Content-Type and the second it is sent in, so it is
 * kept under the value's digest and used again while a read finds the same bytes: nothing has to be invalidated, the
 * store is asked every time. Values of up to CACHE_VALUE_MAX bytes without an expiry; a response is kept when its value is
 * read a second time with no other of its slot between, so that a scan over many values does not churn.
 *
 * Each worker has one of its own, which its thread alone uses. That is what allows a response that others of the thread's
 * connections are still sending to get a new Date: the library has written the header by the time it returns to us.
 * A Date of our own costs the library one header more to copy; its own it would format for each request.
 * Cost: at most CACHE_SLOTS responses a worker, of a value and about 700 bytes each. */
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
/* The response with this value and Content-Type, whose `digest` is store_digest's of the value; its Date is right at
 * `now_ms`. It is the cache's: to be queued at once. NULL: there is none. */
struct MHD_Response *cache_find(struct cache *c, uint64_t digest, struct slice value, struct slice type,
                                int64_t now_ms);
/* Keeps a response that was queued, if it is worth it: the caller's reference becomes the cache's, or is let go. */
void cache_offer(struct cache *c, uint64_t digest, struct slice value, struct slice type,
                 struct MHD_Response *response);

#endif
