/* main.c - wires the layers, waits for a signal, takes them apart in reverse order. No logic. */
#include <config.h>
#include <flashkv/clock.h>
#include <flashkv/http.h>
#include <flashkv/log.h>
#include <flashkv/resp.h>
#include <stdio.h>

#include "process.h"

extern char **environ;

enum { EXIT_CANNOT_START = 1, EXIT_BAD_OPTION = 2, WHY_MAX = 512 };

/* Fills the context. False: no memory. */
static bool open_store(struct server *srv, const struct options *o) {
    struct store_config config = {.max_value = o->max_value_bytes};

    srv->options = o;
    srv->started_wall_ms = clock_wall_ms();
    srv->started_mono_ns = clock_mono_ns();
    process_run_id(srv->run_id);
    server_init(srv);
    srv->store = store_create(&config);
    return srv->store != NULL && (srv->pubsub = pubsub_create(srv->store)) != NULL &&
           (srv->sweeper = sweeper_start(srv->store)) != NULL;
}

static void close_store(struct server *srv) {
    sweeper_stop(srv->sweeper);
    pubsub_destroy(srv->pubsub);
    store_destroy(srv->store);
    server_destroy(srv);
}

/* Both ports open until a signal; false: one could not be opened. */
static bool serve(struct server *srv) {
    char why[WHY_MAX];
    struct resp *resp = resp_start(srv, why, sizeof(why));
    struct http *http = resp != NULL ? http_start(srv, why, sizeof(why)) : NULL;

    if (http != NULL) {
        atomic_store(&srv->ready, true);
        log_info("ready: http on %s:%u, resp on %s:%u, version %s", srv->options->bind, srv->http_port,
                 srv->options->bind, srv->resp_port, PACKAGE_VERSION);
        log_info("stopping: %s", process_await_signal());
        atomic_store(&srv->ready, false);
    } else {
        log_error("cannot listen on %s", why);
    }
    http_stop(http);
    resp_stop(resp);
    return http != NULL;
}

static int run(const struct options *o) {
    static struct server srv; /* large: not on the stack */
    int status = EXIT_CANNOT_START;

    log_setup((enum log_level)o->log_level, (enum log_format)o->log_format);
    options_warn_unknown(environ);
    process_setup(o);
    if (!open_store(&srv, o))
        log_error("out of memory");
    else if (serve(&srv))
        status = 0;
    close_store(&srv);
    if (status == 0)
        log_info("stopped");
    return status;
}

int main(int argc, char *argv[]) {
    struct options o;
    int status = 0;

    switch (options_load(&o, argc, argv, environ)) {
    case OPTIONS_DONE:
        return 0;
    case OPTIONS_BAD:
        return EXIT_BAD_OPTION;
    case OPTIONS_CHECK:
        status = process_check(&o);
        break;
    case OPTIONS_RUN:
        status = run(&o);
        break;
    }
    options_free(&o);
    return status;
}
