/* service.c - routes about the service itself. */
#include "conditions.h"
#include "embedded.h"
#include "handlers.h"
#include "json.h"
#include "respond.h"

static const char page[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
    "content=\"width=device-width\">"
    "<title>FlashKV</title><style>:root{color-scheme:light dark}body{font:16px/1.5 "
    "system-ui,sans-serif;max-width:44em;"
    "margin:3em auto;padding:0 1em}pre{background:#8882;padding:1em;overflow:auto;border-radius:6px}</style>"
    "<h1>FlashKV</h1><p>A key-value service: REST here, the Redis protocol on another port, the same keys "
    "behind both.</p>"
    "<pre>curl -X PUT --data-binary 'hello' http://localhost:8080/keys/greeting\n"
    "curl http://localhost:8080/keys/greeting\nredis-cli get greeting</pre>"
    "<p><a href=\"/docs\">interface</a> &middot; <a href=\"/ui\">console</a> &middot; <a "
    "href=\"/stats\">statistics</a> &middot; "
    "<a href=\"/keys\">keys</a> &middot; <a href=\"/healthz\">health</a></p></html>\n";

enum MHD_Result http_get_root(struct request *r) {
    if (accepts_type(r->headers.accept, SLICE_LIT("text/html")))
        return respond_static(r, "text/html; charset=utf-8", slice_str(page));
    return respond_json(r, json_about());
}

enum MHD_Result http_get_health(struct request *r) {
    return respond_static(r, "application/json", SLICE_LIT("{\"status\":\"ok\"}"));
}

enum MHD_Result http_get_ready(struct request *r) {
    if (!atomic_load(&r->server->ready))
        return respond_problem(r, 503, "starting or stopping");
    return respond_static(r, "application/json", SLICE_LIT("{\"status\":\"ready\"}"));
}

enum MHD_Result http_get_openapi(struct request *r) {
    return respond_static(r, "application/json", slice_of(openapi_json, openapi_json_len));
}

enum MHD_Result http_get_stats(struct request *r) {
    return respond_json(r, json_stats(r->server));
}

enum MHD_Result http_reset_stats(struct request *r) {
    server_stats_reset(r->server);
    return respond_empty(r, 204);
}

enum MHD_Result http_start_snapshot(struct request *r) {
    struct arg argv[] = {arg_text("bgsave")};
    enum MHD_Result result;
    struct capture c;

    if (!ask(r, &c, &result, 1, argv))
        return result;
    capture_free(&c);
    return respond_empty(r, 202);
}
