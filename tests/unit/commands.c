/* commands.c - the recording reply sink and the server it runs on. */
#include "commands.h"

#include <ctype.h>
#include <flashkv/num.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_WORDS = 64, MAX_LINE = 4096, MAX_DEPTH = 16, START_MS = 1700000000 };

struct options options;
struct server server;
struct session session;
struct session *speaker;

/* ---- the sink ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *open, *close;
} brackets[] = {[REPLY_ARRAY] = {"[", "]"},
                [REPLY_MAP] = {"{", "}"},
                [REPLY_SET] = {"~[", "]"},
                [REPLY_PUSH] = {">[", "]"}};

static struct recorder {
    struct reply reply;
    struct buf text;
    size_t values; /* whole replies */
    size_t blobs;
    size_t depth;
    struct level {
        enum reply_aggregate kind;
        size_t members, done;
    } levels[MAX_DEPTH];
} recorder;

static void put(const char *text) {
    ck_assert(buf_append_slice(&recorder.text, slice_str(text)));
}

static void put_quoted(struct slice s) {
    put("\"");
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        ck_assert(buf_printf(&recorder.text,
                             c == '"' || c == '\\' ? "\\%c"
                             : isprint(c)          ? "%c"
                                                   : "\\x%02x",
                             c));
    }
    put("\"");
}

static void begin_value(void) {
    const struct level *l = &recorder.levels[recorder.depth > 0 ? recorder.depth - 1 : 0];

    if (recorder.depth > 0 && l->done > 0)
        put(l->kind == REPLY_MAP && l->done % 2 == 1 ? ": " : ", ");
}

/* The last member closes its aggregate, which may be the last member of another. */
static void end_value(void) {
    for (; recorder.depth > 0; recorder.depth--) {
        struct level *l = &recorder.levels[recorder.depth - 1];

        if (++l->done < l->members)
            return;
        put(brackets[l->kind].close);
    }
    recorder.values++;
}

static void record(const char *before, struct slice s) {
    begin_value();
    put(before);
    ck_assert(buf_append_slice(&recorder.text, s));
    end_value();
}

static void record_quoted(const char *before, struct slice s) {
    begin_value();
    put(before);
    put_quoted(s);
    end_value();
}

static void on_status(struct reply *r, struct slice text) {
    (void)r;
    record("", text);
}

static void on_error(struct reply *r, struct slice text) {
    ck_assert(r->failed);
    record("(error) ", text);
}

static void on_integer(struct reply *r, int64_t n) {
    char digits[32];
    int len = snprintf(digits, sizeof(digits), "%lld", (long long)n);

    (void)r;
    record("(integer) ", slice_of(digits, (size_t)len));
}

static void on_bulk(struct reply *r, struct slice s) {
    (void)r;
    record_quoted("", s);
}

static void on_blob(struct reply *r, struct blob *b) {
    (void)r;
    recorder.blobs++;
    record_quoted("", blob_slice(b));
}

static void on_verbatim(struct reply *r, struct slice s) {
    (void)r;
    record_quoted("txt:", s);
}

static void on_real(struct reply *r, double d) {
    char text[NUM_DOUBLE_MAX];

    (void)r;
    record("(double) ", slice_of(text, num_format_double(d, text)));
}

static void on_null(struct reply *r) {
    (void)r;
    record("", SLICE_LIT("(nil)"));
}

static void on_null_array(struct reply *r) {
    (void)r;
    record("", SLICE_LIT("(nil array)"));
}

static void on_aggregate(struct reply *r, enum reply_aggregate kind, size_t n) {
    (void)r;
    begin_value();
    put(brackets[kind].open);
    if (n == 0) {
        put(brackets[kind].close);
        end_value();
        return;
    }
    ck_assert_uint_lt(recorder.depth, MAX_DEPTH);
    recorder.levels[recorder.depth++] = (struct level){kind, kind == REPLY_MAP ? 2 * n : n, 0};
}

static const struct reply_ops recorder_ops = {
    .status = on_status,
    .error = on_error,
    .integer = on_integer,
    .bulk = on_bulk,
    .blob = on_blob,
    .null = on_null,
    .null_array = on_null_array,
    .aggregate = on_aggregate,
    .real = on_real,
    .verbatim = on_verbatim,
};

