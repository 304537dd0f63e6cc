/* listening.h - sessions that listen: subscribers and monitors. Private to the command layer. */
#ifndef FLASHKV_COMMAND_LISTENING_H
#define FLASHKV_COMMAND_LISTENING_H

#include <flashkv/command.h>
#include <flashkv/pubsub.h>

/* A RESP client as a subscriber. */
struct session_subscriber {
    struct subscriber base; /* first */
    struct session *session;
    struct server *server;
};

/* The session as a subscriber, made with its first subscription. NULL: replied. */
struct subscriber *listening_subscriber(struct call *c);
/* Subscriptions of a session, of one kind. Any thread that holds the list of sessions. */
uint32_t listening_count(const struct session *s, enum pubsub_kind kind);
/* After a change of its subscriptions, or of its being a monitor: notes whether it listens still. */
void listening_note(struct session *s);
/* What a session that listens may not do. False: replied. */
bool listening_may_run(struct call *c);
/* Ends all of it: for RESET, and when the client is gone. */
void listening_stop(struct server *srv, struct session *s);

/* ---- cmd_monitor.c ---- */

/* Tells all monitors of a command that has run. */
void monitors_feed(const struct call *c);
static inline bool monitored(const struct server *srv) {
    return atomic_load_explicit(&srv->monitors.count, memory_order_relaxed) > 0;
}
/* Not a monitor any more; nothing if it is none. */
void monitors_remove(struct monitors *m, struct session *s);

#endif
