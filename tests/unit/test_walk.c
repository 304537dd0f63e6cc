/* KEYS over many keys: how many turns it takes, what is delivered, what becomes of it when it ends before its time. */
#include "command/walk.h"

#include <stdio.h>
#include <stdlib.h>

#include "commands.h"

enum { KEYS = 10000, TURN = 4000 };

/* A client of whose replies only so much is kept. */
static struct client {
    struct session session; /* first */
    unsigned wakes, closes, replies, parts;
    size_t names;   /* bulk strings */
    int64_t length; /* of the array before them, or -1 */
    char error[128];
} client;

/* ---- a front end that encodes a bulk string as "b", an array's length and errors as they are ------------------------- */

struct brief {
    struct reply reply; /* first */
    struct buf text;
};

static void on_bulk(struct reply *r, struct slice bytes) {
    (void)bytes;
    buf_append(&((struct brief *)r)->text, "b", 1);
}

static void on_error(struct reply *r, struct slice text) {
    buf_printf(&((struct brief *)r)->text, "-%.*s", (int)text.len, text.ptr);
}

static void on_aggregate(struct reply *r, enum reply_aggregate kind, size_t n) {
    ck_assert_int_eq(kind, REPLY_ARRAY);
    buf_printf(&((struct brief *)r)->text, "*%zu", n);
}

static const struct reply_ops brief_ops = {.bulk = on_bulk, .error = on_error, .aggregate = on_aggregate};

static size_t encodings_left = SIZE_MAX; /* then there is no memory for another */

static struct blob *encode(const struct server *srv, unsigned protocol,
                           void (*say)(struct reply *r, const void *ctx), const void *ctx) {
    struct brief b = {.reply = {.ops = &brief_ops}, .text = buf_make(1 << 20)};
    struct blob *bytes;

    (void)srv;
    ck_assert_uint_eq(protocol, 3);
    if (encodings_left == 0)
        return NULL;
    encodings_left -= encodings_left < SIZE_MAX;
    say(&b.reply, ctx);
    bytes = blob_copy(buf_slice(&b.text));
    buf_free(&b.text);
    return bytes;
}

static void deliver(struct session *s, struct blob *bytes, enum delivery what) {
    (void)s;
    (void)bytes;
    client.wakes += what == DELIVER_WAKE;
    client.closes += what == DELIVER_CLOSE;
    ck_assert_int_ne(what, DELIVER_REPLY);
}

static void take_part(struct slice part) {
    char text[sizeof(client.error)]; /* a part does not end with a NUL */

    snprintf(text, sizeof(text), "%.*s", (int)part.len, part.ptr);
    if (*text == '*')
        client.length = strtoll(text + 1, NULL, 10);
    else if (*text == '-')
        memcpy(client.error, text, sizeof(text));
    else
        client.names += part.len;
}

static void deliver_parts(struct session *s, struct blob *const *parts, size_t count) {
    (void)s;
    client.replies++;
    client.parts += (unsigned)count;
    for (size_t i = 0; i < count; i++)
        take_part(slice_of(parts[i]->data, parts[i]->len));
}

static const struct session_ops ops = {.encode = encode, .deliver = deliver, .deliver_parts = deliver_parts};

/* ---- the fixture --------------------------------------------------------------------------------------------- */

static void setup(void) {
    char name[16];

    commands_setup();
    for (int i = 0; i < KEYS; i++) {
        struct slice words[] = {
            SLICE_LIT("set"), {name, (size_t)snprintf(name, sizeof(name), "k%04d", i)}, SLICE_LIT("v")};

        run_args(3, words);
    }
    client = (struct client){.session = {.now_ms = session.now_ms, .protocol = 3, .ops = &ops}, .length = -1};
    session_enter(&server.sessions, &client.session);
}

static void teardown(void) {
    encodings_left = SIZE_MAX;
    session_end(&server, &client.session);
    commands_teardown();
}