size_t reply_blobs(void) {
    return recorder.blobs;
}

/* ---- running a command --------------------------------------------------------------------------------------- */

const char *run_argv(const struct command *cmd, size_t argc, const struct arg *argv) {
    recorder.reply = (struct reply){.ops = &recorder_ops};
    recorder.text.len = recorder.values = recorder.blobs = recorder.depth = 0;
    if (cmd != NULL)
        command_run(&server, speaker, cmd, argc, argv, &recorder.reply);
    else
        command_execute(&server, speaker, argc, argv, &recorder.reply);
    ck_assert_uint_eq(recorder.depth, 0);
    ck_assert_uint_eq(recorder.values, 1);
    ck_assert(buf_append(&recorder.text, "", 1));
    return recorder.text.data;
}

static const char *run_words(const struct command *cmd, size_t argc, const struct slice *words) {
    struct arg *argv = calloc(argc, sizeof(*argv));
    const char *reply;

    ck_assert_ptr_nonnull(argv);
    for (size_t i = 0; i < argc; i++)
        argv[i] = (struct arg){words[i].ptr, words[i].len, NULL};
    reply = run_argv(cmd, argc, argv);
    free(argv);
    return reply;
}

const char *run_args(size_t argc, const struct slice *words) {
    return run_words(NULL, argc, words);
}

/* The byte that the escape behind a backslash at *at stands for; *at moves to its last character. */
static char unescape(const char **at) {
    char hex[3] = "";

    switch (*++*at) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 'x':
        hex[0] = *++*at;
        hex[1] = *++*at;
        return (char)strtoul(hex, NULL, 16);
    default:
        return **at;
    }
}

/* Splits a line; the bytes go to `room`. */
static size_t split(const char *line, struct slice *words, char *room) {
    size_t n = 0;
    bool quoted = false;

    ck_assert_uint_lt(strlen(line), MAX_LINE);
    while (*line != '\0') {
        char *start = room;

        for (; *line != '\0' && (quoted || *line != ' '); line++) {
            if (*line == '"')
                quoted = !quoted;
            else
                *room++ = *line == '\\' ? unescape(&line) : *line;
        }
        ck_assert_uint_lt(n, MAX_WORDS);
        words[n++] = slice_of(start, (size_t)(room - start));
        line += *line == ' ';
    }
    return n;
}

const char *run_row(const struct command *cmd, const char *line) {
    struct slice words[MAX_WORDS];
    char room[MAX_LINE];

    return run_words(cmd, split(line, words, room), words);
}

const char *run_line(const char *line) {
    return run_row(NULL, line);
}

void check_steps(const struct step *steps, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *reply = run_line(steps[i].line);

        ck_assert_msg(strcmp(reply, steps[i].reply) == 0, "step %zu, %s: %s, expected %s", i, steps[i].line,
                      reply, steps[i].reply);
    }
}

/* ---- the fixture --------------------------------------------------------------------------------------------- */

void commands_setup(void) {
    static char program[] = "test", *argv[] = {program, NULL}, *env[] = {NULL};
    struct store_config config = {.max_value = MAX_VALUE_BYTES};

    ck_assert_int_eq(options_load(&options, 1, argv, env), OPTIONS_RUN);
    options.max_value_bytes = MAX_VALUE_BYTES;
    options.debug_command = DEBUG_YES; /* the session has no address that could be of this machine */
    server = (struct server){.options = &options, .store = store_create(&config)};
    ck_assert_ptr_nonnull(server.store);
    server_init(&server);
    server.pubsub = pubsub_create(server.store);
    ck_assert_ptr_nonnull(server.pubsub);
    notify_init(&server.notify, server.store, server.pubsub);
    feed_init(&server.feed, server.store, 1 << 20);
    session = (struct session){.now_ms = (int64_t)START_MS * 1000, .protocol = 2};
    session_enter(&server.sessions, &session);
    speaker = &session;
    recorder.text = buf_make(64 << 20);
    ck_assert(
        buf_reserve(&recorder.text, 1 << 16)); /* for tests in which no allocation succeeds (failing_mem.h) */
}

void commands_teardown(void) {
    session_end(&server, &session);
    pubsub_destroy(server.pubsub);
    server_destroy(&server);
    store_destroy(server.store);
    options_free(&options);
    buf_free(&recorder.text);
}
