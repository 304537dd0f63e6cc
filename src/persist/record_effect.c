/* record_effect.c - encodes and decodes effects, the content of the log's frames. */
#include "record_parts.h"

/* ---- verbs ------------------------------------------------------------------------------------------------------ */

/* Commands whose name and number of words are encoded in one byte: KIND_VERB plus the index here, which is part of the format:
 * new ones are appended. The second word is the key. */
static const struct verb {
    char name[12];
    unsigned char len, argc;
} verbs[] = {
    {"SET", 3, 3},  {"DEL", 3, 2},   {"INCR", 4, 2},  {"INCRBY", 6, 3}, {"PEXPIREAT", 9, 3}, {"HSET", 4, 4},
    {"HDEL", 4, 3}, {"LPUSH", 5, 3}, {"RPUSH", 5, 3}, {"SADD", 4, 3},   {"SREM", 4, 3},      {"ZADD", 4, 4},
};
enum { VERBS = sizeof(verbs) / sizeof(*verbs), LETTER = 0xdf /* clears the bit for lower case */ };

static inline bool is_verb(const struct verb *v, size_t argc, const struct arg *name) {
    if (v->argc != argc || v->len != name->len)
        return false;
    for (size_t i = 0; i < v->len; i++)
        if ((name->ptr[i] & LETTER) != v->name[i])
            return false;
    return true;
}

static inline size_t verb_of(size_t argc, const struct arg *name) {
    size_t i = 1;

    if (is_verb(&verbs[0], argc, name)) /* SET, most of what is logged: compared with constants */
        return 0;
    while (i < VERBS && !is_verb(&verbs[i], argc, name))
        i++;
    return i;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

enum { HASHED_HEAD = 17, HASHED_LENGTH_AT = 9 }; /* kind, hash, length */

static inline bool by_reference(const struct arg *a) {
    return !chain_copies(a->len) && a->blob != NULL;
}

static inline bool has_its_key(const struct key *k, size_t argc, const struct arg *argv) {
    return argc >= 2 && argv[1].ptr == k->name.ptr && argv[1].len == k->name.len;
}

unsigned char record_kind(const struct key *k, size_t argc, const struct arg *argv) {
    size_t verb;

    if (!has_its_key(k, argc, argv))
        return EFFECT_COMMAND;
    verb = verb_of(argc, &argv[0]);
    return verb < VERBS ? (unsigned char)(KIND_VERB + verb) : KIND_KEYED;
}

struct record_command record_command(const struct key *k, size_t argc, const struct arg *argv) {
    unsigned char kind = record_kind(k, argc, argv);
    size_t head = kind == EFFECT_COMMAND ? HASHED_HEAD : 1, first = first_word(kind);

    return (struct record_command){k, argv, argc, first, head + words_bytes(first, argc, argv), kind};
}

static inline char *put_hashed_head(char *at, enum effect_kind kind, uint64_t hash, uint64_t length) {
    at[0] = (char)kind;
    memcpy(at + 1, &hash, sizeof(hash));
    memcpy(at + HASHED_LENGTH_AT, &length, sizeof(length));
    return at + HASHED_HEAD;
}

static void put_command_head(struct chain *c, const struct record_command *m) {
    char *at = chain_room(c, HASHED_HEAD + UINT_MAX_BYTES);

    if (at == NULL)
        return;
    if (m->kind == EFFECT_COMMAND)
        at = put_hashed_head(at, EFFECT_COMMAND, m->key->hash, m->length - HASHED_HEAD);
    else
        *at++ = (char)m->kind;
    if (m->first == 0)
        at = put_uint(at, m->argc);
    c->bytes.len = (size_t)(at - c->bytes.data);
}

void record_put_command(struct chain *c, const struct record_command *m) {
    put_command_head(c, m);
    for (size_t i = m->first; i < m->argc; i++)
        if (by_reference(&m->argv[i]))
            put_blob(c, m->argv[i].blob);
        else
            put_bytes(c, arg_slice(&m->argv[i]));
}

void record_put_value(struct chain *c, const struct key *k, const struct entry *e) {
    char *at = chain_room(c, HASHED_HEAD);
    size_t begun = c->bytes.len, bytes = chain_len(c);

    record_put_entry(c, k->name, e);
    if (at != NULL && !c->failed)
        put_hashed_head(c->bytes.data + begun - HASHED_HEAD, EFFECT_VALUE, k->hash, chain_len(c) - bytes);
}

void record_put_flush(struct chain *c, unsigned shard) {
    char *at = chain_room(c, HASHED_HEAD);

    if (at != NULL)
        put_hashed_head(at, EFFECT_FLUSH, (uint64_t)shard << 58, 0);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static void get_words(struct record_reader *r, uint64_t n) {
    for (; n > 0 && !r->bad; n--)
        record_get_bytes(r);
}

/* Reads a command whose key is its second word. A verb's name is not in the log. */
static void get_keyed(struct record_reader *r, struct record_effect *e, unsigned kind) {
    struct record_reader words;
    const char *begin;

    e->kind = EFFECT_COMMAND;
    if (kind == KIND_KEYED) {
        e->argc = record_get_count(r);
        e->name = record_get_bytes(r);
    } else {
        e->argc = verbs[kind - KIND_VERB].argc;
        e->name = slice_of(verbs[kind - KIND_VERB].name, verbs[kind - KIND_VERB].len);
    }
    begin = r->at;
    words = *r;
    e->key = record_get_bytes(&words);
    r->bad |= e->argc < 2;
    get_words(r, e->argc - 1);
    e->body = slice_of(begin, (size_t)(r->at - begin));
}

static void get_hashed(struct record_reader *r, struct record_effect *e, unsigned kind) {
    struct record_reader words;

    e->kind = (enum effect_kind)kind;
    e->hashed = true;
    e->hash = get_u64(r);
    e->body = get_run(r, get_u64(r));
    if (r->bad || kind != EFFECT_COMMAND)
        return;
    words = record_read(e->body);
    e->argc = record_get_count(&words);
    e->name = record_get_bytes(&words);
    e->body = slice_of(words.at, (size_t)(words.end - words.at));
    r->bad |= words.bad || e->argc == 0;
}

bool record_next_effect(struct record_reader *r, struct record_effect *e) {
    unsigned kind;

    if (r->bad || r->at == r->end)
        return false;
    *e = (struct record_effect){.hashed = false};
    kind = get_u8(r);
    if (kind >= EFFECT_COMMAND && kind <= EFFECT_FLUSH)
        get_hashed(r, e, kind);
    else if (kind == KIND_KEYED || (kind >= KIND_VERB && kind < KIND_VERB + VERBS))
        get_keyed(r, e, kind);
    else
        r->bad = true;
    return !r->bad;
}

bool record_check_effect(const struct record_effect *e) {
    struct record_reader body = record_read(e->body);
    struct record_entry entry;

    if (e->kind == EFFECT_VALUE && record_next_entry(&body, &entry))
        record_skip_items(&body, &entry);
    else if (e->kind == EFFECT_COMMAND)
        get_words(&body, e->argc - 1);
    return !body.bad && body.at == body.end;
}
