/* reload_key.c - encodes a key as in a snapshot and decodes it again: DEBUG RELOAD. */
#include <flashkv/mem.h>

#include "chain.h"
#include "load.h"

/* The bytes of a chain as one allocation, the caller's. ptr NULL: no memory. */
static struct slice flatten(const struct chain *c) {
    char *bytes = c->failed ? NULL : mem_alloc(chain_len(c)), *at = bytes;
    struct chain_walk w = {0};
    struct slice part;

    while (bytes != NULL && chain_next(c, &w, &part))
        at = (char *)mempcpy(at, part.ptr, part.len);
    return slice_of(bytes, (size_t)(at - bytes));
}

bool persist_reload_key(struct txn *t, const struct key *k) {
    const struct entry *e = store_peek(t, k);
    struct chain c = chain_make();
    struct record_reader r;
    struct record_entry read;
    struct slice bytes;
    bool ok;

    if (e == NULL)
        return true;
    record_put_entry(&c, k->name, e);
    bytes = flatten(&c);
    chain_free(&c);
    r = record_read(bytes);
    ok = bytes.ptr != NULL && record_next_entry(&r, &read) && load_entry(t, &read, &r);
    mem_free((char *)bytes.ptr);
    return ok;
}
