/* mute.h - CLIENT REPLY: commands whose replies are not wanted. Private to the command layer. */
#ifndef FLASHKV_COMMAND_MUTE_H
#define FLASHKV_COMMAND_MUTE_H

#include <flashkv/command.h>

/* The operations of a sink that discards everything, for copying: only mute_execute's sink has exactly these. */
extern const struct reply_ops mute_ops;

/* A sink that discards replies, except those to mute_pushes. */
struct muted_reply {
    struct reply base; /* first */
    struct reply *pushes;
};
struct reply *mute_reply(struct muted_reply *m, struct reply *pushes);
bool mute_is(const struct reply *r);

/* command_execute for a session whose `mute` is not MUTE_NOTHING: no reply, except to CLIENT REPLY ON. A command that
 * blocks (BLPOP) stays muted or not as when it began. */
void mute_execute(struct server *srv, struct session *s, size_t argc, const struct arg *argv,
                  struct reply *r);

/* The sink for pushes of RESP3 (confirmations of SUBSCRIBE), which are sent even if replies are not. */
struct reply *mute_pushes(struct reply *r);

#endif
