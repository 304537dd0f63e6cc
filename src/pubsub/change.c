/* change.c - the change of the feed that an event of the store stands for. */
#include <flashkv/feed.h>
#include <flashkv/mem.h>
#include <flashkv/store.h>

/* Events of the class EVENT_GENERIC that do not set a value; all others do. */
static const struct {
    const char *name;
    enum change_kind kind;
} generic_events[] = {
    {"del", CHANGE_DELETE},
    {"rename_from", CHANGE_DELETE},
    {"expire", CHANGE_TTL},
    {"persist", CHANGE_TTL},
};

static enum change_kind kind_of(const struct event *ev) {
    if (ev->class == EVENT_EXPIRED)
        return CHANGE_EXPIRE;
    if (ev->class == EVENT_EVICTED)
        return CHANGE_EVICT;
    if (ev->class == EVENT_GENERIC)
        for (size_t i = 0; i < sizeof(generic_events) / sizeof(*generic_events); i++)
            if (strcmp(ev->name, generic_events[i].name) == 0)
                return generic_events[i].kind;
    return CHANGE_SET;
}

/* A string's part of the change: the bytes if they are few, else the digest if it has been computed already. */
static struct slice value_of(const struct entry *e, struct change *c) {
    struct blob *b = entry_blob(e);
    struct slice bytes = entry_string(e);

    if (b != NULL) {
        c->digest = atomic_load_explicit(&b->digest, memory_order_relaxed);
        c->has_digest = c->digest != 0;
    }
    c->has_value = bytes.len <= CHANGE_VALUE_MAX;
    if (b != NULL && c->has_value)
        c->blob = b;
    return c->has_value ? bytes : slice_of("", 0);
}

static struct slice append(struct change *c, size_t at, struct slice s) {
    if (s.len > 0)
        memcpy(c->bytes + at, s.ptr, s.len);
    return slice_of(c->bytes + at, s.len);
}

/* A copy of `like` that owns the bytes which `like` borrows. */
static struct change *change_new(const struct change *like, struct slice key, struct slice value) {
    size_t inside = key.len + (like->blob == NULL ? value.len : 0);
    struct change *c = mem_alloc(sizeof(*c) + inside);

    if (c == NULL)
        return NULL;
    *c = *like;
    atomic_init(&c->refs, 1);
    c->key = append(c, 0, key);
    if (c->blob != NULL)
        c->value = blob_slice(blob_ref(c->blob));
    else
        c->value = append(c, key.len, value);
    c->cost = mem_good_size(sizeof(*c) + inside) + (c->blob != NULL ? value.len : 0);
    return c;
}

bool change_of_event(const struct event *ev, struct change **out) {
    struct change c = {.kind = (uint8_t)kind_of(ev)};
    bool lives = c.kind == CHANGE_SET || c.kind == CHANGE_TTL;
    const struct entry *e = lives ? store_peek(ev->txn, ev->key) : NULL;
    struct slice value = slice_of("", 0);

    if (lives && e == NULL) /* deleted by the same command: the event of that follows */
        return false;
    if (e != NULL) {
        c.type = (uint8_t)entry_type(e);
        c.expire_at = entry_expire_at(e);
        if (c.kind == CHANGE_SET && c.type == TYPE_STRING)
            value = value_of(e, &c);
    }
    *out = change_new(&c, ev->key->name, value);
    return true;
}

void change_unref(struct change *c) {
    if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
        return;
    blob_unref(c->blob);
    mem_free(c);
}
