/* json.c - building JSON with jansson. */
#include "json.h"

#include <config.h>
#include <flashkv/clock.h>
#include <flashkv/mem.h>
#include <flashkv/num.h>
#include <jansson.h>
#include <stdio.h>

#include "base64.h"

/* The text of `root`, whose reference it drops. NULL: no memory. */
static char *dump(json_t *root) {
    char *text = root != NULL ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;

    json_decref(root);
    return text; /* from malloc, as is mem_alloc's memory */
}

/* ---- bytes --------------------------------------------------------------------------------------------------------- */

/* NULL if the bytes are not UTF-8, which jansson checks, or no memory. */
static json_t *utf8(struct slice s) {
    return json_stringn(s.ptr, s.len);
}

static json_t *base64(struct slice s) {
    char *text = mem_alloc(base64_length(s.len));
    json_t *string;

    if (text == NULL)
        return NULL;
    base64_encode(s, text);
    string = json_stringn(text, base64_length(s.len));
    mem_free(text);
    return string;
}

static void put_bytes(json_t *object, const char *name, const char *encoding_name, struct slice s) {
    json_t *string = utf8(s);

    json_object_set_new(object, name, string != NULL ? string : base64(s));
    json_object_set_new(object, encoding_name, json_string(string != NULL ? "utf8" : "base64"));
}

/* The strings of the aggregate at token `at`, all in one encoding. */
static json_t *strings(const struct capture *c, size_t at, const char **encoding) {
    json_t *(*encode)(struct slice s) = utf8, *array = json_array();
    size_t n = (size_t)c->tokens[at].n;

    for (size_t i = 1; i <= n; i++) {
        json_t *probe = utf8(capture_text(c, at + i));

        if (probe == NULL)
            encode = base64;
        json_decref(probe);
        if (encode == base64)
            break;
    }
    for (size_t i = 1; i <= n; i++)
        json_array_append_new(array, encode(capture_text(c, at + i)));
    *encoding = encode == utf8 ? "utf8" : "base64";
    return array;
}

/* ---- keys and lists ------------------------------------------------------------------------------------------------ */

static json_t *detail_json(const char *detail) {
    json_t *text = json_string(detail);

    if (text == NULL) /* it quotes an argument that is not UTF-8 */
        text = json_string("the request has bytes that are not UTF-8 where it is wrong");
    return text;
}

char *json_upstash_problem(const char *detail) {
    return dump(json_pack("{s:o}", "error", detail_json(detail)));
}

char *json_problem(unsigned status, const char *title, const char *detail) {
    return dump(json_pack("{s:s, s:s, s:i, s:o}", "type", "about:blank", "title", title, "status",
                          (int)status, "detail", detail_json(detail)));
}

char *json_key(const struct request *r, struct slice key, const struct capture *c, struct slice etag) {
    size_t value = 1, after = 2;
    json_t *root = json_object();
    const char *encoding;
    int64_t expire_at;

    if (c->tokens[value].kind == TOKEN_AGGREGATE)
        after += (size_t)c->tokens[value].n;
    expire_at = c->tokens[after + 1].n;
    put_bytes(root, "key", "key_encoding", key);
    json_object_set_new(root, "type", json_string(value_type_name((enum value_type)c->tokens[after].n)));
    if (c->tokens[value].kind == TOKEN_AGGREGATE) {
        json_object_set_new(root, "value", strings(c, value, &encoding));
        json_object_set_new(root, "encoding", json_string(encoding));
    } else {
        put_bytes(root, "value", "encoding", capture_text(c, value));
    }
    json_object_set_new(root, "ttl_ms",
                        expire_at != NO_EXPIRY ? json_integer(expire_at - r->now_ms) : json_null());
    json_object_set_new(root, "etag", etag.len > 0 ? utf8(etag) : json_null());
    return dump(root);
}

char *json_keys(const struct capture *c) {
    json_t *keys = json_array(), *others = json_array();
    uint64_t cursor = 0;

    num_parse_u64(capture_text(c, 1), &cursor);
    for (size_t i = 3; i < c->count; i++) {
        json_t *name = utf8(capture_text(c, i));

        if (name != NULL)
            json_array_append_new(keys, name);
        else
            json_array_append_new(others, base64(capture_text(c, i)));
    }
    return dump(
        json_pack("{s:o, s:o, s:I}", "keys", keys, "keys_base64", others, "cursor", (json_int_t)cursor));
}

