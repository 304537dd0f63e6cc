/* access.c - the log line of a request. */
#include "access.h"

#include <flashkv/clock.h>
#include <flashkv/mem.h>
#include <flashkv/net.h>

#include "routes.h"
#include "traffic.h"

void access_begin(struct request *r, const char *raw, const char *prefix) {
    size_t before = strlen(prefix), len = strlen(raw);

    if ((r->logged = mem_alloc(before + len + 1)) == NULL)
        return;
    memcpy(r->logged, prefix, before);
    memcpy(r->logged + before, raw, len + 1);
}

/* Empty if the header is absent, or if the request was orphaned: then there is no method, and the headers are freed. */
static struct slice header_of(struct request *r, const char *name) {
    const char *value =
        r->method.len > 0 ? MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name) : NULL;

    return value != NULL ? slice_str(value) : slice_of("", 0);
}

/* In Upstash's paths, everything after the command is an argument: a value, a password. */
static struct slice target_of(struct request *r) {
    if (r->logged == NULL)
        return slice_of("", 0);
    return slice_of(r->logged, access_target(r->logged, target_is_upstash(&r->target)));
}

void access_end(struct access_log *log, struct request *r, uint64_t ns) {
    const union MHD_ConnectionInfo *from =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char peer[56] = "";

    if (from != NULL && from->client_addr != NULL)
        net_address(from->client_addr, peer, sizeof(peer));
    access_log_add(log, &(struct access_line){
                            .wall_ms = clock_wall_ms(),
                            .peer = peer,
                            .user = r->user,
                            .method = r->method,
                            .target = target_of(r),
                            .route = r->route != NULL ? r->route->template : "none",
                            .http11 = r->http11,
                            .status = r->status != 0 ? r->status : TRAFFIC_LEFT,
                            .bytes = r->sent_bytes,
                            .ns = ns,
                            .referer = header_of(r, MHD_HTTP_HEADER_REFERER),
                            .agent = header_of(r, MHD_HTTP_HEADER_USER_AGENT),
                            .id = r->trace.id,
                            .trace = trace_parent_id(&r->trace),
                        });
}
