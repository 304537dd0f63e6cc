/* notify.c - publishes an event as up to two messages. */
#include <flashkv/mem.h>
#include <flashkv/notify.h>
#include <flashkv/store.h>

enum { KEYSPACE = 1 << 0, KEYEVENT = 1 << 1, ROOM = 512 };

/* The letters of notify-keyspace-events. */
static const struct {
    char letter;
    uint32_t classes, kinds;
} letters_table[] = {
    {'K', 0, KEYSPACE},          {'E', 0, KEYEVENT},      {'g', EVENT_GENERIC, 0}, {'$', EVENT_STRING, 0},
    {'l', EVENT_LIST, 0},        {'s', EVENT_SET, 0},     {'h', EVENT_HASH, 0},    {'z', EVENT_ZSET, 0},
    {'x', EVENT_EXPIRED, 0},     {'e', EVENT_EVICTED, 0}, {'n', EVENT_NEW, 0},     {'m', EVENT_MISS, 0},
    {'A', EVENT_ALL_CHANGES, 0},
};

/* Publishes to the channel `prefix``name`; not if there is no memory for the channel's name. */
static void tell(struct pubsub *ps, struct slice prefix, struct slice name, struct slice payload) {
    size_t len = prefix.len + name.len;
    char room[ROOM], *channel = len <= sizeof(room) ? room : mem_alloc(len);

    if (channel == NULL)
        return;
    memcpy(channel, prefix.ptr, prefix.len);
    if (name.len > 0)
        memcpy(channel + prefix.len, name.ptr, name.len);
    pubsub_publish(ps, PUBSUB_CHANNEL, slice_of(channel, len), payload);
    if (channel != room)
        mem_free(channel);
}

static void on_event(void *ctx, const struct event *ev) {
    struct notify *n = ctx;
    uint32_t kinds = atomic_load_explicit(&n->kinds, memory_order_relaxed);
    struct slice event = slice_str(ev->name);

    if (pubsub_topics(n->pubsub, PUBSUB_CHANNEL) + pubsub_topics(n->pubsub, PUBSUB_PATTERN) == 0)
        return;
    if (kinds & KEYSPACE)
        tell(n->pubsub, SLICE_LIT("__keyspace@0__:"), ev->key->name, event);
    if (kinds & KEYEVENT)
        tell(n->pubsub, SLICE_LIT("__keyevent@0__:"), event, ev->key->name);
}

void notify_init(struct notify *n, struct store *store, struct pubsub *ps) {
    n->pubsub = ps;
    n->store = store;
    atomic_init(&n->kinds, 0);
    n->sink = store_add_sink(store, on_event, n, 0);
}

void notify_set(struct notify *n, struct slice letters) {
    uint32_t classes = 0, kinds = 0;

    for (size_t i = 0; i < letters.len; i++)
        for (size_t k = 0; k < sizeof(letters_table) / sizeof(*letters_table); k++)
            if (letters.ptr[i] == letters_table[k].letter) {
                classes |= letters_table[k].classes;
                kinds |= letters_table[k].kinds;
            }
    atomic_store_explicit(&n->kinds, kinds, memory_order_relaxed);
    store_sink_classes(n->store, n->sink, kinds != 0 ? classes : 0);
}
