/* mute.h - CLIENT REPLY: commands whose replies are not wanted. Private to the command layer. */
#ifndef FLASHKV_COMMAND_MUTE_H
#define FLASHKV_COMMAND_MUTE_H

#include <flashkv/command.h>

/* A sink that throws all away. */
extern const struct reply_ops mute_ops;

/* command_execute for a session whose `mute` is not MUTE_NOTHING: replies nothing, but to CLIENT REPLY ON. The reply of a
 * command that has to wait (BLPOP) is delivered all the same. */
void mute_execute(struct server *srv, struct session *s, size_t argc, const struct arg *argv,
                  struct reply *r);

#endif
