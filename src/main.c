/* main.c - wires the layers, waits for a signal, takes them apart in reverse order. No logic. */
#include <config.h>
#include <flashkv/clock.h>
#include <flashkv/command.h>
#include <flashkv/http.h>
#include <flashkv/log.h>
#include <flashkv/resp.h>
#include <stdio.h>

#include "process.h"
#include "security.h"

extern char **environ;

enum { EXIT_CANNOT_START = 1, EXIT_BAD_OPTION = 2, WHY_MAX = 512 };

/* Opens the data directory, if there is to be one: made, or there already. False: said why. */
static bool open_data(struct server *srv, struct options *o, bool must_exist) {
    struct persist_config config = {.dir = o->data_dir,
                                    .must_exist = must_exist,
                                    .fsync = (enum fsync_mode)o->fsync,
                                    .buffer_max = o->log_buffer,
                                    .snapshot_bytes = o->snapshot_bytes,
                                    .snapshot_ms = o->snapshot_seconds * 1000};
    char why[WHY_MAX];

    if (*o->data_dir == '\0')
        return true;
    srv->persist = persist_open(&config, why, sizeof(why));
    if (srv->persist == NULL)
        log_error("%s", why);
    return srv->persist != NULL;
}

/* Fills the context. False: no memory. */
static bool open_store(struct server *srv, struct options *o) {
    struct store_config config = {.max_value = o->max_value_bytes};

    srv->options = o;
    srv->started_wall_ms = clock_wall_ms();
    srv->started_mono_ns = clock_mono_ns();
    process_run_id(srv->run_id);
    server_init(srv);
    if (srv->persist != NULL)
        config.secret = persist_secret(srv->persist);
    srv->store = store_create(&config);
    if (srv->store != NULL && srv->persist != NULL)
        persist_attach(srv->persist, srv->store);
    srv->pubsub = srv->store != NULL ? pubsub_create(srv->store) : NULL;
    if (srv->pubsub != NULL)
        notify_init(&srv->notify, srv->store, srv->pubsub);
    if (srv->store != NULL)
        feed_init(&srv->feed, srv->store, o->watch_history);
    return srv->pubsub != NULL && config_start(srv);
}

static void close_store(struct server *srv) {
    sweeper_stop(srv->sweeper);
    persist_stop(srv->persist);
    feed_destroy(&srv->feed);
    pubsub_destroy(srv->pubsub);
    store_destroy(srv->store);
    persist_close(srv->persist);
    server_destroy(srv);
}

/* Brings the keys back, and logs what happens to them from now on. False: said why. */
static bool load(struct server *srv) {
    char why[WHY_MAX];

    if (srv->persist != NULL) {
        if (!persist_load(srv->persist, srv->resources.threads, command_restore, srv, why, sizeof(why)) ||
            !persist_start(srv->persist, why, sizeof(why))) {
            log_error("%s", why);
            return false;
        }
        atomic_store(&srv->journal, persist_journal(srv->persist));
    }
    srv->sweeper = sweeper_start(srv->store, server_make_room, srv);
    if (srv->sweeper == NULL)
        log_error("out of memory");
    atomic_store(&srv->loading, false);
    return srv->sweeper != NULL;
}

struct running {
    struct server *server;
    struct http *http;
};

/* Now and then, and when the user `asks` by SIGHUP: new certificates are taken up, and files that were renamed opened anew. */
static void look_again(void *running, bool asks) {
    struct running *r = running;

    security_look(r->server, asks);
    if (asks)
        http_reopen_logs(r->http);
}

/* Both ports answer, though of no key, while the keys are loaded; then they serve until a signal. */
static bool load_and_serve(struct server *srv, struct http *http) {
    struct running running = {srv, http};

    if (!load(srv))
        return false;
    atomic_store(&srv->ready, true);
    log_info("ready: http on %s:%u, resp on %s:%u, version %s", srv->options->bind, srv->http_port,
             srv->options->bind, srv->resp_port, PACKAGE_VERSION);
    if (srv->options->admin_port > 0)
        log_info("ready: admin on %s:%u", srv->options->admin_bind, (unsigned)srv->options->admin_port);
    log_info("stopping: %s", process_await_signal(look_again, &running));
    atomic_store(&srv->ready, false);
    return true;
}

/* Both ports open until a signal; false: said what went wrong. */
static bool serve(struct server *srv) {
    char why[WHY_MAX];
    struct resp *resp;
    struct http *http;
    bool ok = false;

    process_log_resources(&srv->resources);
    atomic_store(&srv->loading, true);
    resp = resp_start(srv, why, sizeof(why));
    http = resp != NULL ? http_start(srv, why, sizeof(why)) : NULL;
    if (http != NULL)
        ok = load_and_serve(srv, http);
    else
        log_error("cannot listen on %s", why);
    http_stop(http);
    resp_stop(resp);
    return ok;
}

static int run(struct options *o) {
    static struct server srv; /* large: not on the stack */
    int status = EXIT_CANNOT_START;

    log_setup((enum log_level)o->log_level, (enum log_format)o->log_format);
    options_warn_unknown(environ);
    process_setup(o);
    if (!security_open(&srv, o, environ))
        return EXIT_BAD_OPTION;
    if (!open_data(&srv, o, false))
        return status;
    if (!open_store(&srv, o))
        log_error("out of memory");
    else if (serve(&srv))
        status = 0;
    close_store(&srv);
    security_close(&srv);
    if (status == 0)
        log_info("stopped");
    return status;
}

/* --dump-resp: the keys as commands, by loading them as a server would. */
static int dump(struct options *o) {
    static struct server srv;
    char why[WHY_MAX] = "out of memory";
    bool ok = false;

    log_setup(LOG_WARN, LOG_TEXT);
    if (!open_data(&srv, o, true))
        return EXIT_CANNOT_START;
    if (open_store(&srv, o) &&
        persist_load(srv.persist, srv.resources.threads, command_restore, &srv, why, sizeof(why)))
        ok = persist_dump(srv.persist, clock_wall_ms());
    else
        log_error("%s", why);
    close_store(&srv);
    return ok ? 0 : EXIT_CANNOT_START;
}

int main(int argc, char *argv[]) {
    struct options o;
    enum options_outcome outcome = options_load(&o, argc, argv, environ);
    int status = 0;

    switch (outcome) {
    case OPTIONS_DONE:
        return 0;
    case OPTIONS_BAD:
        return EXIT_BAD_OPTION;
    case OPTIONS_CHECK:
        status = process_check(&o);
        break;
    case OPTIONS_VERIFY:
    case OPTIONS_REPAIR:
        status = persist_verify(o.data_dir, outcome == OPTIONS_REPAIR);
        break;
    case OPTIONS_DUMP:
        status = dump(&o);
        break;
    case OPTIONS_RUN:
        status = run(&o);
        break;
    }
    options_free(&o);
    return status;
}
