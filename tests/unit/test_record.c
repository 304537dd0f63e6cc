/* The file format: what is written is read again, and nothing else is believed. */
#include <flashkv/mem.h>

#include "persist/record.h"
#include "unit.h"

enum { POSITION = 4711 };

static struct store *store;
static struct chain chain;
static char *flat;

static void setup(void) {
    struct store_config config = {.max_value = 1 << 20};

    store = store_create(&config);
    ck_assert_ptr_nonnull(store);
    chain = chain_make();
}

static void teardown(void) {
    mem_free(flat);
    flat = NULL;
    chain_free(&chain);
    store_destroy(store);
}

/* All of the chain's bytes, blobs included, in one run. */
static struct slice flatten(void) {
    struct chain_walk walk = {0};
    struct slice part;
    size_t len = 0;

    mem_free(flat);
    flat = mem_alloc(chain_len(&chain));
    while (chain_next(&chain, &walk, &part)) {
        memcpy(flat + len, part.ptr, part.len);
        len += part.len;
    }
    ck_assert_uint_eq(len, chain_len(&chain));
    return slice_of(flat, len);
}

static struct arg arg(const char *text) {
    return (struct arg){text, strlen(text), NULL};
}

static void put(enum record_framing framing, const struct record_command *m) {
    size_t begun = framing == FRAMES_SHORT ? record_put_frame(&chain, m->length) : record_begin_frame(&chain);

    record_put_command(&chain, m);
    if (framing == FRAMES_LONG)
        record_end_frame(&chain, begun);
}

static void put_frame(enum record_framing framing, const char *value, struct blob *blob) {
    struct arg argv[] = {arg("SET"), arg("k"), arg(value)};
    struct key k = {slice_str("k"), 42};
    struct record_command m;

    if (blob != NULL)
        argv[2] = (struct arg){blob->data, blob->len, blob};
    m = record_command(&k, 3, argv);
    put(framing, &m);
}

/* The words of a command that was read. */
static void check_words(const struct record_effect *e, size_t argc, const struct arg *argv) {
    struct record_reader body = record_read(e->body);

    ck_assert_int_eq(e->kind, EFFECT_COMMAND);
    ck_assert(record_check_effect(e));
    ck_assert_uint_eq(e->argc, argc);
    ck_assert(slice_eq(e->name, arg_slice(&argv[0])));
    for (size_t i = 1; i < argc; i++)
        ck_assert(slice_eq(record_get_bytes(&body), arg_slice(&argv[i])));
    ck_assert(!body.bad && body.at == body.end);
}

static void check_frame(struct slice payload, struct slice value) {
    struct arg argv[] = {arg("SET"), arg("k"), {value.ptr, value.len, NULL}};
    struct record_reader r = record_read(payload);
    struct record_effect e;

    ck_assert(record_next_effect(&r, &e));
    ck_assert(!e.hashed && slice_eq(e.key, SLICE_LIT("k")));
    check_words(&e, 3, argv);
    ck_assert(!record_next_effect(&r, &e) && !r.bad);
}

static const enum record_framing framings[] = {FRAMES_SHORT, FRAMES_LONG};

/* Frames with a blob between, under it and over it. */
START_TEST(frames) {
    enum record_framing framing = framings[_i];
    struct blob *b = blob_new(100000, 100000);
    struct slice all, payload, values[] = {SLICE_LIT("v"), {NULL, 0}, SLICE_LIT(""), {NULL, 0}};
    uint64_t at = 0;

    memset(b->data, 'b', b->len);
    values[1] = values[3] = blob_slice(b);
    put_frame(framing, "v", NULL);
    put_frame(framing, "", b);
    put_frame(framing, "", NULL);
    put_frame(framing, "", b);
    record_seal(&chain, framing, POSITION);
    all = flatten();
    for (size_t i = 0; i < 4; i++) {
        struct slice rest = slice_of(all.ptr + at, all.len - at), found;

        ck_assert_int_eq(record_get_frame(rest, framing, POSITION + at, &payload), RECORD_OK);
        ck_assert_int_eq(record_find_frame(rest, framing, &found), RECORD_OK);
        ck_assert(found.ptr == payload.ptr && found.len == payload.len);
        check_frame(payload, values[i]);
        at = (uint64_t)(payload.ptr + payload.len - all.ptr);
    }
    ck_assert_uint_eq(at, all.len);
    blob_unref(b);
}
END_TEST

