/* dispatch.h - steps of dispatch that transactions and blocked clients share. Private to the command layer. */
#ifndef FLASHKV_COMMAND_DISPATCH_H
#define FLASHKV_COMMAND_DISPATCH_H

#include "table.h"

/* Hashes the keys at `at` into `keys` (at->count of them), sets call.keys to them, and adds their shards to *shards. False:
 * replied an error. */
bool dispatch_hash_keys(struct call *c, const struct key_args *at, struct key *keys, uint64_t *shards);

/* command_execute without regard to CLIENT REPLY. */
void dispatch_execute(struct server *srv, struct session *s, size_t argc, const struct arg *argv,
                      struct reply *r);

#endif
