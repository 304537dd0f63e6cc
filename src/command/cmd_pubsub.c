/* cmd_pubsub.c - publish and subscribe. Source: https://redis.io/commands/?group=pubsub */
#include <flashkv/glob.h>

#include "args.h"
#include "handlers.h"
#include "listening.h"
#include "mute.h"

/* ---- subscribing --------------------------------------------------------------------------------------------- */

/* The words of each kind of subscription, and which subscriptions its confirmations count. */
static const struct {
    const char *subscribed, *unsubscribed;
} words[] = {
    [PUBSUB_CHANNEL] = {"subscribe", "unsubscribe"},
    [PUBSUB_PATTERN] = {"psubscribe", "punsubscribe"},
    [PUBSUB_SHARD] = {"ssubscribe", "sunsubscribe"},
};

static int64_t counted(const struct session *s, enum pubsub_kind kind) {
    if (kind == PUBSUB_SHARD)
        return listening_count(s, PUBSUB_SHARD);
    return (int64_t)listening_count(s, PUBSUB_CHANNEL) + listening_count(s, PUBSUB_PATTERN);
}

/* One of the confirmations that these commands reply. `name` NULL: there was no subscription. */
static void confirm(struct call *c, const char *verb, const struct slice *name, enum pubsub_kind kind) {
    struct reply *r = mute_pushes(c->reply);

    reply_push(r, 3);
    reply_text(r, verb);
    if (name != NULL)
        reply_bulk(r, *name);
    else
        reply_null(r);
    reply_integer(r, counted(c->session, kind));
}

static void subscribe(struct call *c, enum pubsub_kind kind) {
    struct subscriber *s = listening_subscriber(c);

    if (s == NULL)
        return;
    for (size_t i = 1; i < c->argc; i++) {
        struct slice name = call_arg(c, i);

        if (pubsub_subscribe(c->server->pubsub, s, kind, name) == PUBSUB_NO_MEMORY)
            reply_store_error(c, STORE_NO_MEMORY);
        else
            confirm(c, words[kind].subscribed, &name, kind);
    }
    listening_note(c->session);
}

struct unsubscription {
    struct call *call;
    struct subscriber *subscriber; /* NULL: it has never subscribed */
    enum pubsub_kind kind;
};

static void unsubscribe_one(void *ctx, struct slice name) {
    struct unsubscription *u = ctx;
    struct call *c = u->call;

    /* Earlier messages are sent before the confirmation, none after it; but none between the replies of EXEC. */
    if (u->subscriber != NULL && pubsub_unsubscribe(c->server->pubsub, u->subscriber, u->kind, name) &&
        !c->in_exec)
        c->session->ops->drain(c->session);
    confirm(c, words[u->kind].unsubscribed, &name, u->kind);
}

static void add_name(void *ctx, struct slice name) {
    names_add(ctx, name);
}

static void unsubscribe_all(struct unsubscription *u) {
    struct names names = names_make(u->call);

    if (u->subscriber != NULL)
        pubsub_each_of(u->call->server->pubsub, u->subscriber, u->kind, add_name, &names);
    if (names.overflow)
        reply_store_error(u->call, STORE_NO_MEMORY);
    else if (names.count == 0)
        confirm(u->call, words[u->kind].unsubscribed, NULL, u->kind);
    else
        names_each(&names, unsubscribe_one, u);
    buf_free(&names.bytes);
}

static void unsubscribe(struct call *c, enum pubsub_kind kind) {
    struct session_subscriber *s = c->session->subscriber;
    struct unsubscription u = {c, s != NULL ? &s->base : NULL, kind};

    if (c->argc == 1)
        unsubscribe_all(&u);
    for (size_t i = 1; i < c->argc; i++)
        unsubscribe_one(&u, call_arg(c, i));
    listening_note(c->session);
}

void cmd_subscribe(struct call *c) {
    subscribe(c, PUBSUB_CHANNEL);
}

void cmd_psubscribe(struct call *c) {
    subscribe(c, PUBSUB_PATTERN);
}