START_TEST(every_flipped_bit_is_found) {
    enum record_framing framing = framings[_i];
    struct slice all, payload;

    put_frame(framing, "value", NULL);
    record_seal(&chain, framing, POSITION);
    all = flatten();
    for (size_t bit = 0; bit < 8 * all.len; bit++) {
        flat[bit / 8] ^= (char)(1 << bit % 8);
        ck_assert_int_ne(record_get_frame(all, framing, POSITION, &payload), RECORD_OK);
        flat[bit / 8] ^= (char)(1 << bit % 8);
    }
    ck_assert_int_eq(record_get_frame(all, framing, POSITION, &payload), RECORD_OK);
    ck_assert_int_eq(record_get_frame(all, framing, POSITION + 1, &payload), RECORD_DAMAGED);
    ck_assert_int_eq(record_get_frame(all, framing, POSITION + (UINT64_C(1) << 32), &payload),
                     RECORD_DAMAGED);
    for (size_t len = 0; len < all.len; len++)
        ck_assert_int_eq(record_get_frame(slice_of(flat, len), framing, POSITION, &payload), RECORD_SHORT);
}
END_TEST

/* A length of more than 64 bits, and zeros, which a file that was made longer consists of. */
START_TEST(lengths_that_are_none) {
    char bytes[32] = {0};
    struct slice payload;

    ck_assert_int_eq(record_get_frame(slice_of(bytes, sizeof(bytes)), FRAMES_SHORT, 0, &payload),
                     RECORD_DAMAGED);
    memset(bytes, 0xff, sizeof(bytes));
    ck_assert_int_eq(record_get_frame(slice_of(bytes, sizeof(bytes)), FRAMES_SHORT, 0, &payload),
                     RECORD_DAMAGED);
    ck_assert_int_eq(record_get_frame(slice_of(bytes, 7), FRAMES_SHORT, 0, &payload), RECORD_SHORT);
}
END_TEST

/* ---- commands --------------------------------------------------------------------------------------------------- */

enum { WORDS = 5 };
static const struct {
    const char *words[WORDS];
    bool elsewhere;  /* its key is not the second word */
    size_t overhead; /* what the frame takes beside its words, but for the first one where that is a verb */
} commands[] = {
    {{"SET", "key", "value"}, false, 8},
    {{"SET", "key", "value", "XX"}, false, 11},
    {{"DEL", "key"}, false, 7},
    {{"DEL", "key", "key2"}, false, 10},
    {{"INCR", "key"}, false, 7},
    {{"INCRBY", "key", "-1"}, false, 8},
    {{"PEXPIREAT", "key", "1700000000000"}, false, 8},
    {{"HSET", "key", "field", ""}, false, 9},
    {{"HDEL", "key", "field"}, false, 8},
    {{"LPUSH", "key", "element"}, false, 8},
    {{"RPUSH", "key", "element"}, false, 8},
    {{"SADD", "key", "member"}, false, 8},
    {{"SREM", "key", "member"}, false, 8},
    {{"ZADD", "key", "1", "member"}, false, 9},
    {{"SETX", "key", "value"}, false, 10},
    {{"APPEND", "key", "value"}, false, 10},
    {{"OBJECT", "what", "key"}, true, 26},
    {{"FLUSHALL"}, true, 24},
};

static struct record_command command(size_t i, struct arg argv[WORDS], struct key *k) {
    size_t argc = 0;

