/* mute.c - running a command and discarding its reply. */
#include "mute.h"

#include "dispatch.h"

static void drop_text(struct reply *r, struct slice text) {
    (void)r;
    (void)text;
}

static void drop_integer(struct reply *r, int64_t n) {
    (void)r;
    (void)n;
}

static void drop_blob(struct reply *r, struct blob *b) {
    (void)r;
    (void)b;
}

static void drop_null(struct reply *r) {
    (void)r;
}

static void drop_aggregate(struct reply *r, enum reply_aggregate kind, size_t n) {
    (void)r;
    (void)kind;
    (void)n;
}

static void drop_real(struct reply *r, double d) {
    (void)r;
    (void)d;
}

static void drop_boolean(struct reply *r, bool b) {
    (void)r;
    (void)b;
}

const struct reply_ops mute_ops = {
    .status = drop_text,
    .error = drop_text,
    .integer = drop_integer,
    .bulk = drop_text,
    .blob = drop_blob,
    .null = drop_null,
    .null_array = drop_null,
    .aggregate = drop_aggregate,
    .real = drop_real,
    .boolean = drop_boolean,
    .verbatim = drop_text,
};

struct reply *mute_reply(struct muted_reply *m, struct reply *pushes) {
    *m = (struct muted_reply){.base.ops = &mute_ops, .pushes = pushes};
    return &m->base;
}

bool mute_is(const struct reply *r) {
    return r->ops == &mute_ops;
}

struct reply *mute_pushes(struct reply *r) {
    return mute_is(r) ? ((struct muted_reply *)r)->pushes : r;
}

void mute_execute(struct server *srv, struct session *s, size_t argc, const struct arg *argv,
                  struct reply *r) {
    struct muted_reply silent;

    if (s->mute == MUTE_NEXT)
        s->mute = MUTE_NOTHING; /* unless this command sets it again */
    dispatch_execute(srv, s, argc, argv, mute_reply(&silent, r));
    if (s->mute != MUTE_ENDS)
        return;
    s->mute = MUTE_NOTHING;
    reply_ok(r);
}
