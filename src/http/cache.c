/* cache.c - a direct-mapped table of responses. */
#include "cache.h"

#include <flashkv/hints.h>
#include <flashkv/mem.h>
#include <time.h>

struct cache_slot {
    uint64_t digest; /* of the value that was offered last */
    struct MHD_Response *response;
    char *bytes; /* of the response: the value, then its Content-Type */
    size_t value_len, type_len;
    int64_t second; /* of the response's Date; 0: none was added yet */
};

bool cache_init(struct cache *c) {
    c->second = 0;
    c->slots = mem_zalloc(CACHE_SLOTS * sizeof(*c->slots));
    return c->slots != NULL;
}

static void slot_clear(struct cache_slot *s) {
    if (s->response != NULL)
        MHD_destroy_response(s->response);
    mem_free(s->bytes);
    s->response = NULL;
    s->bytes = NULL;
}

void cache_destroy(struct cache *c) {
    for (size_t i = 0; c->slots != NULL && i < CACHE_SLOTS; i++)
        slot_clear(&c->slots[i]);
    mem_free(c->slots);
}

/* IMF-fixdate of RFC 9110, 5.6.7; the process keeps the C locale. */
static void write_date(struct cache *c, int64_t second) {
    time_t at = (time_t)second;
    struct tm tm;

    gmtime_r(&at, &tm);
    strftime(c->date, sizeof(c->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    c->second = second;
}

/* The library keeps at most one Date: adding another replaces it. */
static NOINLINE void renew_date(struct cache *c, struct cache_slot *s, int64_t second) {
    if (c->second != second)
        write_date(c, second);
    if (MHD_add_response_header(s->response, MHD_HTTP_HEADER_DATE, c->date) == MHD_YES)
        s->second = second; /* else no memory: the library generates one, or the next request adds it */
}

static struct cache_slot *slot_of(struct cache *c, uint64_t digest) {
    return &c->slots[digest % CACHE_SLOTS];
}

/* Equal digests prove nothing: the bytes are compared. */
static bool slot_holds(const struct cache_slot *s, struct slice value, struct slice type) {
    return s->response != NULL && slice_eq(slice_of(s->bytes, s->value_len), value) &&
           slice_eq(slice_of(s->bytes + s->value_len, s->type_len), type);
}

struct MHD_Response *cache_find(struct cache *c, uint64_t digest, struct slice value, struct slice type,
                                int64_t now_ms) {
    struct cache_slot *s = slot_of(c, digest);
    int64_t second = now_ms / 1000;

    if (!slot_holds(s, value, type))
        return NULL;
    if (s->second != second)
        renew_date(c, s, second);
    return s->response;
}

void cache_offer(struct cache *c, uint64_t digest, struct slice value, struct slice type,
                 struct MHD_Response *response) {
    struct cache_slot *s = slot_of(c, digest);
    bool again = s->digest == digest;
    char *bytes = again ? mem_alloc(value.len + type.len) : NULL;

    s->digest = digest;
    if (bytes == NULL) {
        MHD_destroy_response(response);
        return;
    }
    if (value.len > 0)
        memcpy(bytes, value.ptr, value.len);
    if (type.len > 0)
        memcpy(bytes + value.len, type.ptr, type.len);
    slot_clear(s);
    *s = (struct cache_slot){digest, response, bytes, value.len, type.len, 0};
}
