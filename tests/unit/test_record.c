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

static void put_frame(const char *value, struct blob *blob) {
    struct arg argv[] = {arg("SET"), arg("k"), arg(value)};
    size_t begun = record_begin_frame(&chain);

    if (blob != NULL)
        argv[2] = (struct arg){blob->data, blob->len, blob};
    record_put_command(&chain, 42, 3, argv);
    record_end_frame(&chain, begun);
}

static void check_frame(struct slice payload, struct slice value) {
    struct record_reader r = record_read(payload), body;
    struct record_effect e;

    ck_assert(record_next_effect(&r, &e));
    ck_assert_int_eq(e.kind, EFFECT_COMMAND);
    ck_assert_uint_eq(e.hash, 42);
    body = record_read(e.body);
    ck_assert_uint_eq(record_get_count(&body), 3);
    ck_assert(slice_eq(record_get_bytes(&body), SLICE_LIT("SET")));
    ck_assert(slice_eq(record_get_bytes(&body), SLICE_LIT("k")));
    ck_assert(slice_eq(record_get_bytes(&body), value));
    ck_assert(!body.bad && body.at == body.end);
    ck_assert(!record_next_effect(&r, &e) && !r.bad);
}

/* Frames with a blob between, under it and over it. */
START_TEST(frames) {
    struct blob *b = blob_new(100000, 100000);
    struct slice all, payload, values[] = {SLICE_LIT("v"), {NULL, 0}, SLICE_LIT(""), {NULL, 0}};
    uint64_t at = 0;

    memset(b->data, 'b', b->len);
    values[1] = values[3] = blob_slice(b);
    put_frame("v", NULL);
    put_frame("", b);
    put_frame("", NULL);
    put_frame("", b);
    record_seal(&chain, POSITION);
    all = flatten();
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(record_get_frame(slice_of(all.ptr + at, all.len - at), POSITION + at, &payload),
                         RECORD_OK);
        check_frame(payload, values[i]);
        at += RECORD_FRAME + payload.len;
    }
    ck_assert_uint_eq(at, all.len);
    blob_unref(b);
}
END_TEST

START_TEST(every_flipped_bit_is_found) {
    struct slice all, payload;

    put_frame("value", NULL);
    record_seal(&chain, POSITION);
    all = flatten();
    for (size_t bit = 0; bit < 8 * all.len; bit++) {
        flat[bit / 8] ^= (char)(1 << bit % 8);
        ck_assert_int_ne(record_get_frame(all, POSITION, &payload), RECORD_OK);
        flat[bit / 8] ^= (char)(1 << bit % 8);
    }
    ck_assert_int_eq(record_get_frame(all, POSITION, &payload), RECORD_OK);
    ck_assert_int_eq(record_get_frame(all, POSITION + 1, &payload), RECORD_DAMAGED);
    for (size_t len = 0; len < all.len; len++)
        ck_assert_int_eq(record_get_frame(slice_of(flat, len), POSITION, &payload), RECORD_SHORT);
}
END_TEST

START_TEST(headers) {
    struct record_header h = {7, POSITION, 1700000000000, true}, got;
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
    tcase_add_test(tc, frames);
    tcase_add_test(tc, every_flipped_bit_is_found);
    tcase_add_test(tc, headers);
    tcase_add_test(tc, strings);
    tcase_add_test(tc, gone);
    tcase_add_test(tc, lists);
    tcase_add_test(tc, hashes);
    tcase_add_test(tc, sets);
    suite_add_tcase(s, tc);
    return s;
}
