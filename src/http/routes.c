/* routes.c - the route table, and what is derived from it: 404, 405 with Allow, unknown parameters. */
#include "routes.h"

#include <flashkv/hints.h>
#include <stdio.h>

#include "handlers.h"

/* The rows of a path are adjacent; the most frequent paths come first. */
const struct route route_table[] = {
    {"GET", "/keys/{key}", "getKey", http_get_key, BODY_NONE, "wait", ACCESS_AUTH},
    {"PUT", "/keys/{key}", "putKey", http_put_key, BODY_RAW, "ttl ttl_ms nx xx keepttl", ACCESS_AUTH},
    {"DELETE", "/keys/{key}", "deleteKey", http_delete_key, BODY_NONE, "", ACCESS_AUTH},
    {"GET", "/keys", "listKeys", http_list_keys, BODY_NONE, "prefix match cursor limit", ACCESS_AUTH},
    {"POST", "/keys/{key}/incr", "incrKey", http_incr_key, BODY_NONE, "by", ACCESS_AUTH},
    {"POST", "/keys/{key}/append", "appendKey", http_append_key, BODY_RAW, "", ACCESS_AUTH},
    {"POST", "/keys/{key}/expire", "expireKey", http_expire_key, BODY_NONE, "ttl ttl_ms", ACCESS_AUTH},
    {"POST", "/keys/{key}/persist", "persistKey", http_persist_key, BODY_NONE, "", ACCESS_AUTH},
    {"GET", "/lists/{key}", "getList", http_get_list, BODY_NONE, "start stop", ACCESS_AUTH},
    {"POST", "/lists/{key}", "pushList", http_push_list, BODY_RAW, "end encoding", ACCESS_AUTH},
    {"DELETE", "/lists/{key}", "deleteList", http_delete_list, BODY_NONE, "", ACCESS_AUTH},
    {"POST", "/lists/{key}/pop", "popList", http_pop_list, BODY_NONE, "end count", ACCESS_AUTH},
    {"POST", "/lists/{key}/trim", "trimList", http_trim_list, BODY_NONE, "start stop", ACCESS_AUTH},
    {"PUT", "/lists/{key}/{index}", "setListItem", http_set_list_item, BODY_RAW, "", ACCESS_AUTH},
    {"GET", "/hashes/{key}", "getHash", http_get_hash, BODY_NONE, "cursor limit", ACCESS_AUTH},
    {"POST", "/hashes/{key}", "setHashFields", http_set_hash_fields, BODY_RAW, "encoding", ACCESS_AUTH},
    {"DELETE", "/hashes/{key}", "deleteHash", http_delete_hash, BODY_NONE, "", ACCESS_AUTH},
    {"GET", "/hashes/{key}/{field}", "getHashField", http_get_hash_field, BODY_NONE, "", ACCESS_AUTH},
    {"PUT", "/hashes/{key}/{field}", "putHashField", http_put_hash_field, BODY_RAW, "", ACCESS_AUTH},
    {"DELETE", "/hashes/{key}/{field}", "deleteHashField", http_delete_hash_field, BODY_NONE, "",
     ACCESS_AUTH},
    {"GET", "/sets/{key}", "getSet", http_get_set, BODY_NONE, "cursor limit", ACCESS_AUTH},
    {"POST", "/sets/{key}", "addSetMembers", http_add_set_members, BODY_RAW, "encoding", ACCESS_AUTH},
    {"DELETE", "/sets/{key}", "deleteSet", http_delete_set, BODY_NONE, "", ACCESS_AUTH},
    {"GET", "/sets/{key}/{member}", "hasSetMember", http_has_set_member, BODY_NONE, "", ACCESS_AUTH},
    {"PUT", "/sets/{key}/{member}", "putSetMember", http_put_set_member, BODY_NONE, "", ACCESS_AUTH},
    {"DELETE", "/sets/{key}/{member}", "deleteSetMember", http_delete_set_member, BODY_NONE, "", ACCESS_AUTH},
    {"GET", "/zsets/{key}", "getZset", http_get_zset, BODY_NONE, "start stop reverse", ACCESS_AUTH},
    {"POST", "/zsets/{key}", "addZsetMembers", http_add_zset_members, BODY_RAW, "encoding", ACCESS_AUTH},
    {"DELETE", "/zsets/{key}", "deleteZset", http_delete_zset, BODY_NONE, "", ACCESS_AUTH},
    {"GET", "/zsets/{key}/{member}", "getZsetMember", http_get_zset_member, BODY_NONE, "", ACCESS_AUTH},
    {"PUT", "/zsets/{key}/{member}", "putZsetMember", http_put_zset_member, BODY_RAW, "", ACCESS_AUTH},
    {"DELETE", "/zsets/{key}/{member}", "deleteZsetMember", http_delete_zset_member, BODY_NONE, "",
     ACCESS_AUTH},
    {"POST", "/batch", "batch", http_batch, BODY_STREAM, "results atomic", ACCESS_AUTH},
    {"GET", "/export", "exportKeys", http_export, BODY_NONE, "prefix match cursor", ACCESS_AUTH},
    {"POST", "/import", "importKeys", http_import, BODY_STREAM, "on-conflict", ACCESS_AUTH},
    {"GET", "/watch", "watchKeys", http_watch, BODY_NONE, "prefix match value since", ACCESS_AUTH},
    {"POST", "/publish/{channel}", "publishMessage", http_publish, BODY_RAW, "", ACCESS_AUTH},
    {"GET", "/subscribe/{channel}", "subscribeChannel", http_subscribe, BODY_NONE, "channel* pattern*",
     ACCESS_AUTH},
    {"GET", "/psubscribe/{pattern}", "subscribePattern", http_psubscribe, BODY_NONE, "channel* pattern*",
     ACCESS_AUTH},
    {"POST", "/upstash", "upstashCommand", http_upstash_command, BODY_OPTIONAL, "*", ACCESS_AUTH},
    {"POST", "/upstash/pipeline", "upstashPipeline", http_upstash_pipeline, BODY_OPTIONAL, "*", ACCESS_AUTH},
    {"POST", "/upstash/multi-exec", "upstashTransaction", http_upstash_transaction, BODY_OPTIONAL, "*",
     ACCESS_AUTH},
    {"GET", "/upstash/{command}", "upstashGetCommand", http_upstash_path, BODY_NONE, "*", ACCESS_AUTH},
    {"POST", "/upstash/{command}", "upstashPostCommand", http_upstash_path, BODY_OPTIONAL, "*", ACCESS_AUTH},
    {"PUT", "/upstash/{command}", "upstashPutCommand", http_upstash_path, BODY_OPTIONAL, "*", ACCESS_AUTH},
    {"GET", "/upstash/{command}/{args}", "upstashGetPath", http_upstash_path, BODY_NONE, "*", ACCESS_AUTH},
    {"POST", "/upstash/{command}/{args}", "upstashPostPath", http_upstash_path, BODY_OPTIONAL, "*",
     ACCESS_AUTH},
    {"PUT", "/upstash/{command}/{args}", "upstashPutPath", http_upstash_path, BODY_OPTIONAL, "*",
     ACCESS_AUTH},
    {"GET", "/", "getRoot", http_get_root, BODY_NONE, "", ACCESS_AUTH},
    {"GET", "/healthz", "getHealth", http_get_health, BODY_NONE, "", ACCESS_OPEN},
    {"GET", "/readyz", "getReady", http_get_ready, BODY_NONE, "", ACCESS_OPEN},
    {"GET", "/openapi.json", "getOpenapi", http_get_openapi, BODY_NONE, "", ACCESS_AUTH},
    {"GET", "/ui", "getConsole", http_get_console, BODY_NONE, "", ACCESS_PAGE},
    {"GET", "/ui/{file}", "getConsoleFile", http_get_console_file, BODY_NONE, "", ACCESS_PAGE},
    {"GET", "/docs", "getDocs", http_get_docs, BODY_NONE, "", ACCESS_OPEN},
    {"GET", "/docs/{file}", "getDocsFile", http_get_docs_file, BODY_NONE, "", ACCESS_OPEN},
    {"GET", "/metrics", "getMetrics", http_get_metrics, BODY_NONE, "", ACCESS_ADMIN},
    {"GET", "/stats", "getStats", http_get_stats, BODY_NONE, "", ACCESS_ADMIN},
    {"POST", "/admin/snapshot", "startSnapshot", http_start_snapshot, BODY_NONE, "", ACCESS_ADMIN},
    {"POST", "/stats/reset", "resetStats", http_reset_stats, BODY_NONE, "", ACCESS_ADMIN},
};
const size_t route_count = sizeof(route_table) / sizeof(*route_table);

