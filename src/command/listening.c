/* listening.c - sessions as subscribers, and what a subscribed session may not run. */
#include "listening.h"

#include <flashkv/blob.h>
#include <flashkv/mem.h>

#include "args.h"
#include "handlers.h"

/* ---- delivery ------------------------------------------------------------------------------------------------ */

static void say_message(struct reply *r, const void *ctx) {
    static const char *const verbs[] = {
        [PUBSUB_CHANNEL] = "message", [PUBSUB_PATTERN] = "pmessage", [PUBSUB_SHARD] = "smessage"};
    const struct message *m = ctx;

    reply_push(r, m->kind == PUBSUB_PATTERN ? 4 : 3);
    reply_text(r, verbs[m->kind]);
    if (m->kind == PUBSUB_PATTERN)
        reply_bulk(r, m->pattern);
    reply_bulk(r, m->channel);
    reply_bulk(r, m->payload);
}

static void deliver(struct subscriber *s, struct message *m) {
    const struct session_subscriber *to = (const struct session_subscriber *)s;
    const struct session_ops *ops = to->session->ops;
    unsigned protocol = atomic_load_explicit(&to->session->protocol, memory_order_relaxed);
    unsigned of_resp = protocol >= 3 ? MESSAGE_RESP3 : MESSAGE_RESP2;
    struct blob **wire = &m->wire[to->session->front == SESSION_RESP ? of_resp : ops->form];

    if (*wire == NULL)
        *wire = ops->encode(to->server, protocol, say_message, m);
    /* Without memory the connection is closed: its client can reconnect, but could not notice a lost message. */
    ops->deliver(to->session, *wire, *wire != NULL ? DELIVER_MESSAGE : DELIVER_CLOSE);
}

/* ---- subscribers --------------------------------------------------------------------------------------------- */

static struct session_subscriber *subscriber_of(const struct session *s) {
    return atomic_load_explicit(&s->subscriber, memory_order_acquire);
}

struct subscriber *listening_subscriber(struct call *c) {
    struct session_subscriber *s = subscriber_of(c->session);

    if (s != NULL)
        return &s->base;
    if (c->session->ops == NULL) {
        reply_error(c->reply, "ERR %s is not allowed here: nothing can be delivered", c->command->name);
        return NULL;
    }
    s = mem_zalloc(sizeof(*s));
    if (s == NULL) {
        reply_store_error(c, STORE_NO_MEMORY);
        return NULL;
    }
    s->base.deliver = deliver;
    s->session = c->session;
    s->server = c->server;
    atomic_store_explicit(&c->session->subscriber, s, memory_order_release);
    return &s->base;
}

uint32_t listening_count(const struct session *s, enum pubsub_kind kind) {
    const struct session_subscriber *sub = subscriber_of(s);

    return sub != NULL ? atomic_load_explicit(&sub->base.counts[kind], memory_order_relaxed) : 0;
}

static bool is_subscribed(const struct session *s) {
    return listening_count(s, PUBSUB_CHANNEL) + listening_count(s, PUBSUB_PATTERN) +
               listening_count(s, PUBSUB_SHARD) >
           0;
}

void listening_note(struct session *s) {
    s->listens = s->monitors || is_subscribed(s);
}

bool listening_may_run(struct call *c) {
    struct session *s = c->session;

    if (is_subscribed(s) && s->protocol == 2 && !(c->command->flags & CMD_SUBSCRIBED))
        reply_error(c->reply,
                    "%s Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "
                    "allowed in this context",
                    c->command->handler == cmd_exec ? "EXECABORT Transaction discarded because of:" : "ERR",
                    c->command->name);
    else if (s->monitors && (c->command->flags & (CMD_READ | CMD_WRITE)))
        reply_error(c->reply, "ERR Replica can't interact with the keyspace");
    else
        return true;
    return false;
}

void listening_stop(struct server *srv, struct session *s) {
    struct session_subscriber *sub = subscriber_of(s);

    if (sub != NULL)
        pubsub_leave(srv->pubsub, &sub->base);
    monitors_remove(&srv->monitors, s);
    listening_note(s);
}
