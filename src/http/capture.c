/* capture.c - storing a reply. */
#include "capture.h"

#include <flashkv/mem.h>
#include <stdio.h>

static bool tokens_grow(struct capture *c, size_t cap) {
    struct token *tokens = mem_alloc(cap * sizeof(*tokens));

    if (tokens == NULL)
        return false;
    memcpy(tokens, c->tokens, c->count * sizeof(*tokens));
    if (c->tokens != c->room)
        mem_free(c->tokens);
    c->tokens = tokens;
    c->cap = cap;
    return true;
}

/* Room for `len` more bytes; allocated once the inline room is used up. */
static bool bytes_grow(struct capture *c, size_t len) {
    struct buf *b = &c->bytes, larger = buf_make(b->max);

    if (b->data != c->bytes_room)
        return buf_reserve(b, len);
    if (!buf_reserve(&larger, b->len + len))
        return false;
    memcpy(larger.data, b->data, b->len);
    larger.len = b->len;
    *b = larger;
    return true;
}

bool capture_reserve(struct capture *c, size_t tokens, size_t bytes) {
    return (tokens <= c->cap - c->count || tokens_grow(c, c->count + tokens)) &&
           (bytes <= c->bytes.cap - c->bytes.len || bytes_grow(c, bytes));
}

/* A reply's memory is not taken from the command's reserve (mem.h). */
static bool room(struct capture *c, size_t tokens, size_t bytes) {
    bool paused = mem_reserve_pause(true), made = true;

    if (c->count + tokens > c->cap)
        made = tokens_grow(c, 2 * c->cap);
    if (made && bytes > c->bytes.cap - c->bytes.len)
        made = bytes_grow(c, bytes);
    mem_reserve_pause(paused);
    c->overflow |= !made;
    return made;
}

static struct token *add(struct reply *r, enum token_kind kind) {
    struct capture *c = (struct capture *)r;

    if (c->count == c->cap && !room(c, 1, 0))
        return NULL;
    c->tokens[c->count] = (struct token){.kind = kind};
    return &c->tokens[c->count++];
}

static void on_bulk(struct reply *r, struct slice bytes) {
    struct capture *c = (struct capture *)r;
    size_t at = c->bytes.len;
    struct token *t;

    if (bytes.len > c->bytes.cap - at && !room(c, 0, bytes.len))
        return;
    (void)buf_append_slice(&c->bytes, bytes); /* there is room for it */
    t = add(r, TOKEN_STRING);
    if (t != NULL) {
        t->at = at;
        t->len = bytes.len;
    }
}

static void on_error(struct reply *r, struct slice text) {
    struct capture *c = (struct capture *)r;

    snprintf(c->error, sizeof(c->error), "%.*s", (int)text.len, text.ptr);
}

static void on_integer(struct reply *r, int64_t n) {
    struct token *t = add(r, TOKEN_INTEGER);

    if (t != NULL)
        t->n = n;
}

static void on_blob(struct reply *r, struct blob *b) {
    struct capture *c = (struct capture *)r;
    struct token *t = add(r, TOKEN_BLOB);

    if (t != NULL) {
        t->blob = blob_ref(b);
        c->blobs = true;
    }
}

static void on_null(struct reply *r) {
    add(r, TOKEN_NULL);
}

static void on_aggregate(struct reply *r, enum reply_aggregate kind, size_t n) {
    struct token *t = add(r, TOKEN_AGGREGATE);

    if (t != NULL)
        t->n = (int64_t)(kind == REPLY_MAP ? 2 * n : n);
}

/* For tokens that are overwritten: sets only the fields of their kind. */
static inline void put_number(struct token *t, enum token_kind kind, int64_t n) {
    t->kind = kind;
    t->n = n;
}

static inline void put_string(struct token *t, size_t at, size_t len) {
    t->kind = TOKEN_STRING;
    t->at = at;
    t->len = len;
}

/* The fast path for rest.get: the tokens that its reply would become. */
static bool on_stored(struct reply *r, const struct reply_stored *s) {
    struct capture *c = (struct capture *)r;
    struct token *t = c->tokens;
    char *bytes = c->bytes.data;
    size_t value = s->value.len, type = s->content_type.len;

    if (c->count > 0 || value + type > BYTES_INLINE)
        return false;
    if (value > 0)
        memcpy(bytes, s->value.ptr, value);
    if (type > 0)
        memcpy(bytes + value, s->content_type.ptr, type);
    put_number(&t[0], TOKEN_AGGREGATE, 4);
    put_string(&t[1], 0, value);
    put_number(&t[2], TOKEN_INTEGER, s->type);
    put_number(&t[3], TOKEN_INTEGER, s->expire_at);
    put_string(&t[4], value, type);
    c->count = 5;
    c->bytes.len = value + type;
    return true;
}

static const struct reply_ops capture_ops = {
    .status = on_bulk,
    .error = on_error,
    .integer = on_integer,
    .bulk = on_bulk,
    .blob = on_blob,
    .null = on_null,
    .null_array = on_null,
    .aggregate = on_aggregate,
    .real = reply_real_as_bulk,
    .boolean = reply_boolean_as_integer,
    .verbatim = on_bulk,
    .stored = on_stored,
};

void capture_init(struct capture *c, size_t max) {
    c->reply = (struct reply){.ops = &capture_ops};
    c->tokens = c->room;
    c->count = 0;
    c->cap = TOKENS_INLINE;
    c->bytes = (struct buf){c->bytes_room, 0, sizeof(c->bytes_room), max};
    c->overflow = c->blobs = false;
    c->error[0] = '\0';
}

void capture_release(struct capture *c) {
    for (size_t i = 0; c->blobs && i < c->count; i++)
        if (c->tokens[i].kind == TOKEN_BLOB)
            blob_unref(c->tokens[i].blob);
    if (c->tokens != c->room)
        mem_free(c->tokens);
    if (c->bytes.data != c->bytes_room)
        buf_free(&c->bytes);
}

void capture_shift(struct capture *c) {
    c->count--;
    memmove(c->tokens, c->tokens + 1, c->count * sizeof(*c->tokens));
}
