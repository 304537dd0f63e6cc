/* batch_op.c - parsing the operations of a batch. */
#include "batch_op.h"

#include <flashkv/num.h>
#include <stdio.h>

#include "conditions.h"

enum member {
    MEMBER_OP = 1 << 0,
    MEMBER_KEY = 1 << 1,
    MEMBER_KEY_ENCODING = 1 << 2,
    MEMBER_VALUE = 1 << 3,
    MEMBER_ENCODING = 1 << 4,
    MEMBER_CONTENT_TYPE = 1 << 5,
    MEMBER_TTL = 1 << 6,
    MEMBER_TTL_MS = 1 << 7,
    MEMBER_KEEPTTL = 1 << 8,
    MEMBER_BY = 1 << 9,
    MEMBER_IF = 1 << 10,
    MEMBER_ARGS = 1 << 11,
};

enum member_kind { TEXT, NUMBER, FLAG, CONDITION, ARGUMENTS };

static const struct {
    const char *name;
    enum member member;
    enum member_kind kind;
    size_t offset; /* of its slice in struct batch_op */
} members[] = {
    {"op", MEMBER_OP, TEXT, 0}, /* stored in reading.name instead */
    {"key", MEMBER_KEY, TEXT, offsetof(struct batch_op, key)},
    {"key_encoding", MEMBER_KEY_ENCODING, TEXT, offsetof(struct batch_op, key_encoding)},
    {"value", MEMBER_VALUE, TEXT, offsetof(struct batch_op, value)},
    {"encoding", MEMBER_ENCODING, TEXT, offsetof(struct batch_op, encoding)},
    {"content_type", MEMBER_CONTENT_TYPE, TEXT, offsetof(struct batch_op, content_type)},
    {"ttl", MEMBER_TTL, NUMBER, offsetof(struct batch_op, ttl)},
    {"ttl_ms", MEMBER_TTL_MS, NUMBER, offsetof(struct batch_op, ttl)},
    {"keepttl", MEMBER_KEEPTTL, FLAG, 0},
    {"by", MEMBER_BY, NUMBER, offsetof(struct batch_op, by)},
    {"if", MEMBER_IF, CONDITION, 0},
    {"args", MEMBER_ARGS, ARGUMENTS, 0},
};

enum {
    OF_ANY_KEY = MEMBER_OP | MEMBER_KEY | MEMBER_KEY_ENCODING,
    OF_VALUE = MEMBER_VALUE | MEMBER_ENCODING,
    OF_TTL = MEMBER_TTL | MEMBER_TTL_MS,
};

/* The members that each operation may and must have. */
static const struct {
    const char *name;
    uint32_t may, must;
} kinds[BATCH_OPS] = {
    [BATCH_GET] = {"get", OF_ANY_KEY | MEMBER_IF, MEMBER_KEY},
    [BATCH_PUT] = {"put", OF_ANY_KEY | OF_VALUE | MEMBER_CONTENT_TYPE | OF_TTL | MEMBER_KEEPTTL | MEMBER_IF,
                   MEMBER_KEY | MEMBER_VALUE},
    [BATCH_DELETE] = {"delete", OF_ANY_KEY | MEMBER_IF, MEMBER_KEY},
    [BATCH_INCR] = {"incr", OF_ANY_KEY | MEMBER_BY | MEMBER_IF, MEMBER_KEY},
    [BATCH_APPEND] = {"append", OF_ANY_KEY | OF_VALUE | MEMBER_IF, MEMBER_KEY | MEMBER_VALUE},
    [BATCH_EXPIRE] = {"expire", OF_ANY_KEY | OF_TTL | MEMBER_IF, MEMBER_KEY},
    [BATCH_PERSIST] = {"persist", OF_ANY_KEY | MEMBER_IF, MEMBER_KEY},
    [BATCH_CHECK] = {"check", OF_ANY_KEY | MEMBER_IF, MEMBER_KEY | MEMBER_IF},
    [BATCH_COMMAND] = {"command", MEMBER_OP | MEMBER_ARGS, MEMBER_ARGS},
};

/* The state of parsing one operation. */
struct reading {
    struct batch_op *op;
    struct json_in *j;
    struct buf *args;
    struct slice name;
    char *why;
    size_t cap;
};

static bool wrong(struct reading *r, const char *why) {
    if (r->j->why == NULL && r->why[0] == '\0')
        snprintf(r->why, r->cap, "%s", why);
    return false;
}

/* "if": {"absent":true}, {"exists":true}, {"equals":"v"} or {"etag":"..."} */
static bool read_condition(struct reading *r) {
    static const struct {
        const char *name;
        enum batch_condition condition;
        enum json_token value;
    } conditions[] = {{"absent", BATCH_IF_ABSENT, JSON_IN_TRUE},
                      {"exists", BATCH_IF_EXISTS, JSON_IN_TRUE},
                      {"equals", BATCH_IF_EQUALS, JSON_IN_STRING},
                      {"etag", BATCH_IF_ETAG, JSON_IN_STRING}};
    struct slice name, value, unused;
    enum json_token token = json_read(r->j, &name);

    if (token != JSON_IN_OBJECT)
        return json_pass(r->j, token) && wrong(r, "if: expects an object with one condition");
    token = json_read(r->j, &name);
    for (size_t i = 0; token == JSON_IN_NAME && i < sizeof(conditions) / sizeof(*conditions); i++)
        if (slice_eq(name, slice_str(conditions[i].name))) {
            if (json_read(r->j, &value) != conditions[i].value)
                break;
            r->op->condition = conditions[i].condition;
            r->op->expected = value;
            return json_read(r->j, &unused) == JSON_IN_CLOSE || wrong(r, "if: expects one condition");
        }
    return wrong(r, "if: expects absent or exists, which are true, or equals or etag, which are strings");
}

