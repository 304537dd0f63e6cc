/* Fuzzes what RESP clients may send: the parser, then every command it finds, on a server without ports.
 *
 * The first byte of the input says where the rest is cut: the parser has to find the same commands in the pieces as
 * in the whole. Each piece is moved to memory of its own, so that AddressSanitizer sees a stale or long pointer. */
#include <flashkv/mem.h>
#include <flashkv/options.h>
#include <stdio.h>
#include <stdlib.h>

#include "resp/ahead.h"
#include "resp/parser.h"
#include "resp/writer.h"

enum { MAX_VALUE = 1 << 18, MAX_OUTPUT = 8 << 20, MAX_COMMANDS = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct parser_limits limits = {.max_args = 5000, .max_bulk = MAX_VALUE, .max_request = 1 << 20};
static struct options options;
static struct server server;
static struct session session;

static void require(bool ok, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void make_server(void) {
    static char program[] = "fuzz", *argv[] = {program, NULL}, *env[] = {NULL};
    struct store_config config = {.max_value = MAX_VALUE};

    if (server.store != NULL)
        return;
    require(options_load(&options, 1, argv, env) == OPTIONS_RUN, "options");
    options.max_value_bytes = MAX_VALUE;
    options.max_output_bytes = MAX_OUTPUT;
    server.options = &options;
    server.store = store_create(&config);
    server.pubsub = pubsub_create(server.store);
    require(server.store != NULL && server.pubsub != NULL, "store");
    notify_init(&server.notify, server.store, server.pubsub);
    feed_init(&server.feed, server.store, 1 << 20);
    server_init(&server);
    session.now_ms = 1700000000000;
    session_enter(&server.sessions, &session);
}

/* ---- what the parser finds ----------------------------------------------------------------------------------- */

struct found {
    uint64_t digest; /* of all arguments and their borders, and of the error */
    size_t commands;
    bool failed;
};

static void add(struct found *f, struct slice s) {
    f->digest = store_digest(slice_of(&f->digest, sizeof(f->digest))) ^ store_digest(s) ^ s.len;
}

static void add_command(struct found *f, const struct parser *p) {
    for (size_t i = 0; i < p->argc; i++)
        add(f, arg_slice(&p->argv[i]));
    f->digest += p->argc;
    f->commands += p->argc > 0;
}

/* Not those whose purpose is to take time. */
static bool runs(const struct parser *p) {
    return p->argc > 0 && !slice_caseeq(arg_slice(&p->argv[0]), SLICE_LIT("debug"));
}

static void run(const struct parser *p, struct outq *out) {
    struct writer w;

    writer_init(&w, &session.protocol, out);
    command_execute(&server, &session, p->argc, p->argv, &w.reply);
    require(out->overflow || outq_size(out) > 0, "no reply");
    outq_clear(out);
}

/* Bytes in memory of their own, as an owner of a parser has them. */
struct input {
    char *bytes;
    size_t len;
};

static void hold(struct input *in, const void *kept, size_t len, const uint8_t *more, size_t more_len) {
    char *fresh = malloc(len + more_len + (len + more_len == 0));

    require(fresh != NULL, "memory");
    if (len > 0)
        memcpy(fresh, kept, len);
    if (more_len > 0)
        memcpy(fresh + len, more, more_len);
    free(in->bytes);
    *in = (struct input){fresh, len + more_len};
}

/* The glance ahead sees what the parser then reads. */
static void check_glance(bool seen, struct slice name, enum parse_result r, const struct parser *p) {
    if (!seen || r == PARSE_ERROR)
        return;
    require(r == PARSE_DONE, "a glance saw what is not whole");
    require(slice_eq(name, p->argc > 1 ? arg_slice(&p->argv[1]) : slice_of("", 0)),
            "a glance saw another key");
}

/* Reads what there is; `out` NULL: runs nothing. */
static void read_all(struct parser *p, struct input *in, struct found *f, struct outq *out) {
    while (!f->failed) {
        struct slice name = slice_of("", 0);
        bool seen = p->at == 0 && ahead_names(in->bytes, in->len, &name, 1) > 0;
        enum parse_result r = parser_read(p, in->bytes, in->len);

        check_glance(seen, name, r, p);
        if (r == PARSE_MORE)
            break;
        if (r == PARSE_ERROR) {
            add(f, slice_str(p->error));
            f->failed = true;
            return;
        }
        require(p->at > 0 && p->at <= in->len, "a command of no bytes");
        add_command(f, p);
        if (out != NULL && runs(p))
            run(p, out);
        hold(in, in->bytes + p->at, in->len - p->at, NULL, 0);
        parser_next(p);
    }
    if (!f->failed)
        hold(in, in->bytes, parser_keeps(p, in->len), NULL, 0);
}

static struct found find(const uint8_t *data, size_t size, size_t step, struct outq *out) {
    struct found f = {0};
    struct input in = {0};
    struct parser p;

    parser_init(&p, &limits);
    for (size_t at = 0; at < size && !f.failed; at += step) {
        hold(&in, in.bytes, in.len, data + at, step < size - at ? step : size - at);
        read_all(&p, &in, &f, out);
    }
    free(in.bytes);
    parser_free(&p);
    return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct found whole, pieces;
    struct outq out;
    struct txn t;

    if (size < 2 || size > MAX_COMMANDS)
        return 0;
    make_server();
    outq_init(&out, MAX_OUTPUT);
    whole = find(data + 1, size - 1, size, &out);
    pieces = find(data + 1, size - 1, 1u + data[0], NULL);
    require(whole.digest == pieces.digest && whole.commands == pieces.commands, "other commands in pieces");
    outq_free(&out);
    txn_begin(&t, server.store, session.now_ms, 0, TXN_WRITE);
    store_flush(&t, NULL);
    txn_end(&t);
    return 0;
}
