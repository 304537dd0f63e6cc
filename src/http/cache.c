/* cache.c - a direct-mapped table of responses, a mutex a slot. */
#include "cache.h"

#include <flashkv/mem.h>

void cache_init(struct cache *c) {
    memset(c, 0, sizeof(*c));
    for (size_t i = 0; i < CACHE_SLOTS; i++)
        mutex_init(&c->slots[i].mutex, LOCK_RANK_LEAF);
}

static void slot_clear(struct cache_slot *s) {
    if (s->response != NULL)
        MHD_destroy_response(s->response);
    mem_free(s->bytes);
    s->response = NULL;
    s->bytes = NULL;
}

void cache_destroy(struct cache *c) {
    for (size_t i = 0; i < CACHE_SLOTS; i++) {
        slot_clear(&c->slots[i]);
        mutex_destroy(&c->slots[i].mutex);
    }
}

/* By the last digits of the tag, which is a hash. */
static struct cache_slot *slot_of(struct cache *c, struct slice etag) {
    size_t n = 0;

    for (size_t i = etag.len - 4; i < etag.len; i++)
        n = n * 16 + (size_t)(etag.ptr[i] <= '9' ? etag.ptr[i] - '0' : etag.ptr[i] - 'a' + 10);
    return &c->slots[n % CACHE_SLOTS];
}

/* Equal digests are no proof: the bytes are compared. */
static bool slot_holds(const struct cache_slot *s, struct slice value, struct slice type) {
    return s->response != NULL && slice_eq(slice_of(s->bytes, s->value_len), value) &&
           slice_eq(slice_of(s->bytes + s->value_len, s->type_len), type);
}

enum cache_answer cache_queue(struct cache *c, struct slice etag, struct slice value, struct slice type,
                              struct MHD_Connection *connection, enum MHD_Result *result) {
    struct cache_slot *s = slot_of(c, etag);
    enum cache_answer answer = CACHE_NO;

    mutex_lock(&s->mutex);
    if (slot_holds(s, value, type)) {
        *result = MHD_queue_response(connection, MHD_HTTP_OK, s->response); /* takes a reference of its own */
        answer = CACHE_QUEUED;
    } else if (memcmp(s->last, etag.ptr, sizeof(s->last)) == 0) {
        answer = CACHE_WANTED;
    } else {
        memcpy(s->last, etag.ptr, sizeof(s->last));
    }
    mutex_unlock(&s->mutex);
    return answer;
}

void cache_keep(struct cache *c, struct slice etag, struct slice value, struct slice type,
                struct MHD_Response *response) {
    struct cache_slot *s = slot_of(c, etag);
    char *bytes = mem_alloc(value.len + type.len);

    if (bytes == NULL) {
        MHD_destroy_response(response);
        return;
    }
    if (value.len > 0)
        memcpy(bytes, value.ptr, value.len);
    if (type.len > 0)
        memcpy(bytes + value.len, type.ptr, type.len);
    mutex_lock(&s->mutex);
    slot_clear(s);
    s->bytes = bytes;
    s->value_len = value.len;
    s->type_len = type.len;
    s->response = response;
    mutex_unlock(&s->mutex);
}
