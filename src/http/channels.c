/* channels.c - /publish, /subscribe and /psubscribe. */
#include "handlers.h"
#include "json.h"
#include "sse.h"

enum { NAMES_MAX = 1 + QUERY_MAX }; /* the one in the path and those in the query */

/* The {channel} or {pattern} of the path. */
static struct slice path_name(const struct request *r) {
    return r->target.segments[1];
}

enum MHD_Result http_publish(struct request *r) {
    struct arg argv[] = {arg_text("publish"), arg_of(path_name(r)), arg_body(r)};
    enum MHD_Result result;
    struct capture c;

    if (!ask(r, &c, &result, 3, argv))
        return result;
    result = respond_json(r, json_number("receivers", c.tokens[0].n));
    capture_free(&c);
    return result;
}

/* The command, the name in the path if it is of this kind, and those in the query. */
static struct words gather(const struct request *r, const char *command, bool path_too, const char *parameter,
                           struct arg argv[1 + NAMES_MAX]) {
    size_t argc = 0;

    argv[argc++] = arg_text(command);
    if (path_too)
        argv[argc++] = arg_of(path_name(r));
    for (unsigned i = 0; i < r->target.query_count; i++)
        if (slice_eq(r->target.query[i].name, slice_str(parameter)))
            argv[argc++] = arg_of(r->target.query[i].value);
    return (struct words){argc, argv};
}

static enum MHD_Result subscribe(struct request *r, bool to_pattern) {
    struct arg channels[1 + NAMES_MAX], patterns[1 + NAMES_MAX];
    struct words commands[] = {gather(r, "subscribe", !to_pattern, "channel", channels),
                               gather(r, "psubscribe", to_pattern, "pattern", patterns)};
    size_t count = 0;

    for (size_t i = 0; i < 2; i++)
        if (commands[i].argc > 1)
            commands[count++] = commands[i];
    return respond_events(r, SSE_JSON, commands, count);
}

enum MHD_Result http_subscribe(struct request *r) {
    return subscribe(r, false);
}

enum MHD_Result http_psubscribe(struct request *r) {
    return subscribe(r, true);
}
