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

/* The session's subscriber, created with its first subscription. NULL: replied. */
struct subscriber *listening_subscriber(struct call *c);
/* The number of a session's subscriptions of one kind. Any thread that holds the list of sessions. */
uint32_t listening_count(const struct session *s, enum pubsub_kind kind);
/* Updates session.listens after a change of its subscriptions or of MONITOR. */
void listening_note(struct session *s);
/* May a session that listens run the call? False: replied. */
bool listening_may_run(struct call *c);
/* Ends all subscriptions and MONITOR: for RESET, and when the client has disconnected. */
void listening_stop(struct server *srv, struct session *s);

/* ---- cmd_monitor.c ---- */

/* Sends a command that has run to all monitors. */
void monitors_feed(const struct call *c);
static inline bool monitored(const struct server *srv) {
    return atomic_load_explicit(&srv->monitors.count, memory_order_relaxed) > 0;
}
/* Removes a session from the monitors, if it is one. */
void monitors_remove(struct monitors *m, struct session *s);

#endif