char *json_values(const struct capture *c, size_t at, int64_t length) {
    const char *encoding;
    json_t *values = strings(c, at, &encoding),
           *root = json_pack("{s:o, s:s}", "values", values, "encoding", encoding);

    if (length >= 0)
        json_object_set_new(root, "length", json_integer(length));
    return dump(root);
}

char *json_number(const char *name, int64_t n) {
    return dump(json_pack("{s:I}", name, (json_int_t)n));
}

/* ---- the service --------------------------------------------------------------------------------------------------- */

char *json_about(void) {
    return dump(json_pack("{s:s, s:s, s:[s,s,s,s,s,s,s,s,s,s,s,s]}", "service", "FlashKV", "version",
                          PACKAGE_VERSION, "endpoints", "/keys", "/lists/{key}", "/hashes/{key}",
                          "/sets/{key}", "/zsets/{key}", "/batch", "/export", "/import", "/upstash", "/stats",
                          "/healthz", "/openapi.json"));
}

static json_t *shard_json(const struct shard_stats *s) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:b}",
                     "keys", (json_int_t)s->keys, "volatile_keys", (json_int_t)s->volatile_keys, "bytes",
                     (json_int_t)s->bytes, "gets", (json_int_t)s->gets, "hits", (json_int_t)s->hits, "misses",
                     (json_int_t)s->misses, "sets", (json_int_t)s->sets, "deletes", (json_int_t)s->deletes,
                     "expired", (json_int_t)s->expired, "evicted", (json_int_t)s->evicted, "list_ops",
                     (json_int_t)s->list_ops, "read_locks", (json_int_t)s->read_locks, "write_locks",
                     (json_int_t)s->write_locks, "contended", (json_int_t)s->contended, "readers",
                     (int)s->readers, "writer_active", (int)s->writer);
}

static json_int_t load(const _Atomic uint64_t *counter) {
    return (json_int_t)atomic_load_explicit(counter, memory_order_relaxed);
}

static json_t *front_json(const struct front_stats *f) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "connections", load(&f->connections),
                     "accepted", load(&f->accepted), "refused", load(&f->refused), "requests",
                     load(&f->requests), "errors", load(&f->errors), "bytes_in", load(&f->bytes_in),
                     "bytes_out", load(&f->bytes_out), "output_overflows", load(&f->output_overflows));
}

static json_t *memory_json(const struct server *s) {
    const struct resources *r = &s->resources;

    return json_pack("{s:I, s:I, s:I, s:s, s:I, s:o, s:I, s:I, s:s}", "allocated",
                     (json_int_t)mem_allocated(), "resident", (json_int_t)mem_resident(), "resident_peak",
                     (json_int_t)mem_resident_peak(), "allocator", mem_allocator(), "machine",
                     (json_int_t)r->machine_memory, "limit",
                     r->limits.memory > 0 ? json_integer((json_int_t)r->limits.memory) : json_null(),
                     "maxmemory", load(&s->memory.max), "maxmemory_used", (json_int_t)server_memory_used(s),
                     "maxmemory_policy", atomic_load(&s->memory.policy)->name);
}

static json_t *cpu_json(const struct server *s) {
    const struct resources *r = &s->resources;

    return json_pack("{s:i, s:o, s:i, s:i}", "processors", (int)r->processors, "limit",
                     r->limits.cpu_millis > 0 ? json_real((double)r->limits.cpu_millis / 1e3) : json_null(),
                     "http_threads", (int)server_threads(s, s->options->http_threads), "resp_threads",
                     (int)server_threads(s, s->options->resp_threads));
}

char *json_stats(const struct server *s) {
    struct shard_stats total, shards[STORE_SHARDS];
    json_t *rows = json_array();

    store_stats(s->store, &total, shards);
    for (unsigned i = 0; i < STORE_SHARDS; i++)
        json_array_append_new(rows, shard_json(&shards[i]));
    return dump(json_pack(
        "{s:s, s:f, s:o, s:o, s:i, s:o, s:o, s:o, s:o}", "version", PACKAGE_VERSION, "uptime_seconds",
        (double)(clock_mono_ns() - s->started_mono_ns) / 1e9, "memory", memory_json(s), "cpu", cpu_json(s),
        "sweep_interval_ms", (int)(s->sweeper != NULL ? sweeper_interval_ms(s->sweeper) : 0), "http",
        front_json(&s->http), "resp", front_json(&s->resp), "total", shard_json(&total), "shards", rows));
}