    for (; argc < WORDS && commands[i].words[argc] != NULL; argc++)
        argv[argc] = arg(commands[i].words[argc]);
    *k = (struct key){argc > 1 ? arg_slice(&argv[1]) : SLICE_LIT(""), 42};
    if (commands[i].elsewhere)
        k->name = SLICE_LIT("key");
    return record_command(k, argc, argv);
}

START_TEST(a_command_comes_back) {
    struct arg argv[WORDS];
    struct key k;
    struct record_command m = command((size_t)_i, argv, &k);
    struct slice all, payload;
    struct record_reader r;
    struct record_effect e;
    size_t len = 0;

    put(FRAMES_SHORT, &m);
    record_seal(&chain, FRAMES_SHORT, POSITION);
    all = flatten();
    ck_assert_int_eq(record_get_frame(all, FRAMES_SHORT, POSITION, &payload), RECORD_OK);
    r = record_read(payload);
    ck_assert(record_next_effect(&r, &e));
    ck_assert(e.hashed == commands[_i].elsewhere);
    ck_assert(e.hashed ? e.hash == 42 : slice_eq(e.key, k.name));
    check_words(&e, m.argc, argv);
    ck_assert(!record_next_effect(&r, &e) && !r.bad);
    for (size_t i = m.first; i < m.argc; i++)
        len += argv[i].len;
    ck_assert_uint_eq(all.len, len + commands[_i].overhead);
}
END_TEST

/* Any case of a name is the verb: the same bytes. */
START_TEST(verbs_in_any_case) {
    struct arg argv[] = {arg("sEt"), arg("k"), arg("v")};
    struct key k = {arg_slice(&argv[1]), 42};
    struct record_command m = record_command(&k, 3, argv);

    ck_assert_uint_eq(m.first, 1);
    ck_assert_uint_eq(m.length, 5);
    argv[0] = arg("s\x05t");
    m = record_command(&k, 3, argv);
    ck_assert_uint_eq(m.first, 0);
}
END_TEST

static bool put_quick(const struct record_command *m) {
    return record_put_quick(&chain, POSITION, m->key, m->argc, m->argv);
}

static struct slice quick(const struct record_command *m) {
    chain_clear(&chain, SIZE_MAX);
    ck_assert(put_quick(m));
    return flatten();
}

static void check_quick(const struct record_command *m) {
    char *slow;
    struct slice all;

    chain_clear(&chain, SIZE_MAX);
    record_seal_last(&chain, (put(FRAMES_SHORT, m), 0), POSITION);
    all = flatten();
    slow = flat;
    flat = NULL;
    ck_assert(slice_eq(quick(m), slice_of(slow, all.len)));
    mem_free(slow);
}

/* One pass writes what several do, whatever the lengths. */
START_TEST(quick_frames_are_the_same) {
    static char bytes[CHAIN_COPIED_MAX];
    static const size_t lengths[] = {127, 128, 2047, 8000, 8183};
    struct arg argv[WORDS];
    struct key k;
    struct record_command m = command(0, argv, &k);

    if (!put_quick(&m))
        return; /* not this processor */
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7);
    for (size_t i = 0; !commands[i].elsewhere; i++) {
        m = command(i, argv, &k);
        check_quick(&m);
    }
    for (size_t key = 0; key < 20; key++)
        for (size_t value = 0; value < 150; value++) {
            struct arg words[] = {arg("SET"), {bytes + 1, key, NULL}, {bytes + 3, value, NULL}};

            k.name = arg_slice(&words[1]);
            m = record_command(&k, 3, words);
            check_quick(&m);
        }
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        struct arg words[] = {arg("APPEND"), {bytes, lengths[i], NULL}, {bytes + 1, lengths[i], NULL}};

        k.name = arg_slice(&words[1]);
        m = record_command(&k, 3, words);
        check_quick(&m);
    }
}
END_TEST