static bool takes_any_depth(const char *template) {
    static const char args[] = "/{args}";
    size_t len = strlen(template);

    return len >= sizeof(args) && strcmp(template + len - (sizeof(args) - 1), args) == 0;
}

/* Compared without a call, since every request compares several short texts. */
static inline bool is_text(struct slice s, const char *text) {
    for (size_t i = 0; i < s.len; i++)
        if (text[i] == '\0' || text[i] != s.ptr[i])
            return false;
    return text[s.len] == '\0';
}

/* What follows the first segment of the template, if that matches: "/..." or "". NULL: it does not. */
static inline const char *behind_segment(const char *at, struct slice segment) {
    if (*at == '{') {
        while (*at != '/' && *at != '\0')
            at++;
        return at;
    }
    if (*at == '\0')
        return NULL;
    for (size_t i = 0; i < segment.len; i++, at++)
        if (*at == '\0' || *at != segment.ptr[i])
            return NULL;
    return *at == '/' || *at == '\0' ? at : NULL;
}

/* Compared segment by segment, so that a slash inside a segment does not divide it. */
static bool path_matches(const char *template, const struct target *t) {
    const char *at = template + 1;

    if (t->too_deep && !takes_any_depth(template))
        return false;
    for (unsigned i = 0; i < t->segment_count; i++) {
        if ((at = behind_segment(at, t->segments[i])) == NULL)
            return false;
        if (*at == '/')
            at++;
        else if (i + 1 < t->segment_count)
            return false;
    }
    return *at == '\0';
}