void cmd_ssubscribe(struct call *c) {
    if (c->in_exec) /* SSUBSCRIBE is refused in EXEC; Redis allows SUBSCRIBE for compatibility */
        reply_error(c->reply, "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
    else
        subscribe(c, PUBSUB_SHARD);
}

void cmd_unsubscribe(struct call *c) {
    unsubscribe(c, PUBSUB_CHANNEL);
}

void cmd_punsubscribe(struct call *c) {
    unsubscribe(c, PUBSUB_PATTERN);
}

void cmd_sunsubscribe(struct call *c) {
    unsubscribe(c, PUBSUB_SHARD);
}

/* ---- publishing ---------------------------------------------------------------------------------------------- */

static void publish(struct call *c, enum pubsub_kind kind) {
    reply_integer(c->reply, (int64_t)pubsub_publish(c->server->pubsub, kind, call_arg(c, 1), call_arg(c, 2)));
}

void cmd_publish(struct call *c) {
    publish(c, PUBSUB_CHANNEL);
}

void cmd_spublish(struct call *c) {
    publish(c, PUBSUB_SHARD);
}

/* ---- PUBSUB -------------------------------------------------------------------------------------------------- */

struct listing {
    struct names names;
    struct slice pattern; /* ptr NULL: all */
};

static void list_name(void *ctx, struct slice name) {
    struct listing *l = ctx;

    if (l->pattern.ptr == NULL || glob_match(l->pattern, name))
        names_add(&l->names, name);
}

static void list_topics(struct call *c, enum pubsub_kind kind) {
    struct listing l = {names_make(c), {NULL, 0}};

    if (c->argc > 3) {
        reply_error(c->reply,
                    "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try PUBSUB HELP.",
                    arg_shown(&c->argv[1]), c->argv[1].ptr);
        return;
    }
    if (c->argc == 3)
        l.pattern = call_arg(c, 2);
    pubsub_each(c->server->pubsub, kind, list_name, &l);
    names_reply(c, &l.names);
}

static void count_subscribers(struct call *c, enum pubsub_kind kind) {
    reply_array(c->reply, 2 * (c->argc - 2));
    for (size_t i = 2; i < c->argc; i++) {
        reply_bulk(c->reply, call_arg(c, i));
        reply_integer(c->reply, (int64_t)pubsub_subscribers(c->server->pubsub, kind, call_arg(c, i)));
    }
}

void cmd_pubsub_channels(struct call *c) {
    list_topics(c, PUBSUB_CHANNEL);
}

void cmd_pubsub_shardchannels(struct call *c) {
    list_topics(c, PUBSUB_SHARD);
}

void cmd_pubsub_numsub(struct call *c) {
    count_subscribers(c, PUBSUB_CHANNEL);
}

void cmd_pubsub_shardnumsub(struct call *c) {
    count_subscribers(c, PUBSUB_SHARD);
}

void cmd_pubsub_numpat(struct call *c) {
    reply_integer(c->reply, (int64_t)pubsub_topics(c->server->pubsub, PUBSUB_PATTERN));
}

void cmd_pubsub_help(struct call *c) {
    static const char *const lines[] = {
        "PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "CHANNELS [<pattern>]",
        "    Return the currently active channels matching a <pattern> (default: '*').",
        "NUMPAT",
        "    Return number of subscriptions to patterns.",
        "NUMSUB [<channel> ...]",
        "    Return the number of subscribers for the specified channels, excluding",
        "    pattern subscriptions(default: no channels).",
        "SHARDCHANNELS [<pattern>]",
        "    Return the currently active shard level channels matching a <pattern> (default: '*').",
        "SHARDNUMSUB [<shardchannel> ...]",
        "    Return the number of subscribers for the specified shard level channel(s)",
        "HELP",
        "    Prints this help.",
    };

    reply_array(c->reply, sizeof(lines) / sizeof(*lines));
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        reply_status(c->reply, slice_str(lines[i]));
}