START_TEST(not_quick) {
    struct blob *b = blob_new(100000, 100000);
    struct arg argv[] = {arg("SET"), arg("k"), {b->data, 20000, b}};
    struct key k = {arg_slice(&argv[1]), 42}, other = {SLICE_LIT("key"), 42};
    struct record_command m = record_command(&k, 3, argv);

    ck_assert(!put_quick(&m));
    m = record_command(&other, 2, argv);
    ck_assert(m.kind == EFFECT_COMMAND && !put_quick(&m));
    argv[2] = (struct arg){b->data, b->len, NULL};
    m = record_command(&k, 3, argv);
    ck_assert(!put_quick(&m));
    ck_assert_uint_eq(chain_len(&chain), 0);
    blob_unref(b);
}
END_TEST

/* What no writer makes: kinds that are none, a command without a key, or with fewer words than it says. */
START_TEST(effects_that_are_none) {
    static const struct slice bad[] = {
        SLICE_LIT("\x00"),     SLICE_LIT("\x05"),           SLICE_LIT("\x0f"),
        SLICE_LIT("\xff"),     SLICE_LIT("\x1c\x01k\x01v"), SLICE_LIT("\x04\x01\x03GET"),
        SLICE_LIT("\x04\x00"), SLICE_LIT("\x10\x01k"),      SLICE_LIT("\x04\xff\xff\xff\xff\x7f\x01k"),
    };
    struct record_reader r = record_read(bad[_i]);
    struct record_effect e;

    ck_assert(!record_next_effect(&r, &e) && r.bad);
}
END_TEST
enum { BAD_EFFECTS = 9, COMMANDS = sizeof(commands) / sizeof(*commands) };

START_TEST(headers) {
    struct record_header h = {.secret_id = 7,
                              .position = POSITION,
                              .created_ms = 1700000000000,
                              .renewed = true},
                         got;
    char bytes[RECORD_HEADER];

    record_put_header(bytes, RECORD_LOG, &h);
    ck_assert_int_eq(record_get_header(slice_of(bytes, sizeof(bytes)), RECORD_LOG, &got), RECORD_OK);
    ck_assert(got.secret_id == 7 && got.position == POSITION && got.created_ms == h.created_ms &&
              got.renewed);
    ck_assert_int_eq(record_get_header(slice_of(bytes, sizeof(bytes)), RECORD_SNAPSHOT, &got),
                     RECORD_DAMAGED);
    ck_assert_int_eq(record_get_header(slice_of(bytes, sizeof(bytes) - 1), RECORD_LOG, &got), RECORD_SHORT);
    bytes[20] ^= 1;
    ck_assert_int_eq(record_get_header(slice_of(bytes, sizeof(bytes)), RECORD_LOG, &got), RECORD_DAMAGED);
    bytes[8]++;
    ck_assert_int_eq(record_get_header(slice_of(bytes, sizeof(bytes)), RECORD_LOG, &got), RECORD_NEWER);
}
END_TEST

/* ---- entries ---------------------------------------------------------------------------------------------------- */

static struct key begin(struct txn *t, const char *name) {
    struct key k = store_key(store, slice_str(name));

    txn_begin(t, store, 1000, TXN_ALL_SHARDS, TXN_WRITE);
    return k;
}

static struct record_entry written(struct txn *t, const struct key *k, struct record_reader *r) {
    struct record_entry e;

    record_put_entry(&chain, k->name, store_peek(t, k));
    txn_end(t);
    *r = record_read(flatten());
    ck_assert(record_next_entry(r, &e));
    ck_assert(slice_eq(e.key, k->name));
    return e;
}

START_TEST(strings) {
    struct string_value v = {SLICE_LIT("bytes"), NULL, 5000, SLICE_LIT("text/plain")};
    struct record_reader r;
    struct record_entry e;
    struct txn t;
    struct key k = begin(&t, "s");

    ck_assert_int_eq(store_set_string(&t, &k, &v), STORE_OK);
    e = written(&t, &k, &r);
    ck_assert(!e.gone && e.type == TYPE_STRING && e.expire_at == 5000);
    ck_assert(slice_eq(e.string, v.bytes) && slice_eq(e.content_type, v.content_type));
    ck_assert(!record_next_entry(&r, &e) && !r.bad);
}
END_TEST