/* KEYS of the client, up to the end of its first turn; what is replied at once is a part as well. */
static void begin(const char *pattern) {
    struct brief b = {.reply = {.ops = &brief_ops}, .text = buf_make(1 << 20)};
    struct arg argv[] = {{"keys", 4, NULL}, {pattern, strlen(pattern), NULL}};

    client.wakes = client.closes = client.replies = client.parts = 0;
    client.names = 0;
    client.length = -1;
    client.error[0] = '\0';
    command_execute(&server, &client.session, 2, argv, &b.reply);
    if (b.text.len > 0 && *b.text.data == '*')
        client.names = b.text.len - strcspn(b.text.data, "b");
    else if (b.text.len > 0)
        take_part(buf_slice(&b.text));
    buf_free(&b.text);
}

/* Its thread comes around until nothing wakes it any more. Returns how often. */
static unsigned finish(void) {
    unsigned turns = 0;

    for (; client.wakes > 0; turns++) {
        client.wakes--;
        session_woken(&server, &client.session);
    }
    if (client.replies > 0)
        session_resume(&client.session);
    return turns;
}

/* ---- tests --------------------------------------------------------------------------------------------------- */

START_TEST(test_turns) {
    begin("*");
    ck_assert(client.session.blocked && client.session.postponed);
    ck_assert_uint_eq(client.names, 0);
    ck_assert_uint_eq(finish(), KEYS / TURN);
    ck_assert_uint_eq(client.replies, 1);
    ck_assert_int_eq(client.length, KEYS);
    ck_assert_uint_eq(client.names, KEYS);
    ck_assert(!client.session.blocked && !client.session.postponed);
    ck_assert_uint_eq(server.blocked_clients, 0);

    begin("k*7");
    finish();
    ck_assert_int_eq(client.length, KEYS / 10);
    ck_assert_uint_eq(client.names, KEYS / 10);

    begin("none");
    finish();
    ck_assert_int_eq(client.length, 0);
    ck_assert_uint_eq(client.parts, 1);
}
END_TEST

/* Few keys, and a transaction, are done at once. */
START_TEST(test_at_once) {
    char expected[32];

    snprintf(expected, sizeof(expected), "(integer) %d", KEYS);
    check_line("dbsize", expected);
    check_line("multi", "OK");
    check_line("keys k0001", "QUEUED");
    check_line("exec", "[[\"k0001\"]]");
    check_line("flushall", "OK");
    check_line("set a b", "OK");
    begin("*");
    ck_assert_uint_eq(client.names, 1);
    ck_assert_uint_eq(client.wakes, 0);
}
END_TEST

/* What wakes it besides only makes it come around once more. */
START_TEST(test_woken_by_others) {
    begin("*");
    client.wakes += 5;
    finish();
    ck_assert_uint_eq(client.replies, 1);
    ck_assert_uint_eq(client.names, KEYS);
}
END_TEST

START_TEST(test_goes_away) {
    begin("*");
    session_woken(&server, &client.session);
    command_forget(&server, &client.session);
    ck_assert(client.session.walk == NULL && !client.session.postponed && !client.session.blocked);
    session_woken(&server, &client.session);
    ck_assert_uint_eq(client.replies, 0);
}
END_TEST

START_TEST(test_too_large) {
    options.max_output_bytes = 70000; /* more than a turn finds, less than all */
    begin("*");
    ck_assert_uint_gt(client.wakes, 0);
    finish();
    ck_assert_str_eq(client.error, "-ERR the reply would be larger than max-output-bytes, use SCAN");
    ck_assert_uint_eq(client.names, 0);
}
END_TEST

/* Whichever part there is no memory for, what comes is the whole reply, an error, or the end of the connection. */
START_TEST(test_no_memory) {
    unsigned ends = 0, whole = 0;

    for (size_t n = 0; whole == 0; n++) {
        encodings_left = n;
        begin("*");
        finish();
        encodings_left = SIZE_MAX;
        ends += client.closes;
        whole += client.names == KEYS;
        ck_assert_uint_eq((client.error[0] != '\0') + client.closes + (client.names == KEYS), 1);
        command_forget(&server, &client.session);
    }
    ck_assert_uint_gt(ends, 0);
}
END_TEST

Suite *test_suite(void) {
    Suite *suite = suite_create("walk");
    TCase *tc = tcase_create("walk");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_turns);
    tcase_add_test(tc, test_at_once);
    tcase_add_test(tc, test_woken_by_others);
    tcase_add_test(tc, test_goes_away);
    tcase_add_test(tc, test_too_large);
    tcase_add_test(tc, test_no_memory);
    suite_add_tcase(suite, tc);
    return suite;
}
