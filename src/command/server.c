/* server.c - the parts of the context that belong to the command layer. */
#include <flashkv/mem.h>
#include <flashkv/server.h>

void server_init(struct server *s) {
    s->resources = resources_find("");
    session_list_init(&s->sessions);
    settings_init(&s->settings);
    secret_init(&s->password);
    stats_init(&s->stats);
    slow_init(&s->slow);
    monitors_init(&s->monitors);
    peers_init(&s->peers, s->options != NULL ? s->options->max_connections_per_address : 0);
    atomic_store(&s->memory.policy, eviction_policy_find(SLICE_LIT("noeviction")));
    atomic_store(&s->memory.samples, 5);
    atomic_store(&s->memory.tenacity, 10);
    atomic_store(&s->memory.other, mem_resident());
    s->memory_at_start = mem_allocated(); /* the first call, see mem.h */
}

void server_destroy(struct server *s) {
    monitors_destroy(&s->monitors);
    peers_destroy(&s->peers);
    slow_destroy(&s->slow);
    stats_destroy(&s->stats);
    secret_destroy(&s->password);
    tokens_free(&s->tokens);
    settings_destroy(&s->settings);
    session_list_destroy(&s->sessions);
}

void front_tick(struct front_stats *f) {
    const _Atomic uint64_t *const counters[RATES] = {&f->requests, &f->bytes_in, &f->bytes_out};

    for (size_t i = 0; i < RATES; i++) {
        uint64_t now = atomic_load_explicit(counters[i], memory_order_relaxed);
        struct rate *r = &f->rates[i];

        atomic_store_explicit(&r->per_second, now >= r->before ? now - r->before : now, memory_order_relaxed);
        r->before = now;
    }
}

static void front_reset(struct front_stats *f) {
    _Atomic uint64_t *const counters[] = {&f->accepted,  &f->refused,          &f->requests, &f->bytes_in,
                                          &f->bytes_out, &f->output_overflows, &f->errors};

    for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++)
        atomic_store_explicit(counters[i], 0, memory_order_relaxed);
}

void server_stats_reset(struct server *s) {
    atomic_fetch_add_explicit(&s->stats_resets, 1, memory_order_relaxed);
    store_stats_reset(s->store);
    stats_reset(&s->stats);
    front_reset(&s->resp);
    front_reset(&s->http);
}