START_TEST(gone) {
    struct record_reader r;
    struct record_entry e;
    struct txn t;
    struct key k = begin(&t, "s");

    e = written(&t, &k, &r);
    ck_assert(e.gone);
    ck_assert(!record_next_entry(&r, &e) && !r.bad);
}
END_TEST

START_TEST(lists) {
    struct record_reader r;
    struct record_entry e;
    struct object *o;
    struct txn t;
    struct key k = begin(&t, "l");

    ck_assert_int_eq(store_edit_object(&t, &k, TYPE_LIST, true, &o), STORE_OK);
    ck_assert(list_push((struct list *)o, LIST_TAIL, SLICE_LIT("one")));
    ck_assert(list_push((struct list *)o, LIST_TAIL, SLICE_LIT("")));
    store_object_done(&t, &k);
    e = written(&t, &k, &r);
    ck_assert(e.type == TYPE_LIST && e.items == 2 && e.expire_at == NO_EXPIRY);
    ck_assert(slice_eq(record_get_bytes(&r), SLICE_LIT("one")));
    ck_assert_uint_eq(record_get_bytes(&r).len, 0);
    ck_assert(!r.bad && r.at == r.end);
}
END_TEST

START_TEST(hashes) {
    struct record_reader r;
    struct record_entry e;
    struct object *o;
    struct txn t;
    struct key k = begin(&t, "h");

    ck_assert_int_eq(store_edit_object(&t, &k, TYPE_HASH, true, &o), STORE_OK);
    hash_set((struct hash *)o, SLICE_LIT("field"), SLICE_LIT("value"), HASH_ALL);
    store_object_done(&t, &k);
    e = written(&t, &k, &r);
    ck_assert(e.type == TYPE_HASH && e.items == 1);
    ck_assert(slice_eq(record_get_bytes(&r), SLICE_LIT("field")));
    ck_assert(slice_eq(record_get_bytes(&r), SLICE_LIT("value")));
    ck_assert(!r.bad && r.at == r.end);
}
END_TEST

START_TEST(sets) {
    struct record_reader r;
    struct record_entry e;
    struct object *o;
    struct txn t;
    struct key k = begin(&t, "z");

    ck_assert_int_eq(store_edit_object(&t, &k, TYPE_SET, true, &o), STORE_OK);
    set_add((struct set *)o, SLICE_LIT("-12"));
    store_object_done(&t, &k);
    e = written(&t, &k, &r);
    ck_assert(e.type == TYPE_SET && e.items == 1);
    ck_assert(slice_eq(record_get_bytes(&r), SLICE_LIT("-12")));
    ck_assert(!r.bad && r.at == r.end);
}
END_TEST

Suite *test_suite(void) {
    Suite *s = suite_create("record");
    TCase *tc = tcase_create("record");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, frames, 0, 2);
    tcase_add_loop_test(tc, every_flipped_bit_is_found, 0, 2);
    tcase_add_test(tc, lengths_that_are_none);
    tcase_add_loop_test(tc, a_command_comes_back, 0, COMMANDS);
    tcase_add_test(tc, verbs_in_any_case);
    tcase_add_test(tc, quick_frames_are_the_same);
    tcase_add_test(tc, not_quick);
    tcase_add_loop_test(tc, effects_that_are_none, 0, BAD_EFFECTS);
    tcase_add_test(tc, headers);
    tcase_add_test(tc, strings);
    tcase_add_test(tc, gone);
    tcase_add_test(tc, lists);
    tcase_add_test(tc, hashes);
    tcase_add_test(tc, sets);
    suite_add_tcase(s, tc);
    return s;
}