/* Strings and numbers, the latter as they are written. */
static bool read_arguments(struct reading *r) {
    struct slice s;
    enum json_token token = json_read(r->j, &s);

    if (token != JSON_IN_ARRAY)
        return wrong(r, "args: expects an array");
    r->op->arg = r->args->len / sizeof(struct arg);
    while ((token = json_read(r->j, &s)) == JSON_IN_STRING || token == JSON_IN_NUMBER) {
        struct arg a = arg_of(s);

        if (!buf_append(r->args, &a, sizeof(a)))
            return wrong(r, "out of memory, or too many arguments");
        r->op->arg_count++;
    }
    if (token != JSON_IN_CLOSE || r->op->arg_count == 0)
        return wrong(r, "args: expects an array of one string or number or more");
    return true;
}

static bool read_member(struct reading *r, size_t i) {
    struct slice value, *place = (struct slice *)(void *)((char *)r->op + members[i].offset);
    enum json_token token;

    if (r->op->members & members[i].member)
        return wrong(r, "a member is given twice");
    r->op->members |= members[i].member;
    if (members[i].kind == CONDITION)
        return read_condition(r);
    if (members[i].kind == ARGUMENTS)
        return read_arguments(r);
    token = json_read(r->j, &value);
    if (members[i].kind == FLAG)
        return token == JSON_IN_TRUE || wrong(r, "keepttl: expects true");
    if (token != (members[i].kind == TEXT ? JSON_IN_STRING : JSON_IN_NUMBER)) {
        if (r->j->why == NULL)
            snprintf(r->why, r->cap, "%s: expects a %s", members[i].name,
                     members[i].kind == TEXT ? "string" : "number");
        return false;
    }
    *(members[i].member == MEMBER_OP ? &r->name : place) = value;
    return true;
}

static bool read_members(struct reading *r) {
    enum { COUNT = sizeof(members) / sizeof(*members) };
    enum json_token token;
    struct slice name;

    while ((token = json_read(r->j, &name)) == JSON_IN_NAME) {
        size_t i = 0;

        while (i < COUNT && !slice_eq(name, slice_str(members[i].name)))
            i++;
        if (i == COUNT) {
            snprintf(r->why, r->cap, "unknown member '%.*s'", (int)(name.len < 40 ? name.len : 40), name.ptr);
            return false;
        }
        if (!read_member(r, i))
            return false;
    }
    return token == JSON_IN_CLOSE;
}

/* Converts "ttl" (seconds) or "ttl_ms" to op->ttl_ms. */
static bool check_ttl(struct batch_op *op) {
    int64_t scale = op->members & MEMBER_TTL ? 1000 : 1, n;

    if (!num_parse_i64(op->ttl, &n) || n < 1 || n > INT64_MAX / 2 / scale)
        return false;
    op->ttl_ms = n * scale;
    return true;
}

static bool check_members(struct reading *r) {
    struct batch_op *op = r->op;
    uint32_t ttls = op->members & (OF_TTL | MEMBER_KEEPTTL);
    int64_t n;

    while (op->kind < BATCH_OPS && !slice_eq(r->name, slice_str(kinds[op->kind].name)))
        op->kind++;
    if (op->kind == BATCH_OPS)
        return wrong(r, "op: expects get, put, delete, incr, append, expire, persist, check or command");
    if ((op->members & kinds[op->kind].must) != kinds[op->kind].must)
        return wrong(r, op->kind == BATCH_COMMAND ? "args is needed"
                                                  : "key is needed, and what the operation is about");
    if ((op->members & ~(kinds[op->kind].may | MEMBER_OP)) != 0)
        return wrong(r, "a member that this operation does not have");
    if ((ttls & (ttls - 1)) != 0 || (op->kind == BATCH_EXPIRE && ttls == 0))
        return wrong(r, "one of ttl, ttl_ms and keepttl at most, and one of the first two to expire");
    if ((ttls & OF_TTL) != 0 && !check_ttl(op))
        return wrong(r, "ttl: expects a whole number, at least 1");
    if ((op->members & MEMBER_BY) && !num_parse_i64(op->by, &n))
        return wrong(r, "by: expects a whole number");
    if (!media_type_fits(op->content_type))
        return wrong(r, "content_type: too long, or not a line of text");
    if (!json_in_decode(&op->key, op->key_encoding) || !json_in_decode(&op->value, op->encoding))
        return wrong(r, "an encoding that is neither utf8 nor base64, or no base64");
    op->keepttl = (ttls & MEMBER_KEEPTTL) != 0;
    return true;
}

bool batch_op_read(struct batch_op *op, struct json_in *j, struct buf *args, char *why, size_t cap) {
    struct reading r = {.op = op, .j = j, .args = args, .name = SLICE_LIT(""), .why = why, .cap = cap};
    unsigned depth = j->depth - 1;
    struct slice s;
    bool ok;

    *op = (struct batch_op){.kind = BATCH_GET};
    why[0] = '\0';
    ok = read_members(&r);
    while (j->why == NULL && j->depth > depth)
        json_read(j, &s);
    if (j->why != NULL)
        json_in_explain(j, why, cap);
    return ok && j->why == NULL && check_members(&r);
}