static bool is_hidden(const struct request *r, const struct route *row) {
    return r->public_port && (row->access == ACCESS_PAGE || row->access == ACCESS_ADMIN);
}

/* Where a word and a parameter both match, the word's row comes first in the table. */
static NOINLINE const struct route *route_in_table(const struct request *r) {
    for (size_t i = 0; i < route_count; i++)
        if (path_matches(route_table[i].template, &r->target))
            return is_hidden(r, &route_table[i]) ? NULL : &route_table[i];
    return NULL;
}

const struct route *route_of_path(const struct request *r) {
    if (r->target.segment_count == 2 && slice_eq(r->target.segments[0], SLICE_LIT("keys")))
        return &route_table[0]; /* the fast path of the most frequent */
    return route_in_table(r);
}

static bool same_path(const struct route *a, const struct route *b) {
    return a == b || (b < route_table + route_count && strcmp(a->template, b->template) == 0);
}

unsigned route_find(struct request *r) {
    const struct route *first = route_of_path(r);
    struct slice method = slice_eq(r->method, SLICE_LIT("HEAD")) ? SLICE_LIT("GET") : r->method;

    if (first == NULL)
        return 404;
    for (const struct route *row = first; same_path(first, row); row++)
        if (is_text(method, row->method)) {
            r->route = row;
            return 200;
        }
    return 405;
}

bool target_is_upstash(const struct target *t) {
    return t->segment_count > 0 && slice_eq(t->segments[0], SLICE_LIT("upstash"));
}

void routes_allow(const struct request *r, char *out, size_t cap) {
    const struct route *first = route_of_path(r);
    struct buf allow = buf_make(cap - 1);

    for (const struct route *row = first; first != NULL && same_path(first, row); row++)
        buf_printf(&allow, "%s%s", row->method, strcmp(row->method, "GET") == 0 ? ", HEAD, " : ", ");
    snprintf(out, cap, "%.*s%s", (int)allow.len, allow.data != NULL ? allow.data : "",
             first != NULL ? "OPTIONS" : "GET, HEAD, PUT, POST, DELETE, OPTIONS");
    buf_free(&allow);
}

/* Is the word among `words`, and may it be repeated? */
static bool word_among(const char *words, struct slice word, bool *repeats) {
    while (*words != '\0') {
        size_t len = strcspn(words, " ");

        *repeats = words[len - 1] == '*';
        if (slice_eq(slice_of(words, len - *repeats), word))
            return true;
        words += len + (words[len] == ' ');
    }
    return false;
}

static NOINLINE const struct pair *bad_of_query(const struct request *r) {
    const struct target *t = &r->target;
    bool repeats;

    if (r->route->parameters[0] == '*')
        return NULL;
    for (unsigned i = 0; i < t->query_count; i++) {
        if (!word_among(r->route->parameters, t->query[i].name, &repeats))
            return &t->query[i];
        for (unsigned k = 0; k < i && !repeats; k++)
            if (slice_eq(t->query[k].name, t->query[i].name))
                return &t->query[i];
    }
    return NULL;
}

const struct pair *route_bad_parameter(const struct request *r) {
    return r->target.query_count > 0 ? bad_of_query(r) : NULL;
}
