/* mute.h - CLIENT REPLY: commands whose replies are not wanted. Private to the command layer. */
#ifndef FLASHKV_COMMAND_MUTE_H
#define FLASHKV_COMMAND_MUTE_H

#include <flashkv/command.h>

/* A sink's operations that throw all away, to be copied: a sink with these very ones is mute_execute's. */
extern const struct reply_ops mute_ops;

/* A sink that throws replies away, but for what goes to mute_pushes. */
struct muted_reply {
    struct reply base; /* first */
    struct reply *pushes;
};
struct reply *mute_reply(struct muted_reply *m, struct reply *pushes);
bool mute_is(const struct reply *r);

/* command_execute for a session whose `mute` is not MUTE_NOTHING: replies nothing, but to CLIENT REPLY ON. A command that
 * has to wait (BLPOP) is muted as it was when it began. */
void mute_execute(struct server *srv, struct session *s, size_t argc, const struct arg *argv,
                  struct reply *r);

/* Where to say what is no reply in RESP3, but a push: it is heard even if no reply is. */
struct reply *mute_pushes(struct reply *r);

#endif
