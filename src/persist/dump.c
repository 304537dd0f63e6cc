/* dump.c - writes the keys as commands, for redis-cli --pipe.
 *
 * A collection is encoded as a record and read back, so that this file handles items, not the types' own interfaces. */
#include <flashkv/num.h>
#include <stdio.h>

#include "persist_impl.h"

enum { PAGE = 256, ITEMS = 100 /* of a collection in one command */ };

struct dump {
    FILE *out;
    struct chain chain;
    int64_t now_ms;
};

/* ---- commands ----------------------------------------------------------------------------------------------------- */

static void begin(struct dump *d, uint64_t words) {
    fprintf(d->out, "*%llu\r\n", (unsigned long long)words);
}

static void word(struct dump *d, struct slice s) {
    fprintf(d->out, "$%zu\r\n", s.len);
    fwrite(s.ptr, 1, s.len, d->out);
    fputs("\r\n", d->out);
}

static void dump_string(struct dump *d, const struct entry *e) {
    begin(d, 3);
    word(d, SLICE_LIT("SET"));
    word(d, entry_key(e));
    word(d, entry_string(e));
}

static const char *verb_of(enum value_type type) {
    switch (type) {
    case TYPE_STRING:
        break;
    case TYPE_LIST:
        return "RPUSH";
    case TYPE_HASH:
        return "HSET";
    case TYPE_SET:
        return "SADD";
    case TYPE_ZSET:
        return "ZADD";
    }
    return "SET";
}

/* Appends an item as arguments of HSET and the like; expiries of fields follow in dump_field_expiries. */
static void dump_item(struct dump *d, const struct record_entry *head, struct record_reader *r) {
    unsigned count = record_item_parts(head);
    struct slice parts[3];
    char digits[NUM_DOUBLE_MAX];
    double score;

    for (unsigned i = 0; i < count; i++)
        parts[i] = record_get_bytes(r);
    if (head->type == TYPE_ZSET) { /* the score comes first */
        memcpy(&score, parts[1].ptr, sizeof(score));
        word(d, slice_of(digits, num_format_double(score, digits)));
        word(d, parts[0]);
        return;
    }
    for (unsigned i = 0; i < count - head->expiring_fields; i++)
        word(d, parts[i]);
}

static void dump_items(struct dump *d, const struct record_entry *head, struct record_reader *r) {
    unsigned words = record_item_parts(head) - head->expiring_fields;

    for (uint64_t left = head->items; left > 0;) {
        uint64_t n = left < ITEMS ? left : ITEMS;

        begin(d, 2 + n * words);
        word(d, slice_str(verb_of(head->type)));
        word(d, head->key);
        for (left -= n; n > 0; n--)
            dump_item(d, head, r);
    }
}

static void dump_field_expiries(struct dump *d, const struct record_entry *head, struct record_reader *r) {
    char digits[NUM_I64_MAX];

    for (uint64_t i = 0; i < head->items; i++) {
        struct slice field = record_get_bytes(r), value = record_get_bytes(r), at = record_get_bytes(r);
        int64_t expire_at;

        (void)value;
        memcpy(&expire_at, at.ptr, sizeof(expire_at));
        if (expire_at == NO_EXPIRY)
            continue;
        begin(d, 6);
        word(d, SLICE_LIT("HPEXPIREAT"));
        word(d, head->key);
        word(d, slice_of(digits, num_format_i64(expire_at, digits)));
        word(d, SLICE_LIT("FIELDS"));
        word(d, SLICE_LIT("1"));
        word(d, field);
    }
}

static void dump_collection(struct dump *d, const struct entry *e) {
    struct record_reader items, expiries;
    struct record_entry head;

    chain_clear(&d->chain, SIZE_MAX);
    record_put_entry(&d->chain, entry_key(e), e);
    items = record_read(buf_slice(&d->chain.bytes));
    if (!record_next_entry(&items, &head))
        return;
    expiries = items;
    dump_items(d, &head, &items);
    if (head.expiring_fields)
        dump_field_expiries(d, &head, &expiries);
}

static void dump_expiry(struct dump *d, const struct entry *e) {
    char digits[NUM_I64_MAX];

    begin(d, 3);
    word(d, SLICE_LIT("PEXPIREAT"));
    word(d, entry_key(e));
    word(d, slice_of(digits, num_format_i64(entry_expire_at(e), digits)));
}

static void dump_entry(void *ctx, const struct entry *e) {
    struct dump *d = ctx;

    if (entry_expire_at(e) != NO_EXPIRY && entry_expire_at(e) <= d->now_ms)
        return;
    if (entry_type(e) == TYPE_STRING)
        dump_string(d, e);
    else
        dump_collection(d, e);
    if (entry_expire_at(e) != NO_EXPIRY)
        dump_expiry(d, e);
}

/* ---- all keys ------------------------------------------------------------------------------------------------------- */

bool persist_dump(struct persist *p, int64_t now_ms) {
    struct dump d = {.out = stdout, .chain = chain_make(), .now_ms = now_ms};
    struct txn t;

    for (unsigned shard = 0; shard < STORE_SHARDS; shard++) {
        uint64_t from = 0;

        txn_begin(&t, p->store, 0, UINT64_C(1) << shard, TXN_READ);
        do
            from = store_walk(&t, shard, from, PAGE, dump_entry, &d);
        while (from != 0);
        txn_end(&t);
    }
    chain_free(&d.chain);
    return fflush(d.out) == 0 && !ferror(d.out);
}
